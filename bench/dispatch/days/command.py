"""`python -m bench.dispatch days`: plays the frozen days under each policy, checks every log, prints a line each."""

import argparse
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from bench.dispatch.days.checking import faults
from bench.dispatch.days.day import REQUESTS, SEEDS, Day, day_of
from bench.dispatch.days.figures import figures, table
from bench.dispatch.days.greedy import CheapestFinish, Nearest, bundled
from bench.dispatch.days.known import Known
from bench.dispatch.days.referee import Policy, World
from bench.dispatch.days.rolling import Effort, Rolling

POLICIES = ("nearest", "nearest-bundled", "cheapest-finish", "insertion", "rolling", "known")
LEAST = 70
"""The fleet rule: the fewest couriers with whom nearest first keeps so many of a hundred promises."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be asked of `days`."""
    parser.add_argument("--days", type=int, default=len(SEEDS), help="how many")
    parser.add_argument("--first", type=int, default=1, help="the seed of the first day")
    parser.add_argument("--policies", default="all", help=f"of {', '.join(POLICIES)}, parted by commas; all but known")
    parser.add_argument(
        "--seconds", type=float, default=0.2, help="CPU seconds of one plan; known has 300 times as much"
    )
    parser.add_argument(
        "--depletion", type=float, default=1.0, help="how far the price of a shelf's last pieces counts"
    )
    parser.add_argument("--fleet", type=int, default=100, help="percent of the couriers that the fleet rule gives")
    parser.add_argument("--slower", type=int, default=0, help="percent by which a drive may differ from its plan")
    parser.add_argument("--jobs", type=int, default=2, help="days played side by side")


def main(asked: argparse.Namespace) -> None:
    """Play and print: a JSON line for each day and policy, then the table."""
    chosen = POLICIES[:-1] if asked.policies == "all" else tuple(asked.policies.split(","))
    strangers = set(chosen) - set(POLICIES)
    if strangers:
        raise SystemExit(f"no such policy: {', '.join(sorted(strangers))}")
    turns = [(seed, policy, asked) for seed in _seeds(asked) for policy in chosen]
    rows = []
    with ProcessPoolExecutor(max_workers=asked.jobs) as pool:
        for row in pool.map(_turn, turns):
            print(json.dumps(row), flush=True)
            rows.append(row)
    print("\n".join(table(rows)))


def _seeds(asked: argparse.Namespace) -> Sequence[int]:
    if asked.first not in SEEDS:
        raise SystemExit(f"days have seeds {SEEDS[0]} to {SEEDS[-1]}")
    return SEEDS[SEEDS.index(asked.first) :][: asked.days]


def _turn(turn: tuple[int, str, argparse.Namespace]) -> dict[str, Any]:
    seed, policy, asked = turn
    day = day_of(seed)
    effort = Effort(seconds=asked.seconds)
    couriers = max(1, fleet_of(day) * asked.fleet // 100)
    return played(day, couriers, policy, effort=effort, depletion=asked.depletion, slower=asked.slower)


def fleet_of(day: Day) -> int:
    """Couriers by the fleet rule."""
    for couriers in range(1, REQUESTS):
        world = World(day, couriers)
        world.play(Nearest())
        if figures(day, world)["percent"] >= LEAST:
            return couriers
    raise RuntimeError(f"day {day.seed}: no fleet is large enough")


def played(
    day: Day, couriers: int, name: str, *, effort: Effort, depletion: float = 1.0, slower: int = 0
) -> dict[str, Any]:
    """One day under one policy, its log checked."""
    begun = time.process_time()
    policy = policy_of(name, day, couriers, effort, depletion)
    world = World(day, couriers, slower=slower)
    world.play(policy)
    wrong = faults(day, couriers, world.log, slower=slower)
    if wrong:
        raise RuntimeError(f"day {day.seed}, {name}: {'; '.join(wrong[:5])}")
    found = {"seed": day.seed, "digest": day.digest(), "policy": name, "couriers": couriers, **figures(day, world)}
    if isinstance(policy, Rolling):
        found["plan_ms"] = _spread(policy.took_s)
    return {**found, "cpu_s": round(time.process_time() - begun, 1), "load": round(os.getloadavg()[0], 1)}


def policy_of(name: str, day: Day, couriers: int, effort: Effort, depletion: float) -> Policy:
    """A policy by its name."""
    match name:
        case "nearest":
            return Nearest()
        case "nearest-bundled":
            return bundled()
        case "cheapest-finish":
            return CheapestFinish()
        case "insertion":
            return Rolling(Effort(seconds=0), depletion)
        case "known":
            return Known(day, couriers, Effort(seconds=effort.seconds * 300, solutions=effort.solutions))
        case _:
            return Rolling(effort, depletion)


def _spread(took_s: Sequence[float]) -> list[int]:
    """Median and 95th percentile in milliseconds of CPU time."""
    ordered = sorted(took_s)
    return [round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]) for share in (0.5, 0.95)]
