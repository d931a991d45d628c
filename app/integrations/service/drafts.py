"""Verbs on drafts: completed into a request by a person, or discarded with a reason."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.http import Expected, check_version
from app.fulfillment.rules.clocks import Priority
from app.fulfillment.schemas import FailureIn, RequestIn, TicketIn
from app.integrations.queries.connections import draft
from app.integrations.schemas import CompleteIn, DraftOut
from app.integrations.service.refusals import DraftNotOpen, TicketServed
from app.integrations.service.tickets import end_draft, link, locked

PRIORITY = text("SELECT priority FROM ticket WHERE connection = :connection AND number = :number")
LOCK = text("SELECT id FROM ticket_draft WHERE id = :id FOR UPDATE")


def asked_by(found: DraftOut, body: CompleteIn, *, priority: Priority | None) -> RequestIn:
    """The request a completed draft asks for; what the person left out is the ticket's."""
    title = (found.title or found.known.get("description") or "")[:500] or None
    failure = body.failure or FailureIn(
        occurred_at=found.received_at, cause="undetermined", system_stopped=False, description=title
    )
    return RequestIn(
        device_serial=body.device_serial,
        priority=body.priority or priority or "general",
        failure=failure,
        lines=body.lines,
        ticket=TicketIn(system=found.connection, number=found.number, url=found.url),
        received_at=found.received_at,
        accept_substitutes=body.accept_substitutes,
        allow_split=body.allow_split,
        additional=body.additional,
        site=body.site,
        model=body.model,
    )


async def complete(
    db: AsyncConnection, *, actor: Actor, draft_id: str, request: str, expected_version: Expected, now: datetime
) -> None:
    """The request was accepted in this very transaction: the draft and its ticket are its own now."""
    found = await open_draft(db, actor=actor, draft_id=draft_id)
    check_version(found.version, expected_version)
    row = await locked(db, connection=found.connection, number=found.number, now=now)
    if row.request is not None:
        raise TicketServed(request=row.request, ticket=found.number)
    await link(db, connection=found.connection, number=found.number, request=request)
    await end_draft(
        db, actor=actor, connection=found.connection, number=found.number, request=request, reason=None, now=now
    )


async def discard(
    db: AsyncConnection, *, actor: Actor, draft_id: str, reason: str, expected_version: Expected, now: datetime
) -> DraftOut:
    """Nothing will come of it."""
    found = await open_draft(db, actor=actor, draft_id=draft_id)
    check_version(found.version, expected_version)
    await end_draft(
        db, actor=actor, connection=found.connection, number=found.number, request=None, reason=reason, now=now
    )
    return await draft(db, actor=actor, draft_id=draft_id)


async def open_draft(db: AsyncConnection, *, actor: Actor, draft_id: str) -> DraftOut:
    """A draft that waits, its row locked."""
    known = await draft(db, actor=actor, draft_id=draft_id)
    await locked(db, connection=known.connection, number=known.number, now=known.created_at)  # ticket first, as all do
    await db.execute(LOCK, {"id": draft_id})
    found = await draft(db, actor=actor, draft_id=draft_id)
    if found.state != "open":
        raise DraftNotOpen(state=found.state, request=found.request)
    return found


async def priority_of(db: AsyncConnection, *, found: DraftOut) -> Priority | None:
    """The priority the ticket names, if it names one."""
    told: Priority | None = await db.scalar(PRIORITY, {"connection": found.connection, "number": found.number})
    return told
