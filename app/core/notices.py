"""Hearing what other processes say through the database (LISTEN), on a connection outside the pool.

What is heard is that something changed, never what: a listener forgets what it knew, and asks again.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import structlog
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

log = structlog.get_logger("notices")
LOOK_EVERY_S = 5.0
ANSWER_WITHIN_S = 2.0
LONGEST_PAUSE_S = 10.0


class Ear:
    """Listens to one channel for as long as its engine lives, and begins anew when the connection is lost.

    `heard` is called on each notice, and whenever notices may have been missed. Only while `up` can silence be trusted.
    """

    def __init__(self, engine: AsyncEngine, channel: str, heard: Callable[[], None]) -> None:
        self.up = False
        self._url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._heard = heard
        self._listening = asyncio.create_task(self._listen())
        event.listen(engine.sync_engine, "engine_disposed", lambda _: self._listening.cancel(), once=True)

    async def _listen(self) -> None:
        pause = 0.1
        while True:
            try:
                connection = await asyncpg.connect(
                    self._url, timeout=5, server_settings={"application_name": "sparelane notices"}
                )
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as broken:
                log.warning("cannot listen now", channel=self._channel, why=repr(broken))
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
                continue
            try:
                await self._attend(connection)
                pause = 0.1
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as broken:
                log.warning("listening was cut short", channel=self._channel, why=repr(broken))
            finally:
                self._deaf()
                connection.terminate()

    async def _attend(self, connection: Any) -> None:
        """Listen until the connection is lost. A look now and then finds the one that is dead without saying so."""
        lost = asyncio.Event()

        def ended(_: Any) -> None:
            self._deaf()
            lost.set()

        connection.add_termination_listener(ended)
        await connection.add_listener(self._channel, lambda *_: self._heard())
        self._heard()  # what was said before we listened
        self.up = True
        while not lost.is_set():
            try:
                await asyncio.wait_for(lost.wait(), LOOK_EVERY_S)
            except TimeoutError:
                await connection.fetchval("SELECT 1", timeout=ANSWER_WITHIN_S)

    def _deaf(self) -> None:
        self.up = False
        self._heard()
