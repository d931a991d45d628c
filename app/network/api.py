"""Doors to the network: the setting-up calls, each thing to create, read and list."""

from litestar import Response, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION, ROLES, WAREHOUSE
from app.core.types import EARLIEST, LATEST
from app.network import queries, schemas, service
from app.network.schemas import changes

STAFF = (ADMIN, DISPATCHER, WAREHOUSE, ENGINEER, FINANCE)


@post("/v1/customers", opt=allow(ADMIN))
async def add_customer(
    data: JSONBody[schemas.CustomerIn], call: NamedDependency[Call]
) -> Response[schemas.CustomerOut]:
    return await call.write(201, lambda db: service.add_customer(db, actor=call.actor, new=data, now=call.now))


@get("/v1/customers", opt=allow(ADMIN, DISPATCHER, FINANCE, ENGINEER, INTEGRATION))
async def list_customers(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.CustomersOut:
    return await call.read(lambda db: queries.customers(db, actor=call.actor, cursor=cursor, limit=limit))


@get("/v1/customers/{code:str}", opt=allow(ADMIN, DISPATCHER, FINANCE, ENGINEER, INTEGRATION))
async def show_customer(code: FromPath[str], call: NamedDependency[Call]) -> schemas.CustomerOut:
    return await call.read(lambda db: queries.customer(db, actor=call.actor, code=code))


@patch("/v1/customers/{code:str}", opt=allow(ADMIN))
async def change_customer(
    code: FromPath[str], data: JSONBody[changes.CustomerChange], call: NamedDependency[Call]
) -> Response[schemas.CustomerOut]:
    """Change a customer's name, engineer or contact."""
    return await call.write(
        200,
        lambda db: service.change_customer(
            db, actor=call.actor, code=code, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/contracts", opt=allow(ADMIN))
async def add_contract(
    data: JSONBody[schemas.ContractIn], call: NamedDependency[Call]
) -> Response[schemas.ContractOut]:
    return await call.write(201, lambda db: service.add_contract(db, actor=call.actor, new=data, now=call.now))


@get("/v1/contracts", opt=allow(ADMIN, DISPATCHER, FINANCE))
async def list_contracts(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.ContractsOut:
    return await call.read(lambda db: queries.contracts(db, actor=call.actor, cursor=cursor, limit=limit))


@get("/v1/contracts/{number:str}", opt=allow(ADMIN, DISPATCHER, FINANCE))
async def show_contract(number: FromPath[str], call: NamedDependency[Call]) -> schemas.ContractOut:
    return await call.read(lambda db: queries.contract(db, actor=call.actor, number=number))


@post("/v1/sites", opt=allow(ADMIN))
async def add_site(data: JSONBody[schemas.SiteIn], call: NamedDependency[Call]) -> Response[schemas.SiteOut]:
    return await call.write(201, lambda db: service.add_site(db, actor=call.actor, new=data, now=call.now))


@get("/v1/sites", opt=allow(*ROLES))
async def list_sites(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.SitesOut:
    return await call.read(lambda db: queries.sites(db, actor=call.actor, cursor=cursor, limit=limit))


@get("/v1/sites/{code:str}", opt=allow(*ROLES))
async def show_site(code: FromPath[str], call: NamedDependency[Call]) -> schemas.SiteOut:
    return await call.read(lambda db: queries.site(db, actor=call.actor, code=code))


@post("/v1/parts", opt=allow(ADMIN))
async def add_part(data: JSONBody[schemas.PartIn], call: NamedDependency[Call]) -> Response[schemas.PartOut]:
    return await call.write(201, lambda db: service.add_part(db, actor=call.actor, new=data, now=call.now))


@get("/v1/parts", opt=allow(*ROLES))
async def list_parts(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.PartsOut:
    return await call.read(lambda db: queries.parts(db, actor=call.actor, cursor=cursor, limit=limit))


@get("/v1/parts/{number:str}", opt=allow(*ROLES))
async def show_part(number: FromPath[str], call: NamedDependency[Call]) -> schemas.PartOut:
    return await call.read(lambda db: queries.part(db, actor=call.actor, number=number))


@patch("/v1/parts/{number:str}", opt=allow(ADMIN))
async def change_part(
    number: FromPath[str], data: JSONBody[changes.PartChange], call: NamedDependency[Call]
) -> Response[schemas.PartOut]:
    """Change a part's name, fitting time, weight or whether it is hazardous; its tracking stays."""
    return await call.write(
        200,
        lambda db: service.change_part(
            db, actor=call.actor, number=number, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/models", opt=allow(ADMIN))
async def add_model(data: JSONBody[schemas.ModelIn], call: NamedDependency[Call]) -> Response[schemas.ModelOut]:
    return await call.write(201, lambda db: service.add_model(db, actor=call.actor, new=data, now=call.now))


@get("/v1/models", opt=allow(*ROLES))
async def list_models(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.ModelsOut:
    return await call.read(lambda db: queries.models(db, actor=call.actor, cursor=cursor, limit=limit))


@get("/v1/models/{code:str}", opt=allow(*ROLES))
async def show_model(code: FromPath[str], call: NamedDependency[Call]) -> schemas.ModelOut:
    return await call.read(lambda db: queries.model(db, actor=call.actor, code=code))


@patch("/v1/models/{code:str}", opt=allow(ADMIN))
async def change_model(
    code: FromPath[str], data: JSONBody[changes.ModelChange], call: NamedDependency[Call]
) -> Response[schemas.ModelOut]:
    """Change a model for devices to come; registered ones keep what was frozen into them (W1)."""
    return await call.write(
        200,
        lambda db: service.change_model(
            db, actor=call.actor, code=code, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/places", opt=allow(ADMIN))
async def add_place(data: JSONBody[schemas.PlaceIn], call: NamedDependency[Call]) -> Response[schemas.PlaceOut]:
    return await call.write(201, lambda db: service.add_place(db, actor=call.actor, new=data, now=call.now))


@get("/v1/places", opt=allow(*STAFF))
async def list_places(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.PlacesOut:
    return await call.read(lambda db: queries.places(db, actor=call.actor, cursor=cursor, limit=limit))


@get("/v1/places/{code:str}", opt=allow(*STAFF))
async def show_place(code: FromPath[str], call: NamedDependency[Call]) -> schemas.PlaceOut:
    return await call.read(lambda db: queries.place(db, actor=call.actor, code=code))


@post("/v1/couriers", opt=allow(ADMIN))
async def add_courier(data: JSONBody[schemas.CourierIn], call: NamedDependency[Call]) -> Response[schemas.CourierOut]:
    return await call.write(201, lambda db: service.add_courier(db, actor=call.actor, new=data, now=call.now))


@get("/v1/couriers", opt=allow(*STAFF))
async def list_couriers(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.CouriersOut:
    return await call.read(lambda db: queries.couriers(db, actor=call.actor, cursor=cursor, limit=limit))


@get("/v1/couriers/{code:str}", opt=allow(*STAFF))
async def show_courier(code: FromPath[str], call: NamedDependency[Call]) -> schemas.CourierOut:
    return await call.read(lambda db: queries.courier(db, actor=call.actor, code=code))


@post("/v1/areas", opt=allow(ADMIN))
async def add_area(data: JSONBody[schemas.AreaIn], call: NamedDependency[Call]) -> Response[schemas.AreaOut]:
    return await call.write(201, lambda db: service.add_area(db, actor=call.actor, new=data, now=call.now))


@get("/v1/areas", opt=allow(*ROLES))
async def list_areas(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.AreasOut:
    return await call.read(lambda db: queries.areas(db, actor=call.actor, cursor=cursor, limit=limit))


@get("/v1/areas/{code:str}", opt=allow(*ROLES))
async def show_area(code: FromPath[str], call: NamedDependency[Call]) -> schemas.AreaOut:
    return await call.read(lambda db: queries.area(db, actor=call.actor, code=code))


@post("/v1/contracts/{number:str}/amendments", opt=allow(ADMIN))
async def amend_contract(
    number: FromPath[str], data: JSONBody[schemas.AmendmentIn], call: NamedDependency[Call]
) -> Response[schemas.ContractOut]:
    """New terms from a day on; registered devices keep theirs."""
    return await call.write(
        201,
        lambda db: service.amend_contract(
            db, actor=call.actor, number=number, amendment=data, expected_version=call.if_match, now=call.now
        ),
    )


@put("/v1/contracts/{number:str}/assortment", opt=allow(ADMIN))
async def set_assortment(
    number: FromPath[str], data: JSONBody[schemas.AssortmentIn], call: NamedDependency[Call]
) -> Response[schemas.ContractOut]:
    """The parts a contract lists as locally stocked, from a day on (C3)."""
    return await call.write(
        200,
        lambda db: service.set_assortment(
            db, actor=call.actor, number=number, listed=data, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/substitutions", opt=allow(ADMIN))
async def add_substitution(
    data: JSONBody[schemas.SubstitutionIn], call: NamedDependency[Call]
) -> Response[schemas.SubstitutionOut]:
    """Let one part stand in for another (S5)."""
    return await call.write(201, lambda db: service.add_substitution(db, actor=call.actor, new=data, now=call.now))


@get("/v1/parts/{number:str}/substitutions", opt=allow(*ROLES))
async def list_substitutions(number: FromPath[str], call: NamedDependency[Call]) -> list[schemas.SubstitutionOut]:
    """Every dated substitution that touches a part."""
    return await call.read(lambda db: queries.substitutions(db, parts=[number]))


@post("/v1/lanes", opt=allow(ADMIN))
async def add_lane(data: JSONBody[schemas.LaneIn], call: NamedDependency[Call]) -> Response[schemas.LaneOut]:
    """A carrier's regular run from a place to an area."""
    currency = call.state.settings.currency
    return await call.write(
        201, lambda db: service.add_lane(db, actor=call.actor, new=data, currency=currency, now=call.now)
    )


@post("/v1/calendars", opt=allow(ADMIN))
async def add_calendar(
    data: JSONBody[schemas.CalendarIn], call: NamedDependency[Call]
) -> Response[schemas.CalendarOut]:
    """A country's days off and make-up days of a year; a new version if the year is known."""
    return await call.write(201, lambda db: service.add_calendar(db, actor=call.actor, new=data, now=call.now))


@get("/v1/calendars/{country:str}/{year:int}", opt=allow(*STAFF))
async def show_calendar(
    country: FromPath[str], year: FromPath[int], call: NamedDependency[Call]
) -> schemas.CalendarOut:
    if not EARLIEST <= year <= LATEST:
        raise queries.NoSuchCalendar(key=f"{country} {year}")
    return await call.read(lambda db: queries.calendar(db, country=country, year=year))


HANDLERS = [
    add_customer,
    change_customer,
    list_customers,
    show_customer,
    add_contract,
    list_contracts,
    show_contract,
    add_site,
    list_sites,
    show_site,
    add_part,
    change_part,
    list_parts,
    show_part,
    add_model,
    change_model,
    list_models,
    show_model,
    add_place,
    list_places,
    show_place,
    add_courier,
    list_couriers,
    show_courier,
    add_area,
    list_areas,
    show_area,
    amend_contract,
    set_assortment,
    add_substitution,
    list_substitutions,
    add_lane,
    add_calendar,
    show_calendar,
]
