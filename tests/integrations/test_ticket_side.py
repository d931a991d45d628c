"""The ticket's side: what is written back and how it fails, and asking systems that cannot push."""

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.db import reading
from app.core.egress import Outgoing, egress_of
from app.integrations.jobs.poll import poll_connections, so_long_ago
from app.integrations.jobs.write_back import filled
from tests.integrations.receiver import never_answers, says

pytestmark = pytest.mark.anyio
ZAMMAD = {"provider": "zammad", "write_secret": "token-of-the-robot", "verify_secret": "unused-secret"}


async def test_each_step_is_told_once_in_order_with_times_in_the_sites_zone(world, desk, out, receiver):
    await desk.connect(**ZAMMAD, base_url=receiver.url)
    request = (await world.ask(ticket={"system": desk.code, "number": "10081"}))["id"]
    await world.do(request, "pick")
    await world.do(request, "dispatch", carrier="SF", waybill="SF1")
    await world.do(request, "cancel", status=409)
    await out.send()
    told = [json.loads(got.body)["article"]["body"] for got in receiver.got]
    assert [got.path for got in receiver.got] == ["/hook/api/v1/tickets/10081"] * 2
    assert {got.headers["authorization"] for got in receiver.got} == {"Token token=token-of-the-robot"}
    assert "(Asia/Shanghai)" in told[0]
    assert told[0].startswith(f"Spare part request {request}")
    assert told[1].startswith("On its way with SF SF1.")
    await out.send()
    assert len(receiver.got) == 2


async def test_a_ticket_system_that_is_away_gets_everything_later_and_a_gone_ticket_stops_only_itself(
    world, desk, out, receiver, clock, engine
):
    await desk.connect(**ZAMMAD, base_url=receiver.url)
    gone = (await world.ask(ticket={"system": desk.code, "number": "gone"}))["id"]
    receiver.answers = [says(410), says(404), says(404)]
    for _ in range(3):
        await out.send()
        clock.step(timedelta(minutes=10))
    receiver.answers = [says(500), never_answers]
    fine = (await world.ask(ticket={"system": desk.code, "number": "fine"}))["id"]
    for _ in range(3):
        await out.send()
        clock.step(timedelta(minutes=10))
    async with reading(engine) as db:
        rows = await db.execute(
            text("""SELECT d.subject, d.state, d.attempts FROM webhook_delivery d
                    JOIN webhook_endpoint e ON e.id = d.endpoint WHERE e.connection = :c ORDER BY d.id"""),
            {"c": desk.code},
        )
        assert [tuple(row) for row in rows] == [(gone, "dead", 3), (fine, "delivered", 3)]
    assert (await desk.api.get(f"/v1/connections/{desk.code}")).json()["writes_back"] is True
    assert len({got.body for got in receiver.got if got.path.endswith("fine")}) == 1


async def test_a_disabled_connection_writes_nothing_and_a_request_of_another_system_is_not_its_own(
    world, desk, out, receiver
):
    await desk.connect(**ZAMMAD, base_url=receiver.url)
    await world.ask(ticket={"system": "another", "number": "1"})
    await world.ask()
    await out.send()
    assert receiver.got == []
    await desk.api.patch(f"/v1/connections/{desk.code}", json={"state": "disabled"})
    await world.ask(ticket={"system": desk.code, "number": "2"})
    await out.send()
    assert receiver.got == []


async def test_a_reader_of_the_ticket_sees_no_cost(world, desk, out, receiver):
    await desk.connect(**ZAMMAD, base_url=receiver.url)
    failure = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "customer", "system_stopped": True}
    await world.ask(ticket={"system": desk.code, "number": "1"}, failure=failure)
    await out.send()
    words = json.loads(receiver.got[0].body)["article"]["body"]
    assert "Not covered by warranty: 98.50 CNY." in words


async def test_one_more_call_is_laid_over_a_profile_s_own_and_one_is_taken_away(world, desk, out, receiver):
    done = {
        "on": ["part_request.confirmed"], "path": "/rest/api/3/issue/{number}/transitions",
        "body": {"transition": {"id": "31"}},
    }  # fmt: skip
    await desk.connect(
        provider="jira_service_management", verify_secret="unused-secret", write_secret="robot:token",
        base_url=receiver.url, overrides={"write_back": {"done": done, "link": None}},
    )  # fmt: skip
    request = (await world.ask(ticket={"system": desk.code, "number": "SUP-42"}))["id"]
    for verb, body in (("pick", {}), ("dispatch", {"courier": world.courier}), ("deliver", {}), ("fit", {})):
        await world.do(request, verb, **body)
    await world.do(request, "confirm", operation_normal=True)
    await out.send()
    called = [(got.path.removeprefix("/hook/rest/api/3/issue/SUP-42/"), json.loads(got.body)) for got in receiver.got]
    assert [path for path, _ in called] == ["comment"] * 5 + ["transitions"]
    assert called[-1] == ("transitions", {"transition": {"id": "31"}})


async def test_calls_that_are_listed_are_the_only_ones(world, desk, out, receiver):
    only = {"name": "told", "on": ["part_request.*"], "path": "/told", "body": {"event": "{event}"}}
    await desk.connect(**ZAMMAD, base_url=receiver.url, overrides={"write_back": [only]})
    await world.ask(ticket={"system": desk.code, "number": "7"})
    await out.send()
    assert [(got.path, json.loads(got.body)) for got in receiver.got] == [
        ("/hook/told", {"event": "part_request.accepted"})
    ]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{text}", "a {link} b"),
        ("/t/{number}/{id}", "/t/7/{text}"),
        ("{unknown} {text", "{unknown} {text"),
        ("", ""),
    ],
)
def test_holes_are_filled_once_and_other_braces_stay(template, expected):
    assert filled(template, {"text": "a {link} b", "number": "7", "id": "{text}", "link": "L"}) == expected


def incident(world, number, count, **changes):
    return {
        "sys_id": f"id-{number}", "number": number, "short_description": "no picture", "state": "1", "priority": "2",
        "sys_mod_count": str(count), "u_serial": world.serial, "u_part_number": world.psu, **changes,
    }  # fmt: skip


def page(*rows, **more):
    return says(200, json.dumps({"result": list(rows), **more}).encode(), content_type="application/json")


@pytest.fixture
async def asking(engine, clock):
    async with Outgoing(egress_of("127.0.0.0/8"), total_s=1.5) as outgoing:

        async def ask() -> int:
            return await poll_connections(engine, outgoing, clock.now())

        yield ask


async def test_a_system_that_cannot_push_is_asked_and_each_edition_is_one_delivery(
    world, desk, receiver, clock, asking
):
    await desk.connect(
        provider="servicenow", base_url=receiver.url, write_secret="robot:password", verify_secret="x" * 8
    )
    receiver.answers = [page(incident(world, "INC1", 0), incident(world, "INC2", 0))]
    assert await asking() == 2
    await desk.act()
    assert (len(await desk.requests("INC1")), len(await desk.requests("INC2"))) == (1, 1)
    assert receiver.got[0].path.startswith("/hook/api/now/table/incident?sysparm_limit=100")
    assert "2026-11-22%2001%3A58%3A00" in receiver.got[0].path
    assert await asking() == 0, "not its turn yet"
    assert len(receiver.got) == 1
    clock.step(timedelta(minutes=1))
    receiver.answers = [page(incident(world, "INC1", 0), incident(world, "INC2", 1, state="8"))]
    assert await asking() == 1
    await desk.act()
    assert (await desk.requests("INC2"))[0]["state"] == "canceled"
    assert "2026-11-22%2001%3A58%3A00" in receiver.got[1].path, "a little before the last time asked"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ({"seconds": 0}, "1 minutes ago"),
        ({"seconds": 61}, "2 minutes ago"),
        ({"minutes": 999}, "999 minutes ago"),
        ({"minutes": 999, "seconds": 1}, "18 hours ago"),
        ({"hours": 998}, "999 hours ago"),
        ({"hours": 999}, "43 days ago"),
        ({"days": 4000}, "999 days ago"),
    ],
)
def test_how_long_ago_is_said_in_three_digits_and_never_too_short(span, said):
    assert so_long_ago(timedelta(**span)) == said


async def test_a_system_that_lists_fields_in_another_order_each_time_shows_the_same_edition(
    desk, receiver, clock, asking
):
    await desk.connect(
        provider="request_tracker", base_url=receiver.url, write_secret="1-27-secret", verify_secret="x" * 8
    )
    fields = [{"name": name, "values": [f"no such {name}"]} for name in ("Serial", "Part", "Quantity")]
    for times, order in enumerate((fields, fields[::-1], fields[1:] + fields[:1])):
        ticket = {
            "id": "1",
            "Subject": "dark",
            "Status": "new",
            "LastUpdated": "2026-11-22T01:59:00Z",
            "CustomFields": order,
        }
        receiver.answers = [says(200, json.dumps({"items": [ticket]}).encode(), content_type="application/json")]
        assert await asking() == (times == 0)
        clock.step(timedelta(minutes=1))
    assert len(await desk.receipts()) == 1
    asked = [got.path.rpartition("%3E%3D")[2] for got in receiver.got]
    assert asked == ["'2%20minutes%20ago'", "'3%20minutes%20ago'", "'3%20minutes%20ago'"]


async def test_pages_are_followed_on_the_host_we_ask_whatever_it_calls_itself(world, desk, receiver, asking):
    overrides = {"poll": {"next": "next"}}
    await desk.connect(provider="servicenow", base_url=receiver.url, write_secret="robot:password", overrides=overrides)
    receiver.answers = [
        page(incident(world, "INC1", 0), next=f"{receiver.url}/more?page=2"),
        page(incident(world, "INC2", 0), next="https://desk.example/hook/more?page=3"),
        page(incident(world, "INC3", 0), next="http://[broken"),
    ]
    assert await asking() == 3
    paths = [got.path.split("?")[0] for got in receiver.got]
    assert paths == ["/hook/api/now/table/incident", "/hook/more", "/hook/more"]


@pytest.mark.parametrize(
    ("behavior", "why"),
    [(says(500), "http_500"), (says(200, b"<html>"), "not_json"), (never_answers, "timeout"), (says(302), "http_302")],
)
async def test_one_that_does_not_answer_is_asked_again_later_and_shown(
    world, desk, receiver, clock, asking, behavior, why
):
    await desk.connect(provider="servicenow", base_url=receiver.url, write_secret="robot:password")
    receiver.answers = [behavior]
    assert await asking() == 0
    assert (await desk.api.get(f"/v1/connections/{desk.code}")).json()["poll_failure"] == why
    clock.step(timedelta(seconds=61))
    assert await asking() == 0
    assert len(receiver.got) == 1, "later and later"
    clock.step(timedelta(seconds=60))
    receiver.answers = [page(incident(world, "INC1", 0))]
    assert await asking() == 1
    assert (await desk.api.get(f"/v1/connections/{desk.code}")).json()["poll_failure"] is None


async def test_IO6_two_workers_do_not_ask_at_once(world, desk, receiver, asking):
    await desk.connect(provider="servicenow", base_url=receiver.url, write_secret="robot:password")
    receiver.always = page(incident(world, "INC1", 0))
    assert sorted(await asyncio.gather(asking(), asking())) == [0, 1]
    assert len(receiver.got) == 1
