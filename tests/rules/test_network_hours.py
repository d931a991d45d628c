"""Opening hours against a minute-by-minute oracle, clock changes and holidays included."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.network.rules.hours import Hours, after_open_time, is_open, next_open, open_spans, parse_hours

NEW_YORK, SHANGHAI = "America/New_York", "Asia/Shanghai"
OFFICE = {day: [["08:30", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
MINUTE = timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def at(text: str, zone: str = SHANGHAI, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def on_clock(spans: list[tuple[datetime, datetime]], zone: str) -> list[tuple[str, str]]:
    return [
        tuple(end.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") for end in span)  # type: ignore[misc]
        for span in spans
    ]


def oracle(raw: dict[str, list[list[str]]], zone: str, since: datetime, until: datetime) -> list[datetime]:
    """The open minutes of [since, until), found by walking the clock: each span opens at the first minute that shows
    its beginning (or later) and closes at the first that shows its end (or later)."""
    wall = []
    minute = since - timedelta(days=3)
    while minute < until:
        wall.append((minute, minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None)))
        minute += MINUTE
    open_minutes: set[datetime] = set()
    day = wall[0][1].date() + timedelta(days=1)
    while day <= wall[-1][1].date():
        for begins, ends in raw.get(DAYS[day.weekday()], []):
            opens = datetime.combine(day, datetime.strptime(begins, "%H:%M").time())  # noqa: DTZ007
            closes = datetime.combine(day, datetime.strptime(ends.replace("24:", "00:"), "%H:%M").time())  # noqa: DTZ007
            closes += timedelta(days=1) if closes <= opens else timedelta()
            first = next((index for index, (_, shown) in enumerate(wall) if shown >= opens), len(wall))
            last = next((index for index, (_, shown) in enumerate(wall) if shown >= closes), len(wall))
            open_minutes |= {instant for instant, _ in wall[first:last]}
        day += timedelta(days=1)
    return sorted(instant for instant in open_minutes if since <= instant)


@st.composite
def weeks(draw: st.DrawFn) -> dict[str, list[list[str]]]:
    """A week with up to three spans a day, some over midnight, on quarter hours."""
    week = {}
    for day in DAYS:
        ends = sorted(draw(st.sets(st.integers(0, 95), max_size=6)))
        spans = [[quarter(a), quarter(b)] for a, b in zip(ends[::2], ends[1::2], strict=False)]
        if len(ends) % 2 and ends:
            spans.append([quarter(ends[-1]), draw(st.sampled_from(["24:00", "00:00"])) if ends[-1] else "24:00"])
        week[day] = spans
    if draw(st.booleans()):
        week[draw(st.sampled_from(DAYS))] = [["22:00", "06:00"]]
    return week


def quarter(number: int) -> str:
    return f"{number // 4:02}:{number % 4 * 15:02}"


@settings(max_examples=60, deadline=None)
@given(
    weeks(),
    st.sampled_from(
        [
            (NEW_YORK, datetime(2026, 3, 7, 12, tzinfo=UTC)),
            (NEW_YORK, datetime(2026, 10, 31, 12, tzinfo=UTC)),
            ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),  # half an hour back
            ("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),
            ("Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC)),  # the 30th did not exist
            ("Asia/Kathmandu", datetime(2026, 11, 22, tzinfo=UTC)),
            (SHANGHAI, datetime(2026, 11, 22, tzinfo=UTC)),
        ]
    ),
    st.integers(0, 600),
)
def test_T112_open_spans_equal_the_minute_oracle(
    week: dict[str, list[list[str]]], change: tuple[str, datetime], shift_min: int
) -> None:
    zone, near = change
    since = near + shift_min * MINUTE
    until = since + timedelta(hours=40)
    minutes = oracle(week, zone, since, until)
    hours = parse_hours(week, zone)
    spans = open_spans(hours, since, until)
    assert [since + n * MINUTE for n in range(2400) if any(a <= since + n * MINUTE < b for a, b in spans)] == minutes
    assert all(begins < ends for begins, ends in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))
    if minutes:
        assert next_open(hours, since) == minutes[0]
        assert after_open_time(hours, since, 60 * len(minutes)) == minutes[-1] + MINUTE
    assert is_open(hours, since) == (since in minutes)


def test_T108_around_the_clock_is_exactly_elapsed_time() -> None:
    hours = parse_hours("24x7", NEW_YORK)
    before = at("2026-03-08T01:30", NEW_YORK)
    assert after_open_time(hours, before, 7200) == at("2026-03-08T04:30", NEW_YORK).astimezone(UTC)  # T106
    before = at("2026-11-01T00:30", NEW_YORK)
    assert after_open_time(hours, before, 7200) == at("2026-11-01T01:30", NEW_YORK, fold=1).astimezone(UTC)  # T107
    assert open_spans(hours, before, before) == []
    assert next_open(hours, before) == before


def test_T109_outside_hours_the_clock_starts_at_opening() -> None:
    office = parse_hours(OFFICE, SHANGHAI)
    assert next_open(office, at("2026-11-20T18:00")) == at("2026-11-23T08:30")  # Friday's close to Monday
    assert after_open_time(office, at("2026-11-20T19:00"), 3600) == at("2026-11-23T09:30")


def test_T111_half_past_eight_stays_half_past_eight() -> None:
    office = parse_hours(OFFICE, NEW_YORK)
    spans = open_spans(office, at("2026-10-30T00:00", NEW_YORK), at("2026-11-03T00:00", NEW_YORK))
    assert on_clock(spans, NEW_YORK) == [
        ("2026-10-30T08:30-04:00", "2026-10-30T18:00-04:00"),
        ("2026-11-02T08:30-05:00", "2026-11-02T18:00-05:00"),
    ]


def test_T112_holidays_half_days_and_make_up_saturdays() -> None:
    dates = {"2026-10-01": [], "2026-10-02": [["08:30", "12:00"]], "2026-10-10": [["08:30", "18:00"]]}
    hours = parse_hours({**OFFICE, "dates": dates}, SHANGHAI)
    assert not is_open(hours, at("2026-10-01T10:00"))
    assert is_open(hours, at("2026-10-02T11:59"))
    assert not is_open(hours, at("2026-10-02T12:00"))
    assert is_open(hours, at("2026-10-10T10:00"))
    assert after_open_time(hours, at("2026-09-30T16:00"), 8 * 3600) == at("2026-10-05T11:00")


def test_spans_over_midnight_and_touching_ones_are_joined() -> None:
    hours = parse_hours({"fri": [["22:00", "24:00"]], "sat": [["00:00", "06:00"], ["06:00", "07:00"]]}, SHANGHAI)
    assert on_clock(open_spans(hours, at("2026-11-20T00:00"), at("2026-11-22T00:00")), SHANGHAI) == [
        ("2026-11-20T22:00+08:00", "2026-11-21T07:00+08:00")
    ]


def test_never_open_is_an_answer() -> None:
    assert next_open(Hours(SHANGHAI), at("2026-11-20T00:00")) is None
    assert after_open_time(Hours(SHANGHAI), at("2026-11-20T00:00"), 60) is None
    yearly = Hours(SHANGHAI, dates={date(2027, 5, 1): ((0, 60),)})
    assert next_open(yearly, at("2026-11-20T00:00")) == at("2027-05-01T00:00")


@pytest.mark.parametrize(
    ("raw", "zone"),
    [
        ("24x7", "Mars/Olympus"),
        ("always", SHANGHAI),
        (None, SHANGHAI),
        ({"monday": []}, SHANGHAI),
        ({"mon": "08:30-18:00"}, SHANGHAI),
        ({"mon": [["08:30"]]}, SHANGHAI),
        ({"mon": [["08:30", "08:30"]]}, SHANGHAI),
        ({"mon": [["8:30", "18:00"]]}, SHANGHAI),
        ({"mon": [["08:30", "25:00"]]}, SHANGHAI),
        ({"mon": [["24:00", "02:00"]]}, SHANGHAI),
        ({"mon": [["08:30", "12:00"], ["11:00", "13:00"]]}, SHANGHAI),
        ({"mon": [[830, 1800]]}, SHANGHAI),
        ({"dates": {"2026-02-30": []}}, SHANGHAI),
        ({"dates": []}, SHANGHAI),
    ],
)
def test_malformed_hours_are_refused(raw: object, zone: str) -> None:
    with pytest.raises(ValueError):
        parse_hours(raw, zone)


def test_a_naive_time_names_no_instant() -> None:
    with pytest.raises(ValueError):
        next_open(parse_hours("24x7", SHANGHAI), datetime(2026, 11, 20))  # noqa: DTZ001
