"""Why a job is late or unserved, and what would help: each binding fact in a case of its own."""

from typing import Any

import pytest

from app.core.i18n import catalog, text
from app.routing.rules.explain import explain_courier, explain_miss
from app.routing.rules.insertion import greedy
from app.routing.rules.plan import schedule
from app.routing.rules.problem import Courier, Job, Visit
from tests.rules.routing_problems import BRANCH, EAST, HOUR, NORTH, SOUTH, courier, job, town

MINUTE = 60


def why(asked: Job, *couriers: Courier) -> list[tuple[str, dict[str, object]]]:
    problem = town([asked], list(couriers))
    return [(reason.code, dict(reason.facts)) for reason in explain_miss(asked, greedy(problem), problem)]


def test_R6_a_job_on_time_needs_no_explanation() -> None:
    assert why(job("A"), courier("ali")) == []


@pytest.mark.parametrize(
    ("asked", "mine", "head", "code", "short_s"),
    [
        # 4 min + 5 min of road + 20 min = 29 min at best
        (job("A", due_s=28 * MINUTE), courier("ali"), "late", "too_far", 60),
        (job("A", ready_s=HOUR, due_s=80 * MINUTE), courier("ali"), "late", "ready_too_late", 9 * MINUTE),
        (job("A", due_s=30 * MINUTE), courier("ali", EAST), "late", "couriers_too_far", 19 * MINUTE),
        (job("A"), courier("ali", end_s=20 * MINUTE), "unserved", "no_courier_on_shift", 9 * MINUTE),
        (job("A", earliest_drop_s=3 * HOUR), courier("ali"), "late", "appointment_after_due", 80 * MINUTE),
        (job("A", skills=("fiber",)), courier("ali"), "unserved", "no_courier_may", None),
        (job("A", pieces=9), courier("ali"), "unserved", "too_heavy", None),
        (job("A", pickup_open=((0, 60),)), courier("ali"), "unserved", "source_closed", None),
        (
            job("A", pickup_open=((HOUR, 9 * HOUR),), due_s=80 * MINUTE),
            courier("ali"),
            "late",
            "source_opens_late",
            9 * MINUTE,
        ),
        (job("A", drop_open=((0, 60),)), courier("ali"), "unserved", "closed", None),
        (job("A", due_s=-60), courier("ali"), "late", "due_before_now", None),
    ],
)
def test_R6_the_binding_fact_is_named(asked: Job, mine: Courier, head: str, code: str, short_s: int | None) -> None:
    found = why(asked, mine)
    assert [found[0][0], found[1][0]] == [f"routing.{head}", f"routing.{code}"]
    assert found[1][1].get("short_s") == short_s


@pytest.mark.parametrize(
    ("asked", "mine", "cure"),
    [
        (job("A", ready_s=HOUR, due_s=80 * MINUTE), courier("ali"), {"ready_s": HOUR - 9 * MINUTE}),
        (job("A", due_s=28 * MINUTE), courier("ali"), {"due_s": 29 * MINUTE}),
        (
            job("A", pickup_open=((HOUR, 9 * HOUR),), due_s=80 * MINUTE),
            courier("ali"),
            {"pickup_open": ((HOUR - 9 * MINUTE, 9 * HOUR),)},
        ),
    ],
)
def test_R6_what_it_says_would_help_does_help(asked: Job, mine: Courier, cure: dict[str, Any]) -> None:
    from dataclasses import replace

    assert why(asked, mine)
    assert why(replace(asked, **cure), mine) == []


def test_R6_a_queue_names_the_jobs_ahead_and_what_one_more_courier_would_do() -> None:
    asked = job("A", SOUTH, due_s=50 * MINUTE)
    problem = town([job("E", EAST, tier=0), asked], [courier("ali")])
    orders = [[Visit("pickup", "E"), Visit("drop", "E"), Visit("pickup", "A"), Visit("drop", "A")]]
    found = explain_miss(asked, schedule(orders, problem), problem)
    assert [reason.code for reason in found] == ["routing.late", "routing.queue", "routing.one_more_courier"]
    assert found[1].facts["jobs"] == ["E"]
    assert found[1].facts["as_urgent"] == 1
    assert found[2].facts["spare_s"] == 50 * MINUTE - 39 * MINUTE


def test_R6_the_other_couriers_say_what_they_would_have_made_of_it() -> None:
    asked = job("A", due_s=50 * MINUTE)
    couriers = [courier("ali"), courier("bo", EAST), courier("cy", SOUTH, end_s=HOUR // 3), courier("di", pieces=0)]
    problem = town([asked], [*couriers, courier("ed", BRANCH)])
    plan = schedule([[Visit("pickup", "A"), Visit("drop", "A")], [], [], [], []], problem)
    found = {each.courier: each for each in explain_courier(asked, plan, problem)}
    assert {name: each.reason.code.removeprefix("routing.") for name, each in found.items()} == {
        "ed": "instead_later",
        "bo": "instead_later",
        "cy": "no_room",
        "di": "too_heavy",
    }
    assert next(iter(found)) == "ed"
    assert (found["ed"].finish_s, found["ed"].reason.facts["by_min"]) == (39 * MINUTE, 10)
    assert found["ed"].reason.facts["more_drive_s"] == 10 * MINUTE
    assert explain_courier(job("Z"), plan, problem) == []


def test_R6_another_courier_may_be_in_time_only_at_others_cost() -> None:
    asked = job("A", NORTH, tier=0, due_s=30 * MINUTE)
    problem = town([asked, job("G", NORTH, due_s=30 * MINUTE)], [courier("ali"), courier("bo")])
    orders = [[Visit("pickup", "A"), Visit("drop", "A")], [Visit("pickup", "G"), Visit("drop", "G")]]
    only = explain_courier(asked, schedule(orders, problem), problem)
    assert [(each.courier, each.harmed, each.reason.code) for each in only] == [("bo", ("G",), "routing.instead_harms")]


def test_R6_every_reason_has_both_texts_filled_with_its_facts() -> None:
    asked = job("A", ready_s=HOUR, due_s=80 * MINUTE)
    problem = town([asked], [courier("ali")])
    for reason in explain_miss(asked, greedy(problem), problem):
        for language in ("en", "zh-CN"):
            sentence = text(reason.code, reason.facts, language)
            assert sentence != reason.code
            assert "{" not in sentence


def test_both_catalogs_hold_the_same_routing_codes() -> None:
    english, chinese = ({code for code in catalog(each) if code.startswith("routing.")} for each in ("en", "zh-CN"))
    assert english == chinese
    assert len(english) > 30


def test_R6_a_carried_part_is_judged_by_its_drop_alone() -> None:
    assert why(job("A", due_s=24 * MINUTE), courier("ali", carrying=("A",))) == [
        ("routing.late", {"job": "A", "late_s": 60, "finish_s": 1500, "late_min": 1, "finish_min": 25}),
        (
            "routing.couriers_too_far",
            {"courier": "ali", "finish_s": 1500, "short_s": 60, "finish_min": 25, "short_min": 1},
        ),
    ]
    assert why(job("A", NORTH, due_s=25 * MINUTE), courier("ali", carrying=("A",))) == []
