"""Duty: what is due goes out, many at once, a few per endpoint, so that a slow receiver holds up nobody else."""

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import Clock
from app.core.db import begin
from app.core.egress import Answer, Outgoing
from app.integrations.jobs.calls import headers_for, url_for
from app.integrations.service.deliveries import Claimed, claim, let_go, settle

AT_ONCE, PER_ENDPOINT = 48, 4
LOOK_AGAIN_S = 0.1
log = structlog.get_logger("webhooks")


class Post:
    """One process's deliveries under way."""

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        self._under_way: dict[asyncio.Task[None], Claimed] = {}

    async def deliver(self, engine: AsyncEngine, clock: Clock) -> int:
        """Deliver until nothing is due and nothing under way. Gives how many tries were made.

        While a slow one is waited for, whatever else becomes due goes out beside it.
        """
        tried = 0
        try:
            while True:
                count = await self._take(engine, clock)
                tried += count
                if not self._under_way:
                    return tried
                if not count:
                    await asyncio.wait(self._under_way, timeout=LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await asyncio.shield(self._break_off(engine))
            raise

    async def _take(self, engine: AsyncEngine, clock: Clock) -> int:
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return 0
        now = clock.now()
        mine = Counter(one.row.endpoint for one in self._under_way.values())
        busy = [endpoint for endpoint, count in mine.items() if count >= PER_ENDPOINT]
        async with begin(engine) as db:
            claimed = await claim(db, each=PER_ENDPOINT, most=room, busy=busy, now=now)
        for one in claimed:
            task = asyncio.create_task(self._try(engine, clock, one))
            self._under_way[task] = one
            task.add_done_callback(self._done)
        return len(claimed)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._under_way.pop(task, None)
        if not task.cancelled() and (broken := task.exception()) is not None:
            log.error("a delivery could not be written down; its lease will end", exc_info=broken)

    async def _try(self, engine: AsyncEngine, clock: Clock, claimed: Claimed) -> None:
        row, started_at = claimed.row, clock.now()
        answer = await self._call(row, started_at)
        async with begin(engine) as db:
            state = await settle(db, claimed=claimed, answer=answer, started_at=started_at, now=clock.now())
        if state != "delivered":
            log.info("not delivered", delivery=row.id, endpoint=row.endpoint, state=state, status=answer.status)

    async def _call(self, row: Any, now: datetime) -> Answer:
        url, headers = url_for(row), headers_for(row, now)
        if url is None or headers is None:
            return Answer(failure="no_secret" if url else "no_address")
        return await self.outgoing.send(row.method, url, headers=headers, content=bytes(row.body) or None)

    async def _break_off(self, engine: AsyncEngine) -> None:
        tasks = dict(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with begin(engine) as db:
            await let_go(db, claimed=list(tasks.values()))
