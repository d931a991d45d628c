"""Doors to the plan: what is in force, what it will miss and why; and asking for a new one."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, WAREHOUSE
from app.core.http import reasons_out
from app.core.i18n import Language
from app.fulfillment import schemas
from app.fulfillment.queries.planning import planning
from app.fulfillment.queries.plans import PlannedLine, lines_of, regions
from app.fulfillment.queries.region import region_of_area
from app.fulfillment.service.records import mark_dirty
from app.routing.rules.explain import explain_miss
from app.routing.rules.plan import Plan, Route
from app.routing.rules.problem import Problem

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
            found.append(plan_out(name, planned.plan, planned.problem, visible, planned.version, at, call.language))
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
) -> schemas.PlanOut:
    """A plan with instants in place of seconds, and its misses explained."""
    finishes = plan.finishes()
    missed = []
    for job in problem.jobs:
        finish, line = finishes.get(job.id), lines.get(job.id)
        if line is not None and (finish is None or finish > job.due_s):
            missed.append(
                schemas.MissOut(
                    line=job.id,
                    request=line.request,
                    due_at=problem.start + timedelta(seconds=job.due_s),
                    eta=None if finish is None else problem.start + timedelta(seconds=finish),
                    late_s=None if finish is None else finish - job.due_s,
                    reasons=reasons_out(explain_miss(job, plan, problem), language),
                )
            )
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
