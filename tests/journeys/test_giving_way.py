"""A held piece goes to a higher priority (S3b): by itself where nobody loses by it, else a dispatcher says so."""

import pytest

from app.core.db import begin
from app.fulfillment.jobs import source_lost
from tests.builders import unique
from tests.cast import World, a_world, made

pytestmark = pytest.mark.anyio
NEARBY = {"latitude": 38.40, "longitude": 106.30, "timezone": "Asia/Shanghai", "preparation_minutes": 10}
DAYS_AWAY = {"latitude": 38.90, "longitude": 108.90, "timezone": "Asia/Shanghai", "preparation_minutes": 10}
"""A local place all the same, two hours and more by road."""


async def place_of(world: World, **more) -> str:
    code = unique("WH2")
    await made(
        world.api, "/v1/places", {"code": code, "name": code, "kind": "own", "area": world.area, **NEARBY, **more}
    )
    return code


async def substitute_of(world: World, part: str) -> str:
    """Another part that stands in for one."""
    other = unique("ALT")
    await made(world.api, "/v1/parts", {"number": other, "name": "other", "tracking": "none", "fitting_minutes": 20})
    await made(world.api, "/v1/substitutions", {"from_part": part, "to_part": other, "kind": "equivalent"})
    return other


async def a_held_piece(api, **general):
    """The only piece lies at the couriers' place and is held for a general request; its substitute lies near by."""
    world = await a_world(api)
    await world.receive(world.psu, 1)
    held = await world.ask(priority="general", **general)
    return world, held


async def line_of(world: World, request: dict) -> dict:
    return (await world.api.get(f"/v1/part-requests/{request['id']}")).json()["lines"][0]


async def test_S3b_who_would_be_refused_gets_the_piece_and_the_lower_one_its_substitute(api):
    world, held = await a_held_piece(api)
    other = await substitute_of(world, world.psu)
    await world.receive(other, 1, place=await place_of(world))
    body = world.request(priority="emergency", device_serial=await world.device(), accept_substitutes=False)
    got = await made(api, "/v1/part-requests", body)
    line = got["lines"][0]
    assert (line["source"], line["supplied_part_number"]) == (world.local, world.psu)
    assert [one["code"] for one in line["reasons"] if one["rule"] == "S3b"] == ["give_way.freed"]
    moved, before = await line_of(world, held), held["lines"][0]
    assert (moved["supplied_part_number"], moved["state"]) == (other, "accepted")
    assert moved["commitment"] == before["commitment"]
    assert moved["price"] == before["price"]
    (why,) = moved["reasons"]
    assert (why["rule"], why["code"]) == ("S3b", "give_way.moved")
    assert world.customer not in why["text"]


async def test_S3b_where_somebody_loses_by_it_a_dispatcher_approves_and_the_line_waits_for_stock(
    api, as_role, engine, clock
):
    world, held = await a_held_piece(api)
    body = world.request(priority="emergency", device_serial=await world.device())
    refused = await api.post("/v1/part-requests", json=body)
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "stock.insufficient")
    (could,) = problem["facts"]["could_give_way"]
    line = held["lines"][0]["id"]
    assert (could["line"], could["place"], could["waits"], could["late_s"]) == (line, world.local, True, None)
    engineer = await as_role("engineer")
    asked = await engineer.post("/v1/part-requests", json=body)
    assert "could_give_way" not in asked.json()["facts"]
    assert asked.json()["facts"]["dispatcher_could"]
    assert (await engineer.post("/v1/part-requests", json=body | {"bump": [line]})).status_code == 403
    stranger = await as_role("dispatcher", areas=[unique("ELSEWHERE")])
    assert (await stranger.post("/v1/part-requests", json=body | {"bump": [line]})).status_code == 404
    dispatcher = await as_role("dispatcher", areas=[world.area])
    got = await made(dispatcher, "/v1/part-requests", body | {"bump": [line]})
    assert got["lines"][0]["source"] == world.local
    waits = await line_of(world, held)
    assert (waits["state"], waits["eta"], waits["reasons"][0]["code"]) == ("waiting", None, "give_way.waits")
    assert waits["commitment"] == held["lines"][0]["commitment"]
    running = (await api.get(f"/v1/part-requests/{held['id']}")).json()
    assert (running["state"], running["allowed"]) == ("waiting", ["cancel"])
    assert [one["state"] for one in running["clocks"] if one["line"] == line] == ["running"]
    await world.receive(world.psu, 1, place=world.branch)
    async with begin(engine) as db:
        await source_lost(db, clock.now())
    again = await line_of(world, held)
    assert (again["state"], again["source"], again["commitment"]) == ("accepted", world.branch, waits["commitment"])
