"""Starting a real django-helpdesk on loopback and speaking to it."""

import asyncio
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.peers.between import eventually
from tools.server import free_port

SITE = Path(__file__).parent / "site"
ROBOT = ("robot", "robot-password")


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
