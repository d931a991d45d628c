"""Making and changing people. Nobody reaches, makes or widens a person who sees more than he or she does."""

from datetime import datetime
from typing import Any

from msgspec import UNSET
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import queries
from app.accounts.models import UserAccount
from app.accounts.rules import ADMIN, SCOPES, Actor, folded_login, wider_scopes
from app.accounts.schemas import UserChange, UserIn, UserOut
from app.core.errors import Conflict, FieldError, Forbidden
from app.core.events import Event, announce
from app.core.http import Expected, check_version
from app.core.ids import new_id

CHANGE = text("""
    UPDATE user_account SET name = :name, role = :role, customers = :customers, areas = :areas, places = :places,
        version = version + 1
    WHERE id = :id
""")
DISABLE = text("UPDATE user_account SET disabled_at = :now, epoch = epoch + 1, version = version + 1 WHERE id = :id")
ENABLE = text("UPDATE user_account SET disabled_at = NULL, version = version + 1 WHERE id = :id")
NEXT_EPOCH = text("UPDATE user_account SET epoch = epoch + 1, version = version + 1 WHERE id = :id")
# Of two admins who disable each other at once, the second finds out that it is the last.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7205759403792795)")


class LoginTaken(Conflict):
    """Another person has this login."""

    code = "user.login_taken"


class LastAdmin(Conflict):
    """Without this one, nobody could make an admin again."""

    code = "user.last_admin"


class WiderThanGiver(Forbidden):
    """Nobody gives away a scope that he or she does not have."""

    code = "user.wider_than_giver"


async def create_user(db: AsyncConnection, *, actor: Actor, new: UserIn, now: datetime) -> UserOut:
    """Make a person, who cannot sign in before a password is set."""
    _need_within(actor, {kind: getattr(new, kind) for kind in SCOPES})
    row = {
        "id": new_id("usr", now), "login": folded_login(new.login), "name": new.name, "role": new.role,
        "customers": new.customers, "areas": new.areas, "places": new.places, "created_at": now,
    }  # fmt: skip
    made = await db.execute(postgresql.insert(UserAccount).on_conflict_do_nothing(index_elements=["login"]), row)
    if not made.rowcount:
        raise LoginTaken(login=new.login, errors=[FieldError("login", "user.login_taken", {"login": new.login})])
    user = await queries.user_by_id(db, actor=actor, user_id=str(row["id"]))
    await announce(db, Event(type="user.created", subject=user.id, data=_told(user)), by=actor, now=now)
    return user


async def change_user(
    db: AsyncConnection, *, actor: Actor, user_id: str, change: UserChange, expected_version: Expected, now: datetime
) -> UserOut:
    """Change name, role or scope; it holds from that person's next request on."""
    await db.execute(ONE_AT_A_TIME)
    before = await _reached(db, actor, user_id, expected_version)
    fields = ("name", "role", *SCOPES)
    row = {name: getattr(before, name) if (given := getattr(change, name)) is UNSET else given for name in fields}
    if row == {name: getattr(before, name) for name in fields}:
        return before
    _need_within(actor, {kind: row[kind] for kind in SCOPES})
    if row["role"] != ADMIN:
        await _keep_an_admin(db, before)
    await db.execute(CHANGE, {"id": user_id, **row})
    return await _announced(db, "user.changed", before=before, actor=actor, now=now)


async def disable_user(
    db: AsyncConnection, *, actor: Actor, user_id: str, expected_version: Expected, now: datetime
) -> UserOut:
    """Lock a person out from the next request on; twice has one effect."""
    await db.execute(ONE_AT_A_TIME)
    before = await _reached(db, actor, user_id, expected_version)
    if before.disabled_at is not None:
        return before
    await _keep_an_admin(db, before)
    await db.execute(DISABLE, {"id": user_id, "now": now})
    return await _announced(db, "user.disabled", before=before, actor=actor, now=now)


async def enable_user(
    db: AsyncConnection, *, actor: Actor, user_id: str, expected_version: Expected, now: datetime
) -> UserOut:
    """Let a person in again, with the password there was; sessions of before stay ended."""
    before = await _reached(db, actor, user_id, expected_version)
    if before.disabled_at is None:
        return before
    await db.execute(ENABLE, {"id": user_id})
    return await _announced(db, "user.enabled", before=before, actor=actor, now=now)


async def end_sessions(
    db: AsyncConnection, *, actor: Actor, user_id: str, expected_version: Expected, now: datetime
) -> UserOut:
    """End all of a person's sessions, who may sign in again."""
    before = await _reached(db, actor, user_id, expected_version)
    await db.execute(NEXT_EPOCH, {"id": user_id})
    return await _announced(db, "user.sessions_ended", before=before, actor=actor, now=now)


async def _reached(db: AsyncConnection, actor: Actor, user_id: str, expected_version: Expected) -> UserOut:
    """The person as he or she stands, locked, at the version that is meant."""
    user = await queries.user_by_id(db, actor=actor, user_id=user_id, locked=True)
    check_version(user.version, expected_version)
    return user


async def _keep_an_admin(db: AsyncConnection, user: UserOut) -> None:
    """Refuse to lose the last enabled admin."""
    if user.role == ADMIN and user.disabled_at is None and not await queries.enabled_admins(db) - {user.id}:
        raise LastAdmin(login=user.login)


async def _announced(db: AsyncConnection, kind: str, *, before: UserOut, actor: Actor, now: datetime) -> UserOut:
    after = await queries.user_by_id(db, actor=actor, user_id=before.id)
    event = Event(type=kind, subject=after.id, version=after.version, data=_told(after), before=_told(before))
    await announce(db, event, by=actor, now=now)
    return after


def _told(user: UserOut) -> dict[str, Any]:
    """What an event says of a person."""
    return {
        "login": user.login, "name": user.name, "role": user.role, "disabled": user.disabled_at is not None,
        "customers": user.customers, "areas": user.areas, "places": user.places,
    }  # fmt: skip


def _need_within(actor: Actor, given: dict[str, list[str] | None]) -> None:
    if wider := wider_scopes(actor, given):
        raise WiderThanGiver(errors=[FieldError(kind, "user.wider_than_giver") for kind in wider])
