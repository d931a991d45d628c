"""Starting a real Request Tracker 5 on loopback, with the scrip that the documents give, and speaking to its REST 2."""

import asyncio
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.peers.between import eventually
from tools.server import free_port

SITE = Path(__file__).parent / "site"
GUIDE = Path(__file__).parent.parent.parent / "docs" / "integrating.md"
SERVER = Path(os.environ.get("REQUEST_TRACKER", "/usr/share/request-tracker5/libexec/standalone_httpd"))
SETUP = shutil.which("rt-setup-database-5") or "/usr/sbin/rt-setup-database-5"


def documented_scrip(hook: str, token: str) -> str:
    """The scrip's code as the guide shows it, for this hook and token."""
    (code,) = re.findall(r"```perl\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert "https://your-installation/hooks/desk" in code
    assert "the-token-of-the-webhook" in code
    return str(code).replace("https://your-installation/hooks/desk", hook).replace("the-token-of-the-webhook", token)


@dataclass
class RequestTracker:
    """One Request Tracker: `python3 bootstrap.py test` installs it where it may."""

    folder: Path
    hook: str
    token: str
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def secret(self) -> str:
        """The robot's token."""
        return (self.folder / "token").read_text()

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "RT_SITE_CONFIG": str(SITE / "RT_SiteConfig.pm"),
            "RT_SITE_CONFIG_DIR": str(self.folder / "none"),
            "RT_PEER_FOLDER": str(self.folder),
            "RT_PEER_SCRIP": documented_scrip(self.hook, self.token),
        }

    async def start(self) -> None:
        for name in ("none", "mason", "sessions"):
            (self.folder / name).mkdir()
        for words in (("init", "--skip-create"), ("insert", "--datafile", str(SITE / "request_tracker_setup.pl"))):
            done = await asyncio.to_thread(
                subprocess.run, [SETUP, "--action", *words], env=self.environment(), capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
        self._serve()
        await eventually(self._answers)

    def _serve(self) -> None:
        log = (self.folder / "server.log").open("ab")
        command = [str(SERVER), "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=self.environment(), stdout=log, stderr=log)

    async def _answers(self) -> bool:
        try:
            return (await self.call("GET", "rt")).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)

    async def call(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        headers = {"authorization": f"token {self.secret}"}
        async with httpx.AsyncClient(base_url=f"{self.url}/REST/2.0/", headers=headers, timeout=20) as client:
            return await client.request(method, path, json=body, params=query)

    async def open_ticket(self, queue: str, **fields: Any) -> int:
        body = {
            "Queue": queue, "Subject": "北门摄像机无图像", "Content": "North gate is dark.", "ContentType": "text/plain",
            "Requestor": "duty@airport.example", "Priority": 100,
            "CustomFields": {name: fields.pop(name) for name in ("Serial", "Part") if name in fields}, **fields,
        }  # fmt: skip
        answer = await self.call("POST", "ticket", body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    async def change(self, ticket: int, **fields: Any) -> None:
        answer = await self.call("PUT", f"ticket/{ticket}", fields)
        assert answer.status_code == 200, answer.text

    async def ticket(self, ticket: int) -> dict[str, Any]:
        return dict((await self.call("GET", f"ticket/{ticket}")).json())

    async def comments(self, ticket: int) -> list[str]:
        """What the ticket was told, oldest first, beside its own opening."""
        found = await self.call("GET", f"ticket/{ticket}/attachments", fields="Content", per_page="100")
        return [one["Content"] for one in sorted(found.json()["items"], key=lambda one: int(one["id"]))][1:]

    async def kinds(self, ticket: int) -> list[tuple[str, str]]:
        """What was done to the ticket, oldest first: each transaction's type and what it set."""
        found = await self.call("GET", f"ticket/{ticket}/history", fields="Type,NewValue", per_page="100")
        return [(one["Type"], one["NewValue"]) for one in sorted(found.json()["items"], key=lambda one: int(one["id"]))]
