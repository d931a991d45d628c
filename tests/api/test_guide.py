"""The integration guide does what it says: its calls, in order, in a shell, against a server that listens."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from tests.api.own_app import own_app
from tests.cast import a_world

pytestmark = pytest.mark.anyio
GUIDE = (Path(__file__).parents[2] / "docs" / "integrating.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.M | re.S)
SAYS = re.compile(r"\A\s*(\d{3})[:.]\s*(?:```json\n(.*?)\n```)?", re.S)
OTHERS, NOBODY = re.compile(r"https://(?:zammad\.)?example\.com\b[\w/]*"), "http://127.0.0.1:9"
"""Hosts of the guide's reader, which no test may look up."""
MARK = "=====8<====="
AROUND = """
curl() { command curl -w '\\n%{http_code}\\n' "$@"; }
date() { echo 2026-11-22T01:10:00Z; }
"""
"""Each answer's status is told after it, and the day is the tests' day."""


def calls():
    """Each block that calls: its script, the status that follows it (200 or 201 where none does), and the answer shown."""
    found = []
    for block in FENCE.finditer(GUIDE):
        if block[2] == "sh" and "curl " in block[3]:
            says = SAYS.match(GUIDE[block.end() :])
            shown = json.loads(says[2]) if says and says[2] else None
            found.append((block[3], int(says[1]) if says else None, shown))
    return found


def secret(client):
    return client.headers["Authorization"].removeprefix("Bearer ")


def unlike(shown, given, path="answer"):
    """Where an answer is not what the guide shows: `…` stands for any text, what is left out for anything."""
    if isinstance(shown, dict):
        missing = [f"{path}.{name} is missing" for name in shown if not isinstance(given, dict) or name not in given]
        return missing or [one for name, part in shown.items() for one in unlike(part, given[name], f"{path}.{name}")]
    if isinstance(shown, list):
        if not isinstance(given, list) or len(given) < len(shown):
            return [f"{path} is too short"]
        return [one for at, part in enumerate(shown) for one in unlike(part, given[at], f"{path}.{at}")]
    right = isinstance(given, str) and given != "" if shown == "…" else given == shown
    return [] if right else [f"{path} is {given!r}, not {shown!r}"]


@pytest.fixture(scope="module")
def own_database(clone, worker_id):
    return clone(f"guide_{worker_id}_{os.getpid()}")


@asynccontextmanager
async def listening(app):
    """The application on a port of its own; whoever calls before it is ready waits in the queue."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[door]))
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


async def test_every_call_of_the_guide_does_what_the_guide_says(own_database, tmp_path):
    assert shutil.which("curl"), "this test runs the guide's calls with curl"
    blocks = calls()
    assert len(blocks) > 12
    async with own_app(own_database) as (app, client), listening(app) as base:
        admin = await client("admin")
        world = await a_world(admin, customer="YC-AIRPORT", serial="CAM-YC-1001", psu="PSU-12V-5A")
        await world.receive(world.psu, 5)
        desk = await client("integration", customers=[world.customer])
        script = f"BASE={base}\nKEY={secret(desk)}\nADMIN={secret(admin)}\n{AROUND}"
        script += "".join(f"echo '{MARK}'\n{OTHERS.sub(NOBODY, body)}" for body, _, _ in blocks)
        done = await asyncio.to_thread(
            subprocess.run, ["bash", "-eu"], input=script, cwd=tmp_path, capture_output=True, text=True, check=False,
            env={"PATH": os.environ["PATH"], "no_proxy": "127.0.0.1"},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for (body, status, shown), said in zip(blocks, done.stdout.split(f"{MARK}\n")[1:], strict=True):
        answer, _, code = said.rstrip("\n").rpartition("\n")
        assert int(code) in ({status} if status else {200, 201}), f"{body}\n{said}"
        assert unlike(shown, json.loads(answer or "null")) == [] if shown else True, f"{body}\n{said}"


def test_the_demo_network_has_what_the_guide_names():
    demo = Path(__file__).parents[2] / "demo"
    assert "\nCAM-YC-1001," in (demo / "devices.csv").read_text(encoding="utf-8")
    assert "\nPSU-12V-5A," in (demo / "parts.csv").read_text(encoding="utf-8")
    assert "\nYC-AIRPORT," in (demo / "customers.csv").read_text(encoding="utf-8")
