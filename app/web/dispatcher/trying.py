"""Door to trying a pin before it is made: what the plan would be with it; nothing is written."""

import asyncio
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER
from app.fulfillment.api.trying import side_out, stands_of
from app.fulfillment.queries.requests import load
from app.fulfillment.schemas.trying import TriedIn, WhatIfIn
from app.fulfillment.service.trying import Trial, compare, trial_for
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, page
from app.web.words import span


@post(
    "/board/requests/{request_id:str}/what-if",
    status_code=200,
    opt=signed_in(ADMIN, DISPATCHER),
    include_in_schema=False,
)
async def try_pin(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call], request_id: FromPath[str]
) -> Response[str]:
    """What pinning the line to a courier would win and cost."""
    pin = form.into(TriedIn, kind="pin")

    async def ask(db: AsyncConnection) -> Trial:
        area = (await load(db, actor=call.actor, request_id=request_id)).row.area
        return await trial_for(db, actor=call.actor, body=WhatIfIn(area=area or "", changes=[pin]), now=call.now)

    trial = await call.read(ask)
    before, after = await asyncio.to_thread(compare, trial)
    say = Words(call.language)
    _, late, eta, _ = stands_of(after)[str(pin.line)]
    missed = [sum(one.missed for one in side_out(side, trial).tiers) for side in (before, after)]
    if eta is None:
        outcome = say("not at all")
    else:
        outcome = say("still {late} late", late=span(late + 59, say)) if late else say("in time")
    words = say(
        "{courier} would be {outcome}. Missed in all: {after}, now {before}. Driving: {minutes} min more.",
        courier=pin.courier,
        outcome=outcome,
        before=missed[0],
        after=missed[1],
        minutes=(after.plan.costs.drive_s - before.plan.costs.drive_s) // 60,
    )
    return page(request, "dispatcher/tried.html", sentence=words)


HANDLERS = [try_pin]
