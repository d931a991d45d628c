"""A road server that does what a test tells it: answers, hangs, lies, leads elsewhere. Plain asyncio on loopback."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Behavior = Callable[[str, bytes], Awaitable[tuple[int, dict[str, str], bytes]]]
JSON = {"Content-Type": "application/json"}


@dataclass(kw_only=True)
class Roadside:
    """The server's address, and the targets it was asked for."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def roadside(behavior: Behavior) -> AsyncIterator[Roadside]:
    """Serve until the block ends; connections still open are cut then."""
    seen = Roadside()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while line := await reader.readline():
                target, length = line.decode().split(" ")[1], 0
                while (header := (await reader.readline()).decode().strip().lower()) != "":
                    length = int(header.partition(":")[2]) if header.startswith("content-length") else length
                asked = await reader.readexactly(length)
                seen.asked.append(target)
                status, headers, body = await behavior(target, asked)
                head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(talk(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    seen.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield seen
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def size_of(target: str) -> tuple[int, int]:
    """Rows and columns that a table question asks for."""
    path, _, query = target.partition("?")
    named = len(path.rsplit("/", 1)[1].split(";"))
    given = dict(part.split("=") for part in query.split("&"))
    return tuple(len(given[side].split(";")) if side in given else named for side in ("sources", "destinations"))  # type: ignore[return-value]


def table_of(cell: Callable[[int, int], Any]) -> Behavior:
    """A table whose cells a function gives by row and column."""

    async def answer(target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        rows, columns = size_of(target)
        cells = [[cell(a, b) for b in range(columns)] for a in range(rows)]
        return 200, JSON, json.dumps({"code": "Ok", "durations": cells, "distances": cells}).encode()

    return answer


async def hangs(target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


def says(status: int, answered: bytes, **headers: str) -> Behavior:
    """The same to every question."""

    async def answer(target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        return status, headers, answered

    return answer
