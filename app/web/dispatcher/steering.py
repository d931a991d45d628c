"""Doors to a dispatcher's word: do a fix, pin and release a line, freeze and release routes, call managers, agree a plan."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER
from app.fulfillment.api.shapes import request_out
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.queries.steering import region_name
from app.fulfillment.schemas import RequestOut
from app.fulfillment.schemas import steering as shapes
from app.fulfillment.service import steering
from app.fulfillment.service.bumping import bump
from app.fulfillment.service.records import mark_dirty
from app.fulfillment.service.resourcing import resource
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, toast

STEER = signed_in(ADMIN, DISPATCHER)


async def verb(call: Call, request_id: str, body: Any, service: Any) -> RequestOut:
    """One verb of the journey, once."""

    async def run(db: Any) -> RequestOut:
        loaded: Loaded = await service(
            db, actor=call.actor, request_id=request_id, body=body, expected_version=None, now=call.now
        )
        return request_out(loaded, actor=call.actor, language=call.language, now=call.now)

    return await call.act(run, RequestOut)


@post("/board/requests/{request_id:str}/source", status_code=200, opt=STEER, include_in_schema=False)
async def move_source(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call], request_id: FromPath[str]
) -> Response[str]:
    """Take a line from another place, or its substitute."""
    lines = [{"id": one} for one in form.texts("line")] or None
    body = form.into(shapes.SourceIn, lines=lines, customer_agreed=form.flag("customer_agreed"))
    await verb(call, request_id, body, resource)
    say = Words(call.language)
    return toast(request, say("{place} gives it now. The plan follows.", place=body.place))


@post("/board/requests/{request_id:str}/bump", status_code=200, opt=STEER, include_in_schema=False)
async def bump_other(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call], request_id: FromPath[str]
) -> Response[str]:
    """A lower priority gives its pieces to this line."""
    await verb(call, request_id, form.into(shapes.BumpIn), bump)
    say = Words(call.language)
    return toast(request, say("It has the piece now; both are told. The plan follows."))


@post("/board/pins", status_code=200, opt=STEER, include_in_schema=False)
async def pin_line(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[str]:
    """Give a line to one courier."""
    body = form.into(shapes.PinIn)
    await call.act(lambda db: steering.pin(db, actor=call.actor, body=body, now=call.now), shapes.PinOut)
    say = Words(call.language)
    return toast(request, say("Pinned. The plan follows."))


@post("/board/pins/release", status_code=200, opt=STEER, include_in_schema=False)
async def unpin_line(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[str]:
    """Let the plan choose again."""
    line = form.text("line") or ""
    await call.act(lambda db: steering.unpin(db, actor=call.actor, line=line, now=call.now), shapes.PinOut)
    say = Words(call.language)
    return toast(request, say("Released. The plan chooses again."))


@post("/board/shifts", status_code=200, opt=STEER, include_in_schema=False)
async def call_in(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[str]:
    """Call a courier in for once."""
    courier, body = form.text("courier") or "", form.into(shapes.ShiftIn)
    await call.act(
        lambda db: steering.order_shift(db, actor=call.actor, courier=courier, body=body, now=call.now),
        shapes.ShiftOut,
    )
    say = Words(call.language)
    return toast(request, say("Called in. The plan follows; tell the courier."))


@post("/board/openings", status_code=200, opt=STEER, include_in_schema=False)
async def have_opened(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[str]:
    """Have a place opened for once."""
    place, body = form.text("place") or "", form.into(shapes.OpeningIn)
    await call.act(
        lambda db: steering.order_opening(db, actor=call.actor, place=place, body=body, now=call.now),
        shapes.OpeningOut,
    )
    say = Words(call.language)
    return toast(request, say("Recorded as open for once. The plan follows; tell the place."))


@post("/board/freeze", status_code=200, opt=STEER, include_in_schema=False)
async def freeze(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[str]:
    """Routes stay as they are, or may change again."""
    body, say = form.into(shapes.FreezeIn), Words(call.language)
    service = steering.unfreeze if form.flag("release") else steering.freeze
    done = await call.act(lambda db: service(db, actor=call.actor, body=body, now=call.now), shapes.FreezeOut)
    if done.frozen:
        return toast(request, say("Routes stay as they are. What is new is added to them."))
    return toast(request, say("Routes may change again."))


@post("/board/replan", status_code=200, opt=STEER, include_in_schema=False)
async def replan(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[str]:
    """Ask for a new plan now."""
    area = form.text("area") or ""

    async def mark(db: Any) -> shapes.FreezeOut:
        region = await region_name(db, actor=call.actor, area=area)
        await mark_dirty(db, area=region, why="asked", now=call.now)
        return shapes.FreezeOut(region=region, frozen=False, reason=None, frozen_by=None, frozen_at=None)

    await call.act(mark, shapes.FreezeOut)
    say = Words(call.language)
    return toast(request, say("A new plan is being made."))


@post("/board/requests/{request_id:str}/call", status_code=200, opt=STEER, include_in_schema=False)
async def call_managers(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call], request_id: FromPath[str]
) -> Response[str]:
    """Tell the managers now."""
    await verb(call, request_id, form.into(shapes.CallIn), steering.call_managers)
    say = Words(call.language)
    return toast(request, say("Recorded: both managers are told."))


@post("/board/requests/{request_id:str}/emergency-plan", status_code=200, opt=STEER, include_in_schema=False)
async def agree_plan(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call], request_id: FromPath[str]
) -> Response[str]:
    """Record what was agreed with the user (C7)."""
    await verb(call, request_id, form.into(shapes.EmergencyPlanIn), steering.agree_plan)
    say = Words(call.language)
    return toast(request, say("The plan agreed with the user is recorded."))


HANDLERS = [
    move_source,
    bump_other,
    pin_line,
    unpin_line,
    call_in,
    have_opened,
    freeze,
    replan,
    call_managers,
    agree_plan,
]
