"""The dispatch board and what holds for every page: order, scope, reasons, empty states, and nothing from elsewhere."""

import re
from datetime import datetime, timedelta

import pytest

from app.fulfillment.jobs import plan_dirty
from app.web.assets import assets
from tests.builders import unique
from tests.cast import a_world
from tests.web.visitors import map_facts, rows, signed_in, visitor

pytestmark = pytest.mark.anyio
PUBLIC_PAGES, PAGES = ("/",), ("/board", "/board/live", "/components", "/board?area=NOWHERE&show=all")


def received(clock, minutes: int) -> dict:
    """A request that came in some minutes ago."""
    at = (clock.now() - timedelta(minutes=minutes)).isoformat()
    failure = {"occurred_at": at, "cause": "defect", "system_stopped": True}
    return {"received_at": at, "failure": failure}


async def dispatchers_board(app, as_role, world, **headers):
    return await signed_in(app, await as_role("dispatcher", areas=[world.area]), **headers)


async def test_requests_stand_by_slack_and_not_by_age(app, api, as_role, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 9)
    asked = [
        await world.ask(device_serial=await world.device(), **received(clock, minutes)) for minutes in (5, 40, 1, 20)
    ]
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    plan = (await api.get("/v1/plan", params={"area": world.area})).json()["items"][0]
    slack = {}
    for stop in (stop for route in plan["routes"] for stop in route["stops"] if stop["kind"] == "drop"):
        due = next(one for one in asked if one["id"] == stop["request"])["commitment"]["due_at"]
        slack[stop["request"]] = datetime.fromisoformat(due) - datetime.fromisoformat(stop["leave_at"])
    browser = await dispatchers_board(app, as_role, world)
    shown = rows((await browser.get("/board")).text)
    assert len(set(slack.values())) == 4
    assert shown == sorted(slack, key=slack.get)


async def test_a_row_says_promise_plan_part_site_source_and_courier(app, api, as_role, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = await world.ask(**received(clock, 5))
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    english = (await (await dispatchers_board(app, as_role, world)).get("/board")).text
    chinese = (await (await dispatchers_board(app, as_role, world, **{"Accept-Language": "zh"})).get("/board")).text
    plan = (await api.get("/v1/plan", params={"area": world.area})).json()["items"][0]
    courier = next(route["courier"] for route in plan["routes"] if route["stops"])
    assert request["commitment"]["due_at"] == "2026-11-22T03:55:00Z"
    for said in (
        "fitted by 11:55",
        ">1:55<",
        "in time",
        "to spare",
        world.psu,
        "电源 12V 5A",
        "机场北",
        world.local,
        "severe",
    ):
        assert said in english, said
    for said in ("11:55 前更换", ">1:55<", "按时", "还余", "严重", "待拣货"):
        assert said in chinese, said
    assert f"courier {world.couriers.index(courier) + 1}" in english


async def test_what_the_plan_will_miss_says_why(app, api, as_role, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 30)
    for _ in range(12):
        await world.ask(device_serial=await world.device())
    clock.step(timedelta(minutes=80))
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    missed = (await api.get("/v1/plan", params={"area": world.area})).json()["items"][0]["missed"]
    shown = (await (await dispatchers_board(app, as_role, world)).get("/board")).text
    assert f"The plan will miss {len(missed)}" in shown
    assert "too late" in shown
    assert shown.count('class="why"') >= len(missed) > 0
    assert "lin_" not in re.sub(r'id="[^"]*"', "", shown)


async def test_a_passed_promise_is_late_and_a_hold_stands_last(app, api, as_role, clock):
    world = await a_world(api)
    await world.receive(world.psu, 2)
    held, late = [await world.ask(device_serial=await world.device()) for _ in range(2)]
    await world.do(held["id"], "hold", reason="site_access")
    clock.step(timedelta(hours=2, minutes=9))
    shown = (await (await dispatchers_board(app, as_role, world)).get("/board")).text
    assert rows(shown) == [late["id"], held["id"]]
    states = re.findall(r'data-standing="(\w+)"', shown)
    assert states == ["late", "paused"]
    assert "−0:09" in shown
    assert "waits for access to the site" in shown


async def test_the_board_keeps_to_the_scope_of_the_key(app, api, as_role, engine, clock):
    mine = await a_world(api)
    other = await a_world(api, area=mine.area, local=unique("YC-WH2"))
    for world in (mine, other):
        await world.receive(world.psu, 3)
    seen, unseen = await mine.ask(), await other.ask()
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    by_customer = await signed_in(app, await as_role("engineer", customers=[mine.customer]))
    by_place = await signed_in(app, await as_role("warehouse", places=[mine.local]))
    by_area = await signed_in(app, await as_role("dispatcher", areas=[unique("ELSEWHERE")]))
    for browser in (by_customer, by_place):
        for path in ("/board", "/board/live", f"/board?area={mine.area}&show=all"):
            shown = (await browser.get(path)).text
            assert rows(shown) == [seen["id"]]
            assert not any(word in shown for word in (unseen["id"], other.customer, other.psu, other.site))
            assert sum(len(route["stops"]) for route in map_facts(shown)["routes"]) == 1
    assert rows((await by_area.get("/board")).text) == []
    assert rows((await by_area.get(f"/board?area={mine.area}")).text) == []


async def test_an_empty_board_says_what_would_fill_it(app, as_role):
    browser = await signed_in(app, await as_role("dispatcher", areas=[unique("EMPTY")]))
    shown = (await browser.get("/board")).text
    assert "Nothing is open." in shown
    assert "No courier has a stop planned." in shown


async def test_every_page_forbids_what_it_does_not_need(app, as_role):
    browser = await signed_in(app, await as_role("admin"))
    answers = [await visitor(app).get(path) for path in PUBLIC_PAGES] + [await browser.get(path) for path in PAGES]
    answers += [await browser.get("/language/none"), await visitor(app).get("/board")]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy.split("; "))
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"


async def test_no_page_needs_what_the_policy_forbids_or_what_lies_elsewhere(app, as_role):
    browser = await signed_in(app, await as_role("admin"))
    pages = [(await visitor(app).get("/")).text] + [(await browser.get(path)).text for path in PAGES]
    for page in pages:
        assert not re.search(r"\s(style|on\w+)=", page)
        assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)|<style", page)
        loaded = re.sub(r'data-copy="[^"]*"|http://www\.w3\.org/2000/svg', "", page)  # what is copied is not fetched
        assert not re.search(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2}", loaded)
        for address in re.findall(r'(?:src|href|action|hx-get)="([^"]*)"', page):
            assert re.match(r"/(?!/)|#|\?", address), address


async def test_files_are_kept_for_ever_and_nothing_else_is_served(app):
    browser = visitor(app)
    for asset in assets().values():
        answer = await browser.get(asset.address)
        assert (answer.status_code, answer.content) == (200, asset.content)
        assert "immutable" in answer.headers["Cache-Control"]
    for wrong in ("/static/sparelane.css", "/static/../setup.py", "/static/%2e%2e/setup.py", "/static/lib/leaflet.js"):
        assert (await browser.get(wrong)).status_code == 404
    ours = b"".join(one.content for name, one in assets().items() if not name.startswith("lib/"))
    assert not re.search(rb"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", ours)


async def test_what_a_carrier_brings_too_late_says_why(app, api, as_role):
    world = await a_world(api)
    await world.receive(world.psu, 1, place=world.branch)
    request = await world.ask(priority="general")
    assert request["lines"][0]["mode"] == "lane"
    shown = (await (await dispatchers_board(app, as_role, world)).get("/board")).text
    assert f"No {world.psu} was free in local stock for {world.area}" in shown
    assert "The plan will miss 1" in shown


async def test_people_of_a_place_see_their_own_lines_alone(app, api, as_role):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    await world.receive(world.fan, 1, place=world.branch)
    lines = [
        {"part_number": world.psu, "quantity": 1, "position": "psu"},
        {"part_number": world.fan, "quantity": 1, "position": "fan"},
    ]
    request = await world.ask(lines=lines)
    assert {line["source"] for line in request["lines"]} == {world.local, world.branch}
    for place, own, other in ((world.local, world.psu, world.fan), (world.branch, world.fan, world.psu)):
        shown = (await (await signed_in(app, await as_role("warehouse", places=[place]))).get("/board")).text
        assert rows(shown) == [request["id"]]
        assert (own in shown, other in shown) == (True, False)
