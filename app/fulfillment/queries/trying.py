"""What a trial needs beside a region's facts: what lies where for its lines, and where those places are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.fulfillment.queries.gather import PartFacts, PlaceFacts, catalog_of, places_of
from app.stock.rules.substitution import substitutes

LINES = text("""
    SELECT l.id, l.source, l.part_number AS asked, l.supplied_part_number AS part, l.quantity,
        coalesce(r.model, i.model) AS model, l.state = 'accepted' AND l.confirmed IS NOT TRUE AS movable
    FROM request_line l JOIN part_request r ON r.id = l.request LEFT JOIN device d ON d.serial = r.device_serial
        LEFT JOIN installation i ON i.id = d.installation
    WHERE l.id = ANY(CAST(:ids AS text[]))
""")
FREE = text("""
    SELECT place, part, on_hand - reserved AS free FROM stock_balance
    WHERE place = ANY(CAST(:places AS text[])) AND part = ANY(CAST(:parts AS text[])) AND condition = 'new' AND genuine
""")
SOURCES = text("""
    SELECT DISTINCT a.place FROM area_region v JOIN area_source a ON a.area = v.area
    JOIN place p ON p.code = a.place AND p.stock = 'ours' WHERE v.region = :region
""")


@dataclass(frozen=True, slots=True)
class LineStock:
    """Where a line's piece lies, whether it may still come from elsewhere, and what may stand in for its part."""

    source: str
    part: str
    quantity: int
    movable: bool
    substitutes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrialStock:
    """Stock and places for a trial. `local` are the places of ours that serve the region."""

    lines: Mapping[str, LineStock]
    free: Mapping[tuple[str, str], int]
    places: Mapping[str, PlaceFacts]
    parts: Mapping[str, PartFacts]
    local: frozenset[str]


async def trial_stock(
    db: AsyncConnection, *, region: str, lines: Sequence[str], places: Sequence[str], now: datetime
) -> TrialStock:
    """What there is for the lines of a region, at its own places and those that are named."""
    rows = (await db.execute(LINES, {"ids": list(lines)})).all()
    parts, links = await catalog_of(db, sorted({row.asked for row in rows}), substitutes=True)
    found = {
        row.id: LineStock(
            source=row.source,
            part=row.part,
            quantity=row.quantity,
            movable=row.movable,
            substitutes=tuple(one.part for one in substitutes(row.asked, links, on=now.date(), model=row.model)),
        )
        for row in rows
    }
    local = frozenset((await db.execute(SOURCES, {"region": region})).scalars())
    codes = sorted(local | set(places) | {one.source for one in found.values()})
    free = await db.execute(FREE, {"places": codes, "parts": sorted(parts)})
    known, _ = await places_of(db, codes, area=None)
    return TrialStock(found, {(row.place, row.part): row.free for row in free}, known, parts, local)
