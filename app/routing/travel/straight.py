"""Travel times without roads: the great circle x a road factor, always marked as estimated (R5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from app.routing.travel.matrix import Matrix, Point, straight_m, whole_rows, wrong_point

SAME_PLACE_M = 25.0


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


@lru_cache(maxsize=64)
def _estimated(points: tuple[Point, ...], road_factor: float, bands: tuple[SpeedBand, ...]) -> Matrix:
    for point in points:
        if wrong_point(point) in ("not_a_number", "out_of_range"):
            raise ValueError(f"no such coordinates: {point}")
    if not points:
        return Matrix((), (), estimated=True)
    straight = straight_m(points)
    metres = np.where(straight < SAME_PLACE_M, 0.0, straight * road_factor)
    seconds = np.zeros_like(metres)
    below = 0.0
    for band in bands:
        seconds += np.clip(metres - below, 0, band.up_to_m - below) / (band.kmh / 3.6)
        below = band.up_to_m
    return Matrix(whole_rows(np.ceil(seconds)), whole_rows(np.rint(metres)), estimated=True)
