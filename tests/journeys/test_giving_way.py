"""A held piece goes to a higher priority (S3b): by itself where nobody loses by it, else a dispatcher says so."""

import pytest

from app.core.db import begin
from app.fulfillment.jobs import source_lost
from tests.builders import unique
from tests.cast import World, a_world, made

pytestmark = pytest.mark.anyio
NEARBY = {"latitude": 38.40, "longitude": 106.30, "timezone": "Asia/Shanghai", "preparation_minutes": 10}
FAR = {"latitude": 39.00, "longitude": 106.42, "timezone": "Asia/Shanghai", "preparation_minutes": 10}
"""A local place all the same: an hour to sites beside it, over two to the airport."""


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


async def site_beside(world: World, place: dict) -> str:
    """Another site of the customer in the area, beside a place."""
    site = unique("SITE2")
    await made(world.api, "/v1/sites", {
        "code": site, "customer": world.customer, "name": "north", "latitude": place["latitude"] + 0.01,
        "longitude": place["longitude"], "timezone": "Asia/Shanghai", "area": world.area,
    })  # fmt: skip
    return site


async def near_and_far(api, *, beside: bool, priority: str = "general", **more):
    """A line of lower priority, at the airport or beside the far place, holds the near piece; a free one lies far away."""
    world = await a_world(api)
    await world.receive(world.psu, 1)
    place = await place_of(world, **FAR)
    device = await world.device(**({"site": await site_beside(world, FAR)} if beside else {}))
    held = await world.ask(priority=priority, device_serial=device, **more)
    assert held["lines"][0]["source"] == world.local
    await world.receive(world.psu, 1, place=place)
    return world, held, place


async def test_S3b_who_would_be_late_gets_the_near_piece_where_the_far_one_serves_the_lower_one_in_time(api, as_role):
    world, held, far = await near_and_far(api, beside=True)
    body = world.request(priority="emergency")
    promise = await made(api, "/v1/promises", body, 200)
    assert (await line_of(world, held))["source"] == world.local
    got = await made(api, "/v1/part-requests", body)
    line = got["lines"][0]
    assert (line["source"], line["eta"] <= line["commitment"]["due_at"]) == (world.local, True)
    shown = promise["lines"][0]
    assert (shown["source"], shown["eta"], shown["reasons"]) == (line["source"], line["eta"], line["reasons"])
    moved = await line_of(world, held)
    assert (moved["source"], moved["eta"] <= moved["commitment"]["due_at"]) == (far, True)
    steps = (await api.get(f"/v1/part-requests/{held['id']}/steps")).json()["items"]
    (step,) = [one for one in steps if one["verb"] == "resourced"]
    assert (step["actor"], step["details"]["before"], step["details"]["place"]) == ("duty:give_way", world.local, far)


async def fixes_of(world: World, request: dict, kind: str) -> list[dict]:
    found = (await world.api.get(f"/v1/part-requests/{request['id']}/fixes")).json()["items"]
    return [one for one in found if one["kind"] == kind]


async def test_S3b_a_late_line_is_offered_the_piece_and_a_dispatcher_gives_it(api, as_role):
    world, held, far = await near_and_far(api, beside=False)
    late = await world.ask(priority="emergency", device_serial=await world.device())
    line, other = late["lines"][0], held["lines"][0]["id"]
    assert (line["source"], line["eta"] > line["commitment"]["due_at"]) == (far, True)
    (fix,) = await fixes_of(world, late, "bump")
    (change,) = fix["changes"]
    assert (fix["place"], fix["late_s"], fix["harmed"]) == (world.local, 0, [other])
    assert (change["gives"]["line"], change["gives"]["waits"], change["gives"]["late_s"] > 0) == (other, False, True)
    assert held["id"] in fix["text"]
    body = {"line": line["id"], "from": other}
    engineer = await as_role("engineer")
    assert (await engineer.post(f"/v1/part-requests/{late['id']}/bump", json=body)).status_code == 403
    stranger = await as_role("dispatcher", areas=[unique("ELSEWHERE")])
    assert (await stranger.post(f"/v1/part-requests/{late['id']}/bump", json=body)).status_code == 404
    taken = (await world.do(late["id"], "bump", **body))["lines"][0]
    assert (taken["source"], taken["commitment"]) == (world.local, line["commitment"])
    assert [one["code"] for one in taken["reasons"]] == ["give_way.freed"]
    moved = await line_of(world, held)
    assert (moved["source"], moved["commitment"]) == (far, held["lines"][0]["commitment"])
    assert moved["reasons"][0]["code"] == "give_way.moved_late"
    back = {"line": other, "from": line["id"]}
    refused = await api.post(f"/v1/part-requests/{held['id']}/bump", json=back)
    assert (refused.status_code, refused.json()["code"]) == (409, "give_way.not_this_line")
