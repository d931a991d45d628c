"""S3b at the same moment as something else: whoever was first, nothing is held twice and nobody is moved who was touched."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.check import check
from tests.builders import unique
from tests.cast import World, a_world, made
from tests.journeys.test_giving_way import FAR, line_of, place_of, substitute_of
from tests.races.test_same_key import at_once, held  # noqa: F401 - a fixture

pytestmark = pytest.mark.anyio
MOVES = text("SELECT count(*) FROM request_step WHERE verb IN ('resourced', 'gave_way') AND line = :line")


@pytest.fixture(autouse=True)
async def _books_add_up(engine: AsyncEngine, anyio_backend: object) -> AsyncIterator[None]:
    yield
    assert await check(engine) == []


@pytest.fixture
async def world(api) -> World:
    """The only piece is held for a general request, which a substitute near by would serve as well."""
    world = await a_world(api)
    await world.receive(world.psu, 1)
    return world


@pytest.fixture
async def lower(world) -> dict:
    asked = await world.ask(priority="general")
    await world.receive(await substitute_of(world, world.psu), 1, place=await place_of(world))
    return asked


async def emergency(world: World) -> dict:
    return world.request(priority="emergency", device_serial=await world.device(), accept_substitutes=False)


def sent(world: World, path: str, body: dict, **headers: str) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(world.api.post(path, json=body, headers=headers))


async def together(held, *askings) -> list[httpx.Response]:
    """Each starts once the one before waits for the requests' table; who only decides reads on. Then all go."""
    tasks = []
    async with held("part_request", "EXCLUSIVE") as door:
        for start in askings:
            tasks.append(start())
            await door.waiting(len(tasks))
    return [await at_once(one) for one in tasks]


async def shelf(world: World) -> dict[str, int]:
    items = (await world.api.get("/v1/stock", params={"part": world.psu})).json()["items"]
    return {one["place"]: one["on_hand"] - one["reserved"] for one in items}


async def test_S3b_a_line_that_is_picked_meanwhile_stays(world, lower, held):
    body, path = await emergency(world), f"/v1/part-requests/{lower['id']}/pick"
    picked, asked = await together(
        held, lambda: sent(world, path, {"scanned": world.psu}), lambda: sent(world, "/v1/part-requests", body)
    )
    assert (picked.status_code, asked.status_code) in ((200, 409), (409, 201), (422, 201))
    line = await line_of(world, lower)
    assert (line["state"] == "picked") == (asked.status_code == 409)
    assert (line["supplied_part_number"] == world.psu) == (asked.status_code == 409)


async def test_S3b_a_line_that_is_canceled_meanwhile_frees_its_piece_and_is_not_moved(world, lower, held):
    body, path = await emergency(world), f"/v1/part-requests/{lower['id']}/cancel"
    canceled, asked = await together(
        held, lambda: sent(world, path, {}), lambda: sent(world, "/v1/part-requests", body)
    )
    assert (canceled.status_code, asked.status_code) == (200, 201)
    assert (await line_of(world, lower))["state"] == "canceled"
    assert asked.json()["lines"][0]["source"] == world.local


async def test_S3b_a_line_whose_priority_is_raised_meanwhile_stays(world, lower, held):
    body, path = await emergency(world), f"/v1/part-requests/{lower['id']}/priority"
    raised, asked = await together(
        held, lambda: sent(world, path, {"priority": "emergency"}), lambda: sent(world, "/v1/part-requests", body)
    )
    assert raised.status_code == 200
    line = await line_of(world, lower)
    assert (line["supplied_part_number"] == world.psu) == (asked.status_code == 409)


async def test_S3b_two_emergencies_want_one_piece_and_one_gets_it(world, lower, held, engine):
    bodies = [await emergency(world), await emergency(world)]
    answers = await together(held, *(lambda body=body: sent(world, "/v1/part-requests", body) for body in bodies))
    assert Counter(one.status_code for one in answers) == {201: 1, 409: 1}
    assert await shelf(world) == {world.local: 0}
    line = lower["lines"][0]["id"]
    async with engine.connect() as db:
        assert await db.scalar(MOVES, {"line": line}) == 1


async def test_S3b_many_emergencies_and_an_approval_at_once_hold_nothing_twice(world, lower):
    line = lower["lines"][0]["id"]
    bodies = [await emergency(world) for _ in range(6)]
    bodies += [await emergency(world) | {"bump": [line]} for _ in range(2)]
    answers = await asyncio.gather(*(world.api.post("/v1/part-requests", json=body) for body in bodies))
    assert Counter(one.status_code for one in answers if one.status_code != 503)[201] <= 1
    assert {one.status_code for one in answers} <= {201, 409, 503}
    assert await shelf(world) == {world.local: 0}


async def test_S3b_two_of_two_lines_each_meet_without_a_deadlock(world, held):
    await world.receive(world.fan, 1)
    near, one_line = await place_of(world), {"priority": "general"}
    for part in (world.psu, world.fan):
        lines = [{"part_number": part, "quantity": 1}]
        await world.ask(device_serial=await world.device(), lines=lines, **one_line)
        await world.receive(await substitute_of(world, part), 1, place=near)
    parts = [[world.psu, world.fan], [world.fan, world.psu]]
    bodies = [
        await emergency(world) | {"lines": [{"part_number": part, "quantity": 1} for part in order]} for order in parts
    ]
    answers = await together(held, *(lambda body=body: sent(world, "/v1/part-requests", body) for body in bodies))
    assert Counter(one.status_code for one in answers) == {201: 1, 409: 1}


async def test_S3b_the_same_key_moves_a_line_once(world, lower, engine):
    body, key = await emergency(world), unique("key")
    first = await at_once(sent(world, "/v1/part-requests", body, **{"Idempotency-Key": key}))
    again = await at_once(sent(world, "/v1/part-requests", body, **{"Idempotency-Key": key}))
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (201, 201, "true")
    assert first.json() == again.json()
    async with engine.connect() as db:
        assert await db.scalar(MOVES, {"line": lower["lines"][0]["id"]}) == 1
    await made(world.api, f"/v1/part-requests/{first.json()['id']}/pick", {"scanned": world.psu}, 200)


async def test_S3b_two_late_lines_are_given_one_piece_at_once_and_one_gets_it(world, held):
    lower = await world.ask(priority="general", device_serial=await world.device())
    await world.receive(world.psu, 2, place=await place_of(world, **FAR))
    late = [await world.ask(priority="emergency", device_serial=await world.device()) for _ in range(2)]
    bodies = [{"line": one["lines"][0]["id"], "from": lower["lines"][0]["id"]} for one in late]
    answers = await together(
        held,
        *(
            lambda one=one, body=body: sent(world, f"/v1/part-requests/{one['id']}/bump", body)
            for one, body in zip(late, bodies, strict=True)
        ),
    )
    assert {one.status_code for one in answers} <= {200, 409}
    lines = [await line_of(world, one) for one in (lower, *late)]
    assert sorted(one["source"] == world.local for one in lines) == [False, False, True]


async def test_S3b_a_line_that_is_picked_while_a_dispatcher_gives_its_piece_away_is_one_or_the_other(world, held):
    lower = await world.ask(priority="general", device_serial=await world.device())
    await world.receive(world.psu, 1, place=await place_of(world, **FAR))
    late = await world.ask(priority="emergency", device_serial=await world.device())
    body = {"line": late["lines"][0]["id"], "from": lower["lines"][0]["id"]}
    picked, bumped = await together(
        held,
        lambda: sent(world, f"/v1/part-requests/{lower['id']}/pick", {"scanned": world.psu}),
        lambda: sent(world, f"/v1/part-requests/{late['id']}/bump", body),
    )
    assert (picked.status_code, bumped.status_code) in ((200, 409), (200, 200))
    lines = [await line_of(world, one) for one in (lower, late)]
    assert sorted(one["source"] == world.local for one in lines) == [False, True]
    assert lines[0]["state"] == "picked"
