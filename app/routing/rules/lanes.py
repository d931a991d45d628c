"""When a carrier takes a parcel and when it arrives: cut-offs on the sender's clock, correct over its changes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
SEARCH_DAYS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One carrier's service from one place.

    `cutoffs` are "HH:MM" on the clock of `zone` (the sender's): the last moment at which parcels are taken for a
    departure. `weekdays` count from Monday 0; `closed_on` are dates without departures. `transit_s` is elapsed time
    from the cut-off to arrival. With `counter` a parcel may be handed over at any time before the cut-off; without,
    the carrier collects at the cut-off.
    """

    carrier: str
    zone: str
    cutoffs: tuple[str, ...]
    transit_s: int
    weekdays: tuple[int, ...] = EVERY_DAY
    closed_on: Collection[date] = ()
    counter: bool = False


@dataclass(frozen=True, slots=True)
class Departure:
    """All UTC: the cut-off that is made, the hand-over (C2 ends there), the arrival; and the cut-off on the clock."""

    cutoff_at: datetime
    handover_at: datetime
    arrives_at: datetime
    cutoff: str


@dataclass(frozen=True, slots=True)
class NoDeparture:
    """The lane has no cut-off within the days searched."""

    carrier: str
    days: int


def next_departure(lane: Lane, *, now: datetime, preparation_s: int = 0) -> Departure | NoDeparture:
    """The first departure made by what is ready `preparation_s` after `now` (R1); exactly at the cut-off is in time.

    A cut-off the clock skips is at the instant of the change; one it shows twice is the first. Raises ValueError for a
    naive `now`, an unknown zone (KeyError's ZoneInfoNotFoundError) or a malformed cut-off.
    """
    if now.tzinfo is None:
        raise ValueError("now is not aware")
    zone = ZoneInfo(lane.zone)
    ready = now.astimezone(UTC) + timedelta(seconds=preparation_s)
    today = ready.astimezone(zone).date()
    times = [(each, time.fromisoformat(each)) for each in lane.cutoffs]
    for days in range(-1, SEARCH_DAYS):
        day = today + timedelta(days=days)
        if day.weekday() not in lane.weekdays or day in lane.closed_on:
            continue
        for at, text in sorted((instant(day, clock, zone), text) for text, clock in times):
            if at >= ready:
                handover = ready if lane.counter else at
                return Departure(at, handover, at + timedelta(seconds=lane.transit_s), text)
    return NoDeparture(lane.carrier, SEARCH_DAYS)


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the zone's clock shows this time of day, or, if it skips it, a later one."""
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
