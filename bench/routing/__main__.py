"""`python -m bench.routing FILE... --seconds 5 --seed 1`: solves instances, judges the plans, prints a JSON line each."""

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from app.routing.rules.judge import faults
from app.routing.rules.problem import Problem, from_json
from app.routing.solver.search import improve
from bench.routing import checking
from bench.routing.best import KNOWN
from bench.routing.formats import Instance, read
from bench.routing.mapping import problem_of, routes_of


def main() -> int:
    """Exit 1 if any plan has a fault or leaves a customer out, or a file is no instance; the others are solved all the same."""
    parser = argparse.ArgumentParser(prog="python -m bench.routing", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--seconds", type=float, default=5.0, help="CPU seconds for each, reading included")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    importlib.import_module("app.routing.solver.ready")  # compiling does not count
    bad = 0
    for file in given.files:
        try:
            line = lined(file.read_text(encoding="utf-8-sig"), file.stem, given.seconds, given.seed)
        except (OSError, ValueError, LookupError) as wrong:
            print(f"{file}: {_said(wrong)}", file=sys.stderr)
            bad += 1
            continue
        bad += bool(line.get("faults"))
        print(json.dumps(line), flush=True)
    return 1 if bad else 0


def lined(words: str, name: str, seconds: float, seed: int) -> dict[str, Any]:
    """The line of a file, by what is in it; raises ValueError or LookupError where that is no instance."""
    if words.lstrip().startswith("{"):
        return {**planned(problem := from_json(json.loads(words)), seconds, seed), "instance": problem.region or name}
    return solved(read(words, name), seconds, seed)


def _said(wrong: Exception) -> str:
    return f"{wrong} is missing" if isinstance(wrong, KeyError) else str(wrong)


def solved(instance: Instance, seconds: float, seed: int) -> dict[str, Any]:
    """One instance's line; `faults` is there only when there are any."""
    began = time.process_time()
    problem = problem_of(instance)
    plan = improve(problem, None, limit_s=seconds - (time.process_time() - began), seed=seed)
    used = time.process_time() - began
    routes = routes_of(instance, plan)
    wrong = faults(plan, problem) + checking.wrong(instance, routes)
    cost, best = checking.cost_of(instance, routes), KNOWN.get(instance.digest)
    line = {
        "instance": instance.name,
        "cost": round(cost, 3),
        "gap_percent": None if best is None else round(100 * (cost / best - 1), 3),
        "cpu_seconds": round(used, 2),
        "routes": routes,
    }
    return {**line, "faults": wrong} if wrong else line


def planned(problem: Problem, seconds: float, seed: int) -> dict[str, Any]:
    """The line of a problem of our own kind (docs/routing-json.md): the cost stands behind misses and lateness."""
    began = time.process_time()
    plan = improve(problem, None, limit_s=seconds, seed=seed)
    used = time.process_time() - began
    code = [location.code for location in problem.locations]
    routes = [
        {
            "vehicle": route.courier,
            "depot": code[courier.start],
            "customers": [f"{stop.kind} {stop.job}" for stop in route.stops],
        }
        for route, courier in zip(plan.routes, problem.couriers, strict=True)
        if route.stops
    ]
    line = {
        "instance": problem.region,
        "cost": plan.costs.cost,
        "gap_percent": None,
        "cpu_seconds": round(used, 2),
        "misses": plan.costs.misses,
        "late_s": plan.costs.late_s,
        "method": plan.effort.method,
        "routes": routes,
    }
    wrong = faults(plan, problem)
    return {**line, "faults": wrong} if wrong else line


if __name__ == "__main__":
    sys.exit(main())
