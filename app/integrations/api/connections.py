"""Doors to connections, what came in by them, and the tickets they know. Setting up is the admin's."""

from typing import Any

import msgspec
from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER
from app.core.types import Wire, wrong_fields
from app.fulfillment.schemas import RequestIn
from app.integrations import schemas
from app.integrations.providers import providers
from app.integrations.queries import connections as queries
from app.integrations.rules.tickets import NotATicket, Seen, event_of, read_ticket, request_fields, together
from app.integrations.service import connections as service
from app.integrations.service import receiving


class AgainIn(Wire):
    """A verb without fields."""


@get("/v1/providers", opt=allow(ADMIN))
async def list_providers() -> schemas.ProvidersOut:
    """The ready profiles."""
    items = [
        schemas.ProviderOut(
            provider=name, title=one["title"], profile=msgspec.to_builtins(service.checked_profile(name, {}))
        )
        for name, one in providers().items()
    ]
    return schemas.ProvidersOut(items=items)


@post("/v1/connections", opt=allow(ADMIN))
async def create_connection(
    data: JSONBody[schemas.ConnectionIn], call: NamedDependency[Call]
) -> Response[schemas.ConnectionOut]:
    """Connect a ticketing system by a ready profile and what is different here."""
    if data.base_url is not None:
        await call.state.egress.check(data.base_url)
    return await call.write(201, lambda db: service.create_connection(db, actor=call.actor, new=data, now=call.now))


@get("/v1/connections", opt=allow(ADMIN))
async def list_connections(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> schemas.ConnectionsOut:
    """All connections, by code."""
    return await call.read(lambda db: queries.connections(db, now=call.now, cursor=cursor, limit=limit))


@get("/v1/connections/{code:str}", opt=allow(ADMIN))
async def show_connection(code: FromPath[str], call: NamedDependency[Call]) -> schemas.ConnectionOut:
    """One connection with the profile in force; never its secrets."""
    return await call.read(lambda db: queries.connection(db, code=code, now=call.now))


@patch("/v1/connections/{code:str}", opt=allow(ADMIN))
async def change_connection(
    code: FromPath[str], data: JSONBody[schemas.ConnectionPatch], call: NamedDependency[Call]
) -> Response[schemas.ConnectionOut]:
    """Change a connection; `overrides` replaces what was there."""
    if isinstance(data.base_url, str):
        await call.state.egress.check(data.base_url)
    return await call.write(
        200,
        lambda db: service.change_connection(
            db, actor=call.actor, code=code, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/connections/{code:str}/secrets", status_code=200, opt=allow(ADMIN))
async def give_secret(
    code: FromPath[str], data: JSONBody[schemas.SecretIn], call: NamedDependency[Call]
) -> Response[schemas.ConnectionOut]:
    """Give a new secret; the old one still verifies for the overlap."""
    return await call.write(
        200,
        lambda db: service.give_secret(
            db, actor=call.actor, code=code, body=data, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/connections/{code:str}/try", status_code=200, opt=allow(ADMIN))
async def try_payload(
    code: FromPath[str], data: JSONBody[schemas.TryIn], call: NamedDependency[Call]
) -> schemas.TryOut:
    """What the profile reads from a payload, and what would become of it. Keeps nothing."""
    row = await call.read(lambda db: queries.connection_row(db, code=code, now=call.now))
    profile = queries.profile_by(row)
    headers = {name.lower(): value for name, value in data.headers.items()}
    event = event_of(profile, data.payload, headers)
    seen = read_ticket(profile, data.payload, event=event)
    if isinstance(seen, NotATicket):
        return _tried(would="ignored", event=event, reason=seen.why)
    asked = request_fields(profile, together(seen, None), system=code, received_at=call.now)
    plain = msgspec.to_builtins(asked)
    missing = [name for name in ("serial", "part") if name not in seen.known]
    missing += [path for path, _ in wrong_fields(plain, RequestIn)] if not missing else []
    would = "nothing" if seen.status != "open" else "draft" if missing else "request"
    return _tried(would=would, event=event, seen=seen, missing=missing, request=None if missing else plain)


def _tried(
    *,
    would: str,
    event: str | None,
    seen: Seen | None = None,
    missing: list[str] | None = None,
    request: dict[str, Any] | None = None,
    reason: str | None = None,
) -> schemas.TryOut:
    return schemas.TryOut(
        would=f"{would}: {reason}" if reason else would,
        event=event,
        fields=dict(seen.known) if seen else {},
        status=seen.status if seen else None,
        priority=seen.priority if seen else None,
        missing=missing or [],
        request=request,
    )


@get("/v1/hook-receipts", opt=allow(ADMIN, DISPATCHER))
async def list_receipts(
    call: NamedDependency[Call],
    connection: FromQuery[str | None] = None,
    outcome: FromQuery[str | None] = None,
    ticket: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> schemas.ReceiptsOut:
    """What came in, newest first, with what became of it; `outcome` is new, done, ignored or failed."""
    return await call.read(
        lambda db: queries.receipts(db, connection=connection, state=outcome, ticket=ticket, cursor=cursor, limit=limit)
    )


@get("/v1/hook-receipts/{receipt_id:str}", opt=allow(ADMIN))
async def show_receipt(receipt_id: FromPath[str], call: NamedDependency[Call]) -> schemas.ReceiptDetail:
    """One delivery with its raw body."""
    return await call.read(lambda db: queries.receipt(db, receipt_id=receipt_id))


@post("/v1/hook-receipts/{receipt_id:str}/retry", status_code=200, opt=allow(ADMIN, bodyless=True))
async def retry_receipt(
    receipt_id: FromPath[str], data: JSONBody[AgainIn], call: NamedDependency[Call]
) -> Response[schemas.ReceiptOut]:
    """Act again on a delivery that failed or was ignored, as after a mended profile."""
    return await call.write(
        200, lambda db: receiving.try_again(db, actor=call.actor, receipt_id=receipt_id, now=call.now)
    )


@get("/v1/tickets", opt=allow(ADMIN, DISPATCHER))
async def list_tickets(
    call: NamedDependency[Call],
    connection: FromQuery[str | None] = None,
    number: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> schemas.TicketsOut:
    """Tickets as they are known here, with the request or draft each has."""
    return await call.read(
        lambda db: queries.tickets(db, connection=connection, number=number, cursor=cursor, limit=limit)
    )


HANDLERS = [
    list_providers,
    create_connection,
    list_connections,
    show_connection,
    change_connection,
    give_secret,
    try_payload,
    list_receipts,
    show_receipt,
    retry_receipt,
    list_tickets,
]
