"""What the warehouse's queue and a pick read: lines to give, the pieces held for them, the plan, and who is at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.fulfillment.queries.planning import planning
from app.fulfillment.queries.region import region_of_area
from app.fulfillment.queries.requests import SCOPED, scope_of
from app.routing.rules.lanes import Departure, Lane, next_departure
from app.stock.queries import Reserved, reservations
from app.stock.queries.lists import IN_SCOPE

MOST = 1_000
"""Lines one queue looks at; those due first."""
LINES = text(f"""
    SELECT l.id, l.request, l.n, l.state, l.supplied_part_number AS part, l.quantity, l.source, l.mode, l.due_at,
        l.kind, l.handover_at, l.courier, l.carrier, l.waybill, l.part_number AS asked_part, l.covered, CASE WHEN l.covered
            THEN (SELECT v.outcome -> 'coverage' ->> 'last_day' FROM verdict v WHERE v.id = l.verdict) END AS covered_until,
        r.device_serial, r.model, q.name AS part_name, q.tracking, p.name AS place_name,
        p.timezone, r.area, r.priority, r.received_at, r.ticket_number, r.version, s.name AS site_name, s.address,
        c.name AS customer_name, w.on_hold, w.done_due_at, coalesce((w.paused ->> l.id)::bigint, 0) AS paused_s
    FROM request_line l
    JOIN part_request r ON r.id = l.request
    JOIN request_watch w ON w.request = r.id
    JOIN site s ON s.code = r.site
    JOIN customer c ON c.code = r.customer
    JOIN part q ON q.number = l.supplied_part_number
    JOIN place p ON p.code = l.source
    WHERE CASE WHEN CAST(:request AS text) IS NULL THEN l.state IN ('accepted', 'picked', 'packed')
               ELSE l.request = :request END
      AND (CAST(:place AS text) IS NULL OR l.source = :place)
      AND {IN_SCOPE.format(column="l.source")} AND {SCOPED}
    ORDER BY l.due_at, l.n, l.id LIMIT :most
""")
REGIONS = text("SELECT DISTINCT region FROM area_region WHERE area = ANY(CAST(:areas AS text[])) ORDER BY region")
COURIERS = text("""
    SELECT code, name, place, area FROM courier
    WHERE code = ANY(CAST(:codes AS text[])) OR place = ANY(CAST(:places AS text[]))
       OR area = ANY(CAST(:areas AS text[])) ORDER BY code
""")
LANES = text("""
    SELECT l.carrier, l.from_place, l.to_area, l.cutoffs, l.transit_hours, p.timezone
    FROM lane l JOIN place p ON p.code = l.from_place
    WHERE l.from_place = ANY(CAST(:places AS text[])) ORDER BY l.carrier
""")
CLAIMS = text("""
    SELECT request, place, claimed_by, name, claimed_at FROM pick_claim
    WHERE request = ANY(CAST(:requests AS text[])) AND expires_at > :now AND claimed_by <> :me ORDER BY claimed_at
""")
STEPS = text("""
    SELECT s.line, s.verb, s.occurred_at, s.actor, s.details, coalesce(
        (SELECT u.name FROM user_account u WHERE u.id = s.actor),
        (SELECT k.name FROM api_key k WHERE k.id = s.actor)) AS name
    FROM request_step s
    WHERE s.request = :request AND s.verb IN ('picked', 'unpicked', 'packed', 'dispatched') ORDER BY s.occurred_at, s.seq
""").columns(details=JSONB)
EQUAL = text("""
    SELECT r.reference, o.serial, o.bin FROM reservation r JOIN stock_layer h ON h.id = r.layer
    JOIN stock_layer o ON (o.place, o.part, o.condition, o.genuine) = (h.place, h.part, h.condition, h.genuine)
    WHERE r.reference = ANY(CAST(:lines AS text[])) AND r.state = 'held' AND r.quantity = 1 AND o.serial IS NOT NULL
      AND o.quantity > o.reserved AND o.value_minor = r.value_minor AND o.currency = h.currency AND o.rates = h.rates
    ORDER BY o.serial LIMIT 500
""")
KNOWN = text("""
    SELECT l.part, min(l.bin) AS bin, max(l.serial) FILTER (WHERE l.serial = :code) AS serial,
        max(l.lot) FILTER (WHERE l.lot = :code) AS lot, bool_or(l.bin IS NULL) AS unplaced
    FROM stock_layer l
    WHERE l.place = :place AND l.quantity > 0 AND (l.serial = :code OR l.lot = :code OR l.part = :code)
    GROUP BY l.part ORDER BY l.part LIMIT 1
""")
PART = text("SELECT number FROM part WHERE number = :code")
SERIAL = text("SELECT part FROM stock_serial WHERE serial = :code")
BIN = text("SELECT code FROM bin WHERE place = :place AND code = :code")


@dataclass(frozen=True, slots=True)
class Planned:
    """When the standing plan has a courier leave with a line, and be done with it."""

    courier: str
    leaves_at: datetime
    done_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a queue or one pick is made of, as this asker may see it at one moment."""

    lines: tuple[Any, ...]
    pieces: Mapping[str, tuple[Reserved, ...]]
    planned: Mapping[str, Planned]
    couriers: tuple[Any, ...]
    lanes: tuple[Any, ...]
    claims: tuple[Any, ...]


async def queue_facts(
    db: AsyncConnection, *, actor: Actor, now: datetime, place: str | None = None, request: str | None = None
) -> Facts:
    """The lines that this actor's places have to give, or those of one request in any state."""
    asked = {"request": request, "place": place, "most": MOST, **scope_of(actor)}
    lines = (await db.execute(LINES, asked)).all()
    pieces: dict[str, list[Reserved]] = {}
    for one in await reservations(db, references=[line.id for line in lines]) if lines else []:
        pieces.setdefault(one.reference, []).append(one)
    planned = await planned_times(db, areas=sorted({line.area for line in lines if line.area}), now=now)
    places = sorted({line.source for line in lines})
    codes = {one.courier for one in planned.values()} | {line.courier for line in lines if line.courier}
    near = sorted({line.area for line in lines if line.area}) if request else []
    claims = {"requests": sorted({line.request for line in lines}), "now": now, "me": actor.id}
    return Facts(
        lines=tuple(lines),
        pieces={key: tuple(value) for key, value in pieces.items()},
        planned=planned,
        couriers=tuple((await db.execute(COURIERS, {"codes": sorted(codes), "places": places, "areas": near})).all()),
        lanes=tuple((await db.execute(LANES, {"places": places})).all()),
        claims=tuple((await db.execute(CLAIMS, claims)).all()),
    )


async def planned_times(db: AsyncConnection, *, areas: Sequence[str], now: datetime) -> dict[str, Planned]:
    """By line, what the plans of some areas say as of now."""
    found: dict[str, Planned] = {}
    for name in (await db.execute(REGIONS, {"areas": list(areas)})).scalars().all() if areas else ():
        facts = await region_of_area(db, area=name, now=now)
        planned = planning(facts, now=now)
        start = planned.problem.start
        for route in planned.plan.routes:
            leaves = {stop.job: stop.leave_s for stop in route.stops if stop.kind == "pickup"}
            for stop in route.stops:
                if stop.kind == "drop" and stop.job in leaves:
                    left, done = start + timedelta(seconds=leaves[stop.job]), start + timedelta(seconds=stop.leave_s)
                    found[stop.job] = Planned(route.courier, left, done)
    return found


def next_cutoff(facts: Facts, line: Any, now: datetime) -> datetime | None:
    """When the carrier of a line takes parcels next, on the clock of the place."""
    for one in facts.lanes:
        if (one.carrier, one.from_place, one.to_area) == (line.carrier, line.source, line.area):
            run = Lane(
                carrier=one.carrier,
                zone=one.timezone,
                cutoffs=tuple(one.cutoffs),
                transit_s=one.transit_hours * 3600,
            )
            leaves = next_departure(run, now=now)
            return leaves.cutoff_at if isinstance(leaves, Departure) else None
    return None


async def steps_of_pick(db: AsyncConnection, *, request: str) -> tuple[Any, ...]:
    """Who picked, packed and handed over, and when."""
    return tuple((await db.execute(STEPS, {"request": request})).all())


async def equal_serials(db: AsyncConnection, *, lines: Sequence[str]) -> dict[str, list[tuple[str, str | None]]]:
    """By line, free serials of the same part and price with their bins: they may be taken instead (S6)."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    for row in await db.execute(EQUAL, {"lines": list(lines)}):
        found.setdefault(row.reference, []).append((row.serial, row.bin))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a code stands for at a place: a bin of it, or a piece with the bin it belongs in.

    `lies`: pieces of it are at the place; `unplaced`: some of them in no bin yet.
    """

    code: str
    is_bin: bool = False
    part: str | None = None
    bin: str | None = None
    serial: str | None = None
    lot: str | None = None
    lies: bool = False
    unplaced: bool = False


async def known_code(db: AsyncConnection, *, place: str, code: str) -> Known:
    """What somebody holds who scanned this at a place."""
    if await db.scalar(BIN, {"place": place, "code": code}) is not None:
        return Known(code=code, is_bin=True)
    row = (await db.execute(KNOWN, {"place": place, "code": code})).one_or_none()
    if row is not None:
        return Known(
            code=code, part=row.part, bin=row.bin, serial=row.serial, lot=row.lot, lies=True, unplaced=row.unplaced
        )
    part = await db.scalar(SERIAL, {"code": code}) or await db.scalar(PART, {"code": code})
    return Known(code=code, part=part)
