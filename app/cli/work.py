"""`worker`: the background duties in a process of their own, as many processes as wanted."""

import argparse
import asyncio
from collections.abc import Sequence

import structlog

from app.cli.frame import (
    Commands,
    command,
    database,
    engine_on,
    need_durability,
    need_schema,
    on_stop_signals,
    run_loop,
)
from app.core.clock import SystemClock
from app.core.egress import Outgoing, egress_of
from app.core.logs import configure_logs
from app.core.settings import Settings
from app.integrations.jobs.deliver import Post
from app.routing.solver.child import Solver
from app.routing.travel.chosen import Travel
from app.worker import DUTIES, Context, Duty, Worker

POOL = 8
log = structlog.get_logger("worker")


def add(commands: Commands) -> None:
    words = (
        "Run the background duties apart from the server (which then has SPARELANE_WORKER=apart); any number may run."
    )
    worker = command(commands, "worker", words)
    worker.add_argument(
        "--only",
        type=named,
        default=DUTIES,
        metavar="DUTY,…",
        help="run these duties alone, as in `--only fan_out,deliver`, so that planning elsewhere holds up no webhook",
    )
    worker.set_defaults(run=run)


def named(given: str) -> tuple[Duty, ...]:
    """The duties of these names."""
    known = {duty.name: duty for duty in DUTIES}
    names = [one.strip() for one in given.split(",")]
    if strangers := [one for one in names if one not in known]:
        raise argparse.ArgumentTypeError(f"there is no duty {strangers[0]!r}; there are {', '.join(sorted(known))}")
    return tuple(known[one] for one in names)


def run(given: argparse.Namespace, settings: Settings) -> None:
    configure_logs(settings.log_level)
    with database(settings) as url:
        run_loop(working(url, settings, given.only))


async def working(url: str, settings: Settings, duties: Sequence[Duty] = DUTIES) -> None:
    """Work until SIGTERM or Ctrl-C."""
    stopped = asyncio.Event()
    on_stop_signals(stopped.set)
    await need_schema(url)
    async with (
        engine_on(url, pool_size=POOL, settings=settings) as engine,
        Solver() as solver,
        Travel(settings.travel, settings.data) as travel,
        Outgoing(egress_of(settings.egress_allow)) as outgoing,
    ):
        await need_durability(engine)
        async with Worker(Context(engine, SystemClock(), settings, solver, travel, post=Post(outgoing)), duties):
            log.info("worker is up")
            await stopped.wait()
