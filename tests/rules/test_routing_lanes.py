"""Carrier lanes: which cut-off is made, on the sender's clock, over its changes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.routing.rules.lanes import Departure, Lane, NoDeparture, next_departure

SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"


def lane(*cutoffs: str, zone: str = SHANGHAI, **other: object) -> Lane:
    return Lane(carrier="SF", zone=zone, cutoffs=cutoffs, transit_s=36_000, **other)  # type: ignore[arg-type]


def made(found: Departure | NoDeparture, zone: str = SHANGHAI) -> str:
    assert isinstance(found, Departure)
    return found.handover_at.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


def at(text: str, zone: str = SHANGHAI, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("now", "preparation_s", "handover"),
    [
        ("2026-11-22T09:00", 0, "2026-11-22T12:00+08:00"),
        ("2026-11-22T12:00", 0, "2026-11-22T12:00+08:00"),
        ("2026-11-22T11:45", 900, "2026-11-22T12:00+08:00"),
        ("2026-11-22T11:45", 901, "2026-11-22T18:30+08:00"),
        ("2026-11-22T18:31", 0, "2026-11-23T12:00+08:00"),
        ("2026-11-22T23:50", 1200, "2026-11-23T12:00+08:00"),
    ],
)
def test_R1_the_first_cutoff_made_after_preparation(now: str, preparation_s: int, handover: str) -> None:
    found = next_departure(lane("18:30", "12:00"), now=at(now), preparation_s=preparation_s)
    assert made(found) == handover
    assert isinstance(found, Departure)
    assert found.arrives_at - found.cutoff_at == timedelta(hours=10)


@pytest.mark.parametrize(
    ("cutoff", "now", "handover"),
    [
        ("02:30", "2026-03-08T01:30", "2026-03-08T03:00-04:00"),  # the clock skips 02:30: at the change
        ("03:30", "2026-03-08T01:30", "2026-03-08T03:30-04:00"),
        ("01:30", "2026-11-01T00:30", "2026-11-01T01:30-04:00"),  # shown twice: the first
        ("08:30", "2026-10-31T09:00", "2026-11-01T08:30-05:00"),
        ("08:30", "2026-03-07T09:00", "2026-03-08T08:30-04:00"),
    ],
)
def test_T106_T111_cutoffs_follow_the_senders_clock(cutoff: str, now: str, handover: str) -> None:
    found = next_departure(lane(cutoff, zone=NEW_YORK), now=at(now, NEW_YORK))
    assert made(found, NEW_YORK) == handover


def test_T107_after_the_first_showing_the_next_is_tomorrow() -> None:
    second = at("2026-11-01T01:10", NEW_YORK, fold=1)
    assert made(next_departure(lane("01:30", zone=NEW_YORK), now=second), NEW_YORK) == "2026-11-02T01:30-05:00"


def test_R1_weekdays_closed_dates_and_lanes_without_departures() -> None:
    weekdays = lane("12:00", weekdays=(0, 1, 2, 3, 4), closed_on=(date(2026, 11, 23),))
    assert made(next_departure(weekdays, now=at("2026-11-20T13:00"))) == "2026-11-24T12:00+08:00"
    assert next_departure(lane(), now=at("2026-11-20T13:00")) == NoDeparture("SF", 31)
    assert next_departure(lane("12:00", weekdays=()), now=at("2026-11-20T13:00")) == NoDeparture("SF", 31)


def test_C2_at_a_counter_the_parcel_is_handed_over_when_ready() -> None:
    found = next_departure(lane("18:00", counter=True), now=at("2026-11-22T09:00"), preparation_s=600)
    assert made(found) == "2026-11-22T09:10+08:00"
    assert isinstance(found, Departure)
    assert found.arrives_at == at("2026-11-22T18:00").astimezone(UTC) + timedelta(hours=10)


def test_naive_times_and_malformed_cutoffs_are_refused() -> None:
    with pytest.raises(ValueError):
        next_departure(lane("12:00"), now=datetime(2026, 11, 22))  # noqa: DTZ001
    with pytest.raises(ValueError):
        next_departure(lane("25:00"), now=at("2026-11-22T09:00"))


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([SHANGHAI, NEW_YORK, "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns"]),
    st.integers(0, 1439),
    st.integers(0, 7200),
)
def test_the_cutoff_is_the_first_minute_that_shows_it(
    now: datetime, zone: str, minute: int, preparation_s: int
) -> None:
    text = f"{minute // 60:02}:{minute % 60:02}"
    found = next_departure(lane(text, zone=zone), now=now, preparation_s=preparation_s)
    assert isinstance(found, Departure)
    ready = now + timedelta(seconds=preparation_s)
    assert ready <= found.handover_at <= ready + timedelta(hours=26)
    shown = found.handover_at.astimezone(ZoneInfo(zone))
    before = (found.handover_at - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    assert shown.strftime("%H:%M") >= text > before.strftime("%H:%M") or (
        shown.date() > before.date() and text == "00:00"
    )
