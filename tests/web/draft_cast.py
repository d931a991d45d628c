"""A ticket that came by a connection and waits as a draft."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.db import make_engine
from app.integrations.jobs.act import act_on_receipts
from tests.builders import unique
from tests.cast import World, made


async def a_desk(world: World) -> str:
    """A connection that believes whoever calls."""
    code = unique("desk").lower()
    body = {"code": code, "name": "Desk", "provider": "generic", "customers": [world.customer],
            "overrides": {"verify": {"kind": "none"}}}  # fmt: skip
    await made(world.api, "/v1/connections", body)
    return code


async def drafted(world: World, engine: AsyncEngine, now: datetime, **known: str) -> dict[str, Any]:
    """A ticket without serial and part, or with what is known; its draft."""
    desk, number = await a_desk(world), unique("T")
    told = {
        "number": number,
        "title": "no picture",
        "status": "open",
        "url": f"https://desk.example.com/{number}",
    } | known
    (await world.api.post(f"/hooks/{desk}", json=told)).raise_for_status()
    await act_on_receipts(engine, now)
    tickets = (await world.api.get("/v1/tickets", params={"connection": desk})).json()["items"]
    return (await world.api.get(f"/v1/drafts/{tickets[0]['draft']}")).json()


async def drafted_at(url: str, world: World, now: datetime) -> dict[str, Any]:
    """The same for a site that runs elsewhere."""
    engine = make_engine(url, pool_size=2)
    try:
        return await drafted(world, engine, now)
    finally:
        await engine.dispose()
