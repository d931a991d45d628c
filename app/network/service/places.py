"""Areas, places, couriers and carrier lanes."""

from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce
from app.core.money import of_amount
from app.network import models, queries, schemas
from app.network.service.frame import MEET_AREA, insert_row, need_hours, need_zone

NAME_AREA = text("""
    INSERT INTO area (code, name, created_at) VALUES (:code, :name, :now)
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, version = area.version + 1
""")
ADD_SOURCE = text("INSERT INTO area_source (area, place) VALUES (:area, :place) ON CONFLICT DO NOTHING")


async def add_area(db: AsyncConnection, *, actor: Actor, new: schemas.AreaIn, now: datetime) -> schemas.AreaOut:
    """Create an area, or name and source one that was met already."""
    await db.execute(NAME_AREA, {"code": new.code, "name": new.name, "now": now})
    for place in new.sources:
        await queries.place(db, actor=actor, code=place)
        await db.execute(ADD_SOURCE, {"area": new.code, "place": place})
    await announce(
        db, Event(type="area.set", subject=new.code, area=new.code, data={"name": new.name}), by=actor, now=now
    )
    return await queries.area(db, actor=actor, code=new.code)


async def add_place(db: AsyncConnection, *, actor: Actor, new: schemas.PlaceIn, now: datetime) -> schemas.PlaceOut:
    """Create a place; its area, created if unknown, gets it as a source. Partners and suppliers report their stock."""
    need_zone(new.timezone)
    need_hours(new.opening_hours, new.timezone, field="opening_hours")
    if new.area is not None:
        await db.execute(MEET_AREA, {"code": new.area, "now": now})
    stock = new.stock or ("reported" if new.kind in ("partner", "supplier") else "ours")
    row = {**msgspec.to_builtins(new), "stock": stock, "created_at": now}
    await insert_row(db, models.Place, row, kind="place", key=new.code)
    if new.area is not None:
        await db.execute(ADD_SOURCE, {"area": new.area, "place": new.code})
    event = Event(type="place.created", subject=new.code, area=new.area, place=new.code, data=msgspec.to_builtins(new))
    await announce(db, event, by=actor, now=now)
    return await queries.place(db, actor=actor, code=new.code)


async def add_courier(
    db: AsyncConnection, *, actor: Actor, new: schemas.CourierIn, now: datetime
) -> schemas.CourierOut:
    """Create a courier or engineer; works in the area of the place he or she starts from."""
    place = await queries.place(db, actor=actor, code=new.place)
    need_hours(new.shift, place.timezone, field="shift")
    row = {**msgspec.to_builtins(new), "area": place.area, "created_at": now}
    await insert_row(db, models.Courier, row, kind="courier", key=new.code)
    event = Event(
        type="courier.created", subject=new.code, area=place.area, place=new.place, data=msgspec.to_builtins(new)
    )
    await announce(db, event, by=actor, now=now)
    return await queries.courier(db, actor=actor, code=new.code)


async def add_lane(
    db: AsyncConnection, *, actor: Actor, new: schemas.LaneIn, currency: str, now: datetime
) -> schemas.LaneOut:
    """Create a carrier's run; `cost` is in the company's currency, minor units in the table."""
    await db.execute(MEET_AREA, {"code": new.to_area, "now": now})
    row = {
        "carrier": new.carrier,
        "from_place": new.from_place,
        "to_area": new.to_area,
        "cutoffs": sorted(set(new.cutoffs)),
        "transit_hours": new.transit_hours,
        "cost_minor": of_amount(new.cost or "0", currency).minor,
        "created_at": now,
    }
    key = f"{new.carrier} {new.from_place} {new.to_area}"
    await insert_row(db, models.Lane, row, kind="lane", key=key)
    event = Event(
        type="lane.created", subject=key, area=new.to_area, place=new.from_place, data=msgspec.to_builtins(new)
    )
    await announce(db, event, by=actor, now=now)
    return await queries.lane(
        db, carrier=new.carrier, from_place=new.from_place, to_area=new.to_area, currency=currency
    )
