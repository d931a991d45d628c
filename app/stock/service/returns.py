"""What comes back from customers: removed parts (RMA) and loans; and what is lent to them (S6, C7)."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError, NotFound
from app.core.events import Event, announce
from app.core.http import Expected, check_version
from app.core.ids import new_id
from app.stock.queries import lists
from app.stock.queries.holds import locked_reservations
from app.stock.queries.lookups import place_for, tracking
from app.stock.rules.ledger import NO_CURRENCY, Key, Layer, Virtual, Why
from app.stock.schemas import BookedOut, LoanBackIn, LoanIn, LoanOut, PiecesIn, ReturnIn, ReturnLineIn
from app.stock.service.books import fresh_layer_ids, layers_by_id, open_books, post
from app.stock.service.lines import check_lines, choose_pieces, happened, key_at
from app.stock.service.refusals import AlreadyBack, BadLines

CAME_BACK = text("""
    SELECT coalesce(sum(quantity), 0)::bigint FROM stock_movement
    WHERE why = 'return_defective' AND reference = :reference
""")
KNOWN_CUSTOMER = text("""
    SELECT code FROM customer WHERE code = :customer
      AND (CAST(:scope_customers AS text[]) IS NULL OR code = ANY(CAST(:scope_customers AS text[])))
""")
LEND = text("""
    INSERT INTO stock_loan (id, reference, customer, place, layer, value_minor, movement, lent_at)
    VALUES (:id, :reference, :customer, :place, :layer, :value_minor, :movement, :lent_at)
""")
LOCK_LOAN = text("SELECT layer, value_minor, version, back_at FROM stock_loan WHERE id = :id FOR UPDATE")
BACK = text("""
    UPDATE stock_loan SET back_at = :at, back_place = :place, back_condition = :condition, version = version + 1
    WHERE id = :id AND back_at IS NULL
""")


class NoSuchCustomer(NotFound):
    """No customer by that code in this actor's scope."""

    code = "customer.not_found"


async def return_removed(db: AsyncConnection, *, actor: Actor, new: ReturnIn, now: datetime) -> BookedOut:
    """Take removed parts in, usually defective, at no value: the customer's stock was written off when it was fitted.

    A serial that is not with a customer (returned before, or in stock) is SerialInUse (T25); more pieces for a request
    line than it was given are BadLines.
    """
    await place_for(db, actor=actor, place=new.place)
    when = happened(new.occurred_at, now)
    kinds = await tracking(db, parts=[line.part_number for line in new.lines])
    check_lines(new.lines, [line.quantity for line in new.lines], kinds, entering=True)
    for at, line in enumerate(new.lines):
        await _within_issued(db, line, at, sum(other.quantity for other in new.lines if other.line == line.line))
    books = await open_books(db, keys={key_at(new.place, line) for line in new.lines})
    ids = iter(await fresh_layer_ids(db, sum(line.quantity if line.serials else 1 for line in new.lines)))
    return_id = new_id("rma", now)
    for line in new.lines:
        serials: list[str | None] = [*line.serials] if line.serials else [None]
        for serial in serials:
            layer = Layer(
                id=next(ids),
                key=key_at(new.place, line),
                quantity=1 if serial else line.quantity,
                value_minor=0,
                currency=NO_CURRENCY,
                received_at=when,
                lot=line.lot,
                serial=serial,
            )
            reference = line.line or new.reference or return_id
            books.put_new(
                layer, from_place=Virtual.CUSTOMER, why=Why.RETURN_DEFECTIVE, reference=reference, note=new.note
            )
    moved = await post(db, books, by=actor, now=now, occurred_at=when)
    lines = [{"part_number": line.part_number, "quantity": line.quantity, "line": line.line} for line in new.lines]
    facts = {"verb": "came_back", "place": new.place, "lines": lines}
    event = Event(type="stock.moved", subject=return_id, place=new.place, data=facts)
    await announce(db, event, by=actor, now=now, occurred_at=when)
    return BookedOut(id=return_id, place=new.place, movements=moved)


async def _within_issued(db: AsyncConnection, line: ReturnLineIn, at: int, asked: int) -> None:
    """No more old parts come back for a request line than new ones went out for it. The line's rows are locked."""
    if line.line is None:
        return
    given = [one for one in await locked_reservations(db, references=[line.line]) if one.state == "issued"]
    out = sum(one.quantity - one.returned for one in given)
    back = int(await db.scalar(CAME_BACK, {"reference": line.line}) or 0)
    if back + asked > out:
        facts = {"issued": out, "returned": back, "asked": asked}
        raise BadLines(errors=[FieldError(f"lines.{at}.quantity", "return.more_than_issued", facts)])


async def lend(db: AsyncConnection, *, actor: Actor, new: LoanIn, now: datetime) -> LoanOut:
    """Lend one free piece to a customer; tracked until it is back. Raises OutOfStock, SerialInUse, NoSuchPlace."""
    await place_for(db, actor=actor, place=new.place)
    known = {"customer": new.customer, "scope_customers": actor.scope["scope_customers"]}
    if await db.scalar(KNOWN_CUSTOMER, known) is None:
        raise NoSuchCustomer(customer=new.customer)
    when = happened(new.occurred_at, now)
    serials = [new.serial] if new.serial else None
    line = PiecesIn(
        part_number=new.part_number, quantity=1, serials=serials, condition=new.condition, genuine=new.genuine
    )
    check_lines([line], [1], await tracking(db, parts=[new.part_number]), entering=False)
    key = key_at(new.place, line)
    books = await open_books(db, keys={key}, whole=True)
    layer = choose_pieces(books.layers_at(key), line, 1, key)[0].layer
    loan_id = new_id("loan", now)
    value = books.take(layer.id, 1, to_place=Virtual.CUSTOMER, why=Why.LOAN, reference=loan_id, note=new.reference)
    moved = await post(db, books, by=actor, now=now, occurred_at=when)
    row = {"id": loan_id, "reference": new.reference, "customer": new.customer, "place": new.place}
    await db.execute(LEND, row | {"layer": layer.id, "value_minor": value, "movement": moved[0], "lent_at": when})
    return await _announced(db, loan_id, "lent", actor, now, when)


async def take_back(
    db: AsyncConnection, *, actor: Actor, loan_id: str, back: LoanBackIn, if_match: Expected, now: datetime
) -> LoanOut:
    """A loan returns with the value it left with, in the condition it is in now; said twice alike, it counts once."""
    loan = await lists.loan(db, actor=actor, loan_id=loan_id)
    await place_for(db, actor=actor, place=back.place)
    row = (await db.execute(LOCK_LOAN, {"id": loan_id})).one()
    check_version(row.version, if_match)
    if row.back_at is not None:
        loan = await lists.loan(db, actor=actor, loan_id=loan_id)
        if (loan.back_place, loan.back_condition) != (back.place, back.condition):
            raise AlreadyBack(loan=loan_id, place=loan.back_place, condition=loan.back_condition)
        return loan
    when = happened(back.occurred_at, now)
    source = (await layers_by_id(db, ids=[row.layer]))[row.layer]
    key = Key(back.place, loan.part_number, back.condition, source.key.genuine)
    books = await open_books(db, keys={key})
    layer = Layer(
        id=(await fresh_layer_ids(db, 1))[0],
        key=key,
        quantity=1,
        value_minor=row.value_minor,
        currency=source.currency,
        received_at=source.received_at,
        lot=source.lot,
        serial=source.serial,
        expires_on=source.expires_on,
        rates=source.rates,
    )
    books.put_new(layer, from_place=Virtual.CUSTOMER, why=Why.LOAN_BACK, reference=loan_id)
    await post(db, books, by=actor, now=now, occurred_at=when)
    await db.execute(BACK, {"id": loan_id, "at": when, "place": back.place, "condition": back.condition})
    return await _announced(db, loan_id, "taken_back", actor, now, when)


async def _announced(
    db: AsyncConnection, loan_id: str, verb: str, actor: Actor, now: datetime, when: datetime
) -> LoanOut:
    loan = await lists.loan(db, actor=actor, loan_id=loan_id)
    facts = {"verb": verb, "customer": loan.customer, "part_number": loan.part_number, "serial": loan.serial}
    event = Event(
        type="stock.moved", subject=loan_id, version=loan.version, customer=loan.customer, place=loan.place, data=facts
    )
    await announce(db, event, by=actor, now=now, occurred_at=when)
    return loan
