"""A real server in a process of its own, in a folder of its own, that a harness may stop, kill and start again."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One `python -m app serve` and its data folder."""

    data: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SPARELANE_")}
        return (
            kept
            | {"DATA_DIR": str(self.data), "PORT": str(self.port), "SPARELANE_LOG_LEVEL": "warning"}
            | self.settings
        )

    def start(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "app", "serve", *arguments]
        log = (self.data.parent / "server.log").open("ab")
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=log, stderr=log)

    async def ready(self, within_s: float = 60) -> float:
        """Wait until it answers; gives how long that took. RuntimeError if it does not."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with httpx.AsyncClient(base_url=self.url, timeout=2) as client:
            while loop.time() - began < within_s:
                try:
                    if (await client.get("/ready")).status_code == 200:
                        return loop.time() - began
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.05)
        raise RuntimeError(f"not ready within {within_s} s; see {self.data.parent / 'server.log'}")

    def kill(self) -> None:
        """kill -9: no unwinding whatever."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        """SIGTERM, and wait for the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def cli(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Another command of the same installation beside the running server."""
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False)

    def admin(self) -> httpx.AsyncClient:
        """A client with a fresh admin key."""
        made = self.cli("keys", "create", "--role", "admin", "--name", "harness")
        if made.returncode:
            raise RuntimeError(made.stderr)
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        # The server drops idle connections after five seconds; ours go first, so that no call meets one that is being closed.
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64, keepalive_expiry=2)
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60, limits=limits)

    def orphans(self) -> list[str]:
        """Processes that still work in our folder."""
        listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
        return [line.strip() for line in listed.splitlines() if str(self.data) in line]


@contextmanager
def fresh_server(**settings: str) -> Iterator[Server]:
    """A server on an empty folder, gone with everything in it at the end; with settings of its own."""
    with tempfile.TemporaryDirectory(prefix="sl-", dir="/tmp") as folder:
        server = Server(Path(folder) / "var", free_port(), settings)
        try:
            yield server
        finally:
            server.kill()
            for line in server.orphans():
                os.kill(int(line.split()[0]), signal.SIGINT)
