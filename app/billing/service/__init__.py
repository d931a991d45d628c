"""Billing's verbs: quote, charge an issue, credit, bear costs, claim them back. Nobody here commits or reads the clock."""

from app.billing.service.charges import Job, asked_cost, costs_of, quote, reverse_charge
from app.billing.service.costs import Billed, charge_issue, credit_return, record_cost, reverse_line
from app.billing.service.periods import close_period
from app.billing.service.recoveries import (
    accept_recovery,
    expire_due,
    file_recovery,
    open_line_claims,
    open_recovery,
    reject_recovery,
    settle_recovery,
)
from app.billing.service.refusals import (
    BadPeriod,
    ClaimNotReady,
    CurrencyMismatch,
    InTheFuture,
    IsCredit,
    OverCredited,
    PeriodRuns,
    RecoveredTooMuch,
    SettledWithNothing,
)

__all__ = [
    "BadPeriod",
    "Billed",
    "ClaimNotReady",
    "CurrencyMismatch",
    "InTheFuture",
    "IsCredit",
    "Job",
    "OverCredited",
    "PeriodRuns",
    "RecoveredTooMuch",
    "SettledWithNothing",
    "accept_recovery",
    "asked_cost",
    "charge_issue",
    "close_period",
    "costs_of",
    "credit_return",
    "expire_due",
    "file_recovery",
    "open_line_claims",
    "open_recovery",
    "quote",
    "record_cost",
    "reject_recovery",
    "reverse_charge",
    "reverse_line",
    "settle_recovery",
]
