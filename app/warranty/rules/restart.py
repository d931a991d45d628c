"""When a replaced part's warranty starts anew (W4), as one decision over plain facts."""

from dataclasses import dataclass
from datetime import date

from app.warranty.rules.events import Cause
from app.warranty.rules.terms import DAY, Calendar, Terms, final_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What W4 asks about one replaced position; the last three are false for an ordinary running warranty."""

    key: bool
    cause: Cause
    system_stopped: bool
    replaced_on: date | None
    operation_confirmed_on: date | None
    cover_ended: bool = False
    void: bool = False
    not_started: bool = False


@dataclass(frozen=True, slots=True)
class Restart:
    """The new interval: first and last day inclusive; provisional while the cause is open or a calendar unpublished."""

    anchor: date
    first_day: date
    last_day: date
    provisional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoRestart:
    """The conditions that do not hold, in the order of the clause."""

    because: tuple[str, ...]


def conditions(replacement: Replacement, terms: Terms) -> tuple[tuple[str, bool], ...]:
    """The five conditions of W4, and the three in which there is no warranty that could run anew."""
    return (
        ("not_key", replacement.key),
        ("customer_cause", replacement.cause != "customer"),
        ("system_ran", replacement.system_stopped),
        ("not_replaced", replacement.replaced_on is not None),
        ("not_confirmed", replacement.operation_confirmed_on is not None),
        ("cover_ended", terms.restart_after_expiry or not replacement.cover_ended),
        ("void", not replacement.void),
        ("not_started", not replacement.not_started),
    )


def restart_after(replacement: Replacement, terms: Terms, calendar: Calendar | None = None) -> Restart | NoRestart:
    """W4: a key part whose failure stopped the system, not by the customer, runs anew once it works again.

    The anchor is the day of confirmation, the term the contract's full `months` without extensions.
    """
    missing = tuple(condition for condition, holds in conditions(replacement, terms) if not holds)
    anchor = replacement.operation_confirmed_on
    if missing or anchor is None:
        return NoRestart(missing)
    end = final_day(anchor, terms.months, terms, calendar)
    open_cause = ("cause",) if replacement.cause == "undetermined" else ()
    return Restart(anchor, anchor + DAY, end.day, open_cause + (("calendar",) if end.provisional else ()))
