"""From a problem and its standing plan to a better plan within a bound of effort. Runs in the child; reads only its
own stop watch."""

import random
import time
from collections.abc import Iterable
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from app.routing.rules.explain import reach
from app.routing.rules.insertion import greedy, insert_all
from app.routing.rules.plan import Effort, Plan, orders_of, schedule
from app.routing.rules.problem import Problem
from app.routing.rules.standing import adopted
from app.routing.solver.model import Model, build, orders_from, routes_of

ROUNDS = 3
BRANCHES_PER_SOLUTION = 1_000
SECONDS_PER_PAIR = 0.02  # the search never stops by itself: three jobs are done in 0.2 s, ten in 2 s


def improve(
    problem: Problem, standing: Plan | None, *, limit_s: float, solutions: int | None = None, seed: int = 0
) -> Plan:
    """The best plan by R2's score that the search found; never worse than what stands or than greedy.

    Misses are decided with hard deadlines first, then the jobs that must be late are fitted in as early as possible:
    each round gives up a deadline only where the one before found no way to keep it. `limit_s` bounds the wall time;
    with `solutions` the same seed gives the same plan on any machine.
    """
    watch, used = time.perf_counter(), time.process_time()
    if solutions is None:
        limit_s = min(limit_s, SECONDS_PER_PAIR * len(problem.jobs) ** 2)
    best = greedy(problem)
    if standing is not None:
        best = _better(best, greedy(problem, adopted(standing, problem)))
    effort, methods = Effort(), "greedy"
    if problem.jobs and problem.couriers:
        soft = frozenset(job.id for job in problem.jobs if _hopeless(job.id, problem))
        for turn in range(ROUNDS):
            left = limit_s - (time.perf_counter() - watch)
            if left <= 0.02:
                break
            share = left if turn == ROUNDS - 1 or not (_missed(best, problem) - soft) else left * 0.6
            found, branches, count = _round(problem, best, soft, share, solutions, seed + turn)
            effort = Effort(branches=effort.branches + branches, solutions=effort.solutions + count)
            if found is None:
                continue
            methods = "gls"
            best = _better(best, found)
            late = _missed(best, problem)
            if late <= soft:
                break
            soft = soft | late
    return schedule(
        orders_of(best),
        problem,
        why=dict(best.unserved),
        effort=Effort(
            method=methods,
            branches=effort.branches,
            solutions=effort.solutions,
            wall_ms=round((time.perf_counter() - watch) * 1000),
            cpu_ms=round((time.process_time() - used) * 1000),
        ),
        seed=seed,
    )


def _round(
    problem: Problem, best: Plan, soft: frozenset[str], limit_s: float, solutions: int | None, seed: int
) -> tuple[Plan | None, int, int]:
    """One model, one search from the best plan so far; jobs it leaves out are inserted late afterwards."""
    order = list(range(len(problem.jobs)))
    if seed:
        random.Random(seed).shuffle(order)  # noqa: S311 - a reproducible order, no secret
    model = build(problem, order, soft)
    assignment = _solve(model, best, _missed(best, problem) - soft, limit_s, solutions)
    solver = model.routing.solver()
    if assignment is None:
        return None, solver.Branches(), 0
    plan = schedule(orders_from(model, assignment), problem)
    served = plan.finishes()
    missing = [job for job in problem.jobs if job.id not in served]
    missing.sort(key=lambda job: (job.tier, job.due_s, job.id))
    return insert_all(plan, problem, missing, aim="cost"), solver.Branches(), solver.Solutions()


def _solve(model: Model, best: Plan, without: Iterable[str], limit_s: float, solutions: int | None) -> Any:
    parameters = _parameters(limit_s, solutions)
    if solutions is not None:  # a search that accepts nothing anymore must end alike on any machine
        solver = model.routing.solver()
        model.routing.AddSearchMonitor(solver.BranchesLimit(solutions * BRANCHES_PER_SOLUTION))
    model.routing.CloseModelWithParameters(parameters)
    start = model.routing.ReadAssignmentFromRoutes(routes_of(model, best, frozenset(without)), True)
    if start is None:
        return model.routing.SolveWithParameters(parameters)
    return model.routing.SolveFromAssignmentWithParameters(start, parameters)


def _parameters(limit_s: float, solutions: int | None) -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    enums = routing_enums_pb2
    parameters.first_solution_strategy = enums.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = enums.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.ls_operator_neighbors_ratio = 1.0  # less stalls: hundreds of thousands of tries, none accepted
    parameters.time_limit.FromMilliseconds(max(1, round(limit_s * 1000)))
    parameters.lns_time_limit.FromMilliseconds(100)
    if solutions is not None:
        parameters.solution_limit = solutions
    return parameters


def _missed(plan: Plan, problem: Problem) -> set[str]:
    finish = plan.finishes()
    return {job.id for job in problem.jobs if finish.get(job.id, problem.horizon_s + job.due_s + 1) > job.due_s}


def _hopeless(name: str, problem: Problem) -> bool:
    """Whether even a courier with nothing else to do would be late."""
    job = problem.by_id()[name]
    alone = reach(job, problem)
    return alone is None or alone.finish_s > job.due_s


def _better(one: Plan, other: Plan) -> Plan:
    return other if other.costs.score < one.costs.score else one
