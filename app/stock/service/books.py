"""The open books: locked balances, the layers to change, and the entries to post. Every verb but `reserve` writes here.

Locks are taken in one order everywhere: reservations by id, then balances by key, then (under those) layers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.events import By
from app.core.ids import new_id
from app.stock.queries.holds import rates_of
from app.stock.rules.ledger import Key, Layer, Virtual, Why, chain, with_free, with_held, without_free, without_held
from app.stock.service.refusals import SerialInUse

ENSURE = text("""
    INSERT INTO stock_balance (place, part, condition, genuine)
    SELECT * FROM unnest(CAST(:places AS text[]), CAST(:parts AS text[]), CAST(:conditions AS text[]),
                         CAST(:genuines AS boolean[])) AS k(place, part, condition, genuine)
    ORDER BY place COLLATE "C", part COLLATE "C", condition COLLATE "C", genuine
    ON CONFLICT DO NOTHING
""")
LOCK = text("""
    SELECT b.place, b.part, b.condition, b.genuine, b.on_hand, b.reserved, b.ledger_number
    FROM unnest(CAST(:places AS text[]), CAST(:parts AS text[]), CAST(:conditions AS text[]),
                CAST(:genuines AS boolean[])) AS k(place, part, condition, genuine)
    JOIN stock_balance b USING (place, part, condition, genuine)
    ORDER BY b.place COLLATE "C", b.part COLLATE "C", b.condition COLLATE "C", b.genuine FOR UPDATE OF b
""")
LAYER = """l.id, l.place, l.part, l.condition, l.genuine, l.quantity, l.value_minor, l.currency, l.received_at,
    l.reserved, l.reserved_minor, l.lot, l.serial, l.expires_on, l.rates, l.bin"""
LAYERS_IN = text(f"""
    SELECT {LAYER} FROM unnest(CAST(:places AS text[]), CAST(:parts AS text[]), CAST(:conditions AS text[]),
                               CAST(:genuines AS boolean[])) AS k(place, part, condition, genuine)
    JOIN stock_layer l USING (place, part, condition, genuine) WHERE l.quantity > 0 ORDER BY l.id
""")
LAYERS_BY_ID = text(f"SELECT {LAYER} FROM stock_layer l WHERE l.id = ANY(CAST(:ids AS bigint[])) ORDER BY l.id")
FRESH_IDS = text("SELECT nextval('stock_layer_id_seq') FROM generate_series(1, CAST(:count AS bigint))")
NEW_LAYERS = text("""
    INSERT INTO stock_layer (id, place, part, condition, genuine, lot, serial, expires_on, received_at, quantity,
                             value_minor, currency, rates, bin)
    SELECT id, place, part, condition, genuine, lot, serial, expires_on, received_at, quantity, value_minor, currency,
           rates::jsonb, bin
    FROM unnest(CAST(:id AS bigint[]), CAST(:place AS text[]), CAST(:part AS text[]), CAST(:condition AS text[]),
                CAST(:genuine AS boolean[]), CAST(:lot AS text[]), CAST(:serial AS text[]),
                CAST(:expires_on AS date[]), CAST(:received_at AS timestamptz[]), CAST(:quantity AS bigint[]),
                CAST(:value_minor AS bigint[]), CAST(:currency AS text[]), CAST(:rates AS text[]),
                CAST(:bin AS text[]))
         AS n(id, place, part, condition, genuine, lot, serial, expires_on, received_at, quantity, value_minor,
              currency, rates, bin)
""")
CHANGE_LAYERS = text("""
    UPDATE stock_layer l SET quantity = c.quantity, value_minor = c.value_minor, reserved = c.reserved,
                             reserved_minor = c.reserved_minor
    FROM unnest(CAST(:id AS bigint[]), CAST(:quantity AS bigint[]), CAST(:value_minor AS bigint[]),
                CAST(:reserved AS bigint[]), CAST(:reserved_minor AS bigint[]))
         AS c(id, quantity, value_minor, reserved, reserved_minor)
    WHERE l.id = c.id
""")
CHANGE_BALANCES = text("""
    UPDATE stock_balance b SET on_hand = c.on_hand, reserved = c.reserved, ledger_number = c.number
    FROM unnest(CAST(:place AS text[]), CAST(:part AS text[]), CAST(:condition AS text[]), CAST(:genuine AS boolean[]),
                CAST(:on_hand AS bigint[]), CAST(:reserved AS bigint[]), CAST(:number AS bigint[]))
         AS c(place, part, condition, genuine, on_hand, reserved, number)
    WHERE (b.place, b.part, b.condition, b.genuine) = (c.place, c.part, c.condition, c.genuine)
""")
POST = text("""
    INSERT INTO stock_movement (id, why, from_place, to_place, part, condition, genuine, layer, lot, serial, quantity,
        value_minor, currency, place, delta, ledger_number, balance_after, reference, reservation, corrects, note,
        moved_by, occurred_at, recorded_at)
    SELECT n.*, CAST(:by AS text), CAST(:occurred_at AS timestamptz), CAST(:now AS timestamptz)
    FROM unnest(CAST(:id AS text[]), CAST(:why AS text[]), CAST(:from_place AS text[]), CAST(:to_place AS text[]),
                CAST(:part AS text[]), CAST(:condition AS text[]), CAST(:genuine AS boolean[]),
                CAST(:layer AS bigint[]), CAST(:lot AS text[]), CAST(:serial AS text[]), CAST(:quantity AS bigint[]),
                CAST(:value_minor AS bigint[]), CAST(:currency AS text[]), CAST(:place AS text[]),
                CAST(:delta AS bigint[]), CAST(:number AS bigint[]), CAST(:after AS bigint[]),
                CAST(:reference AS text[]), CAST(:reservation AS text[]), CAST(:corrects AS text[]),
                CAST(:note AS text[])) AS n
""")
# A serial moves only from where it is: an unknown one enters, a known one must be at the place it is taken from.
MOVE_SERIALS = text("""
    INSERT INTO stock_serial (serial, part, place, moved_at)
    SELECT serial, part, place, CAST(:now AS timestamptz)
    FROM unnest(CAST(:serials AS text[]), CAST(:parts AS text[]), CAST(:places AS text[])) AS n(serial, part, place)
    ORDER BY serial COLLATE "C"
    ON CONFLICT (serial) DO UPDATE SET place = EXCLUDED.place, moved_at = EXCLUDED.moved_at
    WHERE stock_serial.place = :from_place AND stock_serial.part = EXCLUDED.part
    RETURNING serial
""")


@dataclass(slots=True)
class Balance:
    """A locked balance row and what this transaction makes of it."""

    on_hand: int
    reserved: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One movement to post. `key` names part, condition, genuineness and the real place, if one side is real."""

    why: Why
    key: Key
    from_place: str
    to_place: str
    quantity: int
    value_minor: int
    currency: str
    layer: int | None = None
    lot: str | None = None
    serial: str | None = None
    reference: str | None = None
    reservation: str | None = None
    corrects: str | None = None
    note: str | None = None

    @property
    def delta(self) -> int | None:
        """How the real place's on hand changes; None where both sides are virtual."""
        if self.key.place == self.to_place:
            return self.quantity
        return -self.quantity if self.key.place == self.from_place else None


@dataclass(slots=True)
class Books:
    """Locked balances, known layers, and what will be written by `post`."""

    balances: dict[Key, Balance]
    layers: dict[int, Layer]
    new: dict[int, Layer] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)

    def free(self, key: Key) -> int:
        balance = self.balances[key]
        return balance.on_hand - balance.reserved

    def layers_at(self, key: Key) -> list[Layer]:
        return [layer for layer in self.layers.values() if layer.key == key]

    def put_new(self, layer: Layer, *, from_place: str, why: Why, **more: Any) -> None:
        """Pieces that were not here before enter as a layer of their own."""
        self.layers[layer.id] = self.new[layer.id] = layer
        self._enter(layer, layer.quantity, layer.value_minor, from_place=from_place, why=why, **more)

    def put_back(
        self, layer_id: int, quantity: int, value_minor: int, *, from_place: str, why: Why, **more: Any
    ) -> None:
        """Pieces return to their layer with the value they left with."""
        layer = self._change(with_free(self.layers[layer_id], quantity, value_minor))
        self._enter(layer, quantity, value_minor, from_place=from_place, why=why, **more)

    def put_back_held(
        self, layer_id: int, quantity: int, value_minor: int, *, from_place: str, why: Why, **more: Any
    ) -> None:
        """Pieces return to their layer and are held there at once, under the same lock."""
        layer = self._change(with_held(self.layers[layer_id], quantity, value_minor))
        self.balances[layer.key].reserved += quantity
        self._enter(layer, quantity, value_minor, from_place=from_place, why=why, **more)

    def take(self, layer_id: int, quantity: int, *, to_place: str, why: Why, **more: Any) -> int:
        """Free pieces leave; gives the value they carry."""
        left, value = without_free(self.layers[layer_id], quantity)
        self._leave(self._change(left), quantity, value, to_place=to_place, why=why, **more)
        return value

    def take_held(
        self, layer_id: int, quantity: int, value_minor: int, *, to_place: str, why: Why, **more: Any
    ) -> None:
        """Held pieces leave at the value the hold had bound."""
        layer = self._change(without_held(self.layers[layer_id], quantity, value_minor))
        self.balances[layer.key].reserved -= quantity
        self._leave(layer, quantity, value_minor, to_place=to_place, why=why, **more)

    def revalue_held(self, layer_id: int, change_minor: int, **more: Any) -> None:
        """Held pieces turn out to cost more or less: value alone moves, no piece does (IS15)."""
        layer = self.layers[layer_id]
        changed = replace(
            layer,
            value_minor=layer.value_minor + change_minor,
            reserved_minor=layer.reserved_minor + change_minor,
        )
        self._change(changed)
        if change_minor > 0:
            self._enter(changed, 0, change_minor, from_place=Virtual.ADJUSTMENT, why=Why.REVALUE, **more)
        else:
            self._leave(changed, 0, -change_minor, to_place=Virtual.ADJUSTMENT, why=Why.REVALUE, **more)

    def rebind(self, old: int, new: int, quantity: int, value_minor: int) -> None:
        """A hold moves from one layer of a balance to another of the same price (S6)."""
        one, other = self.layers[old], self.layers[new]
        self._change(replace(one, reserved=one.reserved - quantity, reserved_minor=one.reserved_minor - value_minor))
        self._change(
            replace(other, reserved=other.reserved + quantity, reserved_minor=other.reserved_minor + value_minor)
        )

    def _change(self, layer: Layer) -> Layer:
        self.layers[layer.id] = layer
        if layer.id in self.new:
            self.new[layer.id] = layer
        else:
            self.changed.add(layer.id)
        return layer

    def _enter(self, layer: Layer, quantity: int, value: int, *, from_place: str, why: Why, **more: Any) -> None:
        self._note(layer, quantity, value, why, from_place, layer.key.place, more)

    def _leave(self, layer: Layer, quantity: int, value: int, *, to_place: str, why: Why, **more: Any) -> None:
        self._note(layer, quantity, value, why, layer.key.place, to_place, more)

    def _note(
        self, layer: Layer, quantity: int, value: int, why: Why, start: str, end: str, more: Mapping[str, Any]
    ) -> None:
        self.entries.append(
            Entry(
                why=why,
                key=layer.key,
                from_place=start,
                to_place=end,
                quantity=quantity,
                value_minor=value,
                currency=layer.currency,
                layer=layer.id,
                lot=layer.lot,
                serial=layer.serial,
                **more,
            )
        )


def _columns(keys: Iterable[Key]) -> dict[str, list[Any]]:
    rows = list(keys)
    return {
        "places": [key.place for key in rows],
        "parts": [key.part for key in rows],
        "conditions": [key.condition for key in rows],
        "genuines": [key.genuine for key in rows],
    }


async def open_books(
    db: AsyncConnection, *, keys: Iterable[Key], layers: Sequence[int] | None = None, whole: bool = False
) -> Books:
    """Lock the balances of `keys` in sorted order (made if missing), then read their layers as they are under the lock.

    `layers` names the ones wanted by id, `whole` takes all that hold anything; neither reads none.
    """
    wanted = _columns(sorted(set(keys)))
    if not wanted["places"]:
        return Books({}, await layers_by_id(db, ids=layers or ()))
    await db.execute(ENSURE, wanted)
    balances = {
        Key(row.place, row.part, row.condition, row.genuine): Balance(row.on_hand, row.reserved, row.ledger_number)
        for row in await db.execute(LOCK, wanted)
    }
    found: dict[int, Layer] = {}
    if whole:
        found |= {row.id: layer_of(row) for row in await db.execute(LAYERS_IN, wanted)}
    if layers:
        found |= await layers_by_id(db, ids=layers)
    return Books(balances, found)


async def layers_by_id(db: AsyncConnection, *, ids: Sequence[int]) -> dict[int, Layer]:
    return {row.id: layer_of(row) for row in await db.execute(LAYERS_BY_ID, {"ids": list(ids)})}


def layer_of(row: Any) -> Layer:
    return Layer(
        id=row.id,
        key=Key(row.place, row.part, row.condition, row.genuine),
        quantity=row.quantity,
        value_minor=row.value_minor,
        currency=row.currency,
        received_at=row.received_at,
        reserved=row.reserved,
        reserved_minor=row.reserved_minor,
        lot=row.lot,
        serial=row.serial,
        expires_on=row.expires_on,
        rates=rates_of(row.rates),
        bin=row.bin,
    )


async def fresh_layer_ids(db: AsyncConnection, count: int) -> list[int]:
    """Ids for layers to come, in order, so that what was received first is picked first."""
    return [row[0] for row in await db.execute(FRESH_IDS, {"count": count})]


async def post(
    db: AsyncConnection, books: Books, *, by: By, now: datetime, occurred_at: datetime | None = None
) -> list[str]:
    """Write serials, layers, balances and movements; gives the movements' ids in the order of the entries.

    Serials come first: two who want to move one meet at its row, and the second is told SerialInUse.
    """
    await _move_serials(db, books.entries, now)
    if books.new:
        await db.execute(NEW_LAYERS, _new_rows(list(books.new.values())))
    if books.changed:
        rows = [books.layers[number] for number in sorted(books.changed)]
        names = ("id", "quantity", "value_minor", "reserved", "reserved_minor")
        await db.execute(CHANGE_LAYERS, {name: [getattr(row, name) for row in rows] for name in names})
    movements = _movements(books, now)
    if books.balances:
        await db.execute(CHANGE_BALANCES, _balance_rows(books.balances))
    if movements["id"]:
        stamp = {"by": by.id, "occurred_at": occurred_at or now, "now": now}
        await db.execute(POST, movements | stamp)
    return movements["id"]


def _new_rows(layers: list[Layer]) -> dict[str, list[Any]]:
    names = ("id", "lot", "serial", "expires_on", "received_at", "quantity", "value_minor", "currency", "bin")
    columns: dict[str, list[Any]] = {name: [getattr(layer, name) for layer in layers] for name in names}
    for name in Key._fields:
        columns[name] = [getattr(layer.key, name) for layer in layers]
    columns["rates"] = [msgspec.json.encode(dict(layer.rates)).decode() for layer in layers]
    return columns


def _balance_rows(balances: Mapping[Key, Balance]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [getattr(key, name) for key in balances] for name in Key._fields}
    for name in ("on_hand", "reserved", "number"):
        columns[name] = [getattr(balance, name) for balance in balances.values()]
    return columns


def _movements(books: Books, now: datetime) -> dict[str, list[Any]]:
    """The entries as columns, each numbered on in the chain of its key; balances come out as they will be."""
    names = [name for name in Entry.__dataclass_fields__ if name != "key"]
    columns: dict[str, list[Any]] = {name: [getattr(entry, name) for entry in books.entries] for name in names}
    for name in ("part", "condition", "genuine"):
        columns[name] = [getattr(entry.key, name) for entry in books.entries]
    columns |= {name: [] for name in ("id", "place", "delta", "number", "after")}
    for entry in books.entries:
        delta, number, after = entry.delta, None, None
        if delta is not None:
            balance = books.balances[entry.key]
            number, after = chain(balance.number, balance.on_hand, [delta])[0]
            balance.number, balance.on_hand = number, after
        place = entry.key.place if delta is not None else None
        for name, value in zip(
            ("id", "place", "delta", "number", "after"), (new_id("mov", now), place, delta, number, after), strict=True
        ):
            columns[name].append(value)
    return columns


async def _move_serials(db: AsyncConnection, entries: list[Entry], now: datetime) -> None:
    tracked = sorted(
        (entry for entry in entries if entry.serial and entry.quantity), key=lambda entry: entry.from_place
    )
    for from_place, group in groupby(tracked, key=lambda entry: entry.from_place):
        moving = list(group)
        columns = {
            "serials": [entry.serial for entry in moving],
            "parts": [entry.key.part for entry in moving],
            "places": [entry.to_place for entry in moving],
        }
        moved = await db.execute(MOVE_SERIALS, columns | {"from_place": from_place, "now": now})
        stuck = sorted({str(entry.serial) for entry in moving} - {row.serial for row in moved})
        if stuck:
            raise SerialInUse(serials=stuck, serial=stuck[0])
