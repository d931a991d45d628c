"""Moving holds out of the way of a higher priority (S3b), in the transaction that takes their pieces: all of it or nothing.

Locks in one order, whoever comes: the losers' requests, their lines, the balances; then everything is looked at again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Fact, Reason
from app.fulfillment.queries.holders import holders
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import State
from app.fulfillment.schemas import StepIn
from app.fulfillment.service.accept import accept
from app.fulfillment.service.decision import plain_reasons
from app.fulfillment.service.frame import Frame, open_frame
from app.fulfillment.service.giving_way import DUTY, with_room
from app.fulfillment.service.proposing import Giving, Proposal, propose
from app.fulfillment.service.records import NewStep, move
from app.fulfillment.service.refusals import FactsMoved, NotEnough
from app.fulfillment.service.resourcing import LOCK_BALANCES, rehold
from app.routing.rules.sourcing import Shelf
from app.stock.queries.offers import Offer, offers
from app.stock.service import release

LOCK_REQUESTS = text("SELECT id FROM part_request WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE")
WAITS = text("""
    UPDATE request_line SET mode = NULL, eta = NULL, carrier = NULL, handover_at = NULL, confirmed = NULL,
        provisional = false, sourcing = CAST(:sourcing AS jsonb) WHERE id = :id
""")
LOCK_LINES = text("SELECT id FROM request_line WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE")


async def accept_with_room(db: AsyncConnection, *, actor: Actor, proposal: Proposal, now: datetime) -> Loaded:
    """Take the pieces from who gives way, decide anew on what is free then, and accept that.

    Raises FactsMoved where somebody was touched, moved or given a higher priority meanwhile, or the promise got worse.
    """
    gives = proposal.gives
    parts = {*proposal.facts.parts, *(one.part for one in gives), *(one.to[1] for one in gives if one.to is not None)}
    await lock_lines(db, requests=[one.request for one in gives], lines=[one.line for one in gives])
    await db.execute(LOCK_BALANCES, {"parts": sorted(parts)})
    by = actor if any(one.harmed for one in gives) else replace(DUTY, request_id=actor.request_id)
    await make_room(db, actor=by, gives=gives, tier=proposal.tier, now=now)
    try:
        after = await propose(db, actor=actor, asked=proposal.asked, now=now)
    except NotEnough as moved:
        raise FactsMoved from moved
    if after.missed > proposal.missed:
        raise FactsMoved
    return await accept(db, actor=actor, proposal=with_room(after, gives), now=now)


async def lock_lines(db: AsyncConnection, *, requests: Iterable[str], lines: Iterable[str]) -> None:
    """Lock who moves, in the order that everybody keeps."""
    await db.execute(LOCK_REQUESTS, {"ids": sorted(set(requests))})
    await db.execute(LOCK_LINES, {"ids": sorted(lines)})


async def make_room(db: AsyncConnection, *, actor: Actor, gives: Sequence[Giving], tier: int, now: datetime) -> None:
    """Move each hold to where it was to go; what is locked is looked at again first."""
    stand = {one.line: one for one in await holders(db, tier=tier, lines=[one.line for one in gives])}
    for one in gives:
        now_held = stand.get(one.line)
        if now_held is None or (now_held.place, now_held.part, now_held.quantity) != (
            one.place,
            one.part,
            one.quantity,
        ):
            raise FactsMoved
    for one in sorted(gives, key=lambda each: (each.request, each.line)):
        await give_up(db, actor=actor, giving=one, now=now)


async def give_up(db: AsyncConnection, *, actor: Actor, giving: Giving, now: datetime) -> None:
    """One line's hold goes elsewhere: promise, due and agreed price stay, and it is told why."""
    frame = await open_frame(db, actor=DUTY, request_id=giving.request, body=StepIn(), expected_version=None, now=now)
    frame = replace(frame, actor=actor)
    line = next(one for one in frame.loaded.lines if one.id == giving.line)
    if giving.to is None or giving.way is None:
        await _wait(frame, line)
        return
    offer = await _offer(db, giving.to, giving.quantity)
    facts: dict[str, Fact] = {"place": offer.place, "before": giving.place, "part": offer.part}
    why = Reason("S3b", "give_way.moved", facts)
    if giving.late_s is None:
        why = Reason("S3b", "give_way.moved_unknown", facts)
    elif giving.late_s:
        why = Reason("S3b", "give_way.moved_late", {**facts, "late_min": -(-giving.late_s // 60)})
    await rehold(frame, line, offer, giving.way, reasons=(why,))
    details = frame.details(place=offer.place, before=giving.place, part_number=offer.part, why=why.code)
    data = {"line": line.id, "why": why.code, **why.facts}
    await move(
        db, actor=actor, loaded=frame.loaded, states={}, steps=[NewStep(verb="resourced", line=line.id, details=details)],
        event="resourced", occurred_at=now, now=now, data=data,
    )  # fmt: skip


async def _wait(frame: Frame, line: Any) -> None:
    """Nothing is free for it: its hold ends, its clocks run on, and it is sourced again as soon as something is."""
    await release(frame.db, actor=frame.actor, now=frame.now, references=[line.id])
    why = Reason("S3b", "give_way.waits", {"before": line.source, "part": line.supplied_part_number})
    sourcing = {"reasons": plain_reasons((why,)), "alternatives": []}
    await frame.db.execute(WAITS, {"id": line.id, "sourcing": msgspec.json.encode(sourcing).decode()})
    step = NewStep(verb="gave_way", line=line.id, details=frame.details(before=line.source, why=why.code))
    await move(
        frame.db, actor=frame.actor, loaded=frame.loaded, states={line.id: State.WAITING}, steps=[step], event="gave_way",
        occurred_at=frame.now, now=frame.now, data={"line": line.id, "why": why.code, **why.facts},
    )  # fmt: skip


async def _offer(db: AsyncConnection, shelf: Shelf, quantity: int) -> Offer:
    """What is free on the shelf, under its lock."""
    found = [one for one in await offers(db, parts=[shelf[1]], quantity=quantity) if one.place == shelf[0]]
    if not found or found[0].free < quantity:
        raise FactsMoved
    return found[0]
