"""The shape of API keys: a prefix that finds the row, 256 random bits that prove it."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

KEY_MARK = "sl"
KEYS_CHANGED = "sparelane_keys"
"""The channel on which it is said that some key no longer counts."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A freshly made key: `text` is shown once, the rest is kept."""

    text: str
    prefix: str
    secret_hash: str


def make_key() -> NewKey:
    """256 random bits under a prefix by which the row is found: `sl_<12>_<43>`."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return NewKey(text=f"{KEY_MARK}_{prefix}_{secret}", prefix=prefix, secret_hash=hash_secret(secret))


def hash_secret(secret: str) -> str:
    """SHA-256: enough for 256 random bits, and quick (passwords get argon2)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def split_key(text: str) -> tuple[str, str] | None:
    """Prefix and secret of a key's text; None if it is not one of ours."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    return (prefix, secret) if mark == KEY_MARK and len(prefix) == 12 and secret else None


def key_counts(
    *, secret: str, secret_hash: str, expires_at: datetime | None, revoked_at: datetime | None, now: datetime
) -> bool:
    """Whether a found key opens the door: right secret (compared in constant time), not expired, not revoked."""
    right = hmac.compare_digest(hash_secret(secret), secret_hash)
    return right and revoked_at is None and (expires_at is None or now < expires_at)
