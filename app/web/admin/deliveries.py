"""Doors to the webhooks' delivery log: what was told to whom, every try, the very text, and sending it again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.core.db import reading
from app.integrations.queries import endpoints as queries
from app.integrations.schemas import DeliveryOut
from app.integrations.service import endpoints as service
from app.web.admin.event_words import event_in_words
from app.web.admin.webhook_words import DELIVERY, DELIVERY_STANDING, EVENT_TYPE, WHY, why
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.views import Standing
from app.web.words import clock_time

AnyRequest = Request[Any, Any, Any]

LOG = Listing(
    page="/admin/webhook-deliveries",
    title="Delivery log",
    source="webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint",
    where=queries.OWN,
    id="d.id",
    order="-number",
    empty="Nothing was told to a webhook yet.",
    columns=(
        Column(
            key="made_at",
            label="When",
            sql="d.created_at",
            kind="instant",
            href="/admin/webhook-deliveries/{number}",
            nullable=False,
        ),
        Column(key="type", label="What", sql="d.type", kind="state", words=EVENT_TYPE, nullable=False),
        Column(key="subject", label="Of", sql="d.subject", kind="code", nullable=False),
        Column(
            key="state", label="State", sql="d.state", kind="state", words=DELIVERY, standing=DELIVERY_STANDING,
            nullable=False,
        ),
        Column(key="tries", label="Tries", sql="d.attempts", kind="quantity", nullable=False),
        Column(
            key="answer", label="Last answer", kind="state", words=WHY,
            sql="CASE WHEN d.last_status IS NULL THEN d.reason ELSE CAST(d.last_status AS text) END",
        ),
        Column(key="to", label="Webhook", sql="coalesce(e.description, substring(e.url from '//([^/]*)'))"),
        Column(key="next_at", label="Next try", sql="d.next_at", kind="instant", shown=False),
        Column(key="url", label="Address", sql="e.url", shown=False),
        Column(key="number", label="Number", sql="d.id", kind="code", nullable=False, shown=False),
    ),
    filters=(
        Filter(key="search", label="Of: serial, number or id", kind="search", sql="d.subject"),
        Filter(key="state", label="State", kind="choice", sql="d.state", words=DELIVERY),
        Filter(key="type", label="What", kind="choice", sql="d.type", words=EVENT_TYPE),
        Filter(key="endpoint", label="Webhook, by number", kind="is", sql="d.endpoint"),
        Filter(key="made", label="When (UTC)", kind="dates", sql="CAST(d.created_at AS date)"),
    ),
)  # fmt: skip


@get("/admin/webhook-deliveries", opt=signed_in(ADMIN), include_in_schema=False)
async def list_deliveries(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """What was told, the newest first."""
    return await table_page(
        request, who, LOG, "admin/list.html", binds={"owner": queries.owner_of(who.actor)}, make="", note=""
    )


@get(["/admin/webhook-deliveries.csv", "/admin/webhook-deliveries.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_deliveries(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LOG, binds={"owner": queries.owner_of(who.actor)})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One delivery in a short list."""

    id: str
    at: str
    what: str
    subject: str
    stands: tuple[Standing, str]
    answer: str


def log_rows(items: Iterable[DeliveryOut], now: datetime, say: Words) -> tuple[LogRow, ...]:
    return tuple(
        LogRow(
            id=one.id,
            at=clock_time(one.created_at, "UTC", now, say),
            what=event_in_words(one.type, say),
            subject=one.subject,
            stands=(DELIVERY_STANDING[one.state], say(DELIVERY[one.state])),
            answer=why(one.reason, say) or str(one.last_status or ""),
        )
        for one in items
    )


@get("/admin/webhook-deliveries/{delivery_id:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_delivery(
    request: AnyRequest, who: NamedDependency[SignedIn], delivery_id: FromPath[str]
) -> Response[Any]:
    """One delivery: every try, and the very text that is sent."""
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        found = await queries.delivery(db, actor=who.actor, delivery_id=delivery_id)
        endpoint = await queries.endpoint(db, actor=who.actor, endpoint_id=found.delivery.endpoint, now=now)
    one = found.delivery
    tries = [
        (each.n, f"{each.started_at:%Y-%m-%d %H:%M:%S}", each.took_ms, each.status, why(each.failure, say))
        for each in found.attempts
    ]
    return page(
        request,
        "admin/delivery.html",
        who=who,
        one=one,
        endpoint=endpoint,
        what=event_in_words(one.type, say),
        stands=(DELIVERY_STANDING[one.state], say(DELIVERY[one.state])),
        made=clock_time(one.created_at, "UTC", now, say),
        following=clock_time(one.next_at, "UTC", now, say) if one.next_at else None,
        reason=why(one.reason, say),
        tries=tries,
        body=None if found.body is None else msgspec.json.format(found.body, indent=2),
        again=one.state != "pending" and endpoint.state == "active" and found.body is not None,
    )


@post("/admin/webhook-deliveries/{delivery_id:str}/replay", opt=signed_in(ADMIN), include_in_schema=False)
async def replay_delivery(
    request: AnyRequest, call: NamedDependency[Call], delivery_id: FromPath[str]
) -> Response[Any]:
    """Send one delivery again."""
    await call.act(
        lambda db: service.replay_delivery(db, actor=call.actor, delivery_id=delivery_id, now=call.now), DeliveryOut
    )
    say = Words(call.language)
    return see_other(f"/admin/webhook-deliveries/{delivery_id}", request, say=say("It is sent again."))


HANDLERS = [list_deliveries, export_deliveries, show_delivery, replay_delivery]
