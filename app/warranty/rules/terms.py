"""What was promised and the dates that follow from it: terms, last days, roll-over, payer layers, return windows.

Civil dates only; which date an instant has at a site is coverage's business.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any, Literal, Self

Payer = Literal["oem", "oem_service", "vendor"]
RestartScope = Literal["part", "device"]

MONTHS_LIMIT = 600
ANCHOR_YEARS = (1970, 2100)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The warranty side of a contract's terms, as frozen into a device (W1)."""

    months: int = 36
    oem_months: int = 24
    oem_service_months: int = 12
    restart_scope: RestartScope = "part"
    restart_after_expiry: bool = True
    holiday_rollover: bool = False
    doa_days: int | None = None
    return_days: int = 15
    calendar: str = "CN"

    @classmethod
    def of(cls, promised: Mapping[str, Any]) -> Self:
        """The warranty terms among a contract's terms; left out ones take their default, others are ignored."""
        return cls(**{f.name: promised[f.name] for f in fields(cls) if f.name in promised})

    def plain(self) -> dict[str, Any]:
        """JSON values, for storing with a device or a verdict."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Working days of a country: weekends are off but for make-up days; `published` says which years are certain."""

    country: str
    version: str
    published: frozenset[int] = frozenset()
    days_off: frozenset[date] = frozenset()
    make_up_days: frozenset[date] = frozenset()

    def is_off(self, day: date) -> bool:
        """A weekend or holiday that was not made a working day (State Council notices)."""
        if day in self.make_up_days:
            return False
        return day in self.days_off or day.weekday() >= 5

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """From `plain()`."""
        return cls(
            country=plain["country"],
            version=plain["version"],
            published=frozenset(plain["published"]),
            days_off=frozenset(map(date.fromisoformat, plain["days_off"])),
            make_up_days=frozenset(map(date.fromisoformat, plain["make_up_days"])),
        )

    def plain(self) -> dict[str, Any]:
        """JSON values in a fixed order."""
        return {
            "country": self.country,
            "version": self.version,
            "published": sorted(self.published),
            "days_off": [day.isoformat() for day in sorted(self.days_off)],
            "make_up_days": [day.isoformat() for day in sorted(self.make_up_days)],
        }


@dataclass(frozen=True, slots=True)
class Rolled:
    """A last day after roll-over; provisional when a year it needed is not published yet."""

    day: date
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """Days on which one payer pays, both inclusive (W9)."""

    payer: Payer
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class ReturnWindow:
    """Goods may be returned without a reason up to and including `last_day` (W8b)."""

    last_day: date
    open: bool = field(default=False)


def last_day(anchor: date, months: int) -> date:
    """Last covered day (W2): the day of the final month that corresponds to the anchor, or that month's last day.

    PRC Civil Code art. 201-202. Computed from the anchor with the total of months, never from an end already clipped.
    """
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def roll(day: date, calendar: Calendar | None) -> Rolled:
    """Move a last day to the next working day (W2, PRC Civil Code art. 203).

    A day of a year that is not published stays, marked provisional; so does one whose holiday runs into such a year.
    """
    moved = day
    while True:
        if calendar is None or moved.year not in calendar.published:
            return Rolled(day, provisional=True)
        if not calendar.is_off(moved):
            return Rolled(moved)
        moved += DAY


def final_day(anchor: date, months: int, terms: Terms, calendar: Calendar | None) -> Rolled:
    """The effective last day of a term (W2): corresponding day, rolled over only where the terms say so."""
    nominal = last_day(anchor, months)
    return roll(nominal, calendar) if terms.holiday_rollover else Rolled(nominal)


def layers(anchor: date, terms: Terms, oem_last_day: date | None = None) -> tuple[Layer, ...]:
    """Who pays on which days from the acceptance on (W9), in order of precedence; vendor pays on every other day.

    Layers are cut at `months`; a day after `oem_last_day` that no bought service covers is the vendor's.
    """
    oem_end = last_day(anchor, min(terms.oem_months, terms.months)) if terms.oem_months else anchor
    service_months = min(terms.oem_months + terms.oem_service_months, terms.months)
    service_end = last_day(anchor, service_months) if service_months else anchor
    oem_paid = oem_end if oem_last_day is None else min(oem_end, oem_last_day)
    candidates = (Layer("oem", anchor + DAY, oem_paid), Layer("oem_service", oem_end + DAY, service_end))
    return tuple(layer for layer in candidates if layer.first <= layer.last)


def payer_on(day: date, paid: tuple[Layer, ...]) -> Payer:
    """The first of oem, oem_service, vendor whose layer holds the day (W9)."""
    return next((layer.payer for layer in paid if layer.first <= day <= layer.last), "vendor")


def return_window(delivered_on: date, asked_on: date, terms: Terms) -> ReturnWindow:
    """W8b: complete goods may go back within `return_days` of delivery, the delivery day not counted."""
    last = delivered_on + timedelta(days=terms.return_days)
    return ReturnWindow(last, delivered_on <= asked_on <= last)


def opened_box_holds(delivered_on: date | None, found_on: date, terms: Terms) -> bool:
    """W8a has no day limit unless `doa_days` is set; then the delivery day is not counted."""
    if terms.doa_days is None or delivered_on is None:
        return True
    return found_on <= delivered_on + timedelta(days=terms.doa_days)
