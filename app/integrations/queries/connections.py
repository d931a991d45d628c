"""Questions about connections, what came in by them, their tickets and drafts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import DISPATCHER, Actor
from app.core import keyset
from app.core.errors import NotFound
from app.integrations.providers import providers
from app.integrations.rules.profile import Profile, profile_of
from app.integrations.schemas import (
    ConnectionOut,
    ConnectionsOut,
    DraftOut,
    DraftsOut,
    ReceiptDetail,
    ReceiptOut,
    ReceiptsOut,
    TicketRow,
    TicketsOut,
)

SELECT = """
    SELECT c.*,
      (SELECT count(*) FROM connection_secret s WHERE s.connection = c.code AND s.purpose = 'verify'
         AND (s.expires_at IS NULL OR s.expires_at > :now)) AS verify_secrets,
      (SELECT count(*) FROM connection_secret s WHERE s.connection = c.code AND s.purpose = 'write'
         AND (s.expires_at IS NULL OR s.expires_at > :now)) AS write_secrets,
      EXISTS (SELECT FROM webhook_endpoint e WHERE e.connection = c.code AND e.state = 'active') AS writes_back
    FROM connection c
"""
ONE = text(f"{SELECT} WHERE c.code = :code").columns(overrides=JSONB)
PAGE = text(f"""
    {SELECT} WHERE CAST(:after AS text) IS NULL OR c.code > CAST(:after AS text) ORDER BY c.code LIMIT :limit
""").columns(overrides=JSONB)
LOCK = text("SELECT code FROM connection WHERE code = :code FOR UPDATE")
GATE = text("""
    SELECT c.code, c.provider, c.overrides, (
        SELECT array_agg(s.secret ORDER BY s.created_at DESC, s.id DESC) FROM connection_secret s
        WHERE s.connection = c.code AND s.purpose = 'verify' AND (s.expires_at IS NULL OR s.expires_at > :now)) AS secrets
    FROM connection c WHERE c.code = :code AND c.state = 'active'
""").columns(overrides=JSONB)
RECEIPTS = text("""
    SELECT r.* FROM hook_receipt r
    WHERE (CAST(:connection AS text) IS NULL OR r.connection = CAST(:connection AS text))
      AND (CAST(:state AS text) IS NULL OR r.state = CAST(:state AS text))
      AND (CAST(:ticket AS text) IS NULL OR r.ticket = CAST(:ticket AS text))
      AND (CAST(:before AS text) IS NULL OR r.id < CAST(:before AS text))
    ORDER BY r.id DESC LIMIT :limit
""").columns(facts=JSONB)
RECEIPT = text("SELECT * FROM hook_receipt WHERE id = :id").columns(facts=JSONB)
TICKETS = text("""
    SELECT t.* FROM ticket t
    WHERE (CAST(:connection AS text) IS NULL OR t.connection = CAST(:connection AS text))
      AND (CAST(:number AS text) IS NULL OR t.number = CAST(:number AS text))
      AND (CAST(:after AS text) IS NULL OR t.connection || chr(31) || t.number > CAST(:after AS text))
    ORDER BY t.connection || chr(31) || t.number LIMIT :limit
""").columns(facts=JSONB, known=JSONB)
SCOPED = """
    (CAST(:scope_customers AS text[]) IS NULL OR d.customer = ANY(CAST(:scope_customers AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR d.area = ANY(CAST(:scope_areas AS text[])))
"""
DRAFTS = text(f"""
    SELECT d.* FROM ticket_draft d WHERE {SCOPED}
      AND (CAST(:state AS text) IS NULL OR d.state = CAST(:state AS text))
      AND (CAST(:before AS text) IS NULL OR d.id < CAST(:before AS text))
    ORDER BY d.id DESC LIMIT :limit
""").columns(known=JSONB, problem=JSONB)
DRAFT = text(f"SELECT d.* FROM ticket_draft d WHERE {SCOPED} AND d.id = :id").columns(known=JSONB, problem=JSONB)


class NoSuchConnection(NotFound):
    """No connection by that code."""

    code = "connection.not_found"


class NoSuchReceipt(NotFound):
    """No delivery by that id."""

    code = "hook.not_found"


class NoSuchDraft(NotFound):
    """No draft by that id that this asker may see."""

    code = "draft.not_found"


@dataclass(frozen=True, slots=True)
class Gate:
    """What it takes to let a delivery in."""

    code: str
    profile: Profile
    secrets: tuple[str, ...]


def profile_by(row: Any) -> Profile:
    """The profile in force of a row with `provider` and `overrides`."""
    return profile_of(providers()[row.provider], row.overrides)


def connection_actor(row: Any, *, request_id: str) -> Actor:
    """Who acts for a connection: inside its scope, named after it."""

    def kept(values: list[str] | None) -> frozenset[str] | None:
        return None if values is None else frozenset(values)

    return Actor(
        id=f"connection:{row.code}",
        name=row.name,
        role=DISPATCHER,
        customers=kept(row.customers),
        areas=kept(row.areas),
        request_id=request_id,
    )


async def gate(db: AsyncConnection, *, code: str, now: datetime) -> Gate:
    """A connection's way of verifying, with its live secrets; NoSuchConnection also where it is disabled."""
    row = (await db.execute(GATE, {"code": code, "now": now})).one_or_none()
    if row is None:
        raise NoSuchConnection(code=code)
    return Gate(row.code, profile_by(row), tuple(row.secrets or ()))


async def connection_row(db: AsyncConnection, *, code: str, now: datetime, lock: bool = False) -> Any:
    """A connection's row, locked if asked."""
    if lock:
        await db.execute(LOCK, {"code": code})
    row = (await db.execute(ONE, {"code": code, "now": now})).one_or_none()
    if row is None:
        raise NoSuchConnection(code=code)
    return row


async def connection(db: AsyncConnection, *, code: str, now: datetime) -> ConnectionOut:
    return connection_out(await connection_row(db, code=code, now=now))


async def connections(db: AsyncConnection, *, now: datetime, cursor: str | None, limit: int | None) -> ConnectionsOut:
    """All connections by code."""
    rows, following = await keyset.page_by_text(db, PAGE, {"now": now}, key="code", cursor=cursor, limit=limit)
    return ConnectionsOut(items=[connection_out(row) for row in rows], next=following)


def connection_out(row: Any) -> ConnectionOut:
    plain = {
        name: getattr(row, name)
        for name in ConnectionOut.__struct_fields__
        if name not in ("hook", "profile", "polled_at")
    }
    profile = msgspec.to_builtins(profile_by(row))
    return ConnectionOut(**plain, hook=f"/hooks/{row.code}", profile=profile, polled_at=row.poll_cursor)


async def receipts(
    db: AsyncConnection,
    *,
    connection: str | None,
    state: str | None,
    ticket: str | None,
    cursor: str | None,
    limit: int | None,
) -> ReceiptsOut:
    """What came in, newest first."""
    size = keyset.capped(limit)
    before = keyset.decode(cursor, str)[0] if cursor else None
    binds = {"connection": connection, "state": state, "ticket": ticket, "before": before, "limit": size + 1}
    rows = (await db.execute(RECEIPTS, binds)).all()
    following = keyset.encode([rows[size - 1].id]) if len(rows) > size else None
    return ReceiptsOut(items=[receipt_out(row) for row in rows[:size]], next=following)


def receipt_out(row: Any) -> ReceiptOut:
    return ReceiptOut(**{name: getattr(row, name) for name in ReceiptOut.__struct_fields__})


async def receipt(db: AsyncConnection, *, receipt_id: str) -> ReceiptDetail:
    """One delivery with its raw body."""
    row = (await db.execute(RECEIPT, {"id": receipt_id})).one_or_none()
    if row is None:
        raise NoSuchReceipt(id=receipt_id)
    return ReceiptDetail(receipt=receipt_out(row), body=bytes(row.body).decode("utf-8", "replace"))


async def tickets(
    db: AsyncConnection, *, connection: str | None, number: str | None, cursor: str | None, limit: int | None
) -> TicketsOut:
    """Tickets as they are known, by connection and number."""
    size = keyset.capped(limit)
    after = keyset.decode(cursor, str)[0] if cursor else None
    binds = {"connection": connection, "number": number, "after": after, "limit": size + 1}
    rows = (await db.execute(TICKETS, binds)).all()
    items = [TicketRow(**{name: getattr(row, name) for name in TicketRow.__struct_fields__}) for row in rows[:size]]
    last = f"{rows[size - 1].connection}\x1f{rows[size - 1].number}" if len(rows) > size else None
    return TicketsOut(items=items, next=keyset.encode([last]) if last else None)


async def drafts(
    db: AsyncConnection, *, actor: Actor, state: str | None, cursor: str | None, limit: int | None
) -> DraftsOut:
    """Drafts this asker may see, newest first. One without a customer is seen by those without limits alone."""
    size = keyset.capped(limit)
    before = keyset.decode(cursor, str)[0] if cursor else None
    binds = {"state": state, "before": before, "limit": size + 1, **actor.scope}
    rows = (await db.execute(DRAFTS, binds)).all()
    following = keyset.encode([rows[size - 1].id]) if len(rows) > size else None
    return DraftsOut(items=[draft_out(row) for row in rows[:size]], next=following)


async def draft(db: AsyncConnection, *, actor: Actor, draft_id: str) -> DraftOut:
    """One draft, or NoSuchDraft."""
    row = (await db.execute(DRAFT, {"id": draft_id, **actor.scope})).one_or_none()
    if row is None:
        raise NoSuchDraft(id=draft_id)
    return draft_out(row)


def draft_out(row: Any) -> DraftOut:
    return DraftOut(**{name: getattr(row, name) for name in DraftOut.__struct_fields__})
