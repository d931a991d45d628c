"""Verbs on webhook endpoints: made, changed, rotated, disabled, enabled, deleted, pinged, replayed."""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError
from app.core.events import Event, announce
from app.core.http import Expected, check_version
from app.core.ids import new_id
from app.integrations.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from app.integrations.queries.endpoints import delivery, endpoint
from app.integrations.rules.catalog import SCHEMA_VERSION, TYPES
from app.integrations.rules.delivery import SECRET_MARK, new_secret
from app.integrations.schemas import (
    DeliveryOut,
    EnableIn,
    EndpointIn,
    EndpointMade,
    EndpointOut,
    EndpointPatch,
    ReplayIn,
    RotateIn,
    SubjectOut,
    WebhookEvent,
)
from app.integrations.service.refusals import BadSecret, NotActive, UnknownEventType, WiderThanKey

CHANGE = text("""
    UPDATE webhook_endpoint SET url = :url, description = :description, event_types = CAST(:event_types AS text[]),
        language = :language, version = version + 1 WHERE id = :id
""")
END_SECRETS = text("""
    UPDATE webhook_secret SET expires_at = :at WHERE endpoint = :id AND (expires_at IS NULL OR expires_at > :at)
""")
TOUCH = text("UPDATE webhook_endpoint SET version = version + 1 WHERE id = :id")
SET_STATE = text("""
    UPDATE webhook_endpoint SET state = :state, disabled_reason = :reason, failures = 0, failing_since = NULL,
        rests_until = NULL, disabled_at = CASE WHEN :state = 'disabled' THEN CAST(:now AS timestamptz) END,
        version = version + 1 WHERE id = :id AND state <> :state RETURNING version
""")
REST_NO_MORE = text("""
    UPDATE webhook_endpoint SET failures = 0, failing_since = NULL, rests_until = NULL, version = version + 1 WHERE id = :id
""")
CANCELED_BACK = text("""
    UPDATE webhook_delivery SET state = 'pending', reason = NULL, tries = 0, next_at = :now, ended_at = NULL
    WHERE endpoint = :id AND body IS NOT NULL
      AND (state = 'canceled' AND reason = 'endpoint_disabled' OR state = 'dead' AND reason = 'http_410')
""")
NOW = text("""
    UPDATE webhook_delivery SET next_at = :now, tries = 0 WHERE endpoint = :id AND state = 'pending' AND next_at > :now
""")
CANCEL = text("""
    UPDATE webhook_delivery SET state = 'canceled', reason = :reason, next_at = NULL, lease_until = NULL, ended_at = :now
    WHERE endpoint = :id AND state = 'pending'
""")
FORGET_SECRETS = text("DELETE FROM webhook_secret WHERE endpoint = :id")
REPLAY = text("""
    UPDATE webhook_delivery SET state = 'pending', reason = NULL, tries = 0, next_at = :now, ended_at = NULL
    WHERE id IN (SELECT id FROM webhook_delivery
        WHERE endpoint = :endpoint AND state = ANY(CAST(:states AS text[])) AND body IS NOT NULL
          AND (CAST(:id AS text) IS NULL OR id = CAST(:id AS text)) AND created_at >= :since AND created_at <= :until
        ORDER BY id LIMIT 10000 FOR UPDATE)
""")
NEXT_SEQUENCE = text("""
    SELECT coalesce(max(sequence), 0) + 1 FROM webhook_delivery WHERE endpoint = :endpoint AND subject = :subject
""")
ENDED = ("delivered", "dead", "canceled")


def check_types(actor: Actor, event_types: list[str] | None) -> None:
    """Refuse types that do not exist or are not for this role, each by name."""
    wrong = [
        FieldError(f"event_types.{at}", "webhook.type_unknown", {"type": one})
        for at, one in enumerate(event_types or ())
        if one not in TYPES or actor.role not in TYPES[one].roles
    ]
    if wrong:
        raise UnknownEventType(errors=wrong, type=(event_types or [""])[0])


def checked_secret(given: str | None) -> str:
    """The given secret, or a new one."""
    if given is None:
        return new_secret()
    text_part = given.removeprefix(SECRET_MARK)
    try:
        raw = base64.b64decode(text_part + "=" * (-len(text_part) % 4), validate=True)
    except ValueError as wrong:
        raise BadSecret(errors=[FieldError("secret", "webhook.secret_bad")]) from wrong
    if not 24 <= len(raw) <= 64:
        raise BadSecret(errors=[FieldError("secret", "webhook.secret_bad")])
    return SECRET_MARK + base64.b64encode(raw).decode()


async def create_endpoint(db: AsyncConnection, *, actor: Actor, new: EndpointIn, now: datetime) -> EndpointMade:
    """Make an endpoint; the secret is in the answer and nowhere else again. Its scope is at most its key's."""
    check_types(actor, new.event_types)
    scope: dict[str, list[str] | None] = {}
    for kind in ("customers", "areas", "places"):
        mine, given = getattr(actor, kind), getattr(new, kind)
        if mine is not None and given is not None and not set(given) <= mine:
            raise WiderThanKey(errors=[FieldError(kind, "webhook.wider_than_key")])
        scope[kind] = given if given is not None else (None if mine is None else sorted(mine))
    secret = checked_secret(new.secret)
    row = {
        "id": new_id("whe", now), "kind": "webhook", "connection": None, "url": new.url, "description": new.description,
        "event_types": new.event_types, "language": new.language, "role": actor.role, **scope, "owner": actor.id,
        "state": "active", "created_at": now,
    }  # fmt: skip
    await db.execute(insert(WebhookEndpoint), row)
    await _add_secret(db, str(row["id"]), secret, now)
    made = await endpoint(db, actor=actor, endpoint_id=str(row["id"]), now=now)
    await _announce(db, actor, made, "created", now)
    return EndpointMade(secret=secret, endpoint=made)


async def change_endpoint(
    db: AsyncConnection,
    *,
    actor: Actor,
    endpoint_id: str,
    change: EndpointPatch,
    expected_version: Expected,
    now: datetime,
) -> EndpointOut:
    """Change where and what; deliveries under way go to the new place."""
    before = await endpoint(db, actor=actor, endpoint_id=endpoint_id, now=now, lock=True)
    check_version(before.version, expected_version)
    if change.event_types is not UNSET:
        check_types(actor, change.event_types)
    row = {
        name: getattr(before, name) if getattr(change, name) is UNSET else getattr(change, name)
        for name in ("url", "description", "event_types", "language")
    }
    await db.execute(CHANGE, row | {"id": endpoint_id})
    return await _after(db, actor, endpoint_id, "changed", now)


async def rotate_secret(
    db: AsyncConnection,
    *,
    actor: Actor,
    endpoint_id: str,
    body: RotateIn,
    expected_version: Expected,
    now: datetime,
) -> EndpointMade:
    """A new secret at once; the old ones sign beside it until the overlap ends (T57)."""
    before = await endpoint(db, actor=actor, endpoint_id=endpoint_id, now=now, lock=True)
    check_version(before.version, expected_version)
    secret = checked_secret(body.secret)
    await db.execute(END_SECRETS, {"id": endpoint_id, "at": now + timedelta(minutes=body.overlap_minutes)})
    await _add_secret(db, endpoint_id, secret, now)
    await db.execute(TOUCH, {"id": endpoint_id})
    return EndpointMade(secret=secret, endpoint=await _after(db, actor, endpoint_id, "rotated", now))


async def disable_endpoint(
    db: AsyncConnection,
    *,
    actor: Actor,
    endpoint_id: str,
    reason: str | None,
    expected_version: Expected,
    now: datetime,
) -> EndpointOut:
    """Send nothing more until enabled. What waits is canceled and can be replayed."""
    before = await endpoint(db, actor=actor, endpoint_id=endpoint_id, now=now, lock=True)
    check_version(before.version, expected_version)
    await switch_off(db, actor=actor, endpoint_id=endpoint_id, reason=reason or "by_hand", now=now)
    return await endpoint(db, actor=actor, endpoint_id=endpoint_id, now=now)


async def switch_off(db: AsyncConnection, *, actor: Actor, endpoint_id: str, reason: str, now: datetime) -> bool:
    """Disable, cancel what waits, and tell it once; for people and for the duty that was told 410."""
    version = await db.scalar(SET_STATE, {"id": endpoint_id, "state": "disabled", "reason": reason, "now": now})
    if version is None:
        return False
    await db.execute(CANCEL, {"id": endpoint_id, "reason": "endpoint_disabled", "now": now})
    event = Event(type="webhook.endpoint_disabled", subject=endpoint_id, version=int(version), data={"reason": reason})
    await announce(db, event, by=actor, now=now)
    return True


async def enable_endpoint(
    db: AsyncConnection,
    *,
    actor: Actor,
    endpoint_id: str,
    body: EnableIn,
    expected_version: Expected,
    now: datetime,
) -> EndpointOut:
    """Send again; what was canceled while it was disabled goes out first if asked. One that was never disabled is tried
    at once with all that waits, as after its receiver was mended."""
    before = await endpoint(db, actor=actor, endpoint_id=endpoint_id, now=now, lock=True)
    check_version(before.version, expected_version)
    changed = await db.scalar(SET_STATE, {"id": endpoint_id, "state": "active", "reason": None, "now": now})
    if changed is None:
        await db.execute(REST_NO_MORE, {"id": endpoint_id})
        await db.execute(NOW, {"id": endpoint_id, "now": now})
    if body.replay:
        await db.execute(CANCELED_BACK, {"id": endpoint_id, "now": now})
    return await _after(db, actor, endpoint_id, "enabled", now)


async def delete_endpoint(
    db: AsyncConnection, *, actor: Actor, endpoint_id: str, expected_version: Expected, now: datetime
) -> EndpointOut:
    """Stop for good: what waits is canceled, the secrets are forgotten, the log stays (T59). Gives the last it was."""
    before = await endpoint(db, actor=actor, endpoint_id=endpoint_id, now=now, lock=True)
    check_version(before.version, expected_version)
    await db.execute(SET_STATE, {"id": endpoint_id, "state": "deleted", "reason": None, "now": now})
    await db.execute(CANCEL, {"id": endpoint_id, "reason": "endpoint_deleted", "now": now})
    await db.execute(FORGET_SECRETS, {"id": endpoint_id})
    await _announce(db, actor, before, "deleted", now)
    return before


async def ping_endpoint(db: AsyncConnection, *, actor: Actor, endpoint_id: str, now: datetime) -> str:
    """Send a test like any event. Gives the delivery's id."""
    shown = await endpoint(db, actor=actor, endpoint_id=endpoint_id, now=now, lock=True)
    if shown.state != "active":
        raise NotActive(reason=shown.disabled_reason)
    event = new_id("evt", now)
    told = WebhookEvent(
        type="webhook.ping", timestamp=now, id=event, schema_version=SCHEMA_VERSION, recorded_at=now, actor=actor.id,
        request_id=actor.request_id, subject=SubjectOut(id=endpoint_id, version=shown.version), customer=None,
        area=None, place=None, facts={}, data=shown,
    )  # fmt: skip
    body = msgspec.json.encode(told)
    row: dict[str, Any] = {
        "id": new_id("dlv", now), "endpoint": endpoint_id, "event": event, "event_seq": None, "type": "webhook.ping",
        "subject": endpoint_id, "body": body, "body_hash": hashlib.sha256(body).hexdigest(), "state": "pending",
        "next_at": now, "created_at": now,
        "sequence": await db.scalar(NEXT_SEQUENCE, {"endpoint": endpoint_id, "subject": endpoint_id}),
    }  # fmt: skip
    await db.execute(insert(WebhookDelivery), row)
    return str(row["id"])


async def replay_range(db: AsyncConnection, *, actor: Actor, endpoint_id: str, body: ReplayIn, now: datetime) -> int:
    """Send again what was made in a span; the ids and bytes stay, the timestamp is new (T59). Gives how many."""
    shown = await endpoint(db, actor=actor, endpoint_id=endpoint_id, now=now, lock=True)
    if shown.state != "active":
        raise NotActive(reason=shown.disabled_reason)
    binds = {"endpoint": endpoint_id, "states": list(body.states or ENDED), "id": None, "since": body.since, "now": now}
    done = (await db.execute(REPLAY, binds | {"until": body.until or now})).rowcount
    await _announce(db, actor, shown, "replayed", now, count=done, since=body.since, until=body.until)
    return done


async def replay_delivery(db: AsyncConnection, *, actor: Actor, delivery_id: str, now: datetime) -> DeliveryOut:
    """Send one delivery again."""
    found = (await delivery(db, actor=actor, delivery_id=delivery_id)).delivery
    shown = await endpoint(db, actor=actor, endpoint_id=found.endpoint, now=now, lock=True)
    if shown.state != "active":
        raise NotActive(reason=shown.disabled_reason)
    binds = {"endpoint": found.endpoint, "states": list(ENDED), "id": delivery_id, "now": now}
    await db.execute(REPLAY, binds | {"since": found.created_at, "until": found.created_at})
    await _announce(db, actor, shown, "replayed", now, delivery=delivery_id)
    return (await delivery(db, actor=actor, delivery_id=delivery_id)).delivery


async def _after(db: AsyncConnection, actor: Actor, endpoint_id: str, what: str, now: datetime) -> EndpointOut:
    after = await endpoint(db, actor=actor, endpoint_id=endpoint_id, now=now)
    await _announce(db, actor, after, what, now)
    return after


async def _announce(
    db: AsyncConnection, actor: Actor, shown: EndpointOut, what: str, now: datetime, **facts: Any
) -> None:
    """Audit: what was done to which endpoint; its URL without the query, which may hold a secret of the receiver's."""
    data = {"url": shown.url.partition("?")[0], "event_types": shown.event_types, **facts}
    event = Event(type=f"webhook.endpoint_{what}", subject=shown.id, version=shown.version, data=data)
    await announce(db, event, by=actor, now=now)


async def _add_secret(db: AsyncConnection, endpoint_id: str, secret: str, now: datetime) -> None:
    row = {"id": new_id("sec", now), "endpoint": endpoint_id, "secret": secret, "created_at": now, "expires_at": None}
    await db.execute(insert(WebhookSecret), row)
