"""Clocks (C4, C6): pure functions of the terms and the recorded steps. Nothing here is stored that could not be derived."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

Priority = Literal["general", "severe", "emergency"]
PRIORITIES: tuple[Priority, ...] = ("general", "severe", "emergency")
GONE = ("canceled", "lost", "resourced")
"""Steps after which a line is promised no more: given up, or replaced by another line under the same commitment."""
ClockState = Literal["running", "paused", "met", "breached", "canceled"]
ClockName = Literal["answer", "depart", "on_site", "done", "local", "national"]


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded step of the journey, whole request (line None) or one line."""

    verb: str
    occurred_at: datetime
    line: str | None = None
    priority: Priority | None = None
    method: str | None = None
    by_carrier: bool = False


@dataclass(frozen=True, slots=True)
class LineCommitment:
    """A line's commitment as recorded at acceptance; `ended` when the line was canceled or lost and replaced."""

    line: str
    kind: Literal["local", "national"]
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ClockMinutes:
    """C4's minutes of one priority; None where there is no such clock."""

    answer: int | None
    depart: int | None
    on_site: int | None
    done: int | None
    done_after_arrival: int | None


@dataclass(frozen=True, slots=True)
class Timing:
    """All that the clocks of a request rest on."""

    priority: Priority
    received_at: datetime
    minutes: Mapping[Priority, ClockMinutes]
    lines: tuple[LineCommitment, ...]
    appointment_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock as it stands: due and state; `ended_at` is when it was met, or canceled."""

    name: ClockName
    line: str | None
    started_at: datetime
    due_at: datetime
    state: ClockState
    paused_s: int = 0
    ended_at: datetime | None = None

    def seconds_left(self, now: datetime) -> int:
        """Whole seconds to the deadline (negative after it); 0 for a clock that has ended."""
        return int((self.due_at - now).total_seconds()) if self.state in ("running", "paused", "breached") else 0

    def at_share(self, share: float) -> datetime:
        """The instant at which a share of the promised time has run."""
        return self.due_at - (self.due_at - self.started_at) * (1 - share)


@dataclass(frozen=True, slots=True)
class Hold:
    """A stretch in which the clocks stood still; `until` None while it is open."""

    since: datetime
    until: datetime | None


def holds(steps: Iterable[Step], line: str | None = None) -> list[Hold]:
    """The holds of a request, or of one of its lines alone, from the held and resumed steps (C6)."""
    found: list[Hold] = []
    for step in sorted((one for one in steps if one.line == line), key=lambda one: one.occurred_at):
        if step.verb == "held" and (not found or found[-1].until is not None):
            found.append(Hold(step.occurred_at, None))
        elif step.verb == "resumed" and found and found[-1].until is None:
            found[-1] = Hold(found[-1].since, step.occurred_at)
    return found


def all_lines_held(steps: Iterable[Step], lines: Iterable[str], now: datetime) -> list[Hold]:
    """The stretches in which every line still open stood still: then the service around them stands still too."""
    each = [holds(steps, line) for line in lines]
    if not each:
        return []
    edges = sorted({at for found in each for hold in found for at in (hold.since, hold.until or now) if at <= now})
    common = [
        Hold(since, until)
        for since, until in pairwise(edges)
        if all(any(one.since <= since and (one.until or now) >= until for one in found) for found in each)
    ]
    if common and common[-1].until == now and all(found and found[-1].until is None for found in each):
        common[-1] = Hold(common[-1].since, None)
    if not common and all(found and found[-1].until is None for found in each):
        common = [Hold(max(found[-1].since for found in each), None)]
    return common


def clocks(timing: Timing, steps: Iterable[Step], now: datetime) -> list[Clock]:
    """Every clock of a request as it stands at `now`: C4's first, then each line's C1 or C2."""
    ordered = sorted((step for step in steps if step.occurred_at <= now), key=lambda one: one.occurred_at)
    common = holds(ordered)
    open_lines = [one.line for one in timing.lines if _first(ordered, GONE, one.line) is None]
    service = joined([*common, *all_lines_held(ordered, open_lines, now)])
    found = [
        judged(name, None, start, due, _ended(name, ordered, timing), _canceled(name, ordered, timing), service, now)
        for name, start, due in _service_clocks(timing, ordered, now)
    ]
    for one in timing.lines:
        end = _kept(ordered, one)
        gone = _first(ordered, GONE, one.line)
        stretches = joined([*common, *holds(ordered, one.line)])
        found.append(judged(one.kind, one.line, timing.received_at, one.due_at, end, gone, stretches, now))
    return found


def joined(found: list[Hold]) -> list[Hold]:
    """Stretches that overlap or touch, as one; what is open has no end."""
    joined: list[Hold] = []
    for hold in sorted(found, key=lambda one: one.since):
        last = joined[-1] if joined else None
        if last is not None and (last.until is None or hold.since <= last.until):
            until = None if last.until is None or hold.until is None else max(last.until, hold.until)
            joined[-1] = Hold(last.since, until)
        else:
            joined.append(hold)
    return joined


def _kept(steps: list[Step], line: LineCommitment) -> datetime | None:
    """When a line's commitment was kept: fitted (C1), or handed to a carrier with its waybill (C2), or fitted before."""
    fitted = _first(steps, ("fitted",), line.line)
    if line.kind == "local":
        return fitted
    handed = [
        step.occurred_at for step in steps if step.verb == "dispatched" and step.by_carrier and step.line == line.line
    ]
    return min([*handed[:1], *([fitted] if fitted else [])], default=None)


def _service_clocks(timing: Timing, steps: list[Step], now: datetime) -> list[tuple[ClockName, datetime, datetime]]:
    """Name, start and nominal due of C4's clocks; a raised priority shortens them from its moment, never lengthens."""
    raised = [(timing.received_at, timing.priority)]
    raised += [(step.occurred_at, step.priority) for step in steps if step.verb == "priority_changed" and step.priority]
    arrived = _first(steps, ("arrived",), None)
    rows: list[tuple[ClockName, datetime, datetime]] = []
    for name in ("answer", "depart", "on_site", "done"):
        dues = [due for at, level in raised if (due := _due(name, timing, level, at, arrived, now)) is not None]
        if dues:
            current = _due(name, timing, raised[-1][1], raised[-1][0], arrived, now)
            lowered = len(raised) > 1 and PRIORITIES.index(raised[-1][1]) < PRIORITIES.index(raised[-2][1])
            rows.append((name, timing.received_at, current if lowered and current is not None else min(dues)))
    return rows


def _due(
    name: ClockName, timing: Timing, level: Priority, start: datetime, arrived: datetime | None, now: datetime
) -> datetime | None:
    minutes = timing.minutes[level]
    if name == "done" and minutes.done_after_arrival is not None:
        # Before arrival nobody can be late with what begins at arrival; being late to arrive is *on_site*'s breach.
        reached = arrived or max(start + timedelta(minutes=minutes.on_site or 0), now)
        return reached + timedelta(minutes=minutes.done_after_arrival)
    span = {"answer": minutes.answer, "depart": minutes.depart, "on_site": minutes.on_site, "done": minutes.done}[name]
    if span is None:
        return None
    if level == "general" and timing.appointment_at is not None and name in ("on_site", "done"):
        agreed = timing.appointment_at if name == "on_site" else timing.appointment_at + timedelta(minutes=span)
        return max(agreed, start + timedelta(minutes=span)) if name == "done" else agreed
    return start + timedelta(minutes=span)


def _ended(name: ClockName, steps: list[Step], timing: Timing) -> datetime | None:
    match name:
        case "answer":
            return _first(steps, ("answered",), None)
        case "depart":
            return _first(steps, ("departed",), None)
        case "on_site":
            return _first(steps, ("arrived",), None)
        case _:
            loaner = _first(steps, ("loaner_working",), None)
            open_lines = [one.line for one in timing.lines if _first(steps, GONE, one.line) is None]
            ends = [_first(steps, ("confirmed",), line) for line in open_lines]
            done = max((end for end in ends if end), default=None) if ends and all(ends) else None
            return min((one for one in (loaner, done) if one), default=None)


def _canceled(name: ClockName, steps: list[Step], timing: Timing) -> datetime | None:
    """On-site clocks exist only where somebody goes; all end with the last line."""
    gone = [_first(steps, GONE, one.line) for one in timing.lines]
    if gone and all(gone):
        return max(one for one in gone if one)
    if name in ("depart", "on_site"):
        answers = [step for step in steps if step.verb == "answered"]
        if answers and answers[-1].method in ("remote", "parts"):
            return answers[-1].occurred_at
    return None


def _first(steps: list[Step], verbs: tuple[str, ...], line: str | None) -> datetime | None:
    for step in steps:
        if step.verb in verbs and (line is None or step.line in (line, None)):
            return step.occurred_at
    return None


def judged(
    name: ClockName,
    line: str | None,
    start: datetime,
    due: datetime,
    ended: datetime | None,
    canceled: datetime | None,
    stretches: list[Hold],
    now: datetime,
) -> Clock:
    """The clock's due with its holds, and its state: met iff ended at or before due (IK5); a breach stays."""
    paused = timedelta()
    open_hold = False
    for hold in stretches:
        since = max(hold.since, start)
        if since > due + paused or (ended is not None and since >= ended):
            continue  # a hold after the breach or the end stops nothing (C6)
        until = min(hold.until or now, now, ended or now)
        paused += max(until - since, timedelta())
        open_hold = hold.until is None
    due += paused
    paused_s = int(paused.total_seconds())
    state: ClockState
    if ended is not None and (canceled is None or ended <= canceled):
        state, end = ("met" if ended <= due else "breached"), ended
    elif canceled is not None:
        state, end = ("canceled" if canceled <= due else "breached"), canceled
    elif now > due and not open_hold:
        state, end = "breached", None
    else:
        state, end = ("paused" if open_hold else "running"), None
    return Clock(name, line, start, due, state, paused_s, end)


def plan_deadline(found: Iterable[Clock], line: str) -> datetime | None:
    """The earliest due clock that still needs the part: the line's own and *done* (domain, C4)."""
    needing = [one.due_at for one in found if one.ended_at is None and (one.line == line or one.name == "done")]
    return min(needing, default=None)
