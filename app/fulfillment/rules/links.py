"""Links that stand for a signature: whoever holds one may answer one call-off until the link expires."""

import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256


def signed(call_off: str, expires_at: datetime, *, secret: str) -> str:
    """The token of a call-off's link: its id, the second it expires at, and the signature over both."""
    told = f"{call_off}.{int(expires_at.timestamp())}"
    return f"{told}.{_signature(told, secret)}"


def opened(token: str, *, secret: str, now: datetime) -> str | None:
    """The call-off that a token opens; None if it was not signed by us or has expired."""
    told, _, given = token.rpartition(".")
    call_off, _, until = told.rpartition(".")
    if not hmac.compare_digest(given.encode(), _signature(told, secret).encode()):
        return None
    return call_off if now <= datetime.fromtimestamp(int(until), UTC) else None


def _signature(told: str, secret: str) -> str:
    return urlsafe_b64encode(hmac.digest(secret.encode(), told.encode(), sha256)).rstrip(b"=").decode()
