"""A receiver on loopback that records every byte and answers as it is told: well, late, half, never."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Got:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Behavior = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(status: int, body: bytes = b"", **headers: str) -> Behavior:
    """Answer with a status, headers (`retry_after=…`) and a body."""

    async def behave(out: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        out.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await out.drain()

    return behave


async def resets_after_half(out: asyncio.StreamWriter) -> None:
    out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await out.drain()
    out.transport.abort()


async def never_answers(out: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drips(out: asyncio.StreamWriter) -> None:
    """One byte at a time, for longer than anybody should wait."""
    out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    while not out.is_closing():
        out.write(b".")
        await out.drain()
        await asyncio.sleep(0.02)


async def floods(out: asyncio.StreamWriter) -> None:
    """A gigabyte."""
    out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while not out.is_closing():
        out.write(b"x" * 65536)
        await out.drain()


@dataclass
class Receiver:
    """`answers` are used one after the other; when they are used up, 204."""

    got: list[Got] = field(default_factory=list)
    answers: list[Behavior] = field(default_factory=list)
    always: Behavior = field(default_factory=lambda: says(204))
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    serving: set["asyncio.Task[None]"] = field(default_factory=set)
    server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close, also on those still kept waiting."""
        if self.server is not None:
            self.server.close()
        for task in list(self.serving):
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def _serve(self, inp: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)
        try:
            head = (await inp.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
            body = await inp.readexactly(int(headers.get("content-length", 0)))
            method, path, _ = first.split(" ")
            self.got.append(Got(method, path, headers, body))
            self.arrived.set()
            await (self.answers.pop(0) if self.answers else self.always)(out)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            out.close()
