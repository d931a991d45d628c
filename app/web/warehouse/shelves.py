"""What lies where, as the warehouse's pages ask: by part, by bin, by lot; one part; one bin; what is to come."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.keyset import decode, encode
from app.stock.queries import place_for
from app.stock.queries.lists import IN_SCOPE

PAGE = 50
LIES = """(l.place, l.part, l.condition, l.genuine) = (b.place, b.part, b.condition, b.genuine) AND l.quantity > 0"""
FINDS = """(CAST(:q AS text) IS NULL OR position(lower(:q) IN lower({part})) > 0
    OR position(lower(:q) IN lower(q.name)) > 0 OR {exact})"""
BY_PART = text(f"""
    SELECT b.place, p.name AS place_name, b.part, q.name AS part_name, b.condition, b.genuine, b.on_hand, b.reserved,
           ARRAY(SELECT DISTINCT l.bin FROM stock_layer l WHERE {LIES} AND l.bin IS NOT NULL ORDER BY l.bin) AS bins
    FROM stock_balance b JOIN place p ON p.code = b.place JOIN part q ON q.number = b.part
    WHERE b.on_hand > 0 AND (CAST(:place AS text) IS NULL OR b.place = :place) AND {IN_SCOPE.format(column="b.place")}
      AND {FINDS.format(part="b.part", exact=f"EXISTS (SELECT FROM stock_layer l WHERE {LIES} AND :q IN (l.serial, l.lot))")}
      AND (CAST(:after1 AS text) IS NULL OR (b.part, b.place, b.condition, b.genuine)
           > (CAST(:after1 AS text), CAST(:after2 AS text), CAST(:after3 AS text), CAST(:after4 AS boolean)))
    ORDER BY b.part, b.place, b.condition, b.genuine LIMIT :limit
""")
LAYER = """l.id, l.place, p.name AS place_name, l.part, q.name AS part_name, q.tracking, l.condition, l.genuine, l.lot,
    l.serial, l.bin, l.expires_on, l.quantity, l.reserved, l.received_at"""
LAYERS = "FROM stock_layer l JOIN place p ON p.code = l.place JOIN part q ON q.number = l.part"
BY_LOT = text(f"""
    SELECT {LAYER} {LAYERS}
    WHERE l.quantity > 0 AND (l.lot IS NOT NULL OR l.serial IS NOT NULL)
      AND (CAST(:place AS text) IS NULL OR l.place = :place) AND {IN_SCOPE.format(column="l.place")}
      AND {FINDS.format(part="l.part", exact=":q IN (l.serial, l.lot)")}
      AND (CAST(:after1 AS text) IS NULL OR (l.part, l.id) > (CAST(:after1 AS text), CAST(:after2 AS bigint)))
    ORDER BY l.part, l.id LIMIT :limit
""")
BY_BIN = text(f"""
    SELECT b.place, p.name AS place_name, b.code, b.note, count(DISTINCT l.part) AS parts,
           coalesce(sum(l.quantity), 0)::bigint AS on_hand, array_agg(DISTINCT l.part) AS numbers
    FROM bin b JOIN place p ON p.code = b.place
    LEFT JOIN stock_layer l ON l.place = b.place AND l.bin = b.code AND l.quantity > 0
    WHERE (CAST(:place AS text) IS NULL OR b.place = :place) AND {IN_SCOPE.format(column="b.place")}
      AND (CAST(:q AS text) IS NULL OR position(lower(:q) IN lower(b.code)) > 0 OR EXISTS (
          SELECT FROM stock_layer f WHERE f.place = b.place AND f.bin = b.code AND f.quantity > 0 AND f.part = :q))
      AND (CAST(:after1 AS text) IS NULL OR (b.place, b.code) > (CAST(:after1 AS text), CAST(:after2 AS text)))
    GROUP BY b.place, p.name, b.code, b.note ORDER BY b.place, b.code LIMIT :limit
""")
OF_PART = text(f"""
    SELECT {LAYER} {LAYERS}
    WHERE l.part = :part AND l.quantity > 0 AND {IN_SCOPE.format(column="l.place")}
    ORDER BY l.place, l.bin, l.expires_on, l.received_at, l.id LIMIT 500
""")
IN_BIN = text(f"""
    SELECT {LAYER} {LAYERS} WHERE l.place = :place AND l.bin = :bin AND l.quantity > 0
    ORDER BY l.part, l.expires_on, l.received_at, l.id LIMIT 1000
""")
HOLDERS = text(f"""
    SELECT r.reference, r.place, r.quantity, l.lot, l.serial, l.bin, n.request, q.ticket_number, s.name AS site_name
    FROM reservation r JOIN stock_layer l ON l.id = r.layer
    LEFT JOIN request_line n ON n.id = r.reference
    LEFT JOIN part_request q ON q.id = n.request LEFT JOIN site s ON s.code = q.site
    WHERE r.state = 'held' AND r.part = :part AND {IN_SCOPE.format(column="r.place")}
    ORDER BY r.held_at, r.id LIMIT 200
""")
ELSEWHERE = text("""
    SELECT DISTINCT p.name FROM stock_balance b JOIN place p ON p.code = b.place
    WHERE b.part = :part AND b.condition = 'new' AND b.genuine AND b.on_hand > b.reserved
      AND NOT (CAST(:scope_places AS text[]) IS NULL OR b.place = ANY(CAST(:scope_places AS text[])))
    ORDER BY p.name LIMIT 20
""")
PLACES = text(f"""
    SELECT code, name FROM place p WHERE stock = 'ours' AND {IN_SCOPE.format(column="code")}
    ORDER BY code LIMIT 500
""")
NAMED = text("SELECT code, name, timezone FROM place WHERE code = ANY(CAST(:codes AS text[]))")
BINS = text("SELECT code FROM bin WHERE place = :place ORDER BY code LIMIT 2000")
ORDERED = text(f"""
    SELECT l.place, l.reference, l.part, q.name, q.tracking, l.quantity, l.quantity - coalesce((
        SELECT sum(m.quantity) FROM stock_movement m
        WHERE m.why IN ('receipt', 'reported') AND m.to_place = l.place AND m.note = l.reference AND m.part = l.part
          AND NOT EXISTS (SELECT FROM stock_movement c WHERE c.corrects = m.id)), 0)::bigint AS open
    FROM purchase_line l JOIN part q ON q.number = l.part
    WHERE l.place = :place AND {IN_SCOPE.format(column="l.place")} ORDER BY l.reference, l.part LIMIT 2000
""")
RECEIVED = text(f"""
    SELECT m.part, q.name AS part_name, m.lot, m.serial, m.quantity, l.bin, l.expires_on, m.place, p.name AS place_name,
        m.note, m.occurred_at, p.timezone, EXISTS (SELECT FROM stock_movement c WHERE c.corrects = m.id) AS taken_back
    FROM stock_movement m JOIN part q ON q.number = m.part JOIN place p ON p.code = m.place
    JOIN stock_layer l ON l.id = m.layer
    WHERE m.reference = :receipt AND m.why IN ('receipt', 'reported') AND {IN_SCOPE.format(column="m.place")}
    ORDER BY m.id LIMIT 5000
""")
PART = text("SELECT number, name, tracking FROM part WHERE number = :number")


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the cursor of the next page."""

    rows: tuple[Any, ...]
    following: str | None


async def stock_by_part(
    db: AsyncConnection, *, actor: Actor, place: str | None, q: str | None, cursor: str | None
) -> Page:
    """Balances, by part and place."""
    after = decode(cursor, str, str, str, bool) if cursor else (None,) * 4
    rows = await _rows(db, BY_PART, actor, place, q, after)
    return _page(rows, lambda row: [row.part, row.place, row.condition, row.genuine])


async def stock_by_lot(
    db: AsyncConnection, *, actor: Actor, place: str | None, q: str | None, cursor: str | None
) -> Page:
    """Lots and serials, by part."""
    after = decode(cursor, str, int) if cursor else (None,) * 2
    return _page(await _rows(db, BY_LOT, actor, place, q, after), lambda row: [row.part, row.id])


async def stock_by_bin(
    db: AsyncConnection, *, actor: Actor, place: str | None, q: str | None, cursor: str | None
) -> Page:
    """Bins, by place."""
    after = decode(cursor, str, str) if cursor else (None,) * 2
    return _page(await _rows(db, BY_BIN, actor, place, q, after), lambda row: [row.place, row.code])


async def _rows(
    db: AsyncConnection, statement: Any, actor: Actor, place: str | None, q: str | None, after: tuple[Any, ...]
) -> list[Any]:
    asked = {f"after{at}": value for at, value in enumerate(after, start=1)}
    scope = {"scope_places": actor.scope["scope_places"], "place": place, "q": q, "limit": PAGE + 1}
    return list(await db.execute(statement, asked | scope))


def _page(rows: list[Any], key: Any) -> Page:
    return Page(tuple(rows[:PAGE]), encode(key(rows[PAGE - 1])) if len(rows) > PAGE else None)


async def layers_of(db: AsyncConnection, *, actor: Actor, part: str) -> tuple[Any, ...]:
    """Every lot, serial and cost layer of a part at this actor's places."""
    return tuple(await db.execute(OF_PART, {"part": part, "scope_places": actor.scope["scope_places"]}))


async def holders_of(db: AsyncConnection, *, actor: Actor, part: str) -> tuple[Any, ...]:
    """Who holds pieces of a part at this actor's places."""
    return tuple(await db.execute(HOLDERS, {"part": part, "scope_places": actor.scope["scope_places"]}))


async def free_elsewhere(db: AsyncConnection, *, actor: Actor, part: str) -> tuple[str, ...]:
    """Names of other places that have some free; how many is theirs to know."""
    found = await db.execute(ELSEWHERE, {"part": part, "scope_places": actor.scope["scope_places"]})
    return tuple(found.scalars())


async def bin_contents(db: AsyncConnection, *, place: str, code: str) -> tuple[Any, ...]:
    """What lies in a bin, whose place the caller has found to be in scope."""
    return tuple(await db.execute(IN_BIN, {"place": place, "bin": code}))


async def own_places(db: AsyncConnection, *, actor: Actor) -> tuple[Any, ...]:
    """The places with stock of ours that this actor works at."""
    return tuple(await db.execute(PLACES, {"scope_places": actor.scope["scope_places"]}))


async def places_named(db: AsyncConnection, *, codes: Iterable[str]) -> dict[str, Any]:
    """Names and zones of places by code."""
    return {row.code: row for row in await db.execute(NAMED, {"codes": sorted(set(codes))})}


async def expected_at(db: AsyncConnection, *, actor: Actor, place: str) -> tuple[Any, ...]:
    """What was ordered for a place, with how much of it is still to come."""
    await place_for(db, actor=actor, place=place)
    return tuple(await db.execute(ORDERED, {"place": place, "scope_places": actor.scope["scope_places"]}))


async def bins_at(db: AsyncConnection, *, place: str) -> tuple[str, ...]:
    return tuple((await db.execute(BINS, {"place": place})).scalars())


async def receipt_rows(db: AsyncConnection, *, actor: Actor, receipt: str) -> tuple[Any, ...]:
    """What one receipt brought in."""
    return tuple(await db.execute(RECEIVED, {"receipt": receipt, "scope_places": actor.scope["scope_places"]}))


async def part_by_number(db: AsyncConnection, *, number: str) -> Any | None:
    """A part of the catalog; None if there is none."""
    return (await db.execute(PART, {"number": number})).one_or_none()
