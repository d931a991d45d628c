"""What a ticket is told: an event of its request as a few plain sentences, with times in the site's zone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.core.i18n import Language, term, text
from app.fulfillment.schemas import RequestOut


def told(
    event_type: str, shown: RequestOut, facts: Mapping[str, Any], *, link: str, zone: str, language: Language
) -> str:
    """The sentences for one event; the first tells the request's page too, where we know our own address."""
    what = event_type.partition(".")[2]
    given = _facts(shown, facts, zone, language)
    why = str(facts.get("why") or "")
    lines = [text(why, facts, language) if why.startswith("give_way.") else text(f"told.{what}", given, language)]
    if what == "accepted":
        lines.append(text(f"told.promise_{shown.commitment.kind}", given, language))
        covered = shown.entitlement.covered
        lines.append(text("told.covered" if covered else "told.not_covered", given, language))
    if what in ("accepted", "dispatched", "replanned", "answered") and given["eta"] is not None:
        lines.append(text("told.eta", given, language))
    if what == "accepted" and link:
        lines.append(text("told.link", {"link": link}, language))
    return "\n".join(lines)


def _facts(shown: RequestOut, facts: Mapping[str, Any], zone: str, language: Language) -> dict[str, Any]:
    open_lines = [one for one in shown.lines if one.state not in ("canceled", "lost")] or shown.lines
    etas = [one.eta for one in open_lines if one.eta is not None]
    by = open_lines[0]
    return {
        "request": shown.id,
        "parts": [f"{one.supplied_part_number} × {one.quantity}" for one in open_lines],
        "source": sorted({one.source for one in open_lines}),
        "due": _local(shown.commitment.due_at, zone),
        "eta": _local(max(etas), zone) if etas else None,
        "price": f"{shown.price.amount} {shown.price.currency}" if shown.price else "",
        "who": " ".join(one for one in (by.carrier, by.waybill) if one) or by.courier or "",
        "reason": facts.get("reason") or facts.get("note"),
        "priority": term(shown.priority, language),
        "method": facts.get("method"),
        "plan": facts.get("plan"),
    }


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def eta_of(shown: RequestOut) -> str:
    """The latest expected time of the open lines, ISO 8601; empty if there is none."""
    etas = [one.eta for one in shown.lines if one.eta is not None and one.state not in ("canceled", "lost")]
    return max(etas).isoformat() if etas else ""
