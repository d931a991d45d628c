"""What would bring a line sooner, and at what price: other sources, substitutes, shifts for once, other couriers.

Everything is tried on the facts of now and holds nothing (R6); the cheapest change that keeps the promise stands first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Fact, Reason
from app.fulfillment.queries.gather import Facts
from app.fulfillment.queries.planning import Planning, planning
from app.fulfillment.queries.region import CourierFacts, Region
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.rules.states import ENDED, HELD, State
from app.fulfillment.service.candidates import DRIVE_MINOR_PER_S, Way
from app.fulfillment.service.resourcing import facts_of_line, sources_of
from app.routing.rules.explain import explain_courier
from app.routing.rules.insertion import Insertion, cheapest_insertion
from app.routing.rules.plan import orders_of, schedule
from app.routing.rules.problem import Job
from app.stock.queries.offers import Offer

MOST_OF_A_KIND = 3
QUARTER = timedelta(minutes=15)
TRIAL = timedelta(hours=6)
"""How long a shift for once is tried with; what it needs is what is offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One change. `eta` is when the line's promise would be met (fitted, or handed over), `late_s` how much after due."""

    kind: str
    line: str
    reason: Reason
    place: str | None = None
    part_number: str | None = None
    courier: str | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    eta: datetime | None = None
    late_s: int | None = None
    gained_s: int | None = None
    more_drive_s: int | None = None
    cost: int = 0
    harmed: tuple[str, ...] = ()
    needs_customer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One line of a request as it stands, and when it is expected."""

    loaded: Loaded
    line: Any
    due_at: datetime
    expected_at: datetime | None
    now: datetime

    def outcome(self, eta: datetime) -> dict[str, Any]:
        gained = None if self.expected_at is None else int((self.expected_at - eta).total_seconds())
        return {"eta": eta, "late_s": max(0, int((eta - self.due_at).total_seconds())), "gained_s": gained}


async def fixes(db: AsyncConnection, *, actor: Actor, request_id: str, now: datetime) -> list[Fix]:
    """For each line that waits for its part: the changes that would bring it sooner than planned, cheapest first."""
    loaded = await load(db, actor=actor, request_id=request_id)
    found: list[Fix] = []
    for line in loaded.lines:
        state = State(line.state)
        if state in ENDED or state in (State.DELIVERED, State.FITTED) or not actor.may_see_place(line.source):
            continue
        facts = await facts_of_line(db, actor=actor, loaded=loaded, line=line, substitutes=True, now=now)
        found += _line_fixes(facts, loaded=loaded, line=line, now=now)
    if any(State(line.state) not in ENDED for line in loaded.lines):
        found.append(
            Fix(kind="call", line=loaded.lines[0].id, reason=Reason("C7", "fix.call", {}), needs_customer=False)
        )
    return found


def _line_fixes(facts: Facts, *, loaded: Loaded, line: Any, now: datetime) -> list[Fix]:
    planned = planning(facts.region, now=now) if facts.region is not None and facts.region.couriers else None
    job = None if planned is None else planned.problem.by_id().get(line.id)
    expected = line.handover_at if line.mode == "lane" else line.eta
    if planned is not None and job is not None:
        finish = planned.plan.finishes().get(line.id)
        expected = None if finish is None else planned.problem.start + timedelta(seconds=finish)
    due_at = now + timedelta(seconds=job.due_s) if job is not None else line.due_at
    case = _Case(loaded=loaded, line=line, due_at=due_at, expected_at=expected, now=now)
    found = list(_source_fixes(case, facts)) if State(line.state) in HELD else []
    if planned is not None and job is not None and facts.region is not None:
        found += _courier_fixes(case, job, planned)
        found += _shift_fixes(case, job, facts.region)
    sooner = [one for one in found if one.gained_s is None or one.gained_s > 0]
    return _best(sooner)


def _best(found: list[Fix]) -> list[Fix]:
    """Those that keep the promise and harm nobody first, the cheapest of them in front; three of a kind at most."""
    ranked = sorted(found, key=lambda one: (bool(one.late_s), bool(one.harmed), one.late_s or 0, one.cost, one.kind))
    kept: list[Fix] = []
    for one in ranked:
        if sum(each.kind == one.kind for each in kept) < MOST_OF_A_KIND:
            kept.append(one)
    return kept


def _source_fixes(case: _Case, facts: Facts) -> Iterator[Fix]:
    """Every other shelf with enough, as if it were chosen now."""
    sources = sources_of(facts, loaded=case.loaded, line=case.line, now=case.now)
    for (place, part), (offer, way) in sources.found.items():
        here = (place, part) == (case.line.source, case.line.supplied_part_number)
        done = _done(case, way)
        if here or offer.free < case.line.quantity or done is None:
            continue
        yield _source_fix(case, offer, way, done)


def _done(case: _Case, way: Way) -> datetime | None:
    """When the way meets the promise: fitted for a local one, handed over for a national one (C1, C2)."""
    if case.line.kind == "national" and way.mode == "lane":
        return way.handover_at
    return way.eta


def _source_fix(case: _Case, offer: Offer, way: Way, done: datetime) -> Fix:
    substitute = offer.part != case.line.part_number
    facts: dict[str, Fact] = {"place": offer.place, "part": offer.part, "mode": way.mode}
    return Fix(
        kind="substitute" if substitute else "source",
        line=case.line.id,
        place=offer.place,
        part_number=offer.part,
        reason=Reason("P4" if substitute else "R1", "fix.substitute" if substitute else "fix.source", facts),
        more_drive_s=way.cost_minor // DRIVE_MINOR_PER_S if way.mode == "courier" else None,
        cost=way.cost_minor,
        needs_customer=substitute and not case.loaded.row.accept_substitutes,
        **case.outcome(done),
    )


def _courier_fixes(case: _Case, job: Job, planned: Planning) -> Iterator[Fix]:
    """Each other courier who drives anyway, all else as planned."""
    for one in explain_courier(job, planned.plan, planned.problem):
        if one.finish_s is None:
            continue
        eta = planned.problem.start + timedelta(seconds=one.finish_s)
        yield Fix(
            kind="pin",
            line=case.line.id,
            courier=one.courier,
            reason=Reason("R3", "fix.pin", {"courier": one.courier}),
            more_drive_s=one.added_drive_s,
            cost=one.added_drive_s * DRIVE_MINOR_PER_S,
            harmed=one.harmed,
            **case.outcome(eta),
        )


def _shift_fixes(case: _Case, job: Job, region: Region) -> Iterator[Fix]:
    """Each courier who is off now, called in for as long as this line takes."""
    for one in region.couriers:
        tried = _called_in(one, region, case.now)
        planned = planning(tried, now=case.now)
        index = next((at for at, each in enumerate(planned.problem.couriers) if each.code == one.code), None)
        known = planned.problem.by_id().get(job.id)
        if index is None or known is None or tried is region:
            continue
        orders = [[visit for visit in order if visit.job != job.id] for order in orders_of(planned.plan)]
        without = schedule(orders, planned.problem)
        found = cheapest_insertion(without, planned.problem, replace(known, pinned_courier=None), only=[index])
        if isinstance(found, Insertion):
            yield _shift_fix(case, one, found)


def _called_in(courier: CourierFacts, region: Region, now: datetime) -> Region:
    """The region as if this courier drove from now on; the region itself if he or she drives now anyway."""
    alone = replace(region, couriers=(courier,), lines=(), standing=None)
    present = planning(alone, now=now).problem.couriers
    if present and present[0].available_s == 0:
        return region
    extra = replace(courier, extra=(*courier.extra, (now, now + TRIAL)))
    return replace(region, couriers=tuple(extra if one.code == courier.code else one for one in region.couriers))


def _shift_fix(case: _Case, courier: CourierFacts, found: Insertion) -> Fix:
    eta = case.now + timedelta(seconds=found.finish_s)
    whole = ceil((eta - case.now) / QUARTER) * QUARTER
    facts: dict[str, Fact] = {"courier": courier.code}
    return Fix(
        kind="shift",
        line=case.line.id,
        courier=courier.code,
        begins_at=case.now,
        ends_at=case.now + whole,
        reason=Reason("R3", "fix.shift", facts),
        more_drive_s=found.added_drive_s,
        cost=found.added_drive_s * DRIVE_MINOR_PER_S + int(whole.total_seconds()) * DRIVE_MINOR_PER_S,
        harmed=found.harmed,
        **case.outcome(eta),
    )
