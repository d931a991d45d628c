"""IA2: whatever commits late, is undone or is sealed by two at once, every event ends in the chain exactly once."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import duty_actor
from app.core.db import begin, make_engine, reading
from app.core.events import Event, Mark, Sealer, announce, faults, seal_after
from tests.builders import unique
from tests.conftest import START

pytestmark = pytest.mark.anyio
STEPS = (
    "open", "write oldest", "write newest", "commit oldest", "commit newest", "undo", "seal", "seal elsewhere",
    "seal and die",
)  # fmt: skip
LATE = ["open", "write oldest", "open", "write newest", "commit newest", "seal", "seal elsewhere", "commit oldest"]
UNSEALED = text("SELECT count(*) FROM event e WHERE NOT EXISTS (SELECT FROM event_seal s WHERE s.event_seq = e.seq)")
SEALED = text("SELECT count(*) AS rows, count(DISTINCT event_seq) AS events, max(n) AS head FROM event_seal")


@pytest.fixture(scope="module")
async def apart(clone, anyio_backend):
    url = await asyncio.to_thread(clone, unique("seal").lower())
    engine = make_engine(url, pool_size=12)
    yield engine
    await engine.dispose()


@dataclass
class Writers:
    """Transactions that have their number and maybe events, and have not ended; and two processes that seal."""

    engine: AsyncEngine
    here: Sealer = field(default_factory=Sealer)
    elsewhere: Sealer = field(default_factory=Sealer)
    running: deque[AsyncConnection] = field(default_factory=deque)

    async def do(self, step: str) -> None:
        match step:
            case "open" if len(self.running) < 5:
                db = await self.engine.connect()
                await db.execute(text("SELECT pg_current_xact_id()"))
                self.running.append(db)
            case "write oldest" | "write newest" if self.running:
                db = self.running[0 if step == "write oldest" else -1]
                await announce(db, Event(type="area.set", subject=unique("A")), by=duty_actor("tests"), now=START)
            case "commit oldest" | "commit newest" if self.running:
                db = self.running.popleft() if step == "commit oldest" else self.running.pop()
                await db.commit()
                await db.close()
            case "undo" if self.running:
                await self.running.pop().close()
            case "seal":
                await self.here.run(self.engine)
            case "seal elsewhere":
                await self.elsewhere.run(self.engine)
            case "seal and die":
                async with self.engine.connect() as db:
                    await seal_after(db, self.here.mark, most=2)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=10, max_size=30))
@example(steps=LATE)
@example(steps=[*LATE[:2], "seal and die", *LATE[2:]])
async def test_every_event_is_sealed_once_however_late_it_commits(apart, steps):
    writers = Writers(apart)
    try:
        for step in steps:
            await writers.do(step)
    finally:
        while writers.running:
            await writers.do("write newest")
            await writers.do("commit newest")
    await writers.do("seal" if len(steps) % 2 else "seal elsewhere")
    await all_sealed(apart)
    async with reading(apart) as db:
        sealed = (await db.execute(SEALED)).one()
        assert sealed.rows == sealed.events == (sealed.head or 0)
        assert await faults(db) == []


async def all_sealed(engine: AsyncEngine) -> None:
    """Seal what is left. A transaction in any database of the cluster holds the seal back while it runs, and other
    tests have some."""
    sealer = Sealer()
    async with asyncio.timeout(60):
        while await unsealed(engine):
            await sealer.run(engine)


async def unsealed(engine: AsyncEngine) -> int:
    async with reading(engine) as db:
        return int(await db.scalar(UNSEALED) or 0)


async def test_a_long_backlog_is_sealed_in_pieces_and_then_only_what_is_new_is_looked_at(apart):
    async with begin(apart) as db:
        for _ in range(7):
            await announce(db, Event(type="area.set", subject=unique("A")), by=duty_actor("tests"), now=START)
    mark, pieces = Mark(), []
    async with asyncio.timeout(60):
        while await unsealed(apart):
            async with begin(apart) as db:
                done, mark = await seal_after(db, mark, most=3)
            pieces += [done] if done else []
    assert sum(pieces) == 7
    assert max(pieces) == 3
    async with reading(apart) as db:
        behind = await db.scalar(text("SELECT count(*) FROM event WHERE xid >= CAST(:x AS xid8)"), {"x": mark.xid})
    assert behind == 0


async def test_a_mark_from_before_a_restore_into_another_cluster_means_nothing(apart):
    sealer = Sealer()
    sealer.mark = Mark(2**60, 1)
    async with begin(apart) as db:
        await announce(db, Event(type="area.set", subject=unique("A")), by=duty_actor("tests"), now=START)
    async with asyncio.timeout(60):
        while not await sealer.run(apart):
            pass  # others' transactions hold it back
    assert sealer.mark.xid < 2**60
