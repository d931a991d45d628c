"""Dates, repeatable chance and CSV cells for the demo generator. No facts of the network live here."""

import csv
import hashlib
import json
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any, TypeVar

TODAY = date(2026, 11, 22)
LAST_EVENT_DAY = date(2026, 11, 20)
OFFSET_HOURS = {"Asia/Shanghai": 8, "Asia/Urumqi": 6}

Row = dict[str, Any]
T = TypeVar("T")


class Chance:
    """Repeatable draws; only a hash is used, so every Python version writes the same files."""

    def __init__(self, seed: str) -> None:
        self.seed, self.count = seed, 0

    def unit(self) -> float:
        """A number in [0, 1)."""
        self.count += 1
        digest = hashlib.sha256(f"{self.seed}:{self.count}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / (1 << 48)

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.unit() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return options[int(self.unit() * len(options))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """One of the keys, by weight."""
        left = self.unit() * sum(weights.values())
        for option, weight in weights.items():
            left -= weight
            if left < 0:
                return option
        return list(weights)[-1]

    def day(self, first: date, last: date) -> date:
        """A day, both ends included."""
        return first + timedelta(days=self.between(0, (last - first).days))


def last_day(anchor: date, months: int) -> date:
    """W2: the corresponding day of the final month, or that month's last day."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def instant(day: date, clock: str, zone: str = "Asia/Shanghai") -> datetime:
    """The aware moment of a wall clock `HH:MM` in a zone of the demo (none of them shifts its clocks)."""
    hour, minute = map(int, clock.split(":"))
    offset = timezone(timedelta(hours=OFFSET_HOURS[zone]))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=offset)


def kilometers(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance of two (latitude, longitude) points."""
    lat_a, lon_a, lat_b, lon_b = map(radians, (*a, *b))
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6371 * asin(sqrt(half))


def as_json(value: Any) -> str:
    """Compact JSON text for one cell, Chinese kept readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def cell(value: Any) -> str:
    """One CSV cell: empty for None, lists joined by `;`, objects as JSON text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case dict():
            return as_json(value)
        case list() | tuple():
            nested = any(isinstance(item, dict | list) for item in value)
            return as_json(value) if nested else ";".join(str(item) for item in value)
        case _:
            return str(value)


def write_sheet(path: Path, fields: Sequence[str], rows: Iterable[Row]) -> int:
    """Writes the rows as UTF-8 without BOM, LF line ends; returns how many. A field no column takes is an error."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(fields)
        for row in rows:
            if stray := set(row) - set(fields):
                raise ValueError(f"{path.name}: no column for {sorted(stray)}")
            writer.writerow([cell(row.get(field)) for field in fields])
            count += 1
    return count
