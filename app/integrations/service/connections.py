"""Verbs on connections: made, changed, given secrets. What writes back is switched with them."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError
from app.core.events import Event, announce
from app.core.http import Expected, check_version, constraint_of
from app.core.ids import new_id
from app.integrations.models import Connection, ConnectionSecret, WebhookEndpoint
from app.integrations.providers import providers
from app.integrations.queries.connections import connection, connection_row, profile_by
from app.integrations.rules.profile import Profile, ProfileWrong, profile_of
from app.integrations.schemas import ConnectionIn, ConnectionOut, ConnectionPatch, SecretIn
from app.integrations.service.endpoints import CANCEL, SET_STATE
from app.integrations.service.refusals import CodeTaken, ProfileBad, UnknownProvider

CHANGE = text("""
    UPDATE connection SET name = :name, base_url = :base_url, overrides = CAST(:overrides AS jsonb), language = :language,
        state = :state, poll_at = :poll_at, version = version + 1 WHERE code = :code
""")
END_SECRETS = text("""
    UPDATE connection_secret SET expires_at = :at
    WHERE connection = :code AND purpose = :purpose AND (expires_at IS NULL OR expires_at > :at)
""")
TOUCH = text("UPDATE connection SET version = version + 1 WHERE code = :code")
WRITER = text("SELECT id, state FROM webhook_endpoint WHERE connection = :code FOR UPDATE")
SPEAKS = text("UPDATE webhook_endpoint SET language = :language WHERE id = :id")


def checked_profile(provider: str, overrides: dict[str, Any]) -> Profile:
    """The profile in force, or the refusal that says where it does not fit."""
    base = providers().get(provider)
    if base is None:
        known = sorted(providers())
        raise UnknownProvider(
            provider=provider, known=known, errors=[FieldError("provider", "connection.provider_unknown")]
        )
    try:
        return profile_of(base, overrides)
    except ProfileWrong as wrong:
        raise ProfileBad(errors=[FieldError(wrong.at, "field.bad", {"why": wrong.why})]) from wrong


async def create_connection(db: AsyncConnection, *, actor: Actor, new: ConnectionIn, now: datetime) -> ConnectionOut:
    """Connect a ticketing system."""
    profile = checked_profile(new.provider, new.overrides)
    row = {
        "code": new.code, "name": new.name, "provider": new.provider, "overrides": new.overrides,
        "base_url": new.base_url.rstrip("/") if new.base_url else None, "state": "active", "language": new.language,
        "customers": new.customers, "areas": new.areas, "created_by": actor.id, "created_at": now,
        "poll_at": now if _polls(profile, new.base_url) else None,
    }  # fmt: skip
    try:
        await db.execute(insert(Connection), row)
    except IntegrityError as broken:
        if constraint_of(broken) == "connection_pkey":
            raise CodeTaken(connection=new.code, errors=[FieldError("code", "connection.code_taken")]) from broken
        raise
    for purpose, secret in (("verify", new.verify_secret), ("write", new.write_secret)):
        if secret is not None:
            await _add_secret(db, new.code, purpose, secret, now)
    await _switch_writer(db, actor, new.code, now)
    return await _after(db, actor, new.code, "created", now)


async def change_connection(
    db: AsyncConnection,
    *,
    actor: Actor,
    code: str,
    change: ConnectionPatch,
    expected_version: Expected,
    now: datetime,
) -> ConnectionOut:
    """Change what is told apart from secrets; `overrides` replaces what was there."""
    before = await connection_row(db, code=code, now=now, lock=True)
    check_version(before.version, expected_version)
    names = ("name", "base_url", "overrides", "language", "state")
    row = {name: getattr(before, name) if getattr(change, name) is UNSET else getattr(change, name) for name in names}
    profile = checked_profile(before.provider, row["overrides"])
    row["base_url"] = row["base_url"].rstrip("/") if row["base_url"] else None
    row["poll_at"] = now if row["state"] == "active" and _polls(profile, row["base_url"]) else None
    await db.execute(CHANGE, {**row, "code": code, "overrides": msgspec.json.encode(row["overrides"]).decode()})
    await _switch_writer(db, actor, code, now)
    return await _after(db, actor, code, "changed", now)


async def give_secret(
    db: AsyncConnection, *, actor: Actor, code: str, body: SecretIn, expected_version: Expected, now: datetime
) -> ConnectionOut:
    """A new secret at once; the old ones verify until the overlap ends."""
    before = await connection_row(db, code=code, now=now, lock=True)
    check_version(before.version, expected_version)
    ends = {"code": code, "purpose": body.purpose, "at": now + timedelta(minutes=body.overlap_minutes)}
    await db.execute(END_SECRETS, ends)
    await _add_secret(db, code, body.purpose, body.secret, now)
    await db.execute(TOUCH, {"code": code})
    return await _after(db, actor, code, "secret_given", now, purpose=body.purpose)


def _polls(profile: Profile, base_url: str | None) -> bool:
    return profile.poll is not None and base_url is not None


async def _switch_writer(db: AsyncConnection, actor: Actor, code: str, now: datetime) -> None:
    """What writes back works while the connection is active, has an address, and its profile says what to write."""
    row = await connection_row(db, code=code, now=now)
    wanted = row.state == "active" and row.base_url is not None and bool(profile_by(row).write_back)
    writer = (await db.execute(WRITER, {"code": code})).one_or_none()
    if writer is None:
        if wanted:
            made = {
                "id": new_id("whe", now), "kind": "ticket", "connection": code, "url": None, "language": row.language,
                "role": "integration", "owner": actor.id, "state": "active", "created_at": now,
            }  # fmt: skip
            await db.execute(insert(WebhookEndpoint), made)
        return
    await db.execute(SPEAKS, {"id": writer.id, "language": row.language})
    if wanted:
        await db.execute(SET_STATE, {"id": writer.id, "state": "active", "reason": None, "now": now})
    elif writer.state == "active":
        await db.execute(SET_STATE, {"id": writer.id, "state": "disabled", "reason": "connection", "now": now})
        await db.execute(CANCEL, {"id": writer.id, "reason": "endpoint_disabled", "now": now})


async def _add_secret(db: AsyncConnection, code: str, purpose: str, secret: str, now: datetime) -> None:
    row = {"id": new_id("sec", now), "connection": code, "purpose": purpose, "secret": secret, "created_at": now}
    await db.execute(insert(ConnectionSecret), row | {"expires_at": None})


async def _after(db: AsyncConnection, actor: Actor, code: str, what: str, now: datetime, **facts: Any) -> ConnectionOut:
    after = await connection(db, code=code, now=now)
    data = {"provider": after.provider, "state": after.state, **facts}
    event = Event(type=f"connection.{what}", subject=f"connection:{code}", version=after.version, data=data)
    await announce(db, event, by=actor, now=now)
    return after
