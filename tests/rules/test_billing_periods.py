"""Accounting months at their edges (IM7)."""

from datetime import UTC, date, datetime

from app.billing.rules.periods import Closable, StillRuns, following, may_close, period_for

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


def test_a_month_follows_the_year_s_end() -> None:
    assert (following(NOVEMBER), following(DECEMBER)) == (DECEMBER, date(2027, 1, 1))


def test_T126_an_entry_goes_into_the_first_open_month_from_its_own() -> None:
    at = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    assert period_for(at, []) == OCTOBER
    assert period_for(at, [OCTOBER, NOVEMBER]) == DECEMBER
    assert period_for(at, [NOVEMBER]) == OCTOBER


def test_a_month_is_closed_when_it_is_over() -> None:
    assert may_close(OCTOBER, datetime(2026, 11, 1, tzinfo=UTC)) == Closable(OCTOBER)
    assert may_close(OCTOBER, datetime(2026, 10, 31, 23, 59, tzinfo=UTC)) == StillRuns(OCTOBER)
