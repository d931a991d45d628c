"""A page that shows each component in each of its states, for whoever builds or judges pages. Its values are made up."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from app.accounts.rules import ROLES
from app.core.db import reading
from app.core.i18n import text
from app.web.charts import Chart, Drawn, Series, drawn
from app.web.frame import signed_in
from app.web.render import Words, language_of, page
from app.web.sessions import SignedIn
from app.web.tables import shown
from app.web.tables.sample import SAMPLE
from app.web.verdict_samples import sample_cover, sample_life, sample_verdicts
from app.web.views import (
    STANDINGS,
    Block,
    ClockView,
    Lane,
    Leg,
    Mark,
    RequestRow,
    SideClock,
    Standing,
    Tick,
    Timeline,
)
from app.web.words import PRIORITY, PROMISE, STANDING, STEP, clock_time, ms, span

ZONE = "Asia/Shanghai"
LEFT: dict[Standing, int] = {"late": -540, "risk": 360, "ok": 4320, "paused": 6120}
SPARE: dict[Standing, int] = {"late": -840, "risk": 240, "ok": 1500, "paused": 0}


@get("/components", opt=signed_in(*ROLES), include_in_schema=False)
async def show_components(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[str]:
    """Clock, state mark, request row, lane, list and the rest, each in each state."""
    say, now = Words(language_of(request)), request.app.state.clock.now()
    rows = [sample_row(one, now, say) for one in STANDINGS]
    timeline, charts = sample_timeline(say), sample_charts(say)
    cover = sample_cover()
    async with reading(request.app.state.engine) as db:
        table = await shown(db, request, who, SAMPLE)
    return page(
        request,
        "components.html",
        who=who,
        rows=rows,
        timeline=timeline,
        charts=charts,
        now_ms=ms(now),
        table_view=table,
        verdicts=sample_verdicts(cover, say),
        life=sample_life(cover, date(2017, 8, 1), say),
    )


def sample_clock(standing: Standing, now: datetime, say: Words) -> ClockView:
    """A two-hour promise as it stands."""
    due = now + timedelta(seconds=LEFT[standing])
    spare = SPARE[standing]
    planned = clock_time(due - timedelta(seconds=spare), ZONE, now, say)
    words = say("plan {at}, {spare} to spare", at=planned, spare=span(spare, say))
    if spare < 0:
        words = say("plan {at}, {late} too late", at=planned, late=span(spare, say))
    if standing == "paused":
        words = say("waits for access to the site")
    left = LEFT[standing]
    return ClockView(
        standing=standing,
        word=say(STANDING[standing]),
        promise=say(PROMISE["local"], at=clock_time(due, ZONE, now, say)),
        left=("−" if left < 0 else "") + span(left, say),
        share=max(0, round(left / 72)),
        due_ms=ms(due),
        started_ms=ms(due - timedelta(hours=2)),
        ticking=standing != "paused",
        spare=words,
        marks=(Mark(word=say("received"), at=clock_time(due - timedelta(hours=2), ZONE, now, say)),),
    )


def sample_row(standing: Standing, now: datetime, say: Words) -> RequestRow:
    """A request as the board shows it."""
    row = RequestRow(
        id=f"sample-{standing}",
        label="4711",
        priority="severe",
        priority_word=say(PRIORITY["severe"]),
        part_number="PSU-12V-5A",
        part_name="电源 12V 5A",
        quantity=1,
        more_lines=0,
        site="机场北",
        customer="YC-AIRPORT",
        source="银川备件库",
        carrier="小马",
        color=1,
        step=say(STEP["accepted"]),
        clock=sample_clock(standing, now, say),
        sides=(),
        why=(),
    )
    if standing != "late":
        return row
    reason = text("routing.couriers_too_far", {"courier": "小马", "short_min": 14}, say.language)
    sides = (SideClock(standing="late", words=say("{what} {late} late", what=say("answer"), late=span(720, say))),)
    return replace(
        row, label="4716", priority="emergency", priority_word=say(PRIORITY["emergency"]), sides=sides, why=(reason,)
    )


def sample_timeline(say: Words) -> Timeline:
    """One lane with a stop in each state."""
    kinds: tuple[tuple[float, float, Standing], ...] = ((24, 14, "ok"), (46, 12, "risk"), (66, 14, "late"))
    drops = [
        Block(kind="drop", x=x, width=w, number=n, label="机场北", standing=one, title="机场北")
        for n, (x, w, one) in enumerate(kinds, start=1)
    ]
    fetch = Block(
        kind="pickup",
        x=10,
        width=6,
        number=None,
        label=say("fetch {count}", count=3),
        standing="ok",
        title="银川备件库",
    )
    legs = (Leg(x=4, width=6), Leg(x=16, width=8), Leg(x=38, width=8), Leg(x=58, width=8))
    lane = Lane(
        courier="K1", name="小马", color=1, note=say("{stops} stops", stops=3), blocks=(fetch, *drops), legs=legs
    )
    ticks = tuple(Tick(x=x, label=f"{10 + at}:00") for at, x in enumerate((12, 37, 62, 87)))
    return Timeline(ticks=ticks, now_x=4, lanes=(lane,), idle=("小李",), zone=ZONE)


def sample_charts(say: Words) -> tuple[Drawn, ...]:
    """The three kinds of charts, one with a gap."""
    months = tuple(f"2026-{month:02}" for month in range(5, 12))
    kept, missed = (61, 58, 70, 66, 73, 69, 41), (9, 12, 6, None, 8, 5, 2)
    shares = tuple(round(100 * one / (one + (two or 0))) for one, two in zip(kept, missed, strict=True))
    series = (Series(name=say("in time"), values=kept), Series(name=say("late"), values=missed))
    share = (Series(name=say("in time"), values=shares),)
    title = say("Lines by month")
    return tuple(
        drawn(one)
        for one in (
            Chart(title=title, labels=months, series=series, kind="stacked"),
            Chart(title=title, labels=months, series=series),
            Chart(title=say("Kept in time, in percent"), labels=months, series=share, kind="lines", top=100),
        )
    )


HANDLERS = [show_components]
