"""Parts, substitutions, models and calendars."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Conflict, Unprocessable
from app.core.events import Event, announce
from app.core.http import constraint_of
from app.network import models, queries, schemas
from app.network.service.frame import insert_row

MEET_UNIT = text("""
    INSERT INTO part (number, name, tracking, created_at) VALUES (:number, :name, 'serial', :now) ON CONFLICT DO NOTHING
""")
NEXT_CALENDAR = text(
    "SELECT coalesce(max(version), 0) + 1 FROM calendar_version WHERE country = :country AND year = :year"
)
LEADS_BACK = text("""
    WITH RECURSIVE onward AS (
        SELECT to_part FROM substitution WHERE from_part = :to_part AND kind = 'supersedes'
        UNION SELECT s.to_part FROM substitution s JOIN onward o ON s.from_part = o.to_part WHERE s.kind = 'supersedes'
    )
    SELECT EXISTS (SELECT FROM onward WHERE to_part = :from_part)
""")


class PositionTwice(Unprocessable):
    """A model lists one position twice."""

    code = "model.position_twice"


class EmptyRange(Unprocessable):
    """A range of days that ends before it begins."""

    code = "network.empty_range"


class SubstitutionOverlaps(Conflict):
    """The same substitution already holds on some of these days."""

    code = "substitution.overlaps"


class SubstitutionCircle(Unprocessable):
    """Supersession would lead back to where it began (S5)."""

    code = "substitution.circle"


async def add_part(db: AsyncConnection, *, actor: Actor, new: schemas.PartIn, now: datetime) -> schemas.PartOut:
    row = {**msgspec.to_builtins(new), "created_at": now}
    await insert_row(db, models.Part, row, kind="part", key=new.number)
    await announce(db, Event(type="part.created", subject=new.number, data=msgspec.to_builtins(new)), by=actor, now=now)
    return await queries.part(db, actor=actor, number=new.number)


async def add_model(db: AsyncConnection, *, actor: Actor, new: schemas.ModelIn, now: datetime) -> schemas.ModelOut:
    """Create a model; the position `unit` and its part are made with it unless listed."""
    names = [one.position for one in new.positions]
    if len(set(names)) != len(names):
        raise PositionTwice(positions=sorted({name for name in names if names.count(name) > 1}))
    await insert_row(
        db, models.Model, {"code": new.code, "name": new.name, "created_at": now}, kind="model", key=new.code
    )
    listed = list(new.positions)
    if "unit" not in names:
        await db.execute(MEET_UNIT, {"number": new.code, "name": new.name, "now": now})
        listed.insert(0, schemas.PositionIn(position="unit", part_number=new.code, key=True))
    for one in listed:
        row = {"model": new.code, "position": one.position, "part_number": one.part_number, "key": one.key}
        await insert_row(db, models.ModelPosition, row, kind="position", key=one.position)
    await announce(db, Event(type="model.created", subject=new.code, data=msgspec.to_builtins(new)), by=actor, now=now)
    return await queries.model(db, actor=actor, code=new.code)


async def add_substitution(
    db: AsyncConnection, *, actor: Actor, new: schemas.SubstitutionIn, now: datetime
) -> schemas.SubstitutionOut:
    """Let `to_part` stand in for `from_part` (S5); a circle of supersession or an overlap in time is refused."""
    if new.valid_from and new.valid_to and new.valid_from >= new.valid_to:
        raise EmptyRange(valid_from=new.valid_from.isoformat(), valid_to=new.valid_to.isoformat())
    pair: dict[str, Any] = {"from_part": new.from_part, "to_part": new.to_part}
    if new.from_part == new.to_part or (new.kind == "supersedes" and await db.scalar(LEADS_BACK, pair)):
        raise SubstitutionCircle(**pair)
    row = pair | {
        "kind": new.kind,
        "model": new.model or "",
        "valid": Range(new.valid_from, new.valid_to),
        "recorded_at": now,
    }
    try:
        await insert_row(db, models.Substitution, row, kind="substitution", key=f"{new.from_part} {new.to_part}")
    except IntegrityError as broken:
        if constraint_of(broken) == "substitution_pkey":
            raise SubstitutionOverlaps(**pair) from broken
        raise
    await announce(
        db, Event(type="substitution.created", subject=new.from_part, data=msgspec.to_builtins(new)), by=actor, now=now
    )
    return schemas.SubstitutionOut(
        from_part=new.from_part,
        to_part=new.to_part,
        kind=new.kind,
        model=new.model,
        valid_from=new.valid_from,
        valid_to=new.valid_to,
    )


async def add_calendar(
    db: AsyncConnection, *, actor: Actor, new: schemas.CalendarIn, now: datetime
) -> schemas.CalendarOut:
    """Record a country's year anew; earlier versions stay, since clocks and verdicts may rest on them."""
    version = await db.scalar(NEXT_CALENDAR, {"country": new.country, "year": new.year})
    row = {
        "country": new.country,
        "year": new.year,
        "version": version,
        "published": new.published,
        "working_days_off": sorted(new.working_days_off),
        "make_up_days": sorted(new.make_up_days),
        "recorded_at": now,
    }
    await db.execute(insert(models.CalendarVersion), row)
    subject = f"{new.country}-{new.year}"
    event = Event(type="calendar.recorded", subject=subject, version=int(version or 1), data=msgspec.to_builtins(new))
    await announce(db, event, by=actor, now=now)
    return await queries.calendar(db, country=new.country, year=new.year)
