"""Calendars from the `holidays` package: a country and years become the same rows that a calendars file has."""

import re
from datetime import date

import holidays

from app.integrations.imports.refusals import BadCalendarRange
from app.integrations.imports.table import Cell, Row, Table

RANGE = re.compile(r"(?P<country>[A-Z]{2}):(?P<first>\d{4})(-(?P<last>\d{4}))?\Z")
SATURDAY = 5
COLUMNS = ["country", "year", "published", "working_days_off", "make_up_days"]


def is_range(text: str) -> bool:
    """Whether a FILE argument means `CN:2026` or `CN:2015-2027`."""
    return RANGE.match(text) is not None


def calendar_table(text: str, *, today: date) -> Table:
    """The rows for a country's years. Raises BadCalendarRange.

    China's years count as published if the package has the State Council's list of swapped days for them: it fills the
    others by guess. Elsewhere holidays stand in the law, and a year counts as published once it has begun.
    """
    found = RANGE.match(text)
    if found is None or found["country"] not in holidays.list_supported_countries():
        raise BadCalendarRange(given=text)
    first, last = int(found["first"]), int(found["last"] or found["first"])
    if not 1970 <= first <= last <= min(2200, first + 100):
        raise BadCalendarRange(given=text)
    rows = [Row(at, year_of(found["country"], year, today)) for at, year in enumerate(range(first, last + 1), start=2)]
    return Table(COLUMNS, rows)


def year_of(country: str, year: int, today: date) -> dict[str, Cell]:
    """One year as cells: holidays on Mondays to Fridays, and weekend days on which people work.

    The next year is asked too, since a New Year's holiday may make a December weekend a working one.
    """
    days = holidays.country_holidays(country, years=[year, year + 1])
    off = sorted(day for day in days if day.year == year and day.weekday() < SATURDAY)
    make_up = sorted(day for day in getattr(days, "weekend_workdays", ()) if day.year == year)
    known_years = getattr(days, "special_public_holidays", {})
    published = year in known_years if country == "CN" else year <= today.year
    return {
        "country": country,
        "year": str(year),
        "published": "true" if published else "false",
        "working_days_off": ";".join(map(str, off)),
        "make_up_days": ";".join(map(str, make_up)),
    }
