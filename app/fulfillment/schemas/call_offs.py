"""Call-offs on the wire: what a partner is asked for, and the answer."""

from datetime import datetime
from typing import Literal

from app.core.types import Instant, Text, Wire

CallOffState = Literal["open", "confirmed", "declined", "expired", "withdrawn"]


class CallOffConfirmIn(Wire):
    """The partner gives the pieces; `available_at` where they are ready only later."""

    available_at: Instant | None = None
    note: Text | None = None


class CallOffDeclineIn(Wire):
    """The partner does not give them."""

    note: Text | None = None


class CallOffOut(Wire):
    """A partner or supplier is asked to confirm reported stock for a line. `link` opens the page on which it answers
    without signing in; only those who may pass it on see it."""

    id: str
    request: str
    line: str
    place: str
    part_number: str
    quantity: int
    state: CallOffState
    asked_at: datetime
    answer_due_at: datetime
    answered_at: datetime | None
    answered_by: str | None
    available_at: datetime | None
    note: str | None
    link: str | None
    version: int


class CallOffsOut(Wire):
    items: list[CallOffOut]
    next: str | None
