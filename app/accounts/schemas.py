"""Accounts on the wire."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from app.accounts.rules import PersonRole, Role
from app.core.i18n import Language
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


class UserIn(Wire):
    """A new person: role and scope (null is everything). A password comes with `password-reset`."""

    login: Code
    name: Name
    role: PersonRole
    customers: list[Code] | None = None
    areas: list[Code] | None = None
    places: list[Code] | None = None


class UserChange(Wire):
    """What is to change of a person; what is left out stays. A scope of null is everything."""

    name: Name | UnsetType = UNSET
    role: PersonRole | UnsetType = UNSET
    customers: list[Code] | UnsetType | None = UNSET
    areas: list[Code] | UnsetType | None = UNSET
    places: list[Code] | UnsetType | None = UNSET


class UserOut(Wire):
    """A person as listed. `has_password` is false until one is set; `must_change` while it is a one-time password."""

    id: str
    login: str
    name: str
    role: PersonRole
    customers: list[str] | None
    areas: list[str] | None
    places: list[str] | None
    language: Language | None
    has_password: bool
    must_change: bool
    created_at: datetime
    disabled_at: datetime | None
    version: int


class PasswordReset(Wire):
    """A one-time password; shown this once. Whoever signs in with it chooses a password first."""

    one_time_password: str
    details: UserOut


class UsersOut(Wire):
    items: list[UserOut]
    next: str | None
