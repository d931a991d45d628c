"""Were promises kept (C8): each line's commitment judged from its steps, why a late one was late, and what it adds up to.

A promise that was called off before it was due is neither kept nor missed; one that is not due yet is open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.core.errors import Reason
from app.fulfillment.rules.clocks import Hold, Step, holds, joined, judged

Kept = Literal["met", "missed", "canceled", "open"]
TWO_HOURS = timedelta(hours=2)
AGAIN_WITHIN = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """What a line's commitment is judged on: when each step happened first, and the holds of its request and its own."""

    line: str
    kind: Literal["local", "national"]
    received_at: datetime
    due_at: datetime
    picked_at: datetime | None = None
    dispatched_at: datetime | None = None
    handed_at: datetime | None = None
    delivered_at: datetime | None = None
    fitted_at: datetime | None = None
    gone_at: datetime | None = None
    lost_at: datetime | None = None
    failed_delivery_at: datetime | None = None
    failed_delivery: str | None = None
    held: tuple[Step, ...] = ()

    @property
    def kept_at(self) -> datetime | None:
        """Fitted (C1), or handed to a carrier with its waybill, or fitted before that (C2)."""
        if self.kind == "local":
            return self.fitted_at
        return min((one for one in (self.handed_at, self.fitted_at) if one is not None), default=None)

    @property
    def stretches(self) -> list[Hold]:
        return joined([*holds(self.held), *holds(self.held, self.line)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A line's commitment as it stands; `within_two_hours` is None while it could still be, or was called off before."""

    state: Kept
    due_at: datetime
    ended_at: datetime | None
    late_s: int
    within_two_hours: bool | None


def judge(facts: LineFacts, now: datetime) -> Judged:
    """The commitment by its own clock, and by a clock of two hours to the fitting whatever was promised."""
    stretches = facts.stretches
    clock = judged(
        facts.kind, facts.line, facts.received_at, facts.due_at, facts.kept_at, facts.gone_at, stretches, now
    )
    states: dict[str, Kept] = {"met": "met", "breached": "missed", "canceled": "canceled"}
    two = judged(
        "local",
        facts.line,
        facts.received_at,
        facts.received_at + TWO_HOURS,
        facts.fitted_at,
        facts.gone_at,
        stretches,
        now,
    )
    state = states.get(clock.state, "open")
    ended = clock.ended_at
    late = max(0, int(((ended or now) - clock.due_at).total_seconds())) if state == "missed" else 0
    counts = state != "canceled" and two.state in ("met", "breached")
    return Judged(
        state=state,
        due_at=clock.due_at,
        ended_at=ended,
        late_s=late,
        within_two_hours=two.state == "met" if counts else None,
    )


def why_late(facts: LineFacts, due_at: datetime) -> Reason:
    """The step that was missing when a commitment fell due, or what had gone wrong before."""
    if facts.lost_at is not None and facts.lost_at <= due_at:
        return Reason("C8", "late.lost")
    if facts.failed_delivery_at is not None and facts.failed_delivery_at <= due_at:
        return Reason("C8", "late.delivery_failed", {"why": facts.failed_delivery})
    if after(facts.picked_at, due_at):
        return Reason("C8", "late.not_picked")
    if after(facts.dispatched_at, due_at) and after(facts.delivered_at, due_at):
        return Reason("C8", "late.not_sent")
    if facts.kind == "national":
        return Reason("C8", "late.not_handed")
    if after(facts.delivered_at, due_at):
        return Reason("C8", "late.on_the_way")
    return Reason("C8", "late.not_fitted")


def after(step_at: datetime | None, due_at: datetime) -> bool:
    return step_at is None or step_at > due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What lines add up to. Promised lines are those whose promise fell due or was kept; `coverable` those of which it
    is known whether they were fitted within two hours."""

    lines: int
    local_promised: int
    local_met: int
    national_promised: int
    national_met: int
    coverable: int
    covered: int
    missed: int
    canceled: int
    open: int

    @property
    def hit_rate(self) -> float | None:
        """Lines promised 2 h and fitted in time, of those promised 2 h; percent."""
        return percent(self.local_met, self.local_promised)

    @property
    def coverage(self) -> float | None:
        """Lines fitted within 2 h, of all not called off before they were due; percent."""
        return percent(self.covered, self.coverable)

    @property
    def kept(self) -> float | None:
        return percent(self.local_met + self.national_met, self.local_promised + self.national_promised)


def tally(lines: Iterable[tuple[LineFacts, Judged]]) -> Tally:
    every = list(lines)
    due = {
        kind: [one for facts, one in every if facts.kind == kind and one.state in ("met", "missed")]
        for kind in ("local", "national")
    }
    met = {kind: sum(one.state == "met" for one in found) for kind, found in due.items()}
    return Tally(
        lines=len(every),
        local_promised=len(due["local"]),
        local_met=met["local"],
        national_promised=len(due["national"]),
        national_met=met["national"],
        coverable=sum(one.within_two_hours is not None for _, one in every),
        covered=sum(one.within_two_hours is True for _, one in every),
        missed=sum(one.state == "missed" for _, one in every),
        canceled=sum(one.state == "canceled" for _, one in every),
        open=sum(one.state == "open" for _, one in every),
    )


def percent(part: int, whole: int) -> float | None:
    """One decimal place; None of nothing."""
    return round(100 * part / whole, 1) if whole else None
