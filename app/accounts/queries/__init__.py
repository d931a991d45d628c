"""Questions about keys, people and tries to sign in."""

from app.accounts.queries.keys import NoSuchKey, actor_behind, actor_of_key, key_by_id, key_row, keys
from app.accounts.queries.people import (
    Credentials,
    NoSuchUser,
    credentials_by_id,
    credentials_by_login,
    enabled_admins,
    user_by_id,
    user_by_login,
    users,
)
from app.accounts.queries.tries import tries_of

__all__ = [
    "Credentials",
    "NoSuchKey",
    "NoSuchUser",
    "actor_behind",
    "actor_of_key",
    "credentials_by_id",
    "credentials_by_login",
    "enabled_admins",
    "key_by_id",
    "key_row",
    "keys",
    "tries_of",
    "user_by_id",
    "user_by_login",
    "users",
]
