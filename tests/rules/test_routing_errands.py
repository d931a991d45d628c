"""Errands by native code: every law kept, its sums the plan's own, each place it judges the cheapest, repeatable."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.rules.insertion import greedy
from app.routing.rules.judge import faults
from app.routing.rules.plan import Effort, Plan, orders_of, schedule
from app.routing.rules.problem import Problem, Visit, visits_of
from app.routing.rules.standing import adopted
from app.routing.solver.anneal import Pace
from app.routing.solver.arrays import FAR
from app.routing.solver.errand_anneal import Errandry
from app.routing.solver.errands import suits
from app.routing.solver.fetching import REST, best_spot, renew, take
from app.routing.solver.search import ERRANDS, improve
from bench.routing.own import own
from tests.rules.routing_problems import BRANCH, EAST, courier, job, random_problem, town


def walked(problem: Problem, rounds: int, seed: int = 0, start: Plan | None = None) -> tuple[Errandry, Plan]:
    """A run of so many rounds and its best plan, with no better plan to fall back on."""
    run = Errandry(problem, adopted(None, problem) if start is None else start, seed)
    return run, schedule(run.orders(run.run(Pace(lambda: 0.0, rounds=rounds))), problem)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(1, 3), st.booleans())
def test_R3_no_plan_of_errands_has_a_fault_and_its_sums_are_the_plan_s(
    seed: int, jobs: int, couriers: int, hard: bool
) -> None:
    problem = random_problem(seed, jobs, couriers)
    if hard:
        problem = replace(problem, jobs=tuple(replace(one, hard=one.tier == 2) for one in problem.jobs))
    run, plan = walked(problem, 60, seed)
    assert faults(plan, problem) == []
    if not plan.unserved:
        costs = plan.costs
        assert run.trail.best_sums.tolist() == [*costs.misses, *costs.late_s, costs.cost]


@pytest.mark.parametrize("seed", [1, 2])
def test_S3_no_more_is_fetched_from_a_shelf_than_lies_there(seed: int) -> None:
    problem = own(seed)
    _, plan = walked(problem, 30, seed)
    assert faults(plan, problem) == []
    assert plan.costs.score < adopted(None, problem).costs.score


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_R2_the_best_spot_is_what_trying_all_with_the_judge_finds(seed: int) -> None:
    problem = random_problem(seed, 6, 2)
    problem = replace(problem, couriers=tuple(replace(one, first=None, carrying=()) for one in problem.couriers))
    run, _ = walked(problem, 20, seed)
    facts, tours = run.facts, run.tours
    served = [whole for whole in range(6) if tours.held[whole, 0] >= 0]
    if not served:
        return
    whole = served[seed % len(served)]
    number = int(tours.held[whole, 1])
    mine = int(tours.held[whole, 0])
    take(facts, tours, whole)
    renew(facts, tours, mine)
    left = [
        [Visit("drop" if one & 1 else "pickup", problem.jobs[one >> 1].id) for one in tours.visit[at, :size].tolist()]
        for at, size in enumerate(tours.size.tolist())
    ]
    before = int(tours.state[mine, 0, REST])
    tried = {}
    for first, second, order in orders_with(problem, left[mine], number, mine):
        plan = schedule([*left[:mine], order, *left[mine + 1 :]], problem)
        if not [fault for fault in faults(plan, problem) if "unserved" not in fault]:
            fresh = Errandry(problem, plan, 0)
            tried[first, second] = int(fresh.tours.state[mine, 0, REST]) - before
    first, second, cost = best_spot(facts, tours, number, mine, FAR, 0.0, run.trail.random)
    assert cost == min(tried.values()) == tried[first, second]


def orders_with(problem: Problem, order: list[Visit], number: int, courier_at: int):
    """Every order with the job's visits put in; and before which visits."""
    visits = visits_of(problem.jobs[number], problem.couriers[courier_at])
    for first in range(len(order) + 1):
        if len(visits) == 1:
            yield (0, first, [*order[:first], *visits, *order[first:]])
            continue
        for second in range(first, len(order) + 1):
            yield first, second, [*order[:first], visits[0], *order[first:second], visits[1], *order[second:]]


def test_R4_a_plan_of_errands_bounded_by_time_replays_and_the_same_seed_gives_the_same() -> None:
    problem = random_problem(11, 12, 3)
    timed = improve(problem, None, limit_s=0.2, seed=3)
    again = improve(problem, None, limit_s=60.0, seed=3, replay=timed.effort)
    assert (timed.routes, timed.unserved) == (again.routes, again.unserved)
    assert timed.effort.solutions == again.effort.solutions
    assert timed.effort.ways == (ERRANDS,)
    one, other = (improve(problem, None, limit_s=60.0, solutions=9, seed=5) for _ in range(2))
    assert one.routes == other.routes
    assert one.effort.solutions == 90


def test_what_local_search_made_before_replays_by_local_search() -> None:
    problem = random_problem(11, 12, 3)
    older = Effort(method="greedy, gls-mab, gls", ways=("gls-mab", "gls"), marks=(4, 3))
    again = improve(problem, None, limit_s=60.0, replay=older)
    assert faults(again, problem) == []
    assert again.effort.ways == older.ways


def test_R2_the_walk_finds_what_greedy_does_not() -> None:
    problem = own(3)
    assert improve(problem, None, limit_s=60.0, solutions=20).costs.score < greedy(problem).costs.score


def test_only_what_the_arrays_can_hold_is_walked() -> None:
    two = [job("A"), job("B", EAST, pickup=BRANCH)]
    assert suits(town(two, [courier("ali")]))
    assert not suits(town(two[:1], [courier("ali")]))
    assert not suits(town(two, []))
    assert not suits(town(two, [courier("ali", latest_start_s=60)]))
    assert not suits(town(two, [courier("ali", length=60)]))
    assert not suits(town([*two, replace(job("C"), pickup=None, loaded=True)], [courier("ali")]))
    bounded = improve(town(two, [courier("ali", length=10**6)]), None, limit_s=60.0, solutions=9)
    assert bounded.effort.method.startswith("greedy, gls")
    assert sum(map(len, orders_of(bounded))) == 4
