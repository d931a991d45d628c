"""Escalation (C5): what a clock's running time demands, each step exactly once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.fulfillment.rules.clocks import PRIORITIES, Clock, Priority

Level = Literal["warn_50", "warn_80", "breach"]
SHARES: dict[Level, float] = {"warn_50": 0.5, "warn_80": 0.8, "breach": 1.0}


@dataclass(frozen=True, slots=True)
class Escalation:
    """A step that is due: which clock, which level, since when."""

    clock: str
    line: str | None
    level: Level
    due_since: datetime


def due_escalations(found: list[Clock], done: set[tuple[str, str | None, Level]], now: datetime) -> list[Escalation]:
    """The steps that are due at `now` and not yet done. A clock that was met, canceled or stands still asks for none,
    except the breach of one that ended late."""
    due: list[Escalation] = []
    for clock in found:
        for level, share in SHARES.items():
            if (clock.name, clock.line, level) in done:
                continue
            if level == "breach":
                reached = clock.state == "breached"
            else:
                reached = clock.state == "running" and now >= clock.at_share(share)
            if reached:
                due.append(Escalation(clock.name, clock.line, level, clock.at_share(share)))
    return due


def next_look(found: list[Clock], done: set[tuple[str, str | None, Level]], now: datetime) -> datetime | None:
    """The next instant at which an escalation can fall due: now if one has, None if none can (or a hold stops it)."""
    if due_escalations(found, done, now):
        return now
    ahead = [
        clock.at_share(share)
        for clock in found
        if clock.state == "running"
        for level, share in SHARES.items()
        if (clock.name, clock.line, level) not in done
    ]
    return min((max(one, now) for one in ahead), default=None)


def raised(priority: Priority) -> Priority:
    """One level up; an emergency stays one."""
    return PRIORITIES[min(PRIORITIES.index(priority) + 1, len(PRIORITIES) - 1)]
