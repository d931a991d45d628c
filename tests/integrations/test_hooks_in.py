"""Inbound: verified, kept, answered, acted on after; each delivery once, in whatever order it comes (T60 to T67)."""

import asyncio
import gzip
import itertools
import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.db import reading
from app.integrations.api.hooks import turned_away
from app.integrations.jobs.act import act_on_receipts
from app.integrations.jobs.payload import without_cost
from app.integrations.service.receiving import forget_receipts
from tests.cast import made
from tests.journeys.test_giving_way import near_and_far

pytestmark = pytest.mark.anyio


def ticket(world, **changes):
    body = {
        "number": "4711", "title": "no picture", "status": "open", "priority": "high", "serial": world.serial,
        "part_number": world.psu, "updated_at": "2026-11-22T01:59:00Z", "created_at": "2026-11-22T01:58:00Z",
    }  # fmt: skip
    return {name: value for name, value in (body | changes).items() if value is not None}


async def test_a_ticket_becomes_a_request_as_of_its_arrival(world, desk, clock):
    await desk.connect()
    answer = await desk.push(**ticket(world))
    assert (answer.status_code, answer.json()["duplicate"]) == (202, False)
    assert await desk.requests("4711") == []
    arrived = clock.now()
    clock.step(timedelta(seconds=30))
    assert await desk.act() == 1
    (request,) = await desk.requests("4711")
    assert (request["state"], request["priority"], request["device_serial"]) == ("accepted", "severe", world.serial)
    assert request["ticket"] == {"system": desk.code, "number": "4711", "url": None}
    assert request["received_at"] == arrived.isoformat().replace("+00:00", "Z")
    assert request["failure"]["occurred_at"] == "2026-11-22T01:58:00Z"
    (receipt,) = await desk.receipts()
    assert (receipt["state"], receipt["outcome"], receipt["facts"]) == ("done", "requested", {"request": request["id"]})
    assert (await desk.ticket("4711"))["request"] == request["id"]


async def test_S3b_an_urgent_ticket_gets_the_near_piece_that_a_lower_priority_does_not_need(api, app, desk, clock):
    world, held, far = await near_and_far(api, beside=True)
    await desk.connect()
    await desk.push(**ticket(world, number="4712", priority="critical"))
    await act_on_receipts(desk.engine, clock.now(), solver=app.state.solver)
    (request,) = await desk.requests("4712")
    assert (request["priority"], request["lines"][0]["source"]) == ("emergency", world.local)
    moved = (await api.get(f"/v1/part-requests/{held['id']}")).json()["lines"][0]
    assert (moved["source"], moved["reasons"][0]["code"]) == (far, "give_way.moved")


@pytest.mark.parametrize("spoiled", ["byte", "secret", "none", "stale", "ahead"])
async def test_T60_T61_what_is_not_proved_is_turned_away_before_anything_is_kept(world, desk, engine, spoiled):
    await desk.connect()
    body = json.dumps(ticket(world)).encode()
    off = {"stale": timedelta(minutes=-6), "ahead": timedelta(minutes=6)}.get(spoiled, timedelta(0))
    headers = desk.signed(body, "msg-1", at=desk.clock.now() + off)
    changes = {
        "byte": (body[:-1] + b" }", headers), "secret": (body, headers | {"webhook-signature": "v1,AAAA"}),
        "none": (body, {"content-type": "application/json"}),
    }  # fmt: skip
    sent, given = changes.get(spoiled, (body, headers))
    before = sum(turned_away.values())
    answer = await desk.api.post(f"/hooks/{desk.code}", content=sent, headers=given)
    expected = "webhook.stale" if off else "webhook.unverified"
    assert (answer.status_code, answer.json()["code"]) == (401, expected)
    assert await desk.receipts() == []
    assert sum(turned_away.values()) == before + 1


async def test_T62_the_same_delivery_ten_times_at_once_and_days_later_has_one_effect(world, desk, clock):
    await desk.connect()
    answers = await asyncio.gather(*(desk.push("msg-1", **ticket(world)) for _ in range(10)))
    assert {one.status_code for one in answers} == {202}
    assert len({one.json()["id"] for one in answers}) == 1
    await asyncio.gather(*(desk.act() for _ in range(3)))
    clock.step(timedelta(days=3))
    again = await desk.push("msg-1", **ticket(world))
    assert (again.status_code, again.json()["duplicate"]) == (202, True)
    await desk.act()
    assert len(await desk.requests("4711")) == 1
    (receipt,) = await desk.receipts()
    assert receipt["repeats"] == 10


async def test_T62_ids_are_kept_thirty_days(world, desk, clock, engine):
    await desk.connect()
    await desk.push("msg-1", **ticket(world))
    await desk.act()
    for days, left in ((29, 1), (2, 0)):
        clock.step(timedelta(days=days))
        async with engine.begin() as db:
            await forget_receipts(db, clock.now())
        assert len(await desk.receipts()) == left


STORY = (
    {"status": "open", "priority": "low", "updated_at": "2026-11-22T01:59:01Z"},
    {"status": "open", "priority": "high", "updated_at": "2026-11-22T01:59:02Z"},
    {"status": "canceled", "priority": "high", "updated_at": "2026-11-22T01:59:03Z"},
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_T63_whatever_the_order_the_end_is_that_of_the_story_in_order(world, desk, order):
    await desk.connect()
    for at in order:
        await desk.push(f"msg-{at}", **ticket(world, **STORY[at]))
        await desk.act()
    shown = await desk.ticket("4711")
    assert (shown["status"], shown["priority"]) == ("canceled", "severe")
    assert {one["state"] for one in await desk.requests("4711")} <= {"canceled"}
    stock = (await desk.api.get("/v1/stock", params={"part": world.psu})).json()["items"][0]
    assert stock["reserved"] == 0


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
async def test_T63_an_update_before_its_creation_ends_at_the_update(world, desk, order):
    await desk.connect()
    for at in order:
        await desk.push(f"msg-{at}", **ticket(world, **STORY[at]))
    await desk.act()
    (request,) = await desk.requests("4711")
    assert (request["state"], request["priority"]) == ("accepted", "severe")


async def test_T63_without_editions_an_end_stays_an_end(world, desk):
    await desk.connect()
    await desk.push("msg-2", **ticket(world, status="canceled", updated_at=None))
    await desk.push("msg-1", **ticket(world, updated_at=None))
    await desk.act()
    assert await desk.requests("4711") == []
    assert [one["outcome"] for one in await desk.receipts()] == ["ticket_canceled", "superseded"]


async def test_T64_an_unknown_event_or_a_ticket_that_is_none_is_kept_without_effect_and_shown(world, desk):
    await desk.connect(overrides={"events": {"path": "type", "known": {"ticket": "seen"}}})
    assert (await desk.push(**ticket(world), type="survey.sent")).status_code == 202
    assert (await desk.push(type="ticket", title="no number")).status_code == 202
    await desk.act()
    told = [(one["event"], one["state"], one["outcome"]) for one in await desk.receipts()]
    assert told == [("survey.sent", "ignored", "event_unknown"), ("ticket", "ignored", "no_number")]
    assert await desk.ticket("4711") is None


async def test_T64_what_an_ignored_delivery_was_can_be_acted_on_after_the_profile_is_mended(world, desk):
    await desk.connect(overrides={"events": {"path": "type", "known": {"ticket": "seen"}}})
    await desk.push(**ticket(world), type="incident")
    await desk.act()
    mended = {"overrides": {"events": {"path": "type", "known": {"ticket": "seen", "incident": "seen"}}}}
    assert (await desk.api.patch(f"/v1/connections/{desk.code}", json=mended)).status_code == 200
    (receipt,) = await desk.receipts()
    assert (await desk.api.post(f"/v1/hook-receipts/{receipt['id']}/retry")).status_code == 200
    await desk.act()
    assert len(await desk.requests("4711")) == 1
    again = await desk.api.post(f"/v1/hook-receipts/{receipt['id']}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "hook.not_failed")


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"content-encoding": "gzip"}, gzip.compress(b"{}" * 1000, mtime=0), 415, "body.not_json"),
        ({"content-type": "text/plain"}, b"{}", 415, "body.not_json"),
        ({"content-type": "application/json; charset=gb18030"}, b"{}", 415, "body.not_json"),
        ({}, b"", 400, "webhook.empty"),
        ({}, b"{" + b" " * 1_100_000 + b"}", 413, "body.too_large"),
    ],
    ids=["gzip", "text", "charset", "empty", "large"],
)
async def test_T65_bodies_that_are_not_plain_json_of_a_sane_size(desk, headers, body, status, code):
    await desk.connect()
    signed = desk.signed(body if len(body) < 100 and body != b"" else b"", "msg-1") if not headers else {}
    answer = await desk.api.post(
        f"/hooks/{desk.code}", content=body, headers={"content-type": "application/json"} | signed | headers
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await desk.receipts() == []


async def test_T65_signed_and_yet_broken_is_kept_and_shown_as_failed(desk):
    await desk.connect()
    body = b'{"number": "4711", '
    answer = await desk.api.post(f"/hooks/{desk.code}", content=body, headers=desk.signed(body, "msg-1"))
    assert answer.status_code == 202
    await desk.act()
    assert [(one["state"], one["outcome"]) for one in await desk.receipts()] == [("failed", "not_json")]


async def test_T67_without_a_database_the_sender_is_told_to_come_again(desk, app):
    await desk.connect()
    kept = app.state.engine

    class Away:
        def connect(self):
            raise ConnectionRefusedError

        def execution_options(self, **_):
            return self

    app.state.engine = Away()
    try:
        body = b'{"number": "1"}'
        answer = await desk.api.post(f"/hooks/{desk.code}", content=body, headers=desk.signed(body, "msg-1"))
    finally:
        app.state.engine = kept
    assert (answer.status_code, answer.json()["code"]) == (503, "db.unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert await desk.receipts() == []


async def test_IO6_a_worker_that_died_between_is_followed_by_another_with_one_effect(world, desk, clock, engine):
    await desk.connect()
    await desk.push(**ticket(world))
    async with engine.begin() as db:  # claimed by one that died: a lease that nobody will settle
        await db.execute(
            text(
                "UPDATE hook_receipt SET lease_until = :until, fence = nextval('webhook_fence') WHERE connection = :c"
            ),
            {"until": clock.now() + timedelta(seconds=60), "c": desk.code},
        )
    await desk.act()
    assert await desk.requests("4711") == []
    clock.step(timedelta(seconds=61))
    await desk.act()
    assert len(await desk.requests("4711")) == 1


async def test_a_raised_priority_brings_its_shorter_clocks_and_a_lowered_one_is_only_noted(world, desk, clock):
    await desk.connect()
    await desk.push(**ticket(world, priority="low"))
    await desk.act()
    clock.step(timedelta(minutes=1))
    await desk.push(**ticket(world, priority="critical", updated_at="2026-11-22T02:01:00Z"))
    await desk.act()
    (request,) = await desk.requests("4711")
    assert request["priority"] == "emergency"
    assert {one["name"] for one in request["clocks"]} >= {"depart", "on_site"}
    await desk.push(**ticket(world, priority="low", updated_at="2026-11-22T02:02:00Z"))
    await desk.act()
    (request,) = await desk.requests("4711")
    assert request["priority"] == "emergency"
    assert (await desk.ticket("4711"))["outcome"] == "lower_noted"


@pytest.mark.parametrize(
    ("steps", "state", "outcome"),
    [
        ([], "canceled", "canceled"),
        ([("pick", {}), ("pack", {})], "canceled", "canceled"),
        ([("pick", {}), ("dispatch", {"carrier": "SF", "waybill": "SF1"})], "dispatched", "return_asked"),
    ],
)
async def test_a_canceled_ticket_cancels_before_the_hand_over_and_asks_for_the_part_back_after_it(
    world, desk, steps, state, outcome
):
    await desk.connect()
    await desk.push(**ticket(world))
    await desk.act()
    request = (await desk.requests("4711"))[0]["id"]
    for verb, body in steps:
        await world.do(request, verb, **body)
    for number in range(2):
        await desk.push(**ticket(world, status="canceled", updated_at=f"2026-11-22T02:0{number}:00Z"))
        await desk.act()
    (shown,) = await desk.requests("4711")
    assert (shown["state"], (await desk.receipts())[1]["outcome"]) == (state, outcome)
    steps = (await desk.api.get(f"/v1/part-requests/{request}/steps")).json()["items"]
    assert [one["verb"] for one in steps].count("return_asked") == (outcome == "return_asked")
    if_asked = {"return_asked": "return-unused", "canceled": None}[outcome]
    assert if_asked in [*shown["allowed"], None]


async def test_a_ticket_taken_up_again_after_its_end_asks_anew(world, desk):
    await desk.connect()
    for number, status in enumerate(("open", "canceled", "open")):
        await desk.push(**ticket(world, status=status, updated_at=f"2026-11-22T02:0{number}:00Z"))
        await desk.act()
    assert sorted(one["state"] for one in await desk.requests("4711")) == ["accepted", "canceled"]


async def test_one_open_request_per_ticket_device_and_part_whatever_the_door(world, desk):
    await desk.connect()
    first = await world.ask(ticket={"system": desk.code, "number": "4711"})
    await desk.push(**ticket(world))
    await desk.act()
    assert [one["id"] for one in await desk.requests("4711")] == [first["id"]]
    assert (await desk.ticket("4711"))["request"] == first["id"]


async def test_a_ticket_without_serial_and_part_is_a_draft_that_an_engineer_completes(world, desk, as_role, clock):
    await desk.connect(customers=[world.customer])
    await desk.push(**ticket(world, serial=None, part_number=None))
    await desk.act()
    engineer = await as_role("engineer", customers=[world.customer])
    (draft,) = (await engineer.get("/v1/drafts", params={"status": "open"})).json()["items"]
    assert (draft["missing"], draft["title"], draft["state"]) == (["serial", "part"], "no picture", "open")
    stranger = await as_role("engineer", customers=["someone-else"])
    assert (await stranger.get("/v1/drafts")).json()["items"] == []
    assert (await stranger.get(f"/v1/drafts/{draft['id']}")).status_code == 404
    arrived = clock.now()
    clock.step(timedelta(minutes=3))
    body = {"device_serial": world.serial, "lines": [{"part_number": world.psu, "quantity": 1, "position": "psu"}]}
    key = {"Idempotency-Key": "complete-1"}
    answer = await engineer.post(f"/v1/drafts/{draft['id']}/complete", json=body, headers=key)
    assert answer.status_code == 201, answer.text
    request = answer.json()
    assert (request["priority"], request["ticket"]["number"]) == ("severe", "4711")
    assert request["received_at"] == arrived.isoformat().replace("+00:00", "Z")
    again = await engineer.post(f"/v1/drafts/{draft['id']}/complete", json=body, headers=key)
    assert (again.status_code, again.content) == (201, answer.content)
    other = await engineer.post(f"/v1/drafts/{draft['id']}/complete", json=body)
    assert (other.status_code, other.json()["code"]) == (409, "draft.not_open")
    await desk.push(**ticket(world, updated_at="2026-11-22T02:05:00Z", priority="critical"))
    await desk.act()
    (shown,) = await desk.requests("4711")
    assert (shown["id"], shown["priority"]) == (request["id"], "emergency")


async def test_a_later_word_from_the_ticket_completes_its_draft_by_itself(world, desk):
    await desk.connect()
    await desk.push(**ticket(world, part_number=None))
    await desk.act()
    await desk.push(**ticket(world, updated_at="2026-11-22T02:05:00Z"))
    await desk.act()
    (request,) = await desk.requests("4711")
    draft = (await desk.api.get(f"/v1/drafts/{(await desk.ticket('4711'))['draft']}")).json()
    assert (draft["state"], draft["request"]) == ("completed", request["id"])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"serial": "no-such-serial"}, "device.not_found"),
        ({"part_number": "no-such-part"}, "part.unknown"),
        ({"quantity": "1000"}, "stock.insufficient"),
        ({"serial": "has blanks in it"}, "fields.bad"),
    ],
)
async def test_what_stands_in_a_request_s_way_is_laid_before_a_person(world, desk, change, problem):
    await desk.connect()
    await desk.push(**ticket(world, **change))
    await desk.act()
    assert await desk.requests("4711") == []
    draft = (await desk.api.get(f"/v1/drafts/{(await desk.ticket('4711'))['draft']}")).json()
    assert (draft["state"], draft["missing"], draft["problem"]["code"]) == ("open", [], problem)
    done = await desk.api.post(f"/v1/drafts/{draft['id']}/discard", json={"reason": "not ours"})
    assert (done.status_code, done.json()["state"]) == (200, "discarded")


async def test_a_canceled_ticket_takes_its_draft_along(world, desk):
    await desk.connect()
    await desk.push(**ticket(world, serial=None))
    await desk.act()
    await desk.push(**ticket(world, serial=None, status="canceled", updated_at="2026-11-22T02:05:00Z"))
    await desk.act()
    draft = (await desk.api.get(f"/v1/drafts/{(await desk.ticket('4711'))['draft']}")).json()
    assert (draft["state"], draft["reason"]) == ("discarded", "ticket_canceled")


async def test_a_connection_acts_inside_its_scope_alone(world, desk):
    await desk.connect(customers=["someone-else"])
    await desk.push(**ticket(world))
    await desk.act()
    assert await desk.requests("4711") == []
    draft = (await desk.api.get(f"/v1/drafts/{(await desk.ticket('4711'))['draft']}")).json()
    assert draft["problem"]["code"] == "device.not_found"


async def test_T58_a_connection_s_secrets_are_written_and_never_read_back(world, desk, engine, capfd):
    canary = "canary-Q0FOQVJZ-secret"
    made_one = await desk.connect(verify_secret=canary, write_secret=canary, base_url="http://127.0.0.1:9")
    given = await desk.api.post(
        f"/v1/connections/{desk.code}/secrets", json={"purpose": "verify", "secret": canary + "2"}
    )
    shown = [json.dumps(made_one), given.text, (await desk.api.get(f"/v1/connections/{desk.code}")).text]
    refused = await desk.api.post(f"/hooks/{desk.code}", content=b"{}", headers={"webhook-signature": "v1," + canary})
    shown.append(refused.text)
    async with reading(engine) as db:
        shown += list((await db.execute(text("SELECT e::text FROM event e"))).scalars())
        shown += list((await db.execute(text("SELECT answer::text FROM idempotency"))).scalars())
    captured = capfd.readouterr()
    assert "Q0FOQVJZ" not in "\n".join([*shown, captured.out, captured.err])
    assert given.json()["verify_secrets"] == 2


async def test_an_old_secret_still_verifies_for_the_overlap(world, desk, clock):
    await desk.connect()
    fresh = {"purpose": "verify", "secret": "whsec_" + "QUJD" * 8, "overlap_minutes": 10}
    await desk.api.post(f"/v1/connections/{desk.code}/secrets", json=fresh)
    assert (await desk.push(**ticket(world))).status_code == 202
    clock.step(timedelta(minutes=11))
    assert (await desk.push(**ticket(world))).status_code == 401


async def test_a_payload_can_be_tried_before_anything_is_connected_to_it(world, desk):
    await desk.connect()
    answer = await desk.api.post(f"/v1/connections/{desk.code}/try", json={"payload": ticket(world)})
    tried = answer.json()
    assert (tried["would"], tried["status"], tried["priority"], tried["missing"]) == ("request", "open", "severe", [])
    assert tried["request"]["lines"][0]["part_number"] == world.psu
    bare = (await desk.api.post(f"/v1/connections/{desk.code}/try", json={"payload": {"number": "1"}})).json()
    assert (bare["would"], bare["missing"]) == ("draft", ["serial", "part"])
    assert await desk.receipts() == []


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"verify": {"kind": "magic"}}, "overrides.verify.kind"),
        ({"verify": {"headr": "x"}}, "overrides.verify"),
        ({"fields": {"serail": ["x"]}}, "overrides.fields.serail"),
        ({"priorities": {"p1": "urgent"}}, "overrides.priorities[...]"),
    ],
)
async def test_a_profile_that_does_not_fit_is_refused_by_name(desk, overrides, field):
    body = {"code": desk.code, "name": "x", "provider": "generic", "overrides": overrides}
    answer = await desk.api.post("/v1/connections", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "connection.profile_bad")
    assert answer.json()["errors"][0]["field"] == field
    unknown = await desk.api.post("/v1/connections", json=body | {"provider": "notes", "overrides": {}})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "connection.provider_unknown")


async def test_a_disabled_or_unknown_connection_takes_nothing(world, desk):
    await desk.connect()
    await desk.api.patch(f"/v1/connections/{desk.code}", json={"state": "disabled"})
    assert (await desk.push(**ticket(world))).status_code == 404
    taken = await desk.api.post("/v1/connections", json={"code": desk.code, "name": "x", "provider": "generic"})
    assert (taken.status_code, taken.json()["code"]) == (409, "connection.code_taken")


async def test_two_workers_on_one_ticket_make_one_request(world, desk, engine, clock):
    await desk.connect()
    for number in range(6):
        await desk.push(**ticket(world, updated_at=f"2026-11-22T02:0{number}:00Z"))
    await asyncio.gather(*(act_on_receipts(engine, clock.now()) for _ in range(4)))
    clock.step(timedelta(minutes=5))
    await desk.act()
    assert len(await desk.requests("4711")) == 1
    assert {one["state"] for one in await desk.receipts()} <= {"done", "ignored"}


def test_costs_are_left_out_of_facts_for_those_who_see_none():
    assert without_cost({"a": [{"net_minor": 1, "b": 2}], "cost": 3}) == {"a": [{"b": 2}]}


async def test_integrations_may_not_set_connections_up(as_role, desk):
    client = await as_role("integration")
    answer = await client.post("/v1/connections", json={"code": "x", "name": "x", "provider": "generic"})
    assert answer.status_code == 403
    assert (await made(desk.api, "/v1/connections", {"code": desk.code, "name": "x", "provider": "zammad"}))["hook"]
