"""Everything a promise rests on, gathered in a few short reads outside any transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Unprocessable
from app.fulfillment.queries.region import OPENED, Region, region_of_area
from app.stock.queries.lookups import LatestCost, latest_costs
from app.stock.queries.offers import Offer, offers
from app.stock.rules.substitution import Link, substitutes
from app.warranty.queries.facts import FailureFacts, failure_facts
from app.warranty.rules.inputs import Failure

SETTING = text("""
    SELECT c.number AS contract, c.currency, t.terms, s.code AS site, s.latitude, s.longitude, s.timezone, s.area,
        ARRAY(SELECT a.place FROM area_source a WHERE a.area = s.area) AS sources,
        EXISTS (SELECT FROM assortment a WHERE a.contract = c.number AND a.valid @> CAST(:day AS date)) AS has_assortment,
        ARRAY(SELECT a.part FROM assortment a WHERE a.contract = c.number AND a.valid @> CAST(:day AS date)) AS assortment
    FROM contract c JOIN contract_terms t ON t.contract = c.number AND t.valid @> CAST(:day AS date)
    CROSS JOIN site s WHERE c.number = :contract AND s.code = :site
""")
# Each of these is one round trip for what used to be two or three: a trip costs more than what it asks.
CATALOG = text("""
    WITH RECURSIVE kin (number) AS (
        SELECT unnest(CAST(:parts AS text[]))
        UNION
        SELECT CASE WHEN b.from_part = k.number THEN b.to_part ELSE b.from_part END
        FROM kin k JOIN substitution b ON k.number IN (b.from_part, b.to_part) WHERE CAST(:substitutes AS boolean)
    )
    SELECT
        (SELECT CAST(json_agg(p) AS text) FROM (
            SELECT number, name, tracking, fitting_minutes * 60 AS fitting_s, weight_g FROM part
            WHERE number IN (SELECT number FROM kin)) p) AS parts,
        (SELECT CAST(json_agg(l) AS text) FROM (
            SELECT from_part, to_part, kind, nullif(model, '') AS model, lower(valid) AS valid_from,
                upper(valid) AS valid_to
            FROM substitution WHERE CAST(:substitutes AS boolean) AND from_part IN (SELECT number FROM kin)) l) AS links
""")
LINKS = text("""
    WITH RECURSIVE kin (number) AS (
        SELECT unnest(CAST(:parts AS text[]))
        UNION
        SELECT CASE WHEN b.from_part = k.number THEN b.to_part ELSE b.from_part END
        FROM kin k JOIN substitution b ON k.number IN (b.from_part, b.to_part)
    )
    SELECT from_part, to_part FROM substitution WHERE from_part IN (SELECT number FROM kin)
""")
PLACES = text(f"""
    SELECT CAST(json_agg(f) AS text) FROM (
        SELECT p.code, p.name, p.kind, p.latitude, p.longitude, p.timezone,
            p.preparation_minutes * 60 AS preparation_s, p.opening_hours, p.stock = 'ours' AS ours,
            {OPENED} AS opened,
            ARRAY(SELECT json_build_object('carrier', l.carrier, 'from_place', l.from_place, 'cutoffs', l.cutoffs,
                    'transit_s', l.transit_hours * 3600, 'cost_minor', l.cost_minor)
                FROM lane l WHERE l.to_area = :area AND l.from_place = p.code ORDER BY l.carrier) AS lanes
        FROM place p WHERE p.code = ANY(:places)
    ) f
""")


class UnknownPart(Unprocessable):
    """A line asks for a part number that does not exist."""

    code = "part.unknown"


@dataclass(frozen=True, slots=True)
class PartFacts:
    number: str
    name: str
    tracking: str
    fitting_s: int
    weight_g: int


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    code: str
    name: str
    kind: str
    latitude: float
    longitude: float
    timezone: str
    preparation_s: int
    opening_hours: Any
    ours: bool
    opened: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class LaneFacts:
    carrier: str
    from_place: str
    cutoffs: tuple[str, ...]
    transit_s: int
    cost_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Whom and where a request serves, and the contract's terms on the day it was received."""

    contract: str
    currency: str
    terms: Mapping[str, Any]
    site: str
    latitude: float
    longitude: float
    timezone: str
    area: str | None
    sources: frozenset[str]
    assortment: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """One asked line: the facts of its failure, and what may stand in for its part, nearest first."""

    part_number: str
    quantity: int
    position: str
    positioned: bool
    failure: FailureFacts
    substitutes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that one promise rests on, as read at one moment."""

    setting: Setting
    lines: tuple[LineFacts, ...]
    parts: Mapping[str, PartFacts]
    offers: tuple[Offer, ...]
    places: Mapping[str, PlaceFacts]
    lanes: Mapping[str, tuple[LaneFacts, ...]]
    latest: Mapping[str, LatestCost]
    region: Region | None = field(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One line as asked, after the wire."""

    part_number: str
    quantity: int
    position: str | None


async def gather(
    db: AsyncConnection,
    *,
    actor: Actor,
    serial: str | None,
    site: str | None,
    model: str | None,
    failure: Failure,
    lines: list[Asked],
    accept_substitutes: bool,
    now: datetime,
    freed: Sequence[str] = (),
    taken: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> Facts:
    """Read the facts, what the lines in `freed` hold counted as free, and so many pieces of the shelves in `taken` not.
    Refuses with what does not exist for this actor: device, part, position."""
    asked = [line.part_number for line in lines]
    parts, links = await catalog_of(db, asked, substitutes=accept_substitutes)
    found = [
        await failure_facts(
            db,
            actor=actor,
            failure=failure,
            serial=serial,
            part_number=line.part_number,
            position=line.position,
            site=site,
            model=model,
        )
        for line in lines
    ]
    device = found[0].devices[0]
    today = failure.reported_at.astimezone(ZoneInfo(device.zone)).date()
    setting = await setting_of(db, contract=device.contract, site=device.site, day=today)
    standing = {
        line.part_number: tuple(one.part for one in substitutes(line.part_number, links, on=today, model=device.model))
        for line in lines
    }
    usable = sorted(set(asked).union(*standing.values()))
    free = await _offers(db, usable, sum(line.quantity for line in lines), freed, taken)
    places, lanes = await places_of(db, [one.place for one in free], area=setting.area)
    return Facts(
        setting=setting,
        lines=tuple(_line(line, facts, standing[line.part_number]) for line, facts in zip(lines, found, strict=True)),
        parts={number: parts[number] for number in usable},
        offers=tuple(free),
        places=places,
        lanes=lanes,
        latest=await latest_costs(db, parts=usable),
        region=await _region(db, setting, places, now),
    )


def _line(line: Asked, facts: FailureFacts, standing: tuple[str, ...]) -> LineFacts:
    return LineFacts(
        part_number=line.part_number,
        quantity=line.quantity,
        position=facts.inputs.position,
        positioned=line.position is not None or line.quantity == 1,
        failure=facts,
        substitutes=standing,
    )


async def _offers(
    db: AsyncConnection, parts: list[str], quantity: int, freed: Sequence[str], taken: Mapping[tuple[str, str], int]
) -> list[Offer]:
    """What could be promised, with enough layers to quote so many pieces."""
    found = await offers(db, parts=parts, quantity=max(quantity + sum(taken.values()), 1), freed=freed)
    if not taken:
        return found
    left = (one.less(min(taken.get((one.place, one.part), 0), one.free)) for one in found)
    return [one for one in left if one.free]


async def _region(
    db: AsyncConnection, setting: Setting, places: Mapping[str, PlaceFacts], now: datetime
) -> Region | None:
    """The region that serves the site, knowing the ways to it and from every local source."""
    if setting.area is None:
        return None
    also = [(setting.latitude, setting.longitude)]
    also += [(one.latitude, one.longitude) for one in places.values() if one.code in setting.sources]
    return await region_of_area(db, area=setting.area, now=now, also=also)


async def setting_of(db: AsyncConnection, *, contract: str, site: str, day: date) -> Setting:
    """A contract's terms of a day and a site's local sources."""
    row = (await db.execute(SETTING, {"contract": contract, "site": site, "day": day})).one()
    return Setting(
        contract=row.contract,
        currency=row.currency,
        terms=row.terms,
        site=row.site,
        latitude=row.latitude,
        longitude=row.longitude,
        timezone=row.timezone,
        area=row.area,
        sources=frozenset(row.sources),
        assortment=frozenset(row.assortment) if row.has_assortment else None,
    )


async def catalog_of(
    db: AsyncConnection, numbers: list[str], *, substitutes: bool
) -> tuple[dict[str, PartFacts], list[Link]]:
    """The asked parts, with everything linked to them if substitutes are wanted; UnknownPart if one does not exist."""
    row = (await db.execute(CATALOG, {"parts": sorted(set(numbers)), "substitutes": substitutes})).one()
    found = {one.number: one for one in _PARTS.decode(row.parts or "[]")}
    unknown = [number for number in numbers if number not in found]
    if unknown:
        raise UnknownPart(part_number=unknown[0])
    return found, _LINKS.decode(row.links or "[]")


async def places_of(
    db: AsyncConnection, codes: list[str], *, area: str | None
) -> tuple[dict[str, PlaceFacts], dict[str, tuple[LaneFacts, ...]]]:
    """Places by their codes; and the carriers' runs from them to an area, by the place they start from."""
    if not codes:
        return {}, {}
    raw = await db.scalar(PLACES, {"places": sorted(set(codes)), "area": area})
    rows = _PLACES.decode(raw or "[]")
    places = {
        one.code: PlaceFacts(
            one.code, one.name, one.kind, one.latitude, one.longitude, one.timezone, one.preparation_s,
            one.opening_hours, one.ours, one.opened,
        )
        for one in rows
    }  # fmt: skip
    return places, {one.code: one.lanes for one in rows if one.lanes}


class _PlaceRow(msgspec.Struct):
    """A place with its lanes, as PLACES gives it."""

    code: str
    name: str
    kind: str
    latitude: float
    longitude: float
    timezone: str
    preparation_s: int
    opening_hours: Any
    ours: bool
    opened: tuple[tuple[datetime, datetime], ...]
    lanes: tuple[LaneFacts, ...]


_PARTS = msgspec.json.Decoder(list[PartFacts])
_LINKS = msgspec.json.Decoder(list[Link])
_PLACES = msgspec.json.Decoder(list[_PlaceRow])
