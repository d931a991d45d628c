"""Every plan that was in force can be made again from what is stored of it, searches and moved lines included."""

import asyncio
import json
import os
import sys
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.db import reading
from app.fulfillment.jobs import improve_plans, plan_dirty
from app.fulfillment.queries.plans import stored_plan
from app.routing.rules import making as makings
from app.routing.rules import plan as plans
from app.routing.rules.making import made_again
from app.routing.solver.child import NoPlan, Solver
from tests.cast import a_world
from tests.journeys.own_database import app, database_url, engine  # noqa: F401 - fixtures
from tests.journeys.test_moving import delayed, from_far

pytestmark = pytest.mark.anyio

VERSIONS = text("SELECT version FROM plan_history WHERE region = :region ORDER BY version")


async def rows_of(engine, region):
    async with reading(engine) as db:
        versions = (await db.execute(VERSIONS, {"region": region})).scalars().all()
        return [await stored_plan(db, region=region, version=one) for one in versions]


async def again(row, solver: Solver):
    async def search(problem, standing, seed, effort):
        plan = await solver.solve(problem, standing, limit_s=60, wall_s=600, seed=seed, replay=effort)
        assert not isinstance(plan, NoPlan)
        return plan

    return await made_again(makings.from_json(row.making, row.problem), search)


async def test_plans_of_searches_and_of_what_happened_meanwhile_are_made_again(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 9)
    async with Solver() as solver:
        for number in range(5):
            await world.ask(device_serial=await world.device(), priority=("general", "severe", "emergency")[number % 3])
            await plan_dirty(engine, solver, clock.now(), limit_s=0.05)
            clock.step(timedelta(minutes=7))
            await improve_plans(engine, solver, clock.now, limit_s=0.05)
        rows = await rows_of(engine, world.area)
        assert {step["do"] for row in rows for step in row.making["steps"]} >= {"search"}
        for row in rows:
            _, plan = await again(row, solver)
            was = plans.from_json(row.plan)
            assert (plan.routes, plan.costs, plan.unserved) == (was.routes, was.costs, was.unserved)


async def test_a_plan_that_moved_a_line_to_another_shelf_is_made_again(api, engine, clock):
    world, _, _ = await from_far(api, engine, clock)
    await delayed(world, engine, clock, 20)
    async with Solver() as solver:
        rows = await rows_of(engine, world.area)
        assert "move" in {step["do"] for row in rows for step in row.making["steps"]}
        for row in rows:
            _, plan = await again(row, solver)
            was = plans.from_json(row.plan)
            assert (plan.routes, plan.costs) == (was.routes, was.costs)


async def command(database_url: str, *words: str) -> tuple[int, str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SPARELANE_")}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "plan", "stored", *words, env=mine | {"DATABASE_URL": database_url},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await child.communicate()
    return child.returncode or 0, out.decode(), err.decode()


async def test_a_command_prints_a_stored_plan_and_makes_it_again(api, engine, clock, database_url):
    world = await a_world(api)
    await world.receive(world.psu, 2)
    await world.ask()
    async with Solver() as solver:
        await plan_dirty(engine, solver, clock.now(), limit_s=0.05)
    code, out, err = await command(database_url, world.area, "--replay")
    assert code == 0, err
    told = json.loads(out)
    assert (told["region"], len(told["plan"]["routes"])) == (world.area, len(told["problem"]["couriers"]))
    assert "the same plan" in err
    code, out, err = await command(database_url, "NOWHERE")
    assert (code, out) == (1, "")
    assert "No plan of region NOWHERE" in err
