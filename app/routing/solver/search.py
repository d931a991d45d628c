"""From a problem and its standing plan to a better plan within a bound of effort. Runs in the child; reads only its
own stop watch."""

import importlib
import random
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2, routing_ils_pb2
from ortools.util import optional_boolean_pb2

from app.core.errors import Reason
from app.routing.rules.explain import reach
from app.routing.rules.insertion import greedy, insert_all, missing_from
from app.routing.rules.plan import Effort, Plan, orders_of, schedule
from app.routing.rules.problem import Job, Problem, Visit, allowed
from app.routing.rules.standing import adopted
from app.routing.solver.arrays import fits
from app.routing.solver.errands import suits
from app.routing.solver.model import Model, build, orders_from, routes_of

ROUNDS, SHARE, LEAST_S = 3, 0.5, 0.02
ILS_JOBS, ILS_S, MOST = 6, 5.0, 0.8
BRANCHES_PER_SOLUTION = 40
"""A search that still finds something needs ten to twenty; one that cannot would try for ever."""
ROUNDS_PER_SOLUTION = 10
WAITING = 3.0
"""How many wall seconds a CPU second may take before a search that finds nothing is cut off all the same."""
RUIN, ERRANDS = "ruin and recreate", "errands"
READY = "app.routing.solver.ready"
JOIN_S, JOIN_SHARE = 0.5, 0.05
EXPLICIT = 75
PAIRS = (
    "use_relocate_pair", "use_light_relocate_pair", "use_exchange_pair", "use_relocate_subtrip", "use_exchange_subtrip",
)  # fmt: skip
SECONDS_PER_PAIR = 0.02  # the search never stops by itself: three jobs are done in 0.2 s, ten in 2 s


class Watch:
    """How much of the CPU seconds, and of the wall seconds where those are bounded too, is used up."""

    def __init__(self, cpu_s: float, wall_s: float | None) -> None:
        self.cpu_s, self.wall_s = cpu_s, wall_s
        self.cpu_began, self.wall_began = time.process_time(), time.perf_counter()

    @property
    def cpu(self) -> float:
        return time.process_time() - self.cpu_began

    @property
    def wall(self) -> float:
        return time.perf_counter() - self.wall_began

    def left(self, most_s: float | None = None) -> float:
        """CPU seconds left, or wall seconds if those are fewer; `most_s` narrows the CPU seconds."""
        left = (self.cpu_s if most_s is None else min(self.cpu_s, most_s)) - self.cpu
        return left if self.wall_s is None else min(left, self.wall_s - self.wall)

    def asked(self, most_s: float | None, left_s: float) -> float:
        """The seconds there were at the start, if most are left: five that were asked for are five, whatever greedy took."""
        first = min(each for each in (self.cpu_s, self.wall_s, most_s) if each is not None)
        return first if left_s >= MOST * first else left_s

    def share(self) -> float:
        """From 0 at the start to 1 at the end."""
        used = self.cpu / max(self.cpu_s, 1e-9)
        return used if self.wall_s is None else max(used, self.wall / max(self.wall_s, 1e-9))


def improve(
    problem: Problem,
    standing: Plan | None,
    *,
    limit_s: float,
    wall_s: float | None = None,
    solutions: int | None = None,
    seed: int = 0,
    replay: Effort | None = None,
) -> Plan:
    """The best plan by R2's score that the search found; never worse than what stands or than greedy.

    `limit_s` bounds the CPU seconds, `wall_s` the time on the wall as well; with `solutions` instead of a limit that is
    reached the same seed gives the same plan on any machine, and with `replay`, the effort of an older plan from the
    same values, that plan again. Single visits and errands are improved by ruin and recreate, all else, and what local search
    once made, by local search.
    """
    prepare(problem)
    watch = Watch(limit_s, wall_s)
    if fits(problem):
        plan, effort = _annealed(problem, standing, _Ask(watch, solutions, seed, replay))
    elif suits(problem) and (replay is None or replay.ways == (ERRANDS,)):
        plan, effort = _walked(problem, standing, _Ask(watch, solutions, seed, replay))
    else:
        plan, effort = _routed(problem, standing, _Ask(watch, solutions, seed, replay))
    effort = replace(effort, wall_ms=round(watch.wall * 1000), cpu_ms=round(watch.cpu * 1000))
    return schedule(orders_of(plan), problem, why=dict(plan.unserved), effort=effort, seed=seed)


def prepared(problem: Problem) -> bool:
    """Whether the search can begin at once: most need native code, made once in a process."""
    return READY in sys.modules or not (fits(problem) or suits(problem))


def prepare(problem: Problem) -> None:
    """Load or compile what the search of this problem needs, before its time counts."""
    if not prepared(problem):
        importlib.import_module(READY)


@dataclass(frozen=True, slots=True)
class _Ask:
    watch: Watch
    solutions: int | None
    seed: int
    replay: Effort | None


def _annealed(problem: Problem, standing: Plan | None, ask: _Ask) -> tuple[Plan, Effort]:
    """Ruin and recreate from what stands, or from nothing."""
    from app.routing.solver.anneal import Annealing, Pace

    number = {job.id: index for index, job in enumerate(problem.jobs)}
    kept = adopted(standing, problem)
    start = [[number[visit.job] for visit in order] for order in orders_of(kept)]
    rounds = None if ask.solutions is None else ask.solutions * ROUNDS_PER_SOLUTION
    pace = Pace(ask.watch.share, rounds, ask.replay.marks if ask.replay else ())
    join_s = float(ask.replay.ways[1]) if ask.replay else round(min(JOIN_S, JOIN_SHARE * ask.watch.cpu_s), 3)
    found = Annealing(problem, start, ask.seed, join_s).run(pace)
    orders = [[Visit("drop", problem.jobs[job].id) for job in jobs] for jobs in found.lists]
    plan = schedule(orders, problem)
    why = {job.whole: _why(job, problem) for job in missing_from(plan, problem)}
    effort = Effort(method=RUIN, solutions=found.rounds, ways=(RUIN, str(join_s)), marks=tuple(pace.marks))
    return _better(kept, schedule(orders, problem, why=why)), effort


def _walked(problem: Problem, standing: Plan | None, ask: _Ask) -> tuple[Plan, Effort]:
    """Errands by ruin and recreate from the better of greedy and what stands."""
    from app.routing.solver.anneal import Pace
    from app.routing.solver.errand_anneal import Errandry

    best = _begun(problem, standing)
    rounds = None if ask.solutions is None else ask.solutions * ROUNDS_PER_SOLUTION
    pace = Pace(ask.watch.share, rounds, ask.replay.marks if ask.replay else ())
    errands = Errandry(problem, best, ask.seed)
    found = errands.run(pace)
    plan = schedule(errands.orders(found), problem)
    missing = sorted(missing_from(plan, problem), key=lambda job: (job.tier, job.due_s, job.id))
    plan = insert_all(plan, problem, missing, aim="cost")
    effort = Effort(method=f"greedy, {ERRANDS}", solutions=found.rounds, ways=(ERRANDS,), marks=tuple(pace.marks))
    return _better(best, plan), effort


def _begun(problem: Problem, standing: Plan | None) -> Plan:
    """Greedy, or what stands with the rest inserted, whichever is better."""
    best = greedy(problem)
    return best if standing is None else _better(best, greedy(problem, adopted(standing, problem)))


def _why(job: Job, problem: Problem) -> Reason:
    alone = reach(job, problem)
    if alone is None or alone.finish_s > job.due_s:
        return Reason("R3", "routing.unserved", {"job": job.id, "due_s": job.due_s})
    return Reason("R3", "routing.no_room", {"couriers": len(allowed(job, problem))})


def _routed(problem: Problem, standing: Plan | None, ask: _Ask) -> tuple[Plan, Effort]:
    """Greedy and what stands, then local search.

    Misses are decided with hard deadlines first, then the jobs that must be late are fitted in as early as possible:
    each round gives up a deadline only where the ones before found no way to keep it.
    """
    best = _begun(problem, standing)
    if len(problem.jobs) > 1 and problem.couriers:  # the one job's best place is what greedy looks for
        return _searched(problem, best, ask)
    return best, Effort(method="greedy")


def _searched(problem: Problem, best: Plan, ask: _Ask) -> tuple[Plan, Effort]:
    """Up to three rounds: a wide one for the misses, then polishing from the best, jobs given up let be late."""
    soft = frozenset(job.id for job in problem.jobs if _hopeless(job, problem))
    effort = Effort(method="greedy")
    enough = SECONDS_PER_PAIR * len(problem.jobs) ** 2 if ask.solutions is None else None
    rounds = ROUNDS if ask.replay is None else min(ROUNDS, len(ask.replay.ways))
    for turn in range(rounds):
        left = ask.watch.left(enough)
        if ask.replay is None and left <= LEAST_S:
            break
        late = _missed(best, problem)
        last = turn == ROUNDS - 1 or (turn > 0 and late <= soft)
        soft = soft | late if turn else soft
        way, most = _way(turn, ask.watch.asked(enough, left), len(problem.jobs), ask.solutions), ask.solutions
        if ask.replay is not None:
            way, most = ask.replay.ways[turn], ask.replay.marks[turn]
        limit_s = left if last else left * SHARE
        bound = way == "ils" or most is not None or ask.watch.wall_s is not None
        wall_s = limit_s if bound else limit_s * WAITING
        one = _Round(way, limit_s, most, ask.seed + turn, wall_s, ask.replay is not None)
        found, branches, count = _round(problem, best, soft, one)
        effort = Effort(
            method=effort.method if found is None else f"{effort.method}, {way}",
            branches=effort.branches + branches,
            solutions=effort.solutions + count,
            ways=(*effort.ways, way),
            marks=(*effort.marks, count),
        )
        best = best if found is None else _better(best, found)
        if last:
            break
    return best, effort


def _way(turn: int, asked_s: float, jobs: int, solutions: int | None) -> str:
    """Iterated local search only from six jobs and five seconds on (it once hung on one); else guided local search,
    first with bandits choosing the operators: fewer misses in half a second, more driving, which the next rounds cut.
    """
    if turn > 0:
        return "gls"
    return "ils" if solutions is None and jobs >= ILS_JOBS and asked_s >= ILS_S else "gls-mab"


@dataclass(frozen=True, slots=True)
class _Round:
    way: str
    limit_s: float
    solutions: int | None
    seed: int
    wall_s: float | None = None
    replay: bool = False


def _round(problem: Problem, best: Plan, soft: frozenset[str], ask: _Round) -> tuple[Plan | None, int, int]:
    """One model, one search from the best plan so far; jobs it leaves out are inserted late afterwards."""
    if ask.replay and not ask.solutions:
        return None, 0, 0
    order = list(range(len(problem.jobs)))
    if ask.seed:
        random.Random(ask.seed).shuffle(order)  # noqa: S311 - a reproducible order, no secret
    model = build(problem, order, soft)
    assignment = _solve(model, best, _missed(best, problem) - soft, ask)
    solver = model.routing.solver()
    if assignment is None:
        return None, solver.Branches(), 0
    plan = schedule(orders_from(model, assignment), problem)
    missing = sorted(missing_from(plan, problem), key=lambda job: (job.tier, job.due_s, job.id))
    return insert_all(plan, problem, missing, aim="cost"), solver.Branches(), solver.Solutions()


def _solve(model: Model, best: Plan, without: Iterable[str], ask: _Round) -> Any:
    parameters = _parameters(ask.way, ask.wall_s or ask.limit_s, ask.solutions)
    _suit(parameters, model)
    if ask.solutions is None:
        _stop_after(model, ask.limit_s)
    elif not ask.replay:  # a search that accepts nothing anymore must end alike on any machine
        solver = model.routing.solver()
        model.routing.AddSearchMonitor(solver.BranchesLimit(ask.solutions * BRANCHES_PER_SOLUTION))
    model.routing.CloseModelWithParameters(parameters)
    if ask.way == "ils":  # takes no start; asked through SolveWithParameters it would be ignored in silence
        return model.routing.SolveWithIteratedLocalSearch(parameters)
    start = model.routing.ReadAssignmentFromRoutes(routes_of(model, best, frozenset(without)), True)
    if start is None:
        return model.routing.SolveWithParameters(parameters)
    return model.routing.SolveFromAssignmentWithParameters(start, parameters)


def _stop_after(model: Model, cpu_s: float) -> None:
    """OR-Tools' own limit is the wall's; between two solutions the CPU time can be looked at."""
    end = time.process_time() + cpu_s

    def look() -> None:
        if time.process_time() >= end:
            model.routing.CancelSearch()

    model.routing.AddAtSolutionCallback(look)


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


def _suit(parameters: Any, model: Model) -> None:
    """What depends on the problem: without pick-ups nobody tries to move pairs; up to 75 visits the annealing starts at
    two typical arcs, beyond OR-Tools' own choice was better with the time there is."""
    if all(node.visit.kind == "drop" for node in model.nodes):
        operators = parameters.local_search_operators
        for name in PAIRS:
            setattr(operators, name, optional_boolean_pb2.BOOL_FALSE)
    if len(model.nodes) <= EXPLICIT:
        annealing = (
            parameters.iterated_local_search_parameters.reference_solution_acceptance_strategy.simulated_annealing
        )
        annealing.automatic_temperatures = False
        annealing.initial_temperature = 2 * _typical(model.problem) * max(1, model.problem.prices.drive)
        annealing.final_temperature = 0.01


def _typical(problem: Problem) -> float:
    """The way to the next place over, on average."""
    used = sorted({place for job in problem.jobs for place in (job.drop, job.pickup) if place is not None})
    nearest = [min((problem.travel[a][b] for b in used if b != a), default=0) for a in used]
    return sum(nearest) / max(1, len(nearest)) or 1.0


def _missed(plan: Plan, problem: Problem) -> set[str]:
    by_id = problem.by_id()
    finish = {by_id[name].whole: end for name, end in plan.finishes().items()}
    return {job.id for job in problem.jobs if finish.get(job.whole, problem.horizon_s + job.due_s + 1) > job.due_s}


def _hopeless(job: Job, problem: Problem) -> bool:
    """Whether even a courier with nothing else to do would be late."""
    alone = reach(job, problem)
    return alone is None or alone.finish_s > job.due_s


def _better(one: Plan, other: Plan) -> Plan:
    return other if other.costs.score < one.costs.score else one
