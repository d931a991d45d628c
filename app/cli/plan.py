"""`plan`: solves a routing problem given as JSON and judges a plan, without a database; `stored` is beside. The form:
docs/routing-json.md."""

import argparse
import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from app.cli import stored
from app.cli.frame import Commands, Stop, command
from app.core.settings import Settings
from app.routing.rules import plan as plans
from app.routing.rules import problem as problems
from app.routing.rules.judge import faults
from app.routing.rules.plan import Plan
from app.routing.rules.problem import Problem
from app.routing.solver.child import NoPlan, Solver

T = TypeVar("T")
LONGEST_S = 86_400
OTHERWISE = (
    "it was made from another problem or another standing plan, by another version, or with iterated local search, which "
    "replays only roughly."
)
WAITING = 20.0
"""How many wall seconds a CPU second may take on a busy machine."""


def add(commands: Commands) -> None:
    plan = command(commands, "plan", "Solve a routing problem given as JSON, judge a plan, or make a stored one again.")
    verbs = plan.add_subparsers(dest="verb", required=True, metavar="VERB")
    solve = command(verbs, "solve", "Solve a problem and print the plan and its cost as JSON.")
    solve.add_argument("file", type=Path, metavar="FILE", help="the problem as JSON")
    solve.add_argument("--seconds", type=_seconds, default=5.0, metavar="N", help="CPU seconds to search for")
    solve.add_argument("--seed", type=int, default=0, metavar="S", help="the same seed and effort give the same plan")
    solve.add_argument(
        "--solutions", type=stored.count, metavar="N", help="stop by solutions, not by time: repeatable anywhere"
    )
    solve.add_argument(
        "--standing", type=Path, metavar="PLAN", help="an older plan to start from and never be worse than"
    )
    solve.add_argument("--replay", type=Path, metavar="PLAN", help="make the plan of this file again, with its seed")
    solve.set_defaults(run=run_solve)
    judge = command(verbs, "judge", "List every fault of a plan; exits 1 if there is one.")
    judge.add_argument("problem", type=Path, metavar="PROBLEM", help="the problem as JSON")
    judge.add_argument("plan", type=Path, metavar="PLAN", help="the plan as JSON")
    judge.set_defaults(run=run_judge)
    stored.add(verbs)


def _seconds(words: str) -> float:
    value = float(words)
    if not 0 <= value <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{words} is not between 0 and {LONGEST_S}")
    return value


def run_solve(given: argparse.Namespace, _: Settings) -> int:
    problem = _problem(given.file)
    standing = _plan(given.standing) if given.standing else None
    again = _plan(given.replay) if given.replay else None
    plan = asyncio.run(_solved(problem, standing, again, given))
    print(json.dumps(plans.to_json(plan), ensure_ascii=False))
    if again and (plan.routes, plan.costs) != (again.routes, again.costs):
        raise Stop(f"This is not the plan of {given.replay}: {OTHERWISE}")
    return 0


async def _solved(problem: Problem, standing: Plan | None, again: Plan | None, given: argparse.Namespace) -> Plan:
    async with Solver() as solver:
        plan = await solver.solve(
            problem,
            standing,
            limit_s=given.seconds,
            wall_s=given.seconds * WAITING,
            solutions=given.solutions,
            seed=again.seed if again else given.seed,
            replay=again.effort if again else None,
        )
    if isinstance(plan, NoPlan):
        raise Stop(f"No plan: {plan.why.code} {json.dumps(dict(plan.why.facts), ensure_ascii=False)}")
    return plan


def run_judge(given: argparse.Namespace, _: Settings) -> int:
    found = faults(_plan(given.plan), _problem(given.problem))
    for one in found or ["no fault"]:
        print(one)
    return 1 if found else 0


def _problem(file: Path) -> Problem:
    return _shaped(file, problems.from_json, "no routing problem")


def _plan(file: Path) -> Plan:
    return _shaped(file, plans.from_json, "no plan")


def _shaped(file: Path, made_of: Callable[[Any], T], what: str) -> T:
    try:
        text = file.read_text(encoding="utf-8-sig")
        return made_of(json.loads(text, parse_float=_number, parse_constant=_refused))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as wrong:
        raise Stop(f"{file} is {what}: {_said(wrong)}. docs/routing-json.md describes the form.") from wrong


def _number(digits: str) -> float | int:
    """Programs that know no whole numbers write 600.0: that is one."""
    value = float(digits)
    return int(value) if value.is_integer() else value


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _said(wrong: Exception) -> str:
    return f"{wrong} is missing" if isinstance(wrong, KeyError) else str(wrong)
