"""Changing the ground that plans stand on: the network's own verb, and the word to the planner that it has changed."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.http import Expected
from app.fulfillment.service.records import mark_dirty
from app.network import schemas, service
from app.network.schemas import changes

SERVED = text("SELECT area FROM area_source WHERE place = :place ORDER BY area")
WHY = "network"


async def change_site(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.SiteChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.SiteOut:
    after = await service.change_site(
        db, actor=actor, code=code, change=change, expected_version=expected_version, now=now
    )
    if after.area is not None:
        await mark_dirty(db, area=after.area, why=WHY, now=now)
    return after


async def change_place(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.PlaceChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.PlaceOut:
    after = await service.change_place(
        db, actor=actor, code=code, change=change, expected_version=expected_version, now=now
    )
    for area in (await db.execute(SERVED, {"place": code})).scalars():
        await mark_dirty(db, area=area, why=WHY, now=now)
    return after


async def change_area(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.AreaChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.AreaOut:
    after = await service.change_area(
        db, actor=actor, code=code, change=change, expected_version=expected_version, now=now
    )
    await mark_dirty(db, area=code, why=WHY, now=now)
    return after


async def change_courier(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: changes.CourierChange,
    expected_version: Expected,
    now: datetime,
) -> schemas.CourierOut:
    after = await service.change_courier(
        db, actor=actor, code=code, change=change, expected_version=expected_version, now=now
    )
    if after.area is not None:
        await mark_dirty(db, area=after.area, why=WHY, now=now)
    return after


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
    after = await service.change_lane(
        db,
        actor=actor,
        carrier=carrier,
        from_place=from_place,
        to_area=to_area,
        change=change,
        currency=currency,
        expected_version=expected_version,
        now=now,
    )
    await mark_dirty(db, area=to_area, why=WHY, now=now)
    return after
