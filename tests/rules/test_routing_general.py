"""The general routing problem: no plan has a fault, plans replay, ruin and recreate keeps every law."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.util import optional_boolean_pb2

from app.routing.rules import plan as plans
from app.routing.rules import problem as problems
from app.routing.rules.insertion import greedy
from app.routing.rules.judge import faults
from app.routing.rules.plan import orders_of, schedule
from app.routing.rules.problem import Courier, Job, Prices, Problem, Visit
from app.routing.rules.standing import adopted
from app.routing.solver import arrays, search
from app.routing.solver import model as models
from app.routing.solver.anneal import Annealing, Pace
from app.routing.solver.moves import empty_routes, renew
from app.routing.solver.search import RUIN, Watch, improve
from app.routing.solver.walk import COST
from tests.rules.routing_general import classic, shelves
from tests.rules.routing_problems import BRANCH, EAST, HOUR, NORTH, SOUTH, WAREHOUSE, courier, job, random_problem, town

PLENTY_S = 30.0


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 14), st.integers(1, 5))
def test_R3_no_plan_of_single_visits_has_a_fault(seed: int, jobs: int, couriers: int) -> None:
    problem = classic(seed, jobs, couriers)
    plan = improve(problem, None, limit_s=PLENTY_S, solutions=6, seed=seed)
    assert faults(plan, problem) == []
    assert faults(greedy(problem), problem) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 5), st.integers(1, 3))
def test_R3_no_plan_from_finite_shelves_has_a_fault(seed: int, lines: int, couriers: int) -> None:
    problem = shelves(seed, lines, couriers)
    plan = improve(problem, None, limit_s=2.0, solutions=3, seed=seed)
    assert faults(plan, problem) == []
    assert plan.costs.score <= greedy(problem).costs.score
    again = improve(problem, plan, limit_s=2.0, solutions=1, seed=seed)
    assert faults(again, problem) == []
    assert again.costs.score <= plan.costs.score


@pytest.mark.parametrize(
    "problem", [classic(5), shelves(6), random_problem(7, 9, 3)], ids=["ruin", "shelves", "region"]
)
def test_a_plan_bounded_by_time_replays_to_the_same_plan(problem: Problem) -> None:
    plan = improve(problem, None, limit_s=0.4, seed=3)
    again = improve(problem, None, limit_s=PLENTY_S, seed=plan.seed, replay=plan.effort)
    assert (again.routes, again.unserved, again.costs) == (plan.routes, plan.unserved, plan.costs)
    stored = plans.from_json(json.loads(json.dumps(plans.to_json(plan))))
    assert stored == plan


@pytest.mark.parametrize("problem", [classic(1), shelves(2), random_problem(3, 6, 2)])
def test_a_problem_survives_json(problem: Problem) -> None:
    raw = json.loads(json.dumps(problems.to_json(problem)))
    assert problems.from_json(raw) == problem


def test_what_has_a_default_may_be_left_out_of_the_json() -> None:
    raw = {
        "start": "2026-11-22T10:00:00+08:00", "horizon_s": 7200, "locations": [{"code": "a"}, {"code": "b"}],
        "travel": [[0, 60], [90, 0]], "couriers": [{"code": "ali", "start": 0, "available_s": 0, "end_s": 7200}],
        "jobs": [{"id": "A", "tier": 2, "drop": 1, "drop_service_s": 600, "due_s": 3600}],
    }  # fmt: skip
    problem = problems.from_json(raw)
    assert improve(problem, None, limit_s=1.0).finishes() == {"A": 660}


def test_R2_ruin_and_recreate_keeps_what_stands_if_it_finds_nothing_better() -> None:
    problem = classic(8)
    standing = improve(problem, None, limit_s=PLENTY_S, solutions=40)
    assert standing.effort.method == RUIN
    again = improve(problem, standing, limit_s=PLENTY_S, solutions=1, seed=9)
    assert again.costs.score <= standing.costs.score


def test_the_walk_s_books_are_right_after_many_rounds() -> None:
    problem = classic(12, jobs=20, couriers=5)
    walk = Annealing(problem, [[] for _ in problem.couriers], 4, 0.05)
    walk.run(Pace(lambda: 0.0, rounds=300))
    fresh = empty_routes(walk.facts)
    for route, size in enumerate(walk.routes.size.tolist()):
        fresh.size[route] = size
        fresh.place[route, : size + 2] = walk.routes.place[route, : size + 2]
        fresh.route_of[fresh.place[route, 1 : size + 1]] = route
        renew(walk.facts, fresh, route)
        for table, other in zip(fresh[:8], walk.routes[:8], strict=True):
            assert (table[route, 1 : size + 1] == other[route, 1 : size + 1]).all()
    for column, other in zip(fresh[8:], walk.routes[8:], strict=True):
        assert (column == other).all()
    assert walk.walk.numbers[COST] == fresh.cost.sum()


def test_only_what_the_arrays_can_hold_goes_the_way_of_single_visits() -> None:
    problem = classic(1)
    assert arrays.fits(problem)
    late = replace(problem, jobs=(replace(problem.jobs[0], hard=False), *problem.jobs[1:]))
    assert not arrays.fits(late)
    assert not arrays.fits(replace(problem, prices=Prices()))
    assert not arrays.fits(shelves(1))
    assert not arrays.fits(random_problem(1, 5, 2))


def test_a_line_takes_the_nearer_shelf_until_it_is_empty() -> None:
    def line(name: str, place: int) -> Job:
        return job(f"{name}@{place}", EAST, pickup=place, line=name, shelf=f"S{place}", due_s=4 * HOUR)

    jobs = [line(name, place) for name in ("A", "B") for place in (WAREHOUSE, BRANCH)]
    stock = ((f"S{WAREHOUSE}", 5), (f"S{BRANCH}", 1))
    problem = town(jobs, [courier("ali", BRANCH), courier("bo", BRANCH)], stock=stock)
    plan = improve(problem, None, limit_s=PLENTY_S, solutions=20)
    fetched = sorted(stop.location for route in plan.routes for stop in route.stops if stop.kind == "pickup")
    assert faults(plan, problem) == []
    assert fetched == [WAREHOUSE, BRANCH]
    short = replace(problem, stock=((f"S{WAREHOUSE}", 0), (f"S{BRANCH}", 1)))
    left = improve(short, None, limit_s=PLENTY_S, solutions=20)
    assert [name for name, _ in left.unserved] in (["A"], ["B"])
    assert left.unserved[0][1].code == "routing.shelf_empty"


def test_a_hard_deadline_is_kept_or_the_job_left_out_and_a_priced_one_is_late() -> None:
    asked = job("A", EAST, due_s=2000)  # earliest 2640
    late = improve(town([asked, job("B")], [courier("ali")]), None, limit_s=PLENTY_S, solutions=10)
    assert late.finishes()["A"] > 2000
    hard = improve(town([replace(asked, hard=True), job("B")], [courier("ali")]), None, limit_s=PLENTY_S, solutions=10)
    assert [name for name, _ in hard.unserved] == ["A"]


def test_a_courier_leaves_as_late_as_the_bound_of_work_needs() -> None:
    visits = [
        job("A", NORTH, pickup=None, earliest_drop_s=HOUR, due_s=4 * HOUR),
        job("B", SOUTH, pickup=None, earliest_drop_s=3 * HOUR, due_s=5 * HOUR),
    ]
    ali = courier("ali", home=WAREHOUSE, latest_start_s=8 * HOUR)
    order = [[Visit("drop", "A"), Visit("drop", "B")]]
    free = schedule(order, town(visits, [ali]))
    assert free.routes[0].start_s == HOUR - 300  # the first door opens on arrival
    bound = town(visits, [replace(ali, work_s=2 * HOUR)])
    plan = schedule(order, bound)
    assert faults(plan, bound) == []
    assert plan.finishes() == {"A": plan.finishes()["A"], "B": 3 * HOUR + 1200}  # the end is not delayed for it
    left = plan.routes[0].start_s or 0
    assert 3 * HOUR + 1200 + 900 - left == 2 * HOUR
    tight = town(visits, [replace(ali, work_s=HOUR)])
    assert "works" in " ".join(faults(schedule(order, tight), tight))


def test_a_depot_that_starts_no_vehicle_is_no_customer_and_a_tight_fleet_leaves_out_the_least() -> None:
    visits = [
        job(f"J{at}", at, pickup=None, hard=True, loaded=True, pieces=2, tier=at % 3) for at in (NORTH, SOUTH, EAST)
    ]
    problem = town(visits, [courier("ali", BRANCH, pieces=4, home=BRANCH)], prices=Prices(drive=1, lead=0, calm=0))
    plan = improve(problem, None, limit_s=PLENTY_S, solutions=20)
    assert faults(plan, problem) == []
    assert WAREHOUSE not in {stop.location for route in plan.routes for stop in route.stops}
    assert [name for name, _ in plan.unserved] == [f"J{NORTH}"]  # the general one
    assert plan.costs.misses == (0, 0, 1)


def test_effort_is_bounded_by_cpu_seconds_and_the_wall() -> None:
    watch = Watch(10.0, 0.0)
    assert watch.left() <= 0
    assert watch.share() >= 1
    assert 0 < Watch(10.0, None).left() <= 10
    plan = improve(classic(3), None, limit_s=0.2)
    assert plan.effort.cpu_ms > 0
    assert plan.effort.ways[0] == RUIN


def test_contradictions_of_the_general_form_are_refused() -> None:
    one, other = job("A", line="L"), job("B", line="L", due_s=60)
    with pytest.raises(ValueError, match="differ in more"):
        town([one, other], [courier("ali")])
    with pytest.raises(ValueError, match="no alternative"):
        town([one, replace(one, id="B")], [courier("ali", carrying=("A",))])
    with pytest.raises(ValueError, match="named twice"):
        town([one], [courier("ali")], stock=(("S", 1), ("S", 2)))
    with pytest.raises(ValueError, match="lengths is not"):
        town([one], [courier("ali")], lengths=((0,),))
    with pytest.raises(ValueError, match="comes along"):
        town([job("A", loaded=True)], [courier("ali")])
    with pytest.raises(ValueError, match="left already"):
        town([one], [Courier(code="ali", start=0, available_s=60, end_s=HOUR, latest_start_s=0)])


def test_an_older_plan_gives_up_what_the_shelves_no_longer_hold() -> None:
    jobs = [job(name, EAST, shelf="S") for name in ("A", "B")]
    problem = town(jobs, [courier("ali")], stock=(("S", 2),))
    plan = improve(problem, None, limit_s=PLENTY_S, solutions=10)
    assert len(plan.finishes()) == 2
    left = adopted(plan, replace(problem, stock=(("S", 1),)))
    assert len(left.finishes()) == 1
    assert len(orders_of(left)[0]) == 2


def test_operators_and_temperatures_suit_the_problem() -> None:
    visits = [job(f"J{at}", NORTH, pickup=None) for at in range(3)]
    alone, pairs = town(visits, [courier("ali")]), town([job("A"), job("B")], [courier("ali")])
    for problem, moved in ((alone, False), (pairs, True)):
        parameters = search._parameters("ils", 5.0, None)
        search._suit(parameters, models.build(problem, list(range(len(problem.jobs))), frozenset()))
        assert (parameters.local_search_operators.use_relocate_pair == optional_boolean_pb2.BOOL_TRUE) is moved
        accepting = parameters.iterated_local_search_parameters.reference_solution_acceptance_strategy
        assert not accepting.simulated_annealing.automatic_temperatures
        assert accepting.simulated_annealing.initial_temperature > accepting.simulated_annealing.final_temperature
