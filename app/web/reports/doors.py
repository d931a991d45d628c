"""Doors to the report on commitments: the page, and its tables as files. The figures are the API's own."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Stream

from app.accounts.rules import ADMIN, DISPATCHER, FINANCE
from app.core.db import reading
from app.core.errors import FieldError
from app.core.i18n import text
from app.fulfillment.queries import report
from app.fulfillment.queries.report import Asked, CommitmentsOut, Dimension, MissOut, TallyOut
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.reports.views import BY, KIND, month_name, priority_word, report_view
from app.web.sessions import SignedIn
from app.web.sheets import Column, Kind, Sheet, Value
from app.web.tables import saved
from app.web.tables.asked import BadFilter
from app.web.tables.files import ending_of, local, sent, written
from app.web.words import PRIORITY

PAGE = "/reports"
READERS = (ADMIN, FINANCE, DISPATCHER)
FILTERS = ("contract", "area", "part", "priority")
MISSES = 50
HEADS = {
    "month": "Month",
    "group": "Group",
    "lines": "Request lines",
    "two_hour_promised": "promised within 2 hours",
    "two_hour_met": "of these in time",
    "two_hour_hit_rate": "2-hour hit rate",
    "two_hour_coverable": "Lines judged",
    "two_hour_covered": "fitted within 2 hours",
    "two_hour_coverage": "2-hour coverage",
    "national_promised": "promised to be dispatched within 8 hours",
    "national_met": "of these dispatched in time",
    "commitments_met": "commitments met",
    "missed": "not kept",
    "canceled": "called off before due",
    "open": "not due yet",
    "failed_again": "failed again within 90 days",
    "escalated": "told to the managers",
}
MISS_HEADS = {
    "ticket": "Ticket",
    "request": "Request",
    "customer": "Customer",
    "contract": "Contract",
    "area": "Area",
    "site": "Site",
    "priority": "Priority",
    "part_number": "Part",
    "device_serial": "Device",
    "kind": "Promise",
    "due_at": "Due",
    "ended_at": "Done",
    "timezone": "zone",
    "late_s": "Seconds late",
    "why": "Reason",
}


def asked_of(request: Request[Any, Any, Any]) -> tuple[Asked, Dimension]:
    """The filters of an address, and what a month is split by (contract)."""
    given = {name: request.query_params.get(name) or None for name in FILTERS}
    by = request.query_params.get("by") or "contract"
    found = next((one for one in report.DIMENSIONS if one == by), None)
    if found is None or (given["priority"] is not None and given["priority"] not in PRIORITY):
        raise BadFilter(errors=[FieldError("by" if found is None else "priority", "field.bad", {"why": str(by)[:60]})])
    return Asked(**given), found


@get("/reports", opt=signed_in(*READERS), include_in_schema=False)
async def show_report(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    month: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    after: FromQuery[str | None] = None,
) -> Response[Any]:
    """Did we keep our promises? One month in sentences and misses, the months before it beside it."""
    asked, by = asked_of(request)
    now, say = request.app.state.clock.now(), Words(language_of(request))
    chosen = report.month_of(month) if month else None
    async with reading(request.app.state.engine) as db:
        views = await saved.saved_views(db, actor=who.actor, page=PAGE)
        own = None if request.query_params else saved.default_of(views)
        if own is not None:
            return see_other(own.address)
        shared: dict[str, Any] = {"actor": who.actor, "asked": asked, "now": now}
        months = await report.commitments(
            db, **shared, last=newest(chosen, now) if chosen else None, cursor=cursor or None
        )
        if chosen is None and months.items:
            chosen = report.month_of(months.items[0].month)
        groups, late, again, following = CommitmentsOut(by=by, items=[], next=None), list[MissOut](), [], None
        if chosen is not None:
            groups = await report.commitments(db, **shared, by=by, first=chosen, last=chosen)
            late, following = await report.misses(db, **shared, month=chosen, cursor=after or None, limit=MISSES)
            again = await report.failed_again(db, **shared, month=chosen)
    written_month = f"{chosen:%Y-%m}" if chosen else ""
    kept = {"by": by, **{name: value for name, value in asked.binds.items() if value}}
    addresses = {one.month: f"/reports?{urlencode({'month': one.month, **kept})}" for one in months.items}
    view = report_view(months, groups.items, late, again, month=written_month, by=by, href=addresses, say=say)
    links = {
        "earlier": f"/reports?{urlencode({**kept, 'month': written_month, 'cursor': months.next})}"
        if months.next
        else None,
        "more": f"/reports?{urlencode({**kept, 'month': written_month, 'after': following})}" if following else None,
        "query": urlencode(kept),
        "misses": urlencode({**kept, "month": written_month}),
    }
    bys = {one: say(BY[one]) for one in BY}
    priorities = {one: say(PRIORITY[one]) for one in PRIORITY}
    return page(
        request,
        "reports/commitments.html",
        who=who,
        bys=bys,
        priorities=priorities,
        report=view,
        links=links,
        asked=asked,
        saved=saved.Views(page=PAGE, query=links["query"] or "", views=tuple(views)),
    )


def newest(chosen: date, now: datetime) -> date:
    """The months beside a chosen one: up to half a year after it, so that it stands among its neighbors."""
    return min(report.before(chosen, -6), report.newest_month(now))


@get(["/reports.csv", "/reports.xlsx"], opt=signed_in(*READERS), include_in_schema=False)
async def export_report(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Stream:
    """Every month split as on the page, as a file."""
    asked, by = asked_of(request)
    say, now = Words(language_of(request)), request.app.state.clock.now()

    async def rows() -> AsyncIterator[Sequence[Value]]:
        cursor: str | None = None
        while True:
            async with reading(request.app.state.engine) as db:
                found = await report.commitments(db, actor=who.actor, asked=asked, now=now, by=by, cursor=cursor)
            for one in found.items:
                yield [cell(one, name, by, say) for name in HEADS]
            if (cursor := found.next) is None:
                return

    columns = tuple(
        Column(key=name, label=say(BY[by]) if name == "group" else say(HEADS[name]), kind=kind_of(name))
        for name in HEADS
    )
    ending = ending_of(request.url.path)
    return sent(
        await written(Sheet(title=say("Commitments"), columns=columns, rows=rows()), ending), "commitments", ending
    )


@get(["/reports/misses.csv", "/reports/misses.xlsx"], opt=signed_in(*READERS), include_in_schema=False)
async def export_misses(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], month: FromQuery[str]
) -> Stream:
    """A month's misses with their reasons, as a file."""
    asked, _ = asked_of(request)
    say, now, chosen = Words(language_of(request)), request.app.state.clock.now(), report.month_of(month)

    async def rows() -> AsyncIterator[Sequence[Value]]:
        cursor: str | None = None
        while True:
            async with reading(request.app.state.engine) as db:
                found, cursor = await report.misses(
                    db, actor=who.actor, asked=asked, month=chosen, now=now, cursor=cursor, limit=200
                )
            for one in found:
                yield [miss_cell(one, name, say) for name in MISS_HEADS]
            if cursor is None:
                return

    title = say("Misses of {month}", month=month_name(chosen, say))
    columns = tuple(Column(key=name, label=say(MISS_HEADS[name]), kind=kind_of(name), zone=None) for name in MISS_HEADS)
    ending = ending_of(request.url.path)
    return sent(await written(Sheet(title=title, columns=columns, rows=rows()), ending), f"misses-{month}", ending)


def kind_of(name: str) -> Kind:
    """What the cells of a column are."""
    if name in ("month", "group") or (name in MISS_HEADS and name not in ("due_at", "ended_at", "late_s")):
        return "text"
    if name in ("due_at", "ended_at"):
        return "instant"
    return "number" if name in ("two_hour_hit_rate", "two_hour_coverage", "commitments_met") else "whole"


def cell(one: TallyOut, name: str, by: Dimension, say: Words) -> Value:
    value: Value = getattr(one, name)
    return priority_word(one.group, say) if name == "group" and by == "priority" else value


def miss_cell(one: MissOut, name: str, say: Words) -> Value:
    value: Any = getattr(one, name)
    match name:
        case "why":
            return text(one.why, one.why_facts, say.language)
        case "kind":
            return say(KIND[value])
        case "priority":
            return priority_word(value, say)
        case "due_at" | "ended_at":
            return None if value is None else local(value, one.timezone)
        case _:
            return value  # type: ignore[no-any-return]


HANDLERS = [show_report, export_report, export_misses]
