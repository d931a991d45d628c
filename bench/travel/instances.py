"""Vehicle routing instances on real road times, in the VRPLIB format with an explicit matrix: made anew from an extract.

Seconds from the embedded graph when roads are free: asymmetric, as streets are. Same extract, size and seed, same file.
"""

import random
from dataclasses import dataclass

import numpy as np

from app.routing.travel.hours import FREE
from app.routing.travel.matrix import Point, Row
from app.routing.travel.roads import RoadGraph

HORIZON_S = 9 * 3600
CAPACITY = 60
DEMANDS = (1, 9)
SERVICES_S = (300, 480, 600, 900, 1200)
WINDOWS_S = (5_400, 7_200, 10_800, 14_400)
WINDOWED = 0.6
"""Share of customers with a time window."""
APART_M = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Node 0 is the depot. `seconds[i][j]` is both what is minimized and what the way takes."""

    name: str
    comment: str
    vehicles: int
    points: tuple[Point, ...]
    demands: Row
    services_s: Row
    windows_s: tuple[tuple[int, int], ...]
    seconds: tuple[Row, ...]


def instance(roads: RoadGraph, *, name: str, customers: int, seed: int) -> Instance:
    """One instance: customers at road nodes, the depot at the one with the least total way to and from all others."""
    dice = random.Random(f"{name}:{customers}:{seed}")
    points = _spread(roads, customers + 1, dice)
    seconds = np.array(roads.table(points, FREE).seconds)
    depot = int((seconds.sum(axis=0) + seconds.sum(axis=1)).argmin())
    points.insert(0, points.pop(depot))
    table = roads.table(points, FREE).seconds
    demands = (0, *(dice.randint(*DEMANDS) for _ in range(customers)))
    services = (0, *(dice.choice(SERVICES_S) for _ in range(customers)))
    windows = [(0, HORIZON_S)]
    for at in range(1, customers + 1):
        windows.append(_window(dice, table[0][at], HORIZON_S - table[at][0] - services[at]))
    return Instance(
        name=f"{name}-n{customers}-s{seed}",
        comment=f"{customers} customers, seed {seed}, seconds by road; (c) OpenStreetMap contributors, ODbL",
        vehicles=max(-(-sum(demands) // CAPACITY) * 2, customers // 6),
        points=tuple(points), demands=demands, services_s=services, windows_s=tuple(windows), seconds=table,
    )  # fmt: skip


def _spread(roads: RoadGraph, count: int, dice: random.Random) -> list[Point]:
    """Road nodes that all reach each other, no two within 30 m."""
    nodes = roads.usable_nodes()
    found: list[Point] = []
    for at in dice.sample(range(len(nodes)), len(nodes)):
        if len(found) == count:
            return found
        latitude, longitude = nodes[at]
        if all(abs(a - latitude) + abs(b - longitude) > APART_M / 111_195 for a, b in found):
            found.append((latitude, longitude))
    if len(found) < count:
        raise ValueError(f"the extract has room for {len(found)} places only")
    return found


def _window(dice: random.Random, earliest: int, latest: int) -> tuple[int, int]:
    """A window in which the service may begin, open to whoever comes straight from the depot and can still go home."""
    if dice.random() >= WINDOWED:
        return 0, HORIZON_S
    width = dice.choice(WINDOWS_S)
    opens = dice.randrange(0, max(latest - width, 1), 300)
    return opens, max(opens + width, earliest + 600)


def vrplib(made: Instance) -> str:
    """The instance as text: nodes from 1, node 1 the depot, all numbers whole."""
    size = len(made.points)
    lines = [
        f"NAME : {made.name}", f"COMMENT : {made.comment}", "TYPE : VRPTW", f"DIMENSION : {size}",
        f"VEHICLES : {made.vehicles}", f"CAPACITY : {CAPACITY}", "EDGE_WEIGHT_TYPE : EXPLICIT",
        "EDGE_WEIGHT_FORMAT : FULL_MATRIX",
    ]  # fmt: skip
    # Coordinates are for looking at: whole units of 1e-5 degrees, east then north.
    lines.append("NODE_COORD_SECTION")
    lines += [f"{at} {round(east * 1e5)} {round(north * 1e5)}" for at, (north, east) in enumerate(made.points, 1)]
    lines.append("DEMAND_SECTION")
    lines += [f"{at} {demand}" for at, demand in enumerate(made.demands, 1)]
    lines += ["DEPOT_SECTION", "1", "-1", "SERVICE_TIME_SECTION"]
    lines += [f"{at} {service}" for at, service in enumerate(made.services_s, 1)]
    lines.append("TIME_WINDOW_SECTION")
    lines += [f"{at} {opens} {closes}" for at, (opens, closes) in enumerate(made.windows_s, 1)]
    lines.append("EDGE_WEIGHT_SECTION")
    lines += [" ".join(str(one) for one in row) for row in made.seconds]
    return "\n".join([*lines, "EOF", ""])
