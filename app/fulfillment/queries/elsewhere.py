"""Other local shelves for lines that still lie on theirs: what re-planning may move them to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.fulfillment.queries.holders import BEGUN
from app.fulfillment.queries.planning import spans_of
from app.routing.rules.depletion import piece_prices, piece_risks
from app.routing.rules.moving import Elsewhere
from app.routing.rules.problem import Location, Problem
from app.stock.queries.levels import RATES, level_of

MOST = 3
"""Other shelves that are looked at for one line, the nearest to its site first."""
# Lines that a courier brings and nobody has touched: not pinned, not confirmed by a partner, their region not frozen.
SHELVES = text(f"""
    SELECT l.id AS line, l.quantity, b.part, p.code AS place, p.latitude, p.longitude, p.timezone, p.opening_hours,
        ARRAY(SELECT x.begins_at FROM extra_opening x WHERE x.place = p.code ORDER BY x.ends_at DESC, x.id LIMIT 10) AS opens,
        ARRAY(SELECT x.ends_at FROM extra_opening x WHERE x.place = p.code ORDER BY x.ends_at DESC, x.id LIMIT 10) AS shuts,
        p.preparation_minutes * 60 AS preparation_s, b.on_hand - b.reserved AS free, v.base_stock, v.lead_time_hours,
        {RATES}, current_setting('sparelane.miss_minor', true) AS miss_minor,
        (p.latitude - s.latitude) ^ 2 + (p.longitude - s.longitude) ^ 2 AS far
    FROM request_line l JOIN part_request r ON r.id = l.request JOIN site s ON s.code = r.site
    JOIN area_source a ON a.area = r.area AND a.place <> l.source
    JOIN place p ON p.code = a.place AND p.stock = 'ours'
    JOIN stock_balance b ON b.place = p.code AND b.part = l.supplied_part_number AND b.condition = 'new' AND b.genuine
        AND b.on_hand - b.reserved >= l.quantity
    LEFT JOIN stock_level v ON v.place = b.place AND v.part = b.part
    WHERE r.area IN (SELECT w.area FROM area_region w WHERE w.region = :region) AND l.state = 'accepted'
      AND (l.mode = 'courier' OR l.mode IS NULL) AND l.confirmed IS NOT TRUE
      AND NOT EXISTS (SELECT FROM plan_pin n WHERE n.line = l.id)
      AND NOT {BEGUN}
      AND NOT EXISTS (SELECT FROM region_freeze f WHERE f.region = :region)
    ORDER BY l.id, far, p.code LIMIT 2000
""").columns(opening_hours=JSONB)


@dataclass(frozen=True, slots=True)
class Shelves:
    """The other shelves of each line, by its id."""

    rows: Mapping[str, Sequence[Any]]

    @property
    def locations(self) -> list[Location]:
        """Where they are, each once."""
        found = {one.place: one for rows in self.rows.values() for one in rows}
        return [Location(code, one.latitude, one.longitude) for code, one in sorted(found.items())]

    def ways(self, problem: Problem) -> dict[str, list[Elsewhere]]:
        """The shelves as the rule weighs them, in a problem that knows their locations."""
        at = {(one.latitude, one.longitude): row for row, one in enumerate(problem.locations)}
        return {line: [_way(one, at, problem) for one in rows] for line, rows in self.rows.items()}

    def place_of(self, line: str, shelf: str) -> str:
        """The place of a line's shelf."""
        return next(str(one.place) for one in self.rows[line] if _shelf(one) == shelf)


def _shelf(row: Any) -> str:
    return f"{row.place}\x1f{row.part}"


def _way(row: Any, at: Mapping[tuple[float, float], int], problem: Problem) -> Elsewhere:
    level = level_of(row, row.miss_minor)
    price = 0
    if level is not None:
        risks = piece_risks(level.base_stock, row.free, level.load, most=row.quantity)
        price = sum(piece_prices(risks, level.miss_minor)) * problem.prices.drive  # a minor unit a second of driving
    opened = tuple(zip(row.opens, row.shuts, strict=True))
    return Elsewhere(
        shelf=_shelf(row),
        pickup=at[row.latitude, row.longitude],
        ready_s=row.preparation_s,
        free=row.free,
        price=price,
        open_spans=spans_of(row.opening_hours, row.timezone, problem.start, opened),
    )


async def shelves_elsewhere(db: AsyncConnection, *, region: str) -> Shelves:
    """Where else the untouched lines of a region could come from."""
    found: dict[str, list[Any]] = {}
    for row in await db.execute(SHELVES, {"region": region}):
        mine = found.setdefault(row.line, [])
        if len(mine) < MOST:
            mine.append(row)
    return Shelves(found)
