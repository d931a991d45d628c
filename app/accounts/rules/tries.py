"""How often one may try to sign in: ten failures for a login from one address in 15 minutes, fifty for an address."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)
MOST_BY_LOGIN, MOST_BY_ADDRESS = 10, 50
UNDER_WAY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries within the window: those begun (failed or still under way), those failed, and when the oldest was."""

    begun: int
    failed: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class MayTry:
    """The next try may be made."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before this instant. `guessing`: for failures, not for tries that are still under way."""

    until: datetime
    guessing: bool


def decide_try(*, by_login: Tries, by_address: Tries, now: datetime) -> MayTry | Wait:
    """Whether one more may be tried. Tries under way count, so that fifty at once are not fifty guesses."""
    waits = [_judged(by_login, MOST_BY_LOGIN, now), _judged(by_address, MOST_BY_ADDRESS, now)]
    longest = max((one for one in waits if one is not None), key=lambda one: one.until, default=None)
    return longest or MayTry()


def _judged(tries: Tries, most: int, now: datetime) -> Wait | None:
    if tries.failed >= most and tries.oldest is not None:
        return Wait(until=tries.oldest + WINDOW, guessing=True)
    if tries.begun >= most:
        return Wait(until=now + UNDER_WAY, guessing=False)
    return None


def address_bucket(address: str | None) -> str:
    """What counts as one address: an IPv6 user has a whole /64, of which any address is as good as another."""
    try:
        known = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        known = known.ipv4_mapped or known
    return str(known) if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))
