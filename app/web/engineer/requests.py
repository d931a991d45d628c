"""Doors to a request as everybody shares it: the page, its live parts, and the steps that people record on it."""

from datetime import datetime, timedelta
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, WAREHOUSE, Actor, Role
from app.core.db import reading
from app.core.errors import Forbidden, NotFound
from app.fulfillment.api.shapes import request_out
from app.fulfillment.queries.photos import photos
from app.fulfillment.queries.plans import regions
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.schemas import RequestOut, StepIn
from app.web import addresses
from app.web.engineer import queries
from app.web.engineer.actions import ACTS, RECORDED, Act
from app.web.engineer.known import Known
from app.web.engineer.photos import keep_photos
from app.web.engineer.request_view import RequestView, request_view
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.queries import region_plans
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.words import Frame

REQUEST_ROLES: tuple[Role, ...] = (ENGINEER, DISPATCHER, FINANCE, ADMIN, WAREHOUSE)


@get("/requests/{request_id:str}", opt=signed_in(*REQUEST_ROLES), include_in_schema=False)
async def show_request(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], request_id: FromPath[str]
) -> Response[str]:
    """One request as it stands."""
    return page(request, "engineer/request.html", who=who, view=await shown(request, who.actor, request_id))


@get("/requests/{request_id:str}/live", opt=signed_in(*REQUEST_ROLES), include_in_schema=False)
async def live_parts(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], request_id: FromPath[str]
) -> Response[str]:
    """The parts of the page that change."""
    view = await shown(request, who.actor, request_id)
    return page(request, "engineer/request_live.html", who=who, view=view, sentence=None)


@post(
    "/requests/{request_id:str}/steps/{verb:str}",
    status_code=200,
    opt=signed_in(*REQUEST_ROLES),
    include_in_schema=False,
)
async def record_step(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    request_id: FromPath[str],
    verb: FromPath[str],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
) -> Response[Any]:
    """Record one step. What was kept on the device while offline happened when it was pressed."""
    act = ACTS.get(verb)
    if act is None:
        raise NotFound
    if who.actor.role not in act.roles:
        raise Forbidden(role=who.actor.role)
    zone = await call.read(lambda db: _zone(db, who.actor, request_id))
    body = body_of(
        act, form, zone, pressed=pressed_at(form, call.now) if "idempotency-key" in request.headers else None
    )

    async def run(db: AsyncConnection) -> RequestOut:
        loaded = await act.run(
            db, actor=call.actor, request_id=request_id, body=body, expected_version=None, now=call.now
        )
        return request_out(loaded, actor=call.actor, language=call.language, now=call.now)

    await call.act(run, RequestOut)
    await keep_photos(call, form, request_id)
    say = Words(call.language)
    words = say(RECORDED[verb])
    if "hx-request" not in request.headers:
        return see_other(addresses.request(request_id), say=words)
    view = await shown(request, who.actor, request_id)
    return page(request, "engineer/request_live.html", who=who, view=view, sentence=words)


def pressed_at(form: Form, now: datetime) -> datetime | None:
    """When a step was pressed by the device's clock; a clock that is ahead of ours counts as now."""
    pressed = form.instant("pressed_at", "UTC")
    return pressed if pressed is not None and pressed < now else None


def body_of(act: Act, form: Form, zone: str, *, pressed: datetime | None) -> StepIn:
    """The form as a body of the API: chosen lines, and when it happened."""
    more: dict[str, Any] = {}
    if lines := form.texts("line"):
        more["lines"] = [{"id": one} for one in lines]
    if happened := form.instant("occurred_at", zone) or pressed:
        more["occurred_at"] = happened
    if planned := form.instant("planned_at", zone):
        more["planned_at"] = planned
    return form.into(act.body, **more)


async def _zone(db: AsyncConnection, actor: Actor, request_id: str) -> str:
    loaded = await load(db, actor=actor, request_id=request_id)
    return str((await queries.where_it_is(db, site=loaded.row.site)).timezone)


async def shown(request: Request[Any, Any, Any], actor: Actor, request_id: str) -> RequestView:
    """Read all that the page shows."""
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        loaded = await load(db, actor=actor, request_id=request_id)
        out = request_out(loaded, actor=actor, language=say.language, now=now)
        frame = await _frame(db, actor, loaded, now, say)
        pictures = await photos(db, request_id=request_id)
        actors = {step.actor for step in loaded.steps} | {one.taken_by for one in pictures}
        known = Known(
            where=await queries.where_it_is(db, site=loaded.row.site),
            model_name=await queries.model_name(db, model=loaded.row.model),
            names=await _names(db, loaded, frame),
            people=await queries.people(db, actors),
            frame=frame,
            photos=pictures,
        )
    return request_view(loaded, out, known, actor=actor)


async def _names(db: AsyncConnection, loaded: Loaded, frame: Frame) -> dict[str, str]:
    lines = loaded.lines
    places = {line.source for line in lines} | {one["place"] for line in lines for one in line.sourcing["alternatives"]}
    parts = {line.supplied_part_number for line in lines} | {line.part_number for line in lines}
    drivers = {line.courier for line in lines} | set(frame.drivers.values())
    told = {step.details.get("courier") for step in loaded.steps}
    return {
        **await queries.place_names(db, places | {loaded.row.area}),
        **await queries.part_names(db, parts),
        **await queries.courier_names(db, drivers | told),
    }


async def _frame(db: AsyncConnection, actor: Actor, loaded: Loaded, now: datetime, say: Words) -> Frame:
    """What the plan says of this request's lines: when each is done, and who drives."""
    ids = {line.id for line in loaded.lines}
    names = await regions(db, actor=actor, area=loaded.row.area) if loaded.row.area else []
    finishes: dict[str, datetime] = {}
    drivers: dict[str, str] = {}
    for one in await region_plans(db, names=names, seen=ids, now=now):
        start, plan = one.planned.problem.start, one.planned.plan
        finishes |= {job: start + timedelta(seconds=at) for job, at in plan.finishes().items() if job in ids}
        drivers |= {stop.job: route.courier for route in plan.routes for stop in route.stops if stop.job in ids}
    return Frame(now=now, say=say, couriers={}, colors={}, labels={}, finishes=finishes, drivers=drivers)


HANDLERS = [show_request, live_parts, record_step]
