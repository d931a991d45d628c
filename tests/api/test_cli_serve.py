"""The server as a process: what it refuses, how it starts on an empty folder, how it stops and takes all with it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from app.cli.frame import lost_durability
from app.core.embedded import answers
from app.core.settings import Settings
from tests.api.test_cli_commands import ROOT, sparelane

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder():
    """A short folder for an embedded database. Not pytest's, whose ancestors another run closes to other users."""
    with tempfile.TemporaryDirectory(prefix="sl-") as made:
        yield Path(made)


@pytest.fixture
def port():
    """A port that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def test_H16_a_database_that_may_lose_commits_is_named(engine):
    assert await lost_durability(engine) == ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_nothing_starts_on_a_database_that_may_lose_commits(command, database_url, port):
    refused = sparelane(command, url=database_url, PORT=str(port))
    assert refused.returncode == 1
    assert "fsync = off" in refused.stderr
    assert "is up" not in refused.stdout


def test_a_taken_port_is_said_before_anything_starts(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = sparelane("serve", DATA_DIR=str(folder / "var"), PORT=str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "Set PORT or HOST" in refused.stderr
    assert not (folder / "var").exists()


def started(data: Path, port: int) -> "subprocess.Popen[str]":
    """`serve` on the embedded database, once it says that it is up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SPARELANE_")}
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "serve"],
        cwd=ROOT,
        env=kept | {"DATA_DIR": str(data), "PORT": str(port), "DATABASE_URL": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in server.stdout:
        if "Sparelane is up" in line:
            return server
    raise AssertionError(server.stderr.read())


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_serve_starts_on_an_empty_folder_and_leaves_nothing_running(folder, port, ending):
    data = folder / "var"
    server = started(data, port)
    try:
        made = sparelane("keys", "create", "--role", "admin", "--name", "me", DATA_DIR=str(data))
        assert made.returncode == 0, made.stderr
        secret = made.stdout.strip()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {secret}"}) as client:
            assert client.get("/ready").status_code == 200
            assert client.get("/v1/me").json()["name"] == "me"
            assert client.get("/v1/me?note=hush").status_code == 400
            forwarded = client.get("/v1/nothing", headers={"X-Forwarded-For": "10.9.8.7"})
            assert "server" not in forwarded.headers
        assert sparelane("check", DATA_DIR=str(data)).stdout == "All invariants hold.\n"
    finally:
        server.send_signal(ending)
        _, logged = server.communicate(timeout=30)
    assert server.returncode == 0
    assert '"path": "/v1/me"' in logged
    assert '"query": ["note"]' in logged
    assert "hush" not in logged
    assert secret not in logged
    assert "10.9.8.7" not in logged
    assert "/ready" not in logged
    assert not answers(data / "socket")


def test_a_forwarded_address_is_believed_only_from_a_named_proxy():
    from app.cli.serve import configuration

    assert configuration(Settings(), None).proxy_headers is False
    named = configuration(Settings(trusted_proxies="10.0.0.1"), None)
    assert (named.proxy_headers, named.forwarded_allow_ips) == (True, "10.0.0.1")
