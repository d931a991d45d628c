"""What is measured on: the demo network for look-ups and promises, one hot shelf for requests, and what they send."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.accounts.rules import duty_actor
from app.core.db import make_engine, reading
from app.core.embedded import prepare
from app.fulfillment.schemas import RequestIn
from app.fulfillment.service.accept import accept
from app.fulfillment.service.proposing import propose
from app.integrations.service.receiving import keep
from app.warranty.queries.answers import check_serials
from app.warranty.queries.facts import by_serials
from bench.service.capture import Statement, captured
from tests.cast import a_world
from tools.server import Server

HOT_DEVICES = 32
HOT_STOCK = 1_000_000
OPEN_REQUESTS = 12
CHECKED = 1_000
HOOK, HOOK_KEY = "/hooks/bench", b"32 bytes that nobody else has .."
ASKER = duty_actor("bench")
JSON = {"Content-Type": "application/json"}
SERIALS = text("SELECT serial FROM device WHERE serial LIKE 'CAM-%' ORDER BY serial")
NEAR = text("""
    SELECT d.serial FROM device d JOIN installation i ON i.id = d.installation JOIN site s ON s.code = i.site
    WHERE s.area = 'YINCHUAN' AND i.model = 'CAM-B200' AND d.replaced_on IS NULL ORDER BY d.serial
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A served installation with a key, and what to ask it. `url` is the database's, for yardsticks."""

    port: int
    pid: int
    key: str
    url: str
    serials: list[str]
    hot: list[bytes]
    local: list[bytes]
    lookup: Statement
    check: Statement
    accepts: list[list[Statement]]
    keeps: list[Statement]


@asynccontextmanager
async def stage(server: Server) -> AsyncIterator[Stage]:
    """Set everything up on a running server that has loaded the demo network."""
    sock = prepare(server.data / "pg")
    url = f"postgresql://postgres@/postgres?host={sock}"
    engine = make_engine(url, pool_size=2)
    try:
        async with server.admin() as api:
            world = await a_world(api)
            await world.receive(world.psu, HOT_STOCK, place=world.branch)
            hot = [bodied(world.request(device_serial=await world.device())) for _ in range(HOT_DEVICES)]
            local = await local_requests(engine)
            for body in local[:OPEN_REQUESTS]:
                (await api.post("/v1/part-requests", content=body, headers=JSON)).raise_for_status()
            secret = f"whsec_{base64.b64encode(HOOK_KEY).decode()}"
            desk = {"code": "bench", "name": "bench", "provider": "generic", "verify_secret": secret}
            (await api.post("/v1/connections", json=desk)).raise_for_status()
            key = api.headers["authorization"].removeprefix("Bearer ")
        yield Stage(
            port=server.port,
            pid=server.process.pid if server.process else 0,
            key=key,
            url=url,
            serials=await serials(engine),
            hot=hot,
            local=local[OPEN_REQUESTS:],
            lookup=await lookup_statement(engine),
            check=await check_statement(engine),
            accepts=[await accept_statements(engine, body) for body in hot],
            keeps=await keep_statements(engine),
        )
    finally:
        await engine.dispose()


def bodied(asked: dict[str, Any]) -> bytes:
    """A request's body whose failure has just happened."""
    failure = asked["failure"] | {"occurred_at": datetime.now(UTC).isoformat(timespec="seconds")}
    return json.dumps(asked | {"failure": failure}).encode()


async def local_requests(engine: AsyncEngine) -> list[bytes]:
    """Requests of the demo's Yinchuan for a power supply within two hours, each for a camera of its own."""
    async with reading(engine) as db:
        cameras = list((await db.execute(NEAR)).scalars())
    failure = {"cause": "defect", "system_stopped": True}
    lines = [{"part_number": "PSU-12V-5A", "quantity": 1, "position": "psu"}]
    shared = {"priority": "severe", "failure": failure, "lines": lines}
    return [bodied({"device_serial": serial} | shared) for serial in cameras]


async def serials(engine: AsyncEngine) -> list[str]:
    async with reading(engine) as db:
        return list((await db.execute(SERIALS)).scalars())


async def lookup_statement(engine: AsyncEngine) -> Statement:
    """What one look-up asks."""
    async with reading(engine) as db:
        with captured(engine) as found:
            await by_serials(db, scope=ASKER.scope, serials=["CAM-YC-1001"])
    (statement,) = found
    return statement


async def check_statement(engine: AsyncEngine) -> Statement:
    """What one check of many serials asks."""
    asked = (await serials(engine))[:CHECKED]
    async with reading(engine) as db:
        with captured(engine) as found:
            await check_serials(db, actor=ASKER, serials=asked, on=None, now=datetime.now(UTC))
    (statement,) = found
    return statement


async def accept_statements(engine: AsyncEngine, body: bytes) -> list[Statement]:
    """The write transaction of one request, in a scratch run that is rolled back."""
    now = datetime.now(UTC)
    async with reading(engine) as db:
        proposal = await propose(db, actor=ASKER, asked=msgspec.json.decode(body, type=RequestIn), now=now)
    async with engine.connect() as db, db.begin() as transaction:
        with captured(engine) as found:
            await accept(db, actor=ASKER, proposal=proposal, now=now)
        await transaction.rollback()
    return found


async def keep_statements(engine: AsyncEngine) -> list[Statement]:
    """What keeping one delivery writes, in a scratch run that is rolled back; its delivery is named as its row is."""
    now = datetime.now(UTC)
    async with engine.connect() as db, db.begin() as transaction:
        with captured(engine) as found:
            await keep(
                db, connection="bench", delivery="", event=None, body=b"{" + b" " * 800 + b"}",
                content_type="application/json", now=now,
            )  # fmt: skip
        await transaction.rollback()
    (one,) = found
    made = next(value for value in one.parameters if str(value).startswith("hk_"))
    return [Statement(one.sql, tuple(made if value == "" else value for value in one.parameters))]
