"""The look-up's yardstick: the least that could answer it, an ASGI function over an asyncpg pool, in a process of its own.

It asks the product's own statement and encodes the rows as they are: no key, no rules, no reasons, no refusals.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import asyncpg
import msgspec
import uvicorn

from bench.service.capture import Statement
from tools.server import ROOT, free_port

POOL = 16


class Bare:
    """The whole application."""

    def __init__(self, url: str, sql: str, parameters: list[Any]) -> None:
        self.url, self.sql, self.parameters = url, sql, parameters

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        serial = scope["path"].split("/")[3]
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(self.sql, *self.parameters, [serial])
        body = msgspec.json.encode([dict(row) for row in rows])
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def live(self, receive: Any, send: Any) -> None:
        await receive()
        self.pool = await asyncpg.create_pool(self.url, min_size=POOL, max_size=POOL, init=raw_json)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.pool.close()
        await send({"type": "lifespan.shutdown.complete"})


async def raw_json(connection: Any) -> None:
    """JSON goes through as the text it is."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=str, decoder=lambda raw: msgspec.Raw(raw.encode()), format="text"
    )


@contextmanager
def bare_server(url: str, statement: Statement) -> Iterator[int]:
    """Serve the statement, whose last parameter is the list of serials; gives the port."""
    port = free_port()
    given = {"url": url, "sql": statement.sql, "parameters": list(statement.parameters[:-1]), "port": port}
    command = [sys.executable, "-m", "bench.service.bare"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"BARE": json.dumps(given)})
    try:
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def main() -> None:
    given = json.loads(os.environ["BARE"])
    app = Bare(given["url"], given["sql"], given["parameters"])
    uvicorn.run(app, port=given["port"], loop="uvloop", http="httptools", ws="none", log_level="error",
                access_log=False)  # fmt: skip


if __name__ == "__main__":
    main()
