"""Reported stock answers (P5): the partner or supplier confirms what is held there, at the price it really has."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.events import By, Event, announce
from app.core.money import Money
from app.stock.queries.holds import Reserved, locked_reservations
from app.stock.rules.ledger import cuts
from app.stock.service.books import open_books, post
from app.stock.service.holds import state_of
from app.stock.service.refusals import NotHeld, OtherCurrency

CONFIRM = text(
    "UPDATE reservation SET provisional = false, value_minor = :value_minor WHERE id = :id AND state = 'held'"
)


async def confirm_reported(
    db: AsyncConnection, *, actor: By, reference: str, now: datetime, total: Money | None = None
) -> list[Reserved]:
    """The pieces held for a reference are there; `total` is what all of them really cost (None: as reported).

    Gives the holds as they are now, no longer provisional; whether a higher price needs new consent is the caller's to
    ask (P5). Raises NotHeld, OtherCurrency.
    """
    found = await locked_reservations(db, references=[reference])
    held = [one for one in found if one.state == "held"]
    if not held:
        raise NotHeld(reference=reference, state=state_of(found))
    if total is not None and {one.currency for one in held} != {total.currency}:
        raise OtherCurrency(currency=held[0].currency, given=total.currency)
    values = [one.value_minor for one in held]
    if total is not None:
        values = cuts(total.minor, sum(one.quantity for one in held), [one.quantity for one in held])
    books = await open_books(db, keys={one.key for one in held}, layers=[one.layer for one in held])
    confirmed = []
    for one, value in zip(held, values, strict=True):
        if value != one.value_minor:
            books.revalue_held(one.layer, value - one.value_minor, reference=reference, reservation=one.id)
        await db.execute(CONFIRM, {"id": one.id, "value_minor": value})
        confirmed.append(replace(one, value_minor=value, provisional=False))
    await post(db, books, by=actor, now=now)
    data = {"verb": "confirmed", "reference": reference, "place": held[0].place}
    event = Event(type="stock.confirmed", subject=reference, place=held[0].place, data=data)
    await announce(db, event, by=actor, now=now)
    return confirmed
