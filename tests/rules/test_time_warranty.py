"""IW1-IW6 and W3 as properties against slow oracles that count days one by one and share nothing with the product."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.warranty.rules.coverage import local_day
from app.warranty.rules.terms import Calendar, Rolled, Terms, final_day, last_day, layers, payer_on, roll

ONE = timedelta(days=1)
anchors = st.dates(date(1970, 1, 1), date(2100, 12, 31))
terms_months = st.integers(1, 600)


def month_name(day: date, months: int) -> tuple[int, int]:
    """(year, month) that many months later, counted one at a time."""
    year, month = day.year, day.month
    for _ in range(months):
        month += 1
        if month == 13:
            year, month = year + 1, 1
    return year, month


def slow_last_day(anchor: date, months: int) -> date:
    """Walk day by day through the final month until the anchor's number comes or the month is over."""
    year, month = month_name(anchor, months)
    day = date(year, month, 1)
    while day.day < anchor.day and (day + ONE).month == month:
        day += ONE
    return day


@given(anchors, terms_months)
def test_IW1_IW2_every_term_ends_on_the_corresponding_day(anchor: date, months: int) -> None:
    assert last_day(anchor, months) == slow_last_day(anchor, months)


def test_IW1_the_edges_of_the_grid() -> None:
    edges = [
        date(year, month, day) for year in (1970, 1999, 2000, 2024, 2100) for month in (1, 2, 12) for day in (1, 28)
    ]
    edges += [date(2024, 2, 29), date(2000, 2, 29), date(2100, 12, 31), date(1970, 1, 31)]
    wrong = [(a, m) for a in edges for m in (1, 11, 12, 13, 36, 599, 600) if last_day(a, m) != slow_last_day(a, m)]
    assert wrong == []


@given(anchors, anchors, terms_months)
def test_IW3_a_later_start_never_ends_earlier(one: date, other: date, months: int) -> None:
    earlier, later = sorted((one, other))
    assert last_day(earlier, months) <= last_day(later, months)


@given(anchors, terms_months, terms_months)
def test_IW3_more_months_always_end_later(anchor: date, months: int, more: int) -> None:
    assert last_day(anchor, months) < last_day(anchor, months + more)


@given(anchors, st.integers(1, 300), st.integers(1, 300))
def test_IW4_only_anchor_and_total_count(anchor: date, first: int, then: int) -> None:
    assert last_day(anchor, first + then) == slow_last_day(anchor, first + then)
    assert last_day(last_day(anchor, first), then) <= last_day(anchor, first + then)


@given(anchors, terms_months, st.integers(0, 60), st.integers(0, 60), st.none() | anchors)
def test_W9_layers_hold_exactly_the_days_a_day_by_day_count_gives(
    anchor: date, months: int, oem: int, service: int, oem_last: date | None
) -> None:
    terms = Terms(months=months, oem_months=oem, oem_service_months=service)
    paid = layers(anchor, terms, oem_last)
    oem_end = slow_last_day(anchor, min(oem, months))
    service_end = slow_last_day(anchor, min(oem + service, months))
    for day in {anchor + ONE, oem_end, oem_end + ONE, service_end, service_end + ONE, oem_last or anchor + ONE}:
        if day <= anchor:
            continue
        if day <= oem_end:
            expected = "oem" if oem_last is None or day <= oem_last else "vendor"
        else:
            expected = "oem_service" if day <= service_end else "vendor"
        assert payer_on(day, paid) == expected


holidays = st.frozensets(st.dates(date(2024, 1, 1), date(2026, 12, 31)), max_size=120)


@given(st.dates(date(2024, 1, 1), date(2027, 2, 1)), holidays, holidays)
def test_IW6_roll_goes_to_the_first_working_day(nominal: date, off: frozenset[date], made_up: frozenset[date]) -> None:
    calendar = Calendar(
        country="CN", version="1", published=frozenset({2024, 2025, 2026}), days_off=off, make_up_days=made_up
    )
    day, known = nominal, True
    while known and day not in made_up and (day in off or day.isoweekday() > 5):
        day += ONE
        known = day.year in (2024, 2025, 2026)
    known = known and nominal.year <= 2026
    assert roll(nominal, calendar) == (Rolled(day) if known else Rolled(nominal, provisional=True))
    assert not known or roll(day, calendar) == Rolled(day)
    assert final_day(nominal, 1, Terms(), calendar) == Rolled(slow_last_day(nominal, 1))


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        (datetime(2017, 5, 10, 17, tzinfo=UTC), "Asia/Shanghai", date(2017, 5, 11)),
        (datetime(2017, 5, 10, 17, tzinfo=UTC), "UTC", date(2017, 5, 10)),
        (datetime(2027, 10, 1, 15, 30, tzinfo=UTC), "Asia/Shanghai", date(2027, 10, 1)),  # T97
        (datetime(2027, 10, 1, 16, 0, tzinfo=UTC), "Asia/Shanghai", date(2027, 10, 2)),
        (datetime(2011, 12, 30, 9, 59, 59, tzinfo=UTC), "Pacific/Apia", date(2011, 12, 29)),  # T105
        (datetime(2011, 12, 30, 10, 0, tzinfo=UTC), "Pacific/Apia", date(2011, 12, 31)),
    ],
)
def test_W3_an_instant_is_a_date_of_the_sites_zone(instant: datetime, zone: str, day: date) -> None:
    assert local_day(instant, zone) == day


@given(st.integers(0, 2_100_000_000), st.integers(-12, 14))
def test_W3_the_offset_an_instant_is_written_in_does_not_matter(seconds: int, hours: int) -> None:
    instant = datetime.fromtimestamp(seconds, UTC)
    elsewhere = instant.astimezone(timezone(timedelta(hours=hours)))
    assert local_day(elsewhere, "Asia/Kathmandu") == local_day(instant, "Asia/Kathmandu")
