"""Warranty on the wire: devices, events, answers, verdicts."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.core.http import ReasonOut
from app.core.types import Code, Instant, Wire, Words
from app.warranty.rules.events import Cause
from app.warranty.rules.states import Status
from app.warranty.rules.terms import Payer

EventType = Literal[
    "accepted",
    "component_installed",
    "component_replaced",
    "device_replaced",
    "operation_confirmed",
    "extended",
    "voided",
    "transferred",
    "corrected",
]
ExtraMonths = Annotated[int, Meta(ge=1, le=600)]


class DeviceIn(Wire):
    """A device to register; without `accepted_on` its contract's acceptance anchors it (W1)."""

    serial: Code
    model: Code
    site: Code
    contract: Code
    delivered_on: date | None = None
    accepted_on: date | None = None
    oem_last_day: date | None = None


class EventIn(Wire):
    """Something that happened to a device; which fields belong depends on `type`. In `corrected`, `event` names the
    event that was wrong and the other fields are its right values; `happened_at` is its right instant."""

    type: EventType
    occurred_at: Instant | None = None
    on: date | None = None
    position: Code | None = None
    part_number: Code | None = None
    serial: Code | None = None
    new_serial: Code | None = None
    cause: Cause | None = None
    system_stopped: bool | None = None
    failed_at: Instant | None = None
    presumed: bool | None = None
    months: ExtraMonths | None = None
    reason: Words | None = None
    from_day: date | None = msgspec.field(name="from", default=None)
    site: Code | None = None
    event: Code | None = None
    happened_at: Instant | None = None
    withdrawn: bool | None = None


class EventRow(Wire):
    """One event of an import: the serial and the event."""

    serial: Code
    event: EventIn


class AcceptIn(Wire):
    """The day a contract's system was accepted; `occurred_at` is when that was agreed, by default now."""

    accepted_on: date
    occurred_at: Instant | None = None


class CheckIn(Wire):
    """Up to 10,000 serials; `on` null is today in each device's site zone."""

    serials: list[Code]
    on: date | None = None


class PositionFact(Wire):
    """A position as frozen at registration."""

    position: str
    part_number: str
    key: bool


class DeviceOut(Wire):
    """A device: where it stands, under which frozen terms, which serial came before and after it (W13)."""

    serial: str
    model: str
    site: str
    contract: str
    customer: str
    delivered_on: date | None
    accepted_on: date | None
    oem_last_day: date | None
    terms: dict[str, Any]
    positions: list[PositionFact]
    installed_on: date | None
    replaced_on: date | None
    replaces: str | None
    replaced_by: str | None
    created_at: datetime
    version: int


class DevicesOut(Wire):
    items: list[DeviceOut]
    next: str | None


class EventOut(Wire):
    """An event as recorded; `payload` holds the fields of its type, `version` the device's after it."""

    id: str
    type: str
    serial: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    payload: dict[str, Any]
    version: int


class EventsOut(Wire):
    items: list[EventOut]
    next: str | None


class DeviceState(Wire):
    """The device's own cover on the day; `days_left` is 0 on the last day."""

    status: Status
    first_day: date | None
    last_day: date | None
    days_left: int | None
    payer: Payer | None


class ComponentState(Wire):
    """A position's cover: the days are those of the interval that gives its last day."""

    position: str
    part_number: str
    key: bool
    status: Status
    first_day: date | None
    last_day: date | None
    payer: Payer | None
    restarted: bool


class WarrantyOut(Wire):
    """The warranty of one device, as of a day and as known at an instant (W10)."""

    serial: str
    model: str
    on: date
    known_at: datetime | None
    provisional: bool
    device: DeviceState
    components: list[ComponentState]
    reasons: list[ReasonOut]


class CheckedOut(Wire):
    """One serial of a bulk check."""

    serial: str
    status: str
    last_day: date | None
    payer: str | None
    components_covered: int
    components_last_day: date | None


class CheckOut(Wire):
    items: list[CheckedOut]
    unknown: list[str]


class AcceptOut(Wire):
    """A contract accepted: how many devices it anchored now."""

    number: str
    accepted_on: date
    devices: int
    version: int


class VerdictOut(Wire):
    """A stored verdict with the inputs it rests on; `superseded_by` names the one that replaced it."""

    id: str
    device_serial: str | None
    subject: str | None
    covered: bool
    coverage: dict[str, Any]
    payer: str | None
    price_rule: str
    opened_box: bool
    needs_consent: bool
    late_notice: bool
    provisional: bool
    restart_if_confirmed: dict[str, Any] | None
    reasons: list[ReasonOut]
    inputs: dict[str, Any]
    rule_version: str
    calendar_version: str | None
    supersedes: str | None
    superseded_by: str | None
    given_at: datetime
    given_by: str
