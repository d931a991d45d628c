"""Call-offs as they stand, inside the asker's scope, and the one that a signed link opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ADMIN, DISPATCHER, Actor
from app.core import keyset
from app.core.errors import NotFound
from app.fulfillment.queries.requests import scope_of
from app.fulfillment.rules.links import opened, signed
from app.fulfillment.schemas.call_offs import CallOffOut, CallOffsOut

LINK_LIVES = timedelta(days=2)
"""After the answer was due: who comes late still reads what became of it."""
SCOPED = """
    (CAST(:scope_customers AS text[]) IS NULL OR r.customer = ANY(CAST(:scope_customers AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR r.area = ANY(CAST(:scope_areas AS text[])))
    AND (CAST(:scope_places AS text[]) IS NULL OR c.place = ANY(CAST(:scope_places AS text[])))
    AND (CAST(:only_mine AS text) IS NULL OR r.created_by = :only_mine)
"""
SIGNED_WITH = "(SELECT secret FROM call_off_secret WHERE name = 'links') AS secret"
PAGE = text(f"""
    SELECT c.*, {SIGNED_WITH} FROM call_off c JOIN part_request r ON r.id = c.request
    WHERE {SCOPED} AND (CAST(:state AS text) IS NULL OR c.state = :state)
      AND (CAST(:request AS text) IS NULL OR c.request = :request)
      AND (CAST(:place AS text) IS NULL OR c.place = :place) AND (CAST(:id AS text) IS NULL OR c.id = :id)
      AND (CAST(:after AS text) IS NULL OR c.id < :after)
    ORDER BY c.id DESC LIMIT :limit
""")
LINKS = text("SELECT secret FROM call_off_secret WHERE name = 'links'")
# What a partner must know, and nothing of the customer, the device or a price.
FOR_PARTNER = text("""
    SELECT c.id, c.request, c.place, c.part, c.quantity, c.state, c.answer_due_at, c.available_at, c.note,
        q.name AS part_name, p.name AS place_name, p.timezone, coalesce(l.handover_at, l.due_at) AS needed_at
    FROM call_off c JOIN request_line l ON l.id = c.line JOIN part q ON q.number = c.part JOIN place p ON p.code = c.place
    WHERE c.id = :id
""")


class NoSuchCallOff(NotFound):
    """No call-off by that id that this asker may see; or a link that is not ours or has expired."""

    code = "call_off.not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerView:
    """What is asked of a partner, as its page shows it."""

    id: str
    request: str
    place: str
    place_name: str
    part: str
    part_name: str
    quantity: int
    state: str
    timezone: str
    needed_at: datetime
    answer_due_at: datetime
    available_at: datetime | None
    note: str | None


async def call_offs(
    db: AsyncConnection,
    *,
    actor: Actor,
    state: str | None = None,
    request: str | None = None,
    place: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    base: str = "",
) -> CallOffsOut:
    """Call-offs, newest first. `base` is where people reach the installation, for the links."""
    size = keyset.capped(limit)
    after = keyset.decode(cursor, str)[0] if cursor else None
    asked = {"state": state, "request": request, "place": place, "id": None, "after": after, "limit": size + 1}
    rows = (await db.execute(PAGE, asked | scope_of(actor))).all()
    following = keyset.encode([rows[size - 1].id]) if len(rows) > size else None
    return CallOffsOut(items=_outs(rows[:size], actor, base), next=following)


async def call_off(db: AsyncConnection, *, actor: Actor, call_off_id: str, base: str = "") -> CallOffOut:
    """One call-off. Raises NoSuchCallOff."""
    asked = {"state": None, "request": None, "place": None, "id": call_off_id, "after": None, "limit": 1}
    found = _outs((await db.execute(PAGE, asked | scope_of(actor))).all(), actor, base)
    if not found:
        raise NoSuchCallOff(id=call_off_id)
    return found[0]


def _outs(rows: Sequence[Any], actor: Actor, base: str) -> list[CallOffOut]:
    passes_on = actor.role in (ADMIN, DISPATCHER)
    return [
        CallOffOut(
            id=row.id,
            request=row.request,
            line=row.line,
            place=row.place,
            part_number=row.part,
            quantity=row.quantity,
            state=row.state,
            asked_at=row.asked_at,
            answer_due_at=row.answer_due_at,
            answered_at=row.answered_at,
            answered_by=row.answered_by,
            available_at=row.available_at,
            note=row.note,
            link=f"{base}/call-offs/{signed(row.id, row.answer_due_at + LINK_LIVES, secret=row.secret)}"
            if passes_on and row.state == "open"
            else None,
            version=row.version,
        )
        for row in rows
    ]


async def partner_view(db: AsyncConnection, *, token: str, now: datetime) -> PartnerView:
    """The call-off that a link opens. Raises NoSuchCallOff, whatever is wrong with the link."""
    secret = str(await db.scalar(LINKS))
    call_off_id = opened(token, secret=secret, now=now)
    row = None if call_off_id is None else (await db.execute(FOR_PARTNER, {"id": call_off_id})).one_or_none()
    if row is None:
        raise NoSuchCallOff(id=None)
    return PartnerView(**row._mapping)
