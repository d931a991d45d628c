"""What was ordered at which cost: recorded by those who see cost, so that the warehouse receives without knowing it."""

from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError
from app.core.events import Event, announce
from app.stock.queries.bins import purchases
from app.stock.queries.holds import rates_of
from app.stock.queries.lookups import place_for, tracking
from app.stock.schemas import CostIn, PurchaseIn, PurchasesOut, ReceiptIn, ReceiptLineIn
from app.stock.service.lines import line_value
from app.stock.service.refusals import BadLines

NOTE = text("""
    INSERT INTO purchase_line (place, reference, part, quantity, unit_cost, currency, rates, noted_at, noted_by)
    VALUES (:place, :reference, :part, :quantity, :unit_cost, :currency, CAST(:rates AS jsonb), :now, :by)
    ON CONFLICT (place, reference, part) DO UPDATE SET quantity = excluded.quantity, unit_cost = excluded.unit_cost,
        currency = excluded.currency, rates = excluded.rates, noted_at = excluded.noted_at,
        noted_by = excluded.noted_by, version = purchase_line.version + 1
    RETURNING version
""")
ORDERED = text("""
    SELECT part, unit_cost, currency, rates FROM purchase_line
    WHERE place = :place AND reference = :reference AND part = ANY(CAST(:parts AS text[]))
""")


async def note_purchase(db: AsyncConnection, *, actor: Actor, new: PurchaseIn, now: datetime) -> PurchasesOut:
    """Record what was ordered for a place and what it costs. Raises NoSuchPlace, BadLines.

    Receipts booked before keep the cost they were booked at (P2).
    """
    await place_for(db, actor=actor, place=new.place)
    known = await tracking(db, parts=[line.part_number for line in new.lines])
    errors = [
        FieldError(f"lines.{at}.part_number", "part.unknown", {"part_number": line.part_number})
        for at, line in enumerate(new.lines)
        if line.part_number not in known
    ]
    if errors:
        raise BadLines(errors=errors)
    stamp = {"place": new.place, "reference": new.reference, "now": now, "by": actor.id}
    version = 1
    for at, line in enumerate(sorted(new.lines, key=lambda one: one.part_number)):
        line_value(line.unit_cost, line.quantity, at)
        row = {"part": line.part_number, "quantity": line.quantity, "unit_cost": line.unit_cost.amount}
        row |= {"currency": line.unit_cost.currency, "rates": msgspec.json.encode(line.rates or {}).decode()}
        version = max(version, int((await db.execute(NOTE, stamp | row)).scalar_one()))
    facts = [{"part_number": line.part_number, "quantity": line.quantity} for line in new.lines]
    event = Event(  # what it costs is finance's, so the event that the place may read names none
        type="stock.ordered",
        subject=f"{new.place}/{new.reference}",
        version=version,
        place=new.place,
        data={"place": new.place, "reference": new.reference, "lines": facts},
    )
    await announce(db, event, by=actor, now=now)
    return await purchases(db, actor=actor, place=new.place, reference=new.reference, cursor=None, limit=None)


async def costed(db: AsyncConnection, *, new: ReceiptIn) -> list[tuple[ReceiptLineIn, CostIn]]:
    """A receipt's lines with what one piece costs: as stated, else as ordered under its reference; none is made up.

    Raises BadLines for every line whose cost nobody recorded.
    """
    wanted = sorted({line.part_number for line in new.lines if line.unit_cost is None})
    asked = {"place": new.place, "reference": new.reference, "parts": wanted}
    ordered = {row.part: row for row in await db.execute(ORDERED, asked)} if wanted else {}
    found, errors = [], []
    for at, line in enumerate(new.lines):
        row = ordered.get(line.part_number)
        if line.unit_cost is not None:
            found.append((line, line.unit_cost))
        elif row is not None:
            priced = msgspec.structs.replace(line, rates=rates_of(row.rates))
            found.append((priced, CostIn(amount=row.unit_cost, currency=row.currency)))
        else:
            facts = {"part_number": line.part_number, "reference": new.reference}
            errors.append(FieldError(f"lines.{at}.unit_cost", "purchase.cost_unknown", facts))
    if errors:
        raise BadLines(errors=errors)
    return found
