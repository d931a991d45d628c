"""Bins and what lies in them, and what was ordered for a place, inside the asker's places."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import NotFound
from app.core.keyset import capped, decode, encode
from app.core.types import MoneyOut
from app.stock.queries.lists import IN_SCOPE
from app.stock.schemas import BinOut, BinsOut, PurchaseLineOut, PurchasesOut

BINS = text(f"""
    SELECT b.place, b.code, b.note, b.version, count(DISTINCT l.part) AS parts,
           coalesce(sum(l.quantity), 0)::bigint AS on_hand
    FROM bin b LEFT JOIN stock_layer l ON l.place = b.place AND l.bin = b.code AND l.quantity > 0
    WHERE (CAST(:place AS text) IS NULL OR b.place = :place) AND (CAST(:code AS text) IS NULL OR b.code = :code)
      AND {IN_SCOPE.format(column="b.place")}
      AND (CAST(:after_place AS text) IS NULL OR (b.place, b.code) > (CAST(:after_place AS text), CAST(:after AS text)))
    GROUP BY b.place, b.code ORDER BY b.place, b.code LIMIT :limit
""")
PURCHASES = text(f"""
    SELECT p.place, p.reference, p.part, p.quantity, p.unit_cost, p.currency, coalesce((
        SELECT sum(m.quantity) FROM stock_movement m
        WHERE m.why IN ('receipt', 'reported') AND m.to_place = p.place AND m.note = p.reference AND m.part = p.part
          AND NOT EXISTS (SELECT FROM stock_movement c WHERE c.corrects = m.id)), 0)::bigint AS received
    FROM purchase_line p
    WHERE (CAST(:place AS text) IS NULL OR p.place = :place)
      AND (CAST(:reference AS text) IS NULL OR p.reference = :reference) AND {IN_SCOPE.format(column="p.place")}
      AND (CAST(:after_place AS text) IS NULL OR (p.place, p.reference, p.part)
           > (CAST(:after_place AS text), CAST(:after_reference AS text), CAST(:after_part AS text)))
    ORDER BY p.place, p.reference, p.part LIMIT :limit
""")


class NoSuchBin(NotFound):
    """No bin by that code at a place of this actor's."""

    code = "bin.not_found"


async def bins(
    db: AsyncConnection, *, actor: Actor, place: str | None, cursor: str | None, limit: int | None
) -> BinsOut:
    """Bins by place and code."""
    most = capped(limit)
    after_place, after = decode(cursor, str, str) if cursor else (None, None)
    asked = {"place": place, "code": None, "after_place": after_place, "after": after, "limit": most + 1}
    rows = (await db.execute(BINS, asked | {"scope_places": actor.scope["scope_places"]})).all()
    following = encode([rows[most - 1].place, rows[most - 1].code]) if len(rows) > most else None
    return BinsOut(items=[BinOut(**row._mapping) for row in rows[:most]], next=following)


async def bin_for(db: AsyncConnection, *, actor: Actor, place: str, code: str) -> BinOut:
    """One bin of a place that this actor may see."""
    asked = {"place": place, "code": code, "after_place": None, "after": None, "limit": 1}
    row = (await db.execute(BINS, asked | {"scope_places": actor.scope["scope_places"]})).one_or_none()
    if row is None:
        raise NoSuchBin(place=place, bin=code)
    return BinOut(**row._mapping)


async def purchases(
    db: AsyncConnection,
    *,
    actor: Actor,
    place: str | None,
    reference: str | None,
    cursor: str | None,
    limit: int | None,
) -> PurchasesOut:
    """What was ordered, by place, reference and part, and how much of it came; cost for those who see cost."""
    most = capped(limit)
    names = ("after_place", "after_reference", "after_part")
    after = decode(cursor, str, str, str) if cursor else (None, None, None)
    asked = {"place": place, "reference": reference, "limit": most + 1, "scope_places": actor.scope["scope_places"]}
    rows = (await db.execute(PURCHASES, asked | dict(zip(names, after, strict=True)))).all()
    last = rows[most - 1] if len(rows) > most else None
    return PurchasesOut(
        items=[
            PurchaseLineOut(
                place=row.place,
                reference=row.reference,
                part_number=row.part,
                quantity=row.quantity,
                received=row.received,
                unit_cost=MoneyOut(amount=row.unit_cost, currency=row.currency) if actor.sees_cost else None,
            )
            for row in rows[:most]
        ],
        next=encode([last.place, last.reference, last.part]) if last else None,
    )
