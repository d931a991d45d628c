"""Pieces from one place to another: shipped into transit, arrived or written off, to the last one (IS13)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError
from app.core.events import Event, announce
from app.core.http import Expected, check_version
from app.core.ids import new_id
from app.core.money import share
from app.stock.queries import lists
from app.stock.queries.lookups import place_for, tracking
from app.stock.rules.ledger import Key, Layer, Virtual, Why
from app.stock.schemas import ArrivalIn, ReceiveIn, TransferIn, TransferOut, WriteOffIn
from app.stock.service.books import Books, Entry, fresh_layer_ids, layers_by_id, open_books, post
from app.stock.service.lines import check_lines, choose_pieces, happened, key_at
from app.stock.service.refusals import BadLines, NothingLeft

ADD = text("""
    INSERT INTO stock_transfer (id, from_place, to_place, state, note, shipped_at)
    VALUES (:id, :from_place, :to_place, 'in_transit', :note, :shipped_at)
""")
ADD_LINE = text("""
    INSERT INTO stock_transfer_line (transfer, line, piece, layer, quantity, value_minor)
    VALUES (:transfer, :line, :piece, :layer, :quantity, :value_minor)
""")
LOCK = text("SELECT version FROM stock_transfer WHERE id = :id FOR UPDATE")
OPEN_LINES = text("""
    SELECT i.line, i.piece, i.layer, i.quantity - i.received - i.written_off AS open,
           i.value_minor - i.received_minor - i.written_off_minor AS open_minor, l.serial
    FROM stock_transfer_line i JOIN stock_layer l ON l.id = i.layer
    WHERE i.transfer = :id AND i.received + i.written_off < i.quantity ORDER BY i.line, i.piece
""")
SETTLE = text("""
    UPDATE stock_transfer_line SET received = received + :received, received_minor = received_minor + :received_minor,
        written_off = written_off + :written_off, written_off_minor = written_off_minor + :written_off_minor
    WHERE transfer = :transfer AND line = :line AND piece = :piece
""")
STEP = text("""
    UPDATE stock_transfer t SET version = version + 1, state = CASE WHEN EXISTS (
        SELECT FROM stock_transfer_line i WHERE i.transfer = t.id AND i.received + i.written_off < i.quantity)
        THEN 'in_transit' ELSE 'done' END
    WHERE t.id = :id
""")


@dataclass(frozen=True, slots=True)
class Settled:
    """Pieces of one shipped layer that end their transit now, with their share of its value."""

    line: int
    piece: int
    layer: int
    quantity: int
    value_minor: int


async def ship(db: AsyncConnection, *, actor: Actor, new: TransferIn, now: datetime) -> TransferOut:
    """Send free pieces off; they are in transit until they arrive or are written off.

    Raises NoSuchPlace (the sender must be in scope), BadLines, OutOfStock, SerialInUse.
    """
    await place_for(db, actor=actor, place=new.from_place)
    await place_for(db, actor=replace(actor, places=None), place=new.to_place)
    if new.from_place == new.to_place:
        raise BadLines(errors=[FieldError("to_place", "transfer.same_place")])
    shipped_at = happened(new.occurred_at, now)
    known = await tracking(db, parts=[line.part_number for line in new.lines])
    check_lines(new.lines, [line.quantity for line in new.lines], known, entering=False)
    books = await open_books(db, keys={key_at(new.from_place, line) for line in new.lines}, whole=True)
    transfer_id = new_id("trf", now)
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(new.lines):
        key = key_at(new.from_place, line)
        picks = choose_pieces(books.layers_at(key), line, line.quantity, key)
        for piece, pick in enumerate(picks):
            value = books.take(
                pick.layer.id, pick.quantity, to_place=Virtual.TRANSIT, why=Why.SHIP, reference=transfer_id
            )
            where = {"transfer": transfer_id, "line": number, "piece": piece, "layer": pick.layer.id}
            rows.append(where | {"quantity": pick.quantity, "value_minor": value})
    ends = {"from_place": new.from_place, "to_place": new.to_place}
    await db.execute(ADD, ends | {"id": transfer_id, "note": new.note, "shipped_at": shipped_at})
    await db.execute(ADD_LINE, rows)
    await post(db, books, by=actor, now=now, occurred_at=shipped_at)
    return await _announced(db, transfer_id, "shipped", new.from_place, actor, now, shipped_at)


async def arrive(
    db: AsyncConnection, *, actor: Actor, transfer_id: str, arrival: ReceiveIn, if_match: Expected, now: datetime
) -> TransferOut:
    """Put away what arrived, as layers of their old age and cost; posted again with nothing left, nothing happens (T36).

    Raises NoSuchTransfer, NoSuchPlace (the receiver must be in scope), NothingLeft.
    """
    transfer = await lists.transfer(db, actor=actor, transfer_id=transfer_id)
    await place_for(db, actor=actor, place=transfer.to_place)
    check_version(await db.scalar(LOCK, {"id": transfer_id}) or 0, if_match)
    settled = await _settled(db, transfer_id, arrival.lines)
    if not settled:
        return await lists.transfer(db, actor=actor, transfer_id=transfer_id)
    when = happened(arrival.occurred_at, now)
    sources = await layers_by_id(db, ids=[one.layer for one in settled])
    books = await open_books(db, keys={_there(transfer.to_place, sources[one.layer]) for one in settled})
    ids = await fresh_layer_ids(db, len(settled))
    for number, one in zip(ids, settled, strict=True):
        layer = _arrived(sources[one.layer], number, transfer.to_place, one)
        books.put_new(layer, from_place=Virtual.TRANSIT, why=Why.ARRIVE, reference=transfer_id)
        await db.execute(SETTLE, _row(transfer_id, one, received=one.quantity, received_minor=one.value_minor))
    await db.execute(STEP, {"id": transfer_id})
    await post(db, books, by=actor, now=now, occurred_at=when)
    return await _announced(db, transfer_id, "arrived", transfer.to_place, actor, now, when)


async def write_off(
    db: AsyncConnection, *, actor: Actor, transfer_id: str, given_up: WriteOffIn, if_match: Expected, now: datetime
) -> TransferOut:
    """Give up what will not arrive: from transit to the lost place, with its value and the reason."""
    transfer = await lists.transfer(db, actor=actor, transfer_id=transfer_id)
    check_version(await db.scalar(LOCK, {"id": transfer_id}) or 0, if_match)
    settled = await _settled(db, transfer_id, given_up.lines)
    if not settled:
        return await lists.transfer(db, actor=actor, transfer_id=transfer_id)
    when = happened(given_up.occurred_at, now)
    sources = await layers_by_id(db, ids=[one.layer for one in settled])
    books = Books({}, {})
    for one in settled:
        books.entries.append(_lost(sources[one.layer], one, transfer_id, given_up.reason))
        await db.execute(SETTLE, _row(transfer_id, one, written_off=one.quantity, written_off_minor=one.value_minor))
    await db.execute(STEP, {"id": transfer_id})
    await post(db, books, by=actor, now=now, occurred_at=when)
    return await _announced(db, transfer_id, "written_off", transfer.to_place, actor, now, when)


async def _settled(db: AsyncConnection, transfer_id: str, lines: Sequence[ArrivalIn] | None) -> list[Settled]:
    """Which pieces in transit are meant; without lines all of them."""
    rows = (await db.execute(OPEN_LINES, {"id": transfer_id})).all()
    if lines is None:
        return [Settled(row.line, row.piece, row.layer, row.open, row.open_minor) for row in rows]
    left = {(row.line, row.piece): (row.open, row.open_minor) for row in rows}
    settled: list[Settled] = []
    for line in lines:
        mine = [row for row in rows if row.line == line.line and (not line.serials or row.serial in line.serials)]
        there = sum(left[row.line, row.piece][0] for row in mine)
        wanted = len(line.serials) if line.serials else line.quantity or there
        if wanted > there or (line.serials and line.quantity not in (None, wanted)):
            raise NothingLeft(transfer=transfer_id, line=line.line, in_transit=there, asked=wanted)
        for row in mine:
            here, minor = left[row.line, row.piece]
            pieces = min(wanted, here)
            if pieces:
                value = share(minor, here, pieces)
                settled.append(Settled(row.line, row.piece, row.layer, pieces, value))
                left[row.line, row.piece] = (here - pieces, minor - value)
                wanted -= pieces
    return settled


def _there(place: str, source: Layer) -> Key:
    return source.key._replace(place=place)


def _arrived(source: Layer, number: int, place: str, one: Settled) -> Layer:
    return replace(
        source,
        id=number,
        key=_there(place, source),
        quantity=one.quantity,
        value_minor=one.value_minor,
        reserved=0,
        reserved_minor=0,
        bin=None,
    )


def _lost(source: Layer, one: Settled, transfer_id: str, reason: str) -> Entry:
    return Entry(
        why=Why.WRITE_OFF,
        key=source.key,
        from_place=Virtual.TRANSIT,
        to_place=Virtual.LOST,
        quantity=one.quantity,
        value_minor=one.value_minor,
        currency=source.currency,
        layer=source.id,
        lot=source.lot,
        serial=source.serial,
        reference=transfer_id,
        note=reason,
    )


def _row(transfer_id: str, one: Settled, **more: int) -> dict[str, Any]:
    zeros = {"received": 0, "received_minor": 0, "written_off": 0, "written_off_minor": 0}
    return {"transfer": transfer_id, "line": one.line, "piece": one.piece} | zeros | more


async def _announced(
    db: AsyncConnection, transfer_id: str, verb: str, place: str, actor: Actor, now: datetime, when: datetime
) -> TransferOut:
    """The transfer as it is now, told once."""
    transfer = await lists.transfer(db, actor=replace(actor, places=None), transfer_id=transfer_id)
    lines = [
        {"part_number": line.part_number, "quantity": line.quantity, "serial": line.serial} for line in transfer.lines
    ]
    facts = {"verb": verb, "from_place": transfer.from_place, "to_place": transfer.to_place, "lines": lines}
    event = Event(
        type="stock.moved",
        subject=transfer_id,
        version=transfer.version,
        place=place,
        data=facts | {"state": transfer.state},
    )
    await announce(db, event, by=actor, now=now, occurred_at=when)
    return transfer
