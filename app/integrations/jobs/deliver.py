"""Duty: what is due goes out, many at once, a few per endpoint, so that a slow receiver holds up nobody else."""

import asyncio
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import Clock
from app.core.db import begin
from app.core.egress import Answer, Outgoing
from app.integrations.jobs.calls import headers_for, url_for
from app.integrations.service.deliveries import Claimed, Tried, at_work, claim, let_go, settle, settle_taken

AT_ONCE, PER_ENDPOINT, FAILING = 128, 16, 2
LOOK_AGAIN_S, GATHERING_S = 0.1, 0.01
log = structlog.get_logger("webhooks")


class Post:
    """One process's deliveries under way."""

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        self._under_way: dict[asyncio.Task[None], Claimed] = {}
        self._tried: list[Tried] = []

    async def deliver(self, engine: AsyncEngine, clock: Clock) -> int:
        """Deliver until nothing is due and nothing under way. Gives how many tries were made.

        While a slow one is waited for, whatever else becomes due goes out beside it. What was tried is written down
        many at a time, since a transaction for each would take longer than the calls.
        """
        count = 0
        async with at_work(engine) as worker:
            try:
                while True:
                    await self._write_down(engine, clock)
                    taken = await self._take(engine, clock, worker)
                    count += taken
                    if not self._under_way and not self._tried:
                        return count
                    if not taken and not self._tried:
                        await asyncio.wait(self._under_way, timeout=LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
                    await asyncio.sleep(GATHERING_S)
            except asyncio.CancelledError:
                await asyncio.shield(self._break_off(engine, clock))
                raise

    async def _take(self, engine: AsyncEngine, clock: Clock, worker: int) -> int:
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return 0
        async with begin(engine) as db:
            claimed = await claim(db, worker=worker, each=PER_ENDPOINT, few=FAILING, most=room, now=clock.now())
        for one in claimed:
            task = asyncio.create_task(self._try(clock, one))
            self._under_way[task] = one
            task.add_done_callback(self._done)
        return len(claimed)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._under_way.pop(task, None)
        if not task.cancelled() and (broken := task.exception()) is not None:
            log.error("a delivery could not be tried; its lease will end", exc_info=broken)

    async def _try(self, clock: Clock, claimed: Claimed) -> None:
        started_at = clock.now()
        answer = await self._call(claimed.row, started_at)
        self._tried.append(Tried(claimed, answer, started_at))

    async def _write_down(self, engine: AsyncEngine, clock: Clock) -> None:
        """What was tried: the taken ones together, each other one with what follows from it. What cannot be written is
        left to its lease."""
        tried, self._tried = self._tried, []
        if taken := [one for one in tried if one.taken]:
            async with begin(engine) as db:
                await settle_taken(db, tried=taken, now=clock.now())
        for one in tried:
            if not one.taken:
                async with begin(engine) as db:
                    state = await settle(db, tried=one, now=clock.now())
                row = one.claimed.row
                log.info("not delivered", delivery=row.id, endpoint=row.endpoint, state=state, status=one.answer.status)

    async def _call(self, row: Any, now: datetime) -> Answer:
        url, headers = url_for(row), headers_for(row, now)
        if url is None or headers is None:
            return Answer(failure="no_secret" if url else "no_address")
        return await self.outgoing.send(row.method, url, headers=headers, content=bytes(row.body) or None)

    async def _break_off(self, engine: AsyncEngine, clock: Clock) -> None:
        tasks = dict(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._write_down(engine, clock)
        async with begin(engine) as db:
            await let_go(db, claimed=list(tasks.values()))
