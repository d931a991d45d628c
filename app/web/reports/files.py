"""The report's tables as files: each exactly as the page shows it, all rows, in the same order."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.response import Stream

from app.core.db import reading
from app.core.i18n import text
from app.fulfillment.queries import report
from app.fulfillment.queries.report import AgainOut, MissOut, TallyOut
from app.web.frame import signed_in
from app.web.render import Words, language_of
from app.web.reports.asked import MISSES, MONTHS, REPEATED, Shown, group_sorting, shown_by
from app.web.reports.doors import READERS
from app.web.reports.views import BY, KIND, month_name, priority_word
from app.web.sessions import SignedIn
from app.web.sheets import Column, Kind, Sheet, Value
from app.web.tables.files import ending_of, local, sent, written

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
AGAIN_HEADS = {
    "ticket": "Ticket",
    "request": "Request",
    "customer": "Customer",
    "device_serial": "Device",
    "position": "Position",
    "part_number": "Part",
    "failed_at": "Failed",
    "timezone": "zone",
    "days": "Days after",
    "earlier_ticket": "Ticket of the repair before",
    "earlier_request": "Repair before",
}
TEXTS = {*MISS_HEADS, *AGAIN_HEADS, "month", "group"} - {"due_at", "ended_at", "failed_at", "late_s", "days"}


@get(["/reports.csv", "/reports.xlsx"], opt=signed_in(*READERS), include_in_schema=False)
async def export_report(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Stream:
    """Every month split as on the page, newest first; within a month the groups in their order."""
    shown, say = shown_by(request), Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        found = await report.every_month(db, **asking(request, who, shown), by=shown.by)
    sorting, order = group_sorting(shown.by), shown.orders["sort_groups"]
    ordered = [
        one
        for month in dict.fromkeys(one.month for one in found)
        for one in sorting.sort([other for other in found if other.month == month], order)
    ]
    rows = [[cell(one, name, shown, say) for name in HEADS] for one in ordered]
    return await file(request, say("Commitments"), tally_heads(shown, say), rows, "commitments")


@get(["/reports/months.csv", "/reports/months.xlsx"], opt=signed_in(*READERS), include_in_schema=False)
async def export_months(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Stream:
    """Month by month."""
    shown, say = shown_by(request), Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        found = await report.every_month(db, **asking(request, who, shown))
    heads = {name: label for name, label in tally_heads(shown, say).items() if name != "group"}
    ordered = MONTHS.sort(found, shown.orders["sort_months"])
    rows = [[cell(one, name, shown, say) for name in heads] for one in ordered]
    return await file(request, say("Month by month"), heads, rows, "months")


@get(["/reports/groups.csv", "/reports/groups.xlsx"], opt=signed_in(*READERS), include_in_schema=False)
async def export_groups(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Stream:
    """A month, split as on the page."""
    shown, say = shown_by(request), Words(language_of(request))
    chosen = report.month_of(shown.month)
    async with reading(request.app.state.engine) as db:
        found = await report.commitments(db, **asking(request, who, shown), by=shown.by, first=chosen, last=chosen)
    ordered = group_sorting(shown.by).sort(found.items, shown.orders["sort_groups"])
    rows = [[cell(one, name, shown, say) for name in HEADS] for one in ordered]
    return await file(request, month_name(chosen, say), tally_heads(shown, say), rows, f"commitments-{shown.month}")


@get(["/reports/misses.csv", "/reports/misses.xlsx"], opt=signed_in(*READERS), include_in_schema=False)
async def export_misses(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Stream:
    """A month's misses with their reasons."""
    shown, say = shown_by(request), Words(language_of(request))
    chosen = report.month_of(shown.month)
    async with reading(request.app.state.engine) as db:
        found = await report.all_misses(db, **asking(request, who, shown), month=chosen)
    ordered = MISSES.sort(found, shown.orders["sort_misses"])
    rows = [[miss_cell(one, name, say) for name in MISS_HEADS] for one in ordered]
    title = say("Misses of {month}", month=month_name(chosen, say))
    return await file(
        request, title, {name: say(MISS_HEADS[name]) for name in MISS_HEADS}, rows, f"misses-{shown.month}"
    )


@get(["/reports/again.csv", "/reports/again.xlsx"], opt=signed_in(*READERS), include_in_schema=False)
async def export_again(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Stream:
    """A month's positions that failed again, each beside the repair before."""
    shown, say = shown_by(request), Words(language_of(request))
    chosen = report.month_of(shown.month)
    async with reading(request.app.state.engine) as db:
        found = await report.failed_again(db, **asking(request, who, shown), month=chosen)
    ordered = REPEATED.sort(found, shown.orders["sort_again"])
    rows = [[again_cell(one, name) for name in AGAIN_HEADS] for one in ordered]
    title = say("Failed again within 90 days of the repair")
    return await file(
        request, title, {name: say(AGAIN_HEADS[name]) for name in AGAIN_HEADS}, rows, f"failed-again-{shown.month}"
    )


def asking(request: Request[Any, Any, Any], who: SignedIn, shown: Shown) -> dict[str, Any]:
    return {"actor": who.actor, "asked": shown.asked, "now": request.app.state.clock.now()}


async def file(
    request: Request[Any, Any, Any], title: str, heads: Mapping[str, str], rows: Sequence[Sequence[Value]], name: str
) -> Stream:
    """Finished rows as the file that the address ends in."""
    columns = tuple(Column(key=key, label=label, kind=kind_of(key), zone=None) for key, label in heads.items())
    ending = ending_of(request.url.path)
    return sent(await written(Sheet(title=title, columns=columns, rows=one_by_one(rows)), ending), name, ending)


async def one_by_one(rows: Sequence[Sequence[Value]]) -> AsyncIterator[Sequence[Value]]:
    for row in rows:
        yield row


def tally_heads(shown: Shown, say: Words) -> dict[str, str]:
    return {name: say(BY[shown.by]) if name == "group" else say(HEADS[name]) for name in HEADS}


def kind_of(name: str) -> Kind:
    """What the cells of a column are."""
    if name in TEXTS:
        return "text"
    if name in ("due_at", "ended_at", "failed_at"):
        return "instant"
    return "number" if name in ("two_hour_hit_rate", "two_hour_coverage", "commitments_met") else "whole"


def cell(one: TallyOut, name: str, shown: Shown, say: Words) -> Value:
    value: Value = getattr(one, name)
    return priority_word(one.group, say) if name == "group" and shown.by == "priority" else value


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


def again_cell(one: AgainOut, name: str) -> Value:
    return local(one.failed_at, one.timezone) if name == "failed_at" else getattr(one, name)


HANDLERS = [export_report, export_months, export_groups, export_misses, export_again]
