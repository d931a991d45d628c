"""Events of a ticket's request as calls into the ticket, by the connection's profile; they go the way webhooks go."""

from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ENGINEER, Actor
from app.core.errors import NotFound
from app.core.i18n import text
from app.fulfillment.api.shapes import request_out
from app.fulfillment.queries.requests import load
from app.integrations.jobs.telling import eta_of, told
from app.integrations.queries.connections import profile_by
from app.integrations.service.fanning import Parcel

ZONE = sql("SELECT timezone FROM site WHERE code = :code")
KNOWN = sql("SELECT known FROM ticket WHERE connection = :connection AND number = :number").columns(known=JSONB)
HOLES = ("text", "link", "eta", "number", "id", "request", "state", "event")


async def ticket_parcels(db: AsyncConnection, *, row: Any, event: Any, public_url: str, now: datetime) -> list[Parcel]:
    """The calls one event makes into one connection's ticket; none where the event is not for it."""
    known = profile_by(row).write_back
    calls = {name: one for name, one in known.items() if any(fnmatchcase(event.type, kind) for kind in one.on)}
    if not calls:
        return []
    if event.type.startswith("ticket."):
        values = await _of_draft(row, event, public_url)
    else:
        values = await _of_request(db, row, event, public_url, now)
    if values is None:
        return []
    ticket = (await db.execute(KNOWN, {"connection": row.system, "number": values["number"]})).scalar_one_or_none()
    values["id"] = (ticket or {}).get("id", values["number"])
    return [
        Parcel(
            endpoint=row.id,
            call=name,
            method=one.method,
            path=filled(one.path, {hole: quote(value, safe="") for hole, value in values.items()}),
            body=msgspec.json.encode(filled_in(one.body, values)),
        )
        for name, one in calls.items()
    ]


async def _of_draft(row: Any, event: Any, public_url: str) -> dict[str, str] | None:
    ticket = event.data.get("ticket") or {}
    if ticket.get("system") != row.system:
        return None
    link = f"{public_url.rstrip('/')}/drafts/{event.subject}" if public_url else ""
    missing = [text(f"told.missing_{one}", {}, row.language) for one in event.data.get("missing") or ()]
    problem = event.data.get("problem")
    if problem:
        missing.append(text(problem["code"], problem.get("facts") or {}, row.language))
    words = text("told.drafted", {"missing": missing, "link": link or event.subject}, row.language)
    return {
        "text": words,
        "link": link,
        "eta": "",
        "number": ticket["number"],
        "request": "",
        "state": "draft",
        "event": event.type,
    }


async def _of_request(
    db: AsyncConnection, row: Any, event: Any, public_url: str, now: datetime
) -> dict[str, str] | None:
    # What a ticket shows, its readers see: told with an engineer's eyes, the customer's price and no cost.
    eyes = Actor(
        id="duty:write_back", name="write_back", role=ENGINEER, customers=_set(row.customers), areas=_set(row.areas)
    )
    whole = Actor(id=eyes.id, name=eyes.name, role="dispatcher", customers=eyes.customers, areas=eyes.areas)
    try:
        loaded = await load(db, actor=whole, request_id=event.subject)
    except NotFound:
        return None
    if loaded.row.ticket_system != row.system or loaded.row.ticket_number is None:
        return None
    shown = request_out(loaded, actor=eyes, language=row.language, now=now)
    zone = str(await db.scalar(ZONE, {"code": shown.site}))
    link = f"{public_url.rstrip('/')}/requests/{shown.id}" if public_url else ""
    return {
        "text": told(event.type, shown, event.data, link=link, zone=zone, language=row.language),
        "link": link,
        "eta": eta_of(shown),
        "number": loaded.row.ticket_number,
        "request": event.subject,
        "state": shown.state,
        "event": event.type,
    }


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


def filled(template: str, values: Mapping[str, str]) -> str:
    """A text with its holes filled in one pass; braces that are no hole of ours stay."""
    parts, rest = [], template
    while rest:
        at, name = min(
            ((found, one) for one in HOLES if (found := rest.find("{" + one + "}")) >= 0), default=(len(rest), "")
        )
        parts.append(rest[:at])
        if not name:
            break
        parts.append(values.get(name, ""))
        rest = rest[at + len(name) + 2 :]
    return "".join(parts)


def filled_in(template: Any, values: Mapping[str, str]) -> Any:
    """A JSON value whose texts have their holes filled."""
    if isinstance(template, dict):
        return {name: filled_in(one, values) for name, one in template.items()}
    if isinstance(template, list):
        return [filled_in(one, values) for one in template]
    return filled(template, values) if isinstance(template, str) else template
