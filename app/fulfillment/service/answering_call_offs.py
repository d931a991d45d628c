"""A partner's answer to a call-off: confirmed, declined, or none in time, which means the next source at once (R1, C7)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor, duty_actor
from app.core.errors import Conflict, Fact, FieldError, Reason, Unprocessable
from app.core.events import announce
from app.core.http import Expected, check_version
from app.fulfillment.queries.call_offs import NoSuchCallOff, call_off, partner_view
from app.fulfillment.queries.gather import places_of
from app.fulfillment.rules.states import HELD, State
from app.fulfillment.schemas import StepIn
from app.fulfillment.schemas.call_offs import CallOffConfirmIn, CallOffDeclineIn, CallOffOut
from app.fulfillment.service.calling_off import call_off_event
from app.fulfillment.service.candidates import Way
from app.fulfillment.service.decision import plain_reasons
from app.fulfillment.service.frame import Frame, open_frame
from app.fulfillment.service.records import NewStep, move
from app.fulfillment.service.resourcing import LOCK_BALANCES, Sources, facts_of_line, rehold, sources_of
from app.fulfillment.service.steering import MANAGERS
from app.routing.rules.sourcing import Ask, Candidate, Choice, choose_sources
from app.stock.service import confirm_reported

MOST_AHEAD = timedelta(days=60)
LOCKED = text("SELECT c.* FROM call_off c WHERE c.id = :id FOR UPDATE")
OF_REQUEST = text("SELECT request FROM call_off WHERE id = :id")
CLOSE = text("""
    UPDATE call_off SET state = :state, answered_at = :now, answered_by = :by, note = :note,
        available_at = CAST(:available_at AS timestamptz), version = version + 1
    WHERE id = :id RETURNING version
""")
REFUSED = text("SELECT DISTINCT place FROM call_off WHERE line = :line AND state IN ('declined', 'expired')")
CONFIRMED = text("""
    UPDATE request_line SET confirmed = true, provisional = false, eta = CAST(:eta AS timestamptz),
        handover_at = CAST(:handover_at AS timestamptz), carrier = :carrier
    WHERE id = :id
""")
STRANDED = text("""
    UPDATE request_line SET confirmed = false, mode = NULL, eta = NULL, handover_at = NULL, carrier = NULL,
        sourcing = CAST(:sourcing AS jsonb)
    WHERE id = :id
""")


class CallOffEnded(Conflict):
    """Answered otherwise, withdrawn, or too late: the line is elsewhere by now."""

    code = "call_off.ended"


class AvailableTooLate(Unprocessable):
    """Pieces that are ready in the past, or after more than two months, keep no promise."""

    code = "call_off.available_when"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """An open question under the request's lock, with the line it is for."""

    frame: Frame
    row: Any
    line: Any


Ending = Literal["declined", "expired"]


async def confirm_call_off(
    db: AsyncConnection,
    *,
    actor: Actor,
    call_off_id: str,
    body: CallOffConfirmIn,
    now: datetime,
    expected_version: Expected = None,
) -> CallOffOut:
    """The partner gives the pieces. Where they are ready only later, and another source keeps the promise better then,
    the line goes there instead. Confirming twice has one effect. Raises NoSuchCallOff, CallOffEnded, AvailableTooLate."""
    if body.available_at is not None and not now - timedelta(minutes=1) <= body.available_at <= now + MOST_AHEAD:
        raise AvailableTooLate(errors=[FieldError("available_at", "call_off.available_when")])
    asked = await _open(
        db, actor=actor, call_off_id=call_off_id, wanted="confirmed", now=now, expected=expected_version
    )
    if asked is None:
        return await call_off(db, actor=actor, call_off_id=call_off_id)
    frame, line = asked.frame, asked.line
    way = Way(line.mode, line.eta, line.handover_at, line.carrier)
    if body.available_at is not None and body.available_at > now:
        later, better = await _later(asked, body.available_at)
        if better is not None:
            await _close(asked, "declined", note=body.note, available_at=body.available_at)
            await _elsewhere(asked, "too_late", better)
            return await call_off(db, actor=actor, call_off_id=call_off_id)
        way = later or way
    await _close(asked, "confirmed", note=body.note, available_at=body.available_at)
    await confirm_reported(db, actor=actor, reference=line.id, now=now)
    values = {"id": line.id, "eta": way.eta, "handover_at": way.handover_at, "carrier": way.carrier}
    await db.execute(CONFIRMED, values)
    details = frame.details(place=line.source, available_at=body.available_at and body.available_at.isoformat())
    step = NewStep(verb="source_confirmed", line=line.id, details=details)
    await move(
        db, actor=actor, loaded=frame.loaded, states={}, steps=[step], event="source_confirmed", occurred_at=now, now=now,
        data={"line": line.id, "eta": way.eta},
    )  # fmt: skip
    return await call_off(db, actor=actor, call_off_id=call_off_id)


async def decline_call_off(
    db: AsyncConnection,
    *,
    actor: Actor,
    call_off_id: str,
    body: CallOffDeclineIn,
    now: datetime,
    expected_version: Expected = None,
) -> CallOffOut:
    """The partner does not give them: the next source takes the line in this very transaction, or managers are told."""
    asked = await _open(db, actor=actor, call_off_id=call_off_id, wanted="declined", now=now, expected=expected_version)
    if asked is not None:
        await _end(asked, "declined", note=body.note)
    return await call_off(db, actor=actor, call_off_id=call_off_id)


async def expire_call_off(db: AsyncConnection, *, actor: Actor, call_off_id: str, now: datetime) -> bool:
    """No answer in time is an answer. Whether this call ended it."""
    asked = await _open(db, actor=actor, call_off_id=call_off_id, wanted="expired", now=now)
    if asked is None or asked.row.answer_due_at > now:
        return False
    await _end(asked, "expired", note=None)
    return True


async def answer_by_link(
    db: AsyncConnection, *, token: str, body: CallOffConfirmIn | CallOffDeclineIn, now: datetime
) -> CallOffOut:
    """The answer of whoever holds the link: the partner, in the audit by its place."""
    view = await partner_view(db, token=token, now=now)
    actor = replace(duty_actor("call_off"), id=f"partner:{view.place}", name=view.place_name)
    if isinstance(body, CallOffConfirmIn):
        return await confirm_call_off(db, actor=actor, call_off_id=view.id, body=body, now=now)
    return await decline_call_off(db, actor=actor, call_off_id=view.id, body=body, now=now)


async def try_unconfirmed(db: AsyncConnection, *, actor: Actor, request_id: str, now: datetime) -> int:
    """Look once more for lines that every partner declined when nothing else was free. Gives how many moved."""
    frame = await open_frame(db, actor=actor, request_id=request_id, body=StepIn(), expected_version=None, now=now)
    moved = 0
    for line in frame.loaded.lines:
        if line.confirmed is False and line.mode is None and State(line.state) in HELD:
            asked = _Asked(frame=frame, row=None, line=line)
            better = await _next(asked)
            if better is not None:
                await _elsewhere(asked, "free_again", better)
                return moved + 1  # the request has moved on: its other lines are looked at next time
    return moved


async def _open(
    db: AsyncConnection, *, actor: Actor, call_off_id: str, wanted: str, now: datetime, expected: Expected = None
) -> _Asked | None:
    """Lock the request, then the question; None where it is answered like this already."""
    await call_off(db, actor=actor, call_off_id=call_off_id)  # scope: what may not be seen does not exist
    request_id = await db.scalar(OF_REQUEST, {"id": call_off_id})
    if request_id is None:
        raise NoSuchCallOff(id=call_off_id)
    frame = await open_frame(db, actor=actor, request_id=request_id, body=StepIn(), expected_version=None, now=now)
    row = (await db.execute(LOCKED, {"id": call_off_id})).one()
    check_version(row.version, expected)
    if row.state != "open":
        if row.state == wanted or wanted == "expired":
            return None
        raise CallOffEnded(state=row.state, place=row.place)
    line = next(one for one in frame.loaded.lines if one.id == row.line)
    return _Asked(frame=frame, row=row, line=line)


async def _close(asked: _Asked, state: str, *, note: str | None, available_at: datetime | None = None) -> None:
    frame, row = asked.frame, asked.row
    values = {"id": row.id, "state": state, "now": frame.now, "by": frame.actor.id, "available_at": available_at}
    version = int((await frame.db.execute(CLOSE, values | {"note": note})).scalar_one())
    facts = dict(row._mapping) | {"available_at": available_at, "note": note}
    event = call_off_event(state, row.id, frame.loaded.row, facts, version=version)
    await announce(frame.db, event, by=frame.actor, now=frame.now)


async def _end(asked: _Asked, state: Ending, *, note: str | None) -> None:
    """Close the question and go on to the next source, or say that there is none (C7)."""
    await _close(asked, state, note=note)
    better = await _next(asked)
    if better is not None:
        await _elsewhere(asked, state, better)
        return
    frame, line = asked.frame, asked.line
    reasons = (Reason("C7", "call_off.no_other_source", {"place": line.source, "part": line.part_number}),)
    sourcing = {"reasons": plain_reasons(reasons), "alternatives": []}
    await frame.db.execute(STRANDED, {"id": line.id, "sourcing": msgspec.json.encode(sourcing).decode()})
    why = "unconfirmed"
    step = NewStep(verb="called", line=line.id, details=frame.details(reason=why, place=line.source, told=MANAGERS))
    data = {"level": "called", "reason": why, "line": line.id, "place": line.source, "told": MANAGERS}
    await move(
        frame.db, actor=frame.actor, loaded=frame.loaded, states={}, steps=[step], event="escalated",
        occurred_at=frame.now, now=frame.now, data=data,
    )  # fmt: skip


Better = tuple[Sources, Candidate, Choice]


async def _sources(asked: _Asked) -> tuple[Sources, tuple[Candidate, ...]]:
    """What else could serve the line: without its own place and those that have refused it before."""
    frame, line = asked.frame, asked.line
    wishes = frame.loaded.row.accept_substitutes
    facts = await facts_of_line(
        frame.db, actor=frame.actor, loaded=frame.loaded, line=line, substitutes=wishes, now=frame.now
    )
    await frame.db.execute(LOCK_BALANCES, {"parts": sorted({line.supplied_part_number, *facts.parts})})
    sources = sources_of(facts, loaded=frame.loaded, line=line, now=frame.now)
    refused = {line.source, *(await frame.db.execute(REFUSED, {"line": line.id})).scalars()}
    return sources, tuple(one for one in sources.candidates if one.place not in refused)


async def _next(asked: _Asked) -> Better | None:
    """The best of what else there is; None if nothing is."""
    sources, others = await _sources(asked)
    choice = choose_sources([_ask(asked, sources, others)])
    return (sources, choice.picks[0].candidate, choice) if isinstance(choice, Choice) else None


def _ask(asked: _Asked, sources: Sources, candidates: tuple[Candidate, ...]) -> Ask:
    line = asked.line
    due_s = int((line.due_at - asked.frame.now).total_seconds())
    return Ask(
        line=line.id, quantity=line.quantity, kind=line.kind, due_s=due_s, tier=sources.ways.tier, candidates=candidates,
        allow_split=False,
    )  # fmt: skip


async def _later(asked: _Asked, ready_at: datetime) -> tuple[Way | None, Better | None]:
    """The way from the partner once the pieces are ready, and the source that keeps the promise better, if there is one.

    A courier's way is the plan's to say: it learns of the time by the call-off.
    """
    frame, line = asked.frame, asked.line
    if line.mode == "courier":
        return None, None
    sources, others = await _sources(asked)
    places, lanes = await places_of(frame.db, [line.source], area=frame.loaded.row.area)
    way = sources.ways.by_lane(
        places[line.source],
        lanes.get(line.source, ()),
        line.due_at,
        earliest_s=int((ready_at - frame.now).total_seconds()),
    )
    handover = way.handover_at
    own = Candidate(
        place=line.source,
        part=line.supplied_part_number,
        free=line.quantity,
        eta_s=int((way.eta - frame.now).total_seconds()) if way.eta else None,
        handover_s=int((handover - frame.now).total_seconds()) if handover else None,
        substitute=line.supplied_part_number != line.part_number,
        cost_minor=way.cost_minor,
    )  # it has said yes: it counts as ours against those that would have to be asked
    choice = choose_sources([_ask(asked, sources, (own, *others))])
    if not isinstance(choice, Choice) or choice.picks[0].candidate == own or choice.picks[0].late_s:
        return way, None
    late = own.handover_s if line.kind == "national" else own.eta_s
    keeps = late is not None and frame.now + timedelta(seconds=late) <= line.due_at
    return way, None if keeps else (sources, choice.picks[0].candidate, choice)


async def _elsewhere(asked: _Asked, why: str, better: Better) -> None:
    """The line comes from another place now; the promise stays, and the customer pays no more than was agreed."""
    frame, line = asked.frame, asked.line
    sources, taken, choice = better
    offer, way = sources.found[taken.shelf]
    facts: dict[str, Fact] = {"place": taken.place, "before": line.source, "part": taken.part}
    reason = {
        "declined": Reason("R1", "call_off.moved_declined", facts),
        "expired": Reason("R1", "call_off.moved_expired", facts),
        "too_late": Reason("R1", "call_off.moved_too_late", facts),
        "free_again": Reason("R1", "call_off.moved_free_again", facts),
    }[why]
    await rehold(frame, line, offer, way, reasons=(reason, *choice.reasons), alternatives=choice.alternatives)
    details = frame.details(place=taken.place, before=line.source, part_number=taken.part, why=why)
    step = NewStep(verb="resourced", line=line.id, details=details)
    await move(
        frame.db, actor=frame.actor, loaded=frame.loaded, states={}, steps=[step], event="resourced",
        occurred_at=frame.now, now=frame.now, data={"line": line.id, "place": taken.place, "why": why},
    )  # fmt: skip
