"""Standing between a ticketing system and us: passing its webhooks on, twice, late, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import httpx

from tools.server import free_port

PASSED = ("authorization", "content-type", "x-sparelane-token")
T = TypeVar("T")


async def eventually(ask: Callable[[], Awaitable[T | None]], within_s: float = 60) -> T:
    """Ask again and again until there is an answer."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within_s
    while True:
        found = await ask()
        if found:
            return found
        assert loop.time() < until, "nothing came of it in time"
        await asyncio.sleep(0.2)


@dataclass
class Between:
    """A relay for webhooks: `mode` says what becomes of them."""

    target: str
    mode: Literal["pass", "twice", "hold", "refuse"] = "pass"
    held: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    passed: int = 0
    server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, inp: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        head = (await inp.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        body = await inp.readexactly(int(headers.get("content-length", 0)))
        status = await self._deal(first.split(" ")[1], headers, body)
        out.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await out.drain()
        out.close()

    async def _deal(self, path: str, headers: dict[str, str], body: bytes) -> int:
        given = {name: headers[name] for name in PASSED if name in headers}
        if self.mode == "refuse":
            return 503
        if self.mode == "hold":
            self.held.append((path, given, body))
            return 202
        times = 3 if self.mode == "twice" else 1
        return [await self._pass_on(path, given, body) for _ in range(times)][-1]

    async def _pass_on(self, path: str, headers: dict[str, str], body: bytes) -> int:
        async with httpx.AsyncClient(timeout=5) as client:
            try:
                answer = await client.post(self.target + path, headers=headers, content=body)
            except httpx.HTTPError:
                return 502
        self.passed += 1
        return answer.status_code

    async def release_backwards(self) -> list[int]:
        """What was held, the last first."""
        held, self.held, self.mode = self.held[::-1], [], "pass"
        return [await self._pass_on(*one) for one in held]

    def stop(self) -> None:
        if self.server is not None:
            self.server.close()
