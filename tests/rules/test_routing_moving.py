"""Source and route together: what moves, what stays, and that no move is bought with a higher tier's promise."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.rules.insertion import greedy
from app.routing.rules.judge import faults
from app.routing.rules.moving import CALM, Elsewhere, left_after, move_sources
from app.routing.rules.problem import Visit
from tests.rules.routing_problems import BRANCH, EAST, SOUTH, WAREHOUSE, courier, job, random_problem, town


def at(pickup: int, **other: object) -> Elsewhere:
    facts: dict[str, object] = {"shelf": f"S{pickup}", "pickup": pickup, "ready_s": 0, "free": 1}
    return Elsewhere(**{**facts, **other})  # type: ignore[arg-type]


def test_R2_a_late_line_moves_to_the_shelf_that_keeps_its_promise() -> None:
    problem = town([job("a", drop=EAST, due_s=2700)], [courier("K", start=SOUTH)])
    plan = greedy(problem)
    assert plan.costs.misses == (0, 0, 1)
    tried, better, moved = move_sources(problem, plan, {"a": [at(BRANCH)]})
    assert [(one.job, one.shelf, bool(one.late_before_s)) for one in moved] == [("a", f"S{BRANCH}", True)]
    assert better.costs.misses == (0, 0, 0)
    assert faults(better, tried) == []


def test_R2_a_saving_moves_a_line_only_beyond_the_price_of_piece_and_change() -> None:
    problem = town([job("a", drop=EAST)], [courier("K", start=SOUTH)])
    plan = greedy(problem)
    saved = plan.costs.cost - move_sources(problem, plan, {"a": [at(BRANCH)]})[1].costs.cost
    assert saved > CALM
    for price, moves in ((saved - CALM - 1, 1), (saved - CALM, 0)):
        assert len(move_sources(problem, plan, {"a": [at(BRANCH, price=price)]})[2]) == moves


def test_R4_what_is_pinned_on_board_or_under_way_stays() -> None:
    for mine, driver in (
        (job("a", drop=EAST, pinned_courier="K"), courier("K", start=SOUTH)),
        (job("a", drop=EAST), courier("K", start=SOUTH, carrying=("a",))),
        (job("a", drop=EAST), courier("K", start=WAREHOUSE, first=Visit("pickup", "a"))),
    ):
        problem = town([mine], [driver])
        assert move_sources(problem, greedy(problem), {"a": [at(BRANCH)]})[2] == ()


def test_S3_one_piece_on_the_other_shelf_moves_one_line() -> None:
    jobs = [job(name, drop=EAST, due_s=2700) for name in ("a", "b")]
    problem = town(jobs, [courier("K", start=SOUTH), courier("L", start=SOUTH)])
    ways = {name: [at(BRANCH)] for name in ("a", "b")}
    assert len(move_sources(problem, greedy(problem), ways)[2]) == 1
    both = {name: [at(BRANCH, free=2)] for name in ("a", "b")}
    assert len(move_sources(problem, greedy(problem), both)[2]) == 2
    assert move_sources(problem, greedy(problem), both, most=0)[2] == ()


def test_S3_another_round_does_not_move_a_second_line_to_a_piece_that_is_taken() -> None:
    jobs = [job(name, drop=EAST, due_s=2700) for name in ("a", "b")]
    problem = town(jobs, [courier("K", start=SOUTH), courier("L", start=SOUTH)])
    ways = {name: [at(BRANCH)] for name in ("a", "b")}
    tried, plan, moved = move_sources(problem, greedy(problem), ways, most=1)
    left = left_after(ways, moved, tried)
    assert [(name, [one.free for one in found]) for name, found in left.items()] == [("b", [0])]
    assert move_sources(tried, plan, left)[2] == ()
    assert move_sources(tried, plan, {"b": ways["b"]})[2] != ()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8), st.integers(1, 3))
def test_R2_moving_never_makes_a_plan_worse_and_breaks_nothing(seed: int, jobs: int, couriers: int) -> None:
    rng = random.Random(seed)
    problem = random_problem(seed, jobs, couriers)
    plan = greedy(problem)
    rows = range(len(problem.locations))
    ways = {
        one.id: [at(rng.choice(rows), free=rng.randrange(4)) for _ in range(2)] for one in problem.jobs if one.pickup
    }
    tried, better, moved = move_sources(problem, plan, ways)
    assert faults(better, tried) == []
    assert (better.costs.misses, better.costs.late_s) <= (plan.costs.misses, plan.costs.late_s)
    assert {one.id for one in tried.jobs} == {one.id for one in problem.jobs}
    assert {one.id for one, was in zip(tried.jobs, problem.jobs, strict=True) if one != was} <= {
        one.job for one in moved
    }
