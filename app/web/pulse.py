"""The pulse of live pages: one look a second at the newest event, for however many pages are open in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.db import reading
from app.core.http import database_mood
from app.web.queries import newest

log = structlog.get_logger("pulse")
EVERY_S = 1.0


class Pulse:
    """Wakes open pages when something was recorded. It looks only while somebody listens, on a connection that it
    borrows for one statement a look; the pages themselves hold none."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._changed = asyncio.Event()
        self._count = 0
        self._listeners = 0
        self._looking: asyncio.Task[None] | None = None

    async def changes(self, *, quiet_s: float) -> AsyncIterator[bool]:
        """True after each change; False when nothing happened for `quiet_s`."""
        self._listeners += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        seen = self._count
        try:
            while True:
                if self._count == seen:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._changed.wait(), quiet_s)
                changed, seen = self._count != seen, self._count
                yield changed
        finally:
            self._listeners -= 1

    async def _look(self) -> None:
        seen: tuple[int, ...] | None = None
        while self._listeners:
            try:
                async with reading(self._engine) as db:
                    found: tuple[int, ...] | None = await newest(db)
            except Exception as broken:
                told = log.error if database_mood(broken) is None else log.warning
                told("nobody can be told of changes now", why=repr(broken))
                found = seen
            if seen is not None and found != seen:
                self._count += 1
                self._changed.set()
                self._changed = asyncio.Event()
            seen = found
            await asyncio.sleep(EVERY_S)


def pulse_of(state: object, engine: AsyncEngine) -> Pulse:
    """This process's pulse, made when the first page listens."""
    known: Pulse | None = getattr(state, "pulse", None)
    if known is None:
        known = Pulse(engine)
        state.pulse = known  # type: ignore[attr-defined]
    return known
