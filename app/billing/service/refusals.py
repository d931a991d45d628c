"""What billing refuses, by name."""

from app.core.errors import Conflict, Forbidden, Unprocessable


class CurrencyMismatch(Unprocessable):
    """A cost has no stored rate into the currency of the charge (P2), or two currencies meet in one sum (T125)."""

    code = "currency.mismatch"


class OverCredited(Conflict):
    """Credits may not exceed their charge; `open` is what can still be credited (IM5)."""

    code = "charge.over_credited"


class IsCredit(Conflict):
    """A credit cannot be reversed; charge anew instead."""

    code = "charge.is_credit"


class ClaimNotReady(Conflict):
    """The claim's state does not allow the verb; `allowed` says what it would allow."""

    code = "recovery.not_allowed"


class SettledWithNothing(Unprocessable):
    """A settlement names money or what came in kind, one of them."""

    code = "recovery.settled_with_nothing"


class RecoveredTooMuch(Unprocessable):
    """More came back than was claimed."""

    code = "recovery.too_much"


class InTheFuture(Unprocessable):
    """Something cannot have happened after now."""

    code = "occurred_at.future"


class BadPeriod(Unprocessable):
    """Not a month like `2026-10`."""

    code = "period.bad"


class PeriodIsEverybodys(Forbidden):
    """A month is closed for the whole company, by somebody who sees all of it."""

    code = "period.everybodys"


class PeriodRuns(Conflict):
    """A month is closed when it is over."""

    code = "period.still_runs"
