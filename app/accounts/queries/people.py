"""Questions about people. Whoever sees less than a person does not see that person: it could be used to see more."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor, folded_login
from app.accounts.schemas import UserOut, UsersOut
from app.core import keyset
from app.core.errors import NotFound

COLUMNS = """
    id, login, name, role, customers, areas, places, language, password_hash IS NOT NULL AS has_password, must_change,
    created_at, disabled_at, version
"""
WITHIN = """
    (CAST(:scope_customers AS text[]) IS NULL OR customers <@ CAST(:scope_customers AS text[]))
    AND (CAST(:scope_areas AS text[]) IS NULL OR areas <@ CAST(:scope_areas AS text[]))
    AND (CAST(:scope_places AS text[]) IS NULL OR places <@ CAST(:scope_places AS text[]))
"""
BY_ID = text(f"SELECT {COLUMNS} FROM user_account WHERE id = :id AND {WITHIN}")
BY_ID_LOCKED = text(f"SELECT {COLUMNS} FROM user_account WHERE id = :id AND {WITHIN} FOR UPDATE")
BY_LOGIN = text(f"SELECT {COLUMNS} FROM user_account WHERE login = :login AND {WITHIN}")
LIST = text(f"""
    SELECT {COLUMNS} FROM user_account
    WHERE {WITHIN} AND (CAST(:after AS text) IS NULL OR id > CAST(:after AS text)) ORDER BY id LIMIT :limit
""")
CREDENTIALS = "SELECT id, login, password_hash, epoch, must_change FROM user_account"
CREDENTIALS_BY_LOGIN = text(f"{CREDENTIALS} WHERE login = :login AND disabled_at IS NULL")
CREDENTIALS_BY_ID = text(f"{CREDENTIALS} WHERE id = :id AND disabled_at IS NULL")
ENABLED_ADMINS = text("SELECT id FROM user_account WHERE role = 'admin' AND disabled_at IS NULL")


class NoSuchUser(NotFound):
    """No such person that this asker may see."""

    code = "user.not_found"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves an enabled person, and the epoch in which a sign-in counts."""

    id: str
    login: str
    password_hash: str | None = field(repr=False)
    epoch: int
    must_change: bool


async def user_by_id(db: AsyncConnection, *, actor: Actor, user_id: str, locked: bool = False) -> UserOut:
    """A person; `locked` keeps the row as it is until the transaction ends."""
    statement = BY_ID_LOCKED if locked else BY_ID
    row = (await db.execute(statement, {"id": user_id, **actor.scope})).one_or_none()
    if row is None:
        raise NoSuchUser(id=user_id)
    return _out(row)


async def user_by_login(db: AsyncConnection, *, actor: Actor, login: str) -> UserOut:
    row = (await db.execute(BY_LOGIN, {"login": folded_login(login), **actor.scope})).one_or_none()
    if row is None:
        raise NoSuchUser(id=login)
    return _out(row)


async def users(db: AsyncConnection, *, actor: Actor, cursor: str | None, limit: int | None) -> UsersOut:
    """All people whom the actor may see, oldest account first."""
    rows, after = await keyset.page_by_text(db, LIST, actor.scope, key="id", cursor=cursor, limit=limit)
    return UsersOut(items=[_out(row) for row in rows], next=after)


async def credentials_by_login(db: AsyncConnection, *, login: str) -> Credentials | None:
    """What proves the enabled person with this login, if there is one."""
    if not login.isprintable():  # NUL and halves of letters are nobody's, and no text of the database's
        return None
    return _credentials((await db.execute(CREDENTIALS_BY_LOGIN, {"login": folded_login(login)})).one_or_none())


async def credentials_by_id(db: AsyncConnection, *, user_id: str) -> Credentials | None:
    return _credentials((await db.execute(CREDENTIALS_BY_ID, {"id": user_id})).one_or_none())


async def enabled_admins(db: AsyncConnection) -> set[str]:
    """The ids of all admins who may sign in."""
    return set((await db.execute(ENABLED_ADMINS)).scalars())


def _credentials(row: Any) -> Credentials | None:
    return None if row is None else Credentials(**row._mapping)


def _out(row: Any) -> UserOut:
    return msgspec.convert({name: getattr(row, name) for name in UserOut.__struct_fields__}, UserOut)
