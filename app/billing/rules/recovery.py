"""How a claim on an OEM moves (P7): open → filed → accepted, rejected or expired → settled; the rest is ours."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.billing.rules.pricing import Payer
from app.core.money import Money


class State(StrEnum):
    OPEN = "open"
    FILED = "filed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SETTLED = "settled"


class Verb(StrEnum):
    FILE = "file"
    ACCEPT = "accept"
    REJECT = "reject"
    EXPIRE = "expire"
    SETTLE = "settle"


MOVES: dict[tuple[State, Verb], State] = {
    (State.OPEN, Verb.FILE): State.FILED,
    (State.OPEN, Verb.EXPIRE): State.EXPIRED,
    (State.FILED, Verb.ACCEPT): State.ACCEPTED,
    (State.FILED, Verb.REJECT): State.REJECTED,
    (State.FILED, Verb.EXPIRE): State.EXPIRED,
    (State.ACCEPTED, Verb.SETTLE): State.SETTLED,
}


@dataclass(frozen=True, slots=True)
class Moved:
    state: State


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The state does not allow the verb; what it would allow."""

    allowed: tuple[Verb, ...]


def move(state: State, verb: Verb) -> Moved | NotAllowed:
    """One step of a claim. Rejected, expired and settled are final."""
    if (state, verb) in MOVES:
        return Moved(MOVES[state, verb])
    return NotAllowed(tuple(allowed for start, allowed in MOVES if start == state))


@dataclass(frozen=True, slots=True)
class Claim:
    payer: Payer


@dataclass(frozen=True, slots=True)
class NoClaim:
    """Why nothing is claimed: a stable code."""

    because: str


def decide_claim(*, covered: bool, payer: Payer | None, cause_settled: bool) -> Claim | NoClaim:
    """Each free replacement is claimed from its payer; not where we are the payer or the cause is still open (P7)."""
    if not covered:
        return NoClaim("claim.not_covered")
    if payer is None or payer == Payer.VENDOR:
        return NoClaim("claim.vendor_pays")
    if not cause_settled:
        return NoClaim("claim.cause_open")
    return Claim(payer)


def unrecovered(claimed: Money, recovered: Money) -> Money:
    """What moves to the vendor: never less than nothing, whatever came in (P7)."""
    return Money(max(0, (claimed + -recovered).minor), claimed.currency)


def age_days(opened_at: datetime, now: datetime) -> int:
    """Whole days a claim is old, for the ageing report."""
    return (now - opened_at).days
