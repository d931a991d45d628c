"""Clashes and fixes as answers: instants told on the site's clock, other lines by their request, or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.errors import Fact, Reason
from app.core.http import ReasonOut
from app.core.i18n import Language, text
from app.fulfillment.rules.fixes import Change, Fix, Told
from app.fulfillment.schemas import steering as shapes

Named = Callable[[str], str | None]
"""What another line is called for this asker; None: it is not told."""


def clash_out(told: Told, language: Language, named: Named) -> list[ReasonOut]:
    """The facts that clash, for one asker."""
    return [reason_told(one, language, told.zone, named) for one in told.clash]


def reason_told(reason: Reason, language: Language, zone: str | None, named: Named) -> ReasonOut:
    """A reason whose facts stay as they are and whose text can be read: clock times, and what others are called."""
    seen = seen_by(reason, named)
    words = text(seen.code, clocked(seen.facts, zone), language)
    return ReasonOut(rule=seen.rule, code=seen.code, facts=dict(seen.facts), text=words)


def seen_by(reason: Reason, named: Named) -> Reason:
    """The reason with other lines named as this asker knows them; how many there are stays."""
    jobs = reason.facts.get("jobs")
    if not isinstance(jobs, list):
        return reason
    known = dict.fromkeys(name for job in jobs if (name := named(str(job))) is not None)
    return replace(reason, facts={**reason.facts, "jobs": list(known)})


def clocked(facts: Mapping[str, Fact], zone: str | None) -> dict[str, Fact]:
    """Facts with instants (`…_at`) as times of day in a zone."""
    found = dict(facts)
    for name, value in facts.items():
        if name.endswith("_at") and zone is not None:
            found[name] = (
                [_clock(one, zone) for one in map(str, value)] if isinstance(value, list) else _at(value, zone)
            )
    return found


def _at(value: Fact, zone: str) -> Fact:
    return _clock(value, zone) if isinstance(value, str) else value


def _clock(value: str, zone: str) -> str:
    return f"{datetime.fromisoformat(value).astimezone(ZoneInfo(zone)):%H:%M}"


def fix_out(one: Fix, language: Language, named: Named) -> shapes.FixOut:
    """A fix with each of its changes; `text` says them all."""
    changes = [_change_out(each, language, one.zone, named) for each in one.changes]
    first = changes[0]
    return shapes.FixOut(
        kind=first.kind,
        line=one.line,
        place=first.place,
        part_number=first.part_number,
        courier=first.courier,
        begins_at=first.begins_at,
        ends_at=first.ends_at,
        eta=one.eta,
        late_s=one.late_s,
        gained_s=one.gained_s,
        more_drive_s=one.more_drive_s,
        cost_minor=one.cost_minor,
        harmed=[job for job in one.harmed if named(job) is not None],
        needs_customer=one.needs_customer,
        reason=first.reason,
        text=" ".join(each.reason.text for each in changes),
        changes=changes,
    )


def _change_out(one: Change, language: Language, zone: str | None, named: Named) -> shapes.ChangeOut:
    return shapes.ChangeOut(
        kind=one.kind,  # type: ignore[arg-type]
        place=one.place,
        part_number=one.part_number,
        courier=one.courier,
        begins_at=one.begins_at,
        ends_at=one.ends_at,
        reason=reason_told(one.reason, language, zone, named),
        gives=None
        if one.gives is None
        else shapes.GivingOut(line=one.gives.line, late_s=one.gives.late_s, waits=one.gives.waits),
    )
