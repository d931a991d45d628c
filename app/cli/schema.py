"""`migrate`: brings the database to the newest schema. `seal`: appends what happened to the audit's chain at once."""

import argparse
import asyncio

from app.cli.frame import Commands, command, database, engine_on, need_schema
from app.core.db import begin
from app.core.events import Mark, seal_after
from app.core.migrate import migrate, newest
from app.core.settings import Settings


def add(commands: Commands) -> None:
    words = "Bring the database to the newest schema; safe to run at any time and by several at once."
    command(commands, "migrate", words).set_defaults(run=run_migrate)
    words = "Append all settled events to the audit's hash chain now, instead of within seconds by the worker."
    command(commands, "seal", words).set_defaults(run=run_seal)


def run_migrate(_: argparse.Namespace, settings: Settings) -> None:
    with database(settings) as url:
        asyncio.run(migrate(url))
    print(f"The database has the newest schema, {newest()}.")


def run_seal(_: argparse.Namespace, settings: Settings) -> None:
    with database(settings) as url:
        print(f"{asyncio.run(seal_all(url))} events sealed.")


async def seal_all(url: str) -> int:
    """Seal until nothing is left; gives how many events."""
    await need_schema(url)
    sealed, mark = 0, Mark()
    async with engine_on(url) as engine:
        while True:
            async with begin(engine) as db:
                done, mark = await seal_after(db, mark)
            if not done:
                return sealed
            sealed += done
