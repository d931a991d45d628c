"""Doors to webhook endpoints. A URL is judged before anything is written, since no transaction waits on the network."""

from typing import Any

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, INTEGRATION
from app.core.errors import NotFound
from app.core.types import Wire
from app.integrations import schemas
from app.integrations.queries import endpoints as queries
from app.integrations.queries.shapes import event_schema
from app.integrations.rules.catalog import TYPES
from app.integrations.service import endpoints as service

MAY = (ADMIN, INTEGRATION)


class NoSuchType(NotFound):
    """No event type by that name for this role."""

    code = "webhook.type_not_found"


class NothingIn(Wire):
    """A verb without fields."""


@get("/v1/event-types", opt=allow(*MAY))
async def list_event_types(call: NamedDependency[Call]) -> schemas.EventTypesOut:
    """Every type of event this key's endpoints may get."""
    mine = [one for one in TYPES.values() if call.actor.role in one.roles]
    items = [schemas.EventTypeOut(type=one.name, words=one.words, carries=one.carries) for one in mine]
    return schemas.EventTypesOut(items=items)


@get("/v1/event-types/{name:str}/schema", opt=allow(*MAY))
async def show_event_schema(name: FromPath[str], call: NamedDependency[Call]) -> dict[str, Any]:
    """What an event of this type looks like, as a JSON Schema."""
    known = TYPES.get(name)
    if known is None or call.actor.role not in known.roles:
        raise NoSuchType(type=name)
    return event_schema(known)


@post("/v1/webhook-endpoints", opt=allow(*MAY))
async def create_endpoint(
    data: JSONBody[schemas.EndpointIn], call: NamedDependency[Call]
) -> Response[schemas.EndpointMade]:
    """Make an endpoint. Its secret is shown this once; an Idempotency-Key is refused, since the answer is not kept."""
    await call.state.egress.check(data.url)
    return await call.write_unkept(
        201, lambda db: service.create_endpoint(db, actor=call.actor, new=data, now=call.now)
    )


@get("/v1/webhook-endpoints", opt=allow(*MAY))
async def list_endpoints(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.EndpointsOut:
    """This key's endpoints; an admin without limits sees all."""
    return await call.read(lambda db: queries.endpoints(db, actor=call.actor, now=call.now, cursor=cursor, limit=limit))


@get("/v1/webhook-endpoints/{endpoint_id:str}", opt=allow(*MAY))
async def show_endpoint(endpoint_id: FromPath[str], call: NamedDependency[Call]) -> schemas.EndpointOut:
    """One endpoint as it stands."""
    return await call.read(lambda db: queries.endpoint(db, actor=call.actor, endpoint_id=endpoint_id, now=call.now))


@patch("/v1/webhook-endpoints/{endpoint_id:str}", opt=allow(*MAY))
async def change_endpoint(
    endpoint_id: FromPath[str], data: JSONBody[schemas.EndpointPatch], call: NamedDependency[Call]
) -> Response[schemas.EndpointOut]:
    """Change URL, description, types or language."""
    if isinstance(data.url, str):
        await call.state.egress.check(data.url)
    return await call.write(
        200,
        lambda db: service.change_endpoint(
            db, actor=call.actor, endpoint_id=endpoint_id, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@delete("/v1/webhook-endpoints/{endpoint_id:str}", status_code=200, opt=allow(*MAY))
async def delete_endpoint(endpoint_id: FromPath[str], call: NamedDependency[Call]) -> Response[schemas.EndpointOut]:
    """Stop for good; the delivery log stays."""
    return await call.write(
        200,
        lambda db: service.delete_endpoint(
            db, actor=call.actor, endpoint_id=endpoint_id, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/webhook-endpoints/{endpoint_id:str}/rotate", status_code=200, opt=allow(*MAY, bodyless=True))
async def rotate_secret(
    endpoint_id: FromPath[str], data: JSONBody[schemas.RotateIn], call: NamedDependency[Call]
) -> Response[schemas.EndpointMade]:
    """A new secret, shown this once; the old one signs beside it for the overlap."""
    return await call.write_unkept(
        200,
        lambda db: service.rotate_secret(
            db, actor=call.actor, endpoint_id=endpoint_id, body=data, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/webhook-endpoints/{endpoint_id:str}/disable", status_code=200, opt=allow(*MAY, bodyless=True))
async def disable_endpoint(
    endpoint_id: FromPath[str], data: JSONBody[schemas.DisableIn], call: NamedDependency[Call]
) -> Response[schemas.EndpointOut]:
    """Send nothing more until enabled; what waits is canceled and can be replayed."""
    return await call.write(
        200,
        lambda db: service.disable_endpoint(
            db,
            actor=call.actor,
            endpoint_id=endpoint_id,
            reason=data.reason,
            expected_version=call.if_match,
            now=call.now,
        ),
    )


@post("/v1/webhook-endpoints/{endpoint_id:str}/enable", status_code=200, opt=allow(*MAY, bodyless=True))
async def enable_endpoint(
    endpoint_id: FromPath[str], data: JSONBody[schemas.EnableIn], call: NamedDependency[Call]
) -> Response[schemas.EndpointOut]:
    """Send again from now on; to an endpoint that was never disabled, all that waits at once."""
    return await call.write(
        200,
        lambda db: service.enable_endpoint(
            db,
            actor=call.actor,
            endpoint_id=endpoint_id,
            body=data,
            expected_version=call.if_match,
            now=call.now,
        ),
    )


@post("/v1/webhook-endpoints/{endpoint_id:str}/ping", opt=allow(*MAY, bodyless=True))
async def ping_endpoint(
    endpoint_id: FromPath[str], data: JSONBody[NothingIn], call: NamedDependency[Call]
) -> Response[schemas.PingOut]:
    """Send a test; the delivery's attempts say what came of it."""

    async def ping(db: AsyncConnection) -> schemas.PingOut:
        made = await service.ping_endpoint(db, actor=call.actor, endpoint_id=endpoint_id, now=call.now)
        return schemas.PingOut(delivery=made)

    return await call.write(201, ping)


@post("/v1/webhook-endpoints/{endpoint_id:str}/replay", status_code=200, opt=allow(*MAY))
async def replay_range(
    endpoint_id: FromPath[str], data: JSONBody[schemas.ReplayIn], call: NamedDependency[Call]
) -> Response[schemas.ReplayOut]:
    """Send again what was made in a span, at most 10,000 at once; ids and bytes stay, the timestamp is new."""

    async def replay(db: AsyncConnection) -> schemas.ReplayOut:
        count = await service.replay_range(db, actor=call.actor, endpoint_id=endpoint_id, body=data, now=call.now)
        return schemas.ReplayOut(replayed=count)

    return await call.write(200, replay)


@get("/v1/webhook-deliveries", opt=allow(*MAY))
async def list_deliveries(
    call: NamedDependency[Call],
    endpoint: FromQuery[str | None] = None,
    status: FromQuery[schemas.DeliveryState | None] = None,
    event: FromQuery[str | None] = None,
    subject: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> schemas.DeliveriesOut:
    """The delivery log, newest first."""
    return await call.read(
        lambda db: queries.deliveries(
            db,
            actor=call.actor,
            endpoint_id=endpoint,
            state=status,
            event=event,
            subject=subject,
            cursor=cursor,
            limit=limit,
        )
    )


@get("/v1/webhook-deliveries/{delivery_id:str}", opt=allow(*MAY))
async def show_delivery(delivery_id: FromPath[str], call: NamedDependency[Call]) -> schemas.DeliveryDetail:
    """One delivery with every try and the text that is sent."""
    return await call.read(lambda db: queries.delivery(db, actor=call.actor, delivery_id=delivery_id))


@post("/v1/webhook-deliveries/{delivery_id:str}/replay", status_code=200, opt=allow(*MAY, bodyless=True))
async def replay_delivery(
    delivery_id: FromPath[str], data: JSONBody[NothingIn], call: NamedDependency[Call]
) -> Response[schemas.DeliveryOut]:
    """Send one delivery again."""
    return await call.write(
        200, lambda db: service.replay_delivery(db, actor=call.actor, delivery_id=delivery_id, now=call.now)
    )


HANDLERS = [
    list_event_types,
    show_event_schema,
    create_endpoint,
    list_endpoints,
    show_endpoint,
    change_endpoint,
    delete_endpoint,
    rotate_secret,
    disable_endpoint,
    enable_endpoint,
    ping_endpoint,
    replay_range,
    list_deliveries,
    show_delivery,
    replay_delivery,
]
