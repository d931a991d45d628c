"""Starting a real django-helpdesk on loopback, and standing between it and us: passing on, twice, late, or not at all."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx

from tools.server import free_port

SITE = Path(__file__).parent / "site"
ROBOT = ("robot", "robot-password")
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
        await asyncio.sleep(0.1)


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
        given = {name: headers[name] for name in ("authorization", "content-type") if name in headers}
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


@dataclass
class Helpdesk:
    """One django-helpdesk and its REST API."""

    python: Path
    folder: Path
    hook: str
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "HELPDESK_DATABASE": str(self.folder / "helpdesk.sqlite"),
            "DJANGO_SETTINGS_MODULE": "helpdesk_site",
            "PYTHONPATH": str(SITE),
            "HELPDESK_NEW_TICKET_WEBHOOK_URLS": self.hook,
            "HELPDESK_FOLLOWUP_WEBHOOK_URLS": self.hook,
        }

    async def start(self) -> None:
        command = [str(self.python), str(SITE / "helpdesk_setup.py")]
        done = await asyncio.to_thread(
            subprocess.run, command, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        self._serve()
        await eventually(self._answers)

    def _serve(self) -> None:
        log = (self.folder / "helpdesk.log").open("ab")
        command = [str(self.python), "-m", "django", "runserver", "--noreload", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, env=self.environment(), stdout=log, stderr=log)

    async def _answers(self) -> bool:
        try:
            return (await self.call("GET", "/api/")).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, auth=ROBOT, timeout=20) as client:
            return await client.request(method, path, json=body)

    async def open_ticket(self, **fields: Any) -> int:
        body = {
            "queue": 1, "title": "Camera shows no picture", "description": "North gate is dark.",
            "submitter_email": "duty@airport.example", "priority": 2, **fields,
        }  # fmt: skip
        answer = await self.call("POST", "/api/tickets/", body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    async def follow_up(self, ticket: int, comment: str, **fields: Any) -> None:
        body = {"ticket": ticket, "comment": comment, "public": True, **fields}
        answer = await self.call("POST", "/api/followups/", body)
        assert answer.status_code == 201, answer.text

    async def change(self, ticket: int, **fields: Any) -> None:
        answer = await self.call("PATCH", f"/api/tickets/{ticket}/", fields)
        assert answer.status_code == 200, answer.text

    async def ticket(self, ticket: int) -> dict[str, Any]:
        return (await self.call("GET", f"/api/tickets/{ticket}/")).json()

    async def comments(self, ticket: int) -> list[str]:
        """What the ticket was told, oldest first, beside its own opening."""
        return [one["comment"] or "" for one in (await self.ticket(ticket))["followup_set"]]
