"""The journey of a part, told through the front door: from the failure to the restarted warranty, and the ways back."""

from datetime import datetime, timedelta

import pytest

from tests.cast import World, a_world

pytestmark = pytest.mark.anyio


async def courier_of(world: World) -> str:
    return world.courier


async def stock_of(world: World, part: str) -> list[tuple[str, int, int]]:
    items = (await world.api.get("/v1/stock", params={"part": part})).json()["items"]
    return [(one["place"], one["on_hand"], one["reserved"]) for one in items]


async def to_fitted(world: World, clock, request: str, **fitted) -> dict:
    """Everything from the answer to the fitting, a few minutes apart."""
    await world.do(request, "answer", method="on_site", plan="bring the part")
    clock.step(timedelta(minutes=5))
    await world.do(request, "pick", scanned=world.psu)
    await world.do(request, "pack")
    clock.step(timedelta(minutes=5))
    await world.do(request, "dispatch", courier=await courier_of(world))
    await world.do(request, "depart")
    clock.step(timedelta(minutes=30))
    await world.do(request, "arrive")
    await world.do(request, "deliver")
    clock.step(timedelta(minutes=20))
    return await world.do(request, "fit", **fitted)


async def test_a_key_part_goes_all_the_way_and_its_warranty_restarts(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 3)
    request = (await world.ask())["id"]
    fitted = await to_fitted(world, clock, request, removed_serial="OLD-1", old_part="return")
    states = {one["name"]: one["state"] for one in fitted["clocks"]}
    assert states == {"answer": "met", "depart": "met", "on_site": "met", "done": "running", "local": "met"}
    clock.step(timedelta(minutes=10))
    confirmed = await world.do(request, "confirm", operation_normal=True)
    assert (confirmed["state"], {one["state"] for one in confirmed["clocks"]}) == ("confirmed", {"met"})
    warranty = (await api.get(f"/v1/devices/{world.serial}/warranty")).json()
    psu = next(one for one in warranty["components"] if one["position"] == "psu")
    assert (psu["restarted"], psu["first_day"], psu["last_day"]) == (True, "2026-11-23", "2029-11-22")
    assert warranty["device"]["last_day"] == "2028-03-01"
    assert await stock_of(world, world.psu) == [(world.local, 2, 0)]
    charges = (await api.get("/v1/charges", params={"request": request})).json()
    assert charges["items"] == []


async def test_after_the_warranty_the_customer_is_asked_and_pays_the_cost_of_the_very_piece(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 2)
    failure = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "customer", "system_stopped": True}
    request = await world.ask(failure=failure)
    assert (request["state"], request["price"]["amount"], request["on_hold"]) == (
        "awaiting_consent",
        "98.50",
        "price_consent",
    )
    assert request["quote_expires_at"] == "2026-11-23T02:00:00Z"
    refused = await api.post(f"/v1/part-requests/{request['id']}/pick", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "state.not_allowed")
    assert refused.json()["facts"]["allowed"] == ["consent", "cancel"]
    clock.step(timedelta(minutes=30))
    agreed = await world.do(request["id"], "consent", agreed=True, by="duty officer")
    assert (agreed["state"], agreed["on_hold"]) == ("accepted", None)
    local = next(one for one in agreed["clocks"] if one["name"] == "local")
    assert datetime.fromisoformat(local["due_at"]) == datetime.fromisoformat("2026-11-22T04:30:00+00:00")
    await world.do(request["id"], "pick")
    charges = (await api.get("/v1/charges", params={"request": request["id"]})).json()["items"]
    assert [one["price"]["amount"] for one in charges] == ["98.50"]


async def test_a_declined_price_lets_the_stock_go(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    failure = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "customer", "system_stopped": True}
    request = await world.ask(failure=failure)
    declined = await world.do(request["id"], "consent", agreed=False)
    assert declined["state"] == "canceled"
    assert await stock_of(world, world.psu) == [(world.local, 1, 0)]


async def test_a_canceled_request_gives_back_what_it_held_and_what_was_picked(api):
    world = await a_world(api)
    await world.receive(world.psu, 2)
    held, picked = (await world.ask())["id"], (await world.ask())["id"]
    await world.do(picked, "pick")
    assert (await world.do(held, "cancel"))["state"] == "canceled"
    assert (await world.do(picked, "cancel", reason="ticket closed"))["state"] == "canceled"
    assert await stock_of(world, world.psu) == [(world.local, 2, 0)]


async def test_a_handed_over_part_is_not_canceled_but_returned(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    await world.do(request, "pick")
    await world.do(request, "dispatch", courier=await courier_of(world))
    refused = await api.post(f"/v1/part-requests/{request}/cancel", json={})
    assert refused.status_code == 409
    assert "return-unused" in refused.json()["facts"]["allowed"]
    assert (await world.do(request, "return-unused"))["state"] == "canceled"
    assert await stock_of(world, world.psu) == [(world.local, 1, 0)]


async def test_a_lost_part_is_sourced_anew_at_once_under_the_same_commitment(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    await world.receive(world.psu, 1, place=world.branch)
    ticket = {"system": "helpdesk", "number": "4711"}
    request = await world.ask(ticket=ticket)
    await world.do(request["id"], "pick")
    await world.do(request["id"], "dispatch", courier=await courier_of(world))
    lost = await world.do(request["id"], "lost")
    assert lost["state"] == "accepted"
    assert [(one["state"], one["source"]) for one in lost["lines"]] == [
        ("lost", world.local),
        ("accepted", world.branch),
    ]
    assert lost["lines"][1]["commitment"] == lost["lines"][0]["commitment"]


async def test_a_wrong_part_is_refused_in_plain_words(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    wrong = await api.post(f"/v1/part-requests/{request}/pick", json={"scanned": world.fan})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "scan.wrong")
    assert world.fan in wrong.json()["detail"]
    assert await stock_of(world, world.psu) == [(world.local, 1, 1)]


async def test_a_part_that_does_not_help_goes_back_to_diagnosis(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    await to_fitted(world, clock, request)
    again = await world.do(request, "confirm", operation_normal=False)
    assert again["state"] == "fitted"
    assert (await world.do(request, "diagnose", findings="cable"))["state"] == "fitted"
    assert (await world.do(request, "confirm", operation_normal=True))["state"] == "confirmed"


async def test_a_whole_device_is_swapped(api, clock):
    world = await a_world(api)
    fresh = world.serial + "-NEW"
    await world.receive(world.model, 1, serials=[fresh])
    request = (await world.ask(lines=[{"part_number": world.model, "quantity": 1}]))["id"]
    await world.do(request, "pick", scanned=fresh)
    await world.do(request, "dispatch", courier=await courier_of(world))
    clock.step(timedelta(minutes=40))
    await world.do(request, "fit", removed_serial=world.serial, old_part="return")
    await world.do(request, "confirm", operation_normal=True)
    old = (await api.get(f"/v1/devices/{world.serial}/warranty")).json()
    new = (await api.get(f"/v1/devices/{fresh}/warranty")).json()
    assert (old["device"]["status"], new["device"]["status"]) == ("replaced", "covered")
    assert new["device"]["last_day"] == "2029-11-22"


async def test_an_unreadable_serial_is_accepted_and_due_before_confirming(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = await world.ask(device_serial=None, site=world.site, model=world.model)
    assert request["entitlement"]["provisional"] is True
    await world.do(request["id"], "pick")
    await world.do(request["id"], "dispatch", courier=await courier_of(world))
    await world.do(request["id"], "fit")
    due = await api.post(f"/v1/part-requests/{request['id']}/confirm", json={"operation_normal": True})
    assert (due.status_code, due.json()["code"]) == (422, "device.serial_due")


async def test_steps_keep_their_order(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask(received_at="2026-11-22T01:50:00Z"))["id"]
    early = await api.post(
        f"/v1/part-requests/{request}/answer", json={"method": "parts", "occurred_at": "2026-11-22T01:00:00Z"}
    )
    late = await api.post(
        f"/v1/part-requests/{request}/answer", json={"method": "parts", "occurred_at": "2026-11-22T02:00:01Z"}
    )
    assert {one.json()["code"] for one in (early, late)} == {"step.out_of_order"}
    answered = await world.do(request, "answer", method="parts", occurred_at="2026-11-22T01:55:00Z")
    states = {one["name"]: one["state"] for one in answered["clocks"]}
    assert (states["answer"], states["on_site"]) == ("met", "canceled")


async def test_a_stale_version_does_not_move_a_request(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    path = f"/v1/part-requests/{request}/pick"
    assert (await api.post(path, json={}, headers={"If-Match": "1"})).json()["version"] == 2
    stale = await api.post(f"/v1/part-requests/{request}/pack", json={}, headers={"If-Match": "1"})
    assert (stale.status_code, stale.json()["facts"]["current"]) == (412, 2)
