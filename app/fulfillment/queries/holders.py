"""Lines that hold pieces and that nobody has touched yet: what may give way to a higher priority (S3b)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor

TIER = """CASE WHEN r.found_on = 'opening' OR r.priority = 'emergency' THEN 0 WHEN r.priority = 'severe' THEN 1 ELSE 2 END"""
BEGUN = """EXISTS (SELECT FROM reservation v WHERE v.reference = l.id AND v.state = 'issued'
    AND v.quantity > v.returned + v.lost)"""
"""Of a line `l`: some of its pieces were picked already, serial by serial."""
# Accepted and on the shelf whole; not pinned, not confirmed by a partner, its region not frozen. Of the same shelves and tier
# sites take turns: lines of one site mostly have the same places to go to.
HOLDERS = text(f"""
    SELECT line, request, place, part, quantity, tier, due_at, customer, area FROM (
        SELECT h.*, row_number() OVER (PARTITION BY is_near, tier, site, accept_substitutes ORDER BY due_at DESC, line) AS turn
        FROM (
            SELECT l.id AS line, l.request, l.source AS place, l.supplied_part_number AS part, l.quantity, {TIER} AS tier,
                l.due_at, r.customer, r.area, r.site, r.accept_substitutes,
                l.source = ANY(CAST(:near AS text[])) AS is_near
            FROM request_line l JOIN part_request r ON r.id = l.request
            WHERE l.state = 'accepted' AND l.confirmed IS NOT TRUE AND {TIER} > :tier
              AND (CAST(:parts AS text[]) IS NULL OR l.supplied_part_number = ANY(CAST(:parts AS text[])))
              AND (CAST(:lines AS text[]) IS NULL OR l.id = ANY(CAST(:lines AS text[])))
              AND NOT EXISTS (SELECT FROM plan_pin n WHERE n.line = l.id)
              AND NOT EXISTS (
                  SELECT FROM region_freeze f JOIN area_region v ON v.region = f.region WHERE v.area = r.area)
              AND NOT {BEGUN}
        ) h
    ) ranked ORDER BY is_near DESC, tier DESC, turn, due_at DESC, line LIMIT :most
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A line with the shelf that it holds pieces on; `tier` is R2's."""

    line: str
    request: str
    place: str
    part: str
    quantity: int
    tier: int
    due_at: datetime
    customer: str
    area: str | None

    def seen_by(self, actor: Actor) -> bool:
        """Whether it lies in the actor's scope."""
        mine = actor.may_see_customer(self.customer) and actor.may_see_area(self.area)
        return mine and actor.may_see_place(self.place)


async def holders(
    db: AsyncConnection,
    *,
    tier: int,
    parts: Sequence[str] | None = None,
    lines: Sequence[str] | None = None,
    near: Collection[str] = (),
    most: int = 1_000,
) -> list[Holder]:
    """Untouched lines of a strictly lower priority than `tier`: of these parts, or these very lines; the least urgent
    first, at the places in `near` before all."""
    asked = {"tier": tier, "parts": parts, "lines": lines, "near": sorted(near), "most": most}
    return [Holder(**row._mapping) for row in await db.execute(HOLDERS, asked)]
