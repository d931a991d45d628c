"""Billing's shapes on the wire."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from app.core.http import ReasonOut
from app.core.types import Amount, Code, Currency, Instant, MoneyOut, Name, Wire


class MoneyIn(Wire):
    amount: Amount
    currency: Currency


class PriceOut(Wire):
    """`amount` is gross."""

    amount: str
    currency: str
    net: str
    tax: str


class ChargeOut(Wire):
    """A charge, or a credit on one (`reverses`, with negative amounts). `cost` is for finance and admin alone."""

    id: str
    request: str
    line: str
    customer: str
    contract: str | None
    device_serial: str | None
    part_number: str
    quantity: int
    price: PriceOut
    cost: MoneyOut | None
    reasons: list[ReasonOut]
    verdict: str | None
    reverses: str | None
    reason: str | None
    period: str
    made_at: datetime


class ChargesOut(Wire):
    items: list[ChargeOut]
    next: str | None


class ReverseIn(Wire):
    """Without an amount (gross): all that is not credited yet."""

    reason: Name
    amount: MoneyIn | None = None
    occurred_at: Instant | None = None


class BorneOut(Wire):
    id: str
    request: str
    line: str | None
    customer: str
    contract: str | None
    kind: str
    payer: str
    amount: MoneyOut
    reverses: str | None
    note: str | None
    period: str
    occurred_at: datetime


class BorneListOut(Wire):
    items: list[BorneOut]
    next: str | None


class RecoveryOut(Wire):
    id: str
    request: str
    line: str | None
    customer: str
    contract: str | None
    device_serial: str | None
    payer: str
    state: str
    amount: MoneyOut
    recovered: MoneyOut
    in_kind: str | None
    evidence: dict[str, Any]
    claim_number: str | None
    reason: str | None
    opened_at: datetime
    filed_at: datetime | None
    decided_at: datetime | None
    settled_at: datetime | None
    due_at: datetime | None
    age_days: int
    version: int


class RecoveriesOut(Wire):
    items: list[RecoveryOut]
    next: str | None


class FileIn(Wire):
    claim_number: Code | None = None
    due_at: Instant | None = None
    occurred_at: Instant | None = None


class AcceptIn(Wire):
    occurred_at: Instant | None = None


class RejectIn(Wire):
    reason: Name
    occurred_at: Instant | None = None


class SettleIn(Wire):
    """Settled with money, or in kind (`in_kind` names the replacement received, worth the claim)."""

    amount: MoneyIn | None = None
    in_kind: Name | None = None
    occurred_at: Instant | None = None


class RecoverySum(Wire):
    """Claims of one payer in one state: how many, how old, what they are worth and what leaked to us."""

    payer: str
    state: str
    currency: str
    claims: int
    oldest_days: Annotated[int, Meta(ge=0)]
    amount: str
    recovered: str
    leaked: str


class RecoveryReportOut(Wire):
    items: list[RecoverySum]


class PeriodSum(Wire):
    """What a month adds up to in one currency: charges less credits, and what was borne."""

    currency: str
    net: str
    tax: str
    gross: str
    borne: str


class PeriodOut(Wire):
    period: str
    closed_at: datetime | None
    closed_by: str | None
    sums: list[PeriodSum]


class PeriodsOut(Wire):
    items: list[PeriodOut]
    next: str | None


class FieldChange(Wire):
    """One field in which a new verdict differs."""

    field: str
    before: Any
    after: Any


class AmountChange(Wire):
    """What a line costs the customer before and after a revision, gross."""

    line: str
    request: str
    before: str
    after: str
    currency: str


class RevisionOut(Wire):
    """What a verdict would become, or became: `verdict` is the new one's id once it is accepted (W12)."""

    verdict: str | None
    supersedes: str
    covered: bool
    changes: list[FieldChange]
    amounts: list[AmountChange]
    outcome: dict[str, Any]
