"""Steering the plan: another source, pins, routes that stand still, shifts for once, and what each would win and cost."""

from datetime import timedelta
from typing import Any

import pytest

from app.fulfillment.jobs import plan_dirty
from tests.builders import unique
from tests.cast import XIAN, World, a_world, made
from tests.journeys.test_plan import plan_of

pytestmark = pytest.mark.anyio
NIGHT = {"mon": [["00:00", "00:30"]]}


async def planned(world: World, engine, clock) -> dict:
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    return await plan_of(world)


def driver_of(plan: dict, line: str) -> str | None:
    return next((route["courier"] for route in plan["routes"] for stop in route["stops"] if stop["line"] == line), None)


async def second_source(world: World, part: str, quantity: int, **more: Any) -> str:
    """One more local place with stock of its own."""
    place = unique("YC-B")
    body = {"code": place, "name": place, "kind": "own", "latitude": 38.33, "longitude": 106.38,
            "timezone": "Asia/Shanghai", "preparation_minutes": 5, "area": world.area} | more  # fmt: skip
    await made(world.api, "/v1/places", body)
    await world.receive(part, quantity, place=place)
    return place


async def fixes_of(world: World, request: dict) -> list[dict]:
    return (await world.api.get(f"/v1/part-requests/{request['id']}/fixes")).json()["items"]


async def test_a_line_moves_to_another_place_and_its_promise_stays(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 3)
    request = await world.ask()
    place = await second_source(world, world.psu, 1)
    moved = await world.do(request["id"], "source", place=place)
    line, before = moved["lines"][0], request["lines"][0]
    assert (line["source"], line["commitment"]["due_at"]) == (place, before["commitment"]["due_at"])
    assert line["reasons"][0]["code"] == "routing.source_moved"
    running = [one for one in moved["clocks"] if one["line"] == line["id"]]
    assert [(one["state"], one["due_at"]) for one in running] == [("running", line["commitment"]["due_at"])]
    stock = {one["place"]: one for one in (await api.get("/v1/stock", params={"part": world.psu})).json()["items"]}
    assert (stock[place]["reserved"], stock[world.local]["reserved"]) == (1, 0)
    assert (await world.do(request["id"], "pick", scanned=world.psu))["lines"][0]["state"] == "picked"
    await world.do(request["id"], "dispatch", courier=world.courier)
    await world.do(request["id"], "fit")
    (month,) = (await api.get("/v1/reports/commitments", params={"contract": world.contract})).json()["items"]
    assert (month["two_hour_promised"], month["two_hour_met"], month["canceled"]) == (1, 1, 0)


async def test_a_place_with_too_little_or_the_same_one_is_refused(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 3)
    request = await world.ask(lines=[{"part_number": world.psu, "quantity": 2}])
    place = await second_source(world, world.psu, 1)
    refused = [
        await api.post(f"/v1/part-requests/{request['id']}/source", json={"place": where})
        for where in (place, world.local, "NOWHERE")
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(409, "source.nothing_there")] * 3
    assert [one.json()["facts"]["available"] for one in refused] == [1, 1, 0]
    stock = (await api.get("/v1/stock", params={"part": world.psu})).json()["items"]
    assert {one["place"]: one["reserved"] for one in stock} == {world.local: 2, place: 0}


async def test_what_is_picked_stays_where_it_came_from(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = await world.ask()
    place = await second_source(world, world.psu, 1)
    await world.do(request["id"], "pick")
    answer = await api.post(f"/v1/part-requests/{request['id']}/source", json={"place": place})
    assert (answer.status_code, answer.json()["code"]) == (409, "state.not_allowed")


async def test_a_substitute_needs_the_customers_word(api, clock):
    world = await a_world(api)
    other = unique("PSU-B")
    await made(api, "/v1/parts", {"number": other, "name": "替代电源", "tracking": "none"})
    await made(api, "/v1/substitutions", {"from_part": world.psu, "to_part": other, "kind": "equivalent"})
    await world.receive(world.psu, 1)
    request = await world.ask(accept_substitutes=False)
    place = await second_source(world, other, 1)
    body = {"place": place, "part_number": other}
    refused = await api.post(f"/v1/part-requests/{request['id']}/source", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "source.substitute_needs_word")
    line = (await world.do(request["id"], "source", **body, customer_agreed=True))["lines"][0]
    assert (line["part_number"], line["supplied_part_number"]) == (world.psu, other)


async def test_a_move_never_costs_the_customer_more(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    failure = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "customer", "system_stopped": True}
    request = await world.ask(failure=failure)
    place = await second_source(world, world.fan, 1)
    dear = {"part_number": world.psu, "quantity": 1, "unit_cost": {"amount": "180.00", "currency": "CNY"}}
    await made(api, "/v1/receipts", {"place": place, "reference": unique("PO"), "lines": [dear]})
    moved = await world.do(request["id"], "source", place=place)
    assert (moved["state"], moved["price"]["amount"]) == ("awaiting_consent", "98.50")
    await world.do(request["id"], "consent", agreed=True, by="the customer")
    picked = await world.do(request["id"], "pick")
    assert picked["price"]["amount"] == "98.50"


async def test_a_pinned_line_is_brought_by_that_courier_alone(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 6)
    asked = [(await world.ask(device_serial=await world.device()))["lines"][0]["id"] for _ in range(6)]
    before = await planned(world, engine, clock)
    started = {route["stops"][0]["line"] for route in before["routes"] if route["stops"]}
    line = next(one for one in asked if one not in started)
    first = driver_of(before, line)
    other = ({route["courier"] for route in before["routes"]} - {first}).pop()
    await made(api, "/v1/plan/pins", {"line": line, "courier": other, "reason": "knows the site"})
    after = await planned(world, engine, clock)
    assert driver_of(after, line) == other
    changes = (await api.get("/v1/plan/changes", params={"area": world.area})).json()
    assert (line, first, other) in [(one["line"], one["courier_before"], one["courier"]) for one in changes["items"]]
    assert (changes["version"], changes["before_version"]) == (2, 1)
    await made(api, f"/v1/plan/pins/{line}/release", {}, 200)
    again = await api.post(f"/v1/plan/pins/{line}/release", json={})
    assert (again.status_code, again.json()["code"]) == (409, "plan.line_not_planned")


async def test_what_somebody_drives_to_already_is_not_given_away(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    line = (await world.ask())["lines"][0]["id"]
    plan = await planned(world, engine, clock)
    other = next(route["courier"] for route in plan["routes"] if not route["stops"])
    answer = await api.post("/v1/plan/pins", json={"line": line, "courier": other})
    assert (answer.status_code, answer.json()["code"]) == (409, "plan.leg_started")


async def test_only_a_courier_of_the_region_can_be_pinned(api, engine, clock):
    world, elsewhere = await a_world(api), await a_world(api)
    await world.receive(world.psu, 1)
    request = await world.ask()
    stranger = (await planned(elsewhere, engine, clock))["routes"][0]["courier"]
    body = {"line": request["lines"][0]["id"], "courier": stranger}
    answer = await api.post("/v1/plan/pins", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "plan.courier_of_other_region")


async def test_frozen_routes_take_what_is_new_and_move_nothing(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 9)
    asked = [await world.ask(device_serial=await world.device(), priority="general") for _ in range(4)]
    before = await planned(world, engine, clock)
    kept = {one["lines"][0]["id"]: driver_of(before, one["lines"][0]["id"]) for one in asked}
    frozen = await made(api, "/v1/plan/freeze", {"area": world.area, "reason": "told everybody"}, 200)
    assert (frozen["frozen"], frozen["reason"]) == (True, "told everybody")
    new = await world.ask(device_serial=await world.device(), priority="general")
    after = await planned(world, engine, clock)
    assert {line: driver_of(after, line) for line in kept} == kept
    assert driver_of(after, new["lines"][0]["id"]) is not None
    assert (await made(api, "/v1/plan/release", {"area": world.area}, 200))["frozen"] is False


async def test_a_shift_for_once_brings_what_nobody_could(api, engine, clock):
    world = await a_world(api, shift=NIGHT)
    await world.receive(world.psu, 1)
    request = await world.ask()
    line = request["lines"][0]["id"]
    assert driver_of(await planned(world, engine, clock), line) is None
    fix = next(one for one in await fixes_of(world, request) if one["kind"] == "shift")
    assert (fix["late_s"], fix["begins_at"] is not None) == (0, True)
    body = {"begins_at": fix["begins_at"], "ends_at": fix["ends_at"]}
    await made(api, f"/v1/couriers/{fix['courier']}/shifts", body)
    plan = await planned(world, engine, clock)
    assert (driver_of(plan, line), plan["missed"]) == (fix["courier"], [])


async def test_a_shift_that_is_over_or_too_long_is_refused(api, engine, clock):
    world = await a_world(api)
    courier = (await planned(world, engine, clock))["routes"][0]["courier"]
    now = clock.now()
    for begins, ends in ((now, now), (now - timedelta(hours=2), now - timedelta(hours=1)), (now, now + timedelta(1))):
        body = {"begins_at": begins.isoformat(), "ends_at": ends.isoformat()}
        answer = await api.post(f"/v1/couriers/{courier}/shifts", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "plan.shift_out_of_order")


async def test_fixes_hold_nothing_and_the_first_is_worth_doing(api, engine, clock):
    world = await a_world(api)
    far = unique("FAR")
    body = {"code": far, "name": far, "kind": "own", "latitude": XIAN[0], "longitude": XIAN[1],
            "timezone": "Asia/Shanghai", "area": world.area}  # fmt: skip
    await made(api, "/v1/places", body)
    await world.receive(world.psu, 2, place=far)
    request = await world.ask()
    assert [one["request"] for one in (await planned(world, engine, clock))["missed"]] == [request["id"]]
    assert [one["kind"] for one in await fixes_of(world, request)] == ["call"]
    await world.receive(world.psu, 1)
    free = (await api.get("/v1/stock", params={"part": world.psu})).json()
    first, *others = await fixes_of(world, request)
    assert (await api.get("/v1/stock", params={"part": world.psu})).json() == free
    assert (first["kind"], first["place"], first["late_s"]) == ("source", world.local, 0)
    assert first["reason"]["text"] == f"Take it from {world.local}."
    assert (first["gained_s"] > 3600, [one["kind"] for one in others][-1]) == (True, "call")
    await world.do(request["id"], "source", place=first["place"])
    assert (await planned(world, engine, clock))["missed"] == []


async def test_managers_are_called_and_a_plan_is_agreed_before_any_clock_does_it(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = await world.ask()
    await world.do(request["id"], "call", reason="no courier until noon")
    agreed = await world.do(request["id"], "emergency-plan", plan="a loaner by 11:00", agreed_by="the duty manager")
    assert agreed["clocks"][0]["due_at"] == request["clocks"][0]["due_at"]
    steps = (await api.get(f"/v1/part-requests/{request['id']}/steps")).json()["items"]
    said = {one["verb"]: one["details"] for one in steps}
    assert said["called"]["told"] == ["department_manager", "general_manager"]
    assert said["plan_agreed"] == {"plan": "a loaner by 11:00", "agreed_by": "the duty manager"}


async def test_what_lies_out_of_scope_can_be_neither_pinned_nor_frozen(api, as_role, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = await world.ask()
    stranger = await as_role("dispatcher", areas=[unique("ELSEWHERE")])
    line = request["lines"][0]["id"]
    answers = [
        await stranger.post("/v1/plan/pins", json={"line": line, "courier": "K1"}),
        await stranger.post("/v1/plan/freeze", json={"area": world.area}),
        await stranger.get("/v1/plan/changes", params={"area": world.area}),
        await stranger.get(f"/v1/part-requests/{request['id']}/fixes"),
        await stranger.post(f"/v1/part-requests/{request['id']}/source", json={"place": world.branch}),
    ]
    assert [one.status_code for one in answers] == [404] * 5


async def test_a_place_opened_for_once_gives_what_lay_behind_its_door(api, as_role, engine, clock):
    world = await a_world(api)
    shut = await second_source(world, world.psu, 1, opening_hours={"mon": [["09:00", "18:00"]]})
    request = await world.ask()
    assert request["lines"][0]["eta"] > request["commitment"]["due_at"]
    fix = next(one for one in await fixes_of(world, request) if one["kind"] == "open")
    assert (fix["place"], fix["late_s"]) == (shut, 0)
    body = {"begins_at": fix["begins_at"], "ends_at": fix["ends_at"], "reason": "keys are with the guard"}
    elsewhere = await as_role("dispatcher", areas=[unique("OTHER")])
    assert (await elsewhere.post(f"/v1/places/{shut}/openings", json=body)).status_code == 404
    assert (await made(api, f"/v1/places/{shut}/openings", body))["place"] == shut
    assert (await planned(world, engine, clock))["missed"] == []


async def test_an_opening_that_is_over_or_too_long_is_refused(api, clock):
    world = await a_world(api)
    now = clock.now()
    for begins, ends in ((now, now), (now - timedelta(hours=2), now - timedelta(hours=1)), (now, now + timedelta(1))):
        body = {"begins_at": begins.isoformat(), "ends_at": ends.isoformat()}
        answer = await api.post(f"/v1/places/{world.local}/openings", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "plan.opening_out_of_order")


async def test_a_courier_who_waits_before_a_closed_door_is_helped_by_opening_it(api, engine, clock):
    world = await a_world(api)
    shut = await second_source(world, world.psu, 1, opening_hours={"mon": [["09:00", "18:00"]]})
    request = await world.ask()
    line = request["lines"][0]["id"]
    assert [one["line"] for one in (await planned(world, engine, clock))["missed"]] == [line]
    fix = next(one for one in await fixes_of(world, request) if one["kind"] == "open")
    assert (fix["place"], fix["late_s"], len(fix["changes"])) == (shut, 0, 1)
    await made(api, f"/v1/places/{shut}/openings", {"begins_at": fix["begins_at"], "ends_at": fix["ends_at"]})
    assert (await planned(world, engine, clock))["missed"] == []
