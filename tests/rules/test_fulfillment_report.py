"""The report's rules (C8): what counts as kept, what as covered within two hours, and why a late line was late."""

from datetime import UTC, datetime, timedelta

import pytest

from app.fulfillment.rules.clocks import Step
from app.fulfillment.rules.report import LineFacts, judge, percent, tally, why_late

START = datetime(2026, 10, 31, 15, 0, tzinfo=UTC)
LATER = START + timedelta(days=2)


def at(minutes: int | None) -> datetime | None:
    return None if minutes is None else START + timedelta(minutes=minutes)


def line(kind: str = "local", **minutes: int | None) -> LineFacts:
    hours = 2 if kind == "local" else 8
    times = {f"{name}_at": at(value) for name, value in minutes.items()}
    return LineFacts(line="l1", kind=kind, received_at=START, due_at=START + timedelta(hours=hours), **times)


@pytest.mark.parametrize(
    ("facts", "state", "within", "late_min"),
    [
        (line(fitted=119), "met", True, 0),
        (line(fitted=120), "met", True, 0),
        (line(fitted=121), "missed", False, 1),
        (line(), "missed", False, 46 * 60),
        (line(gone=60), "canceled", None, 0),
        (line(gone=120), "canceled", None, 0),
        (line(gone=180), "missed", False, 60),
        (line(fitted=100, gone=110), "met", True, 0),
        (line(fitted=130, gone=125), "missed", False, 5),
        (line("national", handed=300), "met", False, 0),
        (line("national", handed=300, fitted=2000), "met", False, 0),
        (line("national", fitted=90), "met", True, 0),
        (line("national", handed=481), "missed", False, 1),
        (line("national", gone=200), "canceled", None, 0),
        (line("national", gone=500), "missed", False, 20),
    ],
)
def test_C8_a_line_is_kept_missed_or_called_off(facts, state, within, late_min):
    found = judge(facts, LATER)
    assert (found.state, found.within_two_hours, found.late_s) == (state, within, late_min * 60)


@pytest.mark.parametrize(
    ("kind", "now_min", "state", "within"),
    [
        ("local", 60, "open", None),
        ("local", 121, "missed", False),
        ("national", 60, "open", None),
        ("national", 200, "open", False),
    ],
)
def test_C8_what_is_not_due_yet_is_open_and_not_counted(kind, now_min, state, within):
    found = judge(line(kind), START + timedelta(minutes=now_min))
    assert (found.state, found.within_two_hours) == (state, within)


@pytest.mark.parametrize("whose", [None, "l1"])
def test_C6_a_hold_moves_both_clocks(whose):
    held = (Step("held", at(10), whose), Step("resumed", at(70), whose))
    facts = LineFacts(line="l1", kind="local", received_at=START, due_at=at(120), fitted_at=at(170), held=held)
    assert (judge(facts, LATER).state, judge(facts, LATER).within_two_hours) == ("met", True)
    other = LineFacts(line="l2", kind="local", received_at=START, due_at=at(120), fitted_at=at(170), held=held)
    assert judge(other, LATER).state == ("met" if whose is None else "missed")


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (line(), "late.not_picked"),
        (line(picked=130), "late.not_picked"),
        (line(picked=30), "late.not_sent"),
        (line(picked=30, dispatched=121), "late.not_sent"),
        (line(picked=30, dispatched=40), "late.on_the_way"),
        (line(picked=30, dispatched=40, delivered=119), "late.not_fitted"),
        (line(picked=30, delivered=110, fitted=125), "late.not_fitted"),
        (line(picked=30, dispatched=40, failed_delivery=100), "late.delivery_failed"),
        (line(picked=30, dispatched=40, failed_delivery=150), "late.on_the_way"),
        (line(picked=30, lost=60), "late.lost"),
        (line("national", picked=30), "late.not_sent"),
        (line("national", picked=30, dispatched=100), "late.not_handed"),
    ],
)
def test_C8_the_reason_is_the_step_that_was_missing_when_it_fell_due(facts, code):
    assert why_late(facts, facts.due_at).code == code


def test_C8_hit_rate_and_coverage_stand_on_their_own_denominators():
    facts = [
        line(fitted=100), line(fitted=200), line(gone=10),
        line("national", handed=60), line("national", fitted=30), line("national", gone=5),
    ]  # fmt: skip
    found = tally((one, judge(one, LATER)) for one in facts)
    assert (found.lines, found.local_promised, found.local_met, found.hit_rate) == (6, 2, 1, 50.0)
    assert (found.coverable, found.covered, found.coverage) == (4, 2, 50.0)
    assert (found.national_promised, found.national_met, found.kept, found.missed, found.canceled) == (2, 2, 75.0, 1, 2)


def test_nothing_has_no_rate():
    found = tally([])
    assert (found.hit_rate, found.coverage, found.kept, percent(1, 3)) == (None, None, None, 33.3)
