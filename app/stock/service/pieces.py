"""Pieces that leave on a hold and come back: issue by scan, return unused, lost on the way (S6, S6b, P6)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.events import By, Event, announce
from app.core.ids import new_id
from app.core.money import share
from app.stock.queries.holds import Reserved, locked_reservations
from app.stock.rules.availability import Held, Matched, Mismatch, code_of, match_scans
from app.stock.rules.ledger import Layer, Virtual, Why
from app.stock.service.books import Books, Entry, open_books, post
from app.stock.service.holds import state_of
from app.stock.service.refusals import NotHeld, NotIssued, WrongBin, WrongPiece

TRACKED = text("SELECT tracking <> 'none' FROM part WHERE number = :part")
ISSUED = text("""
    UPDATE reservation SET state = 'issued', layer = :layer, quantity = :quantity, value_minor = :value_minor,
                           awaiting_consent = false, expires_at = NULL, closed_at = :now, closed_by = :by
    WHERE id = :id AND state = 'held'
""")
SPLIT = text("""
    INSERT INTO reservation (id, reference, place, part, condition, genuine, layer, quantity, value_minor, currency,
                             provisional, awaiting_consent, expires_at, held_at, held_by, split_from)
    SELECT :new_id, reference, place, part, condition, genuine, layer, quantity - :quantity,
           value_minor - :value_minor, currency, provisional, awaiting_consent, expires_at, held_at, held_by, id
    FROM reservation WHERE id = :id
""")
HELD_AGAIN = text("""
    INSERT INTO reservation (id, reference, place, part, condition, genuine, layer, quantity, value_minor, currency,
                             provisional, awaiting_consent, expires_at, held_at, held_by)
    SELECT :new_id, reference, place, part, condition, genuine, layer, CAST(:quantity AS bigint),
           CAST(:value_minor AS bigint), currency, provisional, false, NULL, :now, :by
    FROM reservation WHERE id = :id
""")
BACK = text("""
    UPDATE reservation SET returned = returned + :returned, returned_minor = returned_minor + :returned_minor,
                           lost = lost + :lost, lost_minor = lost_minor + :lost_minor
    WHERE id = :id AND state = 'issued' AND returned + lost + :returned + :lost <= quantity
""")
ISSUE_OF = text("""
    SELECT reservation, id FROM stock_movement WHERE why = 'issue' AND reservation = ANY(CAST(:ids AS text[]))
""")


async def issue(
    db: AsyncConnection,
    *,
    actor: By,
    reference: str,
    now: datetime,
    scanned: Sequence[str] = (),
    bins: Sequence[str] = (),
    quantity: int | None = None,
    occurred_at: datetime | None = None,
) -> list[Reserved]:
    """The warehouse has the pieces in its hand: holds of a reference become issues, at the value they bound (P6).

    `scanned` are serials, lots, or the part number of untracked pieces; another free piece of the same price takes over
    (S6). `bins` are those they were taken from. `quantity` issues that many and keeps the rest held. Raises NotHeld,
    or WrongPiece or WrongBin, which name what was due.
    """
    found = await locked_reservations(db, references=[reference])
    held = [one for one in found if one.state == "held"]
    if not held:
        raise NotHeld(reference=reference, state=state_of(found))
    books = await open_books(db, keys={one.key for one in held}, layers=[one.layer for one in held])
    going, cuts = _cut(held, quantity, scanned)
    layers = {one.id: books.layers[one.layer] for one in going}
    if scanned:
        layers = await _matched(db, books, going, scanned)
    if bins:
        _need_bins(layers, bins)
    for one, rest in cuts:
        row = {"id": one.id, "new_id": new_id("rsv", now), "quantity": one.quantity, "value_minor": one.value_minor}
        if rest:
            await db.execute(SPLIT, row)
    issued = [_issued(books, one, layers[one.id]) for one in going]
    stamp = {"now": now, "by": actor.id}
    rows = [
        {"id": one.id, "layer": one.layer, "quantity": one.quantity, "value_minor": one.value_minor} | stamp
        for one in issued
    ]
    await db.execute(ISSUED, rows)
    await _book(db, books, issued, type="issued", reference=reference, actor=actor, now=now, occurred_at=occurred_at)
    return issued


def _need_bins(layers: dict[str, Layer], bins: Sequence[str]) -> None:
    """Each piece lies in one of the bins that were scanned, and each bin has a piece to give."""
    expected = {layer.bin for layer in layers.values() if layer.bin is not None}
    wrong = [code for code in bins if code not in expected]
    if expected and (wrong or expected - set(bins)):
        raise WrongBin(scanned=(wrong or bins)[0], expected=sorted(expected - set(bins) or expected))


def _cut(
    held: list[Reserved], quantity: int | None, scanned: Sequence[str]
) -> tuple[list[Reserved], list[tuple[Reserved, int]]]:
    """What goes now, and for a hold that goes in part what of it goes and how many pieces stay held."""
    wanted = sum(one.quantity for one in held) if quantity is None else quantity
    if wanted > sum(one.quantity for one in held):
        raise NotHeld(reference=held[0].reference, state="held", held=sum(one.quantity for one in held), asked=wanted)
    going: list[Reserved] = []
    splits: list[tuple[Reserved, int]] = []
    for one in sorted(held, key=lambda one: ((one.serial or one.lot) not in scanned, one.id)):
        pieces = min(wanted, one.quantity)
        if pieces:
            part = replace(one, quantity=pieces, value_minor=share(one.value_minor, one.quantity, pieces))
            going.append(part)
            splits.append((part, one.quantity - pieces))
            wanted -= pieces
    return going, splits


async def _matched(
    db: AsyncConnection, books: Books, going: list[Reserved], scanned: Sequence[str]
) -> dict[str, Layer]:
    """The layer in the hand for each hold; the balance's other layers are read only when a scan needs one."""
    tracked = bool(await db.scalar(TRACKED, {"part": going[0].part}))
    if set(scanned) - {_code(books.layers[one.layer], tracked) for one in going}:
        wider = await open_books(db, keys={one.key for one in going}, whole=True)
        books.layers |= {number: layer for number, layer in wider.layers.items() if number not in books.layers}
    seen = [Held(one.id, _seen(books.layers[one.layer], tracked), one.quantity, one.value_minor) for one in going]
    free = [_seen(layer, tracked) for layer in books.layers.values()]
    match match_scans(seen, scanned, free):
        case Mismatch() as wrong:
            raise WrongPiece(scanned=wrong.scanned, expected=list(wrong.expected), because=wrong.because)
        case Matched(layers=layers):
            return {hold: books.layers[layer.id] for hold, layer in layers.items()}


def _seen(layer: Layer, tracked: bool) -> Layer:
    """A layer as a scanner sees it: of an untracked part only the part number counts, whatever lot was noted."""
    return layer if tracked else replace(layer, lot=None)


def _code(layer: Layer, tracked: bool) -> str:
    return code_of(_seen(layer, tracked))


def _issued(books: Books, one: Reserved, layer: Layer) -> Reserved:
    if layer.id != one.layer:
        books.rebind(one.layer, layer.id, one.quantity, one.value_minor)
    books.take_held(
        layer.id,
        one.quantity,
        one.value_minor,
        to_place=Virtual.CUSTOMER,
        why=Why.ISSUE,
        reference=one.reference,
        reservation=one.id,
    )
    return replace(
        one,
        layer=layer.id,
        lot=layer.lot,
        serial=layer.serial,
        expires_on=layer.expires_on,
        bin=layer.bin,
        state="issued",
        awaiting_consent=False,
        expires_at=None,
    )


async def return_unused(
    db: AsyncConnection,
    *,
    actor: By,
    reference: str,
    now: datetime,
    quantity: int | None = None,
    serials: Sequence[str] = (),
    note: str | None = None,
    occurred_at: datetime | None = None,
) -> list[Reserved]:
    """Issued pieces come back unused, into their layer, with the value they left with (P6, T26).

    Gives each reservation with `quantity` and `value_minor` of what came back now. Raises NotIssued.
    """
    came, books = await _coming(db, reference, quantity, serials)
    first = await _issue_movements(db, came)
    for one, pieces, value in came:
        books.put_back(
            one.layer,
            pieces,
            value,
            from_place=Virtual.CUSTOMER,
            why=Why.RETURN_UNUSED,
            reference=reference,
            reservation=one.id,
            corrects=first[one.id],
            note=note,
        )
        await db.execute(BACK, _back(one, returned=pieces, returned_minor=value))
    back = [replace(one, quantity=pieces, value_minor=value) for one, pieces, value in came]
    await _book(db, books, back, type="returned", reference=reference, actor=actor, now=now, occurred_at=occurred_at)
    return back


async def unissue(
    db: AsyncConnection, *, actor: By, reference: str, now: datetime, occurred_at: datetime | None = None
) -> list[Reserved]:
    """A pick undone: all issued pieces go back into their layers with the value they left with, and are held again for
    the same reference at once, so that nobody can take them in between. Gives what came back. Raises NotIssued.
    """
    came, books = await _coming(db, reference, None, ())
    first = await _issue_movements(db, came)
    for one, pieces, value in came:
        books.put_back_held(
            one.layer,
            pieces,
            value,
            from_place=Virtual.CUSTOMER,
            why=Why.RETURN_UNUSED,
            reference=reference,
            reservation=one.id,
            corrects=first[one.id],
            note="unpicked",
        )
        await db.execute(BACK, _back(one, returned=pieces, returned_minor=value))
        again = {"id": one.id, "new_id": new_id("rsv", now), "quantity": pieces, "value_minor": value}
        await db.execute(HELD_AGAIN, again | {"now": now, "by": actor.id})
    back = [replace(one, quantity=pieces, value_minor=value) for one, pieces, value in came]
    await _book(db, books, back, type="unpicked", reference=reference, actor=actor, now=now, occurred_at=occurred_at)
    return back


async def lose(
    db: AsyncConnection,
    *,
    actor: By,
    reference: str,
    now: datetime,
    quantity: int | None = None,
    serials: Sequence[str] = (),
    note: str | None = None,
    occurred_at: datetime | None = None,
) -> list[Reserved]:
    """Issued pieces were lost on their way: the ledger takes them to the lost place, with their value (S6b)."""
    came, books = await _coming(db, reference, quantity, serials, real=False)
    for one, pieces, value in came:
        books.entries.append(
            Entry(
                why=Why.LOST,
                key=one.key,
                from_place=Virtual.CUSTOMER,
                to_place=Virtual.LOST,
                quantity=pieces,
                value_minor=value,
                currency=one.currency,
                layer=one.layer,
                lot=one.lot,
                serial=one.serial,
                reference=reference,
                reservation=one.id,
                note=note,
            )
        )
        await db.execute(BACK, _back(one, lost=pieces, lost_minor=value))
    gone = [replace(one, quantity=pieces, value_minor=value) for one, pieces, value in came]
    await _book(db, books, gone, type="lost", reference=reference, actor=actor, now=now, occurred_at=occurred_at)
    return gone


Coming = list[tuple[Reserved, int, int]]


async def _coming(
    db: AsyncConnection, reference: str, quantity: int | None, serials: Sequence[str], *, real: bool = True
) -> tuple[Coming, Books]:
    """Which issued pieces come back, with the value each part left with; rows and balances locked."""
    found = await locked_reservations(db, references=[reference])
    out = [one for one in found if one.state == "issued" and one.out and (not serials or one.serial in serials)]
    there = sum(one.out for one in out)
    wanted = there if quantity is None else quantity
    if not out or wanted > there or len(set(serials)) > len(out):
        raise NotIssued(reference=reference, out=there, asked=wanted, state=state_of(found))
    came: Coming = []
    for one in out:
        pieces = min(wanted, one.out)
        if pieces:
            left = one.value_minor - one.returned_minor - one.lost_minor
            came.append((one, pieces, share(left, one.out, pieces)))
            wanted -= pieces
    keys = {one.key for one, _, _ in came} if real else set()
    return came, await open_books(db, keys=keys, layers=[one.layer for one, _, _ in came])


def _back(one: Reserved, **more: int) -> dict[str, Any]:
    return {"id": one.id, "returned": 0, "returned_minor": 0, "lost": 0, "lost_minor": 0} | more


async def _issue_movements(db: AsyncConnection, came: Coming) -> dict[str, str]:
    rows = await db.execute(ISSUE_OF, {"ids": [one.id for one, _, _ in came]})
    return {row.reservation: row.id for row in rows}


async def _book(
    db: AsyncConnection,
    books: Books,
    pieces: list[Reserved],
    *,
    type: str,
    reference: str,
    actor: By,
    now: datetime,
    occurred_at: datetime | None,
) -> None:
    """Post the books and announce the move once."""
    moved = await post(db, books, by=actor, now=now, occurred_at=occurred_at)
    place = pieces[0].place
    facts = [
        {"part_number": one.part, "quantity": one.quantity, "lot": one.lot, "serial": one.serial} for one in pieces
    ]
    event = Event(
        type="stock.moved",
        subject=moved[0],
        place=place,
        data={"verb": type, "reference": reference, "place": place, "lines": facts},
    )
    await announce(db, event, by=actor, now=now, occurred_at=occurred_at)
