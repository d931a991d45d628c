"""What planning reads: which regions are dirty, and who a planned line belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor

REGIONS = text("""
    SELECT a.code FROM area a
    WHERE EXISTS (SELECT FROM courier c WHERE c.area = a.code)
      AND (CAST(:area AS text) IS NULL OR a.code = (SELECT v.region FROM area_region v WHERE v.area = :area))
      AND (CAST(:scope_areas AS text[]) IS NULL OR EXISTS (
          SELECT FROM area_region v WHERE v.region = a.code AND v.area = ANY(CAST(:scope_areas AS text[]))))
    ORDER BY a.code
""")
WAITING = text("""
    SELECT l.id, l.request, l.state, l.due_at, l.eta, l.mode, r.customer, r.area, r.priority, w.on_hold, r.version,
        coalesce((w.paused ->> l.id)::bigint, 0) AS paused_s, w.done_due_at
    FROM request_line l JOIN part_request r ON r.id = l.request JOIN request_watch w ON w.request = r.id
    WHERE r.area IN (SELECT v.area FROM area_region v WHERE v.region = ANY(CAST(:regions AS text[])))
      AND l.state NOT IN ('confirmed', 'canceled', 'lost')
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLine:
    """A line in a plan, as the plan's answer names it."""

    id: str
    request: str
    state: str
    customer: str
    due_at: datetime
    eta: datetime | None
    on_hold: str | None
    mode: str | None
    area: str | None

    @property
    def waits(self) -> bool:
        """Whether a courier will have to bring it, though no plan looks at it now: held, unpaid or crowded out."""
        return self.mode in ("courier", None) and self.state in ("awaiting_consent", "accepted", "picked", "packed")


async def regions(db: AsyncConnection, *, actor: Actor, area: str | None) -> list[str]:
    """The regions this actor may see that have couriers."""
    rows = await db.execute(REGIONS, {"area": area, "scope_areas": actor.scope["scope_areas"]})
    return list(rows.scalars())


async def lines_of(db: AsyncConnection, *, regions: list[str]) -> Mapping[str, PlannedLine]:
    """Open lines of some regions, by id."""
    return {row.id: _line(row) for row in await db.execute(WAITING, {"regions": regions})}


def _line(row: Any) -> PlannedLine:
    due = row.due_at + timedelta(seconds=row.paused_s)
    return PlannedLine(
        id=row.id,
        request=row.request,
        state=row.state,
        customer=row.customer,
        due_at=min(due, row.done_due_at) if row.done_due_at else due,
        eta=row.eta,
        on_hold=row.on_hold,
        mode=row.mode,
        area=row.area,
    )


STORED = text("""
    SELECT region, version, planned_at, problem, plan, making FROM plan_history
    WHERE region = :region AND (CAST(:version AS bigint) IS NULL OR version = CAST(:version AS bigint))
    ORDER BY version DESC LIMIT 1
""").columns(problem=JSONB, plan=JSONB, making=JSONB)


async def stored_plan(db: AsyncConnection, *, region: str, version: int | None) -> Any | None:
    """A plan that was in force, with its problem and how it came about; the newest if no version is given."""
    return (await db.execute(STORED, {"region": region, "version": version})).one_or_none()
