"""Goods in: a receipt makes layers with their landed cost, all lines or none (S6, P2)."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce
from app.core.ids import new_id
from app.core.money import Money
from app.core.types import MoneyOut
from app.stock.queries.lookups import NoSuchReceipt, place_for, tracking
from app.stock.rules.ledger import Key, Layer, Virtual, Why, cuts
from app.stock.schemas import BookedOut, CostIn, ReceiptIn, ReceiptLineIn, ReceiptLineOut, ReceiptOut
from app.stock.service.bins import need_bins
from app.stock.service.books import fresh_layer_ids, open_books, post
from app.stock.service.lines import check_lines, happened, key_at, line_value
from app.stock.service.purchases import costed
from app.stock.service.refusals import ReceiptUsed

# A receipt's entries, each with the entry that took it back, if any.
ENTRIES = text("""
    SELECT m.id, m.place, m.part, m.condition, m.genuine, m.layer, m.quantity, c.id AS taken_back
    FROM stock_movement m LEFT JOIN stock_movement c ON c.corrects = m.id
    WHERE m.reference = :receipt AND m.why IN ('receipt', 'reported')
      AND (CAST(:scope_places AS text[]) IS NULL OR m.place = ANY(CAST(:scope_places AS text[])))
    ORDER BY m.id
""")


async def receive(db: AsyncConnection, *, actor: Actor, new: ReceiptIn, now: datetime) -> ReceiptOut:
    """Book a receipt. At a place whose stock is reported, the pieces are what the partner says it has.

    Raises NoSuchPlace, BadLines (every wrong line named) or SerialInUse.
    """
    place = await place_for(db, actor=actor, place=new.place)
    received_at = happened(new.occurred_at, now)
    quantities = [line.quantity for line in new.lines]
    check_lines(
        new.lines, quantities, await tracking(db, parts=[line.part_number for line in new.lines]), entering=True
    )
    await need_bins(db, place=new.place, bins=[line.bin for line in new.lines])
    receipt_id = new_id("rcp", now)
    booked = [_booked(line, cost, at) for at, (line, cost) in enumerate(await costed(db, new=new))]
    books = await open_books(db, keys={key_at(new.place, line) for line in new.lines})
    count = sum(len(line.serials) if line.serials else 1 for line in new.lines)
    ids = iter(await fresh_layer_ids(db, count))
    for line, value in booked:
        for layer in _layers(new.place, line, value, ids, received_at):
            why = Why.RECEIPT if place.ours else Why.REPORTED
            books.put_new(layer, from_place=Virtual.SUPPLIER, why=why, reference=receipt_id, note=new.reference)
    await post(db, books, by=actor, now=now, occurred_at=received_at)
    answer = ReceiptOut(
        id=receipt_id,
        place=new.place,
        reference=new.reference,
        received_at=received_at,
        lines=[_line_out(line, value, actor) for line, value in booked],
    )
    lines = [
        {"part_number": line.part_number, "quantity": line.quantity, "lot": line.lot, "bin": line.bin}
        for line in new.lines
    ]
    facts = {"place": new.place, "reference": new.reference, "lines": lines}
    event = Event(type="stock.received", subject=receipt_id, place=new.place, data=facts)
    await announce(db, event, by=actor, now=now, occurred_at=received_at)
    return answer


async def cancel_receipt(
    db: AsyncConnection, *, actor: Actor, receipt_id: str, reason: str, now: datetime
) -> BookedOut:
    """Take a wrong receipt back, all of it: reversing entries that name the originals (IS12, T19).

    Canceled twice, it answers the same. Raises NoSuchReceipt, ReceiptUsed once any of its pieces was held or moved.
    """
    asked = {"receipt": receipt_id, "scope_places": actor.scope["scope_places"]}
    seen = (await db.execute(ENTRIES, asked)).all()
    if not seen:
        raise NoSuchReceipt(receipt=receipt_id)
    keys = {Key(row.place, row.part, row.condition, row.genuine) for row in seen}
    books = await open_books(db, keys=keys, layers=[row.layer for row in seen])
    rows = (await db.execute(ENTRIES, asked)).all()  # anew: someone may have canceled it while we waited for the locks
    if all(row.taken_back for row in rows):
        return BookedOut(id=receipt_id, place=rows[0].place, movements=[row.taken_back for row in rows])
    used = sorted({row.part for row in rows if books.layers[row.layer].free != row.quantity})
    if used:
        raise ReceiptUsed(receipt=receipt_id, parts=used)
    for row in rows:
        books.take(
            row.layer,
            row.quantity,
            to_place=Virtual.SUPPLIER,
            why=Why.CORRECTION,
            reference=receipt_id,
            corrects=row.id,
            note=reason,
        )
    moved = await post(db, books, by=actor, now=now)
    facts = {"verb": "receipt_canceled", "place": rows[0].place, "reason": reason}
    event = Event(type="stock.moved", subject=receipt_id, version=2, place=rows[0].place, data=facts)
    await announce(db, event, by=actor, now=now)
    return BookedOut(id=receipt_id, place=rows[0].place, movements=moved)


def _booked(line: ReceiptLineIn, cost: CostIn, at: int) -> tuple[ReceiptLineIn, Money]:
    """A line with what its pieces cost together."""
    return line, Money(line_value(cost, line.quantity, at), cost.currency)


def _layers(
    place: str, line: ReceiptLineIn, value: Money, ids: Iterator[int], received_at: datetime
) -> Iterator[Layer]:
    """One layer for the line, or one for each serial, sharing the line's value to the last minor unit."""
    pieces = [1] * line.quantity if line.serials else [line.quantity]
    for at, (quantity, minor) in enumerate(zip(pieces, cuts(value.minor, line.quantity, pieces), strict=True)):
        yield Layer(
            id=next(ids),
            key=key_at(place, line),
            quantity=quantity,
            value_minor=minor,
            currency=value.currency,
            received_at=received_at,
            lot=line.lot,
            serial=line.serials[at] if line.serials else None,
            expires_on=line.expires_on,
            rates=line.rates or {},
            bin=line.bin,
        )


def _line_out(line: ReceiptLineIn, money: Money, actor: Actor) -> ReceiptLineOut:
    return ReceiptLineOut(
        part_number=line.part_number,
        quantity=line.quantity,
        lot=line.lot,
        serials=line.serials or [],
        condition=line.condition,
        genuine=line.genuine,
        expires_on=line.expires_on,
        bin=line.bin,
        value=MoneyOut(amount=money.amount, currency=money.currency) if actor.sees_cost else None,
    )
