"""Points, matrices of travel times, and how far apart points are in a straight line. Nothing is asked over a wire."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Protocol

import numpy as np

Point = tuple[float, float]
Row = tuple[int, ...]
Pair = tuple[int, int]
Floats = np.ndarray[tuple[int, int], np.dtype[np.float64]]

EARTH_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Matrix:
    """Seconds and metres from each point (row) to each (column); `estimated` when no roads were asked.

    `unknown` are pairs for which no road was found: what stands there means nothing. `metres` is empty where a provider
    tells only times.
    """

    seconds: tuple[Row, ...]
    metres: tuple[Row, ...]
    estimated: bool
    unknown: frozenset[Pair] = field(default=frozenset())


class TravelTimes(Protocol):
    """Anything that knows how long the way takes. Points are (latitude, longitude) in degrees."""

    async def matrix(self, points: Sequence[Point]) -> Matrix:
        """All pairs; raises what its transport raises, the caller falls back (T150)."""
        ...


def wrong_point(point: Point) -> str | None:
    """`not_a_number`, `out_of_range` or `null_island` for coordinates nobody lives at (T152); None when plausible."""
    latitude, longitude = point
    if not (isfinite(latitude) and isfinite(longitude)):
        return "not_a_number"
    if abs(latitude) > 90 or abs(longitude) > 180:
        return "out_of_range"
    return "null_island" if latitude == longitude == 0 else None


def straight_m(points: Sequence[Point], others: Sequence[Point] | None = None) -> Floats:
    """Haversine distances in metres on the mean sphere, from each point to each of the others (or of themselves)."""
    ends = points if others is None else others
    here = np.radians(np.array(points, dtype=np.float64).reshape(-1, 2))
    there = np.radians(np.array(ends, dtype=np.float64).reshape(-1, 2))
    north = np.sin((here[:, None, 0] - there[None, :, 0]) / 2) ** 2
    east = np.sin((here[:, None, 1] - there[None, :, 1]) / 2) ** 2
    share = np.clip(north + np.cos(here[:, None, 0]) * np.cos(there[None, :, 0]) * east, 0, 1)
    distances: Floats = 2 * EARTH_M * np.arcsin(np.sqrt(share))
    return distances


def whole_rows(values: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> tuple[Row, ...]:
    """An array as rows of whole numbers."""
    return tuple(tuple(row) for row in values.astype(np.int64).tolist())
