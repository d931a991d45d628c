"""Goods in: a receipt makes layers with their landed cost, all lines or none (S6, P2)."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce
from app.core.ids import new_id
from app.core.money import Money
from app.core.types import MoneyOut
from app.stock.queries.lookups import place_for, tracking
from app.stock.rules.ledger import Layer, Virtual, Why, cuts
from app.stock.schemas import ReceiptIn, ReceiptLineIn, ReceiptLineOut, ReceiptOut
from app.stock.service.books import fresh_layer_ids, open_books, post
from app.stock.service.lines import check_lines, happened, key_at, line_value


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
    receipt_id = new_id("rcp", now)
    values = [line_value(line.unit_cost, line.quantity, at) for at, line in enumerate(new.lines)]
    books = await open_books(db, keys={key_at(new.place, line) for line in new.lines})
    count = sum(len(line.serials) if line.serials else 1 for line in new.lines)
    ids = iter(await fresh_layer_ids(db, count))
    for line, value in zip(new.lines, values, strict=True):
        for layer in _layers(new.place, line, value, ids, received_at):
            why = Why.RECEIPT if place.ours else Why.REPORTED
            books.put_new(layer, from_place=Virtual.SUPPLIER, why=why, reference=receipt_id, note=new.reference)
    await post(db, books, by=actor, now=now, occurred_at=received_at)
    answer = ReceiptOut(
        id=receipt_id,
        place=new.place,
        reference=new.reference,
        received_at=received_at,
        lines=[_line_out(line, value, actor) for line, value in zip(new.lines, values, strict=True)],
    )
    lines = [{"part_number": line.part_number, "quantity": line.quantity, "lot": line.lot} for line in new.lines]
    facts = {"place": new.place, "reference": new.reference, "lines": lines}
    event = Event(type="stock.received", subject=receipt_id, place=new.place, data=facts)
    await announce(db, event, by=actor, now=now, occurred_at=received_at)
    return answer


def _layers(place: str, line: ReceiptLineIn, value: int, ids: Iterator[int], received_at: datetime) -> Iterator[Layer]:
    """One layer for the line, or one for each serial, sharing the line's value to the last minor unit."""
    pieces = [1] * line.quantity if line.serials else [line.quantity]
    for at, (quantity, minor) in enumerate(zip(pieces, cuts(value, line.quantity, pieces), strict=True)):
        yield Layer(
            id=next(ids),
            key=key_at(place, line),
            quantity=quantity,
            value_minor=minor,
            currency=line.unit_cost.currency,
            received_at=received_at,
            lot=line.lot,
            serial=line.serials[at] if line.serials else None,
            expires_on=line.expires_on,
            rates=line.rates or {},
        )


def _line_out(line: ReceiptLineIn, value: int, actor: Actor) -> ReceiptLineOut:
    money = Money(value, line.unit_cost.currency)
    return ReceiptLineOut(
        part_number=line.part_number,
        quantity=line.quantity,
        lot=line.lot,
        serials=line.serials or [],
        condition=line.condition,
        genuine=line.genuine,
        expires_on=line.expires_on,
        value=MoneyOut(amount=money.amount, currency=money.currency) if actor.sees_cost else None,
    )
