"""A region as the plan sees it: its couriers, its open lines, its standing plan, all read at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.routing.queries import SOURCE_IN_FORCE, source_of, times_between
from app.routing.rules import plan as plans
from app.routing.rules import problem as problems
from app.routing.travel import Point
from app.routing.travel.known import Times

COURIERS = """
    SELECT c.code, c.shift, c.capacity_g, c.skills, p.code AS place, p.latitude, p.longitude, p.timezone,
        ARRAY(SELECT json_build_array(x.begins_at, x.ends_at) FROM extra_shift x
            WHERE x.courier = c.code AND x.ends_at > CAST(:now AS timestamptz) ORDER BY x.begins_at) AS extra
    FROM courier c JOIN place p ON p.code = c.place WHERE c.area = here.region ORDER BY c.code
"""
OPENED = """ARRAY(SELECT json_build_array(x.begins_at, x.ends_at) FROM extra_opening x WHERE x.place = p.code
        ORDER BY x.ends_at DESC, x.id LIMIT 10)"""
"""When a place `p` is opened for once, the last ten times: what is over is left out by who reads them."""
OPEN_LINES = f"""
    SELECT l.id, l.request, l.state, l.quantity, l.due_at, l.eta, l.courier,
        r.priority, r.found_on, r.site, s.latitude AS site_latitude, s.longitude AS site_longitude,
        r.appointment_at, w.done_due_at, coalesce((w.paused ->> l.id)::bigint, 0) AS paused_s, q.fitting_minutes, q.weight_g,
        p.code AS place, p.latitude, p.longitude, p.timezone, p.preparation_minutes, p.opening_hours,
        {OPENED} AS opened,
        (SELECT n.courier FROM plan_pin n WHERE n.line = l.id) AS pinned,
        greatest(l.committed_at, (
            SELECT max(t.occurred_at) FROM request_step t WHERE t.request = l.request
              AND ((t.verb = 'consented' AND t.line = l.id) OR (t.verb = 'lost' AND t.line = l.replaces))
        ), (SELECT max(c.available_at) FROM call_off c WHERE l.confirmed AND c.line = l.id AND c.state = 'confirmed')
        ) AS prepared_from
    FROM request_line l
    JOIN part_request r ON r.id = l.request
    JOIN request_watch w ON w.request = r.id
    JOIN site s ON s.code = r.site
    JOIN part q ON q.number = l.supplied_part_number
    JOIN place p ON p.code = l.source
    WHERE r.area IN (SELECT v.area FROM area_region v WHERE v.region = here.region)
      AND (l.mode = 'courier' OR l.mode IS NULL AND EXISTS (
          SELECT FROM area_source a WHERE a.area = r.area AND a.place = l.source))
      AND l.state IN ('accepted', 'picked', 'packed', 'dispatched')
      AND (w.on_hold IS NULL OR l.state = 'dispatched')
    ORDER BY l.id
"""
# One round trip and one snapshot for all of a region; JSON, because it is three lists of different shape.
REGION = text(f"""
    SELECT (SELECT CAST(json_agg(c) AS text) FROM ({COURIERS}) c) AS couriers,
        (SELECT CAST(json_agg(o) AS text) FROM ({OPEN_LINES}) o) AS lines,
        here.region, EXISTS (SELECT FROM region_freeze f WHERE f.region = here.region) AS frozen,
        s.version, s.planned_at, CAST(s.problem AS text) AS problem, CAST(s.plan AS text) AS plan,
        ({SOURCE_IN_FORCE}) AS source
    FROM (SELECT region FROM area_region WHERE area = :area) here LEFT JOIN region_plan s ON s.region = here.region
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierFacts:
    """One person who drives, where he or she starts from, the shift as the network keeps it and shifts for once."""

    code: str
    shift: Any
    capacity_g: int
    skills: tuple[str, ...]
    place: str
    latitude: float
    longitude: float
    timezone: str
    extra: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """A line the couriers have to bring: where from, where to, until when.

    `prepared_from` is when the warehouse could begin: the acceptance, the customer's word, or the loss it makes good.
    """

    id: str
    request: str
    state: str
    quantity: int
    due_at: datetime
    told_at: datetime | None
    courier: str | None
    prepared_from: datetime
    tier: int
    site: str
    site_latitude: float
    site_longitude: float
    appointment_at: datetime | None
    fitting_s: int
    grams: int
    place: str
    latitude: float
    longitude: float
    timezone: str
    preparation_s: int
    opening_hours: Any
    opened: tuple[tuple[datetime, datetime], ...] = ()
    pinned: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The plan in force: its version, the problem it answers and its routes."""

    version: int
    planned_at: datetime
    problem: problems.Problem
    plan: plans.Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Everything a region's plan rests on at one moment. `travel` is what is known of its ways; None: all are estimated."""

    name: str
    couriers: tuple[CourierFacts, ...]
    lines: tuple[OpenLine, ...]
    standing: Standing | None
    frozen: bool = False
    travel: Times | None = field(default=None, compare=False)


TIERS: Mapping[str, int] = {"emergency": problems.EMERGENCY, "severe": problems.SEVERE, "general": problems.GENERAL}


def tier_of(priority: str, found_on: str) -> int:
    """R2's tier: opened-box swaps rank as emergency (W8a)."""
    return problems.EMERGENCY if found_on == "opening" else TIERS[priority]


async def region_of_area(db: AsyncConnection, *, area: str, now: datetime, also: Sequence[Point] = ()) -> Region:
    """The region of a service area: its own, or that of the couriers who start from its sources.

    `also` are further points whose ways the caller wants to know.
    """
    row = (await db.execute(REGION, {"area": area, "now": now})).one()
    region = Region(
        name=row.region,
        couriers=_COURIERS.decode(row.couriers or "[]"),
        lines=tuple(map(_line, _OPEN_LINES.decode(row.lines or "[]"))),
        standing=_standing(row),
        frozen=row.frozen,
    )
    source = source_of(row.source)
    if source is None or not region.couriers:
        return region
    points, zone = [*_points(region), *also], region.couriers[0].timezone
    return replace(region, travel=await times_between(db, source=source, points=points, zone=zone, now=now))


def _points(region: Region) -> list[Point]:
    """Where the region's people may be and go."""
    points = [(one.latitude, one.longitude) for one in region.couriers]
    points += [(one.latitude, one.longitude) for one in region.lines]
    points += [(one.site_latitude, one.site_longitude) for one in region.lines]
    if region.standing is not None:
        problem, plan = region.standing.problem, region.standing.plan
        rows = {one.start for one in problem.couriers} | {stop.location for one in plan.routes for stop in one.stops}
        points += [(problem.locations[at].latitude, problem.locations[at].longitude) for at in sorted(rows)]
    return points


class _LineRow(msgspec.Struct):
    """A row of OPEN_LINES."""

    id: str
    request: str
    state: str
    quantity: int
    due_at: datetime
    eta: datetime | None
    courier: str | None
    priority: str
    found_on: str
    site: str
    site_latitude: float
    site_longitude: float
    appointment_at: datetime | None
    done_due_at: datetime | None
    paused_s: int
    fitting_minutes: int
    weight_g: int
    place: str
    latitude: float
    longitude: float
    timezone: str
    preparation_minutes: int
    opening_hours: Any
    opened: tuple[tuple[datetime, datetime], ...]
    prepared_from: datetime
    pinned: str | None


_COURIERS = msgspec.json.Decoder(tuple[CourierFacts, ...])
_OPEN_LINES = msgspec.json.Decoder(list[_LineRow])


def _line(row: _LineRow) -> OpenLine:
    due = row.due_at + timedelta(seconds=row.paused_s)
    return OpenLine(
        id=row.id, request=row.request, state=row.state, quantity=row.quantity,
        due_at=min(due, row.done_due_at) if row.done_due_at else due,
        told_at=row.eta, courier=row.courier, prepared_from=row.prepared_from,
        tier=tier_of(row.priority, row.found_on), site=row.site, site_latitude=row.site_latitude,
        site_longitude=row.site_longitude, appointment_at=row.appointment_at, fitting_s=row.fitting_minutes * 60,
        grams=row.weight_g * row.quantity, place=row.place, latitude=row.latitude, longitude=row.longitude,
        timezone=row.timezone, preparation_s=row.preparation_minutes * 60, opening_hours=row.opening_hours, opened=row.opened,
        pinned=row.pinned,
    )  # fmt: skip


def _standing(row: Any) -> Standing | None:
    """The plan in force; None before the first."""
    if row.plan is None:
        return None
    problem, plan = _parsed(row.problem, row.plan)
    return Standing(version=row.version, planned_at=row.planned_at, problem=problem, plan=plan)


@lru_cache(maxsize=64)
def _parsed(problem: str, plan: str) -> tuple[problems.Problem, plans.Plan]:
    """A stored plan as values: many promises are made on one plan, and the same text is always the same plan."""
    return problems.from_json(msgspec.json.decode(problem)), plans.from_json(msgspec.json.decode(plan))
