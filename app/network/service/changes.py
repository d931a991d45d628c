"""Changing what is set up already: one row, locked, at the version that is meant, with what it was before in the event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce
from app.core.http import Expected, check_version
from app.core.money import of_amount
from app.network import models, queries, schemas
from app.network.schemas import changes
from app.network.service.catalog import PositionTwice
from app.network.service.frame import MEET_AREA, insert_row, need_hours

LOCK_CUSTOMER = text("SELECT FROM customer WHERE code = :key FOR UPDATE")
LOCK_SITE = text("SELECT FROM site WHERE code = :key FOR UPDATE")
LOCK_PLACE = text("SELECT FROM place WHERE code = :key FOR UPDATE")
LOCK_AREA = text("SELECT FROM area WHERE code = :key FOR UPDATE")
LOCK_COURIER = text("SELECT FROM courier WHERE code = :key FOR UPDATE")
LOCK_PART = text("SELECT FROM part WHERE number = :key FOR UPDATE")
LOCK_MODEL = text("SELECT FROM model WHERE code = :key FOR UPDATE")
LOCK_LANE = text(
    "SELECT FROM lane WHERE carrier = :carrier AND from_place = :from_place AND to_area = :to_area FOR UPDATE"
)
CUSTOMER = text("""
    UPDATE customer SET name = :name, engineer = :engineer, contact = :contact, version = version + 1 WHERE code = :key
""")
SITE = text("""
    UPDATE site SET name = :name, latitude = :latitude, longitude = :longitude, area = :area, address = :address,
        version = version + 1 WHERE code = :key
""")
PLACE = text("""
    UPDATE place SET name = :name, latitude = :latitude, longitude = :longitude, version = version + 1,
        preparation_minutes = :preparation_minutes, opening_hours = CAST(:opening_hours AS jsonb) WHERE code = :key
""")
AREA = text("UPDATE area SET name = :name, version = version + 1 WHERE code = :key")
DROP_SOURCES = text("DELETE FROM area_source WHERE area = :key AND place <> ALL(CAST(:sources AS text[]))")
ADD_SOURCE = text("INSERT INTO area_source (area, place) VALUES (:key, :place) ON CONFLICT DO NOTHING")
COURIER = text("""
    UPDATE courier SET name = :name, shift = CAST(:shift AS jsonb), capacity_g = :capacity_g, role = :role,
        skills = CAST(:skills AS text[]), version = version + 1 WHERE code = :key
""")
LANE = text("""
    UPDATE lane SET cutoffs = CAST(:cutoffs AS text[]), transit_hours = :transit_hours, cost_minor = :cost_minor,
        version = version + 1
    WHERE carrier = :carrier AND from_place = :from_place AND to_area = :to_area
""")
PART = text("""
    UPDATE part SET name = :name, fitting_minutes = :fitting_minutes, weight_g = :weight_g, hazardous = :hazardous,
        version = version + 1 WHERE number = :key
""")
MODEL = text("UPDATE model SET name = :name, version = version + 1 WHERE code = :key")
DROP_POSITIONS = text("DELETE FROM model_position WHERE model = :key")


async def change_customer(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.CustomerChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.CustomerOut:
    await db.execute(LOCK_CUSTOMER, {"key": code})
    before = await queries.customer(db, actor=actor, code=code)
    check_version(before.version, expected_version)
    if (row := _changed(before, change)) is None:
        return before
    await db.execute(CUSTOMER, {"key": code, **row})
    event = _event("customer.changed", code, before, row, customer=code)
    await announce(db, event, by=actor, now=now)
    return await queries.customer(db, actor=actor, code=code)


async def change_site(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.SiteChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.SiteOut:
    """Change a site; an area named for the first time is made. Requests on the way keep the area they came in with."""
    await db.execute(LOCK_SITE, {"key": code})
    before = await queries.site(db, actor=actor, code=code)
    check_version(before.version, expected_version)
    if (row := _changed(before, change)) is None:
        return before
    if row["area"] is not None:
        await db.execute(MEET_AREA, {"code": row["area"], "now": now})
    await db.execute(SITE, {"key": code, **row})
    event = _event("site.changed", code, before, row, customer=before.customer, area=row["area"])
    await announce(db, event, by=actor, now=now)
    return await queries.site(db, actor=actor, code=code)


async def change_place(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.PlaceChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.PlaceOut:
    """Change where a place lies, when it is open and how long it prepares; what is promised already keeps its due."""
    await db.execute(LOCK_PLACE, {"key": code})
    before = await queries.place(db, actor=actor, code=code)
    check_version(before.version, expected_version)
    if (row := _changed(before, change)) is None:
        return before
    need_hours(row["opening_hours"], before.timezone, field="opening_hours")
    await db.execute(PLACE, {"key": code, **row, "opening_hours": _json(row["opening_hours"])})
    event = _event("place.changed", code, before, row, area=before.area, place=code)
    await announce(db, event, by=actor, now=now)
    return await queries.place(db, actor=actor, code=code)


async def change_area(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.AreaChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.AreaOut:
    """Name an area anew, or say which places serve it. Lines promised before keep their kind and their due (C3)."""
    await db.execute(LOCK_AREA, {"key": code})
    before = await queries.area(db, actor=actor, code=code)
    check_version(before.version, expected_version)
    if change.sources is not UNSET:
        change = changes.AreaChange(name=change.name, sources=sorted(set(change.sources)))
    if (row := _changed(before, change)) is None:
        return before
    for place in row["sources"]:
        await queries.place(db, actor=actor, code=place)
    await db.execute(AREA, {"key": code, "name": row["name"]})
    await db.execute(DROP_SOURCES, {"key": code, "sources": row["sources"]})
    for place in row["sources"]:
        await db.execute(ADD_SOURCE, {"key": code, "place": place})
    await announce(db, _event("area.changed", code, before, row, area=code), by=actor, now=now)
    return await queries.area(db, actor=actor, code=code)


async def change_courier(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.CourierChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.CourierOut:
    """Change a courier's shift, load or skills; what is under way stays with him or her."""
    await db.execute(LOCK_COURIER, {"key": code})
    before = await queries.courier(db, actor=actor, code=code)
    check_version(before.version, expected_version)
    if (row := _changed(before, change)) is None:
        return before
    place = await queries.place(db, actor=actor, code=before.place)
    need_hours(row["shift"], place.timezone, field="shift")
    await db.execute(COURIER, {"key": code, **row, "shift": _json(row["shift"])})
    event = _event("courier.changed", code, before, row, area=before.area, place=before.place)
    await announce(db, event, by=actor, now=now)
    return await queries.courier(db, actor=actor, code=code)


async def change_lane(
    db: AsyncConnection,
    *,
    actor: Actor,
    carrier: str,
    from_place: str,
    to_area: str,
    change: changes.LaneChange,
    currency: str,
    expected_version: Expected,
    now: datetime,
) -> schemas.LaneOut:
    """Change a lane's cut-offs, time on the road or cost."""
    binds = {"carrier": carrier, "from_place": from_place, "to_area": to_area}
    await db.execute(LOCK_LANE, binds)
    await queries.place(db, actor=actor, code=from_place)
    before = await queries.lane(db, **binds, currency=currency)
    check_version(before.version, expected_version)
    if change.cutoffs is not UNSET:
        change = msgspec.structs.replace(change, cutoffs=sorted(set(change.cutoffs)))
    if change.cost is not UNSET:
        change = msgspec.structs.replace(change, cost=of_amount(change.cost, currency).amount)
    if (row := _changed(before, change)) is None:
        return before
    await db.execute(LANE, {**binds, **row, "cost_minor": of_amount(row["cost"], currency).minor})
    event = _event("lane.changed", f"{carrier} {from_place} {to_area}", before, row, area=to_area, place=from_place)
    await announce(db, event, by=actor, now=now)
    return await queries.lane(db, **binds, currency=currency)


async def change_part(
    db: AsyncConnection,
    *,
    actor: Actor,
    number: str,
    change: changes.PartChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.PartOut:
    await db.execute(LOCK_PART, {"key": number})
    before = await queries.part(db, actor=actor, number=number)
    check_version(before.version, expected_version)
    if (row := _changed(before, change)) is None:
        return before
    await db.execute(PART, {"key": number, **row})
    await announce(db, _event("part.changed", number, before, row), by=actor, now=now)
    return await queries.part(db, actor=actor, number=number)


async def change_model(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.ModelChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.ModelOut:
    """Change a model for devices to come; those that are registered keep what was frozen into them (W1, W10).

    The position `unit` stays as it is unless it is listed.
    """
    await db.execute(LOCK_MODEL, {"key": code})
    before = await queries.model(db, actor=actor, code=code)
    check_version(before.version, expected_version)
    name = before.name if change.name is UNSET else change.name
    kept = [schemas.PositionIn(**msgspec.structs.asdict(one)) for one in before.positions]
    listed = kept if change.positions is UNSET else list(change.positions)
    names = [one.position for one in listed]
    if len(set(names)) != len(names):
        raise PositionTwice(positions=sorted({one for one in names if names.count(one) > 1}))
    if "unit" not in names:
        listed = [one for one in kept if one.position == "unit"] + listed
    listed.sort(key=lambda one: (one.position != "unit", one.position))
    if name == before.name and listed == kept:
        return before
    await db.execute(MODEL, {"key": code, "name": name})
    await db.execute(DROP_POSITIONS, {"key": code})
    for one in listed:
        row = {"model": code, "position": one.position, "part_number": one.part_number, "key": one.key}
        await insert_row(db, models.ModelPosition, row, kind="position", key=one.position)
    after = {"name": name, "positions": msgspec.to_builtins(listed)}
    await announce(db, _event("model.changed", code, before, after), by=actor, now=now)
    return await queries.model(db, actor=actor, code=code)


def _changed(before: msgspec.Struct, change: msgspec.Struct) -> dict[str, Any] | None:
    """The fields a change may touch as they will stand, or None if they stand so already."""
    names = change.__struct_fields__
    row = {name: getattr(before, name) if (given := getattr(change, name)) is UNSET else given for name in names}
    row = {name: msgspec.to_builtins(value) for name, value in row.items()}
    stood = {name: msgspec.to_builtins(getattr(before, name)) for name in names}
    return None if row == stood else row


def _event(kind: str, subject: str, before: Any, after: Mapping[str, Any], **where: str | None) -> Event:
    """What changed: the touched fields as they stand now, with the hash of how they stood."""
    stood = {name: msgspec.to_builtins(getattr(before, name)) for name in after}
    return Event(type=kind, subject=subject, version=before.version + 1, data=dict(after), before=stood, **where)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
