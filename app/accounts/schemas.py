"""Accounts on the wire."""

from datetime import datetime

from app.accounts.rules import Role
from app.core.types import Code, Instant, Name, Wire


class KeyIn(Wire):
    """A new key: role, scope (null is everything) and an optional end."""

    name: Name
    role: Role
    customers: list[Code] | None = None
    areas: list[Code] | None = None
    places: list[Code] | None = None
    expires_at: Instant | None = None


class KeyOut(Wire):
    """A key as listed: never its secret."""

    id: str
    prefix: str
    name: str
    role: Role
    customers: list[str] | None
    areas: list[str] | None
    places: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    version: int


class KeyMade(Wire):
    """A key just made; `key` is shown this once."""

    key: str
    details: KeyOut


class KeysOut(Wire):
    items: list[KeyOut]
    next: str | None


class Me(Wire):
    """Who the presented key is."""

    id: str
    name: str
    role: Role
    customers: list[str] | None
    areas: list[str] | None
    places: list[str] | None
