"""Plans: requests become routes with ETAs, what cannot be kept is named, clocks escalate once, silence is success."""

from datetime import datetime, timedelta

import pytest

from app.core.db import begin
from app.fulfillment.jobs import end_unanswered_quotes, escalate_due, plan_dirty, presume_confirmed
from app.stock.jobs import expire_reservations
from tests.builders import unique
from tests.cast import World, a_world, made
from tests.journeys.test_journey import stock_of, to_fitted

pytestmark = pytest.mark.anyio


async def plan_of(world: World) -> dict:
    return (await world.api.get("/v1/plan", params={"area": world.area})).json()["items"][0]


async def test_requests_become_routes_that_keep_their_promises(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 5)
    requests = [await world.ask(device_serial=await world.device()) for _ in range(4)]
    assert await plan_dirty(engine, None, clock.now(), limit_s=1) >= 1
    plan = await plan_of(world)
    drops = [stop for route in plan["routes"] for stop in route["stops"] if stop["kind"] == "drop"]
    assert {stop["line"] for stop in drops} == {one["lines"][0]["id"] for one in requests}
    assert (plan["missed"], plan["version"], plan["estimated"]) == ([], 1, True)
    assert all(stop["slack_s"] >= 0 for stop in drops)
    shown = (await api.get(f"/v1/part-requests/{requests[0]['id']}")).json()["lines"][0]
    assert shown["eta"] == next(stop["leave_at"] for stop in drops if stop["line"] == shown["id"])


async def test_planning_twice_without_news_plans_once(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    await world.ask()
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    assert (await plan_of(world))["version"] == 1


async def test_a_started_leg_stays_first(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 5)
    await world.ask(device_serial=await world.device())
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    first = next(route["stops"][0] for route in (await plan_of(world))["routes"] if route["stops"])
    clock.step(timedelta(minutes=3))
    await world.ask(device_serial=await world.device(), priority="emergency")
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    routes = (await plan_of(world))["routes"]
    assert first["line"] in [route["stops"][0]["line"] for route in routes if route["stops"]]


async def test_what_will_be_missed_is_named_with_its_reason(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 30)
    for _ in range(12):
        await world.ask(device_serial=await world.device())
    clock.step(timedelta(minutes=80))
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    missed = (await plan_of(world))["missed"]
    assert missed
    assert all(one["reasons"] and one["reasons"][0]["text"] for one in missed)


async def test_a_clock_warns_twice_and_breaches_once(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask(priority="general"))["id"]
    for minutes in (61, 36, 24, 10):
        clock.step(timedelta(minutes=minutes))
        for _ in range(2):
            async with begin(engine) as db:
                await escalate_due(db, clock.now())
    steps = (await api.get(f"/v1/part-requests/{request}/steps")).json()["items"]
    local = [
        one["details"]["level"] for one in steps if one["verb"] == "escalated" and one["details"]["clock"] == "local"
    ]
    assert local == ["warn_50", "warn_80", "breach"]
    shown = (await api.get(f"/v1/part-requests/{request}")).json()
    assert shown["priority"] == "severe"
    due = {one["name"]: one["due_at"] for one in shown["clocks"]}
    assert due["done"] == "2026-11-22T10:00:00Z"


async def test_a_hold_stops_the_clocks_and_a_breach_cannot_be_held(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    await world.do(request, "hold", reason="site_access")
    clock.step(timedelta(hours=1))
    resumed = await world.do(request, "resume")
    local = next(one for one in resumed["clocks"] if one["name"] == "local")
    assert datetime.fromisoformat(local["due_at"]).hour == 5
    clock.step(timedelta(hours=9))
    late = await api.post(f"/v1/part-requests/{request}/hold", json={"reason": "site_access"})
    assert (late.status_code, late.json()["code"]) == (409, "hold.after_breach")


async def test_an_unanswered_quote_ends_and_its_stock_is_free(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    failure = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "customer", "system_stopped": True}
    request = (await world.ask(failure=failure))["id"]
    clock.step(timedelta(hours=24))
    async with begin(engine) as db:
        await expire_reservations(db, clock.now())
        await end_unanswered_quotes(db, clock.now())
    assert (await api.get(f"/v1/part-requests/{request}")).json()["state"] == "canceled"
    assert await stock_of(world, world.psu) == [(world.local, 1, 0)]


async def test_a_week_of_silence_confirms_at_the_fitting(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    await to_fitted(world, clock, request)
    clock.step(timedelta(days=7))
    async with begin(engine) as db:
        assert await presume_confirmed(db, clock.now()) >= 1
    assert (await api.get(f"/v1/part-requests/{request}")).json()["state"] == "confirmed"
    warranty = (await api.get(f"/v1/devices/{world.serial}/warranty")).json()
    psu = next(one for one in warranty["components"] if one["position"] == "psu")
    assert (psu["restarted"], psu["first_day"]) == (True, "2026-11-23")


async def test_a_verdict_is_previewed_without_storing_anything(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    body = {
        "device_serial": world.serial, "position": "psu", "part_number": world.psu, "cause": "defect",
        "system_stopped": True, "occurred_at": "2026-11-22T01:10:00Z",
    }  # fmt: skip
    shown = (await api.post("/v1/verdicts/preview", json=body)).json()
    assert (shown["covered"], shown["price"]["amount"], shown["borne_cost"]["amount"]) == (True, "0.00", "98.50")
    assert shown["restart_if_confirmed"]["last_day"] == "2029-11-22"
    paid = (await api.post("/v1/verdicts/preview", json=body | {"cause": "customer"})).json()
    assert (paid["covered"], paid["price"]["amount"]) == (False, "98.50")


async def test_a_cause_settled_after_the_pick_opens_the_claim(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    failure = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "undetermined", "system_stopped": True}
    request = (await world.ask(failure=failure))["id"]
    await world.do(request, "pick")
    assert await claims_of(api, request) == []
    settled = await world.do(request, "diagnose", cause="defect", findings="burnt")
    assert settled["entitlement"]["provisional"] is False
    assert await claims_of(api, request) == [("oem", "98.50")]


async def claims_of(api, request: str) -> list[tuple[str, str]]:
    items = (await api.get("/v1/recoveries", params={"request": request, "limit": 200})).json()["items"]
    return [(one["payer"], one["amount"]["amount"]) for one in items if one["request"] == request]


async def test_a_plan_shows_a_customers_key_nothing_of_others(api, as_role, engine, clock):
    world = await a_world(api)
    other = await a_world(api, area=world.area, local=world.local + "-2")
    for one in (world, other):
        await one.receive(one.psu, 1)
        await one.ask()
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    key = await as_role("dispatcher", customers=[world.customer])
    shown = (await key.get("/v1/plan", params={"area": world.area})).text
    assert world.site in shown
    assert other.site not in shown


async def test_areas_that_share_couriers_are_planned_together(api, engine, clock):
    """A place that serves two areas sends its couriers to both; each area's request is in the one plan of the region."""
    world = await a_world(api)
    beyond = unique("NEAR")
    await made(api, "/v1/areas", {"code": beyond, "name": beyond, "sources": [world.local]})
    site = unique("SITE")
    await made(api, "/v1/sites", {
        "code": site, "customer": world.customer, "name": site, "latitude": 38.6, "longitude": 106.1,
        "timezone": "Asia/Shanghai", "area": beyond,
    })  # fmt: skip
    await world.receive(world.psu, 2)
    near = await world.ask()
    far = await world.ask(device_serial=await world.device(site=site))
    assert [(one["mode"], one["commitment"]["kind"]) for one in far["lines"]] == [("courier", "local")]
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    for area in (world.area, beyond):
        plan = (await api.get("/v1/plan", params={"area": area})).json()["items"]
        assert [one["region"] for one in plan] == [world.area]
        stops = {stop["line"] for route in plan[0]["routes"] for stop in route["stops"]}
        assert stops == {near["lines"][0]["id"], far["lines"][0]["id"]}
