"""What follows an attempt to deliver: when to try again, when to rest, when to give up; and how it is signed."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from standardwebhooks import Webhook

WAITS = tuple(
    timedelta(seconds=one)
    for one in (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600, 24 * 3600)
)
"""Between one try and the next: eleven waits, four days in all; the twelfth failure is the last."""
LONGEST_WAIT = timedelta(hours=24)
RESTS_FROM, LONGEST_REST = 5, timedelta(minutes=5)
GIVEN_UP_AFTER = timedelta(days=3)
HOPELESS, HOPELESS_TRIES = frozenset((400, 404, 405, 409, 410, 422)), 3
SECRET_MARK = "whsec_"  # noqa: S105 - a prefix


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver said 2xx."""


@dataclass(frozen=True, slots=True)
class Again:
    """Not yet: when to try again, and until when the whole endpoint rests."""

    at: datetime
    rests_until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Dead:
    """Tried for days in vain."""

    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """410: the receiver wants nothing more, ever."""


def after_attempt(
    *,
    status: int | None,
    failure: str | None,
    retry_after: str | None,
    tries: int,
    failures: int,
    jitter: float,
    now: datetime,
    ticket: bool = False,
) -> Delivered | Again | Dead | Gone:
    """The decision after the `tries`-th try of this round; `failures` are the endpoint's in a row before it.

    `jitter` lies between -1 and 1 and moves the wait by up to a tenth, so that a crowd does not come back at once. What
    a ticketing system calls wrong or gone concerns that one ticket: it is given up after a few tries, and the
    connection goes on.
    """
    if failure is None and status is not None and 200 <= status < 300:
        return Delivered()
    reason = failure or f"http_{status}"
    if ticket and status in HOPELESS and tries >= HOPELESS_TRIES:
        return Dead(reason)
    if status == 410 and not ticket:
        return Gone()
    asked = wait_asked(retry_after, now) if status in (429, 503) else None
    if tries > len(WAITS):
        return Dead(reason)
    wait = WAITS[tries - 1] * (1 + jitter / 10)
    if asked is not None:
        at = now + max(asked, WAITS[0])
        return Again(at, at, reason)
    rest = None
    if status == 429:
        rest = now + WAITS[0]
    elif failures + 1 >= RESTS_FROM:
        rest = now + min(timedelta(seconds=2 ** min(failures + 1 - RESTS_FROM, 10)), LONGEST_REST)
    return Again(now + wait, rest, reason)


def wait_asked(header: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for, in seconds or as a date (RFC 9110), at most 24 hours; None if it is neither."""
    if header is None:
        return None
    given = header.strip()
    if given.isascii() and given.isdecimal():
        return timedelta(seconds=min(int(given[:12]), int(LONGEST_WAIT.total_seconds())))
    try:
        at = parsedate_to_datetime(given)
    except (ValueError, TypeError, IndexError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(timedelta(0), min(at - now, LONGEST_WAIT))


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it: 32 random bytes."""
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(*, event: str, body: bytes, secret_texts: Sequence[str], now: datetime) -> dict[str, str]:
    """Standard Webhooks' headers for this attempt: the event's id, the present, one signature for each live secret."""
    text = body.decode()
    return {
        "webhook-id": event,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(one).sign(event, now, text) for one in secret_texts),
    }
