"""Asking for parts once, through whichever door: decide outside any transaction, write in a short one, in rounds."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import structlog
from litestar import Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.core.db import begin
from app.core.http import Contention
from app.fulfillment import schemas
from app.fulfillment.api.giving_way import need_may_bump, with_offer, with_room_made
from app.fulfillment.api.shapes import request_out
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.service.accept import accept, record_lost_demand
from app.fulfillment.service.capping import take_turn
from app.fulfillment.service.displacing import accept_with_room
from app.fulfillment.service.proposing import Proposal, propose, propose_locked
from app.fulfillment.service.refusals import FactsMoved, HoldsFull, NotEnough
from app.routing.jobs import learn
from app.stock.service.refusals import OutOfStock, PriceMoved

log = structlog.get_logger("requests")
T = TypeVar("T")
Verb = Callable[[AsyncConnection], Awaitable[schemas.RequestOut]]
Also = Callable[[AsyncConnection, Loaded], Awaitable[None]]
"""Something that belongs to the request and is written in the transaction that accepts it."""
ROUNDS = 3
SOURCES_LIMIT_S = 1.5
"""For a request of so many lines that the scan did not prove its choice."""


async def ask(data: schemas.RequestIn, call: Call, *, also: Also | None = None) -> Response[schemas.RequestOut]:
    """The API's door: the answer as it is sent, kept under the caller's key."""
    if (replayed := await call.replay()) is not None:
        return replayed
    with call.alone():
        return await _or_lost_demand(data, call, lambda verb: call.write(201, verb), also)


async def ask_on_page(data: schemas.RequestIn, call: Call, *, also: Also | None = None) -> schemas.RequestOut:
    """A page's door: the same, as a value."""
    if (replayed := await call.replay()) is not None:
        return msgspec.json.decode(replayed.content, type=schemas.RequestOut)
    with call.alone():
        return await _or_lost_demand(data, call, lambda verb: call.act(verb, schemas.RequestOut), also)


async def _or_lost_demand(
    data: schemas.RequestIn, call: Call, write: Callable[[Verb], Awaitable[T]], also: Also | None
) -> T:
    """What is refused for want of stock is remembered (IS10)."""
    try:
        return await _in_rounds(data, call, write, also)
    except NotEnough as refused:
        async with begin(call.engine) as db:
            await record_lost_demand(db, refused=refused, now=call.now)
        raise
    except HoldsFull as refused:
        log.warning("holds full", actor=call.actor.id, **refused.facts)
        raise


async def _in_rounds(
    data: schemas.RequestIn, call: Call, write: Callable[[Verb], Awaitable[T]], also: Also | None
) -> T:
    """Decide on fresh facts and write; what moved in between is decided again, the last time under the rows' locks."""

    async def accepted(db: AsyncConnection, proposal: Proposal) -> schemas.RequestOut:
        await take_turn(db, actor=call.actor)
        taking = accept_with_room if proposal.gives else accept
        loaded = await taking(db, actor=call.actor, proposal=proposal, now=call.now)
        if also is not None:
            await also(db, loaded)
        return request_out(loaded, actor=call.actor, language=call.language, now=call.now)

    async def locked(db: AsyncConnection) -> schemas.RequestOut:
        await take_turn(db, actor=call.actor)  # before the rows' locks
        return await accepted(db, await propose_locked(db, actor=call.actor, asked=data, now=call.now))

    for number in range(ROUNDS - 1):
        proposal = await proposed(data, call, ask_roads=number == 0)
        try:
            return await write(lambda db, proposal=proposal: accepted(db, proposal))  # type: ignore[misc]
        except (FactsMoved, OutOfStock, PriceMoved):
            continue
    try:
        if proposal.gives:  # nobody is moved without having been asked for: decided outside once more, or not at all
            proposal = await proposed(data, call, ask_roads=False)
        if proposal.gives:
            return await write(lambda db: accepted(db, proposal))
        return await write(locked)
    except FactsMoved as moved:
        raise Contention(retry_after_s=1) from moved


async def proposed(data: schemas.RequestIn, call: Call, *, ask_roads: bool = True) -> Proposal:
    """The decision on what is known; where it rests on ways that nobody asked for yet, roads are asked once, outside any
    transaction and within their limit (R5, T150), and it is decided anew. What would be refused or late asks who gives
    way (S3b). Raises NotEnough."""
    need_may_bump(data, call.actor)
    found = await _alone(data, call, ask_roads=ask_roads)
    if isinstance(found, Proposal) and not found.missed:
        return found
    room = await with_room_made(data, call, found)
    if room is not None:
        return room
    if isinstance(found, NotEnough):
        raise await with_offer(data, call, found)
    return found


async def _alone(data: schemas.RequestIn, call: Call, *, ask_roads: bool) -> Proposal | NotEnough:
    """The decision without moving anybody. Many lines that share places are the solver's (R2); the last round, under locks,
    does without."""
    try:
        proposal = await call.read(lambda db: propose(db, actor=call.actor, asked=data, now=call.now))
        region = proposal.facts.region
        times = region.travel if region is not None else None
        if ask_roads and await learn(call.engine, getattr(call.state, "travel", None), times, now=call.now):
            proposal = await call.read(lambda db: propose(db, actor=call.actor, asked=data, now=call.now))
    except NotEnough as short:
        return short
    choice, solver = proposal.decision.choice, getattr(call.state, "solver", None)
    if choice.proven or solver is None:
        return proposal
    better = await solver.sources(proposal.decision.asks, choice, limit_s=SOURCES_LIMIT_S)
    return proposal.chosen_anew(better, now=call.now)
