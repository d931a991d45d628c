"""Call-offs: a partner is asked to confirm what it reports; a no, or no answer in time, means the next source at once."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.core.db import begin
from app.fulfillment.jobs import expire_call_offs, source_unconfirmed
from tests.builders import unique
from tests.cast import XIAN, a_world, made

pytestmark = pytest.mark.anyio


async def with_partner(api, *, pieces=2, branch=0):
    """A part that only a partner reports, and perhaps the branch too."""
    world = await a_world(api)
    partner = unique("PT")
    await made(api, "/v1/places", {
        "code": partner, "name": "合作方 partner", "kind": "partner", "latitude": XIAN[0] + 0.1, "longitude": XIAN[1],
        "timezone": "Asia/Shanghai", "stock": "reported", "preparation_minutes": 10,
    })  # fmt: skip
    await made(api, "/v1/lanes", {"carrier": "SF", "from_place": partner, "to_area": world.area,
                                  "cutoffs": ["11:00", "13:00", "17:00"], "transit_hours": 6})  # fmt: skip
    await world.receive(world.fan, pieces, place=partner)
    if branch:
        await world.receive(world.fan, branch, place=world.branch)
    return world, partner


async def asked(world, **more):
    return await world.ask(lines=[{"part_number": world.fan, "quantity": 1}], **more)


async def the_one(api, request, **query):
    found = (await api.get("/v1/call-offs", params={"request": request["id"], **query})).json()["items"]
    assert len(found) == 1, found
    return found[0]


async def test_a_promise_on_reported_stock_says_that_it_is_not_confirmed_and_then_that_it_is(api):
    world, partner = await with_partner(api)
    promise = await made(api, "/v1/promises", world.request(lines=[{"part_number": world.fan, "quantity": 1}]), 200)
    assert (promise["lines"][0]["confirmed"], promise["lines"][0]["source"]) == (False, partner)
    request = await asked(world)
    line = request["lines"][0]
    assert (line["confirmed"], line["provisional"]) == (False, True)
    assert "call_off.must_confirm" in {one["code"] for one in line["reasons"]}
    question = await the_one(api, request, state="open")
    assert (question["place"], question["quantity"], question["answer_due_at"]) == (partner, 1, "2026-11-22T02:20:00Z")
    for _ in range(2):  # said twice, done once
        answer = await made(api, f"/v1/call-offs/{question['id']}/confirm", {}, 200)
        assert (answer["state"], answer["link"]) == ("confirmed", None)
    line = (await api.get(f"/v1/part-requests/{request['id']}")).json()["lines"][0]
    assert (line["confirmed"], line["provisional"], line["source"]) == (True, False, partner)
    no = await api.post(f"/v1/call-offs/{question['id']}/decline", json={})
    assert (no.status_code, no.json()["code"]) == (409, "call_off.ended")


async def test_our_own_stock_asks_nobody(api):
    world = await a_world(api)
    await world.receive(world.fan, 1)
    request = await asked(world)
    assert request["lines"][0]["confirmed"] is None
    assert (await api.get("/v1/call-offs", params={"request": request["id"]})).json()["items"] == []


async def test_a_declined_line_goes_to_the_next_source_in_the_same_transaction(api):
    world, partner = await with_partner(api)
    request = await asked(world)
    await world.receive(world.fan, 1, place=world.branch)
    question = await the_one(api, request)
    await made(api, f"/v1/call-offs/{question['id']}/decline", {"note": "sold"}, 200)
    after = (await api.get(f"/v1/part-requests/{request['id']}")).json()
    line = after["lines"][0]
    assert (line["source"], line["confirmed"], line["commitment"]["due_at"]) == (
        world.branch, None, request["lines"][0]["commitment"]["due_at"],
    )  # fmt: skip
    assert line["reasons"][0]["code"] == "call_off.moved_declined"
    assert partner in line["reasons"][0]["text"]
    free = {one["place"]: one["available"] for one in (await api.get(f"/v1/stock?part={world.fan}")).json()["items"]}
    assert (free[partner], free[world.branch]) == (2, 0)


async def test_no_answer_in_time_is_a_no_and_without_another_source_managers_are_told_once(api, engine, clock):
    world, _ = await with_partner(api)
    request = await asked(world, priority="emergency")
    for minutes in (9, 10, 11):
        clock.set(datetime(2026, 11, 22, 2, minutes, tzinfo=UTC))
        async with begin(engine) as db:
            await expire_call_offs(db, clock.now())
            await source_unconfirmed(db, clock.now())
    assert (await the_one(api, request))["state"] == "expired"
    line = (await api.get(f"/v1/part-requests/{request['id']}")).json()["lines"][0]
    assert (line["confirmed"], line["mode"], line["eta"]) == (False, None, None)
    assert [one["code"] for one in line["reasons"]] == ["call_off.no_other_source"]
    steps = (await api.get(f"/v1/part-requests/{request['id']}/steps")).json()["items"]
    assert [one["details"]["reason"] for one in steps if one["verb"] == "called"] == ["unconfirmed"]
    await world.receive(world.fan, 1)
    async with begin(engine) as db:
        await source_unconfirmed(db, clock.now() + timedelta(minutes=1))
    line = (await api.get(f"/v1/part-requests/{request['id']}")).json()["lines"][0]
    assert (line["source"], line["confirmed"], line["mode"]) == (world.local, None, "courier")


async def test_a_later_time_that_breaks_the_promise_loses_the_line_to_a_source_that_keeps_it(api):
    world, partner = await with_partner(api)
    late, soon = await asked(world), await asked(world, device_serial=await world.device())
    await world.receive(world.fan, 1, place=world.branch)
    question = await the_one(api, soon)
    today = await made(api, f"/v1/call-offs/{question['id']}/confirm", {"available_at": "2026-11-22T04:30:00Z"}, 200)
    line = (await api.get(f"/v1/part-requests/{soon['id']}")).json()["lines"][0]
    assert (today["state"], line["source"], line["handover_at"]) == ("confirmed", partner, "2026-11-22T05:00:00Z")
    question = await the_one(api, late)
    tomorrow = await made(api, f"/v1/call-offs/{question['id']}/confirm", {"available_at": "2026-11-23T04:30:00Z"}, 200)
    line = (await api.get(f"/v1/part-requests/{late['id']}")).json()["lines"][0]
    assert (tomorrow["state"], line["source"]) == ("declined", world.branch)
    assert line["reasons"][0]["code"] == "call_off.moved_too_late"
    past = await api.post(f"/v1/call-offs/{question['id']}/confirm", json={"available_at": "2026-11-21T04:30:00Z"})
    assert (past.status_code, past.json()["code"]) == (422, "call_off.available_when")


async def test_a_question_is_withdrawn_when_the_line_moves_on_or_ends(api):
    world, partner = await with_partner(api, branch=1)
    request = await asked(world)
    source = request["lines"][0]["source"]
    await made(
        api, f"/v1/part-requests/{request['id']}/source", {"place": partner if source != partner else world.branch}, 200
    )
    await made(api, f"/v1/part-requests/{request['id']}/cancel", {"reason": "not needed"}, 200)
    assert (await the_one(api, request))["state"] == "withdrawn"


async def test_the_link_opens_one_question_without_signing_in_and_without_the_customer(app, api):
    world, partner = await with_partner(api)
    request = await asked(world)
    question = await the_one(api, request)
    stranger = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sparelane.test")
    async with stranger:
        shown = await stranger.get(question["link"], headers={"Accept-Language": "zh-CN"})
        assert shown.status_code == 200
        assert "待您答复" in shown.text
        assert world.fan in shown.text
        for hidden in (world.customer, world.serial, world.contract, "98.50", request["id"]):
            assert hidden not in shown.text
        for _ in range(2):
            given = await stranger.post(question["link"], data={"answer": "confirm"})
            assert given.status_code == 303
        forged = question["link"][:-2] + "xx"
        for path in (forged, "/call-offs/x", "/call-offs/a.b.c"):
            assert (await stranger.get(path)).status_code == 404
            assert (await stranger.post(path, data={"answer": "confirm"})).status_code == 404
        late = await stranger.post(question["link"], data={"answer": "decline"})
        assert late.status_code == 303
    answered = await the_one(api, request)
    assert (answered["state"], answered["answered_by"]) == ("confirmed", f"partner:{partner}")


async def test_the_link_ends_two_days_after_the_answer_was_due(app, api, clock):
    world, _ = await with_partner(api)
    link = (await the_one(api, await asked(world)))["link"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sparelane.test") as stranger:
        clock.set(clock.now() + timedelta(days=2, minutes=20))
        assert (await stranger.get(link)).status_code == 200
        clock.set(clock.now() + timedelta(seconds=1))
        assert (await stranger.get(link)).status_code == 404


async def test_who_may_not_see_the_place_sees_no_question_and_the_warehouse_no_link(api, as_role):
    world, partner = await with_partner(api)
    question = await the_one(api, await asked(world))
    theirs = await as_role("warehouse", places=[partner])
    assert (await theirs.get(f"/v1/call-offs/{question['id']}")).json()["link"] is None
    others = await as_role("warehouse", places=[world.local])
    for answer in (
        await others.get(f"/v1/call-offs/{question['id']}"),
        await others.post(f"/v1/call-offs/{question['id']}/confirm", json={}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "call_off.not_found")
