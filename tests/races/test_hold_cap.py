"""T148: what one system may hold at once, counted right at the border however many ask at the same time."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from app.accounts.rules import Actor
from app.core.db import begin
from app.core.settings import Settings
from app.fulfillment.service.capping import HOLDING
from tests.cast import World, a_world

pytestmark = pytest.mark.anyio
CAP = int(Settings().key_holds)


@pytest.fixture
async def world(api) -> World:
    world = await a_world(api)
    await world.receive(world.psu, CAP * 3)
    return world


async def ask(client, world, quantity: int = 1):
    lines = [{"part_number": world.psu, "quantity": quantity}]
    return await client.post("/v1/part-requests", json=world.request(lines=lines))


async def test_T148_two_at_the_border_do_not_pass_it_together(world, as_role):
    desk = await as_role("integration", customers=[world.customer])
    assert (await ask(desk, world, CAP - 2)).status_code == 201
    answers = await asyncio.gather(*(ask(desk, world) for _ in range(8)))
    assert Counter(one.status_code for one in answers) == {201: 2, 409: 6}
    refused = next(one.json() for one in answers if one.status_code == 409)
    assert (refused["code"], refused["facts"]) == ("holds.full", {"holding": CAP, "asked": 1, "cap": CAP})
    assert "SPARELANE_KEY_HOLDS" in refused["detail"]
    level = (await world.api.get("/v1/stock", params={"part": world.psu})).json()["items"][0]
    assert level["reserved"] == CAP


async def test_T148_what_is_picked_or_canceled_is_no_longer_held(world, as_role):
    desk = await as_role("integration", customers=[world.customer])
    big, small = [(await ask(desk, world, quantity)).json()["id"] for quantity in (CAP - 1, 1)]
    assert (await ask(desk, world)).json()["code"] == "holds.full"
    await world.do(small, "pick", scanned=world.psu)
    assert (await ask(desk, world)).status_code == 201
    assert (await ask(desk, world)).json()["code"] == "holds.full"
    await world.do(big, "cancel")
    assert (await ask(desk, world, CAP - 1)).status_code == 201


async def test_T148_one_s_holds_are_no_other_s_and_people_have_no_cap(world, as_role):
    desk, other = [await as_role("integration", customers=[world.customer]) for _ in range(2)]
    assert (await ask(desk, world, CAP)).status_code == 201
    assert (await ask(desk, world)).status_code == 409
    assert (await ask(other, world)).status_code == 201
    assert (await ask(world.api, world, CAP + 1)).status_code == 201


async def test_T148_asking_for_more_than_the_cap_in_one_request_is_refused(world, as_role):
    desk = await as_role("integration", customers=[world.customer])
    halves = [{"part_number": world.psu, "quantity": CAP // 2 + 1}] * 2
    refused = await desk.post("/v1/part-requests", json=world.request(lines=halves))
    assert (refused.status_code, refused.json()["code"]) == (409, "holds.full")


def test_a_connection_is_a_system_as_a_key_is():
    assert Actor(id="connection:desk", name="desk", role="dispatcher").is_system
    assert Actor(id="key_1", name="desk", role="integration").is_system
    assert not Actor(id="key_1", name="board", role="dispatcher").is_system


async def test_the_count_reads_the_requests_that_hold_something_alone(engine):
    async with begin(engine) as db:
        await db.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join((await db.execute(text(f"EXPLAIN {HOLDING.text}"), {"by": "key_1"})).scalars())
    assert "part_request_holding" in plan
    assert "Seq Scan" not in plan
