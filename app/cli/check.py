"""`check`: recomputes every invariant from the rows themselves and names each difference. Reads only."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.billing import queries as billing
from app.cli.frame import Commands, command, database, engine_on, need_schema, progress
from app.core import events
from app.core.db import begin
from app.core.settings import Settings
from app.fulfillment.queries import checks as fulfillment
from app.integrations.queries import checks as integrations
from app.stock import queries as stock
from app.warranty import queries as warranty

Faults = Callable[[AsyncConnection], Awaitable[list[str]]]

WINGS: tuple[tuple[str, Faults], ...] = (
    ("events", events.faults),
    ("warranty", warranty.faults),
    ("stock", stock.faults),
    ("billing", billing.faults),
    ("fulfillment", fulfillment.faults),
    ("integrations", integrations.faults),
)


def add(commands: Commands) -> None:
    words = "Recompute every invariant and name each difference; exits 1 if there is one."
    command(commands, "check", words).set_defaults(run=run)


def run(_: argparse.Namespace, settings: Settings) -> int:
    with database(settings) as url, progress() as shown:
        found = asyncio.run(checked(url, shown))
    for one in found:
        print(one)
    print(f"{len(found)} differences." if found else "All invariants hold.")
    return 1 if found else 0


async def checked(url: str, shown: Progress) -> list[str]:
    await need_schema(url)
    async with engine_on(url) as engine:
        return await check(engine, shown)


async def check(engine: AsyncEngine, shown: Progress | None = None) -> list[str]:
    """Every difference of every wing, `wing: difference`, all seen in one snapshot; safe beside running work."""
    bar = shown.add_task("Checking", total=len(WINGS)) if shown else None
    found = []
    async with begin(engine.execution_options(isolation_level="REPEATABLE READ")) as db:
        for wing, faults in WINGS:
            found += [f"{wing}: {one}" for one in await faults(db)]
            if shown and bar is not None:
                shown.advance(bar)
    return found
