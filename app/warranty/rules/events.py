"""The facts a warranty is folded from (W10): typed events, their plain form, and corrections applied to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, Literal, get_args

Cause = Literal[
    "defect",
    "material",
    "software",
    "installation",
    "commissioning",
    "wear",
    "customer",
    "force_majeure",
    "undetermined",
]
CAUSES: tuple[str, ...] = get_args(Cause)
UNIT = "unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The system was accepted on this day (W1)."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentInstalled:
    """A part was put into a position, no failure before it; changes what sits there, not the cover (W5)."""

    position: str
    part_number: str
    serial: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentReplaced:
    """A failed part was replaced; restarts the position once confirmed, if W4 holds."""

    position: str
    cause: Cause
    system_stopped: bool
    part_number: str | None = None
    serial: str | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReplaced:
    """The whole device was swapped for another serial (W13)."""

    new_serial: str
    cause: Cause
    system_stopped: bool
    part_number: str | None = None
    failed_at: datetime | None = None

    @property
    def position(self) -> str:
        """A swap replaces the position `unit`."""
        return UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationConfirmed:
    """The replaced position runs normally again; presumed ones anchor at the fitting (W4)."""

    position: str
    presumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """Months added to the device's term."""

    months: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """No warranty from this day on, for one position or for the device."""

    reason: str
    from_day: date
    position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """The device stands at another site; cover follows it (W13)."""

    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """An earlier event was wrong: fields to change, another instant for it, or the whole event withdrawn."""

    event: str
    reason: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    happened_at: datetime | None = None
    withdrawn: bool = False


Replacement = ComponentReplaced | DeviceReplaced
What = (
    Accepted
    | ComponentInstalled
    | ComponentReplaced
    | DeviceReplaced
    | OperationConfirmed
    | Extended
    | Voided
    | Transferred
    | Corrected
)
TYPES: dict[str, type[What]] = {
    "accepted": Accepted,
    "component_installed": ComponentInstalled,
    "component_replaced": ComponentReplaced,
    "device_replaced": DeviceReplaced,
    "operation_confirmed": OperationConfirmed,
    "extended": Extended,
    "voided": Voided,
    "transferred": Transferred,
    "corrected": Corrected,
}
NAMES: dict[type[What], str] = {kind: name for name, kind in TYPES.items()}
DATES = frozenset({"on", "from_day"})
INSTANTS = frozenset({"failed_at", "happened_at"})


@dataclass(frozen=True, slots=True)
class Event:
    """One row of an installation's history: what happened, when it happened, and since when we know it."""

    seq: int
    id: str
    occurred_at: datetime
    recorded_at: datetime
    what: What


def typed(name: str, value: Any) -> Any:
    """A payload value in its Python type: dates and instants are ISO 8601 texts in the plain form."""
    if not isinstance(value, str):
        return value
    if name in DATES:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if name in INSTANTS else value


def what_of(type_name: str, payload: Mapping[str, Any]) -> What:
    """The typed event of a stored row; unknown types are a KeyError."""
    return TYPES[type_name](**{name: typed(name, value) for name, value in payload.items()})


def payload_of(what: What) -> dict[str, Any]:
    """The plain form of an event: JSON values, empty fields left out."""
    found = {f.name: getattr(what, f.name) for f in fields(what)}
    return {name: plain(value) for name, value in found.items() if value is not None}


def plain(value: Any) -> Any:
    """JSON for a payload value."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return value.isoformat() if isinstance(value, date | datetime) else value


def effective(events: Iterable[Event], known_at: datetime | None = None) -> list[Event]:
    """What happened as far as known at an instant: corrections applied, in the order of happening (W10).

    Later corrections win field by field; an event withdrawn is left out.
    """
    standing: dict[str, Event] = {}
    withdrawn: set[str] = set()
    for event in sorted(events, key=lambda event: event.seq):
        if known_at is not None and event.recorded_at > known_at:
            continue
        what = event.what
        if not isinstance(what, Corrected):
            standing[event.id] = event
            continue
        if (target := standing.get(what.event)) is not None:
            standing[what.event] = amended(target, what)
            (withdrawn.add if what.withdrawn else withdrawn.discard)(what.event)
    kept = (event for event in standing.values() if event.id not in withdrawn)
    return sorted(kept, key=lambda event: (event.occurred_at, event.seq))


def amended(event: Event, correction: Corrected) -> Event:
    """The event with the correction's fields; fields it does not have are left alone."""
    names = {f.name for f in fields(event.what)}
    changes = {name: typed(name, value) for name, value in correction.changes.items() if name in names}
    return replace(event, what=replace(event.what, **changes), occurred_at=correction.happened_at or event.occurred_at)
