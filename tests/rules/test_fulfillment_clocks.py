"""C4-C6 as tables: what each priority promises, what stops a clock, when it is met, and what escalates once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fulfillment.rules.clocks import Clock, ClockMinutes, LineCommitment, Step, Timing, clocks, plan_deadline
from app.fulfillment.rules.escalation import due_escalations, next_look, raised

T0 = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MINUTES = {
    "general": ClockMinutes(120, None, 120, 480, None),
    "severe": ClockMinutes(5, 60, 120, 240, None),
    "emergency": ClockMinutes(5, 10, 120, None, 120),
}


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def timing(priority="severe", *, kind="local", appointment=None) -> Timing:
    due = at(120 if kind == "local" else 480)
    return Timing(priority, T0, MINUTES, (LineCommitment("l1", kind, due),), appointment)


def found(steps=(), *, now=0.0, **of) -> dict[str, Clock]:
    return {one.name: one for one in clocks(timing(**of), steps, at(now))}


@pytest.mark.parametrize(
    ("priority", "dues"),
    [
        ("general", {"answer": 120, "on_site": 120, "done": 480, "local": 120}),
        ("severe", {"answer": 5, "depart": 60, "on_site": 120, "done": 240, "local": 120}),
        ("emergency", {"answer": 5, "depart": 10, "on_site": 120, "done": 240, "local": 120}),
    ],
)
def test_C4_each_priority_has_its_clocks_from_receipt(priority, dues):
    assert {name: (one.due_at - T0).seconds // 60 for name, one in found(priority=priority).items()} == dues


def test_C4_an_emergency_is_done_two_hours_after_arrival():
    assert found([Step("arrived", at(50))], priority="emergency", now=60)["done"].due_at == at(170)


def test_C4_a_later_appointment_moves_a_general_request():
    clock = found(priority="general", appointment=at(600))
    assert (clock["on_site"].due_at, clock["done"].due_at) == (at(600), at(1080))


@pytest.mark.parametrize(("ended", "state"), [(120, "met"), (120.01, "breached")])
def test_IK5_met_exactly_at_the_due_instant(ended, state):
    assert found([Step("fitted", at(ended), "l1")], now=200)["local"].state == state


def test_C2_a_national_line_ends_when_it_is_handed_over():
    handed = Step("dispatched", at(479), "l1", by_carrier=True)
    assert found([handed], kind="national", now=500)["national"].state == "met"


def test_C2_a_courier_is_no_carrier_but_a_fitted_part_keeps_any_promise():
    by_courier = [Step("dispatched", at(10), "l1")]
    assert found(by_courier, kind="national", now=481)["national"].state == "breached"
    assert found([*by_courier, Step("fitted", at(60), "l1")], kind="national", now=500)["national"].state == "met"


def test_C4_a_remote_answer_needs_nobody_on_site():
    clock = found([Step("answered", at(3), method="remote")], now=10)
    assert (clock["answer"].state, clock["depart"].state, clock["on_site"].state) == ("met", "canceled", "canceled")


def test_C4_a_raised_priority_brings_shorter_clocks_from_its_moment_and_never_longer_ones():
    steps = [Step("priority_changed", at(100), priority="severe")]
    clock = found(steps, priority="general", now=101)
    assert (clock["on_site"].due_at, clock["done"].due_at, clock["depart"].due_at) == (at(120), at(340), at(160))


def test_C6_a_hold_moves_every_due_by_its_length():
    steps = [Step("held", at(30)), Step("resumed", at(90))]
    clock = found(steps, now=100)
    assert (clock["local"].due_at, clock["local"].paused_s, clock["local"].state) == (at(180), 3600, "running")


def test_C6_a_hold_of_one_line_stops_that_line_and_the_service_only_when_all_lines_stand():
    lines = (LineCommitment("l1", "local", at(120)), LineCommitment("l2", "local", at(120)))
    two = Timing("severe", T0, MINUTES, lines)
    one_held = [Step("held", at(0), "l1"), Step("resumed", at(60), "l1")]
    by_line = {(one.name, one.line): one.due_at for one in clocks(two, one_held, at(70))}
    assert (by_line["local", "l1"], by_line["local", "l2"], by_line["done", None]) == (at(180), at(120), at(240))
    both = [*one_held, Step("held", at(30), "l2"), Step("resumed", at(90), "l2")]
    assert {one.name: one.due_at for one in clocks(two, both, at(100))}["done"] == at(270)
    gone = [Step("held", at(0), "l1"), Step("canceled", at(20), "l2")]
    assert {one.name: one.state for one in clocks(two, gone, at(100)) if one.line is None}["done"] == "paused"


def test_C4_before_arrival_an_emergency_cannot_be_late_with_what_begins_at_arrival():
    assert found(priority="emergency", now=300)["done"].state == "running"
    assert found([Step("arrived", at(300))], priority="emergency", now=301)["done"].due_at == at(420)


def test_C4_the_last_answer_decides_whether_somebody_goes():
    answers = [Step("answered", at(3), method="remote"), Step("answered", at(20), method="on_site")]
    assert found(answers, now=30)["on_site"].state == "running"


def test_IK7_a_loss_without_replacement_ends_no_promise():
    assert found([Step("unsourced", at(10), "l1")], now=200)["local"].state == "breached"
    assert found([Step("resourced", at(10), "l1")], now=200)["local"].state == "canceled"


def test_C6_an_open_hold_pauses_and_a_second_one_at_once_is_one():
    steps = [Step("held", at(30)), Step("held", at(31))]
    assert found(steps, now=500)["local"].state == "paused"


def test_C6_a_hold_after_the_breach_stops_nothing():
    steps = [Step("held", at(130)), Step("resumed", at(200))]
    assert (found(steps, now=210)["local"].due_at, found(steps, now=210)["local"].state) == (at(120), "breached")


def test_C7_a_working_loaner_ends_done_but_not_the_commitment():
    clock = found([Step("loaner_working", at(100))], now=300)
    assert (clock["done"].state, clock["local"].state) == ("met", "breached")


def test_a_canceled_line_cancels_its_clock():
    assert found([Step("canceled", at(10), "l1")], now=500)["local"].state == "canceled"


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("America/New_York", "2026-03-08T01:30:00"),
        ("America/New_York", "2026-11-01T00:30:00"),
        ("Asia/Shanghai", "2026-01-01T23:00:00"),
    ],
)
def test_T106_T107_T108_two_hours_are_7200_seconds_in_every_zone(zone, start):
    began = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    line = LineCommitment("l1", "local", began + timedelta(hours=2))
    clock = clocks(Timing("severe", began, MINUTES, (line,)), [], began)[-1]
    assert (clock.due_at - clock.started_at).total_seconds() == 7200


def test_the_plans_deadline_is_the_earliest_clock_that_needs_the_part():
    assert plan_deadline(clocks(timing(kind="national"), [], T0), "l1") == at(240)
    assert plan_deadline(clocks(timing(), [], T0), "l1") == at(120)


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(1, 120)), max_size=5), st.integers(0, 900))
def test_IK1_IK3_due_minus_start_minus_paused_is_the_promise(stretches, now):
    steps = []
    for start, length in stretches:
        steps += [Step("held", at(start)), Step("resumed", at(start + length))]
    for clock in clocks(timing(), steps, at(now)):
        nominal = {"answer": 5, "depart": 60, "on_site": 120, "done": 240, "local": 120}[clock.name]
        assert (clock.due_at - clock.started_at).total_seconds() - clock.paused_s == nominal * 60
        assert clock.due_at >= at(nominal)


@given(st.integers(0, 500), st.integers(0, 500))
def test_IK4_a_breach_stays(first, later):
    earlier, after = sorted((first, first + later))
    before = {one.name for one in clocks(timing(), [], at(earlier)) if one.state == "breached"}
    assert before <= {one.name for one in clocks(timing(), [], at(after)) if one.state == "breached"}


def test_C5_warnings_and_breach_fall_due_once_each():
    done: set = set()
    told = []
    for minute in range(0, 260, 5):
        for one in due_escalations(clocks(timing(), [], at(minute)), done, at(minute)):
            done.add((one.clock, one.line, one.level))
            if one.clock == "local":
                told.append((one.level, minute))
    assert told == [("warn_50", 60), ("warn_80", 100), ("breach", 125)]


def test_C5_the_next_look_is_the_next_thing_that_can_fall_due():
    assert next_look(clocks(timing(), [], T0), set(), T0) == at(2.5)
    late = at(1000)
    done = {(one.clock, one.line, one.level) for one in due_escalations(clocks(timing(), [], late), set(), late)}
    assert next_look(clocks(timing(), [], late), set(), late) == late
    assert next_look(clocks(timing(), [], late), done, late) is None


def test_C5_a_met_clock_escalates_no_more():
    steps = [Step("fitted", at(50), "l1")]
    assert not [
        one for one in due_escalations(clocks(timing(), steps, at(119)), set(), at(119)) if one.clock == "local"
    ]


def test_C5_the_level_rises_by_one_and_ends_at_emergency():
    assert [raised(one) for one in ("general", "severe", "emergency")] == ["severe", "emergency", "emergency"]
