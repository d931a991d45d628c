"""Opening hours and shifts on a local clock: open spans, the next open instant, correct over clock changes.

Said as `"24x7"` or `{"mon": [["08:30", "18:00"]], …, "dates": {"2026-10-01": [], "2026-10-10": [["09:00", "12:00"]]}}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = "24x7"
SEARCH_DAYS = 400

Minutes = tuple[int, int]
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans of the week as minutes of the day (an end after 1440 lies in the next day), and dates that differ.

    `always` is open around the clock whatever the date. `dates` wins over the week: holidays (no span), half days,
    make-up Saturdays.
    """

    zone: str
    always: bool = False
    week: tuple[tuple[Minutes, ...], ...] = ((),) * 7
    dates: Mapping[date, tuple[Minutes, ...]] = field(default_factory=dict)

    def on(self, day: date) -> tuple[Minutes, ...]:
        """The spans that begin on a date of the local calendar."""
        return self.dates.get(day, self.week[day.weekday()])


def parse_hours(raw: object, zone: str) -> Hours:
    """Hours from their JSON form; raises ValueError naming what is wrong (unknown day or zone, a bad or empty span).

    A span that ends before it begins runs into the next day ("22:00" to "06:00"); "24:00" is the day's end.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError) as unknown:
        raise ValueError(f"no such zone: {zone}") from unknown
    if raw == ALWAYS:
        return Hours(zone, always=True)
    if not isinstance(raw, Mapping):
        raise ValueError('hours are "24x7" or an object of days')
    strange = set(raw) - {*DAYS, "dates"}
    if strange:
        raise ValueError(f"no such day: {', '.join(sorted(map(str, strange)))}")
    exceptions = raw.get("dates", {})
    if not isinstance(exceptions, Mapping):
        raise ValueError("dates is an object of dates")
    week = tuple(_spans(raw.get(day, ()), day) for day in DAYS)
    return Hours(zone, week=week, dates={_date(day): _spans(spans, str(day)) for day, spans in exceptions.items()})


def open_spans(hours: Hours, since: datetime, until: datetime) -> list[Span]:
    """The open time in [since, until) as UTC spans, in order, joined where they touch. Raises ValueError if naive.

    A span lasts from the first instant at which the clock shows its beginning to the first at which it shows its end,
    or, where the clock skips that time, to the change.
    """
    found: list[Span] = []
    for begins, ends in _clipped(hours, _utc(since), _utc(until)):
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return found


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether it is open at an instant; the end of a span is closed."""
    return bool(open_spans(hours, at, _utc(at) + timedelta(seconds=1)))


def next_open(hours: Hours, at: datetime) -> datetime | None:
    """The first open instant at or after (UTC; T109), or None if there is none within 400 days."""
    begins = _utc(at)
    for days in (8, SEARCH_DAYS):
        spans = open_spans(hours, begins, begins + timedelta(days=days))
        if spans:
            return spans[0][0]
    return None


def after_open_time(hours: Hours, at: datetime, seconds: int) -> datetime | None:
    """The instant at which `seconds` of open time have passed since `at` (T110, T112), or None within 400 days.

    The end of a span counts as in it: 8 h from 09:00 with 09:00-17:00 is 17:00 the same day.
    """
    left, begins = timedelta(seconds=seconds), _utc(at)
    for opens, closes in open_spans(hours, begins, begins + timedelta(days=SEARCH_DAYS)):
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
    return None


def _clipped(hours: Hours, since: datetime, until: datetime) -> Iterator[Span]:
    if since >= until:
        return
    if hours.always:
        yield since, until
        return
    zone = ZoneInfo(hours.zone)
    day, last = since.astimezone(zone).date() - timedelta(days=2), until.astimezone(zone).date()
    while day <= last:
        for begins, ends in hours.on(day):
            opens, closes = _instant(day, begins, zone), _instant(day, ends, zone)
            if max(opens, since) < min(closes, until):
                yield max(opens, since), min(closes, until)
        day += timedelta(days=1)


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return _first_shown(day + timedelta(days=minute // 1440), time(minute % 1440 // 60, minute % 60), zone)


@lru_cache(maxsize=4096)
def _first_shown(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the zone's clock shows this time or, where it skips it, a later one (T105)."""
    wall = datetime.combine(day, clock)
    early, late = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:  # unique, or shown twice: fold 0 is the first
        return early
    low, high = late, early  # skipped: the change lies between the two readings
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a naive time names no instant")
    return at.astimezone(UTC)


def _spans(raw: object, where: str) -> tuple[Minutes, ...]:
    if not isinstance(raw, list | tuple):
        raise ValueError(f"{where}: a list of spans")
    spans = sorted(_span(each, where) for each in raw)
    for one, other in pairwise(spans):
        if other[0] < one[1]:
            raise ValueError(f"{where}: spans overlap")
    return tuple(spans)


def _span(raw: Any, where: str) -> Minutes:
    if not isinstance(raw, list | tuple) or len(raw) != 2:
        raise ValueError(f"{where}: a span is [begin, end]")
    begins, ends = (_minute(each, where) for each in raw)
    if begins == ends or begins == 1440:
        raise ValueError(f"{where}: an empty span")
    return begins, ends if ends > begins else ends + 1440


def _minute(raw: object, where: str) -> int:
    if raw == "24:00":
        return 1440
    try:
        if not isinstance(raw, str) or len(raw) != 5:
            raise ValueError(raw)
        clock = time.fromisoformat(raw)
    except ValueError as wrong:
        raise ValueError(f'{where}: not a time "HH:MM": {raw}') from wrong
    return clock.hour * 60 + clock.minute


def _date(raw: object) -> date:
    try:
        return date.fromisoformat(str(raw))
    except ValueError as wrong:
        raise ValueError(f"not a date: {raw}") from wrong
