"""Verdicts at their edges: causes, opened boxes, days, late notice, restarts to come, unread serials, replay."""

import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.warranty.rules.inputs import Candidate, Failure, VerdictInputs
from app.warranty.rules.restart import NoRestart, Restart
from app.warranty.rules.terms import Calendar, Terms
from app.warranty.rules.verdict import (
    Covered,
    NotCovered,
    Verdict,
    changes,
    decide_verdict,
    outcome,
    refused_because,
    verdict_bytes,
)
from tests.rules.test_warranty_coverage import ACCEPTED, D, at, confirmed, history, installation, replaced, swapped

ZONED = datetime.fromisoformat


def inputs(
    failed: datetime | str = "2016-05-01",
    *events: Any,
    position: str = "psu",
    reported: datetime | None = None,
    serial: str = "CAM-1",
    frozen: dict[str, Any] | None = None,
    **failure: Any,
) -> VerdictInputs:
    occurred_at = at(failed) if isinstance(failed, str) else failed
    told = {"cause": "defect", "system_stopped": True, **failure}
    candidate = Candidate(
        serial=serial,
        installation_id="ins_1",
        installation=installation(**(frozen or {})),
        events=tuple(history(*(events or (ACCEPTED,)))),
    )
    return VerdictInputs(
        position=position,
        failure=Failure(occurred_at=occurred_at, reported_at=reported or occurred_at, **told),
        candidates=(candidate,),
    )


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


@pytest.mark.parametrize(
    ("cause", "kind", "provisional"),
    [
        ("defect", Covered, False),
        ("material", Covered, False),
        ("software", Covered, False),
        ("installation", Covered, False),
        ("commissioning", Covered, False),
        ("wear", Covered, False),
        ("undetermined", Covered, True),
        ("customer", NotCovered, False),
        ("force_majeure", NotCovered, False),
    ],
)
def test_W7_what_is_covered(cause: str, kind: type[Verdict], provisional: bool) -> None:
    verdict = decide_verdict(inputs(cause=cause))
    assert (type(verdict), verdict.provisional) == (kind, provisional)


@pytest.mark.parametrize(("day", "rule"), [("2016-05-01", "P3"), ("2018-08-01", "P2"), ("2015-07-31", "P3")])
def test_W7_a_customers_cause_pays_cost_only(day: str, rule: str) -> None:
    verdict = decide_verdict(inputs(day, cause="customer"))
    assert isinstance(verdict, NotCovered)
    assert verdict.price_rule == rule


@pytest.mark.parametrize(
    ("day", "payer"),
    [
        ("2015-07-01", "vendor"),
        ("2015-07-31", "vendor"),
        ("2015-08-01", "oem"),
        ("2017-07-31", "oem"),
        ("2017-08-01", "oem_service"),
        ("2018-07-31", "oem_service"),
    ],
)
def test_W9_the_payer_on_the_day_of_the_failure(day: str, payer: str) -> None:
    verdict = decide_verdict(inputs(day))
    assert isinstance(verdict, Covered)
    assert verdict.payer == payer


@pytest.mark.parametrize(
    ("instant", "kind"),
    [("2018-07-31T23:59:59+08:00", Covered), ("2018-08-01T00:00:00+08:00", NotCovered)],
)
def test_W2_to_the_last_second_of_the_last_day(instant: str, kind: type[Verdict]) -> None:
    entered_next_day = ZONED("2018-08-01T09:00:00+08:00")
    assert isinstance(decide_verdict(inputs(ZONED(instant), reported=entered_next_day)), kind)


def test_W3_the_offset_of_the_report_does_not_matter() -> None:
    same = [ZONED("2018-07-31T15:59:59+00:00"), ZONED("2018-07-31T11:59:59-04:00"), ZONED("2018-07-31T23:59:59+08:00")]
    assert {type(decide_verdict(inputs(instant))) for instant in same} == {Covered}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"])
def test_IW9_the_servers_zone_does_not_matter(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = verdict_bytes(inputs("2018-07-31").plain())
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    after = verdict_bytes(inputs("2018-07-31").plain())
    monkeypatch.undo()
    time.tzset()
    assert after == before


def test_W4_after_expiry_the_restarted_part_is_covered_by_the_vendor() -> None:
    verdict = decide_verdict(inputs("2019-01-01", ACCEPTED, replaced("2017-05-10"), confirmed("2017-05-10")))
    assert isinstance(verdict, Covered)
    assert (verdict.payer, verdict.coverage.restarted, verdict.coverage.last_day) == ("vendor", True, D("2020-05-10"))


def test_W4_force_majeure_pays_for_the_part_and_still_restarts() -> None:
    verdict = decide_verdict(inputs(cause="force_majeure"))
    assert isinstance(verdict, NotCovered)
    assert verdict.restart_if_confirmed == Restart(D("2016-05-01"), D("2016-05-02"), D("2019-05-01"))


def test_W4_after_expiry_the_new_part_is_paid_and_then_runs_anew() -> None:
    verdict = decide_verdict(inputs("2019-05-10"))
    assert isinstance(verdict, NotCovered)
    assert isinstance(verdict.restart_if_confirmed, Restart)
    never = decide_verdict(inputs("2019-05-10", frozen={"terms": Terms(restart_after_expiry=False)}))
    assert never.restart_if_confirmed == NoRestart(("cover_ended",))


def test_W4_missing_conditions_are_named() -> None:
    verdict = decide_verdict(inputs(position="lens", system_stopped=False, cause="customer"))
    assert verdict.restart_if_confirmed == NoRestart(("not_key", "customer_cause", "system_ran"))
    assert codes(verdict)[-3:] == ["restart.not_key", "restart.customer_cause", "restart.system_ran"]


def test_W4_cover_on_the_day_of_a_late_confirmation_begins_with_it() -> None:
    events = (ACCEPTED, replaced("2019-05-10"), confirmed("2019-05-10"))
    assert isinstance(decide_verdict(inputs(at("2019-05-10", 9), *events)), NotCovered)
    assert isinstance(decide_verdict(inputs(at("2019-05-10", 11), *events)), Covered)


@pytest.mark.parametrize("cause", ["customer", "force_majeure", "undetermined", "defect"])
@pytest.mark.parametrize("day", ["2015-07-01", "2016-05-01", "2025-05-01"])
def test_W8a_an_opened_box_is_replaced_whatever_the_cause_or_day(cause: str, day: str) -> None:
    verdict = decide_verdict(inputs(day, cause=cause, found_on="opening"))
    assert isinstance(verdict, Covered)
    assert (verdict.opened_box, verdict.provisional) == (True, False)
    assert "box.opened" in codes(verdict)


@pytest.mark.parametrize(("day", "opened"), [("2015-06-08", True), ("2015-06-09", False)])
def test_W8a_with_a_limit_counts_from_delivery(day: str, opened: bool) -> None:
    frozen = {"terms": Terms(doa_days=7), "delivered_on": D("2015-06-01")}
    verdict = decide_verdict(inputs(day, found_on="opening", cause="customer", frozen=frozen))
    assert isinstance(verdict, Covered) is opened
    assert ("box.too_late" in codes(verdict)) is not opened


def test_W8a_a_spares_limit_counts_from_its_own_arrival() -> None:
    frozen = {"terms": Terms(doa_days=7), "delivered_on": D("2015-06-01")}
    events = (ACCEPTED, replaced("2017-05-10"))
    verdict = decide_verdict(inputs("2017-05-12", *events, found_on="opening", cause="customer", frozen=frozen))
    assert isinstance(verdict, Covered)


@pytest.mark.parametrize(
    ("failed", "after", "late"),
    [
        ("2018-07-20", timedelta(days=12), True),
        ("2018-07-20", timedelta(days=11), False),  # still covered when reported
        ("2018-07-30", timedelta(days=7), False),  # not over seven days
        ("2018-07-30", timedelta(days=7, seconds=1), True),
        ("2016-01-01", timedelta(days=30), False),
        ("2018-08-05", timedelta(days=30), False),
    ],
)
def test_W10_late_notice(failed: str, after: timedelta, late: bool) -> None:
    verdict = decide_verdict(inputs(failed, reported=at(failed) + after))
    assert (verdict.late_notice, "notice.late" in codes(verdict)) == (late, late)


def test_W1_a_failure_before_delivery_is_refused() -> None:
    asked = inputs("2015-05-31", frozen={"delivered_on": D("2015-06-01")})
    refused = refused_because(asked)
    assert refused is not None
    assert refused.code == "failure.before_delivery"
    assert refused_because(inputs("2015-06-01", frozen={"delivered_on": D("2015-06-01")})) is None


@pytest.mark.parametrize(
    ("serial", "hour", "code"),
    [
        ("CAM-1", 9, None),
        ("CAM-1", 10, "failure.device_replaced"),
        ("CAM-2", 9, "failure.before_installation"),
        ("CAM-2", 10, None),
    ],
)
def test_W13_a_failure_belongs_to_the_serial_that_stood_there(serial: str, hour: int, code: str | None) -> None:
    refused = refused_because(inputs(at("2017-05-10", hour), ACCEPTED, swapped("2017-05-10"), serial=serial))
    assert (refused.code if refused else None) == code


def test_W10_void_is_not_covered_at_cost() -> None:
    void = ("voided", "2016-01-01", {"reason": "opened", "from_day": "2016-01-01"})
    verdict = decide_verdict(inputs("2016-05-01", ACCEPTED, void))
    assert isinstance(verdict, NotCovered)
    assert (verdict.price_rule, verdict.restart_if_confirmed) == ("P3", NoRestart(("void",)))


def test_W4_cover_that_rests_on_an_open_cause_is_provisional() -> None:
    events = (ACCEPTED, replaced("2017-05-10", cause="undetermined"), confirmed("2017-05-10"))
    assert decide_verdict(inputs("2018-01-01", *events)).provisional is False
    assert decide_verdict(inputs("2019-01-01", *events)).provisional is True


def test_W2_an_unpublished_calendar_makes_the_days_after_the_end_provisional() -> None:
    frozen = {"terms": Terms(holiday_rollover=True)}
    unknown = Calendar(country="CN", version="CN")
    asked = [
        replace(inputs(day, frozen=frozen), calendar=unknown) for day in ("2018-07-31", "2018-08-01", "2018-09-01")
    ]
    assert [decide_verdict(one).provisional for one in asked] == [False, True, False]


def test_W7_settled_as_customer_needs_consent_given_before() -> None:
    before = inputs(cause="undetermined")
    failure = replace(before.failure, cause="customer", settled_from="undetermined")
    after = replace(before, failure=failure)
    verdict = decide_verdict(after)
    assert isinstance(verdict, NotCovered)
    assert verdict.needs_consent is True
    found = changes(outcome(decide_verdict(before), before), outcome(verdict, after))
    assert [(one.field, one.before, one.after) for one in found][:5] == [
        ("covered", True, False),
        ("payer", "oem", None),
        ("price_rule", "P1", "P3"),
        ("needs_consent", False, True),
        ("provisional", True, False),
    ]


def test_an_unread_serial_gets_the_best_verdict_provisionally() -> None:
    expired = inputs("2018-09-01", serial="CAM-9")
    running = inputs("2018-09-01", ("accepted", "2017-01-01", {"on": "2017-01-01"}), serial="CAM-8")
    both = replace(expired, candidates=(*expired.candidates, *running.candidates), serial_known=False)
    verdict = decide_verdict(both)
    assert isinstance(verdict, Covered)
    assert (verdict.provisional, codes(verdict)[0]) == (True, "serial.unread")
    assert outcome(verdict, both)["coverage"]["serial"] is None


def test_IW10_stored_inputs_replay_to_the_same_bytes() -> None:
    calendar = Calendar(
        country="CN", version="CN 2018.1", published=frozenset({2018}), days_off=frozenset({D("2018-10-01")})
    )
    events = (ACCEPTED, replaced("2017-05-10"), confirmed("2017-05-10"), swapped("2018-01-01"))
    asked = replace(
        inputs("2018-03-01", *events, serial="CAM-2", frozen={"terms": Terms(holiday_rollover=True)}), calendar=calendar
    )
    stored = json.loads(json.dumps(asked.plain()))
    first = verdict_bytes(stored)
    assert first == verdict_bytes(VerdictInputs.of(stored).plain())
    assert json.loads(first) == outcome(decide_verdict(asked), asked)
    assert json.loads(first)["calendar_version"] == "CN 2018.1"
    assert VerdictInputs.of(stored) == asked


def test_W11_reasons_come_in_the_order_of_the_decision() -> None:
    assert codes(decide_verdict(inputs("2017-09-01"))) == [
        "failure.dated",
        "cover.accepted",
        "cover.last_day",
        "status.covered",
        "payer.layer",
        "cause.covered",
        "restart.expected",
    ]
