"""Questions about what exists, answered for who asks: shapes of the wire, one or a page at a time."""

from typing import Any

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import NotFound
from app.core.keyset import page_by_text
from app.core.money import Money
from app.network import schemas

OF_CUSTOMER = "(CAST(:scope_customers AS text[]) IS NULL OR {} = ANY(CAST(:scope_customers AS text[])))"
OF_AREA = "(CAST(:scope_areas AS text[]) IS NULL OR {} = ANY(CAST(:scope_areas AS text[])))"
OF_PLACE = "(CAST(:scope_places AS text[]) IS NULL OR {} = ANY(CAST(:scope_places AS text[])))"
PAGE = "(CAST(:after AS text) IS NULL OR {0} > CAST(:after AS text)) ORDER BY {0} LIMIT :limit"


def _one_and_page(select: str, key: str, where: str = "TRUE") -> tuple[TextClause, TextClause]:
    one = text(f"{select} WHERE {where} AND {key} = :key")
    return one, text(f"{select} WHERE {where} AND " + PAGE.format(key))


CUSTOMER, CUSTOMERS = _one_and_page("SELECT c.* FROM customer c", "c.code", OF_CUSTOMER.format("c.code"))
CONTRACT, CONTRACTS = _one_and_page(
    """
    SELECT c.*,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('valid_from', lower(t.valid), 'valid_to', upper(t.valid),
                'terms', t.terms) ORDER BY t.valid), '[]') FROM contract_terms t WHERE t.contract = c.number) AS dated,
        ARRAY(SELECT a.part FROM assortment a WHERE a.contract = c.number AND upper_inf(a.valid) ORDER BY a.part)
            AS assortment
    FROM contract c
    """,
    "c.number",
    OF_CUSTOMER.format("c.customer"),
)
SITE, SITES = _one_and_page(
    "SELECT s.* FROM site s", "s.code", OF_CUSTOMER.format("s.customer") + " AND " + OF_AREA.format("s.area")
)
PART, PARTS = _one_and_page("SELECT p.* FROM part p", "p.number")
MODEL, MODELS = _one_and_page(
    """
    SELECT m.*, (SELECT coalesce(jsonb_agg(jsonb_build_object('position', p.position, 'part_number', p.part_number,
        'key', p.key) ORDER BY p.position <> 'unit', p.position), '[]')
        FROM model_position p WHERE p.model = m.code) AS positions
    FROM model m
    """,
    "m.code",
)
PLACE, PLACES = _one_and_page("SELECT p.* FROM place p", "p.code", OF_PLACE.format("p.code"))
COURIER, COURIERS = _one_and_page(
    "SELECT c.* FROM courier c", "c.code", OF_PLACE.format("c.place") + " AND " + OF_AREA.format("c.area")
)
AREA, AREAS = _one_and_page(
    "SELECT a.*, ARRAY(SELECT s.place FROM area_source s WHERE s.area = a.code ORDER BY s.place) AS sources FROM area a",
    "a.code",
    OF_AREA.format("a.code"),
)
SUBSTITUTIONS = text("""
    SELECT from_part, to_part, kind, nullif(model, '') AS model, lower(valid) AS valid_from, upper(valid) AS valid_to
    FROM substitution WHERE from_part = ANY(:parts) OR to_part = ANY(:parts)
    ORDER BY from_part, to_part, model, valid
""")
LANE = text("SELECT * FROM lane WHERE carrier = :carrier AND from_place = :from_place AND to_area = :to_area")
CALENDAR = text("""
    SELECT * FROM calendar_version WHERE country = :country AND year = :year ORDER BY version DESC LIMIT 1
""")


class NoSuchCustomer(NotFound):
    code = "customer.not_found"


class NoSuchContract(NotFound):
    code = "contract.not_found"


class NoSuchArea(NotFound):
    code = "area.not_found"


class NoSuchSite(NotFound):
    code = "site.not_found"


class NoSuchPart(NotFound):
    code = "part.not_found"


class NoSuchModel(NotFound):
    code = "model.not_found"


class NoSuchPlace(NotFound):
    code = "place.not_found"


class NoSuchCourier(NotFound):
    code = "courier.not_found"


class NoSuchLane(NotFound):
    code = "lane.not_found"


class NoSuchCalendar(NotFound):
    code = "calendar.not_found"


async def _one(db: AsyncConnection, statement: TextClause, actor: Actor, key: str, missing: type[NotFound]) -> Any:
    row = (await db.execute(statement, {"key": key, **actor.scope})).one_or_none()
    if row is None:
        raise missing(key=key)
    return row


def _as(row: Any, shape: type[Any], **extra: Any) -> Any:
    names = [name for name in shape.__struct_fields__ if name not in extra]
    return msgspec.convert({name: getattr(row, name) for name in names} | extra, shape)


async def customer(db: AsyncConnection, *, actor: Actor, code: str) -> schemas.CustomerOut:
    row = await _one(db, CUSTOMER, actor, code, NoSuchCustomer)
    return _as(row, schemas.CustomerOut)  # type: ignore[no-any-return]


async def customers(
    db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None
) -> schemas.CustomersOut:
    rows, following = await page_by_text(db, CUSTOMERS, actor.scope, key="code", cursor=cursor, limit=limit)
    return schemas.CustomersOut(items=[_as(row, schemas.CustomerOut) for row in rows], next=following)


async def contract(db: AsyncConnection, *, actor: Actor, number: str) -> schemas.ContractOut:
    row = await _one(db, CONTRACT, actor, number, NoSuchContract)
    return _as(row, schemas.ContractOut, terms=row.dated)  # type: ignore[no-any-return]


async def contracts(
    db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None
) -> schemas.ContractsOut:
    rows, following = await page_by_text(db, CONTRACTS, actor.scope, key="number", cursor=cursor, limit=limit)
    return schemas.ContractsOut(items=[_as(row, schemas.ContractOut, terms=row.dated) for row in rows], next=following)


async def site(db: AsyncConnection, *, actor: Actor, code: str) -> schemas.SiteOut:
    return _as(await _one(db, SITE, actor, code, NoSuchSite), schemas.SiteOut)  # type: ignore[no-any-return]


async def sites(db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None) -> schemas.SitesOut:
    rows, following = await page_by_text(db, SITES, actor.scope, key="code", cursor=cursor, limit=limit)
    return schemas.SitesOut(items=[_as(row, schemas.SiteOut) for row in rows], next=following)


async def part(db: AsyncConnection, *, actor: Actor, number: str) -> schemas.PartOut:
    return _as(await _one(db, PART, actor, number, NoSuchPart), schemas.PartOut)  # type: ignore[no-any-return]


async def parts(db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None) -> schemas.PartsOut:
    rows, following = await page_by_text(db, PARTS, actor.scope, key="number", cursor=cursor, limit=limit)
    return schemas.PartsOut(items=[_as(row, schemas.PartOut) for row in rows], next=following)


async def model(db: AsyncConnection, *, actor: Actor, code: str) -> schemas.ModelOut:
    return _as(await _one(db, MODEL, actor, code, NoSuchModel), schemas.ModelOut)  # type: ignore[no-any-return]


async def models(db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None) -> schemas.ModelsOut:
    rows, following = await page_by_text(db, MODELS, actor.scope, key="code", cursor=cursor, limit=limit)
    return schemas.ModelsOut(items=[_as(row, schemas.ModelOut) for row in rows], next=following)


async def place(db: AsyncConnection, *, actor: Actor, code: str) -> schemas.PlaceOut:
    return _as(await _one(db, PLACE, actor, code, NoSuchPlace), schemas.PlaceOut)  # type: ignore[no-any-return]


async def places(db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None) -> schemas.PlacesOut:
    rows, following = await page_by_text(db, PLACES, actor.scope, key="code", cursor=cursor, limit=limit)
    return schemas.PlacesOut(items=[_as(row, schemas.PlaceOut) for row in rows], next=following)


async def courier(db: AsyncConnection, *, actor: Actor, code: str) -> schemas.CourierOut:
    return _as(await _one(db, COURIER, actor, code, NoSuchCourier), schemas.CourierOut)  # type: ignore[no-any-return]


async def couriers(db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None) -> schemas.CouriersOut:
    rows, following = await page_by_text(db, COURIERS, actor.scope, key="code", cursor=cursor, limit=limit)
    return schemas.CouriersOut(items=[_as(row, schemas.CourierOut) for row in rows], next=following)


async def area(db: AsyncConnection, *, actor: Actor, code: str) -> schemas.AreaOut:
    return _as(await _one(db, AREA, actor, code, NoSuchArea), schemas.AreaOut)  # type: ignore[no-any-return]


async def areas(db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None) -> schemas.AreasOut:
    rows, following = await page_by_text(db, AREAS, actor.scope, key="code", cursor=cursor, limit=limit)
    return schemas.AreasOut(items=[_as(row, schemas.AreaOut) for row in rows], next=following)


async def substitutions(db: AsyncConnection, *, parts: list[str]) -> list[schemas.SubstitutionOut]:
    """Every dated edge of the substitution graph that touches one of these parts (S5)."""
    return [_as(row, schemas.SubstitutionOut) for row in await db.execute(SUBSTITUTIONS, {"parts": parts})]


async def lane(db: AsyncConnection, *, carrier: str, from_place: str, to_area: str, currency: str) -> schemas.LaneOut:
    binds = {"carrier": carrier, "from_place": from_place, "to_area": to_area}
    row = (await db.execute(LANE, binds)).one_or_none()
    if row is None:
        raise NoSuchLane(key=carrier)
    return _as(row, schemas.LaneOut, cost=Money(row.cost_minor, currency).amount)  # type: ignore[no-any-return]


async def calendar(db: AsyncConnection, *, country: str, year: int) -> schemas.CalendarOut:
    """The newest version of a country's year."""
    row = (await db.execute(CALENDAR, {"country": country, "year": year})).one_or_none()
    if row is None:
        raise NoSuchCalendar(key=f"{country} {year}")
    return _as(row, schemas.CalendarOut)  # type: ignore[no-any-return]
