"""W2's table, art. 203, payer layers and return windows, row by row."""

from datetime import date

import pytest

from app.warranty.rules.terms import (
    Calendar,
    Layer,
    Rolled,
    Terms,
    final_day,
    last_day,
    layers,
    opened_box_holds,
    payer_on,
    return_window,
    roll,
)

D = date.fromisoformat
CN = Calendar(
    country="CN",
    version="1",
    published=frozenset({2018}),
    days_off=frozenset({date(2018, 9, 24), *(date(2018, 10, day) for day in range(1, 8))}),
    make_up_days=frozenset({date(2018, 9, 29), date(2018, 9, 30)}),
)


@pytest.mark.parametrize(
    ("anchor", "months", "last"),
    [
        ("2015-07-31", 36, "2018-07-31"),
        ("2024-02-29", 36, "2027-02-28"),
        ("2024-02-28", 36, "2027-02-28"),
        ("2021-02-28", 36, "2024-02-28"),
        ("2022-02-28", 24, "2024-02-28"),
        ("2022-08-31", 18, "2024-02-29"),
        ("2021-08-31", 30, "2024-02-29"),
        ("2021-08-31", 36, "2024-08-31"),
        ("2025-02-28", 36, "2028-02-28"),  # T89
        ("2025-03-01", 36, "2028-03-01"),  # T90: + 1095 days would be a day short
        ("2023-08-31", 6, "2024-02-29"),  # T91
        ("2023-08-31", 36, "2026-08-31"),
        ("2024-02-29", 48, "2028-02-29"),  # T92: from the anchor, not four times twelve
        ("2011-12-30", 12, "2012-12-30"),  # T105: a day Apia never had is still a date
    ],
)
def test_W2_last_day_is_the_corresponding_day_or_the_months_last(anchor: str, months: int, last: str) -> None:
    assert last_day(D(anchor), months) == D(last)


def test_W2_four_renewals_step_by_step_would_lose_the_leap_day() -> None:
    stepped = D("2024-02-29")
    for _ in range(4):
        stepped = last_day(stepped, 12)
    assert (stepped, last_day(D("2024-02-29"), 48)) == (D("2028-02-28"), D("2028-02-29"))


@pytest.mark.parametrize(
    ("nominal", "rolled"),
    [
        ("2018-10-01", "2018-10-08"),
        ("2018-07-28", "2018-07-30"),
        ("2018-09-22", "2018-09-25"),
        ("2018-09-29", "2018-09-29"),
        ("2018-07-31", "2018-07-31"),
    ],
)
def test_W2_art203_rolls_the_last_day_to_the_next_working_day(nominal: str, rolled: str) -> None:
    assert roll(D(nominal), CN) == Rolled(D(rolled))


@pytest.mark.parametrize("calendar", [None, CN])
def test_W2_an_unpublished_year_keeps_the_nominal_day_provisionally(calendar: Calendar | None) -> None:
    assert roll(D("2027-10-01"), calendar) == Rolled(D("2027-10-01"), provisional=True)


def test_W2_a_holiday_that_runs_into_an_unpublished_year_stays_provisional() -> None:
    saturday_29_and_sunday_30_and_a_day_off = Calendar(
        country="CN", version="1", published=frozenset({2018}), days_off=frozenset({D("2018-12-31")})
    )
    assert roll(D("2018-12-29"), saturday_29_and_sunday_30_and_a_day_off) == Rolled(D("2018-12-29"), provisional=True)


@pytest.mark.parametrize(("rollover", "last"), [(False, "2018-10-01"), (True, "2018-10-08")])
def test_W2_roll_over_only_where_the_terms_say_so(rollover: bool, last: str) -> None:
    assert final_day(D("2015-10-01"), 36, Terms(holiday_rollover=rollover), CN) == Rolled(D(last))


def test_W9_oem_two_years_then_the_bought_service_year() -> None:
    assert layers(D("2015-07-31"), Terms()) == (
        Layer("oem", D("2015-08-01"), D("2017-07-31")),
        Layer("oem_service", D("2017-08-01"), D("2018-07-31")),
    )


@pytest.mark.parametrize(
    ("terms", "oem_last_day", "day", "payer"),
    [
        (Terms(), None, "2017-07-31", "oem"),
        (Terms(), None, "2017-08-01", "oem_service"),
        (Terms(), None, "2018-07-31", "oem_service"),
        (Terms(), None, "2018-08-01", "vendor"),
        (Terms(), "2017-03-31", "2017-03-31", "oem"),
        (Terms(), "2017-03-31", "2017-04-01", "vendor"),
        (Terms(), "2017-03-31", "2017-08-01", "oem_service"),
        (Terms(), "2030-01-01", "2017-08-01", "oem_service"),
        (Terms(), "2014-01-01", "2015-08-01", "vendor"),
        (Terms(months=12), None, "2016-07-31", "oem"),
        (Terms(months=12), None, "2016-08-01", "vendor"),
        (Terms(months=30), None, "2018-01-31", "oem_service"),
        (Terms(months=30), None, "2018-02-01", "vendor"),
        (Terms(oem_months=0), None, "2015-08-01", "oem_service"),
        (Terms(oem_service_months=0), None, "2017-08-01", "vendor"),
        (Terms(oem_months=0, oem_service_months=0), None, "2015-08-01", "vendor"),
    ],
)
def test_W9_the_payer_of_a_day(terms: Terms, oem_last_day: str | None, day: str, payer: str) -> None:
    paid = layers(D("2015-07-31"), terms, D(oem_last_day) if oem_last_day else None)
    assert payer_on(D(day), paid) == payer


@pytest.mark.parametrize(
    ("asked", "still_open"),
    [("2026-02-28", False), ("2026-03-01", True), ("2026-03-16", True), ("2026-03-17", False)],
)
def test_W8b_fifteen_days_delivery_day_not_counted(asked: str, still_open: bool) -> None:
    window = return_window(D("2026-03-01"), D(asked), Terms())
    assert (window.last_day, window.open) == (D("2026-03-16"), still_open)


@pytest.mark.parametrize(
    ("doa_days", "delivered", "found", "holds"),
    [
        (None, "2020-01-01", "2026-01-01", True),
        (7, "2026-01-01", "2026-01-08", True),
        (7, "2026-01-01", "2026-01-09", False),
        (7, None, "2026-01-09", True),
    ],
)
def test_W8a_no_day_limit_unless_set(doa_days: int | None, delivered: str | None, found: str, holds: bool) -> None:
    delivered_on = D(delivered) if delivered else None
    assert opened_box_holds(delivered_on, D(found), Terms(doa_days=doa_days)) is holds


def test_W1_terms_take_their_part_of_a_contracts_terms() -> None:
    promised = {"months": 24, "clocks": {"severe": {}}, "tax_rate": "0.13", "doa_days": 7}
    assert Terms.of(promised) == Terms(months=24, doa_days=7)
    assert Terms.of(Terms(months=24).plain()) == Terms(months=24)


def test_W2_calendar_survives_storage() -> None:
    assert Calendar.of(CN.plain()) == CN
