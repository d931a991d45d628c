"""Problems of our own kind, frozen by their seeds: parts on finite shelves of several places, promises, couriers under way."""

import random
from datetime import UTC, datetime
from typing import Any

from app.routing.rules.problem import Courier, Job, Location, Problem, Visit

OWN = {1: 20, 2: 30, 3: 40, 4: 50, 5: 60}
"""Seed and number of requests."""
START = datetime(2026, 11, 23, 1, tzinfo=UTC)
PLACES, PARTS, MINUTE = 4, 12, 60


def own(seed: int) -> Problem:
    """A region of 40 km with a warehouse, three branches, and a courier for about six requests.

    A third of the parts is short: two shelves, each with fewer pieces than are asked for. One courier in two is
    driving to a stop, one in three has a part on board.
    """
    rng = random.Random(seed)
    requests, fleet = OWN[seed], max(4, OWN[seed] // 6)
    centers = [(rng.uniform(5, 35), rng.uniform(5, 35)) for _ in range(5)]
    points = [(20.0, 20.0), *((rng.uniform(0, 40), rng.uniform(0, 40)) for _ in range(PLACES - 1))]
    for _ in range(requests + fleet):
        x, y = rng.choice(centers)
        points.append((x + rng.gauss(0, 4), y + rng.gauss(0, 4)))
    asked = [rng.randrange(PARTS) for _ in range(requests)]
    stock = {
        (place, part): _pieces(rng, place, part, asked.count(part)) for place in range(PLACES) for part in range(PARTS)
    }
    jobs: list[Job] = []
    couriers: list[Courier] = []
    for index, part in enumerate(asked):
        jobs += _request(rng, index, part, [place for place in range(PLACES) if stock[place, part]])
    for index in range(fleet):
        couriers.append(_courier(rng, index, PLACES + requests + index, jobs))
    return Problem(
        region=f"own{seed}",
        start=START,
        horizon_s=12 * 60 * MINUTE,
        couriers=tuple(couriers),
        jobs=tuple(jobs),
        locations=tuple(Location(str(at)) for at in range(len(points))),
        travel=tuple(tuple(_seconds(rng, a, b) for b in points) for a in points),
        stock=tuple((f"{place}/{part}", pieces) for (place, part), pieces in stock.items() if pieces),
    )


def _pieces(rng: random.Random, place: int, part: int, asked: int) -> int:
    if place == 0:
        return asked if part % 3 else max(1, asked // 2)
    return rng.choice((0, 0, 1, 2))


def _request(rng: random.Random, index: int, part: int, places: list[int]) -> list[Job]:
    tier = rng.choices((0, 1, 2), (1, 2, 5))[0]
    facts: dict[str, Any] = {
        "tier": tier,
        "drop": PLACES + index,
        "drop_service_s": rng.choice((15, 20, 30)) * MINUTE,
        "due_s": rng.choice((60, 120, 120, 240)) * MINUTE,
        "pickup_service_s": 4 * MINUTE,
        "skills": ("fiber",) if rng.random() < 0.15 else (),
        "line": f"R{index}",
    }
    ready = rng.choice((0, 0, 15)) * MINUTE
    return [Job(id=f"R{index}@{at}", pickup=at, ready_s=ready, shelf=f"{at}/{part}", **facts) for at in places]


def _courier(rng: random.Random, index: int, start: int, jobs: list[Job]) -> Courier:
    """Whether under way, and with what on board; such a job is added, for it is somebody's promise already."""
    carrying: tuple[str, ...] = ()
    first = None
    if index % 3 == 0:
        site = PLACES + rng.randrange(start - PLACES)
        jobs.append(
            Job(
                id=f"B{index}",
                tier=1,
                pickup=0,
                drop=site,
                drop_service_s=20 * MINUTE,
                due_s=rng.choice((30, 60)) * MINUTE,
            )
        )
        carrying = (f"B{index}",)
        first = Visit("drop", f"B{index}") if index % 2 == 0 else None
    return Courier(
        code=f"C{index}",
        start=start,
        available_s=rng.choice((0, 0, 10)) * MINUTE,
        end_s=rng.choice((6, 8, 10)) * 60 * MINUTE,
        pieces=4,
        skills=("fiber",) if index % 2 == 0 else (),
        carrying=carrying,
        first=first,
        work_s=9 * 60 * MINUTE,
    )


def _seconds(rng: random.Random, here: tuple[float, float], there: tuple[float, float]) -> int:
    """Seconds at 36 km/h over roads a third longer than the straight line, a little lopsided."""
    way = ((here[0] - there[0]) ** 2 + (here[1] - there[1]) ** 2) ** 0.5
    return 0 if here == there else round(way * 133) + rng.randrange(60)
