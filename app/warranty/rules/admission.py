"""Which events may be appended to an installation's history, and why not. The history itself decides the cover."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from app.core.errors import Fact, Reason
from app.warranty.rules.coverage import Cover, Installation, fold
from app.warranty.rules.events import (
    NAMES,
    UNIT,
    Accepted,
    ComponentInstalled,
    ComponentReplaced,
    Corrected,
    DeviceReplaced,
    Event,
    Extended,
    OperationConfirmed,
    Voided,
    What,
    effective,
)
from app.warranty.rules.terms import ANCHOR_YEARS, MONTHS_LIMIT

FIXED = frozenset({"new_serial", "site"})
"""Fields no correction may change: they decided where rows of other tables stand. Post a new event instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An event someone wants to append: for which serial, when it happened, and what."""

    serial: str
    occurred_at: datetime
    what: What


def refused_because(
    installation: Installation, events: Iterable[Event], offered: Offered, now: datetime
) -> Reason | None:
    """Why the event may not be appended, or None. Judged against what had happened by its own instant."""
    history = list(events)
    if offered.occurred_at > now:
        return refusal("event.in_future", occurred_at=offered.occurred_at.isoformat(), now=now.isoformat())
    if isinstance(offered.what, Corrected):
        return wrong_correction(installation, history, offered.what, now)
    cover = fold(installation, history)
    by_then = [event for event in effective(history) if event.occurred_at <= offered.occurred_at]
    then = fold(installation, by_then)
    return (
        wrong_time(installation, cover, offered)
        or wrong_failure(offered.what, offered.occurred_at)
        or wrong_position(installation, offered.what)
        or wrong_state(cover, then, history, offered.what)
    )


def refusal(code: str, **facts: Fact) -> Reason:
    """A refusal of W10's history."""
    return Reason("W10", code, facts)


def wrong_time(installation: Installation, cover: Cover, offered: Offered) -> Reason | None:
    """Before delivery, before the serial was installed, or after it was replaced (W1, W13)."""
    on = cover.day_at(offered.occurred_at)
    delivered = installation.delivered_on
    if delivered is not None and on < delivered and not isinstance(offered.what, Accepted):
        return refusal("event.before_delivery", on=on.isoformat(), delivered_on=delivered.isoformat())
    for swap in cover.swaps:
        known: dict[str, Fact] = {"serial": offered.serial, "new_serial": swap.new_serial, "on": swap.on.isoformat()}
        last_for_serial = swap.at <= offered.occurred_at or isinstance(offered.what, DeviceReplaced)
        if swap.old_serial == offered.serial and last_for_serial:
            return refusal("device.replaced_already", **known)
        if swap.new_serial == offered.serial and offered.occurred_at < swap.at:
            return refusal("event.before_installation", **known)
    return None


def wrong_position(installation: Installation, what: What) -> Reason | None:
    """A position the model did not have when the device was registered; the unit is swapped by `device_replaced`."""
    position = getattr(what, "position", None)
    if position is None:
        return None
    if installation.position(position) is None:
        return refusal("position.unknown", position=position, positions=[one.name for one in installation.positions])
    if position == UNIT and isinstance(what, ComponentInstalled | ComponentReplaced):
        return refusal("position.is_unit", position=position)
    return None


def wrong_state(cover: Cover, then: Cover, history: list[Event], what: What) -> Reason | None:
    """What the history does not allow: a second acceptance, a confirmation of nothing, a serial used before."""
    match what:
        case Accepted(on=on):
            if cover.accepted_on is not None:
                return refusal("accepted.already", accepted_on=cover.accepted_on.isoformat())
            return wrong_day("on", on)
        case OperationConfirmed(position=position) if not then.open_jobs.get(position):
            return refusal("confirm.nothing_open", position=position)
        case DeviceReplaced(new_serial=serial) if serial in cover.serials():
            return refusal("serial.taken", serial=serial)
        case Voided(from_day=day):
            return wrong_day("from", day)
        case Extended(months=months):
            return too_long(cover.installation, effective(history), months)
    return None


def too_long(installation: Installation, events: Iterable[Event], more: int = 0) -> Reason | None:
    """The term with all its extensions has a limit (T104)."""
    total = installation.terms.months + more
    total += sum(one.what.months for one in events if isinstance(one.what, Extended))
    return refusal("extended.too_long", months=total, limit=MONTHS_LIMIT) if total > MONTHS_LIMIT else None


def wrong_failure(what: What, occurred_at: datetime) -> Reason | None:
    """A part fails before it is replaced."""
    failed_at = getattr(what, "failed_at", None)
    if failed_at is None or failed_at <= occurred_at:
        return None
    return refusal("event.in_future", occurred_at=failed_at.isoformat(), now=occurred_at.isoformat())


def wrong_day(field: str, day: date) -> Reason | None:
    """Dates a warranty can be computed from (IW1)."""
    first, last = ANCHOR_YEARS
    return None if first <= day.year <= last else refusal("day.out_of_range", field=field, first=first, last=last)


def wrong_correction(
    installation: Installation, history: list[Event], correction: Corrected, now: datetime
) -> Reason | None:
    """Corrections name an original event of this installation and fields that it has."""
    target = next((event for event in history if event.id == correction.event), None)
    if target is None:
        return refusal("correction.no_such_event", event=correction.event)
    if isinstance(target.what, Corrected):
        return refusal("correction.of_correction", event=correction.event, corrects=target.what.event)
    if correction.happened_at is not None and correction.happened_at > now:
        return refusal("event.in_future", occurred_at=correction.happened_at.isoformat(), now=now.isoformat())
    return wrong_changes(target, correction) or wrong_result(installation, history, target, correction, now)


def wrong_result(
    installation: Installation, history: list[Event], target: Event, correction: Corrected, now: datetime
) -> Reason | None:
    """What the history would say after the correction must be something it could have said at once."""
    seq = max((event.seq for event in history), default=0) + 1
    trial = Event(seq=seq, id="", occurred_at=now, recorded_at=now, what=correction)
    after = effective([*history, trial])
    result = next((event for event in after if event.id == target.id), None)
    if result is None:
        return None
    long = too_long(installation, after) if isinstance(result.what, Extended) else None
    return long or wrong_position(installation, result.what) or wrong_failure(result.what, result.occurred_at)


def wrong_changes(target: Event, correction: Corrected) -> Reason | None:
    """At least one change, only fields of the event's type, none that is fixed; a swap can't be undone."""
    name = NAMES[type(target.what)]
    allowed = {one.name for one in fields(target.what)} - FIXED
    if foreign := sorted(set(correction.changes) - allowed):
        return refusal("correction.wrong_field", fields=foreign, type=name)
    fixed = isinstance(target.what, DeviceReplaced) or name == "transferred"
    if fixed and (correction.withdrawn or correction.happened_at is not None):
        return refusal("correction.not_undone", type=name)
    if correction.changes.get("cause") == "undetermined":
        return refusal("correction.reopens_cause", event=target.id)
    if not correction.changes and not correction.withdrawn and correction.happened_at is None:
        return refusal("correction.empty", event=target.id)
    return next((wrong for field in ("on", "from_day") if (wrong := changed_day(correction.changes, field))), None)


def changed_day(changes: Mapping[str, Any], field: str) -> Reason | None:
    """A corrected date within range."""
    value = changes.get(field)
    return None if value is None else wrong_day(field, date.fromisoformat(value))
