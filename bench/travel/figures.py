"""The figures: how near the embedded graph's times are to OSRM's, how far the straight line's are, and what each costs."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from app.routing.travel.graph import build, digest_of, load, save
from app.routing.travel.hours import DAY, FREE
from app.routing.travel.matrix import Matrix, Point
from app.routing.travel.osrm import Osrm
from app.routing.travel.roads import RoadGraph
from app.routing.travel.straight import GreatCircle
from app.routing.travel.wire import Wire
from tools.osrm import MOST_TABLE, osrm

T = TypeVar("T")
SHORTEST_S = 60
"""Ways shorter than this say more about rounding than about roads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """One way of telling times, as shares of OSRM's."""

    name: str
    pairs: int
    p5: float
    median: float
    p95: float


def timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began


def graph_of(extract: Path) -> tuple[RoadGraph, dict[str, float]]:
    """The graph, built, kept and loaded again, and the seconds of each step."""
    with TemporaryDirectory() as folder:
        kept = Path(folder) / "roads" / "graph.npz"
        graph, build_s = timed(lambda: build(extract, digest_of(extract)))
        _, save_s = timed(lambda: save(graph, kept))
        roads, load_s = timed(lambda: RoadGraph(load(kept, graph.digest)))
        size = kept.stat().st_size
    steps = {"build_s": build_s, "save_s": save_s, "load_s": load_s, "kept_mb": size / 1e6}
    return roads, steps | {"nodes": len(graph.order), "arcs": len(graph.arcs.tail)}


def sample(roads: RoadGraph, count: int, seed: int) -> list[Point]:
    """Road nodes drawn at random."""
    nodes = roads.usable_nodes()
    return random.Random(seed).sample(nodes, min(count, len(nodes)))


def matrix_seconds(roads: RoadGraph, points: list[Point]) -> dict[str, float]:
    """Seconds for one matrix: the first of a part of the day binds its speeds, the second finds them bound."""
    _, first = timed(lambda: roads.table(points, FREE))
    _, again = timed(lambda: roads.table(points, FREE))
    _, other = timed(lambda: roads.table(points[:2], DAY))
    return {"first_s": first, "again_s": again, "bind_s": other}


async def beside_osrm(extract: Path, roads: RoadGraph, points: list[Point]) -> tuple[list[Ratios], dict[str, float]]:
    """The graph's and the straight line's times as shares of a real server's, and what the server took."""
    with TemporaryDirectory() as folder, osrm(extract, Path(folder)) as served:
        source = Osrm(Wire(served.url))
        began = time.perf_counter()
        theirs = await source.matrix(points)
        table_s = time.perf_counter() - began
        await source.aclose()
    found = [
        ratios("graph", roads.table(points, FREE), theirs),
        ratios("graph by day", roads.table(points, DAY), theirs),
        ratios("straight", GreatCircle().estimate(points), theirs),
    ]
    costs = {"extract_s": served.extract_s, "contract_s": served.contract_s, "table_s": table_s}
    return found, costs | {"most_table": MOST_TABLE}


def ratios(name: str, ours: Matrix, theirs: Matrix) -> Ratios:
    """Our seconds over theirs, for pairs that both know."""
    mine, real = np.array(ours.seconds), np.array(theirs.seconds)
    known = real > SHORTEST_S
    for a, b in ours.unknown | theirs.unknown:
        known[a, b] = False
    p5, median, p95 = np.percentile(mine[known] / real[known], [5, 50, 95])
    return Ratios(name=name, pairs=int(known.sum()), p5=float(p5), median=float(median), p95=float(p95))
