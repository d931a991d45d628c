"""Outbound webhooks: signed, in order, each once or again, whatever the receiver does (T50 to T59)."""

import asyncio
import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from app.core.db import begin, reading
from app.core.egress import Outgoing, egress_of
from app.integrations.jobs.deliver import Post
from app.integrations.jobs.fan_out import fan_out_events
from app.integrations.service.deliveries import at_work, claim
from tests.cast import a_world
from tests.integrations.conftest import Out
from tests.integrations.receiver import drips, floods, never_answers, resets_after_half, says

pytestmark = pytest.mark.anyio
UNREADABLE = text("""
    INSERT INTO verdict (id, installation, device_serial, customer, subject, cause, inputs, outcome, outcome_hash,
        rule_version, calendar_version, supersedes, given_at, given_by)
    SELECT id || 'x', installation, device_serial, customer, subject, cause, inputs, '{}', outcome_hash,
        rule_version, calendar_version, supersedes, given_at, given_by
    FROM verdict WHERE customer = :customer LIMIT 1
""")
TOLD_OF_IT = text("""
    INSERT INTO event (id, type, occurred_at, recorded_at, actor, request_id, subject, subject_version, customer, data,
        after_hash)
    SELECT 'evt_' || v.id, 'verdict.given', now(), now(), 'x', 'x', v.id, 1, v.customer, '{}',
        encode(sha256('{}'), 'hex') FROM verdict v WHERE v.customer = :customer AND v.id LIKE '%x'
""")


def signature_holds(got, secret, at) -> bool:
    """Verified as Standard Webhooks says, at the time of sending."""
    signer = Webhook(secret)
    expected = signer.sign(got.headers["webhook-id"], at, got.body.decode())
    return expected in got.headers["webhook-signature"].split(" ")


async def test_an_accepted_request_is_told_in_the_api_s_shape(world, out, receiver, clock):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    request = await world.ask()
    await out.send()
    (got,) = receiver.got
    told = json.loads(got.body)
    shown = (await world.api.get(f"/v1/part-requests/{request['id']}")).json()
    assert told["data"] == shown
    assert (told["type"], told["subject"]) == ("part_request.accepted", {"id": request["id"], "version": 1})
    assert (got.headers["webhook-id"], got.headers["content-type"]) == (told["id"], "application/json")
    assert signature_holds(got, endpoint["secret"], clock.now())
    assert [one["state"] for one in await out.log(endpoint)] == ["delivered"]


async def test_T50_T51_an_event_exists_with_its_change_or_not_at_all(world, out, receiver, engine):
    endpoint = await out.endpoint(receiver, world)
    refused = await world.api.post("/v1/part-requests", json=world.request(lines=[{"part_number": "x", "quantity": 1}]))
    assert refused.status_code == 422
    await out.send()
    assert receiver.got == []
    await world.ask()
    async with reading(engine) as db:
        waiting = await db.scalar(text("SELECT count(*) FROM event_outbox"))
    assert waiting >= 2
    await out.send()
    assert {one["type"] for one in await out.log(endpoint)} == {"part_request.accepted", "verdict.given"}


async def test_T52_a_lower_number_that_commits_last_is_still_delivered(world, out, receiver, engine):
    endpoint = await out.endpoint(receiver, world, event_types=["stock.counted"])
    insert = text("""
        INSERT INTO event (id, type, occurred_at, recorded_at, actor, request_id, subject, subject_version, customer,
            data, after_hash) VALUES (:id, 'stock.counted', now(), now(), 'x', 'x', :id, 1, :customer, '{}',
            encode(sha256('{}'), 'hex'))
    """)
    names = [f"late-{endpoint['id']}", f"early-{endpoint['id']}"]
    async with engine.connect() as slow:
        transaction = await slow.begin()
        await slow.execute(insert, {"id": names[0], "customer": world.customer})
        async with begin(engine) as db:
            await db.execute(insert, {"id": names[1], "customer": world.customer})
        await out.send()
        assert [got.headers["webhook-id"] for got in receiver.got] == [names[1]]
        await transaction.commit()
    await out.send()
    assert [got.headers["webhook-id"] for got in receiver.got] == [names[1], names[0]]


@pytest.mark.parametrize(
    ("behavior", "status", "failure"),
    [
        (says(500), 500, None),
        (says(404, b"no such thing"), 404, None),
        (says(301, location="http://127.0.0.1:1/inside"), 301, None),
        (says(302, location="http://169.254.169.254/latest"), 302, None),
        (resets_after_half, 200, "broken_answer"),
        (never_answers, None, "timeout"),
        (drips, 200, "timeout"),
        (floods, 200, "answer_too_long"),
    ],
)
async def test_T53_T54_a_bad_answer_is_a_failure_and_the_schedule_goes_on(
    world, out, receiver, clock, behavior, status, failure
):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    await world.ask()
    receiver.answers = [behavior]
    await out.send()
    (first,) = await out.log(endpoint)
    assert (first["state"], first["attempts"], first["last_status"]) == ("pending", 1, status)
    detail = (await out.api.get(f"/v1/webhook-deliveries/{first['id']}")).json()
    assert [(one["status"], one["failure"]) for one in detail["attempts"]] == [(status, failure)]
    await out.send()
    assert len(receiver.got) == 1
    clock.step(timedelta(seconds=6))
    await out.send()
    assert (await out.log(endpoint))[0]["state"] == "delivered"
    assert receiver.got[0].body == receiver.got[1].body
    assert receiver.got[0].headers["webhook-id"] == receiver.got[1].headers["webhook-id"]
    assert receiver.got[0].headers["webhook-timestamp"] != receiver.got[1].headers["webhook-timestamp"]


async def test_T54_gone_disables_the_endpoint_and_says_so(world, out, receiver, new_receiver, api):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    overseer = await new_receiver()
    await out.endpoint(overseer, world, event_types=["webhook.endpoint_disabled"])
    receiver.always = says(410)
    await world.ask()
    await world.ask()
    await out.send()
    await out.send()
    shown = (await api.get(f"/v1/webhook-endpoints/{endpoint['id']}")).json()
    assert (shown["state"], shown["disabled_reason"], shown["pending"]) == ("disabled", "gone", 0)
    assert {one["state"] for one in await out.log(endpoint)} <= {"dead", "canceled"}
    notice = json.loads(overseer.got[0].body)
    assert (notice["subject"]["id"], notice["facts"]) == (endpoint["id"], {"reason": "gone"})


@pytest.mark.parametrize(
    ("asked", "waits_s"),
    [("3600", 3600), ("1000000000", 24 * 3600), ("Sun, 22 Nov 2026 03:00:00 GMT", 3600), ("soon", None)],
)
async def test_T54_retry_after_is_honored_up_to_a_day_and_rests_the_endpoint(
    world, out, receiver, clock, asked, waits_s
):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    receiver.answers = [says(429, retry_after=asked)]
    await world.ask()
    await out.send()
    (first,) = await out.log(endpoint)
    expected = clock.now() + timedelta(seconds=waits_s or 5)
    allowed = timedelta(0) if waits_s else timedelta(seconds=0.6)
    assert abs(_instant(first["next_at"]) - expected) <= allowed
    await world.ask()
    await out.send()
    assert len(receiver.got) == 1, "the whole endpoint rests"
    clock.set(expected + timedelta(seconds=1))
    await out.send()
    assert {one["state"] for one in await out.log(endpoint)} == {"delivered"}


def _instant(given):
    return datetime.fromisoformat(given)


async def test_after_days_of_failure_a_delivery_is_dead_and_can_be_replayed(world, out, receiver, clock, api):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    receiver.always = says(503)
    await world.ask()
    for _ in range(12):
        await out.send()
        clock.step(timedelta(hours=27))
    (dead,) = await out.log(endpoint)
    assert (dead["state"], dead["attempts"], dead["reason"]) == ("dead", 12, "http_503")
    assert (await api.get(f"/v1/webhook-endpoints/{endpoint['id']}")).json()["disabled_reason"] == "failing"
    receiver.always = says(200)
    assert (await api.post(f"/v1/webhook-deliveries/{dead['id']}/replay")).status_code == 409
    await api.post(f"/v1/webhook-endpoints/{endpoint['id']}/enable")
    assert (await api.post(f"/v1/webhook-deliveries/{dead['id']}/replay")).status_code == 200
    await out.send()
    assert (await out.log(endpoint))[0]["state"] == "delivered"
    assert len({(got.headers["webhook-id"], got.body) for got in receiver.got}) == 1


async def test_T55_one_event_that_cannot_be_told_is_parked_and_its_neighbors_go_out(apart, receiver, clock):
    api, engine = apart
    world = await a_world(api)
    await world.receive(world.psu, 5)
    async with Outgoing(egress_of("127.0.0.0/8")) as outgoing:
        out = Out(api, engine, clock, Post(outgoing))
        endpoint = await out.endpoint(receiver, world, event_types=["verdict.given", "part_request.accepted"])
        await world.ask()
        async with begin(engine) as db:  # a verdict whose stored outcome this release cannot read
            await db.execute(UNREADABLE, {"customer": world.customer})
            await db.execute(TOLD_OF_IT, {"customer": world.customer})
        await world.ask()
        await out.send()
        states = [(one["type"], one["state"], one["reason"]) for one in await out.log(endpoint)]
    assert [one for one in states if one[1] != "delivered"] == [("verdict.given", "dead", "unserializable")]
    assert len(receiver.got) == 4
    dead = "SELECT count(*) FROM event WHERE type = 'webhook.delivery_dead' AND data ->> 'endpoint' = :e"
    async with reading(engine) as db:
        told = await db.scalar(text(dead), {"e": endpoint["id"]})
    assert told == 1


async def test_T56_a_dead_endpoint_with_many_waiting_holds_up_nobody(world, out, receiver, new_receiver, clock):
    dead, healthy = await new_receiver(), receiver
    dead.always = never_answers
    await out.endpoint(dead, world, event_types=["part_request.noted"])
    endpoint = await out.endpoint(healthy, world, event_types=["part_request.accepted"])
    request = (await world.ask())["id"]
    for number in range(30):
        await world.do(request, "notes", text=f"note {number}")
    await out.send()
    assert (await out.log(endpoint))[0]["state"] == "delivered"
    assert len(dead.got) <= 1, "a subject's second event waits for its first"


async def test_a_subject_s_events_come_in_order_and_a_failed_one_is_waited_for(world, out, receiver, clock):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted", "part_request.noted"])
    first, second = (await world.ask())["id"], (await world.ask())["id"]
    for number in range(3):
        await world.do(first, "notes", text=f"{number}")
    receiver.answers = [says(500)]
    await out.send()
    by_subject = {}
    for got in receiver.got:
        told = json.loads(got.body)
        by_subject.setdefault(told["subject"]["id"], []).append(told["subject"]["version"])
    assert by_subject in ({first: [1], second: [1]}, {first: [1, 2, 3, 4], second: [1]})
    clock.step(timedelta(seconds=6))
    await out.send()
    sequence = [int(got.headers["sparelane-sequence"]) for got in receiver.got if first in got.body.decode()]
    assert sequence == sorted(sequence)
    assert sorted(set(sequence)) == [1, 2, 3, 4]
    assert {one["state"] for one in await out.log(endpoint)} == {"delivered"}


async def test_T57_during_a_rotation_both_secrets_sign_and_after_it_only_the_new(world, out, receiver, clock, api):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    made = (await api.post(f"/v1/webhook-endpoints/{endpoint['id']}/rotate", json={"overlap_minutes": 60})).json()
    assert made["secret"] != endpoint["secret"]
    await world.ask()
    await out.send()
    assert signature_holds(receiver.got[0], endpoint["secret"], clock.now())
    assert signature_holds(receiver.got[0], made["secret"], clock.now())
    clock.step(timedelta(minutes=61))
    await world.ask()
    await out.send()
    assert not signature_holds(receiver.got[1], endpoint["secret"], clock.now())
    assert signature_holds(receiver.got[1], made["secret"], clock.now())


async def test_T58_a_secret_is_shown_once_and_found_nowhere_else(world, out, receiver, engine, api, capfd):
    canary = "whsec_" + "Q0FOQVJZ" * 5
    answer = await api.post("/v1/webhook-endpoints", json={"url": receiver.url + "?token=canary-in-url",
                            "customers": [world.customer], "secret": canary})  # fmt: skip
    endpoint = answer.json()["endpoint"]
    assert answer.json()["secret"] == canary
    receiver.always = says(500, canary.encode())
    await world.ask()
    await out.send()
    delivery = (await out.log(endpoint))[0]["id"]
    shown = [
        (await api.get(path)).text
        for path in ("/v1/webhook-endpoints", f"/v1/webhook-endpoints/{endpoint['id']}", "/v1/webhook-deliveries",
                     f"/v1/webhook-deliveries/{delivery}")
    ]  # fmt: skip
    async with reading(engine) as db:
        shown += list((await db.execute(text("SELECT data::text FROM event"))).scalars())
        shown += list((await db.execute(text("SELECT encode(body, 'escape') FROM webhook_delivery"))).scalars())
        shown += list((await db.execute(text("SELECT a::text FROM webhook_attempt a"))).scalars())
    captured = capfd.readouterr()
    everything = "\n".join([*shown, captured.out, captured.err])
    assert "Q0FOQVJZ" not in everything
    assert all("Q0FOQVJZ" not in str(got.headers) + got.body.decode() for got in receiver.got)
    about = text("SELECT data::text FROM event WHERE subject = :s")
    async with reading(engine) as db:
        audited = list((await db.execute(about, {"s": endpoint["id"]})).scalars())
    assert audited
    assert "canary-in-url" not in "".join(audited)


async def test_T59_an_endpoint_deleted_in_flight_stops_cleanly(world, out, receiver, api):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    released = asyncio.Event()

    async def waits(writer):
        await released.wait()
        await says(200)(writer)

    receiver.answers = [waits]
    await world.ask()
    sending = asyncio.create_task(out.send())
    await receiver.arrived.wait()
    assert (await api.delete(f"/v1/webhook-endpoints/{endpoint['id']}")).status_code == 200
    released.set()
    assert await sending == 1
    assert (await api.get(f"/v1/webhook-endpoints/{endpoint['id']}")).status_code == 404
    await world.ask()
    await out.send()
    assert len(receiver.got) == 1


async def test_T59_a_span_is_replayed_with_the_same_ids_and_audited(world, out, receiver, clock, api, engine):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    await world.ask()
    await world.ask()
    await out.send()
    span = {"since": (clock.now() - timedelta(hours=1)).isoformat()}
    clock.step(timedelta(minutes=5))
    answer = await api.post(f"/v1/webhook-endpoints/{endpoint['id']}/replay", json=span)
    assert answer.json() == {"replayed": 2}
    await out.send()
    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert sorted(ids[:2]) == sorted(ids[2:])
    stamps = {got.headers["webhook-timestamp"] for got in receiver.got}
    assert len(stamps) == 2
    replays = text("SELECT count(*) FROM event WHERE type = 'webhook.endpoint_replayed' AND subject = :s")
    async with reading(engine) as db:
        audited = await db.scalar(replays, {"s": endpoint["id"]})
    assert audited == 1


async def test_a_ping_is_signed_and_logged(world, out, receiver, api, clock):
    endpoint = await out.endpoint(receiver, world)
    answer = await api.post(f"/v1/webhook-endpoints/{endpoint['id']}/ping")
    assert answer.status_code == 201
    await out.send()
    assert signature_holds(receiver.got[0], endpoint["secret"], clock.now())
    detail = (await api.get(f"/v1/webhook-deliveries/{answer.json()['delivery']}")).json()
    assert (detail["delivery"]["state"], detail["attempts"][0]["status"]) == ("delivered", 204)


async def test_T135_an_integration_sees_its_own_endpoints_and_its_scope_s_events_alone(
    world, out, receiver, new_receiver, as_role, api
):
    other = await a_world(api)
    await other.receive(other.psu, 5)
    mine = await as_role("integration", customers=[world.customer])
    answer = await mine.post("/v1/webhook-endpoints", json={"url": receiver.url})
    assert answer.status_code == 201
    assert answer.json()["endpoint"]["customers"] == [world.customer]
    wider = await mine.post("/v1/webhook-endpoints", json={"url": receiver.url, "customers": [other.customer]})
    assert (wider.status_code, wider.json()["code"]) == (403, "webhook.wider_than_key")
    inside = await mine.post("/v1/webhook-endpoints", json={"url": receiver.url, "event_types": ["recovery.opened"]})
    assert (inside.status_code, inside.json()["code"]) == (422, "webhook.type_unknown")
    await world.ask()
    await other.ask()
    await out.send()
    assert {json.loads(got.body)["customer"] for got in receiver.got} == {world.customer}
    assert all(json.loads(got.body)["data"].get("lines", [{"cost": None}])[0]["cost"] is None for got in receiver.got)
    foreign = await out.endpoint(await new_receiver(), world)
    for path in (
        f"/v1/webhook-endpoints/{foreign['id']}",
        "/v1/webhook-endpoints/whe_00000000000000000000000000000000",
    ):
        hidden = await mine.get(path)
        assert (hidden.status_code, hidden.json()["code"]) == (404, "webhook.endpoint_not_found")
    assert [one["id"] for one in (await mine.get("/v1/webhook-endpoints")).json()["items"]] == [
        answer.json()["endpoint"]["id"]
    ]


async def test_an_endpoint_whose_key_was_ended_gets_nothing_more(world, out, receiver, api):
    made = (await api.post("/v1/keys", json={"name": "helpdesk", "role": "integration",
                                             "customers": [world.customer]})).json()  # fmt: skip
    headers = {"Authorization": f"Bearer {made['key']}"}
    endpoint = (await api.post("/v1/webhook-endpoints", json={"url": receiver.url}, headers=headers)).json()["endpoint"]
    await api.post(f"/v1/keys/{made['details']['id']}/revoke")
    await world.ask()
    await out.send()
    assert receiver.got == []
    shown = (await api.get(f"/v1/webhook-endpoints/{endpoint['id']}")).json()
    assert (shown["state"], shown["disabled_reason"]) == ("disabled", "key_ended")


async def test_IO6_two_workers_never_hold_one_delivery_at_once_and_a_broken_off_one_is_taken_up(
    world, out, receiver, engine, clock
):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    for _ in range(12):
        await world.ask()
    await fan_out_events(engine, clock.now())
    async with Outgoing(egress_of("127.0.0.0/8")) as outgoing:
        posts = [Post(outgoing) for _ in range(4)]
        tried = await asyncio.gather(*(one.deliver(engine, clock) for one in posts))
    assert sum(tried) == 12
    assert len({got.headers["webhook-id"] for got in receiver.got}) == len(receiver.got) == 12
    receiver.answers = [never_answers]
    receiver.arrived.clear()
    await world.ask()
    await fan_out_events(engine, clock.now())
    dying = asyncio.create_task(out.post.deliver(engine, clock))
    await receiver.arrived.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await out.send()
    assert {one["state"] for one in await out.log(endpoint)} == {"delivered"}


async def test_changes_need_the_version_they_were_made_on(world, out, receiver, api):
    endpoint = await out.endpoint(receiver, world)
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    stale = await api.patch(path, json={"description": "x"}, headers={"If-Match": "7"})
    assert (stale.status_code, stale.json()["code"]) == (412, "version.stale")
    changed = await api.patch(path, json={"event_types": ["charge.made"]}, headers={"If-Match": "1"})
    assert (changed.json()["event_types"], changed.json()["version"], changed.json()["url"]) == (
        ["charge.made"],
        2,
        receiver.url,
    )
    off = await api.post(path + "/disable", json={"reason": "maintenance"})
    assert (off.json()["state"], off.json()["disabled_reason"]) == ("disabled", "maintenance")
    assert (await api.post(path + "/ping")).json()["code"] == "webhook.not_active"
    kept = await api.post("/v1/webhook-endpoints", json={"url": receiver.url}, headers={"Idempotency-Key": "k"})
    assert (kept.status_code, kept.json()["code"]) == (400, "idempotency.not_here")


async def test_what_happens_while_an_endpoint_is_disabled_is_kept_and_sent_first_when_it_is_enabled(
    world, out, receiver, api
):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted", "part_request.noted"])
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    request = (await world.ask())["id"]
    await api.post(path + "/disable", json={"reason": "maintenance"})
    await world.do(request, "notes", text="meanwhile")
    await out.send()
    assert receiver.got == []
    enabled = await api.post(path + "/enable", json={"replay": True})
    assert (enabled.status_code, enabled.json()["state"]) == (200, "active")
    await world.do(request, "notes", text="after")
    await out.send()
    assert [int(got.headers["sparelane-sequence"]) for got in receiver.got] == [1, 2, 3]


async def test_what_a_killed_worker_had_is_free_at_once(world, out, receiver, engine, clock):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    await world.ask()
    await fan_out_events(engine, clock.now())
    async with at_work(engine) as number, begin(engine) as db:
        assert len(await claim(db, worker=number, each=16, few=2, most=100, now=clock.now())) == 1
    await out.send()  # the lease still runs; its worker is gone
    assert [(one["state"], one["attempts"]) for one in await out.log(endpoint)] == [("delivered", 2)]
