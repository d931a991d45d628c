"""Words for webhooks: how an endpoint stands, what became of a delivery, and why it failed. English is the message id."""

from collections.abc import Mapping

from app.integrations.rules.catalog import TYPES
from app.integrations.schemas import EndpointOut
from app.web.admin.event_words import EVENT
from app.web.render import Words
from app.web.views import Standing

HOOK: Mapping[str, str] = {
    "healthy": "healthy",
    "failing": "failing, tried again",
    "gone": "off: it answered 410, gone",
    "gave_up": "off: it failed for days",
    "key_ended": "off: its key ended",
    "off": "switched off",
}
HOOK_STANDING: Mapping[str, Standing] = {
    "healthy": "ok",
    "failing": "late",
    "gone": "paused",
    "gave_up": "paused",
    "key_ended": "paused",
    "off": "paused",
}
OFF_BECAUSE: Mapping[str, str] = {"gone": "gone", "failing": "gave_up", "key_ended": "key_ended"}
HOOK_SQL = """CASE WHEN e.state = 'disabled' AND e.disabled_reason = 'gone' THEN 'gone'
    WHEN e.state = 'disabled' AND e.disabled_reason = 'failing' THEN 'gave_up'
    WHEN e.state = 'disabled' AND e.disabled_reason = 'key_ended' THEN 'key_ended'
    WHEN e.state = 'disabled' THEN 'off' WHEN e.failing_since IS NOT NULL THEN 'failing' ELSE 'healthy' END"""
DELIVERY: Mapping[str, str] = {
    "pending": "waits",
    "delivered": "delivered",
    "dead": "given up",
    "canceled": "canceled",
}
DELIVERY_STANDING: Mapping[str, Standing] = {
    "pending": "paused",
    "delivered": "ok",
    "dead": "late",
    "canceled": "paused",
}
WHY: Mapping[str, str] = {
    "timeout": "no answer within 15 seconds",
    "connection": "no connection",
    "broken_answer": "the answer broke off",
    "answer_too_long": "the answer was too long",
    "refused_address": "the address is not allowed",
    "refused_unresolved": "the host has no address",
    "refused_scheme": "plain HTTP is not allowed",
    "endpoint_disabled": "the webhook was switched off",
    "endpoint_deleted": "the webhook was deleted",
    "unserializable": "it could not be told",
}
EVENT_TYPE: Mapping[str, str] = {one: EVENT[one] for one in TYPES}
"""The types that a webhook may be told."""


def hook_state(one: EndpointOut) -> str:
    """How an endpoint stands, by the same rule as the list's SQL."""
    if one.state == "disabled":
        return OFF_BECAUSE.get(one.disabled_reason or "", "off")
    return "healthy" if one.failing_since is None else "failing"


def why(code: str | None, say: Words) -> str:
    """Why a try failed; a status, or a code without words, stands for itself."""
    if code is None:
        return ""
    return say(WHY[code]) if code in WHY else code.removeprefix("http_")
