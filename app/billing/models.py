"""Billing's tables: charges and borne costs (append-only), and recoveries. Amounts are minor units of `currency`."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Charge(Base):
    """What a customer pays for issued pieces, or a credit on it (`reverses`). Never changed (P6)."""

    __tablename__ = "charge"

    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    request: Mapped[str]
    line: Mapped[str]
    reservations: Mapped[list[str]] = mapped_column(ARRAY(Text))
    customer: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    contract: Mapped[str | None] = mapped_column(ForeignKey("contract.number"))
    device_serial: Mapped[str | None]
    area: Mapped[str | None]
    part: Mapped[str] = mapped_column(ForeignKey("part.number"))
    quantity: Mapped[int]
    currency: Mapped[str]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    gross_minor: Mapped[int]
    cost_minor: Mapped[int]
    terms: Mapped[dict[str, Any]]
    pieces: Mapped[list[Any]]
    reasons: Mapped[list[Any]]
    verdict: Mapped[str | None]
    reverses: Mapped[str | None] = mapped_column(ForeignKey("charge.id"))
    credit_number: Mapped[int | None]
    charged_minor: Mapped[int | None]
    credited_minor: Mapped[int | None]
    reason: Mapped[str | None]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    recorded_at: Mapped[datetime]
    period: Mapped[date]


class BorneCost(Base):
    """What a job cost the company, by who pays for it (P1); a reversal has the opposite sign."""

    __tablename__ = "borne_cost"

    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    kind: Mapped[str]
    request: Mapped[str]
    line: Mapped[str | None]
    reservations: Mapped[list[str]] = mapped_column(ARRAY(Text))
    customer: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    contract: Mapped[str | None] = mapped_column(ForeignKey("contract.number"))
    device_serial: Mapped[str | None]
    quantity: Mapped[int]
    payer: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    verdict: Mapped[str | None]
    reverses: Mapped[str | None] = mapped_column(ForeignKey("borne_cost.id"))
    note: Mapped[str | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    period: Mapped[date]


class Recovery(Base):
    """A claim on an OEM for one borne cost (P7)."""

    __tablename__ = "recovery"

    id: Mapped[str] = mapped_column(primary_key=True)
    borne: Mapped[str] = mapped_column(ForeignKey("borne_cost.id"), unique=True)
    request: Mapped[str]
    line: Mapped[str | None]
    customer: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    contract: Mapped[str | None] = mapped_column(ForeignKey("contract.number"))
    device_serial: Mapped[str | None]
    payer: Mapped[str]
    state: Mapped[str]
    amount_minor: Mapped[int]
    recovered_minor: Mapped[int] = mapped_column(server_default="0")
    currency: Mapped[str]
    in_kind: Mapped[str | None]
    evidence: Mapped[dict[str, Any]]
    claim_number: Mapped[str | None]
    reason: Mapped[str | None]
    opened_at: Mapped[datetime]
    filed_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class BillingPeriod(Base):
    """A month (its first day) that was closed: it takes no more entries (IM7)."""

    __tablename__ = "billing_period"

    period: Mapped[date] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    closed_by: Mapped[str]
