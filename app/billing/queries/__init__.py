"""Questions to billing: charges, borne costs, claims, and the checks of its invariants."""

from app.billing.queries.faults import faults
from app.billing.queries.lists import (
    Charges,
    NoSuchCharge,
    NoSuchRecovery,
    borne_costs,
    charge_row,
    charges,
    recoveries,
    recovery,
    recovery_report,
)
from app.billing.queries.periods import period, periods

__all__ = [
    "Charges",
    "NoSuchCharge",
    "NoSuchRecovery",
    "borne_costs",
    "charge_row",
    "charges",
    "faults",
    "period",
    "periods",
    "recoveries",
    "recovery",
    "recovery_report",
]
