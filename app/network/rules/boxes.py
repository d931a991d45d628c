"""Whether coordinates can be where they are said to be: against a box around the country of the time zone (T152)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Doubt = Literal["zero", "swapped", "outside"]


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees; generous, since it only has to find what is far off."""

    south: float
    west: float
    north: float
    east: float

    def holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


CHINA = Box(3.0, 73.0, 54.0, 136.0)
BOXES: Mapping[str, Box] = {
    "Asia/Shanghai": CHINA,
    "Asia/Urumqi": CHINA,
    "Asia/Chongqing": CHINA,
    "Asia/Harbin": CHINA,
    "Asia/Kashgar": CHINA,
    "PRC": CHINA,
    "Asia/Hong_Kong": Box(22.0, 113.7, 22.7, 114.6),
    "Asia/Macau": Box(22.0, 113.4, 22.3, 113.7),
    "Asia/Taipei": Box(21.5, 118.0, 26.5, 122.5),
    "Asia/Singapore": Box(1.1, 103.5, 1.6, 104.5),
    "Asia/Tokyo": Box(20.0, 122.0, 46.0, 154.0),
    "Asia/Seoul": Box(33.0, 124.0, 39.0, 132.0),
    "Asia/Bangkok": Box(5.0, 97.0, 21.0, 106.0),
    "Asia/Ho_Chi_Minh": Box(8.0, 102.0, 24.0, 110.0),
    "Asia/Ulaanbaatar": Box(41.0, 87.0, 53.0, 120.0),
    "Asia/Almaty": Box(40.0, 46.0, 56.0, 88.0),
}
"""Zones whose country is known. Elsewhere only 0, 0 is doubted."""


def doubt_of(latitude: float, longitude: float, zone: str) -> Doubt | None:
    """What is wrong with the look of a pair of coordinates, if anything; it may be right all the same."""
    if abs(latitude) < 0.01 and abs(longitude) < 0.01:
        return "zero"
    box = BOXES.get(zone)
    if box is None or box.holds(latitude, longitude):
        return None
    return "swapped" if box.holds(longitude, latitude) else "outside"
