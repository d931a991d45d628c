"""`plan stored`: a plan that was in force, with its problem and how it came about, and making it again."""

import argparse
import asyncio
import json
import sys
from typing import Any

from app.cli.frame import Commands, Stop, command, database, engine_on, need_schema
from app.core.db import reading
from app.core.settings import Settings
from app.fulfillment.queries.plans import stored_plan
from app.routing.rules import making as makings
from app.routing.rules import plan as plans
from app.routing.rules.making import Making, made_again
from app.routing.rules.plan import Effort, Plan
from app.routing.rules.problem import Problem
from app.routing.solver.child import NoPlan, Solver

AGAIN_S, WALL_S = 60.0, 1_200.0
"""A search made again ends where the first one did; these only stop what hangs."""


def add(verbs: Commands) -> None:
    words = "Print a plan that was in force, its problem and how it came about, as JSON."
    stored = command(verbs, "stored", words)
    stored.add_argument("region", metavar="REGION")
    stored.add_argument("--version", type=count, metavar="N", help="the newest if not given")
    stored.add_argument("--replay", action="store_true", help="make it again; exit 1 if it comes out otherwise")
    stored.set_defaults(run=run)


def count(words: str) -> int:
    value = int(words)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{words} is not 1 or more")
    return value


def run(given: argparse.Namespace, settings: Settings) -> int:
    with database(settings) as url:
        row = asyncio.run(_stored(url, given.region, given.version))
    if row is None:
        raise Stop(f"No plan of region {given.region}{f' has version {given.version}' if given.version else ''}.")
    told = {name: getattr(row, name) for name in ("region", "version", "planned_at", "problem", "plan", "making")}
    print(json.dumps(told, ensure_ascii=False, default=str))
    if given.replay:
        if row.making is None:
            raise Stop("This plan was stored before how it came about was kept.")
        plan = asyncio.run(_made_again(makings.from_json(row.making, row.problem)))
        was = plans.from_json(row.plan)
        if (plan.routes, plan.costs) != (was.routes, was.costs):
            raise Stop(f"Made again, it is another plan: {json.dumps(plans.to_json(plan), ensure_ascii=False)}")
        print("Made again, it is the same plan.", file=sys.stderr)
    return 0


async def _stored(url: str, region: str, version: int | None) -> Any | None:
    await need_schema(url)
    async with engine_on(url) as engine, reading(engine) as db:
        return await stored_plan(db, region=region, version=version)


async def _made_again(making: Making) -> Plan:
    async with Solver() as solver:

        async def search(problem: Problem, standing: Plan, seed: int, effort: Effort) -> Plan:
            plan = await solver.solve(problem, standing, limit_s=AGAIN_S, wall_s=WALL_S, seed=seed, replay=effort)
            if isinstance(plan, NoPlan):
                raise Stop(f"No plan: {plan.why.code} {json.dumps(dict(plan.why.facts), ensure_ascii=False)}")
            return plan

        return (await made_again(making, search))[1]
