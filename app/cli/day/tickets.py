"""What the people of the day keep in mind: requests under way, their lines, and what each courier does next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.cli.day.demand import Call
from app.cli.day.facts import Point

FATES = {"nobody_there": "Nobody was there at the first try. ", "lost": "The first part was lost on its way. "}


@dataclass(slots=True, kw_only=True)
class Line:
    """A promised line as the people around it know it."""

    id: str
    label: str
    request: "Ticket"
    part: str
    place: str
    kind: str
    mode: str | None
    carrier: str | None
    handover_at: datetime | None
    state: str = "accepted"
    ended_at: datetime | None = None
    why: str = ""
    misses: bool = False


@dataclass(slots=True, kw_only=True)
class Ticket:
    """A request under way."""

    id: str
    call: Call
    lines: list[Line] = field(default_factory=list)
    departed: bool = False
    arrived: bool = False
    struck: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leg:
    """What one courier does next, as the plan in force says."""

    courier: str
    kind: str
    line: Line
    point: Point
    begins: datetime
    arrives: datetime
    leaves: datetime
    there: bool = False


def told_at_first(line: Mapping[str, Any], ticket: Ticket) -> str:
    """What the promise itself says about a line that no courier brings, or whose way is late from the start."""
    if line["mode"] == "lane":
        far = f"No courier brings {line['source']}'s parts to {ticket.call.area}: by"
        return f"{far if line['commitment']['kind'] == 'local' else 'By'} {line['carrier']} at its next cut-off."
    return " ".join(reason["text"] for reason in line["reasons"] if reason["rule"] == "C7")
