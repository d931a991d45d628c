"""What the dispatch board reads, in a fixed number of statements however many requests are open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ADMIN, DISPATCHER, Actor
from app.fulfillment.queries.call_offs import call_offs
from app.fulfillment.queries.planning import Planning, planning
from app.fulfillment.queries.plans import PlannedLine, lines_of, regions
from app.fulfillment.queries.region import region_of_area
from app.fulfillment.queries.requests import SCOPED, scope_of
from app.fulfillment.schemas.call_offs import CallOffOut
from app.routing.queries import RoadLines, road_lines

MOST = 500
"""Requests on one board; beyond it those due first are shown, and the page says so."""

OPEN = f"r.state NOT IN ('confirmed', 'canceled', 'lost') AND {SCOPED}"
REQUESTS = text(f"""
    SELECT r.id, r.state, r.priority, r.asked_priority, r.received_at, r.appointment_at, r.timing, r.area, r.site,
        r.device_serial, r.model, r.ticket_number, w.on_hold, s.name AS site_name, s.latitude, s.longitude, s.timezone,
        c.name AS customer_name
    FROM part_request r
    JOIN request_watch w ON w.request = r.id
    JOIN site s ON s.code = r.site
    JOIN customer c ON c.code = r.customer
    WHERE {OPEN} AND (CAST(:area AS text) IS NULL OR r.area = :area)
    ORDER BY (SELECT min(l.due_at) FROM request_line l WHERE l.request = r.id), r.id LIMIT :most
""").columns(timing=JSONB)
AREAS = text(f"""
    SELECT r.area AS code, coalesce(a.name, r.area) AS name, count(*) AS open
    FROM part_request r LEFT JOIN area a ON a.code = r.area WHERE {OPEN} GROUP BY 1, 2 ORDER BY 3 DESC, 1
""")
LINES = text("""
    SELECT l.id, l.request, l.n, l.state, l.part_number, l.supplied_part_number, l.quantity, l.source, l.mode, l.eta,
        l.kind, l.due_at, l.handover_at, l.courier, l.carrier, l.commitment_reasons,
        l.sourcing -> 'reasons' AS sourcing_reasons, q.name AS part_name, p.name AS source_name
    FROM request_line l
    JOIN part q ON q.number = l.supplied_part_number
    JOIN place p ON p.code = l.source
    WHERE l.request = ANY(CAST(:ids AS text[])) ORDER BY l.request, l.n
""").columns(commitment_reasons=JSONB, sourcing_reasons=JSONB)
STEPS = text("""
    SELECT request, verb, line, occurred_at, details FROM request_step
    WHERE request = ANY(CAST(:ids AS text[])) AND verb <> 'escalated' ORDER BY request, occurred_at, seq
""").columns(details=JSONB)
COURIERS = text("""
    SELECT c.code, c.name, c.area, p.timezone FROM courier c JOIN place p ON p.code = c.place
    WHERE c.area = ANY(CAST(:areas AS text[])) ORDER BY c.code
""")
PLACES = text("""
    SELECT p.code, p.name, p.kind, p.latitude, p.longitude, p.area, a.name AS area_name
    FROM place p LEFT JOIN area a ON a.code = p.area
    WHERE p.code = ANY(CAST(:codes AS text[])) OR p.area = ANY(CAST(:areas AS text[])) ORDER BY p.code
""")
# A number taken early may be committed late, below the newest: the count of the last thousand tells.
NEWEST = text("""
    SELECT coalesce(max(seq), 0) AS newest,
        (SELECT count(*) FROM event WHERE seq > (SELECT max(seq) - 1000 FROM event)) AS lately,
        (SELECT coalesce(sum(version), 0) FROM region_plan) AS plans
    FROM event
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """An open request with its lines and steps, as rows. Clocks rest on all `lines`; people of a place are shown
    their own, which are `seen`."""

    row: Any
    lines: tuple[Any, ...]
    seen: tuple[Any, ...]
    steps: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionPlan:
    """A region's plan as it stands now, and those of its lines that this asker may see."""

    region: str
    planned: Planning
    planned_at: datetime | None
    visible: Mapping[str, PlannedLine]
    frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFacts:
    """Everything a board is made of, as this asker may see it at one moment."""

    requests: tuple[OpenRequest, ...]
    areas: tuple[Any, ...]
    plans: tuple[RegionPlan, ...]
    couriers: tuple[Any, ...]
    places: tuple[Any, ...]
    roads: RoadLines = field(default_factory=RoadLines)
    call_offs: tuple[CallOffOut, ...] = ()


async def board_facts(
    db: AsyncConnection, *, actor: Actor, area: str | None, now: datetime, base: str = ""
) -> BoardFacts:
    """The open requests of an asker's scope, one area's if named, with the plans that serve them.

    `base` is where people reach the installation, for the links of call-offs.
    """
    scope = scope_of(actor)
    areas = (await db.execute(AREAS, scope)).all()
    requests = await open_requests(db, actor=actor, area=area)
    names = await regions(db, actor=actor, area=area)
    plans = await region_plans(db, names=names, seen={line.id for one in requests for line in one.seen}, now=now)
    if actor.customers is not None or actor.places is not None:
        plans = [plan for plan in plans if plan.visible]
        names = [plan.region for plan in plans]
    sources = {line.source for one in requests for line in one.seen}
    binds = {"codes": sorted(sources), "areas": names if actor.places is None else []}
    places = (await db.execute(PLACES, binds)).all()
    asked: tuple[CallOffOut, ...] = ()
    if actor.role in (ADMIN, DISPATCHER):
        shown = {one.row.id for one in requests}
        waiting = await call_offs(db, actor=actor, state="open", limit=200, base=base)
        asked = tuple(one for one in waiting.items if one.request in shown)
    driven = [at for plan in plans for at in plan.planned.problem.locations] + list(places)
    return BoardFacts(
        requests=tuple(requests),
        areas=tuple(areas),
        plans=tuple(plans),
        couriers=tuple((await db.execute(COURIERS, {"areas": names})).all()),
        places=tuple(places),
        roads=await road_lines(db, points=[(one.latitude, one.longitude) for one in driven], now=now),
        call_offs=asked,
    )


async def open_requests(db: AsyncConnection, *, actor: Actor, area: str | None) -> list[OpenRequest]:
    """Requests with their lines and steps in three reads."""
    rows = (await db.execute(REQUESTS, {**scope_of(actor), "area": area, "most": MOST})).all()
    ids = {"ids": [row.id for row in rows]}
    lines = _by_request((await db.execute(LINES, ids)).all() if rows else [])
    steps = _by_request((await db.execute(STEPS, ids)).all() if rows else [])
    found = [
        OpenRequest(
            row=row,
            lines=tuple(lines.get(row.id, ())),
            seen=tuple(line for line in lines.get(row.id, ()) if actor.may_see_place(line.source)),
            steps=tuple(steps.get(row.id, ())),
        )
        for row in rows
    ]
    return [one for one in found if one.seen]  # its lines may have moved out of scope since the first read


async def region_plans(db: AsyncConnection, *, names: list[str], seen: set[str], now: datetime) -> list[RegionPlan]:
    """Each region's plan as of `now`. Only lines that are `seen` are in `visible`."""
    lines = await lines_of(db, regions=names) if names else {}
    visible = {key: line for key, line in lines.items() if key in seen}
    found = []
    for name in names:
        facts = await region_of_area(db, area=name, now=now)
        at = facts.standing.planned_at if facts.standing else None
        found.append(
            RegionPlan(
                region=name, planned=planning(facts, now=now), planned_at=at, visible=visible, frozen=facts.frozen
            )
        )
    return found


async def newest(db: AsyncConnection) -> tuple[int, int, int]:
    """Numbers that differ from the last ones whenever an event was recorded or a plan came into force."""
    row = (await db.execute(NEWEST)).one()
    return row.newest, row.lately, int(row.plans)


def _by_request(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.request, []).append(row)
    return found
