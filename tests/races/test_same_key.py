"""Two with one idempotency key while the first is still at work: the second is told so at once, and one effect remains."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from app.core.settings import Settings
from app.main import create_app
from tests.builders import unique
from tests.cast import World, a_world

pytestmark = pytest.mark.anyio
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass"
AT_ONCE_S = 10
"""Far below the 30 s after which a statement that waits for a lock is given up, far above any answer."""


class Held:
    """A lock that somebody else has, and who waits for it."""

    def __init__(self, connection: asyncpg.Connection, table: str) -> None:
        self.connection, self.table = connection, table

    async def waiting(self, number: int) -> None:
        """Until so many wait for it."""
        async with asyncio.timeout(AT_ONCE_S):
            while await self.connection.fetchval(WAITING, self.table) != number:
                pass


@pytest.fixture
def held(database_url):
    @asynccontextmanager
    async def hold(table: str, mode: str) -> AsyncIterator[Held]:
        connection = await asyncpg.connect(database_url)
        try:
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {table} IN {mode} MODE")
                yield Held(connection, table)
        finally:
            await connection.close()

    return hold


@pytest.fixture
async def world(api) -> World:
    world = await a_world(api)
    await world.receive(world.psu, 1)
    return world


def asked(client: httpx.AsyncClient, world: World, key: str, **changes) -> asyncio.Task[httpx.Response]:
    """A request under a key, under way."""
    sent = client.post("/v1/part-requests", json=world.request(**changes), headers={"Idempotency-Key": key})
    return asyncio.create_task(sent)


async def at_once(asking: asyncio.Task[httpx.Response]) -> httpx.Response:
    async with asyncio.timeout(AT_ONCE_S):
        return await asking


def assert_still_running(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency.in_progress")
    assert answer.headers["retry-after"] == "1"
    assert "idempotent-replayed" not in answer.headers


async def test_T39_T40_the_second_is_told_so_while_the_first_only_decides(world, api, as_role, held):
    key, other = unique("key"), await as_role("admin")
    async with held("stock_balance", "ACCESS EXCLUSIVE") as shelf:  # whoever decides reads the shelf, and waits here
        first = asked(api, world, key)
        await shelf.waiting(1)
        assert_still_running(await at_once(asked(api, world, key)))
        assert_still_running(await at_once(asked(api, world, key, priority="general")))  # another body is told alike
        await shelf.waiting(1)  # neither began to decide
        theirs = asked(other, world, key)  # the same word of another caller is another key
        await shelf.waiting(2)
    done, refused = sorted([await first, await theirs], key=lambda one: one.status_code)
    assert (done.status_code, refused.status_code) == (201, 409)
    assert refused.json()["code"] == "stock.insufficient"
    winner = api if done is await first else other
    again = await asked(winner, world, key)
    assert (again.status_code, again.content, again.headers["idempotent-replayed"]) == (201, done.content, "true")
    differs = await asked(winner, world, key, priority="general")
    assert (differs.status_code, differs.json()["code"]) == (422, "idempotency.mismatch")


async def test_T39_a_key_is_free_again_when_the_first_was_refused(world, api, held):
    key = unique("key")
    lines = [{"part_number": world.psu, "quantity": 2}]
    async with held("stock_balance", "ACCESS EXCLUSIVE") as shelf:
        first = asked(api, world, key, lines=lines)
        await shelf.waiting(1)
        assert_still_running(await at_once(asked(api, world, key, lines=lines)))
    assert (await first).json()["code"] == "stock.insufficient"
    await world.receive(world.psu, 1)
    again = await asked(api, world, key, lines=lines)
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)


async def test_T39_another_process_is_told_so_by_the_database(world, api, held, database_url, clock):
    key = unique("key")
    settings = Settings(key_rate="10000", egress_allow="127.0.0.0/8")
    process = create_app(settings, database_url, clock=clock)
    async with (
        process.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=process), base_url="http://sparelane.test", headers=api.headers
        ) as beside,
    ):
        async with held("part_request", "SHARE") as requests:  # what is there may be read; nothing new is written
            first = asked(api, world, key)
            await requests.waiting(1)
            assert_still_running(await at_once(asked(beside, world, key)))
            await requests.waiting(1)
        done = await first
        assert done.status_code == 201
        again = await asked(beside, world, key)
        assert (again.content, again.headers["idempotent-replayed"]) == (done.content, "true")
