"""What steers the plan: pins, freezes, a courier's region, and what a plan changed against the one before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import NotFound
from app.fulfillment.queries.plans import PlannedLine
from app.fulfillment.schemas.steering import FreezeOut, MovedStop, PinOut, PlanChangesOut
from app.routing.rules import plan as plans
from app.routing.rules import problem as problems
from app.stock.queries.lookups import NoSuchPlace

LINE = text("SELECT request FROM request_line WHERE id = :line")
PIN = text("SELECT line, courier, reason, pinned_by, pinned_at FROM plan_pin WHERE line = :line")
PINS = text("""
    SELECT n.line, n.courier FROM plan_pin n JOIN request_line l ON l.id = n.line
    WHERE l.state IN ('accepted', 'awaiting_consent', 'picked', 'packed', 'dispatched')
""")
REGION = text("""
    SELECT v.region FROM area_region v WHERE v.area = :area
      AND (CAST(:scope_areas AS text[]) IS NULL OR v.area = ANY(CAST(:scope_areas AS text[])))
""")
COURIER = text("""
    SELECT area FROM courier WHERE code = :courier
      AND (CAST(:scope_areas AS text[]) IS NULL OR area IN (
          SELECT v.region FROM area_region v WHERE v.area = ANY(CAST(:scope_areas AS text[]))))
""")
PLACE = text("""
    SELECT DISTINCT v.region FROM place p LEFT JOIN area_source a ON a.place = p.code
    LEFT JOIN area_region v ON v.area = a.area
      AND (CAST(:scope_areas AS text[]) IS NULL OR v.area = ANY(CAST(:scope_areas AS text[])))
    WHERE p.code = :place
      AND (CAST(:scope_places AS text[]) IS NULL OR p.code = ANY(CAST(:scope_places AS text[])))
      AND (CAST(:scope_areas AS text[]) IS NULL OR v.area IS NOT NULL)
    ORDER BY 1
""")
FREEZE = text("SELECT reason, frozen_by, frozen_at FROM region_freeze WHERE region = :region")
LAST_TWO = text("""
    SELECT version, planned_at, problem, plan FROM plan_history WHERE region = :region ORDER BY version DESC LIMIT 2
""").columns(problem=JSONB, plan=JSONB)


class NoSuchLineHere(NotFound):
    """No line by that id in this scope."""

    code = "line.not_found"


class NoSuchRegion(NotFound):
    """No area by that code in this scope."""

    code = "area.not_found"


class NoSuchCourier(NotFound):
    """No courier by that code in this scope."""

    code = "courier.not_found"


async def line_request(db: AsyncConnection, *, actor: Actor, line: str) -> str:
    """The request of a line; whether the actor may see that is asked when it is loaded."""
    found = await db.scalar(LINE, {"line": line})
    if found is None:
        raise NoSuchLineHere(line=line)
    return str(found)


async def pin_of(db: AsyncConnection, *, line: str) -> PinOut | None:
    row = (await db.execute(PIN, {"line": line})).one_or_none()
    return None if row is None else PinOut(**row._mapping)


async def pins(db: AsyncConnection) -> Mapping[str, str]:
    """Which courier each pinned line that is still under way is given to."""
    return {row.line: row.courier for row in await db.execute(PINS)}


async def region_name(db: AsyncConnection, *, actor: Actor, area: str) -> str:
    """The region an area is planned in."""
    found = await db.scalar(REGION, {"area": area, "scope_areas": actor.scope["scope_areas"]})
    if found is None:
        raise NoSuchRegion(area=area)
    return str(found)


async def courier_region(db: AsyncConnection, *, actor: Actor, courier: str) -> str:
    """The region a courier drives for."""
    found = await db.scalar(COURIER, {"courier": courier, "scope_areas": actor.scope["scope_areas"]})
    if found is None:
        raise NoSuchCourier(courier=courier)
    return str(found)


async def place_regions(db: AsyncConnection, *, actor: Actor, place: str) -> list[str]:
    """The regions whose couriers fetch from a place; none where it only ships by carrier."""
    binds = {"place": place, "scope_areas": actor.scope["scope_areas"], "scope_places": actor.scope["scope_places"]}
    found = (await db.scalars(PLACE, binds)).all()
    if not found:
        raise NoSuchPlace(place=place)
    return [str(one) for one in found if one is not None]


async def freeze_of(db: AsyncConnection, *, region: str) -> FreezeOut:
    row = (await db.execute(FREEZE, {"region": region})).one_or_none()
    if row is None:
        return FreezeOut(region=region, frozen=False, reason=None, frozen_by=None, frozen_at=None)
    return FreezeOut(region=region, frozen=True, **row._mapping)


@dataclass(frozen=True, slots=True)
class _Told:
    """What one plan says of a line."""

    courier: str | None
    eta: datetime | None


async def plan_changes(
    db: AsyncConnection, *, region: str, visible: Mapping[str, PlannedLine]
) -> PlanChangesOut | None:
    """The newest plan of a region against the one before, line by line; None before the first plan."""
    rows = (await db.execute(LAST_TWO, {"region": region})).all()
    if not rows:
        return None
    new, old = rows[0], rows[1] if len(rows) > 1 else None
    after, before = _said(new), {} if old is None else _said(old)
    moved = [
        MovedStop(
            line=line,
            request=visible[line].request,
            courier_before=before.get(line, _Told(None, None)).courier,
            courier=after.get(line, _Told(None, None)).courier,
            eta_before=before.get(line, _Told(None, None)).eta,
            eta=after.get(line, _Told(None, None)).eta,
        )
        for line in sorted(after.keys() | before.keys())
        if line in visible and _differs(after.get(line), before.get(line))
    ]
    return PlanChangesOut(
        region=region,
        version=new.version,
        planned_at=new.planned_at,
        before_version=old.version if old is not None else None,
        before_at=old.planned_at if old is not None else None,
        drive_s=_drive(new),
        drive_before_s=_drive(old) if old is not None else None,
        items=sorted(moved, key=lambda one: (one.eta or one.eta_before or new.planned_at, one.line)),
    )


def _said(row: Any) -> dict[str, _Told]:
    problem = msgspec.convert(row.problem, dict[str, Any])
    start = problems.from_json(problem).start
    plan = plans.from_json(row.plan)
    return {
        stop.job: _Told(route.courier, start + timedelta(seconds=stop.leave_s))
        for route in plan.routes
        for stop in route.stops
        if stop.kind == "drop"
    }


def _drive(row: Any) -> int:
    return sum(route.drive_s for route in plans.from_json(row.plan).routes)


def _differs(after: _Told | None, before: _Told | None) -> bool:
    """Another courier, or five minutes and more earlier or later; times that merely passed are no change."""
    if after is None or before is None:
        return after is not before
    if after.courier != before.courier or after.eta is None or before.eta is None:
        return True
    return abs(after.eta - before.eta) >= timedelta(minutes=5)
