"""`demo`: loads the demo network, and plays a day on it."""

import argparse
import asyncio

from app.cli import day
from app.cli.demo_network import load_demo
from app.cli.frame import Commands, Stop, command, database, engine_on, need_schema, progress
from app.core.clock import SystemClock
from app.core.settings import Settings


def add(commands: Commands) -> None:
    demo = command(commands, "demo", "The demo network: a service company on a real map, with 2,000 devices.")
    verbs = demo.add_subparsers(dest="verb", required=True, metavar="VERB")
    command(verbs, "load", "Load the demo network into a database that has no places yet.").set_defaults(run=run_load)
    day.add(verbs)


def run_load(_: argparse.Namespace, settings: Settings) -> None:
    with database(settings) as url:
        rows = asyncio.run(loaded(url, settings))
    if rows is None:
        raise Stop("The database has places already; the demo network is loaded into an empty one only.")
    print(f"The demo network is loaded: {rows} rows.")


async def loaded(url: str, settings: Settings) -> int | None:
    await need_schema(url)
    async with engine_on(url) as engine:
        with progress() as shown:
            return await load_demo(engine, currency=settings.currency, now=SystemClock().now(), shown=shown)
