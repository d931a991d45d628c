"""The door to the report on commitments: its page. The figures are the API's own."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.accounts.rules import ADMIN, DISPATCHER, FINANCE
from app.core.db import reading
from app.fulfillment.queries import report
from app.fulfillment.queries.report import CommitmentsOut, MissOut
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.reports.asked import (
    MISSES,
    MONTHS,
    PAGE,
    REPEATED,
    Shown,
    again_labels,
    group_sorting,
    labels_of,
    late_labels,
    shown_by,
)
from app.web.reports.views import BY, Tables, report_view
from app.web.sessions import SignedIn
from app.web.tables import saved
from app.web.tables.shown import Head
from app.web.words import PRIORITY

READERS = (ADMIN, FINANCE, DISPATCHER)
ON_A_PAGE = 50


@get("/reports", opt=signed_in(*READERS), include_in_schema=False)
async def show_report(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    cursor: FromQuery[str | None] = None,
    after: FromQuery[str | None] = None,
) -> Response[Any]:
    """Did we keep our promises? One month in sentences and misses, the months before it beside it."""
    shown, now, say = shown_by(request), request.app.state.clock.now(), Words(language_of(request))
    chosen = report.month_of(shown.month) if shown.month else None
    by_month = "sort_months" not in shown.sorts
    async with reading(request.app.state.engine) as db:
        views = await saved.saved_views(db, actor=who.actor, page=PAGE)
        own = None if request.query_params else saved.default_of(views)
        if own is not None:
            return see_other(own.address)
        shared: dict[str, Any] = {"actor": who.actor, "asked": shown.asked, "now": now}
        months = await report.commitments(
            db, **shared, last=newest(chosen, now) if chosen else None, cursor=cursor or None
        )
        listed = months.items if by_month else await report.every_month(db, **shared)
        if chosen is None and months.items:
            shown = replace(shown, month=months.items[0].month)
            chosen = report.month_of(shown.month)
        groups, late, again, following = CommitmentsOut(by=shown.by, items=[], next=None), list[MissOut](), [], None
        if chosen is not None:
            groups = await report.commitments(db, **shared, by=shown.by, first=chosen, last=chosen)
            missed = await report.all_misses(db, **shared, month=chosen)
            late, following = MISSES.page(missed, shown.orders["sort_misses"], after=after or None, size=ON_A_PAGE)
            again = await report.failed_again(db, **shared, month=chosen)
    tables = Tables(
        months=MONTHS.sort(listed, shown.orders["sort_months"]),
        groups=group_sorting(shown.by).sort(groups.items, shown.orders["sort_groups"]),
        late=late,
        again=REPEATED.sort(again, shown.orders["sort_again"]),
    )
    return page(
        request,
        "reports/commitments.html",
        who=who,
        bys={one: say(BY[one]) for one in BY},
        priorities={one: say(PRIORITY[one]) for one in PRIORITY},
        report=report_view(months.items, tables, shown, say),
        heads=heads_of(shown, say),
        links={
            "earlier": shown.address(cursor=months.next) if months.next and by_month else None,
            "more": shown.address(after=following) if following else None,
            "query": shown.query(month=shown.month),
        },
        shown=shown,
        saved=saved.Views(page=PAGE, query=shown.query(), views=tuple(views)),
    )


def heads_of(shown: Shown, say: Words) -> dict[str, tuple[Head, ...]]:
    """The heads of each table."""
    return {
        "months": shown.heads("sort_months", labels_of(say, ("month", say("Month")))),
        "groups": shown.heads("sort_groups", labels_of(say, ("group", say(BY[shown.by])))),
        "misses": shown.heads("sort_misses", late_labels(say)),
        "again": shown.heads("sort_again", again_labels(say)),
    }


def newest(chosen: date, now: datetime) -> date:
    """The months beside a chosen one: up to half a year after it, so that it stands among its neighbors."""
    return min(report.before(chosen, -6), report.newest_month(now))


HANDLERS = [show_report]
