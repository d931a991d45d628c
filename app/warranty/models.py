"""The warranty's tables: installations, the serials that stand in them, their events, materialized cover, verdicts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Installation(Base):
    """What a device and its successors share (W13); `version` is the seq of its latest event."""

    __tablename__ = "installation"

    id: Mapped[str] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(ForeignKey("contract.number"))
    customer: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    model: Mapped[str] = mapped_column(ForeignKey("model.code"))
    site: Mapped[str] = mapped_column(ForeignKey("site.code"))
    sites: Mapped[list[str]] = mapped_column(ARRAY(Text))
    serial: Mapped[str] = mapped_column(ForeignKey("device.serial"))
    first_serial: Mapped[str] = mapped_column(ForeignKey("device.serial"))
    delivered_on: Mapped[date | None]
    accepted_on: Mapped[date | None]
    oem_last_day: Mapped[date | None]
    terms: Mapped[dict[str, Any]]
    terms_frozen_at: Mapped[datetime | None]
    positions: Mapped[list[Any]]
    calendar_version: Mapped[str | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="0")


class Device(Base):
    """One serial; `ordinal` counts the successors in an installation from 1."""

    __tablename__ = "device"

    serial: Mapped[str] = mapped_column(primary_key=True)
    installation: Mapped[str] = mapped_column(ForeignKey("installation.id"))
    ordinal: Mapped[int]
    installed_on: Mapped[date | None]
    replaced_on: Mapped[date | None]
    created_at: Mapped[datetime]


class WarrantyEvent(Base):
    """The append-only history of an installation on two axes of time (W10)."""

    __tablename__ = "warranty_event"

    installation: Mapped[str] = mapped_column(ForeignKey("installation.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    serial: Mapped[str] = mapped_column(ForeignKey("device.serial"))
    type: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]
    actor: Mapped[str]
    corrects: Mapped[str | None] = mapped_column(ForeignKey("warranty_event.id"))


class Coverage(Base):
    """For every day the whole answer of a position, as known now; derived from the events."""

    __tablename__ = "coverage"

    installation: Mapped[str] = mapped_column(ForeignKey("installation.id"), primary_key=True)
    position: Mapped[str] = mapped_column(primary_key=True)
    valid: Mapped[Range[date]] = mapped_column(DATERANGE, primary_key=True)
    status: Mapped[str]
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    payer: Mapped[str | None]
    restarted: Mapped[bool] = mapped_column(Boolean)
    provisional: Mapped[bool] = mapped_column(Boolean)


class Verdict(Base):
    """A verdict with everything it rests on (W12); never edited, at most one supersedes it."""

    __tablename__ = "verdict"

    id: Mapped[str] = mapped_column(primary_key=True)
    installation: Mapped[str | None] = mapped_column(ForeignKey("installation.id"))
    device_serial: Mapped[str | None] = mapped_column(ForeignKey("device.serial"))
    customer: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    subject: Mapped[str | None]
    cause: Mapped[str]
    inputs: Mapped[dict[str, Any]]
    outcome: Mapped[dict[str, Any]]
    outcome_hash: Mapped[str]
    rule_version: Mapped[str]
    calendar_version: Mapped[str | None]
    supersedes: Mapped[str | None] = mapped_column(ForeignKey("verdict.id"))
    given_at: Mapped[datetime]
    given_by: Mapped[str]
