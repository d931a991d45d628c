"""Steering the plan on the wire: other sources, pins, freezes, shifts for once, fixes of a miss, what a plan changed."""

from datetime import datetime
from typing import Literal

import msgspec

from app.core.http import ReasonOut
from app.core.types import Code, Instant, Name, Text, Wire, Words
from app.fulfillment.schemas import StepIn


class SourceIn(StepIn, kw_only=True):
    """Another place for one line that is still on the shelf; a substitute needs the customer's word unless accepted."""

    place: Code
    part_number: Code | None = None
    customer_agreed: bool = False


class BumpIn(StepIn, kw_only=True):
    """The late line, and the line of lower priority whose pieces it takes."""

    line: Code
    giver: Code = msgspec.field(name="from")


class CallIn(StepIn, kw_only=True):
    """Tell the managers before a clock does (C5, C7)."""

    reason: Words


class EmergencyPlanIn(StepIn, kw_only=True):
    """What was agreed with the user when a promise cannot be kept as it is (C7)."""

    plan: Words
    agreed_by: Name


class PinIn(Wire):
    """Only this courier may bring the line."""

    line: Code
    courier: Code
    reason: Text | None = None


class FreezeIn(Wire):
    """The region of this area keeps its routes as they are."""

    area: Code
    reason: Text | None = None


class ShiftIn(Wire):
    """A courier's shift for once."""

    begins_at: Instant
    ends_at: Instant
    reason: Text | None = None


class OpeningIn(Wire):
    """A place opened for once, for couriers to fetch from."""

    begins_at: Instant
    ends_at: Instant
    reason: Text | None = None


class PinOut(Wire):
    line: str
    courier: str
    reason: str | None
    pinned_by: str
    pinned_at: datetime


class ShiftOut(Wire):
    id: str
    courier: str
    begins_at: datetime
    ends_at: datetime
    reason: str | None


class OpeningOut(Wire):
    id: str
    place: str
    begins_at: datetime
    ends_at: datetime
    reason: str | None


class FreezeOut(Wire):
    region: str
    frozen: bool
    reason: str | None
    frozen_by: str | None
    frozen_at: datetime | None


class GivingOut(Wire):
    """A line of lower priority that gives its pieces up: how much after its own due it comes then (null: nobody can say), or
    whether it waits for stock."""

    line: str
    late_s: int | None
    waits: bool


class ChangeOut(Wire):
    """One thing to do, with the values that the call which does it takes; `gives` is whom a `bump` takes the pieces `from`."""

    kind: Literal["source", "substitute", "shift", "open", "pin", "bump", "call"]
    place: str | None
    part_number: str | None
    courier: str | None
    begins_at: datetime | None
    ends_at: datetime | None
    reason: ReasonOut
    gives: GivingOut | None = None


class FixOut(Wire):
    """What would bring a line sooner: what to do, what it wins and what it costs. Nothing is held.

    `changes` are needed together, in this order; the values beside are those of the first. `cost_minor` is the company's
    effort beyond the plan: driving, a shift for once, the piece's worth to later promises, and that somebody has to be told.
    """

    kind: Literal["source", "substitute", "shift", "open", "pin", "bump", "call"]
    line: str
    place: str | None
    part_number: str | None
    courier: str | None
    begins_at: datetime | None
    ends_at: datetime | None
    eta: datetime | None
    late_s: int | None
    gained_s: int | None
    more_drive_s: int | None
    cost_minor: int
    harmed: list[str]
    needs_customer: bool
    reason: ReasonOut
    text: str
    changes: list[ChangeOut]


class FixesOut(Wire):
    items: list[FixOut]


class MovedStop(Wire):
    """One line in two plans: who brings it and when, before and after."""

    line: str
    request: str | None
    courier_before: str | None
    courier: str | None
    eta_before: datetime | None
    eta: datetime | None


class PlanChangesOut(Wire):
    """What the newest plan of a region changed against the one before."""

    region: str
    version: int
    planned_at: datetime | None
    before_version: int | None
    before_at: datetime | None
    drive_s: int
    drive_before_s: int | None
    items: list[MovedStop]
