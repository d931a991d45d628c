"""A ticket in our books: what is known of it merged under its row's lock, and what follows done in the same transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor, duty_actor
from app.core.errors import NotFound
from app.core.events import Event, announce
from app.core.ids import new_id
from app.fulfillment import schemas as fulfillment
from app.fulfillment.queries.requests import load
from app.fulfillment.service import attending, journey
from app.integrations.rules.tickets import (
    BEFORE_HANDOVER,
    Action,
    Ask,
    Cancel,
    Draft,
    Known,
    Lower,
    NoteClosed,
    Nothing,
    Raise,
    Seen,
    Standing,
    decide_ticket,
    is_older,
    together,
)
from app.warranty import queries as warranty

FIRST = text("""
    INSERT INTO ticket (connection, number, known, status, seen_at) VALUES (:connection, :number, '{}', 'open', :now)
    ON CONFLICT (connection, number) DO NOTHING
""")
LOCK = text("SELECT * FROM ticket WHERE connection = :connection AND number = :number FOR UPDATE").columns(
    known=JSONB, facts=JSONB
)
KNOW = text("""
    UPDATE ticket SET known = CAST(:known AS jsonb), edition = :edition, status = :status, priority = :priority,
        request = :request, seen_at = :now, version = version + 1 WHERE connection = :connection AND number = :number
""")
NOTE = text("""
    UPDATE ticket SET outcome = :outcome, facts = facts || CAST(:facts AS jsonb), version = version + 1
    WHERE connection = :connection AND number = :number
""")
LINK = text("""
    UPDATE ticket SET request = :request, outcome = 'requested', version = version + 1
    WHERE connection = :connection AND number = :number
""")
DRAFT_IN = text("""
    INSERT INTO ticket_draft (id, connection, number, title, url, known, missing, problem, customer, area, state,
        received_at, created_at)
    VALUES (:id, :connection, :number, :title, :url, CAST(:known AS jsonb), CAST(:missing AS text[]),
        CAST(:problem AS jsonb), :customer, :area, 'open', :received_at, :now)
    ON CONFLICT (connection, number) WHERE state = 'open' DO UPDATE SET known = excluded.known, title = excluded.title,
        missing = excluded.missing, problem = excluded.problem, customer = excluded.customer, area = excluded.area,
        version = ticket_draft.version + 1
    RETURNING id, (xmax = 0) AS fresh
""")
AREA = text("SELECT area FROM site WHERE code = :site")
HAS_DRAFT = text("UPDATE ticket SET draft = :draft WHERE connection = :connection AND number = :number")
END_DRAFT = text("""
    UPDATE ticket_draft SET state = :state, request = :request, reason = :reason, ended_at = :now, ended_by = :by,
        version = version + 1 WHERE connection = :connection AND number = :number AND state = 'open' RETURNING id, version
""")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a delivery: a code, and the request or draft concerned."""

    outcome: str
    facts: Mapping[str, Any]
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request is to be made: what is known of the ticket."""

    known: Known


async def locked(db: AsyncConnection, *, connection: str, number: str, now: datetime) -> Any:
    """The ticket's row, made if need be, ours until the transaction ends."""
    binds = {"connection": connection, "number": number}
    await db.execute(FIRST, binds | {"now": now})
    return (await db.execute(LOCK, binds)).one()


async def take_in(
    db: AsyncConnection, *, actor: Actor, connection: str, seen: Seen, received_at: datetime, now: datetime
) -> Done | Wanted:
    """Merge a delivery into what is known and do what follows, except a request, which is decided outside first."""
    row = await locked(db, connection=connection, number=seen.number, now=now)
    before = None
    if row.known:
        before = Known(known=row.known, status=row.status, priority=row.priority, edition=row.edition)
        if is_older(seen, before):
            return Done("superseded", {}, ignored=True)
    after = together(seen, before)
    request = row.request
    standing = await _standing(db, row)
    if before is not None and before.status == "canceled" and after.status == "open" and standing and standing.ended:
        request = standing = None  # taken up again after it was canceled: it asks anew
    await db.execute(KNOW, {
        "connection": connection, "number": seen.number, "known": msgspec.json.encode(dict(after.known)).decode(),
        "edition": after.edition, "status": after.status, "priority": after.priority, "request": request, "now": now,
    })  # fmt: skip
    action = decide_ticket(after, before, standing, drafted=row.draft is not None)
    if isinstance(action, Ask):
        return Wanted(after)
    if after.status != "open":
        await end_draft(
            db,
            actor=actor,
            connection=connection,
            number=seen.number,
            request=None,
            reason=f"ticket_{after.status}",
            now=now,
        )
    done = await _do(db, actor, connection, after, action, request, received_at, now)
    await note(db, connection=connection, number=seen.number, done=done)
    return done


async def _standing(db: AsyncConnection, row: Any) -> Standing | None:
    if row.request is None:
        return None
    loaded = await load(db, actor=duty_actor("tickets"), request_id=row.request)
    return Standing(
        priority=loaded.row.priority,
        lines=tuple(line.state for line in loaded.lines),
        return_asked=any(step.verb == "return_asked" for step in loaded.steps),
        closed_noted=bool(row.facts.get("closed_noted")),
    )


async def _do(
    db: AsyncConnection,
    actor: Actor,
    connection: str,
    after: Known,
    action: Action,
    request: str | None,
    received_at: datetime,
    now: datetime,
) -> Done:
    """The one thing that follows, by the same verbs that people use."""
    facts = {"request": request} if request else {}
    match action:
        case Draft(missing=missing):
            made = await put_draft(
                db, actor=actor, connection=connection, known=after, missing=missing, problem=None,
                received_at=received_at, now=now,
            )  # fmt: skip
            return Done("drafted", {"draft": made, "missing": list(missing)})
        case Raise(priority=priority):
            await _verb(db, actor, attending.set_priority, request, fulfillment.PriorityIn(priority=priority), now)
            return Done("raised", facts | {"priority": priority})
        case Lower(priority=priority):
            words = f"The ticket asks for the lower priority {priority}; it needs the customer's word."
            await _verb(db, actor, attending.add_note, request, fulfillment.NoteIn(text=words), now)
            return Done("lower_noted", facts | {"priority": priority})
        case Cancel(cancel=cancel, ask_return=ask_return):
            if cancel:
                body = fulfillment.CancelIn(reason="ticket canceled", lines=await _not_handed_over(db, request))
                await _verb(db, actor, journey.cancel, request, body, now)
            if ask_return:
                body_back = fulfillment.StepIn(note="ticket canceled after the hand-over")
                await _verb(db, actor, attending.ask_return, request, body_back, now)
            return Done("canceled" if cancel else "return_asked", facts)
        case NoteClosed():
            words = "The ticket was closed while the request is open."
            await _verb(db, actor, attending.add_note, request, fulfillment.NoteIn(text=words), now)
            return Done("closed_noted", facts | {"closed_noted": True})
        case Nothing(why=why):
            return Done(why, facts)
        case Ask():
            raise AssertionError("a request is made by the door")


async def _not_handed_over(db: AsyncConnection, request: str | None) -> list[fulfillment.LineRef]:
    loaded = await load(db, actor=duty_actor("tickets"), request_id=request or "")
    return [fulfillment.LineRef(id=line.id) for line in loaded.lines if line.state in BEFORE_HANDOVER]


async def _verb(db: AsyncConnection, actor: Actor, verb: Any, request: str | None, body: Any, now: datetime) -> None:
    # The ticket is this connection's own, whoever accepted its request: the verb is not limited to what it made itself.
    whole = Actor(id=actor.id, name=actor.name, role=actor.role, request_id=actor.request_id)
    await verb(db, actor=whole, request_id=request, body=body, expected_version=None, now=now)


async def note(db: AsyncConnection, *, connection: str, number: str, done: Done) -> None:
    """Write on the ticket what its last delivery led to."""
    facts = msgspec.json.encode(dict(done.facts)).decode()
    await db.execute(NOTE, {"connection": connection, "number": number, "outcome": done.outcome, "facts": facts})


async def put_draft(
    db: AsyncConnection,
    *,
    actor: Actor,
    connection: str,
    known: Known,
    missing: tuple[str, ...],
    problem: Mapping[str, Any] | None,
    received_at: datetime,
    now: datetime,
) -> str:
    """Lay a ticket before a person, once: what is known, what is missing, or what stood in the way."""
    customer, area = await _whose(db, actor, known.known.get("serial"))
    number = known.known["number"]
    row = {
        "id": new_id("drf", now), "connection": connection, "number": number, "title": known.known.get("title"),
        "url": known.known.get("url"), "known": msgspec.json.encode(dict(known.known)).decode(),
        "missing": list(missing), "problem": None if problem is None else msgspec.json.encode(dict(problem)).decode(),
        "customer": customer, "area": area, "received_at": received_at, "now": now,
    }  # fmt: skip
    made = (await db.execute(DRAFT_IN, row)).one()
    await db.execute(HAS_DRAFT, {"draft": made.id, "connection": connection, "number": number})
    if made.fresh:
        data = {"ticket": {"system": connection, "number": number}, "missing": list(missing), "problem": problem}
        event = Event(type="ticket.drafted", subject=made.id, customer=customer, area=area, data=data)
        await announce(db, event, by=actor, now=now)
    return str(made.id)


async def _whose(db: AsyncConnection, actor: Actor, serial: str | None) -> tuple[str | None, str | None]:
    """Whose ticket it is: by its device, else by the connection's one customer."""
    only = next(iter(actor.customers)) if actor.customers is not None and len(actor.customers) == 1 else None
    if serial is None:
        return only, None
    try:
        device = await warranty.device(db, actor=actor, serial=serial)
    except NotFound:
        return only, None
    return device.customer, await db.scalar(AREA, {"site": device.site})


async def link(db: AsyncConnection, *, connection: str, number: str, request: str) -> None:
    """The ticket has its request."""
    await db.execute(LINK, {"connection": connection, "number": number, "request": request})


async def end_draft(
    db: AsyncConnection,
    *,
    actor: Actor,
    connection: str,
    number: str,
    request: str | None,
    reason: str | None,
    now: datetime,
) -> None:
    """The ticket's open draft, if any, is done with: completed by a request, or discarded for a reason."""
    state = "discarded" if request is None else "completed"
    binds = {"connection": connection, "number": number, "state": state, "request": request, "reason": reason}
    ended = (await db.execute(END_DRAFT, binds | {"now": now, "by": actor.id})).one_or_none()
    if ended is not None:
        data = {"ticket": {"system": connection, "number": number}, "request": request, "reason": reason}
        event = Event(type=f"ticket.draft_{state}", subject=ended.id, version=ended.version, data=data)
        await announce(db, event, by=actor, now=now)
