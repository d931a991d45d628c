"""The warranty's work: registering devices, appending what happened to them, giving verdicts."""

from app.warranty.service.history import append_event, follow_calendar, import_events, settle_open_causes
from app.warranty.service.registration import accept_contract, import_devices, register_device
from app.warranty.service.verdicts import (
    Given,
    Revision,
    basis_unchanged,
    give_verdict,
    judge,
    revise,
    settle_cause,
    settle_open_verdicts,
    supersede,
)

__all__ = [
    "Given",
    "Revision",
    "accept_contract",
    "append_event",
    "basis_unchanged",
    "follow_calendar",
    "give_verdict",
    "import_devices",
    "import_events",
    "judge",
    "register_device",
    "revise",
    "settle_cause",
    "settle_open_causes",
    "settle_open_verdicts",
    "supersede",
]
