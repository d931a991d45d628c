"""Doors to the plan: what is in force, what it will miss and why; and asking for a new one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, WAREHOUSE
from app.core.http import reasons_out
from app.core.i18n import Language
from app.fulfillment.api.why import clash_out, fix_out
from app.fulfillment.queries.clashes import told_in
from app.fulfillment.queries.planning import planning
from app.fulfillment.queries.plans import PlannedLine, lines_of, regions
from app.fulfillment.queries.region import region_of_area
from app.fulfillment.rules.fixes import Told
from app.fulfillment.schemas import plan as schemas
from app.fulfillment.service.records import mark_dirty
from app.routing.rules.explain import explain_miss
from app.routing.rules.plan import Plan, Route
from app.routing.rules.problem import Job, Problem

STEER = (ADMIN, DISPATCHER)
MAY = (ADMIN, DISPATCHER, WAREHOUSE, ENGINEER)


@get("/v1/plan", opt=allow(*MAY))
async def show_plan(call: NamedDependency[Call], area: FromQuery[str | None] = None) -> schemas.PlansOut:
    """Each region's routes as of now, with slack, and the lines that will be missed with the reasons."""

    async def ask(db: AsyncConnection) -> list[schemas.PlanOut]:
        names = await regions(db, actor=call.actor, area=area)
        lines = await lines_of(db, regions=names)
        found = []
        for name in names:
            facts = await region_of_area(db, area=name, now=call.now)
            planned = planning(facts, now=call.now)
            at = facts.standing.planned_at if facts.standing else None
            visible = {
                key: line
                for key, line in lines.items()
                if call.actor.may_see_customer(line.customer) and call.actor.may_see_area(line.area)
            }
            told = await told_in(db, regions=[name])
            if call.actor.role not in STEER:  # what could be done, and at what price, is for who may do it
                told = {line: replace(one, fixes=()) for line, one in told.items()}
            found.append(
                plan_out(name, planned.plan, planned.problem, visible, planned.version, at, call.language, told)
            )
        return found

    return schemas.PlansOut(items=await call.read(ask))


@post("/v1/plan/replan", status_code=202, opt=allow(ADMIN, DISPATCHER))
async def ask_for_plan(
    call: NamedDependency[Call], area: FromQuery[str | None] = None
) -> Response[dict[str, list[str]]]:
    """Mark regions for planning; the duty takes them up at once."""

    async def mark(db: AsyncConnection) -> dict[str, list[str]]:
        names = await regions(db, actor=call.actor, area=area)
        for name in names:
            await mark_dirty(db, area=name, why="asked", now=call.now)
        return {"regions": names}

    return await call.write(202, mark)


def plan_out(
    region: str,
    plan: Plan,
    problem: Problem,
    lines: Mapping[str, PlannedLine],
    version: int,
    planned_at: datetime | None,
    language: Language,
    told: Mapping[str, Told] = MappingProxyType({}),
) -> schemas.PlanOut:
    """A plan with instants in place of seconds, its misses explained, with what was told of them where that is given."""
    finishes = plan.finishes()
    missed = [
        miss_out(job, plan, problem, lines, language, told.get(job.id))
        for job in problem.jobs
        if job.id in lines and finishes.get(job.id, job.due_s + 1) > job.due_s
    ]
    planned = {job.id for job in problem.jobs}
    waiting = sorted(key for key, line in lines.items() if key not in planned and line.waits)
    return schemas.PlanOut(
        region=region,
        version=version,
        planned_at=planned_at,
        estimated=problem.estimated,
        routes=[
            route_out(route, at, problem, lines)
            for at, route in enumerate(plan.routes)
            if route.stops or not route.shift
        ],
        missed=missed,
        waiting=waiting,
    )


def miss_out(
    job: Job, plan: Plan, problem: Problem, lines: Mapping[str, PlannedLine], language: Language, told: Told | None
) -> schemas.MissOut:
    """One missed line; other lines are told by their requests, and only those that the asker may see."""
    finish = plan.finishes().get(job.id)

    def named(line: str) -> str | None:
        return lines[line].request if line in lines else None

    return schemas.MissOut(
        line=job.id,
        request=lines[job.id].request,
        due_at=problem.start + timedelta(seconds=job.due_s),
        eta=None if finish is None else problem.start + timedelta(seconds=finish),
        late_s=None if finish is None else finish - job.due_s,
        reasons=reasons_out(explain_miss(job, plan, problem), language),
        clash=[] if told is None else clash_out(told, language, named),
        fixes=[] if told is None else [fix_out(one, language, named) for one in told.fixes],
    )


def route_out(route: Route, at: int, problem: Problem, lines: Mapping[str, PlannedLine]) -> schemas.RouteOut:
    """One courier's shift, with the stops whose lines the asker may see (IX1)."""
    courier, jobs = problem.couriers[at], problem.by_id()
    start = problem.locations[courier.start]
    stops = []
    for stop in route.stops:
        where, line = problem.locations[stop.location], lines.get(stop.job)
        if line is None:
            continue
        slack = jobs[stop.job].due_s - stop.leave_s if stop.kind == "drop" else None
        stops.append(
            schemas.StopOut(
                kind=stop.kind,
                line=stop.job,
                request=line.request,
                location=where.code,
                latitude=where.latitude,
                longitude=where.longitude,
                arrive_at=problem.start + timedelta(seconds=stop.arrive_s),
                start_at=problem.start + timedelta(seconds=stop.start_s),
                leave_at=problem.start + timedelta(seconds=stop.leave_s),
                slack_s=slack,
            )
        )
    return schemas.RouteOut(
        courier=route.courier,
        available_at=problem.start + timedelta(seconds=courier.available_s),
        start=start.code,
        latitude=start.latitude,
        longitude=start.longitude,
        drive_s=route.drive_s,
        carrying=[job for job in courier.carrying if job in lines],
        stops=stops,
    )


HANDLERS = [show_plan, ask_for_plan]
