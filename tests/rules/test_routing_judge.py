"""The judge finds each kind of planted fault, and finds nothing in a sound plan."""

from dataclasses import replace

import pytest

from app.core.errors import Reason
from app.routing.rules.judge import faults
from app.routing.rules.plan import Plan, Stop, schedule
from app.routing.rules.problem import Problem, Visit
from tests.rules.routing_problems import BRANCH, HOUR, NORTH, SOUTH, courier, job, town

GET_A, BRING_A, GET_B, BRING_B = Visit("pickup", "A"), Visit("drop", "A"), Visit("pickup", "B"), Visit("drop", "B")


def sound() -> tuple[Problem, Plan]:
    problem = town([job("A"), job("B", SOUTH)], [courier("ali"), courier("bo", BRANCH)])
    return problem, schedule([[GET_A, GET_B, BRING_A, BRING_B], []], problem)


def with_stops(plan: Plan, *stops: Stop) -> Plan:
    return replace(plan, routes=(replace(plan.routes[0], stops=stops), *plan.routes[1:]))


def test_R3_a_sound_plan_has_no_faults() -> None:
    problem, plan = sound()
    assert faults(plan, problem) == []
    assert [stop.leave_s for stop in plan.routes[0].stops] == [240, 480, 1980, 3780]


@pytest.mark.parametrize(
    ("orders", "fault"),
    [
        ([[BRING_A, GET_A, GET_B, BRING_B], []], "brings A without having fetched it"),
        ([[GET_A, GET_B, BRING_B], [BRING_A]], "brings A without having fetched it"),
        ([[GET_A, GET_B, BRING_A], []], "fetches B and never brings it"),
        ([[GET_A, BRING_A, GET_A, BRING_A, GET_B, BRING_B], []], "2 drops"),
        ([[GET_B, BRING_B, BRING_A], []], "0 pick-ups for 1 drops"),
    ],
)
def test_R3_the_judge_sees_broken_orders(orders: list[list[Visit]], fault: str) -> None:
    problem, _ = sound()
    assert any(fault in found for found in faults(schedule(orders, problem), problem))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"arrive_s": 0}, "too early"),
        ({"start_s": 700}, "starts before arrival"),
        ({"leave_s": 1900}, "does not take its service time"),
        ({"location": BRANCH}, "not 2"),
        ({"job": "stranger"}, "unknown job"),
    ],
)
def test_R3_the_judge_sees_tampered_stops(change: dict[str, int], fault: str) -> None:
    problem, plan = sound()
    stops = list(plan.routes[0].stops)
    stops[2] = replace(stops[2], **change)
    assert any(fault in found for found in faults(with_stops(plan, *stops), problem))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"ready_s": HOUR}, "before it may"),
        ({"pickup_open": ((HOUR, 2 * HOUR),)}, "while closed"),
        ({"drop_open": ((0, 60),)}, "while closed"),
        ({"earliest_drop_s": HOUR}, "before it may"),
        ({"pieces": 4}, "carries 5 pieces"),
        ({"grams": 2_000_000_000}, "carries 2 pieces"),
        ({"skills": ("fiber",)}, "needs fiber"),
        ({"pinned_courier": "bo"}, "pinned to bo"),
        ({"due_s": 600}, "misses is (0, 0, 1)"),
        ({"told_s": 900}, "cost is"),
    ],
)
def test_R3_a_plan_is_judged_by_the_problem_as_it_is_now(change: dict[str, object], fault: str) -> None:
    problem, plan = sound()
    now = replace(problem, jobs=(replace(problem.jobs[0], **change), problem.jobs[1]))
    assert any(fault in found for found in faults(plan, now))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"end_s": 3700}, "works until 3780"),
        ({"end_s": 4600, "home": 0}, "works until 4680"),
        ({"available_s": 60}, "too early"),
        ({"first": Visit("pickup", "B")}, "the started leg to B is not first"),
        ({"carrying": ("A",)}, "fetches A twice"),
        ({"code": "cy"}, "the route names ali/0"),
    ],
)
def test_R4_the_judge_sees_shifts_and_started_legs(change: dict[str, object], fault: str) -> None:
    problem, plan = sound()
    now = replace(problem, couriers=(replace(problem.couriers[0], **change), problem.couriers[1]))
    assert any(fault in found for found in faults(plan, now))


def test_R2_the_judge_recomputes_every_claimed_number() -> None:
    problem, plan = sound()
    for lie in ({"misses": (1, 0, 0)}, {"late_s": (0, 0, 9)}, {"cost": 1}, {"changes": 3}):
        assert len(faults(replace(plan, costs=replace(plan.costs, **lie)), problem)) == 1
    assert faults(replace(plan, routes=(replace(plan.routes[0], drive_s=1), plan.routes[1])), problem)


def test_R3_unserved_jobs_are_named_once_and_known() -> None:
    problem, plan = sound()
    why = Reason("R3", "routing.unserved")
    assert faults(replace(plan, unserved=(("A", why),)), problem) == ["job A: 1 drops and 1 times unserved"]
    assert faults(replace(plan, unserved=(("Z", why),)), problem) == ["unserved job Z is unknown"]
    assert faults(replace(plan, routes=plan.routes[:1]), problem) == ["1 routes for 2 couriers"]


@pytest.mark.parametrize("pickup", [None, 0])
def test_R4_what_is_on_board_is_brought_by_nobody_else(pickup: int | None) -> None:
    problem = town([job("A", pickup=pickup), job("B", SOUTH)], [courier("ali", carrying=("A",)), courier("bo")])
    assert faults(schedule([[BRING_A], [GET_B, BRING_B]], problem), problem) == []
    assert "bo/0: brings A, which is on board of ali/0" in faults(
        schedule([[], [BRING_A, GET_B, BRING_B]], problem), problem
    )


def test_R4_a_started_job_may_be_finished_after_the_shift_but_nothing_before_it() -> None:
    first = {"first": GET_A, "available_s": 600, "end_s": 300}
    problem = town([job("A"), job("B", NORTH)], [courier("ali", **first), courier("bo")])
    assert faults(schedule([[GET_A, BRING_A], [GET_B, BRING_B]], problem), problem) == []
    assert any(
        "works until" in found for found in faults(schedule([[GET_A, GET_B, BRING_B, BRING_A], []], problem), problem)
    )


def general() -> tuple[Problem, Plan]:
    """Two lines with two shelves each, a courier who may leave late and is bounded in work and way."""
    jobs = [
        job(f"{name}@{place}", drop, pickup=place, line=name, shelf=f"S{place}", hard=True)
        for name, drop in (("A", NORTH), ("B", SOUTH))
        for place in (0, BRANCH)
    ]
    ali = courier("ali", latest_start_s=HOUR, work_s=2 * HOUR, length=2_000, home=0)
    problem = town([*jobs, job("V", NORTH, pickup=None, loaded=True)], [ali], stock=(("S0", 2), (f"S{BRANCH}", 1)))
    order = [Visit(kind, name) for kind in ("pickup", "drop") for name in ("A@0", "B@0")]
    return problem, schedule([[*order, Visit("drop", "V")]], problem)


def test_R3_a_sound_plan_of_the_general_form_has_no_faults() -> None:
    problem, plan = general()
    assert faults(plan, problem) == []
    assert plan.costs.length == plan.costs.drive_s


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"stock": (("S0", 1),)}, "shelf S0 holds 1 pieces, 2 are fetched"),
        ({"lengths": tuple((9,) * 5 for _ in range(5))}, "cost is"),
    ],
)
def test_R3_the_judge_sees_shelves_and_ways(change: dict[str, object], fault: str) -> None:
    problem, plan = general()
    assert any(fault in found for found in faults(plan, replace(problem, **change)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"work_s": HOUR}, "at most 3600 are allowed"),
        ({"length": 1_000}, "at most 1000 is allowed"),
        ({"latest_start_s": None, "available_s": 60}, "leaves at 0, not between"),
        ({"pieces": 2}, "carries 3 pieces"),
        ({"pieces": 0}, "leaves with 1 pieces"),
    ],
)
def test_R3_the_judge_sees_bounds_of_a_courier(change: dict[str, object], fault: str) -> None:
    problem, plan = general()
    now = replace(problem, couriers=(replace(problem.couriers[0], **change),))  # type: ignore[arg-type]
    assert any(fault in found for found in faults(plan, now))


def test_R3_the_judge_sees_a_hard_deadline_and_a_line_done_twice() -> None:
    problem, plan = general()
    hard = tuple(replace(each, due_s=600) if each.line == "B" else each for each in problem.jobs)
    assert any("too late, which is not allowed" in found for found in faults(plan, replace(problem, jobs=hard)))
    twice = [Visit(kind, name) for kind in ("pickup", "drop") for name in ("A@0", f"A@{BRANCH}", "B@0")]
    assert "job A: 2 drops and 0 times unserved" in faults(schedule([[*twice, Visit("drop", "V")]], problem), problem)
    nowhere = replace(plan.routes[0].stops[0], location=77)
    moved = replace(plan, routes=(replace(plan.routes[0], stops=(nowhere, *plan.routes[0].stops[1:])),))
    assert faults(moved, problem) == ["pickup of A@0 at location 77, which does not exist"]
