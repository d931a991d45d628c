"""A real Request Tracker 5, five hours behind UTC: told by its scrip or asked by us, its ticket ends resolved."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.integrations.providers import providers
from tests.cast import World, a_world, made
from tests.peers.between import Between, eventually
from tests.peers.request_tracker import RequestTracker
from tests.peers.stage import Stage
from tools.server import fresh_server

pytestmark = pytest.mark.anyio
TOKEN = "a-token-of-the-tests"
ASKED = providers()["request_tracker"]["poll"]["path"] + "%20AND%20Queue%3D'Asked'"


async def a_world_with_desks(api: httpx.AsyncClient, desk: RequestTracker) -> World:
    """A world with stock, and a connection for each of the two queues: one that is told, one that asks."""
    world = await a_world(api)
    await world.receive(world.psu, 50)
    common = {"provider": "request_tracker", "base_url": desk.url, "write_secret": desk.secret}
    await made(api, "/v1/connections", common | {
        "code": "pushed", "name": "RT", "verify_secret": TOKEN, "language": "zh-CN", "overrides": {"poll": None},
    })  # fmt: skip
    polling = {"poll": {"path": ASKED.replace("per_page=100", "per_page=2"), "every_s": 2}}
    await made(api, "/v1/connections", common | {
        "code": "asked", "name": "RT", "verify_secret": "never-used", "overrides": polling,
    })  # fmt: skip
    return world


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, anyio_backend: Any) -> AsyncIterator[Stage[RequestTracker]]:
    with fresh_server(SPARELANE_EGRESS_ALLOW="127.0.0.1/32", SPARELANE_PUBLIC_URL="https://parts.example") as server:
        server.start()
        between = Between(server.url)
        await between.start()
        hook = f"http://127.0.0.1:{between.port}/hooks/pushed"
        desk = RequestTracker(tmp_path_factory.mktemp("rt"), hook, TOKEN)
        try:
            await asyncio.gather(server.ready(), desk.start())
            async with server.admin() as api:
                yield Stage(server, api, await a_world_with_desks(api, desk), desk, between)
        finally:
            desk.stop()
            between.stop()
        checked = await asyncio.to_thread(server.cli, "check")
        assert checked.returncode == 0, checked.stdout
        server.stop()


async def test_a_ticket_told_by_the_documented_scrip_ends_resolved(stage):
    world, desk = stage.world, stage.desk
    ticket = await desk.open_ticket("Pushed", Serial=world.serial, Part=world.psu)
    request = await stage.request_of(ticket, "pushed")
    assert (request["priority"], request["failure"]["description"]) == ("severe", "北门摄像机无图像")
    assert any("在保" in one for one in await stage.told(ticket, world.psu))
    await world.do(request["id"], "answer", method="parts", plan="派人送到")
    await world.do(request["id"], "pick")
    await world.do(request["id"], "dispatch", courier=world.courier)
    await world.do(request["id"], "deliver")
    await world.do(request["id"], "fit", old_part="return")
    await stage.told(ticket, "备件已更换")
    assert (await desk.ticket(ticket))["Status"] == "open"
    await world.do(request["id"], "confirm", operation_normal=True)

    async def resolved() -> bool:
        return bool((await desk.ticket(ticket))["Status"] == "resolved")

    assert await eventually(resolved)
    comments = await desk.comments(ticket)
    places = [
        next(at for at, one in enumerate(comments) if words in one) for words in ("在保", "派人送到", "备件已更换")
    ]
    assert places == sorted(places)
    statuses = [value for kind, value in await desk.kinds(ticket) if kind == "Status"]
    assert statuses == ["open", "resolved"], "resolved once, and not opened again"
    assert stage.between.passed > 0


async def test_tickets_found_by_asking_are_one_delivery_each_whatever_zone_and_order_rt_has(stage):
    world, desk = stage.world, stage.desk
    tickets = [await desk.open_ticket("Asked", Serial=world.serial, Part=world.psu) for _ in range(3)]
    for ticket in tickets:
        await stage.told(ticket, "Promise:")

    async def asked_again() -> bool:
        connection = (await stage.api.get("/v1/connections/asked")).json()
        assert connection["poll_failure"] is None
        return bool(connection["polled_at"] != before)

    before = (await stage.api.get("/v1/connections/asked")).json()["polled_at"]
    await eventually(asked_again)
    receipts = (await stage.api.get("/v1/hook-receipts", params={"connection": "asked", "limit": "200"})).json()[
        "items"
    ]
    editions = {(one["ticket"], one["delivery"].rpartition(":")[0]) for one in receipts}
    assert len(receipts) == len(editions)


async def test_a_rejected_ticket_takes_its_request_along_and_stays_rejected(stage):
    world, desk = stage.world, stage.desk
    ticket = await desk.open_ticket("Asked", Serial=world.serial, Part=world.psu, Priority=50)
    request = await stage.request_of(ticket, "asked")
    assert request["priority"] == "general"
    await stage.told(ticket, "Promise:")
    await desk.change(ticket, Status="rejected")
    await stage.told(ticket, "The request was canceled.")
    shown = (await stage.api.get(f"/v1/part-requests/{request['id']}")).json()
    assert shown["state"] == "canceled"
    assert (await desk.ticket(ticket))["Status"] == "rejected"


async def test_a_ticket_that_says_too_little_is_told_its_link_as_a_comment(stage):
    ticket = await stage.desk.open_ticket("Asked")
    await stage.told(ticket, "https://parts.example/drafts/drf_")
    kinds = {kind for kind, _ in await stage.desk.kinds(ticket)}
    assert "Comment" in kinds
    assert "Correspond" not in kinds, "the requestor is not sent a link for engineers"
