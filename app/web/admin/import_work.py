"""Looking at a file and loading it, beside the request that asked for it: long files show how far they are."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog

from app.accounts.guards import Call
from app.accounts.rules import Actor
from app.core.db import begin
from app.core.errors import Refusal, Unprocessable
from app.core.http import Broken, database_mood
from app.integrations.imports import KINDS, Table, Work, read_table, runs
from app.integrations.imports.runs import RunOut

log = structlog.get_logger("imports")
BEAT_S = 1.0


class Undone(Exception):
    """Ends the transaction of a trial, or of a load that met bad rows."""


class ContentGone(Unprocessable):
    """The file was kept for a week and is gone."""

    code = "imports.content_gone"


class Progress:
    """How far a run is; told to its row once a second, by a connection of its own."""

    def __init__(self, state: Any, run_id: str) -> None:
        self._state, self._run_id = state, run_id
        self.done, self.rows = 0, 0

    def advance(self, rows: int) -> None:
        self.done += rows

    async def tell(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            async with begin(self._state.engine) as db:
                now = self._state.clock.now()
                await runs.beat(db, run_id=self._run_id, done=self.done, rows=self.rows, now=now)


def started(state: Any, work: Coroutine[Any, Any, None]) -> None:
    """Let something run on after the answer; it is held until it ends."""
    held: set[asyncio.Task[None]] = getattr(state, "import_tasks", None) or set()
    state.import_tasks = held
    task = asyncio.create_task(work)
    held.add(task)
    task.add_done_callback(held.discard)


async def check(call: Call, run: RunOut) -> None:
    """Try a file out: every row is judged and tried, what it would do is counted, and all of it is undone."""
    await guarded(call.state, run, _check(call.state, call.actor, run))


async def load(call: Call, run: RunOut) -> None:
    """Load a file: all rows in one transaction, with the note that it was loaded."""
    await guarded(call.state, run, _load(call.state, call.actor, run))
    call.wake()


async def guarded(state: Any, run: RunOut, work: Coroutine[Any, Any, None]) -> None:
    """Whatever ends a run is written down; a bug of ours goes to the log under the run's number."""
    refusal: Refusal | None = None
    try:
        await work
    except Refusal as refused:
        refusal = refused
    except Exception as broken:
        refusal = database_mood(broken)
        if refusal is None:
            log.error("bug", run=run.id, exc_info=broken)
            refusal = Broken(request_id=run.id)
    if refusal is not None:
        async with begin(state.engine) as db:
            await runs.refuse_run(db, run_id=run.id, refusal=refusal, now=state.clock.now())


async def table_of(state: Any, run: RunOut) -> Table:
    async with begin(state.engine) as db:
        content, _ = await runs.content_of(db, run_id=run.id)
    if content is None:
        raise ContentGone(id=run.id)
    return await asyncio.to_thread(read_table, content)


async def _check(state: Any, actor: Actor, run: RunOut) -> None:
    table, progress = await table_of(state, run), Progress(state, run.id)
    progress.rows = len(table.rows)
    work = Work(actor, state.clock.now(), state.settings.currency, progress.advance)
    telling = asyncio.create_task(progress.tell())
    would: dict[str, Any] = {}
    try:
        async with begin(state.engine) as db:
            would = await runs.tried_out(db, KINDS[run.kind], table, work)
            raise Undone
    except Undone:
        pass
    finally:
        await ended(telling)
    async with begin(state.engine) as db:
        now = state.clock.now()
        await runs.end_check(db, run_id=run.id, rows=len(table.rows), bad=work.bad, would=would, now=now)


async def _load(state: Any, actor: Actor, run: RunOut) -> None:
    table, progress = await table_of(state, run), Progress(state, run.id)
    progress.rows = len(table.rows)
    work = Work(actor, state.clock.now(), state.settings.currency, progress.advance)
    telling = asyncio.create_task(progress.tell())
    try:
        async with begin(state.engine) as db:
            would = await runs.tried_out(db, KINDS[run.kind], table, work)
            await ended(telling)
            if work.bad:
                raise Undone
            await runs.end_load(db, actor=actor, run=run, would=would, now=state.clock.now())
    except Undone:
        async with begin(state.engine) as db:
            await runs.turn_back(db, run_id=run.id, bad=work.bad, now=state.clock.now())
    finally:
        await ended(telling)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
