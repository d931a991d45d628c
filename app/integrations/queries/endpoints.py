"""Questions about webhook endpoints and their deliveries, inside what the asker owns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ADMIN, Actor
from app.core import keyset
from app.core.errors import NotFound
from app.integrations.schemas import (
    AttemptOut,
    DeliveriesOut,
    DeliveryDetail,
    DeliveryOut,
    EndpointOut,
    EndpointsOut,
)

OWN = "(CAST(:owner AS text) IS NULL OR e.owner = CAST(:owner AS text)) AND e.kind = 'webhook' AND e.state <> 'deleted'"
SELECT = """
    SELECT e.*,
      (SELECT count(*) FROM webhook_delivery d WHERE d.endpoint = e.id AND d.state = 'pending') AS pending,
      (SELECT count(*) FROM webhook_secret s WHERE s.endpoint = e.id
         AND (s.expires_at IS NULL OR s.expires_at > :now)) AS secrets
    FROM webhook_endpoint e
"""
ONE = text(f"{SELECT} WHERE e.id = :id AND {OWN}")
LOCK = text(f"SELECT e.id FROM webhook_endpoint e WHERE e.id = :id AND {OWN} FOR UPDATE")
MAKER = text(f"""
    SELECT coalesce(u.name, k.name, e.owner) AS name, u.disabled_at IS NOT NULL AS gone FROM webhook_endpoint e
    LEFT JOIN user_account u ON u.id = e.owner LEFT JOIN api_key k ON k.id = e.owner WHERE e.id = :id AND {OWN}
""")
PAGE = text(f"""
    {SELECT} WHERE {OWN} AND (CAST(:after AS text) IS NULL OR e.id > CAST(:after AS text)) ORDER BY e.id LIMIT :limit
""")
DELIVERIES = text(f"""
    SELECT d.* FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint
    WHERE {OWN} AND (CAST(:endpoint AS text) IS NULL OR d.endpoint = CAST(:endpoint AS text))
      AND (CAST(:state AS text) IS NULL OR d.state = CAST(:state AS text))
      AND (CAST(:event AS text) IS NULL OR d.event = CAST(:event AS text))
      AND (CAST(:subject AS text) IS NULL OR d.subject = CAST(:subject AS text))
      AND (CAST(:before AS text) IS NULL OR d.id < CAST(:before AS text))
    ORDER BY d.id DESC LIMIT :limit
""")
DELIVERY = text(f"""
    SELECT d.* FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint WHERE {OWN} AND d.id = :id
""")
ATTEMPTS = text("""
    SELECT n, started_at, took_ms, status, failure FROM webhook_attempt WHERE delivery = :id ORDER BY seq
""")


class NoSuchEndpoint(NotFound):
    """No endpoint by that id that is this asker's."""

    code = "webhook.endpoint_not_found"


class NoSuchDelivery(NotFound):
    """No delivery by that id to an endpoint of this asker's."""

    code = "webhook.delivery_not_found"


def owner_of(actor: Actor) -> str | None:
    """Whose endpoints an actor sees: an admin without limits all, anybody else its own."""
    unlimited = actor.customers is None and actor.areas is None and actor.places is None
    return None if actor.role == ADMIN and unlimited else actor.id


async def endpoint(
    db: AsyncConnection, *, actor: Actor, endpoint_id: str, now: datetime, lock: bool = False
) -> EndpointOut:
    """One endpoint as it stands, its row locked for a verb if asked."""
    binds = {"id": endpoint_id, "owner": owner_of(actor)}
    if lock and await db.scalar(LOCK, binds) is None:
        raise NoSuchEndpoint(id=endpoint_id)
    row = (await db.execute(ONE, binds | {"now": now})).one_or_none()
    if row is None:
        raise NoSuchEndpoint(id=endpoint_id)
    return _endpoint(row)


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made an endpoint, a person or a key, and whether a person was locked out since."""

    name: str
    gone: bool


async def maker(db: AsyncConnection, *, actor: Actor, endpoint_id: str) -> Maker:
    row = (await db.execute(MAKER, {"id": endpoint_id, "owner": owner_of(actor)})).one_or_none()
    if row is None:
        raise NoSuchEndpoint(id=endpoint_id)
    return Maker(row.name, row.gone)


async def endpoints(
    db: AsyncConnection, *, actor: Actor, now: datetime, cursor: str | None, limit: int | None
) -> EndpointsOut:
    """This asker's endpoints, oldest first."""
    rows, following = await keyset.page_by_text(
        db, PAGE, {"owner": owner_of(actor), "now": now}, key="id", cursor=cursor, limit=limit
    )
    return EndpointsOut(items=[_endpoint(row) for row in rows], next=following)


async def deliveries(
    db: AsyncConnection,
    *,
    actor: Actor,
    endpoint_id: str | None,
    state: str | None,
    event: str | None,
    subject: str | None,
    cursor: str | None,
    limit: int | None,
) -> DeliveriesOut:
    """The delivery log, newest first."""
    size = keyset.capped(limit)
    before = keyset.decode(cursor, str)[0] if cursor else None
    binds = {"endpoint": endpoint_id, "state": state, "event": event, "subject": subject, "before": before}
    rows = (await db.execute(DELIVERIES, binds | {"owner": owner_of(actor), "limit": size + 1})).all()
    more = len(rows) > size
    items = [delivery_out(row) for row in rows[:size]]
    return DeliveriesOut(items=items, next=keyset.encode([rows[size - 1].id]) if more else None)


async def delivery(db: AsyncConnection, *, actor: Actor, delivery_id: str) -> DeliveryDetail:
    """One delivery with every try."""
    row = (await db.execute(DELIVERY, {"id": delivery_id, "owner": owner_of(actor)})).one_or_none()
    if row is None:
        raise NoSuchDelivery(id=delivery_id)
    tried = await db.execute(ATTEMPTS, {"id": delivery_id})
    attempts = [msgspec.convert(dict(one._mapping), AttemptOut) for one in tried]
    return DeliveryDetail(
        delivery=delivery_out(row), attempts=attempts, body=None if row.body is None else bytes(row.body).decode()
    )


def delivery_out(row: Any) -> DeliveryOut:
    return DeliveryOut(**{name: getattr(row, name) for name in DeliveryOut.__struct_fields__})


def _endpoint(row: Any) -> EndpointOut:
    return EndpointOut(**{name: getattr(row, name) for name in EndpointOut.__struct_fields__})
