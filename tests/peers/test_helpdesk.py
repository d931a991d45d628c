"""A real django-helpdesk: its ticket becomes a request, every step flows back into it, whatever fails between."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.cast import a_world, made
from tests.peers.between import Between, eventually
from tests.peers.helpdesk import ROBOT, Helpdesk
from tests.peers.stage import Stage
from tools.server import fresh_server

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def stage(
    helpdesk_python: Path, tmp_path_factory: pytest.TempPathFactory, anyio_backend: Any
) -> AsyncIterator[Stage[Helpdesk]]:
    with fresh_server(SPARELANE_EGRESS_ALLOW="127.0.0.1/32", SPARELANE_PUBLIC_URL="https://parts.example") as server:
        server.start()
        await server.ready()
        between = Between(server.url)
        await between.start()
        hook = f"http://desk:desk-password@127.0.0.1:{between.port}/hooks/helpdesk"
        desk = Helpdesk(helpdesk_python, tmp_path_factory.mktemp("helpdesk"), hook)
        async with server.admin() as api:
            try:
                await desk.start()
                world = await a_world(api)
                await world.receive(world.psu, 50)
                await made(api, "/v1/connections", {
                    "code": "helpdesk", "name": "Helpdesk", "provider": "django_helpdesk", "base_url": desk.url,
                    "overrides": {"poll": {"every_s": 2}}, "verify_secret": "desk:desk-password",
                    "write_secret": ":".join(ROBOT),
                })  # fmt: skip
                yield Stage(server, api, world, desk, between)
            finally:
                desk.stop()
                between.stop()
        checked = await asyncio.to_thread(server.cli, "check")
        assert checked.returncode == 0, checked.stdout
        server.stop()


@pytest.fixture
def calm(stage: Stage[Helpdesk]) -> Stage[Helpdesk]:
    stage.between.mode = "pass"
    return stage


async def test_from_ticket_to_closed_ticket_with_the_server_killed_between(calm):
    stage, world = calm, calm.world
    ticket = await stage.desk.open_ticket(custom_serial=world.serial, custom_part=world.psu)
    request = await stage.request_of(ticket)
    assert (request["priority"], request["ticket"]["number"]) == ("severe", str(ticket))
    promise = "\n".join(await stage.told(ticket, "Promise: replaced by"))
    assert world.psu in promise
    assert "Under warranty: free of charge." in promise
    assert f"https://parts.example/requests/{request['id']}" in promise
    await world.do(request["id"], "answer", method="parts", plan="a courier brings it")
    await world.do(request["id"], "pick")
    await stage.killed_and_started()
    courier = (await stage.api.get("/v1/couriers")).json()["items"][0]["code"]
    await world.do(request["id"], "dispatch", courier=courier)
    await stage.told(ticket, f"On its way with {courier}")
    await world.do(request["id"], "deliver")
    await world.do(request["id"], "fit", old_part="return")
    await stage.killed_and_started()
    await world.do(request["id"], "confirm", operation_normal=True)
    comments = await stage.told(ticket, "It works again")
    expected = [
        "Promise:",
        "We are on it. a courier brings it",
        "Picked:",
        "On its way",
        "at the site",
        "is fitted",
        "It works again",
    ]
    places = [next(at for at, one in enumerate(comments) if words in one) for words in expected]
    assert places == sorted(places), "in the order in which it happened"
    closed = await stage.desk.ticket(ticket)
    assert (closed["status"], closed["title"]) == (4, "Camera shows no picture")
    shown = (await stage.api.get(f"/v1/part-requests/{request['id']}")).json()
    assert shown["state"] == "confirmed"


async def test_webhooks_repeated_and_shuffled_end_as_in_order(calm):
    stage, world = calm, calm.world
    stage.between.mode = "hold"
    ticket = await stage.desk.open_ticket(custom_serial=world.serial, custom_part=world.psu, priority=3)
    await stage.desk.change(ticket, priority=1)
    await stage.desk.follow_up(ticket, "it is urgent now")
    await stage.desk.follow_up(ticket, "please hurry")
    assert set(await stage.between.release_backwards()) == {202}
    stage.between.mode = "twice"
    await stage.desk.follow_up(ticket, "any news?")
    request = await stage.request_of(ticket)

    async def emergency() -> bool:
        return (await stage.request_of(ticket))["priority"] == "emergency"

    assert await eventually(emergency)
    found = (await stage.api.get("/v1/part-requests", params={"ticket": f"helpdesk:{ticket}"})).json()["items"]
    assert [one["id"] for one in found] == [request["id"]]


@pytest.mark.parametrize("how", ["refused", "server down"])
async def test_a_webhook_that_never_arrived_is_made_up_for_by_asking(calm, how):
    stage, world = calm, calm.world
    stage.between.mode = {"refused": "refuse", "server down": "pass"}[how]
    {"refused": lambda: None, "server down": stage.server.kill}[how]()
    ticket = await stage.desk.open_ticket(custom_serial=world.serial, custom_part=world.psu)
    stage.between.mode = "refuse"
    {"refused": lambda: None, "server down": stage.server.start}[how]()
    await stage.server.ready()
    request = await stage.request_of(ticket)
    assert request["device_serial"] == world.serial
    assert await stage.told(ticket, "Promise:")


async def test_a_ticket_that_says_too_little_is_completed_by_an_engineer_from_its_link(calm):
    stage, world = calm, calm.world
    ticket = await stage.desk.open_ticket()
    comments = await stage.told(ticket, "https://parts.example/drafts/drf_")
    assert any("Which part?" in one for one in comments)
    draft = "drf_" + next(one for one in comments if "drf_" in one).split("drf_")[1].split()[0]
    body = {"device_serial": world.serial, "lines": [{"part_number": world.psu, "quantity": 1, "position": "psu"}]}
    answer = await stage.api.post(f"/v1/drafts/{draft}/complete", json=body)
    assert answer.status_code == 201, answer.text
    assert await stage.told(ticket, "Promise:")


async def test_a_ticket_closed_as_a_duplicate_takes_its_request_along(calm):
    stage, world = calm, calm.world
    ticket = await stage.desk.open_ticket(custom_serial=world.serial, custom_part=world.psu)
    request = await stage.request_of(ticket)
    await stage.desk.follow_up(ticket, "the same as another", new_status=5)
    await stage.told(ticket, "The request was canceled.")
    shown = (await stage.api.get(f"/v1/part-requests/{request['id']}")).json()
    assert shown["state"] == "canceled"
