"""Whether a delivery is whose it says: by its raw bytes, its headers and the connection's secrets, nothing else."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from app.integrations.rules.profile import Verify


@dataclass(frozen=True, slots=True)
class Verified:
    """It is theirs, and it is fresh where its time is known."""


@dataclass(frozen=True, slots=True)
class NotVerified:
    """It is not, or it is too old or too far ahead."""

    why: Literal["signature", "stale"]


def verify(
    how: Verify, *, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> Verified | NotVerified:
    """Judge a delivery; `headers` by lower-case name. Any one of the live secrets may be meant."""
    match how.kind:
        case "none":
            return Verified()
        case "token":
            given = headers.get(how.header.lower(), "")
            return _any(_same(given, how.prefix + one) for one in secrets)
        case "basic":
            given = headers.get("authorization", "")
            return _any(_same(given, basic(one)) for one in secrets)
        case "hmac":
            return _signed(how, headers, body, secrets, now)


def basic(user_and_password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(user_and_password.encode()).decode()


def _any(found: Iterable[bool]) -> Verified | NotVerified:
    return Verified() if any(list(found)) else NotVerified("signature")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _signed(
    how: Verify, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> Verified | NotVerified:
    """The signature over the very bytes; then the age, which is only worth asking of what was signed."""
    stamp = headers.get(how.timestamp_header.lower(), "") if how.timestamp_header else ""
    identity = headers.get(how.id_header.lower(), "") if how.id_header else ""
    message = b"".join(
        {"{body}": body, "{timestamp}": stamp.encode(), "{id}": identity.encode()}.get(part, part.encode())
        for part in _parts(how.signed)
    )
    given = headers.get(how.header.lower(), "")
    presented = [one.removeprefix(how.prefix) for one in given.split() if one.startswith(how.prefix)]
    right = any(_same(one, signature(how, secret, message)) for secret in secrets for one in presented)
    if not right:
        return NotVerified("signature")
    if how.timestamp_header is None:
        return Verified()
    at = instant_of(stamp)
    if at is None or abs(at - now) > timedelta(seconds=how.tolerance_s):
        return NotVerified("stale")
    return Verified()


def _parts(signed: str) -> list[str]:
    """`{timestamp}.{body}` as its parts, in order."""
    parts, rest = [], signed
    while rest:
        starts = [at for name in ("{body}", "{timestamp}", "{id}") if (at := rest.find(name)) >= 0]
        first = min(starts, default=len(rest))
        if first:
            parts.append(rest[:first])
        rest = rest[first:]
        if rest:
            end = rest.index("}") + 1
            parts.append(rest[:end])
            rest = rest[end:]
    return parts


def signature(how: Verify, secret: str, message: bytes) -> str:
    """The signature a sender makes by this rule, without its prefix."""
    key = secret.encode()
    if how.key_encoding == "base64":
        bare = secret.removeprefix("whsec_")
        with suppress(ValueError):  # what is no base64 is meant as it stands
            key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    digest = hmac.new(key, message, getattr(hashlib, how.algorithm)).digest()
    return digest.hex() if how.encoding == "hex" else base64.b64encode(digest).decode()


def instant_of(text: str) -> datetime | None:
    """An instant as senders write it: seconds or milliseconds since 1970, or ISO 8601; None if it is neither."""
    given = text.strip()
    try:
        if given.replace(".", "", 1).isdigit() and given.isascii():
            seconds = float(given)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        at = datetime.fromisoformat(given)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
