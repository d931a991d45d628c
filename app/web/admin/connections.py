"""Doors to connections with ticketing systems: which there are, making one, trying a payload, and what came in by it."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.core.db import reading
from app.core.errors import Refusal
from app.integrations.providers import providers
from app.integrations.queries import connections as queries
from app.integrations.rules.delivery import new_secret
from app.integrations.rules.tickets import NotATicket, event_of, read_ticket
from app.integrations.schemas import ConnectionIn, ConnectionOut, ConnectionPatch, ReceiptOut
from app.integrations.service import connections as service
from app.integrations.service import receiving
from app.web.admin.filled import Filled, standing, typed
from app.web.admin.fresh import ask_again
from app.web.admin.words import CAME_OF, OUTCOME, OUTCOME_STANDING, SWITCH, SWITCH_STANDING
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.words import clock_time

AnyRequest = Request[Any, Any, Any]


def _came_of(outcome: str | None, say: Words) -> str:
    """What came of a ticket, in words; a code without words stands for itself."""
    if outcome is None:
        return ""
    return say(CAME_OF[outcome]) if outcome in CAME_OF else outcome


@get("/admin/connections", opt=signed_in(ADMIN), include_in_schema=False)
async def list_connections(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """Which systems are connected, and how each stands."""
    state, say = request.app.state, Words(language_of(request))
    async with reading(state.engine) as db:
        found = await queries.connections(db, now=state.clock.now(), cursor=None, limit=200)
    rows = [(one, (SWITCH_STANDING[one.state], say(SWITCH[one.state]))) for one in found.items]
    return page(request, "admin/connections.html", who=who, rows=rows)


@get("/admin/connections/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_connection(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new connection, with a secret to be put into the other system."""
    empty = standing(provider="generic", language=language_of(request), verify_secret=new_secret())
    return ask_again(request, who) or connection_form(request, who, empty)


def connection_form(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[Any]:
    known = tuple((name, str(one["title"])) for name, one in providers().items())
    languages = (("en", "English"), ("zh-CN", "中文"))
    return page(
        request,
        "admin/connection_form.html",
        status=filled.status,
        who=who,
        f=filled,
        providers=known,
        languages=languages,
    )


@post("/admin/connections/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_connection(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Connect; then the address that the other system posts to is shown."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    try:
        new = form.into(ConnectionIn)
        if new.base_url is not None:
            await call.state.egress.check(new.base_url)
        made = await call.act(
            lambda db: service.create_connection(db, actor=call.actor, new=new, now=call.now), ConnectionOut
        )
    except Refusal as refused:
        return connection_form(request, who, typed(request, form, refused))
    say = Words(call.language)
    return see_other(
        f"/admin/connections/{made.code}", request, say=say("Connected. Now let the other system post here.")
    )


@get("/admin/connections/{connection:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_connection(
    request: AnyRequest, who: NamedDependency[SignedIn], connection: FromPath[str]
) -> Response[Any]:
    """One connection: where to post, what came in lately and what became of it."""
    return await connection_page(request, who, connection)


async def connection_page(
    request: AnyRequest, who: SignedIn, code: str, *, payload: str = "", tried: Any = None
) -> Response[Any]:
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        shown = await queries.connection(db, code=code, now=now)
        came = await queries.receipts(db, connection=code, state=None, ticket=None, cursor=None, limit=30)
    base = state.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    receipts = [
        (
            one,
            clock_time(one.received_at, "UTC", now, say),
            (OUTCOME_STANDING[one.state], say(OUTCOME[one.state])),
            _came_of(one.outcome, say),
        )
        for one in came.items
    ]
    return page(
        request,
        "admin/connection.html",
        who=who,
        one=shown,
        title=str(providers()[shown.provider]["title"]),
        address=f"{base}{shown.hook}",
        stands=(SWITCH_STANDING[shown.state], say(SWITCH[shown.state])),
        receipts=receipts,
        payload=payload,
        tried=tried,
    )


@post("/admin/connections/{connection:str}/try", status_code=200, opt=signed_in(ADMIN), include_in_schema=False)
async def try_payload(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    connection: FromPath[str],
) -> Response[Any]:
    """What would be read from a payload; nothing is kept."""
    say, payload = Words(call.language), form.text("payload") or ""
    row = await call.read(lambda db: queries.connection_row(db, code=connection, now=call.now))
    profile = queries.profile_by(row)
    try:
        document = msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.DecodeError:
        return await connection_page(request, who, connection, payload=payload, tried=say("That is no JSON object."))
    seen = read_ticket(profile, document, event=event_of(profile, document, {}))
    if isinstance(seen, NotATicket):
        told = say("It would be ignored: {why}.", why=seen.why)
    else:
        told = " · ".join(f"{name}: {value}" for name, value in seen.known.items())
    return await connection_page(request, who, connection, payload=payload, tried=told)


@post("/admin/connections/{connection:str}/switch", opt=signed_in(ADMIN), include_in_schema=False)
async def switch_connection(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    connection: FromPath[str],
) -> Response[Any]:
    """Let it in again, or not any more."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    change = form.into(ConnectionPatch)
    await call.act(
        lambda db: service.change_connection(
            db, actor=call.actor, code=connection, change=change, expected_version=None, now=call.now
        ),
        ConnectionOut,
    )
    say = Words(call.language)
    return see_other(f"/admin/connections/{connection}", request, say=say("Changed."))


@post("/admin/connections/{connection:str}/again/{receipt:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def act_again(
    request: AnyRequest, call: NamedDependency[Call], connection: FromPath[str], receipt: FromPath[str]
) -> Response[Any]:
    """Act once more on what failed or was ignored."""
    await call.act(lambda db: receiving.try_again(db, actor=call.actor, receipt_id=receipt, now=call.now), ReceiptOut)
    say = Words(call.language)
    return see_other(f"/admin/connections/{connection}", request, say=say("It is looked at again."))


HANDLERS = [
    list_connections,
    new_connection,
    create_connection,
    show_connection,
    try_payload,
    switch_connection,
    act_again,
]
