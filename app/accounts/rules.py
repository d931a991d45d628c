"""Who may do and see what, as plain decisions; and the shape of API keys."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Role = Literal["admin", "dispatcher", "warehouse", "engineer", "finance", "integration"]
ADMIN: Role = "admin"
DISPATCHER: Role = "dispatcher"
WAREHOUSE: Role = "warehouse"
ENGINEER: Role = "engineer"
FINANCE: Role = "finance"
INTEGRATION: Role = "integration"
ROLES: tuple[Role, ...] = (ADMIN, DISPATCHER, WAREHOUSE, ENGINEER, FINANCE, INTEGRATION)

KEY_MARK = "sl"
KEYS_CHANGED = "sparelane_keys"
"""The channel on which it is said that some key no longer counts."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a role and a scope. None in a scope means all; a set limits to its members."""

    id: str
    name: str
    role: Role
    customers: frozenset[str] | None = None
    areas: frozenset[str] | None = None
    places: frozenset[str] | None = None
    request_id: str = ""

    @property
    def scope(self) -> dict[str, Any]:
        """The scope as bind parameters, for `(CAST(:scope_customers AS text[]) IS NULL OR customer = ANY(…))`."""
        return {
            "scope_customers": _listed(self.customers),
            "scope_areas": _listed(self.areas),
            "scope_places": _listed(self.places),
        }

    @property
    def sees_cost(self) -> bool:
        """Lot cost and borne cost are finance's and the admin's (P: who sees what)."""
        return self.role in (FINANCE, ADMIN)

    @property
    def sees_price(self) -> bool:
        """The customer's price; the warehouse sees none (reliability, threat model)."""
        return self.role != WAREHOUSE

    def may_see_customer(self, customer: str | None) -> bool:
        return self.customers is None or customer in self.customers

    def may_see_area(self, area: str | None) -> bool:
        return self.areas is None or area in self.areas

    def may_see_place(self, place: str | None) -> bool:
        return self.places is None or place in self.places


def _listed(scope: frozenset[str] | None) -> list[str] | None:
    return None if scope is None else sorted(scope)


def duty_actor(name: str) -> Actor:
    """The actor behind a background duty: sees all, is named in the audit as what it is."""
    return Actor(id=f"duty:{name}", name=name, role=ADMIN, request_id=f"duty:{name}")


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
