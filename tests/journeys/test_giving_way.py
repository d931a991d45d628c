"""A held piece goes to a higher priority (S3b): by itself where nobody loses by it, else a dispatcher says so."""

import random
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import event, text
from sqlalchemy.dialects.postgresql import JSONB

from app.core.db import begin
from app.fulfillment.jobs import plan_dirty, source_lost
from app.fulfillment.schemas import RequestOut
from app.integrations.jobs.telling import told as told_to
from tests.builders import unique
from tests.cast import World, a_world, made
from tests.journeys.own_database import app, database_url, engine  # noqa: F401 - fixtures
from tests.journeys.test_call_offs import with_partner

pytestmark = pytest.mark.anyio
EVENTS = text("SELECT type, actor, data FROM event WHERE subject = :subject ORDER BY seq").columns(data=JSONB)
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


def over(line: dict) -> int:
    """Seconds after due that a line is expected."""
    eta, due = (datetime.fromisoformat(one) for one in (line["eta"], line["commitment"]["due_at"]))
    return int((eta - due).total_seconds())


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


async def test_S3b_a_piece_that_would_come_late_is_offered_too_where_there_is_no_other(api):
    world = await a_world(api)
    place = await place_of(world, opening_hours={"mon": [["09:00", "18:00"]]})  # shut for most of the week
    await world.receive(world.psu, 1, place=place)
    held = await world.ask(priority="general")
    line = held["lines"][0]
    assert line["source"] == place
    body = world.request(priority="emergency", device_serial=await world.device())
    refused = await api.post("/v1/part-requests", json=body)
    assert refused.json()["code"] == "stock.insufficient"
    (could,) = refused.json()["facts"]["could_give_way"]
    assert (could["line"], could["waits"]) == (line["id"], True)
    got = await made(api, "/v1/part-requests", body | {"bump": [line["id"]]})
    assert over(got["lines"][0]) > 0
    assert (await line_of(world, held))["state"] == "waiting"


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
    assert over(moved) == change["gives"]["late_s"]
    back = {"line": other, "from": line["id"]}
    refused = await api.post(f"/v1/part-requests/{held['id']}/bump", json=back)
    assert (refused.status_code, refused.json()["code"]) == (409, "give_way.not_this_line")


async def refused_for(world: World, **more) -> dict:
    """The problem that one more emergency is told."""
    body = world.request(**({"priority": "emergency", "device_serial": await world.device()} | more))
    answer = await world.api.post("/v1/part-requests", json=body)
    assert answer.status_code == 409, answer.text
    return answer.json()["facts"]


async def with_a_substitute(api, **general):
    """A held piece whose line a substitute near by would serve in time."""
    world, held = await a_held_piece(api, **general)
    await world.receive(await substitute_of(world, world.psu), 1, place=await place_of(world))
    return world, held


ORIGINAL = {"accept_substitutes": False}


@pytest.mark.parametrize(("holder", "asker"), [("severe", "severe"), ("general", "general"), ("severe", "general")])
async def test_S3b_only_a_strictly_lower_tier_gives_way(api, holder, asker):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    held = await world.ask(priority=holder)
    await world.receive(await substitute_of(world, world.psu), 1, place=await place_of(world))
    facts = await refused_for(world, priority=asker, **ORIGINAL)
    assert "dispatcher_could" not in facts
    assert (await line_of(world, held))["supplied_part_number"] == world.psu


async def test_S3b_a_swap_of_an_opened_box_ranks_as_emergency_on_both_sides(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    opened = {
        "occurred_at": "2026-11-22T09:10:00+08:00",
        "cause": "defect",
        "system_stopped": False,
        "found_on": "opening",
    }
    swap = await world.ask(priority="general", failure=opened)
    await world.receive(await substitute_of(world, world.psu), 1, place=await place_of(world))
    assert "dispatcher_could" not in await refused_for(world, **ORIGINAL)
    await world.do(swap["id"], "cancel")
    held = await world.ask(priority="severe", device_serial=await world.device())
    await world.ask(priority="general", failure=opened, device_serial=await world.device(), **ORIGINAL)
    assert (await line_of(world, held))["reasons"][0]["code"] == "give_way.moved"


async def test_S3b_a_picked_a_pinned_and_a_frozen_line_stay(api):
    world, held = await with_a_substitute(api)
    line = held["lines"][0]["id"]
    await made(api, "/v1/plan/pins", {"line": line, "courier": world.courier})
    assert "dispatcher_could" not in await refused_for(world, **ORIGINAL)
    await made(api, f"/v1/plan/pins/{line}/release", {}, 200)
    await made(api, "/v1/plan/freeze", {"area": world.area}, 200)
    assert "dispatcher_could" not in await refused_for(world, **ORIGINAL)
    await made(api, "/v1/plan/release", {"area": world.area}, 200)
    await world.do(held["id"], "pick", scanned=world.psu)
    assert "dispatcher_could" not in await refused_for(world, **ORIGINAL)
    assert (await line_of(world, held))["supplied_part_number"] == world.psu


async def test_S3b_what_a_partner_confirmed_stays_and_what_it_was_only_asked_for_is_taken_back(api):
    world, partner = await with_partner(api, pieces=1)
    lines = {"lines": [{"part_number": world.fan, "quantity": 1}]}
    confirmed = await world.ask(priority="general", **lines)
    other = await substitute_of(world, world.fan)
    await world.receive(other, 1, place=world.branch)
    question = (await api.get("/v1/call-offs", params={"request": confirmed["id"]})).json()["items"][0]
    await made(api, f"/v1/call-offs/{question['id']}/confirm", {}, 200)
    assert "dispatcher_could" not in await refused_for(world, **lines, **ORIGINAL)
    await world.do(confirmed["id"], "cancel")
    await world.receive(other, 1, place=partner)
    asked = await world.ask(priority="general", device_serial=await world.device(), **lines)
    assert asked["lines"][0]["supplied_part_number"] == world.fan
    got = await world.ask(priority="emergency", device_serial=await world.device(), **lines, **ORIGINAL)
    assert (got["lines"][0]["source"], got["lines"][0]["confirmed"]) == (partner, False)
    questions = (await api.get("/v1/call-offs", params={"request": asked["id"]})).json()["items"]
    assert "withdrawn" in {one["state"] for one in questions}


async def test_S3b_a_binding_quote_keeps_its_price(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    failure = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "customer", "system_stopped": True}
    held = await world.ask(priority="general", failure=failure)
    place, other = await place_of(world), await substitute_of(world, world.psu)
    await world.receive(other, 1, place=place, unit_cost={"amount": "180.00", "currency": "CNY"})
    assert "dispatcher_could" not in await refused_for(world, **ORIGINAL)  # it awaits consent: not yet accepted
    await world.do(held["id"], "consent", agreed=True, by="the customer")
    await world.ask(priority="emergency", device_serial=await world.device(), **ORIGINAL)
    moved = await line_of(world, held)
    assert (moved["supplied_part_number"], moved["price"]) == (other, held["lines"][0]["price"])
    picked = await world.do(held["id"], "pick", scanned=other)
    assert picked["price"]["amount"] == held["price"]["amount"] == "98.50"


async def test_S3b_a_substitute_only_where_its_customer_accepted_one(api):
    world, held = await with_a_substitute(api, accept_substitutes=False)
    (could,) = (await refused_for(world, **ORIGINAL))["could_give_way"]
    assert (could["line"], could["waits"]) == (held["lines"][0]["id"], True)


async def test_P4_who_gives_way_gets_its_own_part_where_that_keeps_the_promise(api):
    world, held, far = await near_and_far(api, beside=True)
    other = await substitute_of(world, world.psu)
    await world.receive(other, 3, place=far)
    asked = await world.ask(priority="emergency", device_serial=await world.device(), **ORIGINAL)
    assert asked["lines"][0]["source"] == world.local
    assert (await line_of(world, held))["supplied_part_number"] == world.psu


async def test_S3b_as_few_as_possible_move(api):
    world = await a_world(api)
    await world.receive(world.psu, 4)
    two = {"lines": [{"part_number": world.psu, "quantity": 2}]}
    ones = [await world.ask(priority="general", device_serial=await world.device()) for _ in range(2)]
    pair = await world.ask(priority="general", device_serial=await world.device(), **two)
    other = await substitute_of(world, world.psu)
    await world.receive(other, 9, place=await place_of(world))
    got = await world.ask(priority="emergency", device_serial=await world.device(), **two, **ORIGINAL)
    assert got["lines"][0]["source"] == world.local
    assert [(await line_of(world, one))["supplied_part_number"] for one in (*ones, pair)] == [
        world.psu,
        world.psu,
        other,
    ]


async def test_S3b_two_lines_of_one_request_give_way_together(api):
    world = await a_world(api)
    both = {"lines": [{"part_number": part, "quantity": 1} for part in (world.psu, world.fan)]}
    near = await place_of(world)
    for part in (world.psu, world.fan):
        await world.receive(part, 1)
    held = await world.ask(priority="general", device_serial=await world.device(), **both)
    for part in (world.psu, world.fan):
        await world.receive(await substitute_of(world, part), 1, place=near)
    got = await world.ask(priority="severe", device_serial=await world.device(), **both, **ORIGINAL)
    assert {one["source"] for one in got["lines"]} == {world.local}
    after = (await api.get(f"/v1/part-requests/{held['id']}")).json()
    assert {one["source"] for one in after["lines"]} == {near}
    assert (after["version"], {one["state"] for one in after["lines"]}) == (held["version"] + 2, {"accepted"})
    (one, other) = [[each["code"] for each in line["reasons"]] for line in after["lines"]]
    assert one == other == ["give_way.moved"]


async def test_S3b_of_many_lines_with_nowhere_to_go_another_site_s_is_found(api):
    world = await a_world(api)
    await world.receive(world.psu, 8)
    for _ in range(7):
        await world.ask(priority="general", device_serial=await world.device())
    far, north = await place_of(world, **FAR), await site_beside(world, FAR)
    beside = await world.ask(priority="general", device_serial=await world.device(site=north))
    await world.receive(world.psu, 1, place=far)
    assert (await world.ask(priority="emergency"))["lines"][0]["source"] == world.local
    assert (await line_of(world, beside))["source"] == far


async def test_S3b_without_a_solver_a_request_is_refused_as_it_would_be(api, app, monkeypatch):
    world, held = await with_a_substitute(api)
    monkeypatch.setattr(app.state, "solver", None)
    assert "dispatcher_could" not in await refused_for(world, **ORIGINAL)
    assert (await line_of(world, held))["supplied_part_number"] == world.psu


async def test_S3b_nobody_is_pushed_on_to_make_room_for_who_gives_way(api):
    world = await a_world(api)
    await world.receive(world.psu, 2)
    pair = {"lines": [{"part_number": world.psu, "quantity": 2}]}
    held = await world.ask(priority="general", device_serial=await world.device(), **pair)
    other, near = await substitute_of(world, world.psu), await place_of(world)
    await world.receive(other, 2, place=near)
    one = {"lines": [{"part_number": other, "quantity": 1}]}
    second = await world.ask(priority="general", device_serial=await world.device(), **one)
    await world.receive(
        other, 1, place=world.branch
    )  # where the second could go, so that both pieces near by were free
    (could,) = (await refused_for(world, **pair, **ORIGINAL))["could_give_way"]
    assert (could["line"], could["waits"]) == (held["lines"][0]["id"], True)
    assert (await line_of(world, second))["source"] == near


async def test_S3b_both_are_told_in_both_languages_and_without_names(api, engine):
    world, held = await with_a_substitute(api)
    got = await world.ask(priority="emergency", device_serial=await world.device(), **ORIGINAL)
    zh = {"Accept-Language": "zh-CN"}
    theirs = (await api.get(f"/v1/part-requests/{held['id']}", headers=zh)).json()["lines"][0]["reasons"][0]["text"]
    mine = (await api.get(f"/v1/part-requests/{got['id']}", headers=zh)).json()["lines"][0]["reasons"]
    assert "让给了优先级更高的申请" in theirs
    assert "让出" in next(one["text"] for one in mine if one["code"] == "give_way.freed")
    async with engine.connect() as db:
        rows = (await db.execute(EVENTS, {"subject": held["id"]})).all()
    row = rows[-1]
    assert (row.type, row.actor, row.data["why"]) == ("part_request.resourced", "duty:give_way", "give_way.moved")
    shown = msgspec.convert((await api.get(f"/v1/part-requests/{held['id']}")).json(), RequestOut)
    ticket = told_to(row.type, shown, row.data, link="", zone="Asia/Shanghai", language="en")
    assert ticket.startswith(f"Its piece at {world.local} went to a higher priority")
    told = str(row.data) + theirs + ticket
    assert not [one for one in (got["id"], got["device_serial"], world.customer) if one in told]


async def test_a_request_that_needs_nobody_to_give_way_asks_nobody(api, app, clock):
    world, _ = await with_a_substitute(api)
    await world.receive(world.psu, 1)
    seen: list[str] = []

    def listen(connection, cursor, statement, *more):
        seen.append(statement)

    event.listen(app.state.engine.sync_engine, "before_cursor_execute", listen)
    try:
        await world.ask(priority="emergency", device_serial=await world.device())
    finally:
        event.remove(app.state.engine.sync_engine, "before_cursor_execute", listen)
    assert not [
        one
        for one in seen
        if "region_freeze f JOIN" in one or "v.layer = t.id" in one or "part_request WHERE id = ANY" in one
    ]


async def test_S3b_who_would_be_late_may_be_asked_for_with_the_approval_in_it(api):
    world, held, far = await near_and_far(api, beside=False)
    body = world.request(priority="emergency", device_serial=await world.device())
    assert (await made(api, "/v1/promises", body, 200))["lines"][0]["source"] == far
    approved = body | {"bump": [held["lines"][0]["id"]]}
    promise = (await made(api, "/v1/promises", approved, 200))["lines"][0]
    assert (promise["source"], (await line_of(world, held))["source"]) == (world.local, world.local)
    assert (await made(api, "/v1/part-requests", approved))["lines"][0]["source"] == world.local
    moved = await line_of(world, held)
    assert (moved["source"], moved["reasons"][0]["code"]) == (far, "give_way.moved_late")


async def test_S3b_an_approval_that_nobody_needs_moves_nobody(api):
    world, held = await a_held_piece(api)
    await world.receive(world.psu, 1)
    body = world.request(priority="emergency", device_serial=await world.device())
    await made(api, "/v1/part-requests", body | {"bump": [held["lines"][0]["id"]]})
    assert (await line_of(world, held))["reasons"] == held["lines"][0]["reasons"]


async def test_S3b_a_planned_line_gives_way_and_the_plan_follows(api, engine, clock):
    world, held, far = await near_and_far(api, beside=True)
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    clock.step(timedelta(minutes=3))
    failure = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "defect", "system_stopped": True}
    body = world.request(priority="emergency", failure=failure)
    promise = (await made(api, "/v1/promises", body, 200))["lines"][0]
    got = (await made(api, "/v1/part-requests", body))["lines"][0]
    assert (got["source"], got["eta"], got["eta"] <= got["commitment"]["due_at"]) == (world.local, promise["eta"], True)
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    (plan,) = (await api.get("/v1/plan", params={"area": world.area})).json()["items"]
    stops = {(stop["line"], stop["kind"]): stop["location"] for route in plan["routes"] for stop in route["stops"]}
    assert stops[got["id"], "pickup"] == world.local
    assert stops[held["lines"][0]["id"], "pickup"] == far
    assert plan["missed"] == []


async def test_S3b_a_dispatcher_goes_on_from_severe_to_general_and_who_has_nothing_waits(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 2)
    general = await world.ask(priority="general", device_serial=await world.device())
    severe = await world.ask(priority="severe", device_serial=await world.device())
    await made(api, "/v1/plan/pins", {"line": general["lines"][0]["id"], "courier": world.courier})
    (could,) = (await refused_for(world))["could_give_way"]
    body = world.request(priority="emergency", device_serial=await world.device())
    await made(api, "/v1/part-requests", body | {"bump": [could["line"]]})
    assert (await line_of(world, severe))["state"] == "waiting"
    await made(api, f"/v1/plan/pins/{general['lines'][0]['id']}/release", {}, 200)
    (fix,) = await fixes_of(world, severe, "bump")
    assert (fix["changes"][0]["gives"]["waits"], fix["late_s"]) == (True, 0)
    assert "waits for stock" in fix["text"]
    taking = {"line": severe["lines"][0]["id"], "from": fix["changes"][0]["gives"]["line"]}
    taken = await world.do(severe["id"], "bump", **taking)
    assert (taken["state"], taken["lines"][0]["source"]) == ("accepted", world.local)
    assert taken["lines"][0]["commitment"] == severe["lines"][0]["commitment"]
    assert (await line_of(world, general))["state"] == "waiting"
    await world.do(general["id"], "cancel")
    assert (await line_of(world, general))["state"] == "canceled"


TIERS = {"emergency": 0, "severe": 1, "general": 2}


@pytest.mark.parametrize("seed", range(8))
async def test_S3b_whoever_moves_by_itself_is_lower_and_in_time_and_the_asker_is_no_worse(api, seed):
    rng, world = random.Random(seed), await a_world(api)
    far, north = await place_of(world, **FAR), await site_beside(world, FAR)
    sites, priorities = rng.choices([world.site, north], k=5), rng.choices(["general", "severe"], k=5)
    await world.receive(world.psu, 5)
    held = [
        await world.ask(priority=priority, device_serial=await world.device(site=site))
        for site, priority in zip(sites, priorities, strict=True)
    ]
    await world.receive(world.psu, rng.randint(1, 3), place=far)
    for priority in rng.choices(["severe", "emergency"], k=4):
        stood = {one["id"]: await line_of(world, one) for one in held}
        body = world.request(priority=priority, device_serial=await world.device(site=rng.choice([world.site, north])))
        promise = await api.post("/v1/promises", json=body)
        answer = await api.post("/v1/part-requests", json=body)
        assert (promise.status_code, answer.status_code) in ((200, 201), (409, 409))
        moved = [one for one in held if (await line_of(world, one))["source"] != stood[one["id"]]["source"]]
        lines = [await line_of(world, one) for one in moved]
        assert all(TIERS[one["priority"]] > TIERS[priority] for one in moved)
        assert all(over(one) <= 0 and one["reasons"][0]["code"] == "give_way.moved" for one in lines)
        assert all(
            one["commitment"] == stood[request["id"]]["commitment"] for one, request in zip(lines, moved, strict=True)
        )
        got = answer.json()
        freed = [one["code"] for one in got.get("lines", [{"reasons": []}])[0]["reasons"]]
        assert ("give_way.freed" in freed, len(moved)) in ((True, 1), (False, 0))
        assert not moved or over(got["lines"][0]) <= 0 or not sum(await free_of(world))
        held += [got] if answer.status_code == 201 else []


async def free_of(world: World) -> list[int]:
    """What was free anywhere."""
    return [one["available"] for one in (await world.api.get("/v1/stock", params={"part": world.psu})).json()["items"]]
