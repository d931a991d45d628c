"""`demo day`: a day of requests played through the public API, beside the same day under nearest first, first come."""

import argparse
import asyncio
import logging
from pathlib import Path

import structlog

from app.cli.day.demand import day_of
from app.cli.day.stage import SOLUTIONS, Wish, own_database, whole_day
from app.cli.day.table import table
from app.cli.frame import Commands, command, progress
from app.core.settings import Settings


def add(verbs: Commands) -> None:
    day = command(
        verbs,
        "day",
        "Play a day of requests in a database of its own and compare it with nearest place first, first come first "
        "served. The same seed prints the same table.",
    )
    day.add_argument("--seed", type=int, default=1, help="which day (1)")
    day.add_argument("--requests", type=int, help="how many calls, in place of demo/day.json's")
    day.add_argument(
        "--solutions", type=int, default=SOLUTIONS, help=f"solver's effort per plan ({SOLUTIONS}); 0: none"
    )
    day.add_argument("--day", type=Path, help="another description of the day, in place of demo/day.json")
    day.set_defaults(run=run)


def run(given: argparse.Namespace, settings: Settings) -> int:
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    described = day_of(given.day) if given.day else day_of()
    wish = Wish(day=described, seed=given.seed, requests=given.requests, solutions=given.solutions or None)
    with own_database(settings) as url, progress() as shown:
        bar = shown.add_task("Playing the day", total=given.requests or described["requests"])
        played = asyncio.run(whole_day(url, settings, wish, lambda: shown.advance(bar)))
    print(table(played), end="")
    return 1 if played.found else 0
