"""Pieces past their date leave the shelf: nobody may be promised them (S4)."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.events import By, Event, announce_all
from app.stock.rules.ledger import Key, Virtual, Why
from app.stock.service.books import open_books, post

# A lot may be used on its last day, which ends at midnight where it lies.
PAST = text("""
    SELECT l.id, l.place, l.part, l.condition, l.genuine FROM stock_layer l JOIN place p ON p.code = l.place
    WHERE l.quantity > l.reserved AND l.expires_on < (CAST(:now AS timestamptz) AT TIME ZONE p.timezone)::date
    ORDER BY l.id LIMIT 500
""")


async def quarantine_expired(db: AsyncConnection, *, actor: By, now: datetime) -> int:
    """Move the free pieces of expired layers into quarantine; held ones stay with their hold. Gives how many pieces."""
    past = (await db.execute(PAST, {"now": now})).all()
    if not past:
        return 0
    keys = {Key(row.place, row.part, row.condition, row.genuine) for row in past}
    books = await open_books(db, keys=keys, layers=[row.id for row in past])
    events, pieces = [], 0
    for layer in list(books.layers.values()):
        if layer.free:
            books.take(layer.id, layer.free, to_place=Virtual.QUARANTINE, why=Why.EXPIRED)
            pieces += layer.free
            expires_on = layer.expires_on.isoformat() if layer.expires_on else None
            facts = {"part_number": layer.key.part, "quantity": layer.free, "lot": layer.lot, "expires_on": expires_on}
            data = {"verb": "expired", "place": layer.key.place, "lines": [facts]}
            events.append(Event(type="stock.moved", subject=f"lot:{layer.id}", place=layer.key.place, data=data))
    await post(db, books, by=actor, now=now)
    await announce_all(db, events, by=actor, now=now)
    return pieces
