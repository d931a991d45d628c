"""What every setting-up verb shares: inserting a row with its refusals in words, and zones that must exist."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import Conflict, FieldError, Unprocessable
from app.core.http import constraint_of
from app.network.rules.hours import parse_hours

ZONES = available_timezones()

MEET_CUSTOMER = text("INSERT INTO customer (code, name, created_at) VALUES (:code, :code, :now) ON CONFLICT DO NOTHING")
MEET_AREA = text("INSERT INTO area (code, name, created_at) VALUES (:code, :code, :now) ON CONFLICT DO NOTHING")


class AlreadyThere(Conflict):
    """The code is taken."""

    code = "network.already_there"


class UnknownReference(Unprocessable):
    """A field names something that does not exist."""

    code = "network.unknown_reference"


class UnknownZone(Unprocessable):
    """Not an IANA time zone."""

    code = "network.unknown_zone"


async def insert_row(db: AsyncConnection, table: type[Any], row: Mapping[str, Any], *, kind: str, key: str) -> None:
    """Insert one row; a taken key or an unknown reference is refused in words."""
    try:
        await db.execute(insert(table), row)
    except IntegrityError as broken:
        name = constraint_of(broken)
        if name.endswith("_fkey"):
            field = name.removeprefix(f"{table.__tablename__}_").removesuffix("_fkey")
            error = FieldError(field, "network.unknown_reference", {"field": field, "value": str(row.get(field))})
            raise UnknownReference(field=field, value=str(row.get(field)), errors=[error]) from broken
        if name.endswith("_pkey"):
            raise AlreadyThere(kind=kind, key=key) from broken
        raise


def need_zone(zone: str) -> None:
    if zone not in ZONES:
        error = FieldError("timezone", "network.unknown_zone", {"value": zone})
        raise UnknownZone(value=zone, errors=[error])


class BadHours(Unprocessable):
    """Opening hours or a shift that no clock can show: empty, overlapping or unknown spans."""

    code = "network.bad_hours"


def need_hours(hours: Any, zone: str, *, field: str) -> None:
    """Refuse hours that the plan could not read later."""
    try:
        parse_hours(hours, zone)
    except ValueError as wrong:
        raise BadHours(why=str(wrong), errors=[FieldError(field, "network.bad_hours", {"why": str(wrong)})]) from wrong
