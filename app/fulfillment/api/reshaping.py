"""Doors to changes of the network that plans stand on: sites, places, areas, couriers, lanes. Plans follow."""

from litestar import Response, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN
from app.fulfillment.service import reshaping
from app.network import schemas
from app.network.schemas import changes


@patch("/v1/sites/{code:str}", opt=allow(ADMIN))
async def change_site(
    code: FromPath[str], data: JSONBody[changes.SiteChange], call: NamedDependency[Call]
) -> Response[schemas.SiteOut]:
    """Change a site's name, coordinates, area or address."""
    return await call.write(
        200,
        lambda db: reshaping.change_site(
            db, actor=call.actor, code=code, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@patch("/v1/places/{code:str}", opt=allow(ADMIN))
async def change_place(
    code: FromPath[str], data: JSONBody[changes.PlaceChange], call: NamedDependency[Call]
) -> Response[schemas.PlaceOut]:
    """Change a place's name, coordinates, opening hours or preparation."""
    return await call.write(
        200,
        lambda db: reshaping.change_place(
            db, actor=call.actor, code=code, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@patch("/v1/areas/{code:str}", opt=allow(ADMIN))
async def change_area(
    code: FromPath[str], data: JSONBody[changes.AreaChange], call: NamedDependency[Call]
) -> Response[schemas.AreaOut]:
    """Name an area anew, or say which places serve it."""
    return await call.write(
        200,
        lambda db: reshaping.change_area(
            db, actor=call.actor, code=code, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@patch("/v1/couriers/{code:str}", opt=allow(ADMIN))
async def change_courier(
    code: FromPath[str], data: JSONBody[changes.CourierChange], call: NamedDependency[Call]
) -> Response[schemas.CourierOut]:
    """Change a courier's name, shift, load, skills or role."""
    return await call.write(
        200,
        lambda db: reshaping.change_courier(
            db, actor=call.actor, code=code, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@patch("/v1/lanes/{carrier:str}/{from_place:str}/{to_area:str}", opt=allow(ADMIN))
async def change_lane(
    carrier: FromPath[str],
    from_place: FromPath[str],
    to_area: FromPath[str],
    data: JSONBody[changes.LaneChange],
    call: NamedDependency[Call],
) -> Response[schemas.LaneOut]:
    """Change a lane's cut-offs, time on the road or cost."""
    currency = call.state.settings.currency
    return await call.write(
        200,
        lambda db: reshaping.change_lane(
            db,
            actor=call.actor,
            carrier=carrier,
            from_place=from_place,
            to_area=to_area,
            change=data,
            currency=currency,
            expected_version=call.if_match,
            now=call.now,
        ),
    )


HANDLERS = [change_site, change_place, change_area, change_courier, change_lane]
