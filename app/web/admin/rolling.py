"""Years of a calendar as values, and which warranties' last days roll over in them (W2), by the warranty's own rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any, Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.network.schemas import CalendarIn
from app.warranty.queries.facts import calendar_of
from app.warranty.rules.terms import Calendar, Terms, last_day, roll

KNOWN = text("""
    SELECT DISTINCT ON (country, year) country, year, version, published, working_days_off, make_up_days, recorded_at
    FROM calendar_version ORDER BY country, year, version DESC
""")
VERSIONS = text("""
    SELECT version, published, cardinality(working_days_off) AS days_off, cardinality(make_up_days) AS make_up,
        recorded_at
    FROM calendar_version WHERE country = :country AND year = :year ORDER BY version DESC
""")
ROLLING = text("""
    SELECT i.contract, i.accepted_on, i.terms, count(*) AS devices FROM installation i
    WHERE i.terms -> 'holiday_rollover' = 'true' AND i.accepted_on IS NOT NULL
      AND coalesce(i.terms ->> 'calendar', 'CN') = :country
      AND (CAST(:scope_customers AS text[]) IS NULL OR i.customer = ANY(CAST(:scope_customers AS text[])))
    GROUP BY i.contract, i.accepted_on, i.terms ORDER BY i.contract, i.accepted_on
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """One country's year: which weekdays are off and which weekend days are worked."""

    country: str
    year: int
    published: bool
    working_days_off: frozenset[date]
    make_up_days: frozenset[date]
    version: int = 0

    @classmethod
    def of(cls, row: Any) -> Self:
        """From a row or an answer of the API."""
        return cls(
            country=row.country,
            year=row.year,
            published=row.published,
            working_days_off=frozenset(row.working_days_off),
            make_up_days=frozenset(row.make_up_days),
            version=row.version,
        )

    @classmethod
    def of_cells(cls, cells: Mapping[str, Any]) -> Self:
        """From the cells of a calendars file."""
        return cls(
            country=str(cells["country"]),
            year=int(str(cells["year"])),
            published=cells["published"] == "true",
            working_days_off=_days(str(cells["working_days_off"])),
            make_up_days=_days(str(cells["make_up_days"])),
        )

    def wire(self) -> CalendarIn:
        return CalendarIn(
            country=self.country,
            year=self.year,
            published=self.published,
            working_days_off=sorted(self.working_days_off),
            make_up_days=sorted(self.make_up_days),
        )


def _days(cell: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(one) for one in cell.split(";") if one)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledEnd:
    """A contract's devices of one acceptance day: the nominal last day, and where it rolls by two calendars."""

    contract: str
    devices: int
    nominal: date
    before: date
    after: date
    before_open: bool
    after_open: bool

    @property
    def differs(self) -> bool:
        return (self.before, self.before_open) != (self.after, self.after_open)


async def known_years(db: AsyncConnection) -> list[Year]:
    """The newest version of every year."""
    return [Year.of(row) for row in await db.execute(KNOWN)]


async def versions_of(db: AsyncConnection, *, country: str, year: int) -> Sequence[Any]:
    """Every version of a year, the newest first; earlier ones stay, since verdicts rest on them."""
    return (await db.execute(VERSIONS, {"country": country, "year": year})).all()


def with_years(known: Iterable[Year], fresh: Iterable[Year]) -> list[Year]:
    """The years as they would be known after an import."""
    by_year = {one.year: one for one in known} | {one.year: one for one in fresh}
    return [by_year[year] for year in sorted(by_year)]


def calendar_from(country: str, years: Sequence[Year]) -> Calendar:
    return calendar_of(country, [SimpleNamespace(**_plain(one)) for one in years])


def _plain(one: Year) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("year", "version", "published", "working_days_off", "make_up_days")}


async def rolled_by(
    db: AsyncConnection,
    *,
    actor: Actor,
    country: str,
    years: Sequence[int],
    before: Sequence[Year],
    after: Sequence[Year],
) -> list[RolledEnd]:
    """The warranties whose nominal last day lies in some years, rolled over by the calendar before and after."""
    first, second = calendar_from(country, before), calendar_from(country, after)
    found = []
    for row in await db.execute(ROLLING, {**actor.scope, "country": country}):
        nominal = last_day(row.accepted_on, Terms.of(row.terms).months)
        if nominal.year not in years:
            continue
        was, becomes = roll(nominal, first), roll(nominal, second)
        found.append(
            RolledEnd(
                contract=row.contract,
                devices=row.devices,
                nominal=nominal,
                before=was.day,
                after=becomes.day,
                before_open=was.provisional,
                after_open=becomes.provisional,
            )
        )
    return found
