"""Stock as it came in: all lines with one place and reference are one receipt; bins they name are made if
need be. And what was ordered, and what places are kept at."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import attempt
from app.core.errors import Refusal
from app.core.http import constraint_of
from app.core.types import Code, Currency, Instant, Name, Quantity, Wire
from app.integrations.imports.load import Bad, Kind, Read, Work, one_by_one
from app.integrations.imports.refusals import AlreadyImported
from app.stock import service
from app.stock.queries.levels import level_for
from app.stock.schemas import (
    Condition,
    CostIn,
    FineAmount,
    PurchaseIn,
    PurchaseLineIn,
    Rate,
    ReceiptIn,
    ReceiptLineIn,
)
from app.stock.schemas.levels import StockLevelIn

MOST_LINES = 5_000
BOOKED = text("""
    SELECT DISTINCT to_place, note FROM stock_movement
    WHERE why IN ('receipt', 'reported') AND to_place = ANY(CAST(:places AS text[])) AND note = ANY(CAST(:references AS text[]))
""")

NOTED = text("""
    SELECT place, reference, part FROM purchase_line
    WHERE place = ANY(CAST(:places AS text[])) AND reference = ANY(CAST(:references AS text[]))
""")


class ReceiptRowIn(Wire):
    """One line of a receipt, with the receipt's own fields beside it."""

    place: Code
    reference: Name
    part_number: Code
    quantity: Quantity
    unit_cost: FineAmount
    currency: Currency
    lot: Code | None = None
    serials: Annotated[list[Code], Meta(min_length=1, max_length=10_000)] | None = None
    condition: Condition = "new"
    genuine: bool = True
    expires_on: date | None = None
    rates: dict[Currency, Rate] | None = None
    received_at: Instant | None = None
    bin: Code | None = None


async def write_receipts(db: AsyncConnection, rows: Sequence[Read[ReceiptRowIn]], work: Work) -> None:
    """Book each receipt in a savepoint; one that is booked already is refused, line by line (T132)."""
    receipts: dict[tuple[str, str], list[Read[ReceiptRowIn]]] = {}
    for one in rows:
        receipts.setdefault((one.row.place, one.row.reference), []).append(one)
    places = sorted({place for place, _ in receipts})
    found = await db.execute(BOOKED, {"places": places, "references": sorted({name for _, name in receipts})})
    booked = {(row.to_place, row.note) for row in found}
    for key, lines in receipts.items():
        if key in booked:
            for one in lines:
                work.refuse(one.line, AlreadyImported(what=one.row.reference))
        else:
            await book(db, lines, work)
        work.advance(len(lines))


async def book(db: AsyncConnection, lines: Sequence[Read[ReceiptRowIn]], work: Work) -> None:
    first = lines[0].row
    strangers = [one for one in lines if one.row.received_at != first.received_at] or lines[MOST_LINES:]
    if strangers:
        code = "imports.receipt_differs" if len(lines) <= MOST_LINES else "imports.receipt_too_long"
        work.bad += [Bad(one.line, "", code, {"reference": first.reference, "limit": MOST_LINES}) for one in strangers]
        return
    receipt = ReceiptIn(
        place=first.place,
        reference=first.reference,
        lines=[line_of(one.row) for one in lines],
        occurred_at=first.received_at,
    )
    try:
        async with attempt(db):
            bins = [one.row.bin for one in lines if one.row.bin is not None]
            await service.meet_bins(db, actor=work.actor, place=first.place, codes=bins, now=work.now)
            await service.receive(db, actor=work.actor, new=receipt, now=work.now)
    except Refusal as refusal:
        work.bad += named(lines, refusal)
    except (IntegrityError, DataError) as broken:
        constraint = constraint_of(broken) or type(broken).__name__
        work.bad += [Bad(one.line, "", "imports.refused_by_database", {"constraint": constraint}) for one in lines]


def line_of(row: ReceiptRowIn) -> ReceiptLineIn:
    return ReceiptLineIn(
        part_number=row.part_number,
        quantity=row.quantity,
        unit_cost=CostIn(amount=row.unit_cost, currency=row.currency),
        lot=row.lot,
        serials=row.serials,
        condition=row.condition,
        genuine=row.genuine,
        expires_on=row.expires_on,
        rates=row.rates,
        bin=row.bin,
    )


def named(lines: Sequence[Read[Any]], refusal: Refusal) -> list[Bad]:
    """The rows a refused receipt means: the lines it names, those with a serial it names, else all."""
    bad = []
    for error in refusal.errors:
        path = error.field.split(".", 2)
        if path[0] == "lines" and len(path) > 1:
            bad.append(Bad(lines[int(path[1])].line, path[2] if len(path) > 2 else "", error.code, dict(error.facts)))
    if bad:
        return bad
    serials = set(refusal.facts.get("serials") or ())
    meant = [one for one in lines if serials & set(getattr(one.row, "serials", None) or ())]
    return [Bad(one.line, "", refusal.code, refusal.facts) for one in meant or lines]


class PurchaseRowIn(Wire):
    """One line of a purchase, with the purchase's own fields beside it."""

    place: Code
    reference: Name
    part_number: Code
    quantity: Quantity
    unit_cost: FineAmount
    currency: Currency
    rates: dict[Currency, Rate] | None = None


async def write_purchases(db: AsyncConnection, rows: Sequence[Read[PurchaseRowIn]], work: Work) -> None:
    """Note each line; one that is noted already is refused, as a receipt is (T132). The API may replace it."""
    places = sorted({one.row.place for one in rows})
    asked = {"places": places, "references": sorted({one.row.reference for one in rows})}
    noted = {(row.place, row.reference, row.part) for row in await db.execute(NOTED, asked)}
    for one in rows:
        row = one.row
        if (row.place, row.reference, row.part_number) in noted:
            work.refuse(one.line, AlreadyImported(what=f"{row.reference} {row.part_number}"))
            continue
        cost = CostIn(amount=row.unit_cost, currency=row.currency)
        line = PurchaseLineIn(part_number=row.part_number, quantity=row.quantity, unit_cost=cost, rates=row.rates)
        new = PurchaseIn(place=row.place, reference=row.reference, lines=[line])
        try:
            async with attempt(db):
                await service.note_purchase(db, actor=work.actor, new=new, now=work.now)
        except Refusal as refusal:
            work.bad += named([one], refusal)
        work.advance(1)


async def set_level(db: AsyncConnection, row: StockLevelIn, work: Work) -> None:
    """A level as it stands already is refused, so that a file loaded twice says so (T132)."""
    known = await level_for(db, actor=work.actor, place=row.place, part=row.part_number)
    names = ("base_stock", "lead_time_hours", "emergency_per_day", "severe_per_day", "general_per_day")
    if known is not None and all(getattr(known, one) == (getattr(row, one) or 0) for one in names):
        raise AlreadyImported(what=f"{row.place} {row.part_number}")
    await service.set_level(db, actor=work.actor, new=row, now=work.now)


RECEIPTS = (
    Kind("receipts", ReceiptRowIn, write_receipts),
    Kind("purchases", PurchaseRowIn, write_purchases),
    Kind("stock_levels", StockLevelIn, one_by_one(set_level)),
)
