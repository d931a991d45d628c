"""Doors to part requests and promises."""

from typing import Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION, ROLES
from app.fulfillment import schemas
from app.fulfillment.api.asking import ask, proposed
from app.fulfillment.api.shapes import request_out
from app.fulfillment.queries import requests as queries
from app.fulfillment.service.promising import as_if_accepted

MAY_ASK = (ADMIN, DISPATCHER, ENGINEER, INTEGRATION)


@post("/v1/promises", status_code=200, opt=allow(*MAY_ASK, FINANCE))
async def promise(data: JSONBody[schemas.RequestIn], call: NamedDependency[Call]) -> schemas.RequestOut:
    """What would be promised now, from where, at what price, and why; holds nothing."""
    proposal = await proposed(data, call)
    shown = as_if_accepted(proposal, by=call.actor.id, now=call.now)
    return request_out(shown, actor=call.actor, language=call.language, now=call.now)


@post("/v1/part-requests", opt=allow(*MAY_ASK))
async def create_request(
    data: JSONBody[schemas.RequestIn], call: NamedDependency[Call]
) -> Response[schemas.RequestOut]:
    """Ask for parts: verdict, price, commitment, source and ETA of each line; the stock is held with it."""
    return await ask(data, call)


@get("/v1/part-requests/{request_id:str}", opt=allow(*ROLES))
async def show_request(request_id: FromPath[str], call: NamedDependency[Call]) -> schemas.RequestOut:
    """One request as it stands."""
    loaded = await call.read(lambda db: queries.load(db, actor=call.actor, request_id=request_id))
    return request_out(loaded, actor=call.actor, language=call.language, now=call.now)


@get("/v1/part-requests/{request_id:str}/steps", opt=allow(*ROLES))
async def list_steps(request_id: FromPath[str], call: NamedDependency[Call]) -> schemas.StepsOut:
    """Every recorded step of a request: what its clocks rest on."""
    loaded = await call.read(lambda db: queries.load(db, actor=call.actor, request_id=request_id))
    items = [
        schemas.StepOut(
            verb=one.verb,
            line=one.line,
            occurred_at=one.occurred_at,
            recorded_at=one.recorded_at,
            actor=one.actor,
            details=one.details,
        )
        for one in loaded.steps
    ]
    return schemas.StepsOut(items=items)


@get("/v1/part-requests", opt=allow(*ROLES))
async def list_requests(
    call: NamedDependency[Call],
    wanted: Annotated[str | None, QueryParameter(name="state")] = None,
    place: FromQuery[str | None] = None,
    area: FromQuery[str | None] = None,
    ticket: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> schemas.RequestsOut:
    """Requests, newest first; `state=open` gives all that have not ended."""
    found, following = await call.read(
        lambda db: queries.page(
            db, actor=call.actor, state=wanted, place=place, area=area, ticket=ticket, cursor=cursor, limit=limit
        )
    )
    items = [request_out(one, actor=call.actor, language=call.language, now=call.now) for one in found]
    return schemas.RequestsOut(items=items, next=following)


HANDLERS = [promise, create_request, show_request, list_steps, list_requests]
