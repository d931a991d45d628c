"""The verdict as people see it: one big word, until when, who pays, how many days are left, and why.

Everybody's pages show it: devices, requests, verdicts, finance. Values in, finished views out; templates/verdict.html.
The picture of the whole life beneath it is made in life.py.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from app.core.http import ReasonOut
from app.core.i18n import text
from app.warranty.queries.lives import Life
from app.web.render import Words

Tone = Literal["covered", "cost", "waiting", "replaced", "void"]
TONE: Mapping[str, Tone] = {
    "covered": "covered",
    "expired": "cost",
    "not_started": "waiting",
    "replaced": "replaced",
    "void": "void",
}
WORD: Mapping[Tone, str] = {
    "covered": "Covered",
    "cost": "At cost",
    "waiting": "Not started",
    "replaced": "Replaced",
    "void": "Void",
}
LATELY_DAYS = 90
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
PAYS: Mapping[str, str] = {
    "oem": "the OEM pays",
    "oem_service": "the OEM's service contract pays",
    "vendor": "we pay",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """One rule of the answer, in words."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer: `until` says up to or since when, `payer` who pays, `left` how many days; empty where there is
    nothing to say. `on` is the day that was judged."""

    tone: Tone
    word: str
    until: str
    payer: str
    left: str
    on: str
    notes: tuple[str, ...]
    why: tuple[Because, ...]


def verdict_of(
    *,
    status: str,
    first_day: date | None,
    last_day: date | None,
    payer: str | None,
    on: date,
    say: Words,
    reasons: Iterable[ReasonOut] = (),
    provisional: bool = False,
    today: date | None = None,
) -> Verdict:
    """A state of the warranty as its big word with the dates."""
    tone = TONE[status]
    return Verdict(
        tone=tone,
        word=say(WORD[tone]),
        until=_until(status, first_day, last_day, say),
        payer=_payer(status, payer, say),
        left=_left(status, last_day, on, say) if today in (None, on) else "",
        on=on.isoformat(),
        notes=(say("provisional"),) if provisional else (),
        why=because(reasons, say),
    )


def stored_verdict(outcome: Mapping[str, Any], reasons: Iterable[ReasonOut], say: Words) -> Verdict:
    """A verdict on a failure as it was given: covered or at cost, whatever the state of the cover alone would say."""
    held = outcome["coverage"]
    first, last = (date.fromisoformat(held[one]) if held[one] else None for one in ("first_day", "last_day"))
    status = held["status"]
    tone: Tone = "covered" if outcome["covered"] else "cost"
    notes = []
    if outcome["provisional"]:
        notes.append(say("provisional"))
    if not outcome["covered"] and status == "covered":
        notes.append(say("within the warranty, but its cause is not covered"))
    if outcome.get("late_notice"):
        notes.append(say("reported late: finance decides"))
    return Verdict(
        tone=tone,
        word=say(WORD[tone]),
        until=_until(status, first, last, say),
        payer=_payer("covered" if outcome["covered"] else "expired", outcome["payer"], say),
        left="",
        on=held["on"],
        notes=tuple(notes),
        why=because(reasons, say),
    )


def because(reasons: Iterable[ReasonOut], say: Words) -> tuple[Because, ...]:
    """Reasons for people: an instant among their facts is told on the clock of the zone beside it."""
    return tuple(Because(rule=one.rule, text=text(one.code, readable(one.facts), say.language)) for one in reasons)


def readable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts whose instants are told on the clock of the zone beside them."""
    zone = ZoneInfo(str(facts.get("zone") or "UTC"))
    found = dict(facts)
    for name, value in facts.items():
        if isinstance(value, str) and INSTANT.match(value):
            found[name] = f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M}"
    return found


def device_verdict(life: Life, reasons: Iterable[ReasonOut], say: Words) -> Verdict:
    """A device at a glance."""
    state = life.warranty.device
    return verdict_of(
        status=state.status,
        first_day=state.first_day,
        last_day=state.last_day,
        payer=state.payer,
        on=life.warranty.on,
        say=say,
        reasons=reasons,
        provisional=life.warranty.provisional,
        today=life.today,
    )


def _until(status: str, first: date | None, last: date | None, say: Words) -> str:
    if status == "covered" and last:
        return say("to {day}", day=last.isoformat())
    if status == "expired" and last:
        return say("ended on {day}", day=last.isoformat())
    if status == "not_started":
        return say("from {day}", day=first.isoformat()) if first else say("starts the day after acceptance")
    if status == "void" and last:
        return say("last covered day {day}", day=last.isoformat())
    return ""


def _payer(status: str, payer: str | None, say: Words) -> str:
    if payer is not None:
        return say(PAYS[payer])
    if status in ("expired", "void"):
        return say("the customer pays the part at our cost; work and transport are free")
    return ""


def _left(status: str, last: date | None, on: date, say: Words) -> str:
    if last is None or status not in ("covered", "expired"):
        return ""
    days = (last - on).days
    if status == "expired":
        return say("{days} days ago", days=-days) if days > -LATELY_DAYS else ""
    return say("{days} days left", days=days) if days else say("today is the last day")
