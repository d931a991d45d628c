"""How far a request is: its clocks, the one that decides in front, and the stages of its journey."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.clocks import Clock
from app.fulfillment.rules.states import ENDED
from app.web.board import clock_view, stands
from app.web.engineer.known import Known, part_told
from app.web.engineer.words import full_time
from app.web.queries import OpenRequest
from app.web.render import Words
from app.web.views import ClockView
from app.web.words import CLOCK, PROMISE, STANDING, ms

STAGES = ("accepted", "picked", "dispatched", "delivered", "fitted", "confirmed")
STAGE: Mapping[str, str] = {
    "accepted": "accepted",
    "picked": "picked",
    "dispatched": "on the way",
    "delivered": "delivered",
    "fitted": "fitted",
    "confirmed": "running again",
}
REACHED = (
    "waiting",
    "awaiting_consent",
    "accepted",
    "picked",
    "packed",
    "dispatched",
    "delivered",
    "fitted",
    "confirmed",
)
OUTCOME: Mapping[str, str] = {
    "met": "kept",
    "breached": "missed",
    "canceled": "no longer needed",
    "running": "running",
    "paused": "on hold",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of the journey: done at an instant, being there now, or still to come."""

    word: str
    at: str
    done: bool
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedClock:
    """A promise that ran out, one way or the other."""

    word: str
    outcome: str
    kept: bool
    at: str


def clocks_told(loaded: Loaded, found: Sequence[Clock], known: Known) -> tuple[ClockView | None, tuple[ClockView, ...]]:
    """The clock that decides, drawn large, and the others that still run, by their deadlines."""
    if all(line.state in ENDED for line in loaded.lines):
        return None, ()
    request = OpenRequest(
        row=Placed(loaded.row, known.where.timezone), lines=loaded.lines, seen=loaded.lines, steps=loaded.steps
    )
    clocks, lead = stands(request, known.frame)
    view = clock_view(request.row, lead, clocks, known.frame)
    others = [
        one for one in found if one.ended_at is None and (one.name, one.line) != (lead.clock.name, lead.clock.line)
    ]
    shown = view if lead.clock.ended_at is None else None
    return shown, tuple(single(one, loaded, known) for one in sorted(others, key=lambda one: one.due_at))


class Placed:
    """A request's row with the time zone of its site."""

    def __init__(self, row: Any, zone: str) -> None:
        self._row, self.timezone = row, zone

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


def single(one: Clock, loaded: Loaded, known: Known) -> ClockView:
    """A clock by itself: no plan stands against it."""
    frame, zone = known.frame, known.where.timezone
    left = (one.due_at - frame.now).total_seconds()
    whole = (one.due_at - one.started_at).total_seconds()
    standing: Any = "paused" if one.state == "paused" else "late" if left < 0 else "risk" if left < 600 else "ok"
    spare = ""
    if one.line is not None and len(loaded.lines) > 1:
        spare = next((part_told(line, known.names) for line in loaded.lines if line.id == one.line), "")
    return ClockView(
        standing=standing,
        word=frame.say(STANDING[standing]),
        promise=frame.say(PROMISE[one.name], at=frame.at(one.due_at, zone)),
        left=("−" if left < 0 else "") + frame.span(left),
        share=max(0, min(100, round(100 * left / whole))) if whole > 0 else 0,
        due_ms=ms(one.due_at),
        started_ms=ms(one.started_at),
        ticking=one.state != "paused",
        spare=spare,
        marks=(),
    )


def ended_clock(one: Clock, known: Known) -> EndedClock:
    at = known.frame.at(one.ended_at or one.due_at, known.where.timezone)
    word, outcome = known.frame.say(CLOCK[one.name]), known.frame.say(OUTCOME[one.state])
    return EndedClock(word=word, outcome=outcome, kept=one.state != "breached", at=at)


def stages_of(loaded: Loaded, zone: str, say: Words) -> tuple[Stage, ...]:
    """How far the least advanced line is."""
    if loaded.row.state in ("canceled", "lost"):
        return ()
    reached = max(REACHED.index(loaded.row.state), REACHED.index("accepted"))
    times: dict[str, datetime] = {}
    for step in loaded.steps:
        times[step.verb] = max(step.occurred_at, times.get(step.verb, step.occurred_at))
    stages = []
    for name in STAGES:
        done = REACHED.index(name) <= reached
        at = times.get(name)
        stages.append(
            Stage(word=say(STAGE[name]), at=full_time(at, zone)[11:] if done and at else "", done=done, here=False)
        )
    last = max((at for at, one in enumerate(stages) if one.done), default=None)
    if last is None:
        return tuple(stages)
    here = stages[last]
    stages[last] = Stage(word=here.word, at=here.at, done=True, here=True)
    return tuple(stages)
