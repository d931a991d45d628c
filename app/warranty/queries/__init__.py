"""What is asked of the warranty's tables: facts for decisions (facts), answers for people (answers), checks (checks)."""

from app.warranty.queries.answers import check_serials, device, devices, events, verdict, warranty
from app.warranty.queries.checks import faults
from app.warranty.queries.facts import (
    DeviceFacts,
    FailureFacts,
    NoSuchDevice,
    PartNotOfDevice,
    PositionAmbiguous,
    failure_facts,
)

__all__ = [
    "DeviceFacts",
    "FailureFacts",
    "NoSuchDevice",
    "PartNotOfDevice",
    "PositionAmbiguous",
    "check_serials",
    "device",
    "devices",
    "events",
    "failure_facts",
    "faults",
    "verdict",
    "warranty",
]
