"""Road times from a graph in this process: points moved to the nearest road, times by part of the day, lines to draw.

The graph is contracted once, whatever the speeds; a part of the day is only another binding of them (customizable
contraction hierarchies: Dibbelt, Strasser, Wagner 2016).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, cos, radians
from threading import Lock

import numpy as np
import routingkit_cch

from app.routing.travel.graph import Graph
from app.routing.travel.hours import FREE
from app.routing.travel.lines import METRES_PER_DEGREE
from app.routing.travel.matrix import Matrix, Pair, Point, Row, TravelTimes, straight_m

SNAP_M = 500.0
"""A point farther than this from any road has no way by road [house]."""
LAST_KMH = 15.0
"""The stretch between a point and its road, as a straight line [house]."""
BINDINGS = 2
"""Parts of the day that are bound at once: this one and the next."""


@dataclass(frozen=True, slots=True)
class _Snap:
    """A point's node, and what the last stretch takes."""

    node: int
    last_s: float


@contextmanager
def _failing_plainly() -> Iterator[None]:
    """The library's own failures come as a kind of exit, which would end whole loops: they are errors like others here."""
    try:
        yield
    except BaseException as broken:
        if type(broken).__name__ == "PanicException":
            raise RuntimeError(f"the road graph failed: {broken}") from broken
        raise


class RoadGraph:
    """Times and lines of one graph. Safe to use from several threads; one question at a time."""

    by_hour = True

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.version = graph.version
        with _failing_plainly():
            order, tail, head = graph.order.tolist(), graph.arcs.tail.tolist(), graph.arcs.head.tolist()
            self._cch = routingkit_cch.CCH(order, tail, head, False)
        self._bound: OrderedDict[int, routingkit_cch.CCHMetric] = OrderedDict()
        self._lock = Lock()
        self._ground = _Ground(graph)

    def at(self, bucket: int) -> TravelTimes:
        return _Hour(self, bucket)

    async def line(self, start: Point, end: Point) -> tuple[Point, ...] | None:
        return await asyncio.to_thread(self.path, start, end)

    async def aclose(self) -> None:
        """Nothing is open."""

    def table(self, points: Sequence[Point], bucket: int) -> Matrix:
        """All pairs; `unknown` are those of points without a road near, or without a way between their roads."""
        snaps = [self._ground.nearest(point) for point in points]
        nodes = sorted({one.node for one in snaps if one is not None})
        column = {node: at for at, node in enumerate(nodes)}
        reached = self._reached(nodes, bucket) if nodes else {}
        straight = straight_m(points)
        seconds: list[Row] = []
        unknown: set[Pair] = set()
        for a, start in enumerate(snaps):
            row = []
            for b, end in enumerate(snaps):
                took = None if start is None or end is None else reached[start.node][column[end.node]]
                if a == b:
                    row.append(0)
                elif took is None or start is None or end is None:
                    unknown.add((a, b))
                    row.append(0)
                elif start.node == end.node:
                    row.append(ceil(float(straight[a, b]) * 3.6 / LAST_KMH))
                else:
                    row.append(ceil(took / 1000 + start.last_s + end.last_s))
            seconds.append(tuple(row))
        return Matrix(tuple(seconds), (), estimated=False, unknown=frozenset(unknown))

    def _reached(self, nodes: list[int], bucket: int) -> dict[int, list[int | None]]:
        """Milliseconds from each node to each, in the order given."""
        with self._lock, _failing_plainly():
            query = routingkit_cch.CCHOneToMany(self._metric(bucket), nodes)
            found = {node: query.distances_from(node) for node in nodes}
            del query  # a binding is not changed while a query looks at it
        return found

    def path(self, start: Point, end: Point) -> tuple[Point, ...] | None:
        """The quickest way's points when roads are free, from point to point; None where there is none."""
        ends = self._ground.nearest(start), self._ground.nearest(end)
        if ends[0] is None or ends[1] is None:
            return None
        with self._lock, _failing_plainly():
            query = routingkit_cch.CCHQuery(self._metric(FREE))
            found = query.run(ends[0].node, ends[1].node)
            nodes = None if found.distance is None else list(found.node_path)
            del found, query
        if nodes is None:
            return None
        arcs = self._graph.arcs
        return (start, *((float(arcs.latitude[at]), float(arcs.longitude[at])) for at in nodes), end)

    def usable_nodes(self) -> list[Point]:
        """Every node a point may be moved to."""
        arcs, usable = self._graph.arcs, np.flatnonzero(self._graph.part >= 0)
        return list(zip(arcs.latitude[usable].tolist(), arcs.longitude[usable].tolist(), strict=True))

    def _metric(self, bucket: int) -> routingkit_cch.CCHMetric:
        """The speeds of a part of the day; the one used longest ago is bound anew."""
        if bucket not in self._bound:
            weights = self._graph.milliseconds(bucket).tolist()
            if len(self._bound) < BINDINGS:
                self._bound[bucket] = routingkit_cch.CCHMetric(self._cch, weights)
            else:
                _, oldest = self._bound.popitem(last=False)
                oldest.reset(weights)
                self._bound[bucket] = oldest
        self._bound.move_to_end(bucket)
        return self._bound[bucket]


@dataclass(frozen=True, slots=True)
class _Hour:
    """The graph in one part of the day."""

    roads: RoadGraph
    bucket: int

    async def matrix(self, points: Sequence[Point]) -> Matrix:
        return await asyncio.to_thread(self.roads.table, points, self.bucket)


class _Ground:
    """Finds the nearest node: nodes sorted by cells as large as the limit, so that nine cells hold all candidates."""

    def __init__(self, graph: Graph) -> None:
        usable = np.flatnonzero(graph.part >= 0)
        self._step = SNAP_M / METRES_PER_DEGREE
        latitude, longitude = graph.arcs.latitude[usable], graph.arcs.longitude[usable]
        rows = np.floor(latitude / self._step).astype(np.int64)
        columns = np.floor(longitude / self._wide(rows)).astype(np.int64)
        keys = rows * 10_000_000 + columns
        sorting = np.argsort(keys, kind="stable")
        self._keys, self._nodes = keys[sorting], usable[sorting]
        self._latitude, self._longitude = latitude[sorting], longitude[sorting]

    def _wide(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """A cell's width in degrees of longitude: at least the limit anywhere in the row and its neighbors."""
        edge = np.minimum(np.maximum(np.abs(rows), np.abs(rows + 1)) * self._step, 89.0)
        found: np.ndarray[tuple[int], np.dtype[np.float64]] = self._step / np.cos(np.radians(edge))
        return found

    def nearest(self, point: Point) -> _Snap | None:
        """The nearest node a car can come from and get to, within the limit."""
        latitude, longitude = point
        best: tuple[float, int] | None = None
        for row in range(int(np.floor(latitude / self._step)) - 1, int(np.floor(latitude / self._step)) + 2):
            column = int(np.floor(longitude / self._wide(np.array([row]))[0]))
            first = np.searchsorted(self._keys, row * 10_000_000 + column - 1, side="left")
            end = np.searchsorted(self._keys, row * 10_000_000 + column + 1, side="right")
            if first == end:
                continue
            north = (self._latitude[first:end] - latitude) * METRES_PER_DEGREE
            east = (self._longitude[first:end] - longitude) * METRES_PER_DEGREE * cos(radians(latitude))
            away = np.hypot(north, east)
            at = int(away.argmin())
            if best is None or away[at] < best[0]:
                best = (float(away[at]), int(self._nodes[first + at]))
        if best is None or best[0] > SNAP_M:
            return None
        return _Snap(best[1], best[0] * 3.6 / LAST_KMH)
