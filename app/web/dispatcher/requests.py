"""The list of part requests, open and past: found, filtered, sorted, saved and exported."""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE
from app.fulfillment.queries.requests import SCOPED, scope_of
from app.web.dispatcher.escalations import STATE
from app.web.frame import signed_in
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.views import Standing
from app.web.words import HOLD, PRIORITY

ROLES = (ADMIN, DISPATCHER, ENGINEER, FINANCE)
LEVEL: Mapping[str, str] = {str(key): words for key, words in PRIORITY.items()}
KEPT: Mapping[str, str] = {"open": "still to keep", "kept": "kept", "missed": "missed", "ended": "given up"}
KEPT_STANDING: Mapping[str, Standing] = {"kept": "ok", "missed": "late", "open": "paused"}
MISSED = """EXISTS (SELECT FROM request_step t WHERE t.request = r.id AND t.verb = 'escalated'
    AND t.details ->> 'level' = 'breach' AND t.details ->> 'clock' IN ('local', 'national'))"""
KEPT_SQL = f"""CASE WHEN {MISSED} THEN 'missed' WHEN r.state IN ('canceled', 'lost') THEN 'ended'
    WHEN r.state = 'confirmed' THEN 'kept' ELSE 'open' END"""
HELD = "(SELECT w.on_hold FROM request_watch w WHERE w.request = r.id)"


def of_lines(what: str) -> str:
    """Something of a request's lines, in their order, told as one text."""
    return f"(SELECT string_agg(DISTINCT {what}, ', ') FROM request_line l WHERE l.request = r.id)"


REQUESTS = Listing(
    page="/requests",
    title="Requests",
    source="part_request r JOIN site s ON s.code = r.site",
    where=SCOPED,
    id="r.id",
    order="-asked_at",
    empty="Nothing was asked for yet. Requests come from engineers, and from tickets through a connection.",
    facts={"zone": "s.timezone", "currency": "r.currency", "request_id": "r.id"},
    columns=(
        Column(key="asked_at", label="Asked", sql="r.accepted_at", kind="instant", nullable=False),
        Column(
            key="request",
            label="Request",
            sql="coalesce(r.ticket_number, right(r.id, 8))",
            kind="link",
            href="/requests/{request_id}",
            nullable=False,
        ),
        Column(key="state", label="State", sql="r.state", kind="state", words=STATE, nullable=False),
        Column(key="priority", label="Priority", sql="r.priority", kind="state", words=LEVEL, nullable=False),
        Column(
            key="promise",
            label="Promise",
            sql=KEPT_SQL,
            kind="state",
            words=KEPT,
            standing=KEPT_STANDING,
            nullable=False,
        ),
        Column(
            key="due_at",
            label="Due",
            sql="(SELECT min(l.due_at) FROM request_line l WHERE l.request = r.id)",
            kind="instant",
        ),
        Column(key="site", label="Site", sql="s.name", nullable=False),
        Column(key="customer", label="Customer", sql="r.customer", nullable=False, shown=False),
        Column(key="contract", label="Contract", sql="r.contract", nullable=False, shown=False),
        Column(key="area", label="Service area", sql="r.area", shown=False),
        Column(key="device", label="Device", sql="r.device_serial", kind="code", href="/devices/{device}"),
        Column(key="part", label="Part", sql=of_lines("l.supplied_part_number"), kind="code", sorts=False),
        Column(key="source", label="From", sql=of_lines("l.source"), sorts=False),
        Column(key="hold", label="Waits for", sql=HELD, kind="state", words=HOLD, sorts=False, shown=False),
        Column(
            key="price",
            label="Price",
            sql="(SELECT CAST(sum(l.gross_minor) AS bigint) FROM request_line l WHERE l.request = r.id)",
            kind="money",
            sums=True,
            shown=False,
        ),
        Column(key="number", label="Request number", sql="r.id", kind="code", nullable=False, shown=False),
    ),
    filters=(
        Filter(
            key="search",
            label="Ticket, request, site, customer, device or part",
            kind="search",
            sql=f"concat_ws(' ', r.ticket_number, r.id, s.name, s.code, r.customer, r.device_serial, "
            f"{of_lines('l.supplied_part_number')})",
        ),
        Filter(key="state", label="State", kind="choice", sql="r.state", words=STATE),
        Filter(key="priority", label="Priority", kind="choice", sql="r.priority", words=LEVEL),
        Filter(key="promise", label="Promise", kind="choice", sql=KEPT_SQL, words=KEPT),
        Filter(key="area", label="Service area", kind="is", sql="r.area"),
        Filter(key="customer", label="Customer", kind="is", sql="r.customer"),
        Filter(key="asked", label="Asked", kind="dates", sql="CAST(r.accepted_at AT TIME ZONE s.timezone AS date)"),
    ),
)


@get("/requests", opt=signed_in(*ROLES), include_in_schema=False)
async def show_requests(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """Every request that the reader may see, newest first; an engineer's are his or her own."""
    return await table_page(request, who, REQUESTS, "dispatcher/requests.html", binds=scope_of(who.actor))


@get(["/requests.csv", "/requests.xlsx"], opt=signed_in(*ROLES), include_in_schema=False)
async def export_requests(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, REQUESTS, binds=scope_of(who.actor))


HANDLERS = [show_requests, export_requests]
