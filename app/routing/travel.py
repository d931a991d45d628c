"""Travel times between points from a pluggable provider (R5): the interface, the fallback without roads, both together.

No HTTP: servers of road times are integrations that satisfy `TravelTimes`.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from typing import Protocol

import numpy as np

Point = tuple[float, float]
Row = tuple[int, ...]

log = logging.getLogger(__name__)

EARTH_M = 6_371_008.8
SAME_PLACE_M = 25.0


@dataclass(frozen=True, slots=True)
class Matrix:
    """Seconds and metres from each point (row) to each (column); `estimated` when no roads were asked."""

    seconds: tuple[Row, ...]
    metres: tuple[Row, ...]
    estimated: bool


class TravelTimes(Protocol):
    """Anything that knows how long the way takes. Points are (latitude, longitude) in degrees."""

    async def matrix(self, points: Sequence[Point]) -> Matrix:
        """All pairs; raises what its transport raises, the caller falls back (T150)."""
        ...


@dataclass(frozen=True, slots=True)
class SpeedBand:
    """Average speed on trips whose road length is up to `up_to_m`."""

    up_to_m: float
    kmh: float


BANDS = (SpeedBand(15_000, 30.0), SpeedBand(60_000, 60.0), SpeedBand(float("inf"), 80.0))


@dataclass(frozen=True, slots=True)
class GreatCircle:
    """Great-circle distance x road factor at a speed by distance: city, regional, highway [house]. Always estimated.

    A trip is the sum of its bands (the first 15 km in the city, the next 45 regional …), so that longer never is
    faster. Points nearer than 25 m are one place: 0 s.
    """

    road_factor: float = 1.35
    bands: tuple[SpeedBand, ...] = BANDS

    async def matrix(self, points: Sequence[Point]) -> Matrix:
        """All pairs, symmetric; raises ValueError for a coordinate out of range (T152)."""
        return self.estimate(points)

    def estimate(self, points: Sequence[Point]) -> Matrix:
        """The same without waiting: nothing is asked over a wire."""
        return _estimated(tuple((float(lat), float(lon)) for lat, lon in points), self.road_factor, self.bands)


@dataclass(frozen=True, slots=True)
class Steady:
    """A provider that always answers: the primary's matrix within `limit_s`, else the fallback's (T150).

    The primary may be slow, down or wrong; the answer's `estimated` says which one it is.
    """

    primary: TravelTimes
    fallback: GreatCircle = field(default_factory=GreatCircle)
    limit_s: float = 2.0

    async def matrix(self, points: Sequence[Point]) -> Matrix:
        """All pairs, by roads if possible; raises ValueError only for impossible coordinates (T152)."""
        estimate = self.fallback.estimate(points)
        try:
            async with asyncio.timeout(self.limit_s):
                found = await self.primary.matrix(points)
        except Exception as failed:  # whatever a transport raises: a plan must not be lost for it
            log.warning("travel times are estimated: %s: %s", type(failed).__name__, failed)
            return estimate
        wrong = implausible(found, points)
        if wrong is not None:
            log.warning("travel times are estimated: the answer is %s", wrong)
            return estimate
        return found


def wrong_point(point: Point) -> str | None:
    """`not_a_number`, `out_of_range` or `null_island` for coordinates nobody lives at (T152); None when plausible."""
    latitude, longitude = point
    if not (isfinite(latitude) and isfinite(longitude)):
        return "not_a_number"
    if abs(latitude) > 90 or abs(longitude) > 180:
        return "out_of_range"
    return "null_island" if latitude == longitude == 0 else None


def implausible(matrix: Matrix, points: Sequence[Point]) -> str | None:
    """Why an answer of a road server cannot be true (T150), or None: `shape`, `negative`, `all_zero`, `too_fast`.

    Compared with the great circle: zeros between distant points come from swapped coordinates; nobody drives faster
    than 200 km/h in a straight line.
    """
    size = len(points)
    if len(matrix.seconds) != size or any(len(row) != size for row in matrix.seconds):
        return "shape"
    seconds = np.array(matrix.seconds, dtype=np.int64).reshape(size, size)
    if (seconds < 0).any():
        return "negative"
    straight = _straight_m(points)
    far = straight > 1_000
    if far.any() and not seconds[far].any():
        return "all_zero"
    return "too_fast" if (straight[far] > (seconds[far] + 30) * (200 / 3.6)).any() else None


@lru_cache(maxsize=64)
def _estimated(points: tuple[Point, ...], road_factor: float, bands: tuple[SpeedBand, ...]) -> Matrix:
    for point in points:
        if wrong_point(point) in ("not_a_number", "out_of_range"):
            raise ValueError(f"no such coordinates: {point}")
    if not points:
        return Matrix((), (), estimated=True)
    straight = _straight_m(points)
    metres = np.where(straight < SAME_PLACE_M, 0.0, straight * road_factor)
    seconds = np.zeros_like(metres)
    below = 0.0
    for band in bands:
        seconds += np.clip(metres - below, 0, band.up_to_m - below) / (band.kmh / 3.6)
        below = band.up_to_m
    return Matrix(_rows(np.ceil(seconds)), _rows(np.rint(metres)), estimated=True)


def _straight_m(points: Sequence[Point]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Haversine distances in metres on the mean sphere."""
    degrees = np.array(points, dtype=np.float64).reshape(-1, 2)
    latitude, longitude = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
    north = np.sin((latitude[:, None] - latitude[None, :]) / 2) ** 2
    east = np.sin((longitude[:, None] - longitude[None, :]) / 2) ** 2
    share = np.clip(north + np.cos(latitude)[:, None] * np.cos(latitude)[None, :] * east, 0, 1)
    distances: np.ndarray[tuple[int, int], np.dtype[np.float64]] = 2 * EARTH_M * np.arcsin(np.sqrt(share))
    return distances


def _rows(values: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> tuple[Row, ...]:
    return tuple(tuple(row) for row in values.astype(np.int64).tolist())
