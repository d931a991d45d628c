"""`python -m bench.service [--quick]`: serve a fresh installation with the demo network, measure, print the figures."""

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import asyncpg

from bench.service.figures import Effort, Figure, checks, lookups, requests, singles, tags
from bench.service.hooks import hooks
from bench.service.stage import Stage, stage
from tools.server import fresh_server

FULL = Effort(pairs=5, seconds=3, singles=40)
QUICK = Effort(pairs=1, seconds=1, singles=10)
STEPS: dict[str, Callable[[Stage, Effort], Figure | list[Figure]]] = {
    "lookups": lookups, "tags": tags, "checks": checks, "requests": requests, "singles": singles, "hooks": hooks,
}  # fmt: skip
PACKAGES = ("litestar", "uvicorn", "uvloop", "sqlalchemy", "asyncpg", "msgspec")


async def measured(effort: Effort, wanted: list[str]) -> None:
    with fresh_server() as server:
        server.start("--demo")
        await server.ready(within_s=180)
        async with stage(server) as made:
            print(await conditions(made.url), flush=True)
            for name, step in STEPS.items():
                if not wanted or name in wanted:
                    found = await asyncio.to_thread(step, made, effort)
                    for figure in found if isinstance(found, list) else [found]:
                        print(shown(figure), flush=True)
        server.stop()


async def conditions(url: str) -> str:
    """The machine, its load and the versions: without them no figure means anything."""
    connection = await asyncpg.connect(url)
    names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
    values = [f"{name} {await connection.fetchval('SELECT current_setting($1)', name)}" for name in names]
    await connection.close()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores, load {' '.join(f'{one:.2f}' for one in os.getloadavg())}, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {packages}\n"
        f"PostgreSQL: {', '.join(values)}"
    )


def shown(figure: Figure) -> str:
    goal = f", goal {figure.goal}" if figure.goal is not None else ""
    low, high = figure.spread
    more = f"\n    {figure.more}" if figure.more else ""
    return (
        f"{figure.name}\n    {figure.ours:,.1f} {figure.unit} against {figure.yardstick:,.1f} {figure.unit}: "
        f"ratio {figure.ratio:.2f} ({low:.2f} to {high:.2f}{goal}){more}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.service", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short pair of each: does it run at all?")
    parser.add_argument("--only", action="append", default=[], choices=list(STEPS))
    given = parser.parse_args()
    began = time.monotonic()
    asyncio.run(measured(QUICK if given.quick else FULL, given.only))
    print(f"load at the end {os.getloadavg()[0]:.2f}; {time.monotonic() - began:.0f} s in all")
    sys.exit(0)


if __name__ == "__main__":
    main()
