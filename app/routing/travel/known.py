"""Times that were asked before: how a point is named in the cache, this process's memory of it, and a matrix from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from app.routing.travel.matrix import Matrix, Point, whole_rows
from app.routing.travel.straight import GreatCircle

UNASKED, NO_ROAD = -2, -1
MOST_POINTS = 2_000
"""Points in one memory: 16 MB of times."""
BELIEVED = timedelta(hours=1)
"""How long a memory is used before the database is read again: what was asked anew meanwhile shows by then."""
STRAIGHT = GreatCircle()

Grid = np.ndarray[tuple[int, int], np.dtype[np.int32]]


def key_of(point: Point) -> int:
    """A point to five decimals, about a metre, as one number."""
    return round((point[0] + 90) * 100_000) * 2**26 + round((point[1] + 180) * 100_000)


def point_of(key: int) -> Point:
    """The point a number stands for."""
    return round(key // 2**26 / 100_000 - 90, 5), round(key % 2**26 / 100_000 - 180, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInForce:
    """Which source's times are in use, and whether they differ by the hour."""

    id: int
    version: str
    by_hour: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What is known between some points in a part of the day; computes, asks nobody."""

    source: SourceInForce
    bucket: int
    keys: tuple[int, ...]
    grid: Grid = field(compare=False, repr=False)

    @property
    def lacks(self) -> tuple[Point, ...]:
        """The points of pairs that nobody asked for yet."""
        unasked = self.grid == UNASKED
        np.fill_diagonal(unasked, False)
        return tuple(point_of(self.keys[at]) for at in np.flatnonzero(unasked.any(axis=0) | unasked.any(axis=1)))

    def matrix(self, points: Sequence[Point]) -> Matrix:
        """All pairs; those not known are estimated, and then the matrix is marked so."""
        estimate = STRAIGHT.estimate(points)
        at = {key: row for row, key in enumerate(self.keys)}
        keys = [key_of(point) for point in points]
        rows = np.array([at.get(key, -1) for key in keys], dtype=np.int64)
        if not len(rows) or not self.keys:
            return estimate
        found = self.grid[np.ix_(rows, rows)]
        found[rows < 0, :] = UNASKED
        found[:, rows < 0] = UNASKED
        found[np.equal.outer(np.array(keys), np.array(keys))] = 0
        if (found >= 0).all():
            return Matrix(whole_rows(found.astype(np.float64)), (), estimated=False)
        seconds = np.where(found >= 0, found, np.array(estimate.seconds)).astype(np.float64)
        return Matrix(whole_rows(seconds), (), estimated=True)


class Memory:
    """The times of one source in one part of the day, as one square that grows; emptied when it is full or old."""

    def __init__(self, now: datetime) -> None:
        self._since = now
        self._rows: dict[int, int] = {}
        self._grid: Grid = np.full((64, 64), UNASKED, dtype=np.int32)

    def of(self, keys: Sequence[int], now: datetime) -> Grid:
        """What is known between some points, as a square of their own."""
        if not self._since <= now < self._since + BELIEVED:
            self._since, self._rows = now, {}
            self._grid.fill(UNASKED)
        rows = self._placed(keys)
        found: Grid = self._grid[np.ix_(rows, rows)]
        np.fill_diagonal(found, 0)
        return found

    def put(self, cells: Iterable[tuple[int, int, int | None]]) -> None:
        """Remember (from, to, seconds); None for no road."""
        kept = list(cells)
        keys = {key for a, b, _ in kept for key in (a, b)}
        self._placed(sorted(keys))
        rows, grid = self._rows, self._grid
        for a, b, seconds in kept:
            grid[rows[a], rows[b]] = NO_ROAD if seconds is None else seconds

    def _placed(self, keys: Sequence[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The rows of some points, which are given one if they have none."""
        new = [key for key in keys if key not in self._rows]
        if new and len(self._rows) + len(new) > max(MOST_POINTS, len(keys)):
            self._rows = {}
            self._grid.fill(UNASKED)
            new = list(keys)
        for key in new:
            self._rows[key] = len(self._rows)
        if len(self._rows) > len(self._grid):
            size = max(len(self._rows), 2 * len(self._grid))
            larger: Grid = np.full((size, size), UNASKED, dtype=np.int32)
            larger[: len(self._grid), : len(self._grid)] = self._grid
            self._grid = larger
        return np.array([self._rows[key] for key in keys], dtype=np.int64)
