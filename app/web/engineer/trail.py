"""The steps of a request in words: what was recorded, when it happened, when it was recorded, and by whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.i18n import term
from app.fulfillment.queries.requests import Loaded
from app.web.engineer.known import Known, part_told
from app.web.engineer.words import DONE, METHOD, full_time
from app.web.render import Words
from app.web.words import CLOCK, LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailRow:
    """A recorded step."""

    what: str
    words: str
    at: str
    recorded: str
    by: str


def trail_row(step: Any, loaded: Loaded, known: Known) -> TrailRow:
    """A step in words: what, details, when it happened and, where later, when it was recorded."""
    say, zone = known.frame.say, known.where.timezone
    at, recorded = full_time(step.occurred_at, zone), full_time(step.recorded_at, zone)
    words = list(details_told(step.details, known, say))
    if step.line is not None and len(loaded.lines) > 1:
        words.insert(0, next((part_told(one, known.names) for one in loaded.lines if one.id == step.line), ""))
    return TrailRow(
        what=say(DONE[step.verb]) if step.verb in DONE else step.verb,
        words=" · ".join(one for one in words if one),
        at=at,
        recorded=recorded if recorded != at else "",
        by=known.people.get(step.actor, step.actor),
    )


def details_told(details: Mapping[str, Any], known: Known, say: Words) -> Iterable[str]:
    """The details of a step that say something to people."""
    if method := details.get("method"):
        yield say(METHOD[method]) if method in METHOD else str(method)
    for name in ("plan", "findings", "text", "by", "waybill", "fitted_serial"):
        if details.get(name):
            yield str(details[name])
    if planned := details.get("planned_at"):
        yield full_time(datetime.fromisoformat(planned), known.where.timezone)
    for name in ("reason", "priority", "cause"):
        if details.get(name):
            yield str(term(details[name], say.language))
    if clock := details.get("clock"):
        yield say(CLOCK[clock]) if clock in CLOCK else str(clock)
    if level := details.get("level"):
        yield say(LEVEL[level]) if level in LEVEL else str(term(level, say.language))
    for name in ("courier", "carrier"):
        if details.get(name):
            yield known.names.get(details[name], str(details[name]))
    if pieces := details.get("pieces"):
        yield ", ".join(pieces)
    if restarted := details.get("restarted"):
        yield say("warranty started anew: {positions}", positions=restarted)
    if details.get("note"):
        yield str(details["note"])
