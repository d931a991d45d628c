"""Passwords, and the language that a person reads. One's own is chosen by oneself; a one-time password by an admin."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import queries
from app.accounts.rules import Actor, HashedPassword, password_faults
from app.accounts.schemas import PasswordReset, UserOut
from app.core.errors import Unprocessable
from app.core.events import Event, announce
from app.core.http import Expected, check_version
from app.core.i18n import Language

SET = text("""
    UPDATE user_account SET password_hash = :hash, must_change = :must_change, epoch = epoch + 1, version = version + 1
    WHERE id = :id AND (disabled_at IS NULL OR :must_change)
""")
RENEW = text("UPDATE user_account SET password_hash = :renewed WHERE id = :id AND password_hash = :kept")
CHOOSE = text("""
    UPDATE user_account SET language = :language, version = version + 1
    WHERE id = :id AND language IS DISTINCT FROM :language
""")


class PasswordNotTaken(Unprocessable):
    """Too short, too long, too well known, or the login."""

    code = "password.not_taken"


async def set_password(db: AsyncConnection, *, actor: Actor, new: HashedPassword, now: datetime) -> UserOut:
    """Choose one's own password. It ends all of one's sessions: the door opens a new one."""
    user = await queries.user_by_id(db, actor=actor, user_id=actor.id, locked=True)
    if faults := password_faults(new.plain, login=user.login):
        raise PasswordNotTaken(errors=faults)
    if not (await db.execute(SET, {"id": user.id, "hash": new.hash, "must_change": False})).rowcount:
        raise queries.NoSuchUser(id=user.id)
    after = await queries.user_by_id(db, actor=actor, user_id=user.id)
    await announce(db, Event(type="user.password_set", subject=user.id, version=after.version), by=actor, now=now)
    return after


async def reset_password(
    db: AsyncConnection,
    *,
    actor: Actor,
    user_id: str,
    one_time: HashedPassword,
    expected_version: Expected,
    now: datetime,
) -> PasswordReset:
    """Give a person a one-time password, with which a new one must be chosen; it is in the answer and nowhere else."""
    before = await queries.user_by_id(db, actor=actor, user_id=user_id, locked=True)
    check_version(before.version, expected_version)
    await db.execute(SET, {"id": user_id, "hash": one_time.hash, "must_change": True})
    after = await queries.user_by_id(db, actor=actor, user_id=user_id)
    await announce(db, Event(type="user.password_reset", subject=user_id, version=after.version), by=actor, now=now)
    return PasswordReset(one_time_password=one_time.plain, details=after)


async def renew_hash(db: AsyncConnection, *, user_id: str, kept: str, renewed: str) -> None:
    """Keep the same password by today's parameters; nothing that anybody could see changes."""
    await db.execute(RENEW, {"id": user_id, "kept": kept, "renewed": renewed})


async def choose_language(db: AsyncConnection, *, actor: Actor, language: Language, now: datetime) -> UserOut:
    """Keep one's own language, for every browser."""
    changed = await db.execute(CHOOSE, {"id": actor.id, "language": language})
    after = await queries.user_by_id(db, actor=actor, user_id=actor.id)
    if changed.rowcount:
        event = Event(type="user.language_chosen", subject=after.id, version=after.version, data={"language": language})
        await announce(db, event, by=actor, now=now)
    return after
