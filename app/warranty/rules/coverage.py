"""Warranty folded from events (W10): the intervals of a device and of its positions, on two axes of time.

`fold` answers "as known at"; `state_on` and `timeline` (in states.py) answer "as of".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from app.warranty.rules.events import (
    UNIT,
    Accepted,
    ComponentInstalled,
    ComponentReplaced,
    DeviceReplaced,
    Event,
    Extended,
    OperationConfirmed,
    Replacement,
    Transferred,
    Voided,
    effective,
)
from app.warranty.rules.restart import NoRestart, Restart, restart_after
from app.warranty.rules.restart import Replacement as Replaced
from app.warranty.rules.terms import DAY, Calendar, Layer, Terms, final_day, layers


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the model and the part number the model puts there; `key` is W4's key part."""

    name: str
    part_number: str
    key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What is frozen for a device and its successors: terms, positions, where it was delivered, zones of its sites."""

    serial: str
    terms: Terms
    positions: tuple[Position, ...]
    site: str
    zones: Mapping[str, str]
    delivered_on: date | None = None
    oem_last_day: date | None = None

    def position(self, name: str) -> Position | None:
        """The frozen position of that name."""
        return next((position for position in self.positions if position.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Covered days, both inclusive. `since` is the day from which the promise exists (valid time), `event` its seq."""

    kind: Literal["base", "extension", "restart"]
    first: date
    last: date
    since: date
    anchor: date
    months: int
    activated_at: datetime | None = None
    provisional: tuple[str, ...] = ()
    event: int | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A part that came into a position at an instant; the latest before a day is what sits there."""

    at: datetime
    on: date
    part_number: str | None
    serial: str | None
    swap: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A replacement that waits for its confirmation."""

    at: datetime
    on: date
    what: Replacement


@dataclass(frozen=True, slots=True)
class Swap:
    """One serial followed by the next (W13)."""

    old_serial: str
    new_serial: str
    at: datetime
    on: date


@dataclass(frozen=True, slots=True)
class Unrestarted:
    """A confirmed replacement that did not restart its position, and why (W4, W5)."""

    position: str
    on: date
    event: int
    because: tuple[str, ...]


@dataclass(slots=True)
class Cover:
    """Everything the events say about one installation, as known at one instant. Read-only after `fold`."""

    installation: Installation
    calendar: Calendar | None = None
    accepted_on: date | None = None
    intervals: list[Interval] = field(default_factory=list)
    own: dict[str, list[Interval]] = field(default_factory=dict)
    voids: list[tuple[str | None, date, int]] = field(default_factory=list)
    swaps: list[Swap] = field(default_factory=list)
    sites: list[tuple[datetime, str]] = field(default_factory=list)
    fitted: dict[str, list[Fitted]] = field(default_factory=dict)
    open_jobs: dict[str, list[Job]] = field(default_factory=dict)
    unrestarted: list[Unrestarted] = field(default_factory=list)
    paid: tuple[Layer, ...] = ()

    def of(self, position: str) -> list[Interval]:
        """The device's intervals and the position's own: coverage is their union (W5, W6)."""
        own = self.own.get(position)
        return self.intervals + own if own else self.intervals

    def site_at(self, instant: datetime) -> str:
        """Where the device stood at an instant (W13)."""
        return next((site for at, site in reversed(self.sites) if at <= instant), self.installation.site)

    def day_at(self, instant: datetime) -> date:
        """The date an instant has at the device's site of that moment (W3)."""
        return local_day(instant, self.installation.zones[self.site_at(instant)])

    def void_from(self, position: str) -> date | None:
        """The first void day of a position: its own or the device's."""
        return min((day for of, day, _ in self.voids if of is None or of in (UNIT, position)), default=None)

    def serials(self) -> list[str]:
        """All serials in the order of succession."""
        return [self.installation.serial, *(swap.new_serial for swap in self.swaps)]


def local_day(instant: datetime, zone: str) -> date:
    """The civil date of an instant in a named zone (W3)."""
    return instant.astimezone(ZoneInfo(zone)).date()


def fold(
    installation: Installation,
    events: Iterable[Event],
    calendar: Calendar | None = None,
    known_at: datetime | None = None,
) -> Cover:
    """All cover of an installation, as known at an instant (W10); None is everything known.

    Acceptance and voids are dated facts and are placed first; the rest is folded in the order of happening.
    """
    cover = Cover(installation, calendar)
    happened = effective(events, known_at)
    for event in happened:
        match event.what:
            case Accepted(on=on):
                cover.accepted_on = on
            case Voided(position=position, from_day=day):
                cover.voids.append((position, day, event.seq))
            case Transferred(site=site):
                cover.sites.append((event.occurred_at, site))
    if cover.accepted_on is not None:
        cover.intervals.append(base(cover, cover.accepted_on))
        cover.paid = layers(cover.accepted_on, installation.terms, installation.oem_last_day)
    for event in happened:
        apply(cover, event)
    return cover


def base(cover: Cover, accepted_on: date) -> Interval:
    """W1: from the day after acceptance, for the frozen months."""
    terms = cover.installation.terms
    end = final_day(accepted_on, terms.months, terms, cover.calendar)
    return Interval(
        kind="base",
        first=accepted_on + DAY,
        last=end.day,
        since=date.min,
        anchor=accepted_on,
        months=terms.months,
        provisional=("calendar",) if end.provisional else (),
    )


def apply(cover: Cover, event: Event) -> None:
    """One event's effect on parts, jobs and intervals."""
    on = cover.day_at(event.occurred_at)
    match event.what:
        case ComponentInstalled(position=position, part_number=number, serial=serial):
            cover.fitted.setdefault(position, []).append(Fitted(event.occurred_at, on, number, serial))
        case DeviceReplaced() as swapped:
            swap(cover, event, swapped, on)
        case ComponentReplaced() as replaced:
            fitted = Fitted(event.occurred_at, on, replaced.part_number, replaced.serial)
            cover.fitted.setdefault(replaced.position, []).append(fitted)
            cover.open_jobs.setdefault(replaced.position, []).append(Job(event.occurred_at, on, replaced))
        case OperationConfirmed(position=position, presumed=presumed):
            confirm(cover, event, position, presumed=presumed)
        case Extended(months=months):
            extend(cover, months)


def swap(cover: Cover, event: Event, swapped: DeviceReplaced, on: date) -> None:
    """W13: the new serial stands in the old one's place; jobs open on removed components end with them."""
    cover.swaps.append(Swap(cover.serials()[-1], swapped.new_serial, event.occurred_at, on))
    fitted = Fitted(event.occurred_at, on, swapped.part_number, swapped.new_serial, swap=True)
    cover.fitted.setdefault(UNIT, []).append(fitted)
    cover.open_jobs = {UNIT: [*cover.open_jobs.get(UNIT, []), Job(event.occurred_at, on, swapped)]}


def confirm(cover: Cover, event: Event, position: str, *, presumed: bool) -> None:
    """Settle the position's open job (W4): a restart, or the reasons why it takes the remaining interval (W5).

    Several replacements may be open on one job; it restarts if one of them meets every condition.
    """
    job = cover.open_jobs.pop(position, [])
    if not job:
        return
    confirmed_on = job[-1].on if presumed else cover.day_at(event.occurred_at)
    activated_at = job[-1].at if presumed else event.occurred_at
    refused: NoRestart | None = None
    for replaced in job:
        decided = restart_after(asked(cover, position, replaced, confirmed_on), terms_of(cover), cover.calendar)
        if isinstance(decided, Restart):
            place(cover, position, decided, activated_at, event.seq)
            return
        refused = refused or decided
    if refused:
        cover.unrestarted.append(Unrestarted(position, confirmed_on, event.seq, refused.because))


def terms_of(cover: Cover) -> Terms:
    return cover.installation.terms


def asked(cover: Cover, position: str, job: Job, confirmed_on: date) -> Replaced:
    """W4's question about one replacement, judged at its failure where that is known, else at the fitting."""
    failed_on = cover.day_at(job.what.failed_at) if job.what.failed_at else job.on
    frozen = cover.installation.position(position)
    void = cover.void_from(position)
    return Replaced(
        key=frozen is not None and frozen.key,
        cause=job.what.cause,
        system_stopped=job.what.system_stopped,
        replaced_on=job.on,
        operation_confirmed_on=confirmed_on,
        cover_ended=all(interval.last < failed_on for interval in cover.of(position)),
        void=void is not None and void <= confirmed_on,
        not_started=cover.accepted_on is None or confirmed_on <= cover.accepted_on,
    )


def place(cover: Cover, position: str, restart: Restart, activated_at: datetime, seq: int) -> None:
    """The new interval goes to the position, or to the device where the unit or the scope says so (W4, W13)."""
    interval = Interval(
        kind="restart",
        first=restart.first_day,
        last=restart.last_day,
        since=restart.anchor,
        anchor=restart.anchor,
        months=terms_of(cover).months,
        activated_at=activated_at,
        provisional=restart.provisional,
        event=seq,
    )
    whole = position == UNIT or terms_of(cover).restart_scope == "device"
    (cover.intervals if whole else cover.own.setdefault(position, [])).append(interval)


def extend(cover: Cover, months: int) -> None:
    """Months added to the device interval that ends last, from its own anchor with the total of months (W2).

    An extension amends the term itself, so it counts for every day of the interval; `known_at` tells since when.
    """
    if not cover.intervals:
        return
    at = max(range(len(cover.intervals)), key=lambda index: cover.intervals[index].last)
    longest = cover.intervals[at]
    end = final_day(longest.anchor, longest.months + months, terms_of(cover), cover.calendar)
    provisional = tuple(why for why in longest.provisional if why != "calendar")
    cover.intervals[at] = replace(
        longest,
        kind="extension" if longest.kind == "base" else longest.kind,
        last=end.day,
        months=longest.months + months,
        provisional=provisional + (("calendar",) if end.provisional else ()),
    )
