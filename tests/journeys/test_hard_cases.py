"""Where promises are easily broken: losses, settled causes, half-paid requests, late words, odd hours, crossed picks."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.db import begin
from app.fulfillment.jobs import escalate_due, plan_dirty, presume_confirmed, source_lost
from tests.builders import unique
from tests.cast import World, a_world, made
from tests.journeys.test_journey import courier_of, to_fitted
from tests.journeys.test_plan import claims_of

pytestmark = pytest.mark.anyio
CUSTOMER = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "customer", "system_stopped": True}


async def on_the_way(world: World, **asked) -> str:
    request = (await world.ask(**asked))["id"]
    await world.do(request, "pick")
    await world.do(request, "dispatch", courier=await courier_of(world))
    return request


async def told(api, request: str) -> list[tuple[str, str]]:
    steps = (await api.get(f"/v1/part-requests/{request}/steps")).json()["items"]
    return [(one["details"]["clock"], one["details"]["level"]) for one in steps if one["verb"] == "escalated"]


async def test_a_loss_without_replacement_keeps_its_promise_running_and_is_sourced_when_stock_comes(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = await on_the_way(world)
    lost = await world.do(request, "lost")
    assert {one["state"] for one in lost["clocks"] if one["name"] == "local"} == {"running"}
    clock.step(timedelta(hours=3))
    async with begin(engine) as db:
        await escalate_due(db, clock.now())
    assert ("local", "breach") in await told(api, request)
    await world.receive(world.psu, 1)
    async with begin(engine) as db:
        await source_lost(db, clock.now())
    again = (await api.get(f"/v1/part-requests/{request}")).json()
    assert [one["state"] for one in again["lines"]] == ["lost", "accepted"]


async def test_R2_what_comes_goes_to_the_emergency_and_not_to_whom_waited_longer(api, engine, clock):
    world = await a_world(api)
    waiting = []
    for priority in ("general", "emergency"):
        await world.receive(world.psu, 1)
        request = await on_the_way(world, priority=priority, device_serial=await world.device())
        await world.do(request, "lost")
        waiting.append(request)
    await world.receive(world.psu, 1)
    async with begin(engine) as db:
        await source_lost(db, clock.now())
    found = [(await api.get(f"/v1/part-requests/{one}")).json() for one in waiting]
    assert [[line["state"] for line in one["lines"]] for one in found] == [["lost"], ["lost", "accepted"]]


async def test_a_lost_paid_part_costs_the_customer_no_more_than_was_agreed(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    await world.receive(world.psu, 1, place=world.branch, unit_cost={"amount": "150.00", "currency": "CNY"})
    request = (await world.ask(failure=CUSTOMER))["id"]
    await world.do(request, "consent", agreed=True)
    await world.do(request, "pick")
    await world.do(request, "lost")
    await world.do(request, "pick")
    items = (await api.get("/v1/charges", params={"request": request})).json()["items"]
    assert sum(float(one["price"]["amount"]) for one in items) == 98.50


async def test_a_cause_settled_as_ours_frees_the_customer_before_and_after_the_pick(api):
    world = await a_world(api)
    await world.receive(world.psu, 2)
    waiting, charged = await world.ask(failure=CUSTOMER), await world.ask(failure=CUSTOMER)
    await world.do(charged["id"], "consent", agreed=True)
    await world.do(charged["id"], "pick")
    free = await world.do(waiting["id"], "diagnose", cause="defect")
    assert (free["state"], free["price"]["amount"], free["on_hold"]) == ("accepted", "0.00", None)
    await world.do(charged["id"], "diagnose", cause="defect")
    items = (await api.get("/v1/charges", params={"request": charged["id"]})).json()["items"]
    assert sum(float(one["price"]["amount"]) for one in items) == 0
    assert await claims_of(api, charged["id"]) == [("oem", "98.50")]


async def test_a_paid_line_holds_up_no_free_one(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    await world.receive(world.fan, 1)
    events = f"/v1/devices/{world.serial}/events"
    await made(api, events, {"type": "voided", "reason": "opened", "position": "fan", "from": "2026-01-01"})
    lines = [{"part_number": world.psu, "quantity": 1}, {"part_number": world.fan, "quantity": 1}]
    request = await world.ask(lines=lines)
    free, paid = sorted(request["lines"], key=lambda one: one["price"]["amount"])
    assert (free["state"], paid["state"], request["on_hold"]) == ("accepted", "awaiting_consent", None)
    states = {one["line"]: one["state"] for one in request["clocks"] if one["line"]}
    assert (states[free["id"]], states[paid["id"]]) == ("running", "paused")
    refused = await api.post(f"/v1/part-requests/{request['id']}/resume", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "hold.none")
    after = await world.do(request["id"], "cancel", lines=[{"id": paid["id"]}])
    assert (after["state"], after["on_hold"]) == ("accepted", None)


async def test_a_breach_is_told_even_if_the_line_ended_before_anybody_looked(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = await on_the_way(world)
    clock.step(timedelta(hours=2, seconds=1))
    await world.do(request, "fit")
    async with begin(engine) as db:
        await escalate_due(db, clock.now())
    assert ("local", "breach") in await told(api, request)


async def test_what_does_not_help_is_never_presumed_to(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    await to_fitted(world, clock, request)
    await world.do(request, "confirm", operation_normal=False)
    clock.step(timedelta(days=9))
    async with begin(engine) as db:
        await presume_confirmed(db, clock.now())
    assert (await api.get(f"/v1/part-requests/{request}")).json()["state"] == "fitted"


async def test_a_breach_is_not_undone_by_a_hold_dated_back(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    clock.step(timedelta(minutes=10))
    back = {"reason": "site_access", "occurred_at": "2026-11-22T02:04:00Z"}
    refused = await api.post(f"/v1/part-requests/{request}/hold", json=back)
    assert (refused.status_code, refused.json()["code"]) == (409, "hold.after_breach")
    assert (await world.do(request, "hold", reason="site_access"))["on_hold"] == "site_access"


async def test_nobody_on_shift_is_planned_when_somebody_comes(api, engine, clock):
    world = await a_world(api, shift={"mon": [["08:00", "20:00"]]})
    await world.receive(world.psu, 1)
    line = (await world.ask())["lines"][0]
    assert line["commitment"]["kind"] == "local"
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    clock.step(timedelta(hours=24))
    await api.post("/v1/plan/replan", params={"area": world.area})
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    plan = (await api.get("/v1/plan", params={"area": world.area})).json()["items"][0]
    assert line["id"] in {stop["line"] for route in plan["routes"] for stop in route["stops"]}


async def test_crossed_picks_never_deadlock(api):
    world = await a_world(api)
    await world.receive(world.psu, 20)
    await world.receive(world.fan, 20)
    lines = [{"part_number": world.psu, "quantity": 1}, {"part_number": world.fan, "quantity": 1}]
    asked = [
        (await world.ask(lines=lines[:: (1, -1)[at % 2]], device_serial=await world.device()))["id"] for at in range(8)
    ]
    answers = await asyncio.gather(*(api.post(f"/v1/part-requests/{one}/pick", json={}) for one in asked))
    assert {one.status_code for one in answers} == {200}


async def test_a_courier_nobody_knows_takes_nothing(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    await world.do(request, "pick")
    refused = await api.post(f"/v1/part-requests/{request}/dispatch", json={"courier": unique("NOBODY")})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "courier")


async def test_a_strangers_serial_is_not_taken_for_the_one_that_could_not_be_read(api):
    world, other = await a_world(api), await a_world(api)
    await world.receive(world.psu, 1)
    request = await on_the_way(world, device_serial=None, site=world.site, model=world.model)
    refused = await api.post(f"/v1/part-requests/{request}/fit", json={"device_serial": other.serial})
    assert (refused.status_code, refused.json()["code"]) == (422, "device.not_there")
    fitted = await world.do(request, "fit", device_serial=world.serial)
    assert fitted["device_serial"] == world.serial
    assert (await world.do(request, "confirm", operation_normal=True))["state"] == "confirmed"


async def test_a_line_of_another_request_is_refused_by_every_verb(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    body = {"lines": [{"id": "lin_0"}], "method": "remote"}
    refused = await api.post(f"/v1/part-requests/{request}/answer", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "line.unknown")


async def test_costs_beside_the_part_are_finances(api, as_role):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    await world.do(request, "costs", kind="transport", amount="35.00")
    engineer = await as_role("engineer", customers=[world.customer])
    assert "35.00" not in (await engineer.get(f"/v1/part-requests/{request}/steps")).text
    fine = await api.post(f"/v1/part-requests/{request}/costs", json={"kind": "labor", "amount": "1.234"})
    assert (fine.status_code, fine.json()["code"]) == (422, "fields.bad")


async def test_a_verb_without_fields_needs_no_body(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    assert (await api.post(f"/v1/part-requests/{request}/pick")).json()["state"] == "picked"
    assert (await api.post(f"/v1/part-requests/{request}/hold")).status_code in (400, 415, 422)


async def test_a_key_for_one_address_says_nothing_of_another(api):
    headers = {"Idempotency-Key": unique("key")}
    one = await api.post("/v1/plan/replan", params={"area": "A"}, headers=headers)
    other = await api.post("/v1/plan/replan", params={"area": "B"}, headers=headers)
    assert "Idempotent-Replayed" not in other.headers
    assert one.status_code == other.status_code


async def test_one_region_that_cannot_be_planned_leaves_the_others_their_plans(api, engine, clock):
    broken, sound = await a_world(api), await a_world(api)
    for world in (broken, sound):
        await world.receive(world.psu, 1)
        await world.ask()
    async with begin(engine) as db:
        spoil = text("UPDATE courier SET shift = CAST(:shift AS jsonb) WHERE place = :place")
        await db.execute(spoil, {"shift": '{"mon": [["08:00", "08:00"]]}', "place": broken.local})
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    plan = (await api.get("/v1/plan", params={"area": sound.area})).json()["items"][0]
    assert [len(route["stops"]) for route in plan["routes"]] in ([2, 0], [0, 2])
    async with begin(engine) as db:
        await db.execute(spoil, {"shift": '"24x7"', "place": broken.local})


async def test_IM8_an_unused_part_nets_to_nothing_even_after_its_claim_was_rejected(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    await world.do(request, "pick")
    items = (await api.get("/v1/recoveries", params={"request": request, "limit": 200})).json()["items"]
    claim = next(one["id"] for one in items if one["request"] == request)
    await made(api, f"/v1/recoveries/{claim}/file", {}, 200)
    await made(api, f"/v1/recoveries/{claim}/reject", {"reason": "no fault found"}, 200)
    await world.do(request, "return-unused")
    costs = (await api.get("/v1/borne-costs", params={"request": request, "limit": 200})).json()["items"]
    mine = [float(one["amount"]["amount"]) for one in costs if one["request"] == request]
    assert sum(mine) == 0


@pytest.mark.parametrize("after", ["return-unused", "diagnose"])
async def test_IM3_pieces_whose_price_was_given_back_still_bring_their_cost_back(api, after):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask(failure=CUSTOMER))["id"]
    await world.do(request, "consent", agreed=True)
    await world.do(request, "pick")
    charge = (await api.get("/v1/charges", params={"request": request})).json()["items"][0]["id"]
    await made(api, f"/v1/charges/{charge}/reverse", {"reason": "goodwill"}, 200)
    await world.do(request, after, **({"cause": "defect"} if after == "diagnose" else {}))
    items = (await api.get("/v1/charges", params={"request": request})).json()["items"]
    assert sum(float(one["price"]["amount"]) for one in items) == 0


async def test_a_breach_already_told_is_annotated_once_when_a_step_dated_back_shows_it_was_kept(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = await on_the_way(world)
    clock.step(timedelta(hours=2, minutes=5))
    async with begin(engine) as db:
        await escalate_due(db, clock.now())
    fitted = await world.do(request, "fit", occurred_at="2026-11-22T03:50:00Z")
    assert next(one["state"] for one in fitted["clocks"] if one["name"] == "local") == "met"
    await world.do(request, "notes", text="told too early")
    steps = (await api.get(f"/v1/part-requests/{request}/steps")).json()["items"]
    assert [one["details"]["clock"] for one in steps if one["verb"] == "annotated"] == ["local"]
    assert ("local", "breach") in await told(api, request)
