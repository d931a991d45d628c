"""The states of a line and the verbs that move it; a request's state follows from its lines'."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a line stands (api.md). `waiting`: a higher priority took its pieces and nothing is held until some are free."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    AWAITING_CONSENT = "awaiting_consent"
    PICKED = "picked"
    PACKED = "packed"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    FITTED = "fitted"
    CONFIRMED = "confirmed"
    CANCELED = "canceled"
    LOST = "lost"


class Verb(StrEnum):
    """What moves a line."""

    CONSENT = "consent"
    PICK = "pick"
    UNPICK = "unpick"
    PACK = "pack"
    DISPATCH = "dispatch"
    DELIVER = "deliver"
    FIT = "fit"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    DELIVERY_FAILED = "delivery-failed"
    RETURN_UNUSED = "return-unused"
    LOST = "lost"


S, V = State, Verb
MOVES: dict[Verb, dict[State, State]] = {
    V.CONSENT: {S.AWAITING_CONSENT: S.ACCEPTED},
    V.PICK: {S.ACCEPTED: S.PICKED},
    V.UNPICK: {S.PICKED: S.ACCEPTED},
    V.PACK: {S.PICKED: S.PACKED},
    V.DISPATCH: {S.PICKED: S.DISPATCHED, S.PACKED: S.DISPATCHED},
    V.DELIVER: {S.DISPATCHED: S.DELIVERED},
    V.FIT: {S.DISPATCHED: S.FITTED, S.DELIVERED: S.FITTED},
    V.CONFIRM: {S.FITTED: S.CONFIRMED},
    V.CANCEL: {
        S.WAITING: S.CANCELED,
        S.ACCEPTED: S.CANCELED,
        S.AWAITING_CONSENT: S.CANCELED,
        S.PICKED: S.CANCELED,
        S.PACKED: S.CANCELED,
    },
    V.DELIVERY_FAILED: {S.DISPATCHED: S.PACKED},
    V.RETURN_UNUSED: {S.PICKED: S.CANCELED, S.PACKED: S.CANCELED, S.DISPATCHED: S.CANCELED, S.DELIVERED: S.CANCELED},
    V.LOST: {S.PICKED: S.LOST, S.PACKED: S.LOST, S.DISPATCHED: S.LOST, S.DELIVERED: S.LOST},
}
ENDED = frozenset((S.CONFIRMED, S.CANCELED, S.LOST))
HELD = frozenset((S.ACCEPTED, S.AWAITING_CONSENT))
"""States in which stock is reserved but not issued."""
ISSUED = frozenset((S.PICKED, S.PACKED, S.DISPATCHED, S.DELIVERED, S.FITTED))
ORDER = (
    S.WAITING,
    S.AWAITING_CONSENT,
    S.ACCEPTED,
    S.PICKED,
    S.PACKED,
    S.DISPATCHED,
    S.DELIVERED,
    S.FITTED,
    S.CONFIRMED,
)


@dataclass(frozen=True, slots=True)
class Moved:
    """The verb is allowed and leads here."""

    to: State


@dataclass(frozen=True, slots=True)
class NotNow:
    """The verb is not allowed in this state; these are."""

    state: State
    allowed: list[str]


def move(state: State, verb: Verb) -> Moved | NotNow:
    """Where a verb leads from a state, or what the state would allow instead."""
    to = MOVES[verb].get(state)
    return NotNow(state, allowed_in(state)) if to is None else Moved(to)


def allowed_in(state: State) -> list[str]:
    """The verbs that a state allows, in the journey's order."""
    return [verb.value for verb in Verb if state in MOVES[verb]]


def request_state(lines: Iterable[State]) -> State:
    """A request stands where its least advanced open line stands; ended lines count only when all have ended."""
    states = list(lines)
    open_ones = [one for one in states if one not in ENDED]
    if open_ones:
        return min(open_ones, key=ORDER.index)
    if S.CONFIRMED in states:
        return S.CONFIRMED
    return S.LOST if S.LOST in states else S.CANCELED
