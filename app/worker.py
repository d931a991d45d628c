"""The worker: runs every background duty again and again, each apart from the others. What a duty does, its wing says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.jobs import forget_tries
from app.billing.jobs import expire_recoveries
from app.core.clock import Clock
from app.core.db import begin
from app.core.events import Sealer
from app.core.idempotency import forget_old
from app.core.settings import Settings
from app.fulfillment.jobs import (
    end_unanswered_quotes,
    escalate_due,
    expire_call_offs,
    explain_plans,
    follow_verdicts,
    improve_plans,
    note_local_demand,
    plan_dirty,
    presume_confirmed,
    source_lost,
    source_unconfirmed,
)
from app.integrations.jobs.act import act_on_receipts
from app.integrations.jobs.deliver import Post
from app.integrations.jobs.fan_out import fan_out_events
from app.integrations.jobs.poll import poll_connections
from app.integrations.service.receiving import forget_receipts
from app.routing.jobs import Ahead, draw_lines, forget_travel
from app.routing.solver.child import Solver
from app.routing.travel.chosen import Travel
from app.stock.jobs import expire_reservations, quarantine_expired
from app.warranty.jobs import follow_calendar, settle_undetermined

log = structlog.get_logger("worker")
LEAST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 60.0
GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Context:
    """What duties may need. `solver` is the process's one solving child; it starts at its first question. Without one,
    plans are greedy. `travel` asks for road times; without it nobody does. `post` is the process's way out; without one
    nothing leaves it."""

    engine: AsyncEngine
    clock: Clock
    settings: Settings
    solver: Solver | None
    travel: Travel | None = None
    ahead: Ahead = field(default_factory=Ahead)
    post: Post | None = None
    sealer: Sealer = field(default_factory=Sealer)


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done again and again: at least every so many seconds, and when woken if it waits for requests' work."""

    name: str
    run: Callable[[Context], Awaitable[int]]
    every_s: float
    wakes: bool = False


def in_transaction(
    duty: Callable[[AsyncConnection, datetime], Awaitable[int | None]],
) -> Callable[[Context], Awaitable[int]]:
    """A duty that needs only the database and the time, run in one transaction of its own."""

    async def run(context: Context) -> int:
        async with begin(context.engine) as db:
            return await duty(db, context.clock.now()) or 0

    return run


async def plan(context: Context) -> int:
    """Plan what changed at once: what stands is kept, what is new goes in where it is best. The search comes after."""
    done = 0
    while count := await plan_dirty(context.engine, None, context.clock.now(), limit_s=0.0, most=4):
        done += count  # a few regions at one reading of the clock, then it is read again
    return done


async def seal(context: Context) -> int:
    """Append what happened to the audit's chain."""
    return await context.sealer.run(context.engine)


async def improve(context: Context) -> int:
    """Search for better plans than those found at once; by itself, since no transaction may wait for a solver."""
    if context.solver is None:
        return 0
    limit_s = float(context.settings.plan_seconds)
    done = await improve_plans(context.engine, context.solver, context.clock.now, limit_s=limit_s)
    return done + await plan(context)  # what happened while a better plan was put in force found its region taken


async def explain(context: Context) -> int:
    """Say why plans miss what they miss; by itself, since no transaction may wait for a solver."""
    solver = context.solver
    return await explain_plans(context.engine, solver, context.clock.now(), settled=solver is not None)


async def learn_ahead(context: Context) -> int:
    """Ask for road times before anybody needs them; by itself, since no transaction may wait for a server."""
    return await context.ahead.run(context.engine, context.travel, context.clock.now())


async def draw(context: Context) -> int:
    """Ask how the plans' legs run on the map."""
    return await draw_lines(context.engine, context.travel, context.clock.now())


async def fan_out(context: Context) -> int:
    """Make deliveries of what happened."""
    return await fan_out_events(context.engine, context.clock.now(), public_url=context.settings.public_url)


async def act(context: Context) -> int:
    """Act on what ticketing systems told."""
    return await act_on_receipts(context.engine, context.clock.now(), solver=context.solver)


async def poll(context: Context) -> int:
    """Ask the ticketing systems that do not tell by themselves."""
    if context.post is None:
        return 0
    return await poll_connections(context.engine, context.post.outgoing, context.clock.now())


async def deliver(context: Context) -> int:
    """Send what is due."""
    return 0 if context.post is None else await context.post.deliver(context.engine, context.clock)


DUTIES: tuple[Duty, ...] = (
    Duty("expire_reservations", in_transaction(expire_reservations), every_s=15),
    Duty("escalate_due", in_transaction(escalate_due), every_s=5),
    Duty("expire_call_offs", in_transaction(expire_call_offs), every_s=5),
    Duty("plan", plan, every_s=5, wakes=True),
    Duty("improve", improve, every_s=5, wakes=True),
    Duty("explain", explain, every_s=2, wakes=True),
    Duty("end_unanswered_quotes", in_transaction(end_unanswered_quotes), every_s=15),
    Duty("quarantine_expired", in_transaction(quarantine_expired), every_s=600),
    Duty("follow_verdicts", in_transaction(follow_verdicts), every_s=60),
    Duty("source_lost", in_transaction(source_lost), every_s=30),
    Duty("source_unconfirmed", in_transaction(source_unconfirmed), every_s=30),
    Duty("presume_confirmed", in_transaction(presume_confirmed), every_s=300),
    Duty("settle_undetermined", in_transaction(settle_undetermined), every_s=300),
    Duty("follow_calendar", in_transaction(follow_calendar), every_s=300),
    Duty("note_local_demand", in_transaction(note_local_demand), every_s=3600),
    Duty("expire_recoveries", in_transaction(expire_recoveries), every_s=3600),
    Duty("poll", poll, every_s=5),
    Duty("act", act, every_s=2, wakes=True),
    Duty("fan_out", fan_out, every_s=2, wakes=True),
    Duty("deliver", deliver, every_s=0.5),
    Duty("seal", seal, every_s=2),
    Duty("learn_ahead", learn_ahead, every_s=10),
    Duty("draw_lines", draw, every_s=10),
    Duty("forget_travel", in_transaction(forget_travel), every_s=3600),
    Duty("forget_old", in_transaction(forget_old), every_s=3600),
    Duty("forget_tries", in_transaction(forget_tries), every_s=600),
    Duty("forget_receipts", in_transaction(forget_receipts), every_s=3600),
)


async def step(context: Context, duties: Sequence[Duty] = DUTIES) -> int:
    """Run every duty once, in order, at the clock's present: for tests and the demo day. Gives how much was done.

    A failing duty raises here; only the loop goes on regardless.
    """
    return sum([await duty.run(context) for duty in duties])


class Worker:
    """The loops, one per duty, so that none waits for another. `async with` runs them; `wake` may be called anytime."""

    def __init__(self, context: Context, duties: Sequence[Duty] = DUTIES) -> None:
        self._context = context
        self._duties = duties
        self._woken = {duty.name: asyncio.Event() for duty in duties if duty.wakes}
        self._stopping = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Worker":
        self._loops = [asyncio.create_task(self._loop(duty), name=duty.name) for duty in self._duties]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def wake(self) -> None:
        """Something was committed: duties that wait for it run soon, at most every 50 ms. Call it in the loop's thread."""
        for event in self._woken.values():
            event.set()

    async def stop(self) -> None:
        """End the loops: what is under way may finish for a few seconds, then it is broken off and rolls back."""
        self._stopping.set()
        if self._loops:
            _, late = await asyncio.wait(self._loops, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops = []

    async def _loop(self, duty: Duty) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                done = await duty.run(self._context)
                failures = 0
                if done:
                    log.debug("duty done", duty=duty.name, count=done)
            except Exception:  # one duty's bug must stop neither the others nor its own next try
                failures += 1
                log.exception("duty failed", duty=duty.name, failures=failures)
            await self._pause(duty, failures)

    async def _pause(self, duty: Duty, failures: int) -> None:
        """Wait for the timer, a wake-up or the end; after failures longer and longer, and deaf to wake-ups."""
        if failures:
            await self._first_of(min(duty.every_s * 2 ** min(failures, 6), max(LONGEST_PAUSE_S, duty.every_s)))
            return
        woken = self._woken.get(duty.name)
        await self._first_of(LEAST_PAUSE_S)
        await self._first_of(max(duty.every_s - LEAST_PAUSE_S, 0), woken)
        if woken is not None:
            woken.clear()

    async def _first_of(self, timeout_s: float, woken: asyncio.Event | None = None) -> None:
        events = [event for event in (self._stopping, woken) if event is not None]
        waits = [asyncio.create_task(event.wait()) for event in events]
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
