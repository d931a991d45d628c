"""The price of the last piece: set per place and part, told in words, and never a reason to refuse an emergency."""

from datetime import timedelta

import pytest

from app.core.db import begin
from app.fulfillment.jobs import note_local_demand
from tests.builders import unique
from tests.cast import a_world, made

pytestmark = pytest.mark.anyio
FAR = {"latitude": 38.36, "longitude": 106.30, "timezone": "Asia/Shanghai", "preparation_minutes": 10}


async def two_shelves(api, **level):
    """The couriers' own place with its last piece, kept at three, and a second local place with plenty on the way."""
    world = await a_world(api)
    far = unique("FAR")
    await made(api, "/v1/places", {"code": far, "name": far, "kind": "own", "area": world.area, **FAR})
    await world.receive(world.psu, 9, place=far)
    await world.receive(world.psu, 1)
    level = {"place": world.local, "part_number": world.psu, "base_stock": 3, "lead_time_hours": 24, **level}
    answer = await api.put("/v1/stock-levels", json=level)
    assert answer.status_code == 200, answer.text
    return world, far, answer.json()


async def test_the_nearer_last_piece_is_left_for_a_later_promise_and_the_answer_says_so(api, as_role):
    world, far, level = await two_shelves(api, general_per_day=1.2)
    assert (level["severe_per_day"], level["estimated"], level["free"]) == (0.0, False, 1)
    promise = await made(api, "/v1/promises", world.request(), 200)
    line = promise["lines"][0]
    assert line["source"] == far
    other = next(one for one in line["alternatives"] if one["place"] == world.local)
    assert (other["reason"]["code"], other["reason"]["facts"]["hits"]) == ("routing.source_last_piece", "0.36")
    assert "puts 0.36 of a future 2-hour hit at stake" in other["reason"]["text"]
    assert (other["eta"] < line["eta"], other["late_seconds"], other["hits_at_stake"]) == (True, 0, "0.36")
    engineer = await as_role("engineer", customers=[world.customer])
    seen = (await made(engineer, "/v1/promises", world.request(), 200))["lines"][0]["alternatives"]
    assert (other["cost_minor"] > 0, {one["cost_minor"] for one in seen}) == (True, {None})
    told = await api.post("/v1/promises", json=world.request(), headers={"Accept-Language": "zh-CN"})
    assert "赔上今后 0.36 次" in str(told.json()["lines"][0]["alternatives"])


async def test_without_demand_the_nearer_place_gives_it(api):
    world, _, level = await two_shelves(api)
    assert level["estimated"]
    assert (await world.ask())["lines"][0]["source"] == world.local


async def test_an_emergency_takes_the_last_piece_where_nothing_else_keeps_its_promise(api):
    world, far, _ = await two_shelves(api, emergency_per_day=50)
    held = await world.ask(lines=[{"part_number": world.psu, "quantity": 9}])
    assert held["lines"][0]["source"] == far
    await world.receive(world.psu, 9, place=world.branch)
    line = (await world.ask(priority="emergency"))["lines"][0]
    assert (line["source"], line["commitment"]["kind"]) == (world.local, "local")
    assert "routing.source_at_stake" in {one["code"] for one in line["reasons"]}


async def test_demand_is_estimated_from_what_was_asked_for_lately(api, engine, clock):
    world, _, _ = await two_shelves(api)
    await world.ask()
    async with begin(engine) as db:
        await note_local_demand(db, clock.now() + timedelta(minutes=1))
    found = (await api.get("/v1/stock-levels", params={"place": world.local})).json()["items"]
    assert [(round(one["severe_per_day"] * 90, 6), one["estimated"], one["free"]) for one in found] == [(1.0, True, 0)]


async def test_a_level_is_replaced_by_version_and_refused_for_what_does_not_exist(api):
    world, _, level = await two_shelves(api, severe_per_day=0.5)
    body = {"place": world.local, "part_number": world.psu, "base_stock": 2, "lead_time_hours": 12}
    stale = await api.put("/v1/stock-levels", json=body, headers={"If-Match": "7"})
    assert stale.status_code == 412
    again = await api.put("/v1/stock-levels", json=body, headers={"If-Match": str(level["version"])})
    assert (again.json()["version"], again.json()["estimated"]) == (2, True)
    nothing = await api.put("/v1/stock-levels", json=body | {"part_number": "no-such-part"})
    assert nothing.status_code == 422
    nowhere = await api.put("/v1/stock-levels", json=body | {"place": "no-such-place"})
    assert nowhere.status_code == 404
