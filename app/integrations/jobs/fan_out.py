"""Duty: events become deliveries, each once, whatever dies in between; one that cannot be told is parked and reported."""

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import duty_actor
from app.core.db import attempt, begin
from app.core.events import Event, announce
from app.core.http import database_mood
from app.integrations.jobs.payload import Pictures, encoded, eyes_of, wants
from app.integrations.jobs.write_back import ticket_parcels
from app.integrations.service.endpoints import switch_off
from app.integrations.service.fanning import Parcel, fan_out, orphaned, receivers, waiting

BATCH = 200
log = structlog.get_logger("webhooks")


async def fan_out_events(engine: AsyncEngine, now: datetime, *, public_url: str = "") -> int:
    """Fan out what waits, batch by batch, each in a transaction of its own. Gives how many deliveries were made."""
    made = 0
    while True:
        async with begin(engine) as db:
            events = await waiting(db, most=BATCH)
            if not events:
                return made
            for lost in await orphaned(db, now=now):
                await switch_off(db, actor=duty_actor("fan_out"), endpoint_id=lost, reason="key_ended", now=now)
            made += await fan_out(db, parcels=await _parcels(db, events, public_url, now), now=now)
        if len(events) < BATCH:
            return made


async def _parcels(db: AsyncConnection, events: Any, public_url: str, now: datetime) -> list[tuple[Any, list[Parcel]]]:
    """Each event with its parcels; one that cannot be told to somebody is parked there and reported."""
    open_ones = await receivers(db, now=now)
    found = []
    pictures: Pictures = {}
    for event in events:
        seen: dict[tuple[Any, ...], bytes | None] = {}
        parcels: list[Parcel] = []
        for row in open_ones:
            try:
                parcels += await _for_one(db, row, event, seen, pictures, public_url, now)
            except Exception as broken:
                if database_mood(broken) is not None:
                    raise  # the database's mood, not the event's: the whole batch is tried again
                log.exception("an event could not be told", id=event.id, type=event.type)
                parcels.append(Parcel(endpoint=row.id, body=None, reason="unserializable"))
                await _report(db, row, event, now)
        found.append((event, parcels))
    return found


async def _for_one(
    db: AsyncConnection,
    row: Any,
    event: Any,
    seen: dict[tuple[Any, ...], bytes | None],
    pictures: Pictures,
    public_url: str,
    now: datetime,
) -> list[Parcel]:
    """One receiver's parcels of one event; receivers with the same eyes share the same bytes, and events of one subject
    in a batch the same picture of it."""
    if row.kind == "ticket":
        async with attempt(db):
            return await ticket_parcels(db, row=row, event=event, public_url=public_url, now=now)
    if not wants(row, event):
        return []
    eyes = eyes_of(row)
    if eyes.key not in seen:
        seen[eyes.key] = await encoded(db, event=event, eyes=eyes, pictures=pictures, now=now)
    body = seen[eyes.key]
    return [] if body is None else [Parcel(endpoint=row.id, body=body)]


async def _report(db: AsyncConnection, row: Any, event: Any, now: datetime) -> None:
    """Say that an event was parked (T55); never of a report itself."""
    if event.type != "webhook.delivery_dead":
        facts = {"endpoint": row.id, "event": event.id, "type": event.type, "reason": "unserializable"}
        told = Event(type="webhook.delivery_dead", subject=event.id, data=facts)
        await announce(db, told, by=duty_actor("fan_out"), now=now)
