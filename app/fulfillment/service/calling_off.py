"""Asking partners and suppliers for what they only report, and taking the question back when it no longer matters."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce_all
from app.core.ids import new_id
from app.fulfillment.queries.region import tier_of

# Minutes to answer by the request's tier; a setting of the installation, as every process has it.
ASK = text("""
    INSERT INTO call_off (id, request, line, place, part, quantity, asked_at, answer_due_at)
    SELECT a.id, a.request, a.line, a.place, a.part, a.quantity, :now, CAST(:now AS timestamptz) + interval '1 minute' * (
        CAST(string_to_array(coalesce(nullif(current_setting('sparelane.call_off_minutes', true), ''), '10,20,60'), ',')
            AS bigint[]))[a.tier + 1]
    FROM json_to_recordset(CAST(:asked AS json))
        AS a(id text, request text, line text, place text, part text, quantity bigint, tier int)
    RETURNING id, line, answer_due_at
""")
WITHDRAW = text("""
    UPDATE call_off SET state = 'withdrawn', answered_at = :now, answered_by = :by, version = version + 1
    WHERE line = ANY(CAST(:lines AS text[])) AND state = 'open' RETURNING id, line, place, part, quantity, version
""")


async def ask_partners(db: AsyncConnection, *, actor: Actor, request: Any, lines: Sequence[Any], now: datetime) -> None:
    """Ask the source of each of these lines, whose stock is reported, to confirm it in time."""
    tier = tier_of(request.priority, request.found_on)
    asked = [
        {
            "id": new_id("cof", now),
            "request": request.id,
            "line": one.id,
            "place": one.source,
            "part": one.supplied_part_number,
            "quantity": one.quantity,
            "tier": tier,
        }
        for one in lines
    ]
    made = await db.execute(ASK, {"asked": msgspec.json.encode(asked).decode(), "now": now})
    due = {row.id: row.answer_due_at for row in made}
    events = [
        call_off_event("asked", one["id"], request, one | {"answer_due_at": due[one["id"]]}, version=1) for one in asked
    ]
    await announce_all(db, events, by=actor, now=now)


async def withdraw(db: AsyncConnection, *, actor: Actor, request: Any, lines: Iterable[str], now: datetime) -> int:
    """What was asked for these lines need not be answered any more. Gives how many questions were open."""
    rows = (await db.execute(WITHDRAW, {"lines": sorted(lines), "now": now, "by": actor.id})).all()
    events = [call_off_event("withdrawn", row.id, request, row._mapping, version=row.version) for row in rows]
    await announce_all(db, events, by=actor, now=now)
    return len(rows)


def call_off_event(what: str, call_off: str, request: Any, facts: Any, *, version: int) -> Event:
    """An event of a call-off: which line, which pieces, from where; never its link."""
    shown = ("line", "place", "part", "quantity", "answer_due_at", "available_at", "note")
    data = {"request": request.id} | {name: facts[name] for name in shown if name in facts}
    return Event(
        type=f"call_off.{what}",
        subject=call_off,
        version=version,
        customer=request.customer,
        area=request.area,
        place=facts["place"],
        data=data,
    )
