"""Coverage folded from events: restarts, chains, swaps, voids, extensions, both axes of time, and a day-by-day oracle."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.warranty.rules.coverage import Cover, Installation, Position, fold
from app.warranty.rules.events import UNIT, Event, payload_of, what_of
from app.warranty.rules.explain import why
from app.warranty.rules.restart import NoRestart, Replacement, Restart, restart_after
from app.warranty.rules.states import serial_state, sitting, state_on, timeline
from app.warranty.rules.terms import Calendar, Terms
from tests.rules.test_time_warranty import slow_last_day

D = date.fromisoformat
SHANGHAI = {"YC": "Asia/Shanghai", "NY": "America/New_York"}
DAY = timedelta(days=1)


def installation(**changes: Any) -> Installation:
    positions = (Position(UNIT, "CAM", True), Position("psu", "PSU", True), Position("lens", "LENS", False))
    terms = changes.pop("terms", Terms())
    return Installation(serial="CAM-1", terms=terms, positions=positions, site="YC", zones=SHANGHAI, **changes)


def at(day: str, hour: int = 10) -> datetime:
    """An hour of a day in Shanghai, as an instant."""
    return datetime.combine(D(day), datetime.min.time(), UTC) + timedelta(hours=hour - 8)


def history(*happened: tuple[str, str, dict[str, Any]], recorded: str = "2026-01-01") -> list[Event]:
    """Events from (type, day, payload), numbered and named e1, e2, … in the order given."""
    return [
        Event(seq, f"e{seq}", at(day), at(recorded), what_of(kind, payload))
        for seq, (kind, day, payload) in enumerate(happened, 1)
    ]


ACCEPTED = ("accepted", "2015-07-31", {"on": "2015-07-31"})


def replaced(day: str, position: str = "psu", cause: str = "defect", stopped: bool = True) -> Any:
    return ("component_replaced", day, {"position": position, "cause": cause, "system_stopped": stopped})


def confirmed(day: str, position: str = "psu", **more: Any) -> Any:
    return ("operation_confirmed", day, {"position": position, **more})


def swapped(day: str, new: str = "CAM-2", cause: str = "defect", stopped: bool = True) -> Any:
    return ("device_replaced", day, {"new_serial": new, "cause": cause, "system_stopped": stopped})


def days(cover: Cover, position: str, on: str) -> tuple[str, str | None, str | None]:
    state = state_on(cover, position, D(on))
    return (
        state.status,
        state.first_day.isoformat() if state.first_day else None,
        state.last_day.isoformat() if state.last_day else None,
    )


CONDITIONS = ("not_key", "customer_cause", "system_ran", "not_replaced", "not_confirmed")


@pytest.mark.parametrize("holds", list(product((True, False), repeat=5)), ids=str)
def test_W4_all_five_conditions_and_no_fewer(holds: tuple[bool, ...]) -> None:
    key, not_customer, stopped, was_replaced, was_confirmed = holds
    day = D("2017-05-10")
    decided = restart_after(
        Replacement(
            key=key,
            cause="defect" if not_customer else "customer",
            system_stopped=stopped,
            replaced_on=day if was_replaced else None,
            operation_confirmed_on=day if was_confirmed else None,
        ),
        Terms(),
    )
    missing = tuple(name for name, held in zip(CONDITIONS, holds, strict=True) if not held)
    assert decided == (NoRestart(missing) if missing else Restart(day, D("2017-05-11"), D("2020-05-10")))


@pytest.mark.parametrize(
    ("cause", "restarts", "provisional"),
    [("force_majeure", True, ()), ("undetermined", True, ("cause",)), ("wear", True, ()), ("customer", False, ())],
)
def test_W4_causes(cause: Any, restarts: bool, provisional: tuple[str, ...]) -> None:
    events = history(ACCEPTED, replaced("2017-05-10", cause=cause), confirmed("2017-05-10"))
    state = state_on(fold(installation(), events), "psu", D("2018-01-01"))
    assert (state.restarted, state.provisional) == (restarts, provisional)


def test_W4_the_letters_example() -> None:
    cover = fold(installation(), history(ACCEPTED, replaced("2017-05-10"), confirmed("2017-05-10")))
    assert days(cover, UNIT, "2018-07-31") == ("covered", "2015-08-01", "2018-07-31")
    assert days(cover, UNIT, "2018-08-01") == ("expired", "2015-08-01", "2018-07-31")
    assert days(cover, "psu", "2020-05-10") == ("covered", "2017-05-11", "2020-05-10")
    assert days(cover, "psu", "2020-05-11") == ("expired", "2017-05-11", "2020-05-10")
    assert days(cover, "lens", "2018-08-01") == ("expired", "2015-08-01", "2018-07-31")


def test_W4_device_scope_restarts_all_positions_and_a_later_end_is_kept() -> None:
    terms = Terms(restart_scope="device")
    events = history(
        ACCEPTED,
        replaced("2017-05-10"),
        confirmed("2017-05-10"),
        ("extended", "2017-06-01", {"months": 48, "reason": "bought"}),
        replaced("2017-07-01"),
        confirmed("2017-07-01"),
    )
    cover = fold(installation(terms=terms), events)
    assert [days(cover, name, "2017-05-20")[2] for name in (UNIT, "psu", "lens")] == ["2024-05-10"] * 3
    assert [days(cover, name, "2017-07-20")[2] for name in (UNIT, "psu", "lens")] == ["2024-05-10"] * 3


def test_W4_extensions_are_not_part_of_a_restart() -> None:
    events = history(
        ACCEPTED,
        ("extended", "2016-01-01", {"months": 24, "reason": "bought"}),
        replaced("2017-05-10"),
        confirmed("2017-05-10"),
    )
    cover = fold(installation(), events)
    assert days(cover, UNIT, "2017-06-01") == ("covered", "2015-08-01", "2020-07-31")
    assert days(cover, "psu", "2017-06-01") == ("covered", "2015-08-01", "2020-07-31")
    assert any(interval.last == D("2020-05-10") for interval in cover.own["psu"])


@pytest.mark.parametrize(("after_expiry", "status"), [(True, "covered"), (False, "expired")])
def test_W4_restart_after_expiry_is_the_contracts_choice(after_expiry: bool, status: str) -> None:
    events = history(ACCEPTED, replaced("2019-05-10"), confirmed("2019-05-12"))
    cover = fold(installation(terms=Terms(restart_after_expiry=after_expiry)), events)
    assert days(cover, "psu", "2019-05-11")[0] == "expired"
    assert days(cover, "psu", "2019-05-13")[0] == status
    assert days(cover, "psu", "2019-05-12")[0] == ("not_started" if after_expiry else "expired")


def test_W4_a_failure_inside_the_cover_counts_though_fitted_after_it() -> None:
    failed = {"position": "psu", "cause": "defect", "system_stopped": True, "failed_at": at("2018-07-31").isoformat()}
    events = history(ACCEPTED, ("component_replaced", "2018-08-02", failed), confirmed("2018-08-02"))
    cover = fold(installation(terms=Terms(restart_after_expiry=False)), events)
    assert days(cover, "psu", "2018-08-03") == ("covered", "2018-08-03", "2021-08-02")


def test_W4_presumed_confirmation_anchors_at_the_fitting() -> None:
    events = history(ACCEPTED, replaced("2017-05-10"), confirmed("2017-05-17", presumed=True))
    assert days(fold(installation(), events), "psu", "2017-06-01")[2] == "2020-05-10"


def test_W4_without_confirmation_nothing_restarts() -> None:
    cover = fold(installation(), history(ACCEPTED, replaced("2017-05-10")))
    assert days(cover, "psu", "2018-01-01")[2] == "2018-07-31"
    assert [job.on for job in cover.open_jobs["psu"]] == [D("2017-05-10")]


def test_W4_confirmation_on_a_shanghai_morning_is_still_yesterday_in_UTC() -> None:
    events = history(ACCEPTED, replaced("2017-05-10"))
    events.append(
        Event(
            3,
            "e3",
            datetime(2017, 5, 10, 17, tzinfo=UTC),
            at("2026-01-01"),
            what_of("operation_confirmed", {"position": "psu"}),
        )
    )
    assert days(fold(installation(), events), "psu", "2017-06-01") == ("covered", "2017-05-12", "2020-05-11")


@pytest.mark.parametrize(
    "job",
    [
        (replaced("2017-05-10", position="lens"), confirmed("2017-05-10", position="lens")),
        (replaced("2017-05-10", stopped=False), confirmed("2017-05-10")),
        (replaced("2017-05-10", cause="customer"), confirmed("2017-05-10")),
    ],
)
def test_W5_any_other_replacement_takes_the_remaining_interval(job: Any) -> None:
    cover = fold(installation(), history(ACCEPTED, *job))
    position = job[0][2]["position"]
    assert days(cover, position, "2018-01-01") == ("covered", "2015-08-01", "2018-07-31")
    assert cover.unrestarted[0].position == position


def test_W6_a_chain_of_restarts_never_moves_an_end_earlier() -> None:
    events = history(
        ACCEPTED, replaced("2017-05-10"), confirmed("2017-05-10"), replaced("2020-05-10"), confirmed("2020-05-12")
    )
    cover = fold(installation(), events)
    assert days(cover, "psu", "2020-05-10")[0] == "covered"
    assert days(cover, "psu", "2020-05-11")[0] == "expired"
    assert days(cover, "psu", "2020-05-13") == ("covered", "2020-05-13", "2023-05-12")


def test_W6_a_restart_inside_a_longer_extension_keeps_the_extension() -> None:
    events = history(
        ACCEPTED,
        ("extended", "2015-09-01", {"months": 60, "reason": "bought"}),
        replaced("2016-01-01"),
        confirmed("2016-01-01"),
    )
    state = state_on(fold(installation(), events), "psu", D("2016-02-01"))
    assert (state.last_day, state.restarted) == (D("2023-07-31"), False)


def test_W1_before_and_on_the_acceptance_day() -> None:
    cover = fold(installation(delivered_on=D("2015-06-01")), history(ACCEPTED))
    assert [state_on(cover, UNIT, D(day)).payer for day in ("2015-05-31", "2015-06-01", "2015-07-31")] == [
        None,
        "vendor",
        "vendor",
    ]
    assert [days(cover, UNIT, day)[0] for day in ("2015-07-31", "2015-08-01")] == ["not_started", "covered"]


def test_W1_a_restart_before_acceptance_is_none() -> None:
    events = history(replaced("2015-07-01"), confirmed("2015-07-01"), ACCEPTED)
    cover = fold(installation(), events)
    assert "psu" not in cover.own
    assert days(cover, "psu", "2015-07-10")[0] == "not_started"


def test_W2_an_extension_counts_from_the_anchor() -> None:
    accepted = ("accepted", "2021-08-31", {"on": "2021-08-31"})
    extended = ("extended", "2022-01-01", {"months": 6, "reason": "bought"})
    cover = fold(installation(terms=Terms(months=30)), history(accepted, extended))
    assert days(cover, UNIT, "2021-12-31") == ("covered", "2021-09-01", "2024-08-31")


def test_W2_an_extension_amends_the_term_whenever_it_was_given() -> None:
    extended = ("extended", "2025-10-01", {"months": 12, "reason": "goodwill"})
    events = history(ACCEPTED, extended, recorded="2025-10-01")
    cover = fold(installation(), events)
    assert [days(cover, UNIT, day)[0] for day in ("2018-08-01", "2019-07-31", "2019-08-01")] == [
        "covered",
        "covered",
        "expired",
    ]
    assert state_on(cover, UNIT, D("2018-08-01")).payer == "vendor"


def test_W10_an_extension_is_known_only_from_its_recording() -> None:
    events = history(ACCEPTED)
    extended = what_of("extended", {"months": 12, "reason": "goodwill"})
    events.append(Event(2, "e2", at("2026-02-01"), at("2026-02-01"), extended))
    assert days(fold(installation(), events, known_at=at("2026-01-31")), UNIT, "2018-08-01")[0] == "expired"
    assert days(fold(installation(), events), UNIT, "2018-08-01")[0] == "covered"


def test_W10_a_void_ends_the_cover_the_day_before_and_only_where_it_says() -> None:
    events = history(
        ACCEPTED, ("voided", "2017-03-05", {"reason": "opened", "from_day": "2017-03-01", "position": "psu"})
    )
    cover = fold(installation(), events)
    assert days(cover, "psu", "2017-02-28")[0] == "covered"
    assert days(cover, "psu", "2017-03-01") == ("void", "2015-08-01", "2017-02-28")
    assert days(cover, UNIT, "2017-03-01")[0] == "covered"
    whole = fold(installation(), history(ACCEPTED, ("voided", "2017-03-05", {"reason": "x", "from_day": "2017-03-01"})))
    assert {days(whole, name, "2017-03-01")[0] for name in (UNIT, "psu", "lens")} == {"void"}


def test_W10_corrections_are_known_only_from_their_recording() -> None:
    events = history(ACCEPTED)
    correction = {"event": "e1", "reason": "protocol", "changes": {"on": "2015-06-30"}}
    events.append(Event(2, "e2", at("2026-02-01"), at("2026-02-01"), what_of("corrected", correction)))
    known_before = fold(installation(), events, known_at=at("2026-01-31"))
    assert days(known_before, UNIT, "2018-01-01")[2] == "2018-07-31"
    assert days(fold(installation(), events), UNIT, "2018-01-01")[2] == "2018-06-30"


def test_W10_nothing_is_known_before_anything_was_recorded() -> None:
    cover = fold(installation(), history(ACCEPTED), known_at=at("2025-12-31"))
    assert days(cover, UNIT, "2018-01-01") == ("not_started", None, None)


def test_W10_a_withdrawn_event_never_was() -> None:
    withdrawn = ("corrected", "2017-06-01", {"event": "e3", "reason": "wrong device", "withdrawn": True})
    cover = fold(installation(), history(ACCEPTED, replaced("2017-05-10"), confirmed("2017-05-10"), withdrawn))
    assert days(cover, "psu", "2018-01-01")[2] == "2018-07-31"
    assert "psu" in cover.open_jobs


def test_W13_the_new_serial_takes_over_and_the_old_one_answers_replaced() -> None:
    events = history(ACCEPTED, replaced("2016-05-10"), confirmed("2016-05-10"), swapped("2017-05-10"))
    cover = fold(installation(), events)
    on = D("2017-05-10")
    assert serial_state(cover, "CAM-1", UNIT, on).status == "replaced"
    assert serial_state(cover, "CAM-1", UNIT, on - DAY).status == "covered"
    assert serial_state(cover, "CAM-2", UNIT, on).last_day == D("2018-07-31")
    assert serial_state(cover, "CAM-2", "psu", on).last_day == D("2019-05-10")
    assert serial_state(cover, "CAM-2", UNIT, on - DAY).status == "not_started"
    assert sitting(cover, UNIT, on) == ("CAM", "CAM-2")


def test_W13_a_confirmed_swap_restarts_the_whole_device() -> None:
    cover = fold(installation(), history(ACCEPTED, swapped("2017-05-10"), confirmed("2017-05-11", position=UNIT)))
    assert days(cover, UNIT, "2018-08-01") == ("covered", "2017-05-12", "2020-05-11")
    assert days(cover, "lens", "2018-08-01") == ("covered", "2017-05-12", "2020-05-11")


def test_W13_a_swap_ends_jobs_on_the_removed_parts() -> None:
    cover = fold(
        installation(), history(ACCEPTED, replaced("2017-05-10"), swapped("2017-05-11"), confirmed("2017-05-12"))
    )
    assert "psu" not in cover.own
    assert set(cover.open_jobs) == {UNIT}


def test_W13_the_zone_of_the_site_at_that_moment_dates_it() -> None:
    cover = fold(installation(), history(ACCEPTED, ("transferred", "2017-01-01", {"site": "NY"})))
    assert cover.day_at(datetime(2016, 12, 1, 2, tzinfo=UTC)) == D("2016-12-01")
    assert cover.day_at(datetime(2017, 12, 1, 2, tzinfo=UTC)) == D("2017-11-30")


def test_W2_a_rolled_last_day_is_provisional_until_the_year_is_published() -> None:
    terms = Terms(holiday_rollover=True)
    events = history(("accepted", "2024-10-01", {"on": "2024-10-01"}))
    guess = state_on(fold(installation(terms=terms), events), UNIT, D("2026-01-01"))
    assert (guess.last_day, guess.provisional) == (D("2027-10-01"), ("calendar",))
    golden_week = frozenset(date(2027, 10, day) for day in range(1, 8))
    calendar = Calendar(country="CN", version="2", published=frozenset({2027}), days_off=golden_week)
    certain = state_on(fold(installation(terms=terms), events, calendar), UNIT, D("2027-10-05"))
    assert (certain.status, certain.last_day, certain.provisional, certain.payer) == (
        "covered",
        D("2027-10-08"),
        (),
        "vendor",
    )


def test_W1_a_confirmation_on_the_acceptance_day_restarts_nothing() -> None:
    cover = fold(installation(), history(replaced("2015-07-30"), confirmed("2015-07-31"), ACCEPTED))
    assert [one.because for one in cover.unrestarted] == [("not_started",)]


def test_W4_a_void_position_restarts_nothing() -> None:
    void = ("voided", "2017-03-05", {"reason": "opened", "from_day": "2017-05-10"})
    cover = fold(installation(), history(ACCEPTED, replaced("2017-05-10"), confirmed("2017-05-10"), void))
    assert [one.because for one in cover.unrestarted] == [("void",)]


@pytest.mark.parametrize(
    ("first", "second", "last"),
    [
        ("defect", "customer", "2020-05-14"),
        ("customer", "defect", "2020-05-14"),
        ("customer", "customer", "2018-07-31"),
    ],
)
def test_W4_a_job_restarts_if_one_of_its_replacements_may(first: str, second: str, last: str) -> None:
    job = (replaced("2017-05-10", cause=first), replaced("2017-05-12", cause=second), confirmed("2017-05-14"))
    assert days(fold(installation(), history(ACCEPTED, *job)), "psu", "2017-06-01")[2] == last


def test_W4_presumed_success_anchors_at_the_last_fitting_of_the_job() -> None:
    job = (replaced("2017-05-10"), replaced("2017-05-12"), confirmed("2017-05-19", presumed=True))
    assert days(fold(installation(), history(ACCEPTED, *job)), "psu", "2017-06-01")[2] == "2020-05-12"


def test_W4_of_two_intervals_with_one_last_day_the_earlier_is_shown() -> None:
    accepted = ("accepted", "2024-02-28", {"on": "2024-02-28"})
    cover = fold(installation(), history(accepted, replaced("2024-02-29"), confirmed("2024-02-29")))
    state = state_on(cover, "psu", D("2024-03-01"))
    assert (state.first_day, state.last_day, state.restarted) == (D("2024-02-29"), D("2027-02-28"), False)


def test_W10_events_count_in_the_order_of_happening_not_of_recording() -> None:
    cover = fold(installation(), history(confirmed("2017-05-12"), replaced("2017-05-10"), ACCEPTED))
    assert days(cover, "psu", "2018-01-01")[2] == "2020-05-12"


def test_W10_what_is_recorded_at_an_instant_is_known_at_it() -> None:
    events = history(ACCEPTED, recorded="2026-01-01")
    assert fold(installation(), events, known_at=at("2026-01-01")).accepted_on == D("2015-07-31")
    assert fold(installation(), events, known_at=at("2026-01-01") - timedelta(microseconds=1)).accepted_on is None


def test_W10_a_void_unit_voids_every_position() -> None:
    void = ("voided", "2017-03-05", {"reason": "x", "from_day": "2017-03-01", "position": UNIT})
    cover = fold(installation(), history(ACCEPTED, void))
    assert {days(cover, name, "2017-03-01")[0] for name in (UNIT, "psu", "lens")} == {"void"}


def test_W13_a_transfer_counts_from_its_instant() -> None:
    cover = fold(installation(), history(ACCEPTED, ("transferred", "2017-01-01", {"site": "NY"})))
    moved = at("2017-01-01")
    assert (cover.site_at(moved), cover.site_at(moved - timedelta(microseconds=1))) == ("NY", "YC")


def test_W13_a_new_unit_brings_the_models_parts() -> None:
    spare = {"position": "psu", "part_number": "PSU-NEW", "serial": "S-1", "cause": "defect", "system_stopped": False}
    cover = fold(installation(), history(ACCEPTED, ("component_replaced", "2016-01-01", spare), swapped("2017-05-10")))
    assert sitting(cover, "psu", D("2015-12-31")) == ("PSU", None)
    assert sitting(cover, "psu", D("2016-01-01")) == ("PSU-NEW", "S-1")
    assert sitting(cover, "psu", D("2017-05-10")) == ("PSU", None)


def test_W11_a_replacement_is_a_reason_only_once_it_happened() -> None:
    cover = fold(installation(), history(ACCEPTED, replaced("2017-05-10", stopped=False), confirmed("2017-05-10")))
    codes = {day: [one.code for one in why(cover, "CAM-1", "psu", D(day))] for day in ("2017-05-09", "2017-05-10")}
    assert ["restart.system_ran" in codes[day] for day in codes] == [False, True]


def test_W10_payloads_survive_storage() -> None:
    events = history(ACCEPTED, replaced("2017-05-10"), swapped("2017-05-11"), confirmed("2017-05-12"))
    events += history(("voided", "2017-06-01", {"reason": "x", "from_day": "2017-06-01"}))
    assert [what_of(kind, payload_of(event.what)) for kind, event in zip(
        ("accepted", "component_replaced", "device_replaced", "operation_confirmed", "voided"), events, strict=True
    )] == [event.what for event in events]  # fmt: skip


FIRST = D("2020-01-01")
steps = st.lists(
    st.tuples(
        st.integers(0, 2200),
        st.sampled_from(["psu", "lens"]),
        st.sampled_from(["defect", "customer", "force_majeure"]),
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda step: step[0],
)


def slow_days(anchor: date, months: int, jobs: list[Any], position: str) -> set[date]:
    """Every covered day of a position, collected one by one from the clause itself."""
    ends = [(anchor, slow_last_day(anchor, months))]
    for offset, name, cause, stopped in jobs:
        confirmed_on = FIRST + timedelta(days=offset)
        if name == position == "psu" and cause != "customer" and stopped and confirmed_on >= anchor:
            ends.append((confirmed_on, slow_last_day(confirmed_on, months)))
    found = set()
    for start, end in ends:
        day = start + DAY
        while day <= end:
            found.add(day)
            day += DAY
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 600), st.integers(1, 48), steps)
def test_IW8_the_fold_covers_exactly_the_days_counted_one_by_one(offset: int, months: int, jobs: list[Any]) -> None:
    anchor = FIRST + timedelta(days=offset)
    happened: list[Any] = [("accepted", "2020-01-01", {"on": anchor.isoformat()})]
    for days_later, position, cause, stopped in sorted(jobs):
        day = (FIRST + timedelta(days=days_later)).isoformat()
        happened += [replaced(day, position, cause, stopped), confirmed(day, position)]
    cover = fold(installation(terms=Terms(months=months)), history(*happened))
    for position in ("psu", "lens"):
        expected = slow_days(anchor, months, jobs, position)
        checked = [FIRST + timedelta(days=n) for n in range(0, 4200, 3)]
        assert {day for day in checked if state_on(cover, position, day).status == "covered"} == expected & set(checked)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 600), steps)
def test_IW8_the_timeline_says_what_every_single_day_says(offset: int, jobs: list[Any]) -> None:
    happened: list[Any] = [("accepted", "2020-01-01", {"on": (FIRST + timedelta(days=offset)).isoformat()})]
    for days_later, position, cause, stopped in sorted(jobs):
        day = (FIRST + timedelta(days=days_later)).isoformat()
        happened += [replaced(day, position, cause, stopped), confirmed(day, position)]
    cover = fold(installation(delivered_on=D("2019-12-01")), history(*happened))
    pieces = list(timeline(cover, "psu"))
    assert (pieces[0].start, pieces[-1].end) == (None, None)
    assert all(left.end == right.start and left.state != right.state for left, right in pairwise(pieces))
    for piece in pieces:
        for day in (piece.start or D("1990-01-01"), (piece.end or D("2050-01-01")) - DAY):
            assert state_on(cover, "psu", day) == piece.state


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 600), steps, st.integers(0, 2200))
def test_W6_another_replacement_never_takes_a_covered_day_away(offset: int, jobs: list[Any], more: int) -> None:
    happened: list[Any] = [("accepted", "2020-01-01", {"on": (FIRST + timedelta(days=offset)).isoformat()})]
    for days_later, position, cause, stopped in sorted(jobs):
        day = (FIRST + timedelta(days=days_later)).isoformat()
        happened += [replaced(day, position, cause, stopped), confirmed(day, position)]
    before = fold(installation(), history(*happened))
    extra = (FIRST + timedelta(days=more)).isoformat()
    after = fold(installation(), history(*happened, replaced(extra), confirmed(extra)))
    for n in range(0, 4200, 7):
        day = FIRST + timedelta(days=n)
        if state_on(before, "psu", day).status == "covered":
            assert state_on(after, "psu", day).status == "covered"
