"""A dispatcher gives a late line the pieces that a lower priority holds (S3b): what that would do to both, and doing it."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Fact, Reason
from app.core.http import Contention, Expected
from app.fulfillment.queries.holders import Holder, holders
from app.fulfillment.queries.region import tier_of
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.queries.steering import line_request
from app.fulfillment.rules import fixes as told
from app.fulfillment.rules.fixes import Change, Fix
from app.fulfillment.rules.states import State, allowed_in
from app.fulfillment.schemas.steering import BumpIn
from app.fulfillment.service.candidates import Way
from app.fulfillment.service.clashing import Case
from app.fulfillment.service.displacing import give_up, lock_lines
from app.fulfillment.service.frame import Frame, again, open_frame
from app.fulfillment.service.giving_way import MOST, givers_of
from app.fulfillment.service.proposing import Giving
from app.fulfillment.service.records import NewStep, move
from app.fulfillment.service.refusals import FactsMoved, NoSuchLine, NotGivingWay, VerbNotNow
from app.fulfillment.service.resourcing import LOCK_BALANCES, Sources, begun, facts_of_line, rehold, sources_of
from app.routing.rules.problem import GENERAL
from app.stock.service import release

MAY_TAKE = (State.ACCEPTED, State.WAITING)


async def bumps(db: AsyncConnection, *, actor: Actor, case: Case) -> list[Fix]:
    """For a line that is late, or waits for stock: each line of lower priority whose pieces would bring it sooner."""
    loaded, line, now = case.loaded, case.line, case.now
    late = case.expected_at is None or case.expected_at > case.due_at
    tier = tier_of(loaded.row.priority, loaded.row.found_on)
    if State(line.state) not in MAY_TAKE or begun(loaded, line) or not late or tier == GENERAL:
        return []
    near = case.facts.setting.sources
    found = [
        one
        for one in await holders(db, tier=tier, parts=sorted(case.facts.parts), near=near, most=MOST)
        if one.seen_by(actor) and one.quantity >= line.quantity
    ]
    if not found:
        return []
    mine = await _mine(db, actor, loaded, line, [one.line for one in found], now)
    givers = await givers_of(db, found, now=now, freed=[line.id])
    return [fix for one in givers if (fix := _fix(case, one.alone(), mine)) is not None]


async def _mine(
    db: AsyncConnection, actor: Actor, loaded: Loaded, line: Any, freed: Sequence[str], now: datetime
) -> Sources:
    """Where the line could come from if these held nothing."""
    substitutes = loaded.row.accept_substitutes
    facts = await facts_of_line(
        db, actor=actor, loaded=loaded, line=line, substitutes=substitutes, now=now, freed=freed
    )
    return sources_of(facts, loaded=loaded, line=line, now=now)


def _fix(case: Case, gives: Giving, mine: Sources) -> Fix | None:
    line = case.line
    _, way = mine.found.get((gives.place, gives.part), (None, None))
    eta = None if way is None else _done(way, line)
    if way is None or eta is None or (case.expected_at is not None and eta >= case.expected_at):
        return None
    facts: dict[str, Fact] = {"place": gives.place, "part": gives.part, "jobs": [gives.line]}
    reason = Reason("S3b", "fix.bump_waits", facts)
    if gives.to is not None:
        facts |= {"to": gives.to[0], "late_min": None if gives.late_s is None else -(-gives.late_s // 60)}
        reason = Reason("S3b", "fix.bump_late" if gives.harmed else "fix.bump", facts)
    giving = told.Giving(line=gives.line, late_s=gives.late_s, waits=gives.to is None)
    return Fix(
        line=line.id,
        changes=(Change(kind="bump", reason=reason, place=gives.place, part_number=gives.part, gives=giving),),
        zone=case.facts.setting.timezone,
        eta=eta,
        late_s=max(0, ceil((eta - case.due_at).total_seconds())),
        gained_s=None if case.expected_at is None else int((case.expected_at - eta).total_seconds()),
        cost_minor=way.cost_minor,
        weight=way.cost_minor,
        harmed=(gives.line,) if gives.harmed else (),
    )


def _done(way: Way, line: Any) -> datetime | None:
    """When the promise of the line would be met on this way."""
    return (way.handover_at or way.eta) if line.kind == "national" else way.eta


async def bump(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: BumpIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """Take the pieces of a lower priority for this line; that one comes from the best of what is free then, or waits.

    Raises NotGivingWay for a line that may not give way, or whose pieces are of no use here.
    """
    theirs = await line_request(db, actor=actor, line=body.giver)
    await load(db, actor=actor, request_id=theirs)  # who may not see it learns nothing of it
    await lock_lines(db, requests=[request_id, theirs], lines=[body.line, body.giver])
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    line = _line(frame, body)
    holder = await _holder(frame, line, body.giver)
    await _lock_shelves(frame, line, holder)
    await release(db, actor=actor, references=[line.id], now=now)
    givers = await givers_of(db, [holder], now=now)
    if not givers:
        raise NotGivingWay(line=body.giver)
    try:
        await give_up(db, actor=actor, giving=givers[0].alone(), now=now)
    except FactsMoved as moved:
        raise Contention(retry_after_s=1) from moved
    await _take(frame, line, holder)
    return await again(frame)


def _line(frame: Frame, body: BumpIn) -> Any:
    """The late line, which has to be on the shelf still, or to wait for stock."""
    mine = [one for one in frame.loaded.lines if one.id == body.line and frame.actor.may_see_place(one.source)]
    if not mine:
        raise NoSuchLine(line=body.line)
    if State(mine[0].state) not in MAY_TAKE or begun(frame.loaded, mine[0]):
        state = State(mine[0].state)
        raise VerbNotNow(verb="bump", state=state.value, allowed=allowed_in(state), line=body.line)
    return mine[0]


async def _holder(frame: Frame, line: Any, giver: str) -> Holder:
    """The line that gives way, if it may."""
    row = frame.loaded.row
    found = await holders(frame.db, tier=tier_of(row.priority, row.found_on), lines=[giver])
    if not found or not found[0].seen_by(frame.actor) or found[0].quantity < line.quantity:
        raise NotGivingWay(line=giver)
    return found[0]


async def _lock_shelves(frame: Frame, line: Any, holder: Holder) -> None:
    """Lock every balance that either could take from, in their order."""
    givers = await givers_of(frame.db, [holder], now=frame.now)
    if not givers:
        raise NotGivingWay(line=holder.line)
    mine = await _mine(frame.db, frame.actor, frame.loaded, line, [holder.line], frame.now)
    parts = {line.supplied_part_number, holder.part, *givers[0].sources.ways.facts.parts, *mine.ways.facts.parts}
    await frame.db.execute(LOCK_BALANCES, {"parts": sorted(parts)})


async def _take(frame: Frame, line: Any, holder: Holder) -> None:
    """The late line holds what was freed."""
    mine = await _mine(frame.db, frame.actor, frame.loaded, line, (), frame.now)
    offer, way = mine.found.get((holder.place, holder.part), (None, None))
    if offer is None or way is None or offer.free < line.quantity:
        raise NotGivingWay(line=holder.line)
    why = Reason("S3b", "give_way.freed", {"place": offer.place, "before": line.source})
    await rehold(frame, line, offer, way, reasons=(why,))
    details = frame.details(place=offer.place, before=line.source, part_number=offer.part, why=why.code)
    data = {"line": line.id, "why": why.code, **why.facts}
    await move(
        frame.db, actor=frame.actor, loaded=frame.loaded, states={line.id: State.ACCEPTED},
        steps=[NewStep(verb="resourced", line=line.id, details=details)], event="resourced", occurred_at=frame.at,
        now=frame.now, data=data,
    )  # fmt: skip
