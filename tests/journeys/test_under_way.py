"""Couriers under way: however often a region is planned anew, a started leg and a begun service stay what they are."""

from datetime import datetime, timedelta

import pytest

from app.fulfillment.jobs import plan_dirty
from tests.cast import World, a_world
from tests.journeys.test_journey import courier_of

pytestmark = pytest.mark.anyio


async def planned_anew(world: World, engine, clock) -> dict:
    """The region marked, planned and shown."""
    await world.api.post("/v1/plan/replan", params={"area": world.area})
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    return (await world.api.get("/v1/plan", params={"area": world.area})).json()["items"][0]


def first_stop(plan: dict) -> dict:
    return next(route["stops"][0] for route in plan["routes"] if route["stops"])


async def on_the_way(world: World, engine, clock) -> tuple[str, dict]:
    """A part on board and the drive to the site begun; gives the request and the stop."""
    request = (await world.ask())["id"]
    await world.do(request, "pick")
    await world.do(request, "dispatch", courier=await courier_of(world))
    return request, first_stop(await planned_anew(world, engine, clock))


async def test_a_started_drive_ends_when_it_was_to_end(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    _, stop = await on_the_way(world, engine, clock)
    assert datetime.fromisoformat(stop["arrive_at"]) > clock.now() + timedelta(minutes=10)
    for _ in range(3):
        clock.step(timedelta(minutes=3))
        assert first_stop(await planned_anew(world, engine, clock)) == stop


async def test_of_a_begun_service_only_the_rest_is_left(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    _, stop = await on_the_way(world, engine, clock)
    clock.set(datetime.fromisoformat(stop["arrive_at"]))
    for _ in range(3):
        assert first_stop(await planned_anew(world, engine, clock))["leave_at"] == stop["leave_at"]
        clock.step(timedelta(minutes=4))


async def test_a_courier_whose_job_is_gone_arrives_before_turning_to_the_next(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request, stop = await on_the_way(world, engine, clock)
    courier = await courier_of(world)
    clock.step(timedelta(minutes=3))
    await world.do(request, "return-unused")
    for _ in range(2):
        routes = (await planned_anew(world, engine, clock))["routes"]
        route = next(one for one in routes if one["courier"] == courier)
        assert (route["stops"], route["start"], route["available_at"]) == ([], world.site, stop["arrive_at"])
        clock.step(timedelta(minutes=3))


async def test_a_part_is_prepared_from_the_customers_word_on(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    failure = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "customer", "system_stopped": True}
    request = (await world.ask(failure=failure))["id"]
    clock.step(timedelta(minutes=30))
    await world.do(request, "consent", agreed=True)
    stop = first_stop(await planned_anew(world, engine, clock))
    assert datetime.fromisoformat(stop["start_at"]) == clock.now() + timedelta(minutes=10)
