"""Accounting months: which one an entry belongs to, and which may be closed (IM7). Months are their first day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime


def month_of(instant: datetime) -> date:
    """The month an instant lies in, by UTC."""
    return instant.astimezone(UTC).date().replace(day=1)


def following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def period_for(happened_at: datetime, closed: Collection[date]) -> date:
    """The month an entry is booked in: its own, or the first open one after it (T126)."""
    month = month_of(happened_at)
    while month in closed:
        month = following(month)
    return month


@dataclass(frozen=True, slots=True)
class Closable:
    month: date


@dataclass(frozen=True, slots=True)
class StillRuns:
    """A month can be closed when it is over."""

    month: date


def may_close(month: date, now: datetime) -> Closable | StillRuns:
    return Closable(month) if month < month_of(now) else StillRuns(month)
