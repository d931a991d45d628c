"""The engineer's words for causes, steps, events and holds, and how instants are told. English is the message id."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

CAUSE: Mapping[str, str] = {
    "undetermined": "not known yet",
    "defect": "defect of the part",
    "wear": "wear",
    "material": "material",
    "software": "software",
    "installation": "how it was installed",
    "commissioning": "how it was set up",
    "customer": "the customer",
    "force_majeure": "force majeure",
}
FOUND: Mapping[str, str] = {"use": "in use", "opening": "on opening the box"}
BAD: Mapping[str, str] = {
    "general": "now and then, use is not affected",
    "severe": "often, business is affected",
    "emergency": "unusable, business stands still",
}
METHOD: Mapping[str, str] = {"remote": "remotely", "on_site": "on site", "parts": "by sending the part"}
OLD_PART: Mapping[str, str] = {"return": "comes back to us", "kept": "stays with the customer"}
LINE: Mapping[str, str] = {
    "waiting": "waits for stock",
    "accepted": "to pick",
    "awaiting_consent": "awaits consent to the price",
    "picked": "picked",
    "packed": "packed",
    "dispatched": "on the way",
    "delivered": "delivered",
    "fitted": "fitted, to confirm",
    "confirmed": "running again",
    "canceled": "canceled",
    "lost": "lost",
}
DONE: Mapping[str, str] = {
    "accepted": "accepted",
    "answered": "answered",
    "departed": "set out",
    "arrived": "on site",
    "diagnosed": "diagnosed",
    "not_normal": "does not run yet",
    "held": "put on hold",
    "resumed": "hold ended",
    "priority_changed": "priority changed",
    "consented": "customer agreed to the price",
    "picked": "picked",
    "packed": "packed",
    "dispatched": "handed over",
    "delivered": "delivered",
    "delivery_failed": "could not be delivered",
    "fitted": "fitted",
    "confirmed": "runs again, confirmed",
    "canceled": "canceled",
    "lost": "lost on its way",
    "resourced": "sent anew from another place",
    "gave_way": "gave way to a higher priority",
    "noted": "note",
    "photographed": "photo added",
    "photo_removed": "photo removed",
    "cost_recorded": "cost recorded",
    "escalated": "escalated",
    "annotated": "kept after all, shown by an earlier step",
}
EVENT: Mapping[str, str] = {
    "accepted": "system accepted",
    "component_installed": "part installed",
    "component_replaced": "part replaced",
    "device_replaced": "whole device swapped",
    "operation_confirmed": "runs normally, confirmed",
    "extended": "warranty extended",
    "voided": "warranty void",
    "transferred": "moved to another site",
    "corrected": "corrected",
}


def full_time(instant: datetime, zone: str) -> str:
    """An instant with its day on a site's wall clock: `2026-11-22 14:05`."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def for_field(instant: datetime, zone: str) -> str:
    """The same as a `datetime-local` field takes it."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
