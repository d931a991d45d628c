"""What is known of travel: the source in force, times and lines that were asked before, and what to ask for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Pool, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.routing.rules.plan import from_json as plan_from_json
from app.routing.rules.problem import from_json as problem_from_json
from app.routing.travel.hours import FREE, bucket_of
from app.routing.travel.known import Memory, SourceInForce, Times, key_of
from app.routing.travel.matrix import Point

KEPT = timedelta(days=14)
"""After this a time or line is asked anew [house]: roads change."""
MOST_POINTS = 250
"""Points of a region whose pairs are asked ahead [house]; beyond, sites are asked for when something is needed there."""

SOURCE_IN_FORCE = """
    SELECT CAST(json_build_object('id', id, 'version', version, 'by_hour', by_hour) AS text)
    FROM travel_source WHERE in_force
"""
IN_FORCE = text(f"{SOURCE_IN_FORCE}")
TIMES = text("""
    SELECT origin, target, seconds FROM travel_time
    WHERE source = :source AND bucket = :bucket AND origin = ANY(CAST(:points AS bigint[]))
      AND target = ANY(CAST(:points AS bigint[])) AND asked_at > :after
""")
LINES_AMONG = text("""
    SELECT l.origin, l.target, l.line FROM travel_line l
    JOIN travel_source s ON s.id = l.source AND s.in_force
    WHERE l.origin = ANY(CAST(:points AS bigint[])) AND l.target = ANY(CAST(:points AS bigint[]))
      AND l.line IS NOT NULL AND l.asked_at > :after
    ORDER BY l.asked_at DESC LIMIT 400
""")
LINES = text("""
    SELECT l.origin, l.target FROM travel_line l
    JOIN travel_source s ON s.id = l.source AND s.in_force
    WHERE (l.origin, l.target) IN (SELECT * FROM unnest(CAST(:origins AS bigint[]), CAST(:targets AS bigint[])))
      AND l.asked_at > :after
""")
# Where people start and fetch comes before where they go, since every way begins or ends there.
REGIONS = text("""
    SELECT v.region, min(c.timezone) AS zone, array_agg(p.latitude ORDER BY p.rank, p.code) AS latitudes,
        array_agg(p.longitude ORDER BY p.rank, p.code) AS longitudes
    FROM (SELECT DISTINCT region FROM area_region) v
    JOIN LATERAL (
        SELECT (array_agg(p.timezone ORDER BY c.code))[1] AS timezone
        FROM courier c JOIN place p ON p.code = c.place WHERE c.area = v.region
    ) c ON c.timezone IS NOT NULL
    JOIN LATERAL (
        SELECT 0 AS rank, p.code, p.latitude, p.longitude FROM courier c JOIN place p ON p.code = c.place
        WHERE c.area = v.region
        UNION
        SELECT 1, p.code, p.latitude, p.longitude FROM area_region a JOIN area_source s ON s.area = a.area
        JOIN place p ON p.code = s.place WHERE a.region = v.region
        UNION
        SELECT 2, s.code, s.latitude, s.longitude FROM area_region a JOIN site s ON s.area = a.area
        WHERE a.region = v.region
    ) p ON true
    GROUP BY v.region ORDER BY v.region
""")
PLANS = text("SELECT region, problem, plan FROM region_plan WHERE plan IS NOT NULL ORDER BY region").columns()

_SOURCE: msgspec.json.Decoder[SourceInForce | None] = msgspec.json.Decoder(SourceInForce | None)
_MEMORIES: WeakKeyDictionary[Pool, dict[tuple[int, int], Memory]] = WeakKeyDictionary()
"""What this process remembers of each database: by source and part of the day."""
MOST_MEMORIES = 8

Leg = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class RegionPoints:
    """The points between which a region's people drive, each once, and the zone that tells its time of day."""

    region: str
    zone: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class RoadLines:
    """How ways run on the map, as encoded lines (`travel.lines`); what has none is drawn straight."""

    lines: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def between(self, start: Point, end: Point) -> str | None:
        """The line from one point to another."""
        return self.lines.get((key_of(start), key_of(end)))


def source_of(raw: str | None) -> SourceInForce | None:
    """What SOURCE_IN_FORCE gave, as a value."""
    return _SOURCE.decode(raw or "null")


async def source_in_force(db: AsyncConnection) -> SourceInForce | None:
    """The source whose times are in use; None while ways are estimated."""
    return source_of(await db.scalar(IN_FORCE))


async def times_between(
    db: AsyncConnection,
    *,
    source: SourceInForce,
    points: Sequence[Point],
    zone: str,
    now: datetime,
    at: datetime | None = None,
) -> Times:
    """What is known between some points for driving `at` (default now); from memory where this process has read it."""
    bucket = bucket_of((at or now).astimezone(ZoneInfo(zone))) if source.by_hour else FREE
    keys = tuple(dict.fromkeys(key_of(point) for point in points))
    memory = memory_of(db, source, bucket, now)
    known = Times(source=source, bucket=bucket, keys=keys, grid=memory.of(keys, now))
    if known.lacks:
        binds = {"source": source.id, "bucket": bucket, "points": list(keys), "after": now - KEPT}
        memory.put((row.origin, row.target, row.seconds) for row in (await db.execute(TIMES, binds)).all())
        known = Times(source=source, bucket=bucket, keys=keys, grid=memory.of(keys, now))
    return known


def memory_of(db: AsyncConnection, source: SourceInForce, bucket: int, now: datetime) -> Memory:
    """This process's memory of a source in a part of the day; the oldest is dropped for a new one."""
    known = _MEMORIES.setdefault(db.sync_engine.pool, {})
    found = known.get((source.id, bucket))
    if found is None:
        while len(known) >= MOST_MEMORIES:
            del known[next(iter(known))]
        found = known[source.id, bucket] = Memory(now)
    return found


async def road_lines(db: AsyncConnection, *, points: Iterable[Point], now: datetime) -> RoadLines:
    """The lines that are known among some points."""
    keys = sorted({key_of(point) for point in points})
    rows = (await db.execute(LINES_AMONG, {"points": keys, "after": now - KEPT})).all() if keys else []
    return RoadLines({(row.origin, row.target): row.line for row in rows})


async def legs_undrawn(db: AsyncConnection, *, source: SourceInForce, now: datetime) -> list[Leg]:
    """The legs of standing plans whose line nobody asked for yet."""
    legs = {leg for row in await db.execute(PLANS) for leg in _legs(row)}
    keyed = {(key_of(start), key_of(end)): (start, end) for start, end in legs}
    binds = {"origins": [a for a, _ in keyed], "targets": [b for _, b in keyed], "after": now - KEPT}
    drawn = {(row.origin, row.target) for row in await db.execute(LINES, binds)} if keyed else set()
    return sorted(leg for key, leg in keyed.items() if key not in drawn and key[0] != key[1])


def _legs(row: Any) -> list[Leg]:
    """The legs of one stored plan, from where each courier is."""
    problem, plan = problem_from_json(row.problem), plan_from_json(row.plan)
    found: list[Leg] = []
    for route, courier in zip(plan.routes, problem.couriers, strict=True):
        at = [courier.start, *(stop.location for stop in route.stops)]
        points = [(problem.locations[one].latitude, problem.locations[one].longitude) for one in at]
        found += pairwise(points)
    return found


async def region_points(db: AsyncConnection) -> list[RegionPoints]:
    """For each region with couriers: where they start, where they fetch, where they go; at most `MOST_POINTS`."""
    found = []
    for row in await db.execute(REGIONS):
        points = dict.fromkeys(zip(row.latitudes, row.longitudes, strict=True))
        found.append(RegionPoints(row.region, row.zone, tuple(points)[:MOST_POINTS]))
    return found
