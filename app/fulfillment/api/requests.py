"""Doors to part requests and promises: read, decide outside any transaction, write in a short one, in rounds."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION, ROLES
from app.core.db import begin
from app.core.http import Contention
from app.fulfillment import schemas
from app.fulfillment.api.shapes import request_out
from app.fulfillment.queries import requests as queries
from app.fulfillment.service.accept import Proposal, accept, propose, propose_locked, record_lost_demand
from app.fulfillment.service.promising import as_if_accepted
from app.fulfillment.service.refusals import FactsMoved, NotEnough
from app.routing.jobs import learn
from app.stock.service.refusals import OutOfStock, PriceMoved

ROUNDS = 3
MAY_ASK = (ADMIN, DISPATCHER, ENGINEER, INTEGRATION)


@post("/v1/promises", status_code=200, opt=allow(*MAY_ASK, FINANCE))
async def promise(data: JSONBody[schemas.RequestIn], call: NamedDependency[Call]) -> schemas.RequestOut:
    """What would be promised now, from where, at what price, and why; holds nothing."""
    proposal = await _proposed(data, call)
    shown = as_if_accepted(proposal, by=call.actor.id, now=call.now)
    return request_out(shown, actor=call.actor, language=call.language, now=call.now)


@post("/v1/part-requests", opt=allow(*MAY_ASK))
async def create_request(
    data: JSONBody[schemas.RequestIn], call: NamedDependency[Call]
) -> Response[schemas.RequestOut]:
    """Ask for parts: verdict, price, commitment, source and ETA of each line; the stock is held with it."""
    if (replayed := await call.replay()) is not None:
        return replayed
    try:
        return await _in_rounds(data, call)
    except NotEnough as refused:
        async with begin(call.engine) as db:
            await record_lost_demand(db, refused=refused, now=call.now)
        raise


async def _in_rounds(data: schemas.RequestIn, call: Call) -> Response[schemas.RequestOut]:
    """Decide on fresh facts and write; what moved in between is decided again, the last time under the rows' locks."""
    for number in range(ROUNDS - 1):
        proposal = await _proposed(data, call, ask=number == 0)
        try:
            return await call.write(201, lambda db, proposal=proposal: _accepted(db, proposal, call))  # type: ignore[misc]
        except (FactsMoved, OutOfStock, PriceMoved):
            continue

    async def locked(db: Any) -> schemas.RequestOut:
        return await _accepted(db, await propose_locked(db, actor=call.actor, asked=data, now=call.now), call)

    try:
        return await call.write(201, locked)
    except FactsMoved as moved:
        raise Contention(retry_after_s=1) from moved


async def _proposed(data: schemas.RequestIn, call: Call, *, ask: bool = True) -> Proposal:
    """The decision on what is known; where it rests on ways that nobody asked for yet, roads are asked once, outside any
    transaction and within their limit (R5, T150), and it is decided anew."""
    proposal = await call.read(lambda db: propose(db, actor=call.actor, asked=data, now=call.now))
    region = proposal.facts.region
    times = region.travel if region is not None else None
    if ask and await learn(call.engine, getattr(call.state, "travel", None), times, now=call.now):
        proposal = await call.read(lambda db: propose(db, actor=call.actor, asked=data, now=call.now))
    return proposal


async def _accepted(db: Any, proposal: Proposal, call: Call) -> schemas.RequestOut:
    loaded = await accept(db, actor=call.actor, proposal=proposal, now=call.now)
    return request_out(loaded, actor=call.actor, language=call.language, now=call.now)


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
