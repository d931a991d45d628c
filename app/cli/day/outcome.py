"""What became of each promised line, and the figures of a day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One promised line: fitted (local) or handed over (national) at `ended_at`, None if not by the day's end.

    `why` is the reason of a miss, in words.
    """

    call: int
    part: str
    site: str
    area: str
    priority: str
    kind: str
    received_at: datetime
    due_at: datetime
    ended_at: datetime | None
    day_ends: datetime
    why: str = ""

    @property
    def kept(self) -> bool:
        """Met iff at or before due."""
        return self.ended_at is not None and self.ended_at <= self.due_at

    @property
    def late_s(self) -> int:
        """Seconds past due, up to the day's end for what was never done."""
        return max(0, round(((self.ended_at or self.day_ends) - self.due_at).total_seconds()))

    @property
    def lead_s(self) -> int:
        """Seconds from the call to the end."""
        return round(((self.ended_at or self.day_ends) - self.received_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A played day: its lines, what was refused for want of stock, seconds driven, answers given in time."""

    outcomes: tuple[Outcome, ...]
    refused: int
    canceled: int
    driven_s: int

    def some(self, which: Callable[[Outcome], bool]) -> tuple[int, int]:
        """Promised and kept among some lines."""
        chosen = [one for one in self.outcomes if which(one)]
        return len(chosen), sum(one.kept for one in chosen)

    @property
    def kept_percent(self) -> float:
        promised, kept = self.some(lambda one: True)
        return 100 * kept / promised if promised else 100.0

    @property
    def mean_late_min(self) -> float:
        """Mean lateness over all promised lines, on time counted as 0."""
        return sum(one.late_s for one in self.outcomes) / 60 / max(1, len(self.outcomes))

    @property
    def p95_lead_min(self) -> float:
        """Of local lines: the time within which 95 of 100 were fitted."""
        leads = sorted(one.lead_s for one in self.outcomes if one.kind == "local")
        return percentile(leads, 0.95) / 60

    @property
    def driven_hours(self) -> float:
        return self.driven_s / 3600


def percentile(values: Sequence[int], share: float) -> int:
    """The smallest value that at least `share` of the sorted values do not exceed; 0 for none."""
    return values[max(0, ceil(share * len(values)) - 1)] if values else 0
