"""Doors to API keys: which there are, making one, whose text is shown once, and revoking one."""

from datetime import timedelta
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text

from app.accounts import queries, service
from app.accounts.guards import Call, keyring_of
from app.accounts.rules import ADMIN, ROLES, Actor
from app.accounts.schemas import KeyIn, KeyOut
from app.core.db import begin, reading
from app.core.errors import Refusal
from app.web.admin.filled import Filled, standing, typed
from app.web.admin.fresh import ask_again
from app.web.admin.scope_choice import scope_fields, scope_in
from app.web.admin.words import KEY, KEY_STANDING, MAY, MUST_NOT, SEES
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.scopes import scope_in_words
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.words import ROLE, clock_time

AnyRequest = Request[Any, Any, Any]
SOON = timedelta(days=14)
LASTS = {"30": "30 days", "90": "90 days", "365": "one year", "never": "until it is revoked"}
STATE = """CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked' WHEN k.expires_at <= :now THEN 'expired'
    WHEN k.expires_at <= :soon THEN 'soon' ELSE 'works' END"""
LIMITS = """nullif(concat_ws(', ', array_to_string(k.customers, ', '), array_to_string(k.areas, ', '),
    array_to_string(k.places, ', ')), '')"""
SESSIONS = text("""
    SELECT count(*) FROM web_session WHERE api_key = :key AND revoked_at IS NULL AND expires_at > :now
""")

KEYS = Listing(
    page="/admin/keys",
    title="API keys",
    source="api_key k",
    where="true",
    id="k.id",
    order="-made_at",
    empty="No key was made yet. A key lets a program, such as a ticketing system, call Sparelane.",
    columns=(
        Column(key="name", label="Name", sql="k.name", href="/admin/keys/{number}", nullable=False),
        Column(key="prefix", label="Begins with", sql="'sl_' || k.prefix || '_'", kind="code", nullable=False),
        Column(key="role", label="Role", sql="k.role", kind="state", words=ROLE, nullable=False),
        Column(key="state", label="State", sql=STATE, kind="state", words=KEY, standing=KEY_STANDING, nullable=False),
        Column(key="limits", label="Limited to", sql=LIMITS),
        Column(key="expires_at", label="Ends", sql="k.expires_at", kind="instant"),
        Column(key="made_at", label="Made on", sql="k.created_at", kind="instant", nullable=False),
        Column(key="number", label="Number", sql="k.id", kind="code", nullable=False, shown=False),
    ),
    filters=(
        Filter(key="search", label="Name or beginning", kind="search", sql="concat_ws(' ', k.name, 'sl_' || k.prefix)"),
        Filter(key="role", label="Role", kind="choice", sql="k.role", words=ROLE),
        Filter(key="state", label="State", kind="choice", sql=STATE, words=KEY),
    ),
)


def moments(request: AnyRequest) -> dict[str, Any]:
    now = request.app.state.clock.now()
    return {"now": now, "soon": now + SOON}


@get("/admin/keys", opt=signed_in(ADMIN), include_in_schema=False)
async def list_keys(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """Which keys there are; never their secrets."""
    return await table_page(request, who, KEYS, "admin/keys.html", binds=moments(request))


@get(["/admin/keys.csv", "/admin/keys.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_keys(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, KEYS, binds=moments(request))


@get("/admin/keys/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_key(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new key."""
    return ask_again(request, who) or await key_form(request, who, standing(role="integration", lasts="365"))


async def key_form(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        scope = await scope_fields(db, actor=who.actor, filled=filled, say=say)
    roles = tuple((one, say(ROLE[one]), say(SEES[one]), say(MAY[one]), say(MUST_NOT[one])) for one in ROLES)
    lasts = tuple((days, say(LASTS[days])) for days in LASTS)
    return page(
        request,
        "admin/key_form.html",
        status=filled.status,
        who=who,
        f=filled,
        scope=scope,
        roles=roles,
        lasts=lasts,
    )


@post("/admin/keys/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_key(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make a key and show its text, this once. The answer holds a secret and so is kept nowhere."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    days = form.text("lasts")
    ends = call.now + timedelta(days=int(days)) if days in LASTS and days != "never" else None
    try:
        new = form.into(KeyIn, **scope_in(form), expires_at=ends)
        async with begin(call.engine) as db:
            made = await service.create_key(db, actor=call.actor, new=new, now=call.now)
    except Refusal as refused:
        return await key_form(request, who, typed(request, form, refused))
    return page(request, "admin/key_shown.html", who=who, made=made)


@get("/admin/keys/{key_id:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_key(request: AnyRequest, who: NamedDependency[SignedIn], key_id: FromPath[str]) -> Response[Any]:
    """One key: what it may do, and revoking it."""
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        key = await queries.key_by_id(db, key_id=key_id)
        behind = Actor(
            id=key.id,
            name=key.name,
            role=key.role,
            customers=None if key.customers is None else frozenset(key.customers),
            areas=None if key.areas is None else frozenset(key.areas),
            places=None if key.places is None else frozenset(key.places),
        )
        scope = await scope_in_words(db, actor=behind, say=say)
        sessions = await db.scalar(SESSIONS, {"key": key_id, "now": now})
    stands = key_state(key, now)
    return page(
        request,
        "admin/key.html",
        who=who,
        key=key,
        scope=scope,
        sessions=sessions,
        stands=(KEY_STANDING[stands], say(KEY[stands])),
        works=stands in ("works", "soon"),
        role=say(ROLE[key.role]),
        sees=say(SEES[key.role]),
        may=say(MAY[key.role]),
        made=clock_time(key.created_at, "UTC", now, say),
        ends=clock_time(key.expires_at, "UTC", now, say) if key.expires_at else None,
    )


def key_state(key: KeyOut, now: Any) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "works"
    return "expired" if key.expires_at <= now else "soon" if key.expires_at <= now + SOON else "works"


@post("/admin/keys/{key_id:str}/revoke", opt=signed_in(ADMIN), include_in_schema=False)
async def revoke_key(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    key_id: FromPath[str],
) -> Response[Any]:
    """End a key at once, and every page that it opened."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    try:
        ended = await call.act(
            lambda db: service.revoke_key(db, actor=call.actor, key_id=key_id, expected_version=None, now=call.now),
            KeyOut,
        )
    finally:
        keyring_of(call.state).forget()
    say = Words(call.language)
    return see_other(f"/admin/keys/{key_id}", request, say=say("The key {name} no longer works.", name=ended.name))


HANDLERS = [list_keys, export_keys, new_key, create_key, show_key, revoke_key]
