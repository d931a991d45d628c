"""Keys known by heart: one that was ended, here or by another process, opens nothing; deaf, every key is looked up."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import text

from app.accounts import service
from app.accounts.guards import keyring_of
from app.accounts.rules import duty_actor
from app.core.db import begin, make_engine, reading

pytestmark = pytest.mark.anyio
END_EARS = text("""
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = 'sparelane notices' AND datname = current_database()
""")
UNTOLD = text("UPDATE api_key SET revoked_at = now() WHERE id = :id")


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 10) -> None:
    """Ask again and again; AssertionError when it does not come true in time."""
    ends = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


async def listening(app) -> bool:
    return keyring_of(app.state)._ear.up


@pytest.fixture
async def key(api: httpx.AsyncClient, app):
    """A fresh key that this process knows by heart."""
    made = (await api.post("/v1/keys", json={"name": "held", "role": "finance"})).json()
    await until(lambda: listening(app))
    mine = {"Authorization": f"Bearer {made['key']}"}

    async def opens() -> bool:
        return (await api.get("/v1/me", headers=mine)).status_code == 200

    assert await opens()
    assert made["key"].split("_")[1] in keyring_of(app.state)._rows
    return made["details"]["id"], opens


async def test_a_key_ended_here_is_refused_by_the_next_request(api, key):
    key_id, opens = key
    assert (await api.post(f"/v1/keys/{key_id}/revoke")).status_code == 200
    assert not await opens()


async def test_a_key_ended_by_another_process_is_refused_once_that_is_heard(engine, clock, key):
    key_id, opens = key
    async with begin(engine) as db:
        await service.revoke_key(
            db, actor=duty_actor("elsewhere"), key_id=key_id, expected_version=None, now=clock.now()
        )

    async def refused() -> bool:
        return not await opens()

    await until(refused, within_s=5)


async def test_a_key_is_looked_up_while_nothing_can_be_heard(database_url, engine, app, key):
    key_id, opens = key
    ring = keyring_of(app.state)
    owner = make_engine(database_url, pool_size=1, role=None)
    async with reading(owner) as db:
        assert await db.scalar(END_EARS)
    await owner.dispose()
    await until(lambda: _deaf_once(ring))
    async with begin(engine) as db:
        await db.execute(UNTOLD, {"id": key_id})
    assert not await opens()
    await until(lambda: listening(app))


async def _deaf_once(ring) -> bool:
    """Whether the loss was noticed: all that was known by heart is forgotten at that moment, whatever comes after."""
    return not ring._rows


async def test_a_look_up_that_a_revocation_overtakes_is_not_believed(api, app, engine, clock):
    made = (await api.post("/v1/keys", json={"name": "slow", "role": "finance"})).json()
    await until(lambda: listening(app))
    ring = keyring_of(app.state)
    ring.forget()
    look_up = asyncio.create_task(ring.actor(presented=made["key"], now=clock.now(), request_id="test"))
    await asyncio.sleep(0)
    ring.forget()
    await look_up
    assert made["key"].split("_")[1] not in ring._rows
