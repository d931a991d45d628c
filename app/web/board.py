"""From what was read to the finished dispatch board: the rows by slack, what the plan will miss and why, the counts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.accounts.rules import ADMIN, DISPATCHER, Actor
from app.core.i18n import Language, text
from app.fulfillment.api.plan import plan_out
from app.fulfillment.queries.requests import steps_of, timing_of
from app.fulfillment.rules.clocks import Clock, clocks
from app.fulfillment.schemas.call_offs import CallOffOut
from app.fulfillment.schemas.plan import PlanOut
from app.web.lanes import timeline
from app.web.map import map_json
from app.web.queries import BoardFacts, OpenRequest
from app.web.render import Words
from app.web.views import (
    STANDINGS,
    AreaChip,
    Board,
    CallOffRow,
    ClockView,
    Count,
    Mark,
    RequestRow,
    SideClock,
    Standing,
)
from app.web.words import CLOCK, HOLD, PRIORITY, PROMISE, STANDING, STEP, Frame, clock_time, ms

RISK = timedelta(minutes=10)
"""A plan with less to spare than this is at risk [house]."""
SOON = timedelta(minutes=30)
HALF_A_MINUTE = timedelta(seconds=30)
"""Doors open at whole minutes; a plan counts whole seconds from a moment between two."""
COLORS = 8
STEER = (ADMIN, DISPATCHER)
LATE_WAYS = ("routing.source_too_late", "routing.source_unreachable")
NAMED = frozenset(("place", "places", "area", "courier", "couriers", "to", "before"))
"""Facts of a reason that are codes, and have a name."""
TO_BRING = ("accepted", "picked", "packed", "dispatched")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The line of a request that decides how it stands: its clock, what the plan says, and the slack between them."""

    line: Any
    clock: Clock
    planned: datetime | None
    slack: timedelta
    standing: Standing

    @property
    def missed(self) -> bool:
        """Whether what is planned comes after the deadline; a clock that stands still cannot be missed yet."""
        return self.planned is not None and self.slack < timedelta() and self.standing != "paused"


def board(
    facts: BoardFacts,
    *,
    actor: Actor,
    area: str | None,
    now: datetime,
    language: Language,
    most: int | None = None,
    only: str | None = None,
) -> Board:
    """The whole board of one asker at one moment; rows for the `most` with the least slack, or for one request alone."""
    plans = [
        plan_out(one.region, one.planned.plan, one.planned.problem, one.visible, 0, one.planned_at, language)
        for one in facts.plans
    ]
    frame = frame_of(facts, plans, now=now, say=Words(language))
    judged = sorted(((one, *stands(one, frame)) for one in facts.requests), key=lambda each: _order(each[0], each[2]))
    why = reasons_of(facts, plans, frame, language)
    rows = tuple(
        row_of(
            one, found, lead, why.get(one.row.id) or reasons_of_way(lead, frame, language), frame, actor.role in STEER
        )
        for one, found, lead in judged[:most]
        if only is None or one.row.id == only
    )
    steers = actor.role in STEER
    standings = {one.row.id: lead.standing for one, _, lead in judged}
    open_all = sum(one.open for one in facts.areas)
    return Board(
        area=area,
        now=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        now_ms=ms(now),
        counts=counts_of(standings.values(), frame.say),
        areas=_chips(facts, area, open_all, frame.say),
        rows=rows,
        considered=len(judged),
        total=open_all if area is None else sum(one.open for one in facts.areas if one.code == area),
        missed=len(why.keys() | {one.row.id for one, _, lead in judged if lead.missed}),
        timeline=timeline(facts, plans, frame, standings),
        map_json=map_json(facts, plans, frame, standings, actor=actor),
        zones=tuple(sorted({one.row.timezone for one in facts.requests})),
        estimated=any(each.estimated for each in plans),
        couriers=len(facts.couriers),
        steers=steers,
        frozen=_frozen(facts),
        call_offs=tuple(_call_off(one, frame, facts) for one in facts.call_offs) if steers else (),
    )


def _call_off(one: CallOffOut, frame: Frame, facts: BoardFacts) -> CallOffRow:
    """A partner who was asked, times on the clock of the request's site."""
    row = next(each.row for each in facts.requests if each.row.id == one.request)
    names = {place.code: place.name for place in facts.places}
    return CallOffRow(
        id=one.id,
        place=names.get(one.place, one.place),
        part_number=one.part_number,
        quantity=one.quantity,
        request=one.request,
        label=frame.labels[one.request],
        answer_by=clock_time(one.answer_due_at, row.timezone, frame.now, frame.say),
        link=one.link or "",
    )


def _frozen(facts: BoardFacts) -> str | None:
    """The names of shown areas whose routes stand still."""
    names = {one.code: one.name for one in facts.areas}
    return " · ".join(str(names.get(plan.region, plan.region)) for plan in facts.plans if plan.frozen) or None


def frame_of(facts: BoardFacts, plans: Sequence[PlanOut], *, now: datetime, say: Words) -> Frame:
    """Names, colors and planned times by id."""
    finishes: dict[str, datetime] = {}
    drivers: dict[str, str] = {}
    for plan in plans:
        for route in plan.routes:
            for stop in route.stops:
                drivers[stop.line] = route.courier
                if stop.kind == "drop":
                    finishes[stop.line] = stop.leave_at
    return Frame(
        now=now,
        say=say,
        couriers={one.code: one.name for one in facts.couriers},
        colors=colors_of(facts),
        labels={one.row.id: label_of(one.row) for one in facts.requests},
        finishes=finishes,
        drivers=drivers,
        names=names_of(facts),
    )


def names_of(facts: BoardFacts) -> dict[str, str]:
    """What people call the places, areas and couriers of a board, by code."""
    areas = {one.code: one.name for one in facts.areas if one.code is not None}
    return areas | {one.code: one.name for one in (*facts.places, *facts.couriers)}


def by_name(facts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A reason's facts with places, areas and couriers by their names."""
    found = dict(facts)
    for key in NAMED.intersection(found):
        value = found[key]
        if isinstance(value, list):
            found[key] = [names.get(str(one), str(one)) for one in value]
        elif isinstance(value, str):
            found[key] = names.get(value, value)
    return found


def colors_of(facts: BoardFacts) -> dict[str, int]:
    """A color for each courier by the order in their area, so that it is the same whichever areas are shown."""
    met: Counter[str] = Counter()
    colors = {}
    for one in facts.couriers:
        colors[one.code] = met[one.area] % COLORS + 1
        met[one.area] += 1
    return colors


def label_of(row: Any) -> str:
    """How people call a request: its ticket's number, else the end of its id."""
    return str(row.ticket_number or f"R-{row.id[-5:].upper()}")


def stands(request: OpenRequest, frame: Frame) -> tuple[list[Clock], Lead]:
    """Every clock of a request, and the line that decides: the one with the least slack."""
    found = clocks(timing_of(request.row, request.lines), steps_of(request.steps), frame.now)
    live = [line for line in request.seen if line.state not in ("canceled", "lost")] or list(request.seen)
    leads = [lead_of(request.row, line, found, frame) for line in live]
    return found, min(leads, key=lambda lead: (lead.slack, lead.line.n))


def lead_of(row: Any, line: Any, found: Sequence[Clock], frame: Frame) -> Lead:
    """A line against the earliest clock that still needs it (C4), and against the plan."""
    mine = [one for one in found if one.line == line.id or one.name == "done"]
    needing = [one for one in mine if one.ended_at is None] or mine
    clock = min(needing, key=lambda one: one.due_at)
    planned = planned_end(line, clock, frame)
    slack = clock.due_at - (planned or frame.now)
    unplanned = planned is None and line.state in (*TO_BRING, "waiting")
    standing: Standing = "ok"
    if row.on_hold is not None:
        standing = "paused"
    elif clock.ended_at is None and clock.due_at < frame.now:
        standing = "late"
    elif slack < RISK or unplanned:
        standing = "risk"
    return Lead(line=line, clock=clock, planned=planned, slack=slack, standing=standing)


def planned_end(line: Any, clock: Clock, frame: Frame) -> datetime | None:
    """When the plan ends this clock: the courier's finish, the hand-over to a carrier, else what was told; never past."""
    if line.state not in TO_BRING:
        return None
    told = line.handover_at if clock.name == "national" else line.eta
    planned: datetime | None = frame.finishes.get(line.id) or (None if line.mode == "courier" else told)
    return None if planned is None else max(planned, frame.now)


def _order(request: OpenRequest, lead: Lead) -> tuple[bool, timedelta, str]:
    """Least slack first; what stands still comes last."""
    return lead.standing == "paused", lead.slack, request.row.id


def row_of(
    request: OpenRequest, found: Sequence[Clock], lead: Lead, why: tuple[str, ...], frame: Frame, steers: bool
) -> RequestRow:
    """A request as its row shows it."""
    row, line = request.row, lead.line
    driver = line.courier or frame.drivers.get(line.id)
    return RequestRow(
        id=row.id,
        label=frame.labels[row.id],
        priority=row.priority,
        priority_word=frame.say(PRIORITY[row.priority]),
        part_number=line.supplied_part_number,
        part_name=line.part_name,
        quantity=line.quantity,
        more_lines=len(request.seen) - 1,
        site=row.site_name,
        customer=row.customer_name,
        source=line.source_name,
        carrier=frame.couriers.get(driver, driver) if driver else line.carrier or "",
        color=frame.colors.get(driver) if driver else None,
        step=frame.say(STEP[line.state]) if line.state in STEP else line.state,
        clock=clock_view(row, lead, found, frame),
        sides=tuple(side_clocks(found, lead.clock, frame)),
        why=why,
        address=f"/requests/{row.id}",
        panel=f"/board/requests/{row.id}/panel" if steers else None,
    )


def clock_view(row: Any, lead: Lead, found: Sequence[Clock], frame: Frame) -> ClockView:
    """The promise, what is left of it, and the instants it rests on."""
    clock, zone, say = lead.clock, row.timezone, frame.say
    left = (clock.due_at - frame.now).total_seconds()
    whole = (clock.due_at - clock.started_at).total_seconds()
    marks = [Mark(word=say("received"), at=frame.at(row.received_at, zone))]
    for one in found:
        if one.ended_at is not None and one.state != "canceled":
            words = say("{what} done", what=say(CLOCK[one.name]))
            marks.append(Mark(word=words, at=frame.at(one.ended_at, zone)))
        elif one.ended_at is None:
            marks.append(Mark(word=say("{what} due", what=say(CLOCK[one.name])), at=frame.at(one.due_at, zone)))
    return ClockView(
        standing=lead.standing,
        word=say(STANDING[lead.standing]),
        promise=say(PROMISE[clock.name], at=frame.at(clock.due_at, zone)),
        left=("−" if left < 0 else "") + frame.span(left),
        share=max(0, min(100, round(100 * left / whole))) if whole > 0 else 0,
        due_ms=ms(clock.due_at),
        started_ms=ms(clock.started_at),
        ticking=lead.standing != "paused" and clock.ended_at is None,
        spare=spare_words(row, lead, frame),
        marks=tuple(marks),
    )


def spare_words(row: Any, lead: Lead, frame: Frame) -> str:
    """The clock against the plan, in one line."""
    say, line = frame.say, lead.line
    if row.on_hold is not None:
        return say(HOLD[row.on_hold]) if row.on_hold in HOLD else str(row.on_hold)
    if line.state == "awaiting_consent":
        return say("the customer has not agreed to the price yet")
    if line.state == "waiting":
        return say("nothing is free for it yet")
    if lead.planned is None:
        if line.state not in TO_BRING:
            return say("it only has to be confirmed") if line.state == "fitted" else say("it only has to be fitted")
        return say("no courier planned yet") if line.mode == "courier" else say("no way to bring it yet")
    at, seconds = frame.at(lead.planned, row.timezone), lead.slack.total_seconds()
    if seconds < 0:
        return say("plan {at}, {late} too late", at=at, late=frame.over(seconds))
    return say("plan {at}, {spare} to spare", at=at, spare=frame.span(seconds))


def side_clocks(found: Iterable[Clock], lead: Clock, frame: Frame) -> Iterable[SideClock]:
    """The request's other clocks that ran out or soon will."""
    for one in found:
        if one is lead or one.ended_at is not None or one.line is not None or one.name == "done":
            continue
        left, what = one.due_at - frame.now, frame.say(CLOCK[one.name])
        if left < timedelta():
            words = frame.say("{what} {late} late", what=what, late=frame.over(left.total_seconds()))
            yield SideClock(standing="late", words=words)
        elif left < SOON:
            words = frame.say("{what} in {left}", what=what, left=frame.span(left.total_seconds()))
            yield SideClock(standing="risk" if left < RISK else "ok", words=words)


def counts_of(standings: Iterable[Standing], say: Words) -> tuple[Count, ...]:
    standing = list(standings)
    return tuple(Count(standing=one, word=say(STANDING[one]), count=standing.count(one)) for one in STANDINGS)


def _chips(facts: BoardFacts, area: str | None, total: int, say: Words) -> tuple[AreaChip, ...]:
    """All, and each area with open requests; none where there is nothing to choose."""
    if len(facts.areas) < 2 and area is None:
        return ()
    named = [
        AreaChip(code=one.code, name=one.name, count=one.open, chosen=one.code == area)
        for one in facts.areas
        if one.code is not None
    ]
    return (AreaChip(code=None, name=say("All areas"), count=total, chosen=area is None), *named)


def doors_of(facts: BoardFacts) -> dict[str, tuple[str, str]]:
    """The place each line comes from, by name, and the time zone of its site."""
    return {line.id: (line.source_name, one.row.timezone) for one in facts.requests for line in one.seen}


def closed_until(
    line: str, named: Mapping[str, Any], start: datetime, doors: Mapping[str, tuple[str, str]], frame: Frame
) -> str | None:
    """That a line's place is closed, and until when by its site's clock; None where that is not what holds it up."""
    if "opens_s" not in named or line not in doors:
        return None
    place, zone = doors[line]
    return frame.say(
        "{place} is closed until {at}. Opened {short_min} min earlier, it would be in time.",
        place=place,
        at=frame.at(start + timedelta(seconds=named["opens_s"]) + HALF_A_MINUTE, zone),
        short_min=named["short_min"],
    )


def reasons_of(
    facts: BoardFacts, plans: Sequence[PlanOut], frame: Frame, language: Language
) -> dict[str, tuple[str, ...]]:
    """Why the plan will miss a request's lines, and what would help, in words, by request."""
    found: dict[str, dict[str, None]] = {}
    doors, starts = doors_of(facts), {one.region: one.planned.problem.start for one in facts.plans}
    of_line = {stop.line: stop.request for plan in plans for route in plan.routes for stop in route.stops}
    for region, missed in ((plan.region, one) for plan in plans for one in plan.missed if one.request in frame.labels):
        said = found.setdefault(str(missed.request), {})
        for reason in missed.reasons:
            # How late it will be stands in the row already; a queue of nobody explains nothing.
            if reason.code != "routing.late" and reason.facts.get("jobs") != []:
                named = _named(reason.facts, of_line, frame)
                closed = closed_until(missed.line, named, starts[region], doors, frame)
                said[closed or text(reason.code, named, language)] = None
    return {request: tuple(said) for request, said in found.items()}


def reasons_of_way(lead: Lead, frame: Frame, language: Language) -> tuple[str, ...]:
    """Why a line that no courier brings comes too late: what was promised for want of local stock, and from where."""
    if not lead.missed or lead.line.mode == "courier":
        return ()
    stored = [*lead.line.commitment_reasons, *(one for one in lead.line.sourcing_reasons if one["code"] in LATE_WAYS)]
    return tuple(dict.fromkeys(text(one["code"], by_name(one["facts"], frame.names), language) for one in stored))


def _named(facts: Mapping[str, Any], of_line: Mapping[str, str | None], frame: Frame) -> dict[str, Any]:
    """A reason's facts with the names people use: requests in place of lines, couriers by name."""
    named = by_name(facts, frame.names)
    if isinstance(named.get("jobs"), list):
        seen = [frame.labels.get(of_line.get(job) or "") or frame.say("another job") for job in named["jobs"]]
        named["jobs"] = list(dict.fromkeys(seen))
    return named
