"""The network's kinds: areas, customers, contracts, sites, parts, substitutions, models, places, couriers, lanes."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import NotFound
from app.integrations.imports.load import Kind, Verb, Work, one_by_one
from app.integrations.imports.refusals import AlreadyImported
from app.network import queries, schemas, service


def through(verb: Callable[..., Awaitable[object]]) -> Verb:
    """A service's verb as importers call it."""

    async def write(db: AsyncConnection, row: Any, work: Work) -> None:
        await verb(db, actor=work.actor, new=row, now=work.now)

    return write


async def add_area(db: AsyncConnection, row: schemas.AreaIn, work: Work) -> None:
    """Setting an area is no creation, so that what stands there already is refused here."""
    try:
        there = await queries.area(db, actor=work.actor, code=row.code)
    except NotFound:
        there = None
    if there is not None and there.name == row.name and set(row.sources) <= set(there.sources):
        raise AlreadyImported(what=row.code)
    await service.add_area(db, actor=work.actor, new=row, now=work.now)


async def add_lane(db: AsyncConnection, row: schemas.LaneIn, work: Work) -> None:
    await service.add_lane(db, actor=work.actor, new=row, currency=work.currency, now=work.now)


async def add_calendar(db: AsyncConnection, row: schemas.CalendarIn, work: Work) -> None:
    """A year is recorded anew as often as it changes, so that a year as it is known already is refused here."""
    try:
        known = await queries.calendar(db, country=row.country, year=row.year)
    except NotFound:
        known = None
    same = known is not None and all(
        msgspec.to_builtins(getattr(known, name)) == msgspec.to_builtins(value)
        for name, value in (
            ("published", row.published),
            ("working_days_off", sorted(row.working_days_off)),
            ("make_up_days", sorted(row.make_up_days)),
        )
    )
    if same:
        raise AlreadyImported(what=f"{row.country} {row.year}")
    await service.add_calendar(db, actor=work.actor, new=row, now=work.now)


NETWORK = (
    Kind("places", schemas.PlaceIn, one_by_one(through(service.add_place))),
    Kind("areas", schemas.AreaIn, one_by_one(add_area)),
    Kind("couriers", schemas.CourierIn, one_by_one(through(service.add_courier))),
    Kind("customers", schemas.CustomerIn, one_by_one(through(service.add_customer))),
    Kind("contracts", schemas.ContractIn, one_by_one(through(service.add_contract))),
    Kind("sites", schemas.SiteIn, one_by_one(through(service.add_site))),
    Kind("parts", schemas.PartIn, one_by_one(through(service.add_part))),
    Kind("models", schemas.ModelIn, one_by_one(through(service.add_model))),
    Kind("substitutions", schemas.SubstitutionIn, one_by_one(through(service.add_substitution))),
    Kind("lanes", schemas.LaneIn, one_by_one(add_lane)),
    Kind("calendars", schemas.CalendarIn, one_by_one(add_calendar)),
)
