"""Doors to calendars: each country's years, a year at a glance, and importing years, with what changes because of them."""

from calendar import Calendar as Weeks
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.core.db import reading
from app.core.errors import Refusal
from app.core.types import EARLIEST, LATEST
from app.integrations.imports.holiday_years import calendar_table
from app.network import queries, service
from app.web.admin.filled import Filled, standing, typed
from app.web.admin.rolling import Year, known_years, rolled_by, versions_of, with_years
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn

AnyRequest = Request[Any, Any, Any]
MONTHS = {
    "1": "January",
    "2": "February",
    "3": "March",
    "4": "April",
    "5": "May",
    "6": "June",
    "7": "July",
    "8": "August",
    "9": "September",
    "10": "October",
    "11": "November",
    "12": "December",
}
LETTERS = {"0": "Mo", "1": "Tu", "2": "We", "3": "Th", "4": "Fr", "5": "Sa", "6": "Su"}
COUNTRIES = ("CN", "HK", "MO", "TW", "SG", "JP", "KR", "TH", "VN", "DE", "GB", "US")


@dataclass(frozen=True, slots=True)
class DayView:
    """A day of a month: its number and what it is: `off`, `work` (a weekend day worked), `rest` (a weekend), or plain."""

    number: int
    sort: str
    title: str


@dataclass(frozen=True, slots=True)
class MonthView:
    name: str
    weeks: tuple[tuple[DayView | None, ...], ...]


def year_view(year: Year, say: Words) -> tuple[MonthView, ...]:
    """Twelve months of weeks that begin on Monday."""
    made = []
    for month in range(1, 13):
        weeks = tuple(
            tuple(day_view(day, year, say) if day.month == month else None for day in week)
            for week in Weeks().monthdatescalendar(year.year, month)
        )
        made.append(MonthView(say(MONTHS[str(month)]), weeks))
    return tuple(made)


def day_view(day: date, year: Year, say: Words) -> DayView:
    if day in year.working_days_off:
        return DayView(day.day, "off", say("{day}: day off", day=day))
    if day in year.make_up_days:
        return DayView(day.day, "worked", say("{day}: worked, though a weekend", day=day))
    return DayView(day.day, "rest" if day.weekday() >= 5 else "", "")


@get("/admin/calendars", opt=signed_in(ADMIN), include_in_schema=False)
async def list_calendars(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """Each country's years."""
    year = request.app.state.clock.now().year
    return await calendars_page(request, who, standing(country="CN", first=year, last=year + 1))


async def calendars_page(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[str]:
    async with reading(request.app.state.engine) as db:
        years = await known_years(db)
    codes = sorted({one.country for one in years})
    countries = tuple((code, tuple(one for one in years if one.country == code)) for code in codes)
    offered = tuple((one, one) for one in sorted({*COUNTRIES, *codes}))
    return page(
        request,
        "admin/calendars.html",
        status=filled.status,
        who=who,
        f=filled,
        countries=countries,
        offered=offered,
    )


@get("/admin/calendars/{country:str}/{year:int}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_calendar(
    request: AnyRequest, who: NamedDependency[SignedIn], country: FromPath[str], year: FromPath[int]
) -> Response[Any]:
    """A year at a glance: days off, weekend days worked, its versions, and the warranties that roll over in it."""
    say = Words(language_of(request))
    if not EARLIEST <= year <= LATEST:
        raise queries.NoSuchCalendar(key=f"{country} {year}")
    async with reading(request.app.state.engine) as db:
        found = await queries.calendar(db, country=country, year=year)
        years = [one for one in await known_years(db) if one.country == country]
        versions = await versions_of(db, country=country, year=year)
        rolled = await rolled_by(db, actor=who.actor, country=country, years=[year], before=years, after=years)
    shown = Year.of(found)
    return page(
        request,
        "admin/calendar.html",
        who=who,
        year=shown,
        months=year_view(shown, say),
        letters=tuple(say(LETTERS[str(at)]) for at in range(7)),
        versions=versions,
        rolled=rolled,
        around=[one.year for one in years],
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What importing a year would change: days that become off or worked, or no longer are, and whether it is certain."""

    year: Year
    known: Year | None
    more_off: tuple[date, ...]
    less_off: tuple[date, ...]
    more_work: tuple[date, ...]
    less_work: tuple[date, ...]

    @property
    def same(self) -> bool:
        return self.known is not None and (
            self.known.published == self.year.published
            and not (self.more_off or self.less_off or self.more_work or self.less_work)
        )


def change_of(year: Year, known: Year | None) -> Change:
    off, work = (known.working_days_off, known.make_up_days) if known else (frozenset[date](), frozenset[date]())
    return Change(
        year=year,
        known=known,
        more_off=tuple(sorted(year.working_days_off - off)),
        less_off=tuple(sorted(off - year.working_days_off)),
        more_work=tuple(sorted(year.make_up_days - work)),
        less_work=tuple(sorted(work - year.make_up_days)),
    )


def offered_years(country: str, first: str, last: str, today: date) -> list[Year]:
    """The years as the `holidays` package has them. Raises BadCalendarRange."""
    table = calendar_table(f"{country}:{first}-{last}" if last else f"{country}:{first}", today=today)
    return [Year.of_cells(row.cells) for row in table.rows]


@get("/admin/calendars/import", opt=signed_in(ADMIN), include_in_schema=False)
async def preview_import(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """What importing years would change, before anything is."""
    asked = request.query_params
    now = request.app.state.clock.now()
    this = str(now.year)
    country, first, last = asked.get("country") or "CN", asked.get("first") or this, asked.get("last") or this
    try:
        years = offered_years(country, first, last, now.date())
    except Refusal as refused:
        filled = typed(request, Form((("country", country), ("first", first), ("last", last)), {}), refused)
        return await calendars_page(request, who, filled)
    async with reading(request.app.state.engine) as db:
        known = [one for one in await known_years(db) if one.country == country]
        by_year = {one.year: one for one in known}
        rolled = await rolled_by(
            db,
            actor=who.actor,
            country=country,
            years=[one.year for one in years],
            before=known,
            after=with_years(known, years),
        )
    changes = tuple(change_of(one, by_year.get(one.year)) for one in years)
    return page(
        request,
        "admin/calendar_import.html",
        who=who,
        country=country,
        first=first,
        last=last,
        changes=changes,
        rolled=[one for one in rolled if one.differs],
        anything=any(not one.same for one in changes),
    )


@post("/admin/calendars/import", opt=signed_in(ADMIN), include_in_schema=False)
async def import_years(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Record the years that differ; each is a new version, and warranties that roll over are reckoned anew."""
    country = form.text("country") or ""
    try:
        years = offered_years(country, form.text("first") or "", form.text("last") or "", call.now.date())
    except Refusal as refused:
        return await calendars_page(request, who, typed(request, form, refused))

    async def record(db: AsyncConnection) -> list[int]:
        known = {one.year: one for one in await known_years(db) if one.country == country}
        fresh = [one for one in years if not change_of(one, known.get(one.year)).same]
        for one in fresh:
            await service.add_calendar(db, actor=call.actor, new=one.wire(), now=call.now)
        return [one.year for one in fresh]

    made: Sequence[int] = await call.act(record, list[int])
    say = Words(call.language)
    told = (
        say(
            "Recorded: {country} {years}. Warranties that roll over are reckoned anew in a few minutes.",
            country=country,
            years=list(made),
        )
        if made
        else say("These years stand so already.")
    )
    return see_other("/admin/calendars", request, say=told)


HANDLERS = [list_calendars, show_calendar, preview_import, import_years]
