"""Doors to steering: another source, fixes of a miss, pins, freezes, shifts for once, managers, and what a plan changed."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER
from app.fulfillment.api.verbs import Out, run_verb
from app.fulfillment.api.why import fix_out
from app.fulfillment.queries.clashes import requests_of
from app.fulfillment.queries.plans import lines_of
from app.fulfillment.queries.steering import plan_changes, region_name
from app.fulfillment.schemas import steering as shapes
from app.fulfillment.service import steering
from app.fulfillment.service.bumping import bump
from app.fulfillment.service.fixing import fixes
from app.fulfillment.service.resourcing import resource

STEER = (ADMIN, DISPATCHER)


@get("/v1/part-requests/{request_id:str}/fixes", opt=allow(*STEER))
async def list_fixes(request_id: FromPath[str], call: NamedDependency[Call]) -> shapes.FixesOut:
    """What would bring each line sooner, the cheapest that keeps the promise first; nothing is held."""

    async def ask(db: AsyncConnection) -> shapes.FixesOut:
        found = await fixes(db, actor=call.actor, request_id=request_id, now=call.now)
        others = [job for one in found for job in one.harmed]
        others += [each.gives.line for one in found for each in one.changes if each.gives is not None]
        seen = await requests_of(db, actor=call.actor, lines=others)
        return shapes.FixesOut(items=[fix_out(one, call.language, seen.get) for one in found])

    return await call.read(ask)


@post("/v1/part-requests/{request_id:str}/source", status_code=200, opt=allow(*STEER))
async def source_request(
    request_id: FromPath[str], data: JSONBody[shapes.SourceIn], call: NamedDependency[Call]
) -> Out:
    """Take a line that is still on the shelf from another place, or its substitute; the promise stays."""
    return await run_verb(call, request_id, data, resource)


@post("/v1/part-requests/{request_id:str}/bump", status_code=200, opt=allow(*STEER))
async def bump_request(request_id: FromPath[str], data: JSONBody[shapes.BumpIn], call: NamedDependency[Call]) -> Out:
    """Give a late line the pieces that a line of lower priority holds; both promises stay, both are told."""
    return await run_verb(call, request_id, data, bump)


@post("/v1/part-requests/{request_id:str}/call", status_code=200, opt=allow(*STEER, ENGINEER))
async def call_request(request_id: FromPath[str], data: JSONBody[shapes.CallIn], call: NamedDependency[Call]) -> Out:
    """Tell department manager and general manager now (C5, C7)."""
    return await run_verb(call, request_id, data, steering.call_managers)


@post("/v1/part-requests/{request_id:str}/emergency-plan", status_code=200, opt=allow(*STEER, ENGINEER))
async def emergency_plan_request(
    request_id: FromPath[str], data: JSONBody[shapes.EmergencyPlanIn], call: NamedDependency[Call]
) -> Out:
    """The plan agreed with the user where a promise cannot be kept (C7)."""
    return await run_verb(call, request_id, data, steering.agree_plan)


@post("/v1/plan/pins", opt=allow(*STEER))
async def pin_line(data: JSONBody[shapes.PinIn], call: NamedDependency[Call]) -> Response[shapes.PinOut]:
    """Only this courier may bring the line."""
    return await call.write(201, lambda db: steering.pin(db, actor=call.actor, body=data, now=call.now))


@post("/v1/plan/pins/{line:str}/release", status_code=200, opt=allow(*STEER))
async def unpin_line(line: FromPath[str], call: NamedDependency[Call]) -> Response[shapes.PinOut]:
    """Anybody may bring the line again."""
    return await call.write(200, lambda db: steering.unpin(db, actor=call.actor, line=line, now=call.now))


@post("/v1/plan/freeze", status_code=200, opt=allow(*STEER))
async def freeze_region(data: JSONBody[shapes.FreezeIn], call: NamedDependency[Call]) -> Response[shapes.FreezeOut]:
    """The region's routes stay as they are; what is new is added to them."""
    return await call.write(200, lambda db: steering.freeze(db, actor=call.actor, body=data, now=call.now))


@post("/v1/plan/release", status_code=200, opt=allow(*STEER))
async def release_region(data: JSONBody[shapes.FreezeIn], call: NamedDependency[Call]) -> Response[shapes.FreezeOut]:
    """Routes may change again."""
    return await call.write(200, lambda db: steering.unfreeze(db, actor=call.actor, body=data, now=call.now))


@get("/v1/plan/changes", opt=allow(*STEER))
async def show_changes(call: NamedDependency[Call], area: FromQuery[str]) -> shapes.PlanChangesOut | None:
    """What the newest plan of the area's region changed against the one before."""

    async def ask(db: AsyncConnection) -> shapes.PlanChangesOut | None:
        region = await region_name(db, actor=call.actor, area=area)
        lines = await lines_of(db, regions=[region])
        visible = {
            key: one
            for key, one in lines.items()
            if call.actor.may_see_customer(one.customer) and call.actor.may_see_area(one.area)
        }
        return await plan_changes(db, region=region, visible=visible)

    return await call.read(ask)


@post("/v1/couriers/{courier:str}/shifts", opt=allow(*STEER))
async def order_shift(
    courier: FromPath[str], data: JSONBody[shapes.ShiftIn], call: NamedDependency[Call]
) -> Response[shapes.ShiftOut]:
    """A shift for once, beside those the network keeps."""
    return await call.write(
        201, lambda db: steering.order_shift(db, actor=call.actor, courier=courier, body=data, now=call.now)
    )


@post("/v1/places/{place:str}/openings", opt=allow(*STEER))
async def order_opening(
    place: FromPath[str], data: JSONBody[shapes.OpeningIn], call: NamedDependency[Call]
) -> Response[shapes.OpeningOut]:
    """The place opens for once, beside its hours, for couriers to fetch from."""
    return await call.write(
        201, lambda db: steering.order_opening(db, actor=call.actor, place=place, body=data, now=call.now)
    )


HANDLERS = [
    list_fixes,
    source_request,
    bump_request,
    call_request,
    emergency_plan_request,
    pin_line,
    unpin_line,
    freeze_region,
    release_region,
    show_changes,
    order_shift,
    order_opening,
]
