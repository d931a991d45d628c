"""The fulfillment wing's tables: requests, lines, the steps of the journey, when to look at clocks, lost demand."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class PartRequest(Base):
    """One ask for parts for one device."""

    __tablename__ = "part_request"

    id: Mapped[str] = mapped_column(primary_key=True)
    device_serial: Mapped[str | None]
    installation: Mapped[str | None]
    model: Mapped[str]
    customer: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    contract: Mapped[str] = mapped_column(ForeignKey("contract.number"))
    site: Mapped[str] = mapped_column(ForeignKey("site.code"))
    area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    currency: Mapped[str]
    state: Mapped[str]
    priority: Mapped[str]
    asked_priority: Mapped[str]
    cause: Mapped[str]
    system_stopped: Mapped[bool] = mapped_column(Boolean)
    found_on: Mapped[str]
    description: Mapped[str | None]
    failed_at: Mapped[datetime]
    received_at: Mapped[datetime]
    accepted_at: Mapped[datetime]
    appointment_at: Mapped[datetime | None]
    accept_substitutes: Mapped[bool] = mapped_column(Boolean)
    allow_split: Mapped[bool] = mapped_column(Boolean)
    ticket_system: Mapped[str | None]
    ticket_number: Mapped[str | None]
    ticket_url: Mapped[str | None]
    timing: Mapped[dict[str, Any]]
    reasons: Mapped[dict[str, Any]]
    created_by: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")


class RequestLine(Base):
    """One part number from one source under one commitment."""

    __tablename__ = "request_line"

    id: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("part_request.id"))
    n: Mapped[int]
    state: Mapped[str]
    part_number: Mapped[str] = mapped_column(ForeignKey("part.number"))
    supplied_part_number: Mapped[str] = mapped_column(ForeignKey("part.number"))
    quantity: Mapped[int]
    position: Mapped[str | None]
    source: Mapped[str] = mapped_column(ForeignKey("place.code"))
    mode: Mapped[str | None]
    eta: Mapped[datetime | None]
    verdict: Mapped[str] = mapped_column(ForeignKey("verdict.id"))
    covered: Mapped[bool] = mapped_column(Boolean)
    payer: Mapped[str | None]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    gross_minor: Mapped[int]
    price_terms: Mapped[dict[str, Any]]
    provisional: Mapped[bool] = mapped_column(Boolean)
    kind: Mapped[str]
    committed_at: Mapped[datetime]
    due_at: Mapped[datetime]
    commitment_reasons: Mapped[dict[str, Any]]
    sourcing: Mapped[dict[str, Any]]
    courier: Mapped[str | None]
    carrier: Mapped[str | None]
    waybill: Mapped[str | None]
    handover_at: Mapped[datetime | None]
    fitted_serial: Mapped[str | None]
    removed_serial: Mapped[str | None]
    old_part: Mapped[str | None]
    replaces: Mapped[str | None] = mapped_column(ForeignKey("request_line.id"))
    ticket_key: Mapped[str | None]
    confirmed: Mapped[bool | None]


class CallOff(Base):
    """A partner or supplier asked to confirm what it reports, for one line; ended once."""

    __tablename__ = "call_off"

    id: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("part_request.id"))
    line: Mapped[str] = mapped_column(ForeignKey("request_line.id"))
    place: Mapped[str] = mapped_column(ForeignKey("place.code"))
    part: Mapped[str] = mapped_column(ForeignKey("part.number"))
    quantity: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="open")
    asked_at: Mapped[datetime]
    answer_due_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
    available_at: Mapped[datetime | None]
    note: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")


class CallOffSecret(Base):
    """What call-offs' links are signed with; made with the table, changed by nobody."""

    __tablename__ = "call_off_secret"

    name: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[str]


class RequestStep(Base):
    """What happened on the journey; clocks are derived from these alone."""

    __tablename__ = "request_step"

    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("part_request.id"))
    line: Mapped[str | None] = mapped_column(ForeignKey("request_line.id"))
    verb: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    details: Mapped[dict[str, Any]]


class RequestWatch(Base):
    """When the clocks of a request want to be looked at next."""

    __tablename__ = "request_watch"

    request: Mapped[str] = mapped_column(ForeignKey("part_request.id"), primary_key=True)
    next_look_at: Mapped[datetime | None]
    done_due_at: Mapped[datetime | None]
    paused: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    on_hold: Mapped[str | None]


class PickClaim(Base):
    """Who is at a pick just now; it warns others and holds nobody up."""

    __tablename__ = "pick_claim"

    request: Mapped[str] = mapped_column(ForeignKey("part_request.id"), primary_key=True)
    place: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)
    claimed_by: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    claimed_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class LostDemand(Base):
    """What was refused for want of stock (IS10)."""

    __tablename__ = "lost_demand"

    id: Mapped[str] = mapped_column(primary_key=True)
    refused_at: Mapped[datetime]
    part: Mapped[str]
    quantity: Mapped[int]
    available: Mapped[int]
    customer: Mapped[str | None]
    area: Mapped[str | None]


class PlanPin(Base):
    """A line that only this courier may bring, by a dispatcher's word."""

    __tablename__ = "plan_pin"

    line: Mapped[str] = mapped_column(ForeignKey("request_line.id"), primary_key=True)
    courier: Mapped[str] = mapped_column(ForeignKey("courier.code"))
    reason: Mapped[str | None]
    pinned_by: Mapped[str]
    pinned_at: Mapped[datetime]


class RegionFreeze(Base):
    """A region whose routes stay as they are: what is new is added to them, nothing is moved."""

    __tablename__ = "region_freeze"

    region: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    reason: Mapped[str | None]
    frozen_by: Mapped[str]
    frozen_at: Mapped[datetime]


class ExtraShift(Base):
    """One courier's shift for once, beside those the network keeps."""

    __tablename__ = "extra_shift"

    id: Mapped[str] = mapped_column(primary_key=True)
    courier: Mapped[str] = mapped_column(ForeignKey("courier.code"))
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str | None]
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]


class ExtraOpening(Base):
    """One place opened for once, beside the hours the network keeps."""

    __tablename__ = "extra_opening"

    id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(ForeignKey("place.code"))
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str | None]
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]


class RequestPhoto(Base):
    """A picture of the failure or the work, as we drew it anew; taken away by a mark, its bytes stay."""

    __tablename__ = "request_photo"

    id: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("part_request.id"))
    line: Mapped[str | None] = mapped_column(ForeignKey("request_line.id"))
    media_type: Mapped[str]
    digest: Mapped[str]
    content: Mapped[bytes]
    taken_by: Mapped[str]
    at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str | None]
