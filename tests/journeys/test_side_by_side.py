"""Regions are planned side by side, each by one worker at a time; who was frozen over its lease plans no more."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.db import make_engine, reading
from app.fulfillment.jobs import improve_plans, plan_dirty
from app.fulfillment.service.replanning import LEASE, unimproved
from app.routing.solver.child import Solver
from tests.cast import World, a_world
from tests.journeys.test_plan import plan_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def elsewhere(database_url: str, anyio_backend: object) -> AsyncIterator[AsyncEngine]:
    """The connections of another worker."""
    made = make_engine(database_url, pool_size=4)
    yield made
    await made.dispose()


@pytest.fixture(scope="module")
async def solver(anyio_backend: object) -> AsyncIterator[Solver]:
    async with Solver() as one:
        await one.warm()
        yield one


async def a_busy_world(api, requests: int = 4) -> World:
    world = await a_world(api)
    await world.receive(world.psu, requests + 4)
    for _ in range(requests):
        await world.ask(device_serial=await world.device())
    return world


async def fences(engine: AsyncEngine, world: World) -> tuple[int, int]:
    """The region's fencing number, and how many plans of it ever were in force."""
    async with reading(engine) as db:
        asked = text("""
            SELECT fence, (SELECT count(*) FROM plan_history h WHERE h.region = p.region) AS plans
            FROM region_plan p WHERE region = :region
        """)
        row = (await db.execute(asked, {"region": world.area})).one()
        return row.fence, row.plans


async def left(engine: AsyncEngine, clock) -> bool:
    """Whether there are plans that no search has looked at."""
    async with reading(engine) as db:
        return bool(await unimproved(db, now=clock.now(), most=1))


async def test_a_frozen_worker_keeps_its_region_until_its_lease_is_over_and_is_refused_after(
    api, engine, elsewhere, clock, solver
):
    await plan_dirty(engine, None, clock.now(), limit_s=1)  # what neighbors left
    mine = await a_busy_world(api)
    os.kill(solver.pid, signal.SIGSTOP)
    try:
        frozen = asyncio.create_task(plan_dirty(engine, solver, clock.now(), limit_s=30, solutions=1, most=1))
        await solver.asking.wait()
        other = await a_busy_world(api, 1)
        assert await plan_dirty(elsewhere, None, clock.now(), limit_s=1) == 1
        assert ((await plan_of(other))["version"], (await plan_of(mine))["version"]) == (1, 0)
        clock.step(LEASE + timedelta(seconds=1))
        assert await plan_dirty(elsewhere, None, clock.now(), limit_s=1) == 1
        assert await fences(engine, mine) == (2, 1)
        stands = await plan_of(mine)
    finally:
        os.kill(solver.pid, signal.SIGCONT)
    await frozen
    assert await fences(engine, mine) == (2, 1)
    assert (await plan_of(mine)) == stands


async def test_a_search_holds_no_region_and_what_it_found_is_fitted_to_what_happened_meanwhile(
    api, engine, elsewhere, clock, solver
):
    while await left(engine, clock):  # by neighbors
        await improve_plans(engine, solver, clock.now, limit_s=0.01)
    mine = await a_busy_world(api, 6)
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    os.kill(solver.pid, signal.SIGSTOP)
    try:
        searching = asyncio.create_task(improve_plans(engine, solver, clock.now, limit_s=5))
        await solver.asking.wait()
        new = (await mine.ask(device_serial=await mine.device()))["lines"][0]["id"]
        assert await plan_dirty(elsewhere, None, clock.now(), limit_s=1) == 1
        before = await plan_of(mine)
    finally:
        os.kill(solver.pid, signal.SIGCONT)
    await searching
    after = await plan_of(mine)
    drops = [stop["line"] for route in after["routes"] for stop in route["stops"] if stop["kind"] == "drop"]
    assert new in drops
    assert len(drops) == 7
    assert len(after["missed"]) <= len(before["missed"])
