"""What is true of the demo day's world whoever dispatches: places, sites, people, carriers, parts, stock, roads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.network.rules.hours import Hours, next_open, parse_hours
from app.routing.travel import GreatCircle
from app.stock.rules.substitution import Link

PLACES = text("""
    SELECT code, latitude, longitude, timezone, opening_hours, preparation_minutes, stock FROM place ORDER BY code
""").columns(opening_hours=JSONB)
SITES = text("SELECT code, area, latitude, longitude FROM site WHERE area IS NOT NULL ORDER BY code")
PEOPLE = text("""
    SELECT c.code, c.area, c.shift, c.capacity_g, p.latitude, p.longitude, p.timezone
    FROM courier c JOIN place p ON p.code = c.place WHERE c.area IS NOT NULL ORDER BY c.code
""").columns(shift=JSONB)
LANES = text(
    "SELECT carrier, from_place, to_area, cutoffs, transit_hours FROM lane ORDER BY carrier, from_place, to_area"
)
PARTS = text("SELECT number, fitting_minutes, weight_g FROM part ORDER BY number")
SOURCES = text("SELECT area, place FROM area_source ORDER BY area, place")
STOCK = text("""
    SELECT b.place, b.part, b.on_hand - b.reserved AS free FROM stock_balance b
    WHERE b.condition = 'new' AND b.genuine AND b.on_hand > b.reserved ORDER BY b.place, b.part
""")
LINKS = text("""
    SELECT from_part, to_part, kind, nullif(model, '') AS model, lower(valid) AS valid_from, upper(valid) AS valid_to
    FROM substitution ORDER BY from_part, to_part
""")
HANDLING_S = 240
"""Taking a part over at a place; the same for everyone."""
BEFORE = timedelta(hours=1)
"""So long before an agreed appointment the clocks run on."""
Point = tuple[float, float]
TRAVEL = GreatCircle()


@dataclass(frozen=True, slots=True)
class Place:
    code: str
    point: Point
    zone: str
    hours: Hours
    preparation_s: int
    ours: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who drives and fits, and from where."""

    code: str
    area: str
    point: Point
    shift: Hours
    grams: int


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier's run from a place to an area; cut-offs on the sender's clock."""

    name: str
    place: str
    area: str
    cutoffs: tuple[str, ...]
    transit_s: int


@dataclass(frozen=True, slots=True)
class Site:
    area: str
    point: Point


@dataclass(frozen=True, slots=True)
class PartFacts:
    fitting_s: int
    grams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The network and its stock before the first call."""

    places: Mapping[str, Place]
    sites: Mapping[str, Site]
    people: tuple[Person, ...]
    carriers: tuple[Carrier, ...]
    parts: Mapping[str, PartFacts]
    sources: Mapping[str, tuple[str, ...]]
    stock: Mapping[tuple[str, str], int]
    links: tuple[Link, ...]


class Roads:
    """Seconds between two points by the product's own travel model, each pair asked once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Point, Point], int] = {}

    def seconds(self, start: Point, end: Point) -> int:
        if (start, end) not in self._known:
            self._known[start, end] = TRAVEL.estimate((start, end)).seconds[0][1]
        return self._known[start, end]


async def read_world(db: AsyncConnection) -> World:
    """Everything at one moment, in a settled order."""
    sources: dict[str, tuple[str, ...]] = {}
    for row in await db.execute(SOURCES):
        sources[row.area] = (*sources.get(row.area, ()), row.place)
    return World(
        places={row.code: _place(row) for row in await db.execute(PLACES)},
        sites={row.code: Site(row.area, (row.latitude, row.longitude)) for row in await db.execute(SITES)},
        people=tuple(_person(row) for row in await db.execute(PEOPLE)),
        carriers=tuple(
            Carrier(row.carrier, row.from_place, row.to_area, tuple(row.cutoffs), row.transit_hours * 3600)
            for row in await db.execute(LANES)
        ),
        parts={row.number: PartFacts(row.fitting_minutes * 60, row.weight_g) for row in await db.execute(PARTS)},
        sources=sources,
        stock={(row.place, row.part): row.free for row in await db.execute(STOCK)},
        links=tuple(
            Link(row.from_part, row.to_part, row.kind, row.model, row.valid_from, row.valid_to)
            for row in await db.execute(LINKS)
        ),
    )


def _place(row: Any) -> Place:
    return Place(
        code=row.code,
        point=(row.latitude, row.longitude),
        zone=row.timezone,
        hours=parse_hours(row.opening_hours, row.timezone),
        preparation_s=row.preparation_minutes * 60,
        ours=row.stock == "ours",
    )


def _person(row: Any) -> Person:
    shift = parse_hours(row.shift, row.timezone)
    return Person(row.code, row.area, (row.latitude, row.longitude), shift, row.capacity_g)


def ready_at(place: Place, now: datetime) -> datetime:
    """When a part asked for at `now` stands ready: from the next opening on, after the preparation."""
    return (next_open(place.hours, now) or now) + timedelta(seconds=place.preparation_s)


def next_run(
    world: World, place: Place, area: str, ready: datetime, carrier: str | None = None
) -> tuple[datetime, datetime] | None:
    """The first cut-off at or after `ready` that a carrier (or the one named) has to an area, and its arrival."""
    zone, found = ZoneInfo(place.zone), []
    for one in world.carriers:
        if (one.place, one.area) == (place.code, area) and carrier in (None, one.name):
            for days in (0, 1):
                day = ready.astimezone(zone).date() + timedelta(days=days)
                for clock in one.cutoffs:
                    leaves = datetime.combine(day, time.fromisoformat(clock), tzinfo=zone)
                    if leaves >= ready:
                        found.append((leaves, leaves + timedelta(seconds=one.transit_s)))
    return min(found, default=None)
