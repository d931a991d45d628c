"""The service around the part: answered, departed, arrived, diagnosed; holds, priority, consent, costs and notes."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ADMIN, DISPATCHER, Actor
from app.billing.rules.pricing import CostKind, Payer
from app.billing.service.costs import record_cost
from app.core.money import of_amount
from app.fulfillment import schemas
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.clocks import PRIORITIES
from app.fulfillment.rules.states import State, Verb
from app.fulfillment.service.following import follow
from app.fulfillment.service.frame import Frame, again, chosen_lines, need_open, open_frame
from app.fulfillment.service.journey import take_back
from app.fulfillment.service.records import NewStep, move
from app.fulfillment.service.refusals import (
    AlreadyOnHold,
    BackdatedHold,
    HoldAfterBreach,
    LowerNeedsWord,
    NotOnHold,
)
from app.fulfillment.service.warranting import settle_cause
from app.stock.service import consent as keep_holds

BACKDATED = timedelta(minutes=15)
SET_PRIORITY = text("UPDATE part_request SET priority = :priority WHERE id = :id")
SET_CAUSE = text("UPDATE part_request SET cause = :cause WHERE id = :id")


async def answer(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.AnswerIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """A person says how it will be handled and when: ends the *answer* clock (C4); the automatic promise does not."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "answer")
    planned = body.planned_at.isoformat() if body.planned_at else None
    return await _step(frame, "answered", method=body.method, plan=body.plan, planned_at=planned)


async def depart(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.DepartIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """Somebody is on the way."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "depart")
    return await _step(frame, "departed", courier=body.courier, reason=body.reason)


async def arrive(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """Somebody is there; an emergency's *done* runs from here (C4)."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "arrive")
    return await _step(frame, "arrived")


async def diagnose(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.DiagnoseIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """What was found. A settled cause makes a new verdict that names the old one (W7, W12)."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "diagnose")
    changed = None
    if body.cause is not None and body.cause != frame.loaded.row.cause:
        changed = await settle_cause(frame, body.cause)
        await db.execute(SET_CAUSE, {"id": request_id, "cause": body.cause})
        await follow(db, actor=actor, now=now)
    return await _step(frame, "diagnosed", cause=body.cause, findings=body.findings, changed=changed)


async def hold(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.HoldIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """Stop the clocks for a reason that is the customer's (C6). None after a breach; long ago needs a dispatcher."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "hold")
    if frame.loaded.row.on_hold is not None:
        raise AlreadyOnHold(reason=frame.loaded.row.on_hold)
    running = [clock for clock in frame.loaded.clocks(now) if clock.ended_at is None and clock.state != "canceled"]
    if running and all(clock.state == "breached" for clock in running):
        raise HoldAfterBreach(clocks=[clock.name for clock in running])
    if now - frame.at > BACKDATED and actor.role not in (DISPATCHER, ADMIN):
        raise BackdatedHold(minutes=int((now - frame.at).total_seconds() // 60))
    return await _step(frame, "held", reason=body.reason)


async def resume(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """The clocks run on, later by what they stood still."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    if frame.loaded.row.on_hold is None:
        raise NotOnHold
    return await _step(frame, "resumed")


async def set_priority(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.PriorityIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """The user's new priority: higher brings its shorter clocks from now on, lower needs the customer's word."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "priority")
    before = frame.loaded.row.priority
    if PRIORITIES.index(body.priority) < PRIORITIES.index(before) and not body.agreed_by_customer:
        raise LowerNeedsWord(priority=body.priority, before=before)
    await db.execute(SET_PRIORITY, {"id": request_id, "priority": body.priority})
    return await _step(frame, "priority_changed", event="reprioritized", priority=body.priority, before=before)


async def consent(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.ConsentIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """The customer was told the price and agreed: the hold no longer expires and the clocks run on. Or did not: it ends."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, Verb.CONSENT)
    ids = [line.id for line, _ in lines]
    if body.agreed:
        await keep_holds(db, references=ids)
        states = {line.id: to for line, to in lines}
    else:
        await take_back(frame, [line for line, _ in lines], reason="price declined")
        states = dict.fromkeys(ids, State.CANCELED)
    details = frame.details(agreed=body.agreed, by=body.by)
    verb = "consented" if body.agreed else "canceled"
    steps = [NewStep(verb=verb, line=line, details=details) for line in ids]
    if frame.loaded.row.on_hold == "price_consent":
        steps.append(NewStep(verb="resumed"))
    await move(
        db,
        actor=actor,
        loaded=frame.loaded,
        states=states,
        steps=steps,
        event=verb,
        occurred_at=frame.at,
        now=now,
        data=details,
    )
    return await again(frame)


async def add_cost(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.CostIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """What the job cost us beside the part: never the customer's, borne by the cover's payer (P1, P2)."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    wanted = {ref.id for ref in body.lines} if body.lines else {frame.loaded.lines[0].id}
    for line in frame.loaded.lines:
        if line.id in wanted:
            await record_cost(
                db,
                actor=actor,
                job=frame.job(line),
                kind=CostKind(body.kind),
                amount=of_amount(body.amount, frame.loaded.row.currency),
                covered=line.covered,
                payer=Payer(line.payer) if line.payer else None,
                source=f"{line.id}:{body.kind}:{len(frame.loaded.steps)}",
                note=body.note,
                occurred_at=frame.at,
                now=now,
            )
    return await _step(frame, "cost_recorded", kind=body.kind, amount=body.amount, replan=False)


async def add_note(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.NoteIn,
    expected_version: int | None,
    now: datetime,
) -> Loaded:
    """A note for whoever looks next."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    return await _step(frame, "noted", text=body.text, replan=False)


async def _step(frame: Frame, verb: str, *, event: str | None = None, replan: bool = True, **facts: Any) -> Loaded:
    """One step of the whole request, announced under its own name."""
    details = frame.details(**facts)
    await move(
        frame.db,
        actor=frame.actor,
        loaded=frame.loaded,
        states={},
        steps=[NewStep(verb=verb, details=details)],
        event=event or verb,
        occurred_at=frame.at,
        now=frame.now,
        data=details,
        replan=replan,
    )
    return await again(frame)
