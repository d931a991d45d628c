"""Doors to the audit trail: every recorded event by subject, type, actor, request and day, and the seal over all of them."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.core.db import reading
from app.core.errors import NotFound
from app.core.events import Event, announce, faults
from app.core.types import Wire
from app.web.admin.event_words import EVENT, event_in_words
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page

AnyRequest = Request[Any, Any, Any]
WHERE = " AND ".join(
    f"(CAST(:scope_{kind}s AS text[]) IS NULL OR e.{kind} = ANY(CAST(:scope_{kind}s AS text[])))"
    for kind in ("customer", "area", "place")
)
SOURCE = "event e LEFT JOIN user_account u ON u.id = e.actor LEFT JOIN api_key k ON k.id = e.actor"
BY = "coalesce(u.name, k.name, e.actor)"
ONE = text(f"""
    SELECT e.*, {BY} AS by_name, s.n AS sealed_n, s.hash AS seal,
        (SELECT p.id FROM event p WHERE p.subject = e.subject AND p.seq < e.seq ORDER BY p.seq DESC LIMIT 1) AS earlier,
        (SELECT p.id FROM event p WHERE p.subject = e.subject AND p.seq > e.seq ORDER BY p.seq LIMIT 1) AS later
    FROM {SOURCE} LEFT JOIN event_seal s ON s.event_seq = e.seq WHERE e.id = :id AND {WHERE}
""")
TOGETHER = text(f"""
    SELECT e.id, e.type, e.subject FROM event e WHERE e.request_id = :request AND e.id <> :id AND e.xid = :xid AND {WHERE}
    ORDER BY e.seq LIMIT 50
""")
CHAIN = text("""
    SELECT (SELECT count(*) FROM event) AS events, (SELECT count(*) FROM event_seal) AS sealed,
        (SELECT max(n) FROM event_seal) AS head,
        (SELECT e.recorded_at FROM event_seal s JOIN event e ON e.seq = s.event_seq ORDER BY s.n DESC LIMIT 1) AS sealed_to,
        (SELECT s.hash FROM event_seal s ORDER BY s.n DESC LIMIT 1) AS head_hash
""")
VERIFIED = text("SELECT recorded_at, data FROM event WHERE type = 'audit.verified' ORDER BY seq DESC LIMIT 1")


class NoSuchEvent(NotFound):
    code = "web.no_such_event"


class VerifiedOut(Wire):
    """How a look at the whole chain went."""

    sealed: int
    faults: int


LIST = Listing(
    page="/admin/audit",
    title="Audit trail",
    source=SOURCE,
    where=WHERE,
    id="e.seq",
    id_type=int,
    order="-recorded_at",
    empty="Nothing was recorded yet.",
    facts={"event": "e.id"},
    columns=(
        Column(
            key="recorded_at",
            label="Recorded",
            sql="e.recorded_at",
            kind="instant",
            href="/admin/audit/{event}",
            nullable=False,
        ),
        Column(key="type", label="What", sql="e.type", kind="state", words=EVENT, nullable=False),
        Column(key="subject", label="Of", sql="e.subject", kind="code", nullable=False),
        Column(key="version", label="Version", sql="e.subject_version", kind="quantity", nullable=False, shown=False),
        Column(key="by", label="By", sql=BY, nullable=False),
        Column(key="request", label="Call", sql="left(e.request_id, 12)", kind="code", nullable=False),
        Column(key="before", label="Hash before", sql="left(e.before_hash, 12)", kind="code", shown=False),
        Column(key="after_hash", label="Hash after", sql="left(e.after_hash, 12)", kind="code", nullable=False),
        Column(key="occurred_at", label="Happened", sql="e.occurred_at", kind="instant", nullable=False, shown=False),
        Column(key="customer", label="Customer", sql="e.customer", shown=False),
        Column(key="area", label="Area", sql="e.area", shown=False),
        Column(key="place", label="Place", sql="e.place", shown=False),
    ),
    filters=(
        Filter(key="subject", label="Of: serial, number, code or id, exactly", kind="is", sql="e.subject"),
        Filter(
            key="search",
            label="Serial, number, id, person or request",
            kind="search",
            sql=f"concat_ws(' ', e.subject, e.id, e.request_id, {BY}, e.actor)",
        ),
        Filter(key="type", label="What", kind="choice", sql="e.type", words=EVENT),
        Filter(key="actor", label="Person, key or duty, by id", kind="is", sql="e.actor"),
        Filter(key="request", label="Request id", kind="is", sql="e.request_id"),
        Filter(key="recorded", label="Recorded (UTC)", kind="dates", sql="CAST(e.recorded_at AS date)"),
    ),
)


@get("/admin/audit", opt=signed_in(ADMIN), include_in_schema=False)
async def list_events(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """Everything that was recorded, the newest first, and how the seal stands."""
    async with reading(request.app.state.engine) as db:
        chain = (await db.execute(CHAIN)).one()
        verified = (await db.execute(VERIFIED)).one_or_none()
    return await table_page(request, who, LIST, "admin/audit.html", chain=chain, verified=verified, at=at)


def at(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"


@get(["/admin/audit.csv", "/admin/audit.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_events(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LIST)


@get("/admin/audit/{event_id:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_event(request: AnyRequest, who: NamedDependency[SignedIn], event_id: FromPath[str]) -> Response[Any]:
    """One event: what it says, who caused it in which request, what stood before, and its place in the chain."""
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        row = (await db.execute(ONE, {"id": event_id, **who.actor.scope})).one_or_none()
        if row is None:
            raise NoSuchEvent(id=event_id)
        binds = {"request": row.request_id, "id": event_id, "xid": row.xid, **who.actor.scope}
        together = (await db.execute(TOGETHER, binds)).all()
    facts = msgspec.json.format(msgspec.json.encode(row.data, order="sorted"), indent=2).decode()
    return page(
        request,
        "admin/event.html",
        who=who,
        event=row,
        what=event_in_words(row.type, say),
        facts=facts,
        together=tuple((one.id, event_in_words(one.type, say), one.subject) for one in together),
        at=at,
    )


@post("/admin/audit/verify", opt=signed_in(ADMIN), include_in_schema=False)
async def verify(request: AnyRequest, call: NamedDependency[Call]) -> Response[Any]:
    """Recompute the whole chain from its first row; that it was looked at is recorded, too."""

    async def look(db: AsyncConnection) -> VerifiedOut:
        found = await faults(db)
        chain = (await db.execute(CHAIN)).one()
        told = {"sealed": chain.sealed, "faults": len(found), "head": chain.head_hash, "first": found[:20]}
        await announce(db, Event(type="audit.verified", subject="event_seal", data=told), by=call.actor, now=call.now)
        return VerifiedOut(sealed=chain.sealed, faults=len(found))

    done, say = await call.act(look, VerifiedOut), Words(call.language)
    if done.faults:
        told = say("{faults} of {sealed} sealed events were changed. Open “audit trail verified” to see which.",
                   faults=done.faults, sealed=done.sealed)  # fmt: skip
    else:
        told = say("All {sealed} sealed events are as they were recorded.", sealed=done.sealed)
    return see_other("/admin/audit", request, say=told)


HANDLERS = [list_events, export_events, show_event, verify]
