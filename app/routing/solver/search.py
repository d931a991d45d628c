"""From a problem and its standing plan to a better plan within a bound of effort. Runs in the child; reads only its
own stop watch."""

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2, routing_ils_pb2

from app.routing.rules.explain import reach
from app.routing.rules.insertion import greedy, insert_all
from app.routing.rules.plan import Effort, Plan, orders_of, schedule
from app.routing.rules.problem import Job, Problem
from app.routing.rules.standing import adopted
from app.routing.solver.model import Model, build, orders_from, routes_of

ROUNDS, SHARE, LEAST_S = 3, 0.5, 0.02
ILS_JOBS, ILS_S = 6, 5.0
BRANCHES_PER_SOLUTION = 40
"""A search that still finds something needs ten to twenty; one that cannot would try for ever."""
SECONDS_PER_PAIR = 0.02  # the search never stops by itself: three jobs are done in 0.2 s, ten in 2 s


def improve(
    problem: Problem, standing: Plan | None, *, limit_s: float, solutions: int | None = None, seed: int = 0
) -> Plan:
    """The best plan by R2's score that the search found; never worse than what stands or than greedy.

    Misses are decided with hard deadlines first, then the jobs that must be late are fitted in as early as possible:
    each round gives up a deadline only where the ones before found no way to keep it. `limit_s` bounds the wall time;
    with `solutions` the same seed gives the same plan on any machine.
    """
    watch, used = time.perf_counter(), time.process_time()
    best = greedy(problem)
    if standing is not None:
        best = _better(best, greedy(problem, adopted(standing, problem)))
    end = watch + (limit_s if solutions is not None else min(limit_s, SECONDS_PER_PAIR * len(problem.jobs) ** 2))
    effort = Effort(method="greedy")
    if len(problem.jobs) > 1 and problem.couriers:  # the one job's best place is what greedy looks for
        best, effort = _searched(problem, best, end, solutions, seed)
    effort = replace(
        effort,
        wall_ms=round((time.perf_counter() - watch) * 1000),
        cpu_ms=round((time.process_time() - used) * 1000),
    )
    return schedule(orders_of(best), problem, why=dict(best.unserved), effort=effort, seed=seed)


def _searched(problem: Problem, best: Plan, end: float, solutions: int | None, seed: int) -> tuple[Plan, Effort]:
    """Up to three rounds: a wide one for the misses, then polishing from the best, jobs given up let be late."""
    soft = frozenset(job.id for job in problem.jobs if _hopeless(job, problem))
    effort = Effort(method="greedy")
    for turn in range(ROUNDS):
        left = end - time.perf_counter()
        if left <= LEAST_S:
            break
        late = _missed(best, problem)
        last = turn == ROUNDS - 1 or (turn > 0 and late <= soft)
        soft = soft | late if turn else soft
        way = _way(turn, left, len(problem.jobs), solutions)
        ask = _Round(way, left if last else left * SHARE, solutions, seed + turn)
        found, branches, count = _round(problem, best, soft, ask)
        effort = Effort(
            method=effort.method if found is None else f"{effort.method}, {way}",
            branches=effort.branches + branches,
            solutions=effort.solutions + count,
        )
        best = best if found is None else _better(best, found)
        if last:
            break
    return best, effort


def _way(turn: int, left_s: float, jobs: int, solutions: int | None) -> str:
    """Iterated local search only from six jobs and five seconds on (it once hung on one); else guided local search,
    first with bandits choosing the operators: fewer misses in half a second, more driving, which the next rounds cut.
    """
    if turn > 0:
        return "gls"
    return "ils" if solutions is None and jobs >= ILS_JOBS and left_s >= ILS_S else "gls-mab"


@dataclass(frozen=True, slots=True)
class _Round:
    way: str
    limit_s: float
    solutions: int | None
    seed: int


def _round(problem: Problem, best: Plan, soft: frozenset[str], ask: _Round) -> tuple[Plan | None, int, int]:
    """One model, one search from the best plan so far; jobs it leaves out are inserted late afterwards."""
    order = list(range(len(problem.jobs)))
    if ask.seed:
        random.Random(ask.seed).shuffle(order)  # noqa: S311 - a reproducible order, no secret
    model = build(problem, order, soft)
    assignment = _solve(model, best, _missed(best, problem) - soft, ask)
    solver = model.routing.solver()
    if assignment is None:
        return None, solver.Branches(), 0
    plan = schedule(orders_from(model, assignment), problem)
    served = plan.finishes()
    missing = [job for job in problem.jobs if job.id not in served]
    missing.sort(key=lambda job: (job.tier, job.due_s, job.id))
    return insert_all(plan, problem, missing, aim="cost"), solver.Branches(), solver.Solutions()


def _solve(model: Model, best: Plan, without: Iterable[str], ask: _Round) -> Any:
    parameters = _parameters(ask.way, ask.limit_s, ask.solutions)
    if ask.solutions is not None:  # a search that accepts nothing anymore must end alike on any machine
        solver = model.routing.solver()
        model.routing.AddSearchMonitor(solver.BranchesLimit(ask.solutions * BRANCHES_PER_SOLUTION))
    model.routing.CloseModelWithParameters(parameters)
    if ask.way == "ils":  # takes no start; asked through SolveWithParameters it would be ignored in silence
        return model.routing.SolveWithIteratedLocalSearch(parameters)
    start = model.routing.ReadAssignmentFromRoutes(routes_of(model, best, frozenset(without)), True)
    if start is None:
        return model.routing.SolveWithParameters(parameters)
    return model.routing.SolveFromAssignmentWithParameters(start, parameters)


def _parameters(way: str, limit_s: float, solutions: int | None) -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    enums = routing_enums_pb2
    parameters.first_solution_strategy = enums.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = enums.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.ls_operator_neighbors_ratio = 1.0  # less stalls: hundreds of thousands of tries, none accepted
    parameters.use_multi_armed_bandit_concatenate_operators = way == "gls-mab"
    parameters.time_limit.FromMilliseconds(max(1, round(limit_s * 1000)))
    parameters.lns_time_limit.FromMilliseconds(100)
    if solutions is not None:
        parameters.solution_limit = solutions
    if way == "ils":
        _iterate(parameters)
    return parameters


def _iterate(parameters: Any) -> None:
    """Ruin whole strings of neighboring stops (SISR, Christiaens and Vanden Berghe 2020), insert anew, anneal."""
    enums = routing_enums_pb2
    parameters.local_search_metaheuristic = enums.LocalSearchMetaheuristic.GREEDY_DESCENT
    parameters.use_iterated_local_search = True
    iterated = parameters.iterated_local_search_parameters
    iterated.perturbation_strategy = routing_ils_pb2.PerturbationStrategy.RUIN_AND_RECREATE
    iterated.improve_perturbed_solution = False
    ruin = iterated.ruin_recreate_parameters
    del ruin.ruin_strategies[:]
    strings = ruin.ruin_strategies.add().sisr
    strings.max_removed_sequence_size, strings.avg_num_removed_visits, strings.bypass_factor = 10, 10, 0.5
    ruin.recreate_strategy.heuristic = enums.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
    annealing = iterated.reference_solution_acceptance_strategy.simulated_annealing
    annealing.cooling_schedule_strategy = routing_ils_pb2.CoolingScheduleStrategy.EXPONENTIAL
    annealing.automatic_temperatures = True


def _missed(plan: Plan, problem: Problem) -> set[str]:
    finish = plan.finishes()
    return {job.id for job in problem.jobs if finish.get(job.id, problem.horizon_s + job.due_s + 1) > job.due_s}


def _hopeless(job: Job, problem: Problem) -> bool:
    """Whether even a courier with nothing else to do would be late."""
    alone = reach(job, problem)
    return alone is None or alone.finish_s > job.due_s


def _better(one: Plan, other: Plan) -> Plan:
    return other if other.costs.score < one.costs.score else one
