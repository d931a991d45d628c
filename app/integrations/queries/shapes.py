"""The shape of each event type, as a JSON Schema: what surrounds it, and the API's own shape inside."""

from typing import Any

import msgspec

from app.billing.schemas import ChargeOut, RecoveryOut
from app.fulfillment.schemas import RequestOut
from app.integrations.rules.catalog import SCHEMA_VERSION, EventType
from app.integrations.schemas import EndpointOut, WebhookEvent
from app.warranty.schemas import VerdictOut, WarrantyOut

CARRIED: dict[str, Any] = {
    "part_request": RequestOut,
    "verdict": VerdictOut,
    "charge": ChargeOut,
    "recovery": RecoveryOut,
    "warranty": WarrantyOut,
    "endpoint": EndpointOut,
    "facts": None,
}


def event_schema(kind: EventType) -> dict[str, Any]:
    """One type's schema, whole in itself."""
    inner = CARRIED[kind.carries]
    types = [WebhookEvent] if inner is None else [WebhookEvent, inner]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    outer = components.pop("WebhookEvent")
    properties = outer["properties"] | {
        "type": {"const": kind.name},
        "schema_version": {"const": SCHEMA_VERSION},
        "data": {"type": "null"} if inner is None else schemas[1],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.name,
        "description": kind.words,
        **{name: one for name, one in outer.items() if name not in ("title", "description", "properties")},
        "properties": properties,
        "$defs": components,
    }
