"""The service around the part: answered, departed, arrived, diagnosed; holds, priority, consent, costs and notes."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ADMIN, DISPATCHER, Actor
from app.billing.rules.pricing import CostKind, Payer
from app.billing.service.costs import record_cost
from app.core.errors import FieldError
from app.core.http import BadFields, Expected
from app.core.money import of_amount
from app.fulfillment import schemas
from app.fulfillment.queries.requests import Loaded, steps_of
from app.fulfillment.rules.clocks import PRIORITIES, Hold, holds
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
    StepTooEarly,
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
    expected_version: Expected,
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
    expected_version: Expected,
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
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """Somebody is there; an emergency's *done* runs from here (C4)."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "arrive")
    _after_the_last(frame, "departed")
    return await _step(frame, "arrived")


async def diagnose(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.DiagnoseIn,
    expected_version: Expected,
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
    loaded = await _step(frame, "diagnosed", cause=body.cause, findings=body.findings, changed=changed)
    if changed is None:
        return loaded
    await follow(db, actor=actor, request_id=request_id, now=now)
    return await again(frame)


async def hold(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.HoldIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """Stop the clocks for a reason that is the customer's (C6). None after a breach; long ago needs a dispatcher."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "hold")
    open_hold = _open_hold(frame)
    if open_hold is not None:
        raise AlreadyOnHold(reason=frame.loaded.row.on_hold)
    running = [clock for clock in frame.loaded.clocks(now) if clock.ended_at is None]
    late = [clock for clock in running if clock.state == "breached"]
    if running and (len(late) == len(running) or any(frame.at <= clock.due_at for clock in late)):
        raise HoldAfterBreach(clocks=[clock.name for clock in late])
    _after_the_last(frame, "held", "resumed")
    if now - frame.at > BACKDATED and actor.role not in (DISPATCHER, ADMIN):
        raise BackdatedHold(minutes=int((now - frame.at).total_seconds() // 60))
    return await _step(frame, "held", reason=body.reason)


async def resume(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """The clocks run on, later by what they stood still."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    if _open_hold(frame) is None:
        raise NotOnHold(waiting=frame.loaded.row.on_hold)
    _after_the_last(frame, "held", "resumed")
    return await _step(frame, "resumed")


def _open_hold(frame: Frame) -> Hold | None:
    """The request's own open hold; what awaits the customer's word on a price ends with that word alone."""
    found = holds(steps_of(frame.loaded.steps))
    return found[-1] if found and found[-1].until is None else None


def _after_the_last(frame: Frame, *verbs: str) -> None:
    """A step of the whole request lies after the last of those it follows."""
    last = max(
        (step.occurred_at for step in frame.loaded.steps if step.verb in verbs and step.line is None), default=None
    )
    if last is not None and frame.at < last:
        raise StepTooEarly(occurred_at=frame.at.isoformat(), after=last.isoformat(), until=frame.now.isoformat())


async def set_priority(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.PriorityIn,
    expected_version: Expected,
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
    expected_version: Expected,
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
    if body.agreed:
        steps += [NewStep(verb="resumed", line=line) for line in ids]
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
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """What the job cost us beside the part: never the customer's, borne by the cover's payer (P1, P2)."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    wanted = {ref.id for ref in body.lines} if body.lines else {frame.loaded.lines[0].id}
    try:
        amount = of_amount(body.amount, frame.loaded.row.currency)
    except ValueError as wrong:
        raise BadFields(errors=[FieldError("amount", "field.bad", {"why": str(wrong)})]) from wrong
    for line in frame.loaded.lines:
        if line.id in wanted:
            await record_cost(
                db,
                actor=actor,
                job=frame.job(line),
                kind=CostKind(body.kind),
                amount=amount,
                covered=line.covered,
                payer=Payer(line.payer) if line.payer else None,
                source=f"{line.id}:{body.kind}:{len(frame.loaded.steps)}",
                note=body.note,
                occurred_at=frame.at,
                now=now,
            )
    return await _step(frame, "cost_recorded", kind=body.kind, replan=False)  # the amount is finance's, see borne costs


async def add_note(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.NoteIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """A note for whoever looks next."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    return await _step(frame, "noted", text=body.text, replan=False)


async def ask_return(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """Not wanted any more, but handed over already: whoever has the part is told to bring it back (S6b).

    The ledger follows when it is back, by `return-unused`.
    """
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, Verb.RETURN_UNUSED.value)
    return await _step(frame, "return_asked", replan=False)


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
