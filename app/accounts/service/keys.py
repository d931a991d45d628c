"""Making and revoking keys."""

from datetime import datetime

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import queries
from app.accounts.models import ApiKey
from app.accounts.rules import KEYS_CHANGED, Actor, make_key
from app.accounts.schemas import KeyIn, KeyMade, KeyOut
from app.core.errors import FieldError, Forbidden, Unprocessable
from app.core.events import Event, announce
from app.core.http import Expected, check_version
from app.core.ids import new_id

REVOKE = text("""
    UPDATE api_key SET revoked_at = :now, version = version + 1 WHERE id = :id AND revoked_at IS NULL
""")
# Heard by every process that knows keys by heart. Rare, so it may slow this commit as a notice in every one may not.
TELL = text(f"SELECT pg_notify('{KEYS_CHANGED}', '')")


class KeyEndsInThePast(Unprocessable):
    """A key that would never work."""

    code = "key.expired_already"


class WiderThanMaker(Forbidden):
    """Nobody gives away a scope that he or she does not have."""

    code = "key.wider_than_maker"


async def create_key(db: AsyncConnection, *, actor: Actor, new: KeyIn, now: datetime) -> KeyMade:
    """Make a key; its text is in the answer and nowhere else."""
    if new.expires_at is not None and new.expires_at <= now:
        raise KeyEndsInThePast(errors=[FieldError("expires_at", "key.expired_already")])
    for kind in ("customers", "areas", "places"):
        mine, given = getattr(actor, kind), getattr(new, kind)
        if mine is not None and (given is None or not set(given) <= mine):
            raise WiderThanMaker(errors=[FieldError(kind, "key.wider_than_maker")])
    made = make_key()
    row = {
        "id": new_id("key", now), "prefix": made.prefix, "secret_hash": made.secret_hash, "name": new.name,
        "role": new.role, "customers": new.customers, "areas": new.areas, "places": new.places, "created_at": now,
        "expires_at": new.expires_at, "revoked_at": None,
    }  # fmt: skip
    await db.execute(insert(ApiKey), row)
    details = await queries.key_by_id(db, key_id=str(row["id"]))
    await announce(db, Event(type="key.created", subject=details.id, data={"role": new.role}), by=actor, now=now)
    return KeyMade(key=made.text, details=details)


async def revoke_key(
    db: AsyncConnection, *, actor: Actor, key_id: str, expected_version: Expected, now: datetime
) -> KeyOut:
    """End a key at once; ending it twice has one effect."""
    before = await queries.key_by_id(db, key_id=key_id)
    check_version(before.version, expected_version)
    changed = await db.execute(REVOKE, {"id": key_id, "now": now})
    after = await queries.key_by_id(db, key_id=key_id)
    if changed.rowcount:
        await db.execute(TELL)
        await announce(db, Event(type="key.revoked", subject=key_id, version=after.version), by=actor, now=now)
    return after
