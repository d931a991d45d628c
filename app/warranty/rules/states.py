"""What a folded cover says on a day: status, days and payer of a position, and its whole timeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from app.warranty.rules.coverage import Cover, Interval
from app.warranty.rules.events import UNIT
from app.warranty.rules.terms import DAY, Payer, payer_on

Status = Literal["covered", "expired", "not_started", "void", "replaced"]
STATUSES: tuple[str, ...] = ("covered", "expired", "not_started", "void", "replaced")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The answer for one position on one day; first and last day are inclusive."""

    status: Status
    first_day: date | None = None
    last_day: date | None = None
    payer: Payer | None = None
    restarted: bool = False
    provisional: tuple[str, ...] = ()

    def days_left(self, on: date) -> int | None:
        """Days of cover after `on`, 0 on the last day; None where no cover runs."""
        if self.status != "covered" or self.last_day is None:
            return None
        return (self.last_day - on).days


REPLACED = State(status="replaced")


def governing(intervals: list[Interval], on: date) -> Interval | None:
    """Of the intervals promised by that day, the one that gives the last day; of equals the one that began first."""
    promised = [interval for interval in intervals if interval.since <= on]
    return max(promised, key=lambda interval: (interval.last, -interval.first.toordinal()), default=None)


def state_on(cover: Cover, position: str, on: date) -> State:
    """A position's state at the end of a day, as of that day (W1, W5, W6, W9, W10); whichever serial stands there."""
    intervals = cover.of(position)
    shown = governing(intervals, on)
    void = cover.void_from(position)
    if void is not None and void <= on:
        return voided(shown, void)
    if shown is None:
        return State(status="not_started", payer=payer_before(cover, on))
    holding = any(interval.since <= on and interval.first <= on <= interval.last for interval in intervals)
    if holding:
        return shown_as("covered", shown, payer_on(on, cover.paid))
    if on < shown.first:
        return shown_as("not_started", shown, payer_before(cover, on))
    return shown_as("expired", shown, None)


def shown_as(status: Status, shown: Interval, payer: Payer | None) -> State:
    """The state with the days of the interval that gives its last day."""
    return State(
        status=status,
        first_day=shown.first,
        last_day=shown.last,
        payer=payer,
        restarted=shown.kind == "restart",
        provisional=shown.provisional,
    )


def voided(shown: Interval | None, void: date) -> State:
    """A void cover ends the day before; none is left if it never began."""
    if shown is None or void <= shown.first:
        return State(status="void")
    return State(status="void", first_day=shown.first, last_day=min(shown.last, void - DAY))


def payer_before(cover: Cover, on: date) -> Payer | None:
    """From delivery to the start faults are ours (W1)."""
    delivered = cover.installation.delivered_on
    return "vendor" if delivered is None or delivered <= on else None


def serial_state(cover: Cover, serial: str, position: str, on: date) -> State:
    """`state_on` for one serial: not there yet before its swap, `replaced` from the day it was swapped out (W13)."""
    if serial not in cover.serials():
        return State(status="not_started")
    for swap in cover.swaps:
        if swap.old_serial == serial and swap.on <= on:
            return REPLACED
        if swap.new_serial == serial and on < swap.on:
            return State(status="not_started")
    return state_on(cover, position, on)


def sitting(cover: Cover, position: str, on: date) -> tuple[str, str | None]:
    """Part number and serial in a position at the end of a day: the latest fitted, else what the model puts there."""
    frozen = cover.installation.position(position)
    number = frozen.part_number if frozen else ""
    serial = cover.installation.serial if position == UNIT else None
    swapped_at = max((swap.at for swap in cover.swaps if swap.on <= on), default=None)
    for fitted in cover.fitted.get(position, []):
        swept = swapped_at is not None and fitted.at < swapped_at
        if fitted.on <= on and not swept:
            number, serial = fitted.part_number or number, fitted.serial
    return number, serial


def fitted_before(cover: Cover, position: str, instant: datetime) -> date | None:
    """The day the position's present part came, None if it came with the device."""
    return max((fitted.on for fitted in cover.fitted.get(position, []) if fitted.at <= instant), default=None)


@dataclass(frozen=True, slots=True)
class Piece:
    """Days on which the answer is the same: from `start` (None: always) up to, not including, `end` (None: forever)."""

    start: date | None
    end: date | None
    state: State


def change_days(cover: Cover, position: str) -> list[date]:
    """The days on which a position's answer may change."""
    days = {day for of, day, _ in cover.voids if of is None or of in (UNIT, position)}
    for interval in cover.of(position):
        days |= {interval.since, interval.first, interval.last + DAY}
    for layer in cover.paid:
        days |= {layer.first, layer.last + DAY}
    if cover.installation.delivered_on is not None:
        days.add(cover.installation.delivered_on)
    return sorted(days - {date.min})


def timeline(cover: Cover, position: str) -> Iterator[Piece]:
    """A position's whole life as disjoint pieces without holes, equal neighbors joined (IW8)."""
    days = change_days(cover, position)
    start: date | None = None
    state = state_on(cover, position, date.min)
    for day in days:
        following = state_on(cover, position, day)
        if following != state:
            yield Piece(start, day, state)
            start, state = day, following
    yield Piece(start, None, state)


def deviating(cover: Cover) -> list[str]:
    """Positions whose answer is not simply the unit's: they have intervals or voids of their own."""
    voided_positions = {of for of, _, _ in cover.voids if of is not None and of != UNIT}
    return sorted(cover.own.keys() | voided_positions)
