"""Counting and correcting (S6): a count is a compare-and-set, an adjustment names its reason; both leave movements."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError
from app.core.events import Event, announce
from app.core.ids import new_id
from app.core.money import share
from app.stock.queries.holds import holds_at
from app.stock.queries.lookups import LatestCost, latest_costs, place_for, tracking
from app.stock.rules.ledger import Key, Layer, Virtual, Why, cuts
from app.stock.schemas import (
    AdjustmentIn,
    AdjustmentLineIn,
    BookedOut,
    CostIn,
    CountIn,
    CountLineIn,
    CountLineOut,
    CountOut,
)
from app.stock.service.books import Books, fresh_layer_ids, open_books, post
from app.stock.service.lines import check_lines, choose_pieces, happened, key_at, line_value
from app.stock.service.refusals import BadLines, CountBelowReserved, OutOfStock, StockChanged

BOUNDLESS = (Virtual.ADJUSTMENT, Virtual.SUPPLIER)
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:place || ' ' || :part, 0))")
HELD_BY_VIRTUAL = text("""
    SELECT coalesce(sum(CASE WHEN to_place = :place THEN quantity ELSE -quantity END), 0)::bigint
    FROM stock_movement WHERE part = :part AND :place IN (from_place, to_place)
""")


@dataclass(frozen=True, slots=True)
class Worth:
    """What pieces that turn up are worth together, and in which currency."""

    minor: int
    currency: str


async def count(db: AsyncConnection, *, actor: Actor, new: CountIn, now: datetime) -> CountOut:
    """Set stock to what was counted, if it still is what the counter saw (IS14); all lines or none.

    Raises StockChanged with the present number, CountBelowReserved with the holds, BadLines, SerialInUse.
    """
    await place_for(db, actor=actor, place=new.place)
    when = happened(new.occurred_at, now)
    parts = [line.part_number for line in new.lines]
    kinds = await tracking(db, parts=parts)
    _check_count(new, kinds)
    bought = await latest_costs(db, parts=parts)
    books = await open_books(db, keys={key_at(new.place, line) for line in new.lines}, whole=True)
    count_id = new_id("cnt", now)
    lines = []
    for at, line in enumerate(new.lines):
        lines.append(await _count_line(db, books, new.place, line, at, count_id, bought.get(line.part_number), when))
    await post(db, books, by=actor, now=now, occurred_at=when)
    facts = [{"part_number": line.part_number, "before": line.before, "counted": line.counted} for line in lines]
    event = Event(
        type="stock.counted",
        subject=count_id,
        place=new.place,
        data={"place": new.place, "lines": facts, "note": new.note},
    )
    await announce(db, event, by=actor, now=now, occurred_at=when)
    return CountOut(id=count_id, place=new.place, counted_at=when, lines=lines)


def _check_count(new: CountIn, kinds: dict[str, str]) -> None:
    check_lines(new.lines, [line.counted for line in new.lines], kinds, entering=False)
    errors = [
        FieldError(f"lines.{at}.serials", "line.serials_needed", {"part_number": line.part_number})
        for at, line in enumerate(new.lines)
        if kinds[line.part_number] == "serial" and line.serials is None and line.counted != line.expected
    ]
    errors += [
        FieldError(f"lines.{at}.lot", "line.lot_needed", {"part_number": line.part_number})
        for at, line in enumerate(new.lines)
        if kinds[line.part_number] == "lot" and line.lot is None and line.counted > line.expected
    ]
    if errors:
        raise BadLines(errors=errors)


async def _count_line(
    db: AsyncConnection,
    books: Books,
    place: str,
    line: CountLineIn,
    at: int,
    count_id: str,
    bought: LatestCost | None,
    when: datetime,
) -> CountLineOut:
    key = key_at(place, line)
    there = [layer for layer in books.layers_at(key) if line.lot is None or layer.lot == line.lot]
    before = sum(layer.quantity for layer in there)
    if before != line.expected:
        raise StockChanged(part_number=line.part_number, place=place, expected=line.expected, on_hand=before)
    gone = [layer for layer in there if line.serials is not None and layer.serial not in line.serials]
    less = sum(layer.quantity for layer in gone) if line.serials is not None else max(0, before - line.counted)
    free = sum(layer.free for layer in (gone if line.serials is not None else there))
    if less > free:
        holds = [hold for hold in await holds_at(db, key=key) if hold.layer in {layer.id for layer in gone or there}]
        references = sorted({hold.reference for hold in holds})
        raise CountBelowReserved(
            part_number=line.part_number, place=place, counted=line.counted, reserved=before - free, holds=references
        )
    if less:
        _remove(books, gone or there, less, Virtual.ADJUSTMENT, Why.COUNT, count_id, None)
    known = {layer.serial for layer in there}
    found = [serial for serial in line.serials or [] if serial not in known]
    more = len(found) if line.serials is not None else max(0, line.counted - before)
    if more:
        worth = _worth(line.unit_cost, more, at, there, bought)
        await _add(db, books, key, more, found, line.lot, worth, when, Virtual.ADJUSTMENT, Why.COUNT, count_id, None)
    return CountLineOut(
        part_number=line.part_number,
        condition=line.condition,
        genuine=line.genuine,
        lot=line.lot,
        before=before,
        counted=line.counted,
        difference=line.counted - before,
    )


async def adjust(db: AsyncConnection, *, actor: Actor, new: AdjustmentIn, now: datetime) -> BookedOut:
    """Add or take away free pieces for a reason: scrap, repair, quarantine, lost, back to the supplier, or a correction.

    Raises NoSuchPlace, BadLines, OutOfStock, SerialInUse.
    """
    await place_for(db, actor=actor, place=new.place)
    when = happened(new.occurred_at, now)
    kinds = await tracking(db, parts=[line.part_number for line in new.lines])
    _check_changes(new.lines)
    entering = [line for line in new.lines if line.change > 0]
    check_lines(new.lines, [abs(line.change) for line in new.lines], kinds, entering=False)
    check_lines(entering, [line.change for line in entering], kinds, entering=True)
    bought = await latest_costs(db, parts=[line.part_number for line in entering])
    other = Virtual("@" + new.counterpart)
    await _there_to_take(db, other, entering)
    books = await open_books(db, keys={key_at(new.place, line) for line in new.lines}, whole=True)
    adjustment_id = new_id("adj", now)
    for at, line in enumerate(new.lines):
        key = key_at(new.place, line)
        if line.change < 0:
            picks = choose_pieces(books.layers_at(key), line, -line.change, key)
            _remove(
                books, [pick.layer for pick in picks], -line.change, other, Why.ADJUSTMENT, adjustment_id, new.reason
            )
        else:
            worth = _worth(line.unit_cost, line.change, at, books.layers_at(key), bought.get(line.part_number))
            await _add(
                db, books, key, line.change, line.serials or [], line.lot, worth, when, other, Why.ADJUSTMENT,
                adjustment_id, new.reason,
            )  # fmt: skip
    moved = await post(db, books, by=actor, now=now, occurred_at=when)
    lines = [{"part_number": line.part_number, "change": line.change} for line in new.lines]
    facts = {
        "verb": "adjusted",
        "place": new.place,
        "reason": new.reason,
        "counterpart": new.counterpart,
        "lines": lines,
    }
    event = Event(type="stock.moved", subject=adjustment_id, place=new.place, data=facts)
    await announce(db, event, by=actor, now=now, occurred_at=when)
    return BookedOut(id=adjustment_id, place=new.place, movements=moved)


async def _there_to_take(db: AsyncConnection, other: Virtual, entering: list[AdjustmentLineIn]) -> None:
    """Nothing comes back from repair, scrap, quarantine or the lost place that did not go there (IS1)."""
    if other in BOUNDLESS:
        return
    wanted: Counter[str] = Counter()
    for line in entering:
        wanted[line.part_number] += line.change
    for part in sorted(wanted):
        await db.execute(ONE_AT_A_TIME, {"place": other, "part": part})
        there = int(await db.scalar(HELD_BY_VIRTUAL, {"place": other, "part": part}) or 0)
        if there < wanted[part]:
            raise OutOfStock(available=there, requested=wanted[part], part_number=part, place=other)


def _check_changes(lines: Iterable[AdjustmentLineIn]) -> None:
    errors = [FieldError(f"lines.{at}.change", "line.no_change") for at, line in enumerate(lines) if line.change == 0]
    if errors:
        raise BadLines(errors=errors)


def _remove(
    books: Books, layers: Iterable[Layer], quantity: int, to_place: str, why: Why, reference: str, note: str | None
) -> None:
    """Take free pieces away: as they would be picked, oldest first, so that what stays is worth what it cost."""
    for layer in layers:
        pieces = min(quantity, layer.free)
        if pieces:
            books.take(layer.id, pieces, to_place=to_place, why=why, reference=reference, note=note)
            quantity -= pieces


def _worth(cost: CostIn | None, quantity: int, at: int, there: list[Layer], bought: LatestCost | None) -> Worth:
    """What found pieces are worth: as stated, else as those beside them, else as last bought; else it must be stated."""
    if cost is not None:
        return Worth(line_value(cost, quantity, at), cost.currency)
    if there:
        beside = max(there, key=lambda layer: (layer.received_at, layer.id))
        if beside.quantity:
            return Worth(_scaled(beside.value_minor, beside.quantity, quantity), beside.currency)
    if bought is not None:
        return Worth(_scaled(bought.value_minor, bought.quantity, quantity), bought.currency)
    raise BadLines(errors=[FieldError(f"lines.{at}.unit_cost", "line.cost_needed")])


def _scaled(value_minor: int, quantity: int, pieces: int) -> int:
    """The value of `pieces` at the unit cost of `quantity`, also for more pieces than there were."""
    whole, rest = divmod(pieces, quantity)
    return value_minor * whole + (share(value_minor, quantity, rest) if rest else 0)


async def _add(
    db: AsyncConnection,
    books: Books,
    key: Key,
    quantity: int,
    serials: list[str],
    lot: str | None,
    worth: Worth,
    when: datetime,
    from_place: str,
    why: Why,
    reference: str,
    note: str | None,
) -> None:
    """Pieces that turned up enter as new layers, one for each serial."""
    pieces = [1] * quantity if serials else [quantity]
    ids = await fresh_layer_ids(db, len(pieces))
    for at, (number, size, minor) in enumerate(zip(ids, pieces, cuts(worth.minor, quantity, pieces), strict=True)):
        layer = Layer(
            id=number,
            key=key,
            quantity=size,
            value_minor=minor,
            currency=worth.currency,
            received_at=when,
            lot=lot,
            serial=serials[at] if serials else None,
        )
        books.put_new(layer, from_place=from_place, why=why, reference=reference, note=note)
