"""Stock as people look it up: balances, movements, transfers and loans, page by page, inside the asker's places."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import NotFound
from app.core.keyset import capped, decode, encode
from app.core.money import Money
from app.core.types import MoneyOut
from app.stock.rules.ledger import NO_CURRENCY
from app.stock.schemas import (
    LoanOut,
    LoansOut,
    MovementOut,
    MovementsOut,
    StockOut,
    StockRow,
    TransferLineOut,
    TransferOut,
    TransfersOut,
)

IN_SCOPE = "(CAST(:scope_places AS text[]) IS NULL OR {column} = ANY(CAST(:scope_places AS text[])))"
STOCK = text(f"""
    SELECT b.place, b.part, b.condition, b.genuine, p.stock, b.on_hand, b.reserved,
           (SELECT array_agg(s.currency || ' ' || s.minor ORDER BY s.currency)
            FROM (SELECT l.currency, sum(l.value_minor) AS minor FROM stock_layer l
                  WHERE (l.place, l.part, l.condition, l.genuine) = (b.place, b.part, b.condition, b.genuine)
                    AND l.quantity > 0 AND l.currency <> '{NO_CURRENCY}' GROUP BY l.currency) s) AS worth,
           ARRAY(SELECT DISTINCT l.bin FROM stock_layer l
                 WHERE (l.place, l.part, l.condition, l.genuine) = (b.place, b.part, b.condition, b.genuine)
                   AND l.quantity > 0 AND l.bin IS NOT NULL ORDER BY l.bin) AS bins
    FROM stock_balance b JOIN place p ON p.code = b.place
    WHERE (CAST(:part AS text) IS NULL OR b.part = :part) AND (CAST(:place AS text) IS NULL OR b.place = :place)
      AND {IN_SCOPE.format(column="b.place")}
      AND (CAST(:after_place AS text) IS NULL OR (b.place, b.part, b.condition, b.genuine)
           > (CAST(:after_place AS text), CAST(:after_part AS text), CAST(:after_condition AS text),
              CAST(:after_genuine AS boolean)))
    ORDER BY b.place, b.part, b.condition, b.genuine LIMIT :limit
""")
MOVEMENTS = text(f"""
    SELECT m.* FROM stock_movement m
    WHERE (CAST(:part AS text) IS NULL OR m.part = :part) AND (CAST(:place AS text) IS NULL OR m.place = :place)
      AND (CAST(:serial AS text) IS NULL OR m.serial = :serial)
      AND (CAST(:reference AS text) IS NULL OR m.reference = :reference)
      AND {IN_SCOPE.format(column="m.place")} AND (CAST(:before AS text) IS NULL OR m.id < :before)
    ORDER BY m.id DESC LIMIT :limit
""")
TRANSFERS = text(f"""
    SELECT t.* FROM stock_transfer t
    WHERE (CAST(:state AS text) IS NULL OR t.state = :state) AND (CAST(:before AS text) IS NULL OR t.id < :before)
      AND ({IN_SCOPE.format(column="t.from_place")} OR {IN_SCOPE.format(column="t.to_place")})
    ORDER BY t.id DESC LIMIT :limit
""")
TRANSFER = text("""
    SELECT t.* FROM stock_transfer t
    WHERE t.id = :id AND (CAST(:scope_places AS text[]) IS NULL OR t.from_place = ANY(CAST(:scope_places AS text[]))
                          OR t.to_place = ANY(CAST(:scope_places AS text[])))
""")
TRANSFER_LINES = text("""
    SELECT i.transfer, i.line, l.part, l.condition, l.genuine, l.lot, l.serial, i.quantity, i.received, i.written_off
    FROM stock_transfer_line i JOIN stock_layer l ON l.id = i.layer
    WHERE i.transfer = ANY(CAST(:ids AS text[])) ORDER BY i.transfer, i.line, i.piece
""")
LOANS = text(f"""
    SELECT n.*, l.part, l.serial FROM stock_loan n JOIN stock_layer l ON l.id = n.layer
    WHERE (CAST(:open AS boolean) IS NULL OR (n.back_at IS NULL) = :open)
      AND (CAST(:id AS text) IS NULL OR n.id = :id) AND (CAST(:before AS text) IS NULL OR n.id < :before)
      AND {IN_SCOPE.format(column="n.place")}
      AND (CAST(:scope_customers AS text[]) IS NULL OR n.customer = ANY(CAST(:scope_customers AS text[])))
    ORDER BY n.id DESC LIMIT :limit
""")


class NoSuchTransfer(NotFound):
    """No transfer by that id that touches a place of this actor's."""

    code = "transfer.not_found"


class NoSuchLoan(NotFound):
    """No loan by that id in this actor's scope."""

    code = "loan.not_found"


async def stock(
    db: AsyncConnection, *, actor: Actor, part: str | None, place: str | None, cursor: str | None, limit: int | None
) -> StockOut:
    """Balances by place and part; what they are worth only for those who see cost."""
    most = capped(limit)
    after = decode(cursor, str, str, str, bool) if cursor else (None, None, None, None)
    names = ("after_place", "after_part", "after_condition", "after_genuine")
    asked = {"part": part, "place": place, "limit": most + 1, "scope_places": actor.scope["scope_places"]}
    rows = (await db.execute(STOCK, asked | dict(zip(names, after, strict=True)))).all()
    last = rows[most - 1] if len(rows) > most else None
    following = encode([last.place, last.part, last.condition, last.genuine]) if last else None
    return StockOut(items=[_stock_row(row, actor) for row in rows[:most]], next=following)


def _stock_row(row: Any, actor: Actor) -> StockRow:
    return StockRow(
        place=row.place,
        part_number=row.part,
        condition=row.condition,
        genuine=row.genuine,
        stock=row.stock,
        on_hand=row.on_hand,
        reserved=row.reserved,
        available=row.on_hand - row.reserved,
        bins=list(row.bins),
        value=[_worth(one) for one in row.worth or []] if actor.sees_cost else None,
    )


def _worth(packed: str) -> MoneyOut:
    currency, _, minor = packed.partition(" ")
    return money_out(int(minor), currency)


def money_out(minor: int, currency: str) -> MoneyOut:
    return MoneyOut(amount=Money(minor, currency).amount, currency=currency)


async def movements(
    db: AsyncConnection,
    *,
    actor: Actor,
    part: str | None = None,
    place: str | None = None,
    serial: str | None = None,
    reference: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> MovementsOut:
    """The ledger, newest first. Whoever is scoped to places sees what touched them."""
    most = capped(limit)
    asked = {"part": part, "place": place, "serial": serial, "reference": reference, "limit": most + 1}
    before = decode(cursor, str)[0] if cursor else None
    scope = {"before": before, "scope_places": actor.scope["scope_places"]}
    rows = (await db.execute(MOVEMENTS, asked | scope)).all()
    following = encode([rows[most - 1].id]) if len(rows) > most else None
    return MovementsOut(items=[_movement(row, actor) for row in rows[:most]], next=following)


def _movement(row: Any, actor: Actor) -> MovementOut:
    return MovementOut(
        id=row.id,
        why=row.why,
        from_place=row.from_place,
        to_place=row.to_place,
        part_number=row.part,
        condition=row.condition,
        genuine=row.genuine,
        lot=row.lot,
        serial=row.serial,
        quantity=row.quantity,
        value=money_out(row.value_minor, row.currency) if actor.sees_cost and row.currency != NO_CURRENCY else None,
        ledger_number=row.ledger_number,
        balance_after=row.balance_after,
        reference=row.reference,
        corrects=row.corrects,
        note=row.note,
        moved_by=row.moved_by,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
    )


async def transfer(db: AsyncConnection, *, actor: Actor, transfer_id: str) -> TransferOut:
    """One transfer with its lines; NoSuchTransfer where neither end is in scope."""
    asked = {"id": transfer_id, "scope_places": actor.scope["scope_places"]}
    row = (await db.execute(TRANSFER, asked)).one_or_none()
    if row is None:
        raise NoSuchTransfer(transfer=transfer_id)
    return (await _with_lines(db, [row]))[0]


async def transfers(
    db: AsyncConnection, *, actor: Actor, state: str | None, cursor: str | None, limit: int | None
) -> TransfersOut:
    """Transfers from or to the asker's places, newest first."""
    most = capped(limit)
    before = decode(cursor, str)[0] if cursor else None
    asked = {"state": state, "before": before, "limit": most + 1, "scope_places": actor.scope["scope_places"]}
    rows = list((await db.execute(TRANSFERS, asked)).all())
    following = encode([rows[most - 1].id]) if len(rows) > most else None
    return TransfersOut(items=await _with_lines(db, rows[:most]), next=following)


async def _with_lines(db: AsyncConnection, rows: list[Any]) -> list[TransferOut]:
    lines: dict[str, list[TransferLineOut]] = {row.id: [] for row in rows}
    for row in await db.execute(TRANSFER_LINES, {"ids": list(lines)}):
        lines[row.transfer].append(
            TransferLineOut(
                line=row.line,
                part_number=row.part,
                condition=row.condition,
                genuine=row.genuine,
                lot=row.lot,
                serial=row.serial,
                quantity=row.quantity,
                received=row.received,
                written_off=row.written_off,
                in_transit=row.quantity - row.received - row.written_off,
            )
        )
    return [
        TransferOut(
            id=row.id,
            from_place=row.from_place,
            to_place=row.to_place,
            state=row.state,
            note=row.note,
            shipped_at=row.shipped_at,
            version=row.version,
            lines=lines[row.id],
        )
        for row in rows
    ]


async def loan(db: AsyncConnection, *, actor: Actor, loan_id: str) -> LoanOut:
    """One loan, or NoSuchLoan."""
    asked = {"id": loan_id, "open": None, "before": None, "limit": 1, **actor.scope}
    row = (await db.execute(LOANS, asked)).one_or_none()
    if row is None:
        raise NoSuchLoan(loan=loan_id)
    return _loan(row)


async def loans(
    db: AsyncConnection, *, actor: Actor, open: bool | None, cursor: str | None, limit: int | None
) -> LoansOut:
    """Loans, newest first; `open` ones are still with the customer (C7)."""
    most = capped(limit)
    before = decode(cursor, str)[0] if cursor else None
    asked = {"id": None, "open": open, "before": before, "limit": most + 1, **actor.scope}
    rows = (await db.execute(LOANS, asked)).all()
    following = encode([rows[most - 1].id]) if len(rows) > most else None
    return LoansOut(items=[_loan(row) for row in rows[:most]], next=following)


def _loan(row: Any) -> LoanOut:
    return LoanOut(
        id=row.id,
        customer=row.customer,
        place=row.place,
        part_number=row.part,
        serial=row.serial,
        reference=row.reference,
        lent_at=row.lent_at,
        back_at=row.back_at,
        back_place=row.back_place,
        back_condition=row.back_condition,
        version=row.version,
    )
