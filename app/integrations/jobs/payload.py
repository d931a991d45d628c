"""What an event looks like to one receiver: the API's own answer for the subject, as that receiver's role may see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing import queries as billing
from app.billing.api import charge_out
from app.core.db import attempt
from app.core.errors import NotFound
from app.core.i18n import Language
from app.fulfillment.api.shapes import request_out
from app.fulfillment.queries.requests import load, scope_of
from app.integrations.queries.endpoints import endpoint
from app.integrations.rules.catalog import TYPES
from app.integrations.schemas import SubjectOut, WebhookEvent
from app.warranty import queries as warranty
from app.warranty.api import verdict_out, warranty_out


@dataclass(frozen=True, slots=True)
class Eyes:
    """Whose eyes an event is shown to; receivers with the same eyes get the same bytes."""

    actor: Actor
    language: Language

    @property
    def key(self) -> tuple[Any, ...]:
        scope = scope_of(self.actor)
        return (self.actor.role, self.language, *(str(scope[name]) for name in sorted(scope)))


def eyes_of(row: Any) -> Eyes:
    """The eyes of an endpoint's row: the key's role and at most its scope, as kept when it was made."""

    def kept(values: list[str] | None) -> frozenset[str] | None:
        return None if values is None else frozenset(values)

    actor = Actor(
        id=row.owner, name=row.id, role=row.role, customers=kept(row.customers), areas=kept(row.areas),
        places=kept(row.places), request_id=f"webhook:{row.id}",
    )  # fmt: skip
    return Eyes(actor, row.language)


def wants(row: Any, event: Any) -> bool:
    """Whether an endpoint asked for this type, may have it, and is not told of its own end."""
    known = TYPES.get(event.type)
    if known is None or row.role not in known.roles or event.subject == row.id:
        return False
    return event.seq > row.since and (row.event_types is None or event.type in row.event_types)


Pictures = dict[tuple[Any, ...], msgspec.Raw | None]
"""Subjects as they were shown already in this batch, by what, whose and for which eyes; None where they see nothing."""


async def encoded(db: AsyncConnection, *, event: Any, eyes: Eyes, pictures: Pictures, now: datetime) -> bytes | None:
    """The bytes of an event for some eyes; None where they may not see it."""
    actor, kind = eyes.actor, TYPES[event.type]
    seen = (
        (event.customer is None or actor.may_see_customer(event.customer))
        and (event.area is None or actor.may_see_area(event.area))
        and (kind.carries != "facts" or event.place is None or actor.may_see_place(event.place))
    )
    if not seen:
        return None
    key = (kind.carries, event.subject, *eyes.key)
    if key not in pictures:
        pictures[key] = await _picture(db, event, kind.carries, eyes, now)
    data = pictures[key]
    if data is None:
        return None
    facts = event.data if actor.sees_cost else without_cost(event.data)
    told = WebhookEvent(
        type=event.type, timestamp=event.occurred_at, id=event.id, schema_version=event.schema_version,
        recorded_at=event.recorded_at, actor=event.actor, request_id=event.request_id,
        subject=SubjectOut(id=event.subject, version=event.subject_version), customer=event.customer, area=event.area,
        place=event.place, facts=facts, data=data,
    )  # fmt: skip
    return msgspec.json.encode(told)


async def _picture(db: AsyncConnection, event: Any, carries: str, eyes: Eyes, now: datetime) -> msgspec.Raw | None:
    try:
        async with attempt(db):
            return msgspec.Raw(msgspec.json.encode(await _data(db, event, carries, eyes, now)))
    except NotFound:
        return None


async def _data(db: AsyncConnection, event: Any, carries: str, eyes: Eyes, now: datetime) -> Any:
    actor, language = eyes.actor, eyes.language
    match carries:
        case "part_request":
            loaded = await load(db, actor=actor, request_id=event.subject)
            return request_out(loaded, actor=actor, language=language, now=now)
        case "verdict":
            return verdict_out(await warranty.verdict(db, actor=actor, verdict_id=event.subject), language)
        case "charge":
            row = await billing.charge_row(db, actor=actor, charge_id=event.subject)
            return charge_out(row, actor=actor, language=language)
        case "recovery":
            return await billing.recovery(db, actor=actor, recovery_id=event.subject, now=now)
        case "warranty":
            known = await warranty.warranty(db, actor=actor, serial=event.subject, on=None, known_at=None, now=now)
            return warranty_out(known, language)
        case "endpoint":
            return await endpoint(db, actor=actor, endpoint_id=event.subject, now=now)
    return None


def without_cost(value: Any) -> Any:
    """Facts without amounts in minor units and costs, which are finance's."""
    if isinstance(value, dict):
        hidden = ("cost", "pieces", "value")
        return {
            name: without_cost(one) for name, one in value.items() if not name.endswith("_minor") and name not in hidden
        }
    return [without_cost(one) for one in value] if isinstance(value, list) else value
