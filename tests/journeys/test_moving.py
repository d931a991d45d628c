"""Source and route together: a plan that would miss moves a line to another shelf by itself, and says why."""

from datetime import timedelta

import pytest

from app.core.db import reading
from app.fulfillment import jobs
from app.fulfillment.jobs import plan_dirty
from app.fulfillment.service.replanning import unimproved
from app.routing.solver.child import Solver
from tests.builders import unique
from tests.cast import a_world, made
from tests.journeys.own_database import app, database_url, engine  # noqa: F401 - fixtures

pytestmark = pytest.mark.anyio


async def from_far(api, engine, clock, **more):
    """A line that a place 60 km away gives, planned; then the part comes to the couriers' own place."""
    world = await a_world(api)
    far = unique("FAR")
    await made(api, "/v1/places", {
        "code": far, "name": far, "kind": "own", "latitude": 38.95, "longitude": 106.42, "timezone": "Asia/Shanghai",
        "area": world.area, "preparation_minutes": 10,
    })  # fmt: skip
    await world.receive(world.psu, 2, place=far)
    request = await world.ask(**more)
    assert request["lines"][0]["source"] == far
    await world.receive(world.psu, 2)
    return world, far, request


async def unsearched(engine, clock):
    async with reading(engine) as db:
        return await unimproved(db, now=clock.now(), most=1)


async def delayed(world, engine, clock, minutes):
    """Nobody has set out all this time; something else then calls for a plan."""
    clock.step(timedelta(minutes=minutes))
    await world.receive(world.fan, 1)
    await world.ask(device_serial=await world.device(), lines=[{"part_number": world.fan, "quantity": 1}])
    await plan_dirty(engine, None, clock.now(), limit_s=1)


async def test_a_delayed_line_moves_to_another_warehouse_by_itself_and_says_why(api, engine, clock):
    world, far, request = await from_far(api, engine, clock)
    await delayed(world, engine, clock, 20)
    line = (await api.get(f"/v1/part-requests/{request['id']}")).json()["lines"][0]
    assert line["source"] == world.local
    assert line["commitment"]["due_at"] == request["lines"][0]["commitment"]["due_at"]
    assert line["eta"] < line["commitment"]["due_at"]
    (why,) = line["reasons"]
    assert why["code"] in ("routing.moved_in_time", "routing.moved_cheaper")
    assert far in why["text"]
    steps = (await api.get(f"/v1/part-requests/{request['id']}/steps")).json()["items"]
    (step,) = [one for one in steps if one["verb"] == "resourced"]
    assert (step["actor"], step["details"]["why"], step["details"]["before"]) == ("duty:plan", why["code"], far)
    stock = (await api.get("/v1/stock", params={"part": world.psu})).json()["items"]
    assert {one["place"]: one["reserved"] for one in stock} == {far: 0, world.local: 1}
    plan = (await api.get("/v1/plan", params={"area": world.area})).json()["items"][0]
    stops = [stop for route in plan["routes"] for stop in route["stops"] if stop["line"] == line["id"]]
    assert [stop["kind"] for stop in stops] == ["pickup", "drop"]
    version = plan["version"]
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    assert (await api.get("/v1/plan", params={"area": world.area})).json()["items"][0]["version"] == version


async def test_what_an_event_had_no_time_to_move_is_moved_after_the_search(api, engine, clock, monkeypatch):
    monkeypatch.setattr(jobs, "QUICK_TRIES", 0)
    world, far, request = await from_far(api, engine, clock)
    await world.receive(world.fan, 2)
    near = {"lines": [{"part_number": world.fan, "quantity": 1}], "priority": "emergency"}
    for courier in world.couriers:  # who both set out for something near
        line = (await world.ask(device_serial=await world.device(), **near))["lines"][0]["id"]
        await made(api, "/v1/plan/pins", {"line": line, "courier": courier, "reason": "near"})
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    planned = await line_of(api, request)
    assert planned["source"] == far
    async with Solver() as solver:
        while await unsearched(engine, clock):
            await jobs.improve_plans(engine, solver, clock.now, limit_s=0.01)
    line = await line_of(api, request)
    assert line["source"] == world.local
    assert line["eta"] < planned["eta"]
    plan = (await api.get("/v1/plan", params={"area": world.area})).json()["items"][0]
    assert line["id"] in {stop["line"] for route in plan["routes"] for stop in route["stops"]}


async def line_of(api, request):
    return (await api.get(f"/v1/part-requests/{request['id']}")).json()["lines"][0]


async def test_a_frozen_region_stays_as_it_is(api, engine, clock):
    world, far, request = await from_far(api, engine, clock)
    frozen = await api.post("/v1/plan/freeze", json={"area": world.area})
    assert frozen.status_code == 200
    await delayed(world, engine, clock, 5)
    assert (await api.get(f"/v1/part-requests/{request['id']}")).json()["lines"][0]["source"] == far


async def test_a_line_that_was_picked_meanwhile_stays(api, engine, clock):
    world, far, request = await from_far(api, engine, clock)
    await world.do(request["id"], "pick", scanned=world.psu)
    await delayed(world, engine, clock, 20)
    assert (await api.get(f"/v1/part-requests/{request['id']}")).json()["lines"][0]["source"] == far
