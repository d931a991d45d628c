"""Doors to people: who there is, making and changing them, one-time passwords, locking out, and their open sessions."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import queries, service
from app.accounts.guards import Call, locksmith_of
from app.accounts.rules import ADMIN, PERSON_ROLES, hashed, one_time_password
from app.accounts.schemas import PasswordReset, UserChange, UserIn, UserOut
from app.core.db import begin, reading
from app.core.errors import Refusal
from app.web.account import ago
from app.web.admin.filled import Filled, standing, typed, version_of
from app.web.admin.fresh import ask_again
from app.web.admin.scope_choice import scope_fields, scope_in, scope_values
from app.web.admin.words import ACCOUNT, ACCOUNT_STANDING, MAY, MUST_NOT, SEES
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn, sessions_of
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.words import ROLE

AnyRequest = Request[Any, Any, Any]
WITHIN = " AND ".join(
    f"(CAST(:scope_{kind} AS text[]) IS NULL OR u.{kind} <@ CAST(:scope_{kind} AS text[]))"
    for kind in ("customers", "areas", "places")
)
STATE = """CASE WHEN u.disabled_at IS NOT NULL THEN 'out' WHEN u.password_hash IS NULL THEN 'none'
    WHEN u.must_change THEN 'once' ELSE 'in' END"""
SEEN = "(SELECT max(s.last_seen_at) FROM web_session s WHERE s.user_account = u.id)"
LIMITS = """nullif(concat_ws(', ', array_to_string(u.customers, ', '), array_to_string(u.areas, ', '),
    array_to_string(u.places, ', ')), '')"""

PEOPLE = Listing(
    page="/admin/people",
    title="People",
    source="user_account u",
    where=WITHIN,
    id="u.id",
    order="name",
    empty="Nobody can sign in by name yet. Make the first person.",
    columns=(
        Column(key="name", label="Name", sql="u.name", href="/admin/people/{person}", nullable=False),
        Column(key="login", label="User name", sql="u.login", kind="code", nullable=False),
        Column(key="role", label="Role", sql="u.role", kind="state", words=ROLE, nullable=False),
        Column(
            key="state",
            label="State",
            sql=STATE,
            kind="state",
            words=ACCOUNT,
            standing=ACCOUNT_STANDING,
            nullable=False,
        ),
        Column(key="limits", label="Limited to", sql=LIMITS),
        Column(key="seen_at", label="Seen last", sql=SEEN, kind="instant"),
        Column(key="made_at", label="Made on", sql="u.created_at", kind="instant", nullable=False, shown=False),
        Column(key="person", label="Number", sql="u.id", kind="code", nullable=False, shown=False),
    ),
    filters=(
        Filter(key="search", label="Name or user name", kind="search", sql="concat_ws(' ', u.name, u.login)"),
        Filter(key="role", label="Role", kind="choice", sql="u.role", words={one: ROLE[one] for one in PERSON_ROLES}),
        Filter(key="state", label="State", kind="choice", sql=STATE, words=ACCOUNT),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleWords:
    """A role as it is explained to whoever gives it."""

    role: str
    name: str
    sees: str
    may: str
    must_not: str


def role_words(say: Words) -> tuple[RoleWords, ...]:
    return tuple(
        RoleWords(
            role=one,
            name=say(ROLE[one]),
            sees=say(SEES[one]),
            may=say(MAY[one]),
            must_not=say(MUST_NOT[one]),
        )
        for one in PERSON_ROLES
    )


def state_of(user: UserOut) -> str:
    if user.disabled_at is not None:
        return "out"
    return "none" if not user.has_password else "once" if user.must_change else "in"


@get("/admin/people", opt=signed_in(ADMIN), include_in_schema=False)
async def list_people(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """Who there is."""
    return await table_page(request, who, PEOPLE, "admin/people.html")


@get(["/admin/people.csv", "/admin/people.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_people(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, PEOPLE)


@get("/admin/people/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_person(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new person."""
    return ask_again(request, who) or await person_form(request, who, standing(role="engineer"))


async def person_form(request: AnyRequest, who: SignedIn, filled: Filled, user: UserOut | None = None) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        scope = await scope_fields(db, actor=who.actor, filled=filled, say=say)
    return page(
        request,
        "admin/person_form.html",
        status=filled.status,
        who=who,
        f=filled,
        user=user,
        roles=role_words(say),
        scope=scope,
    )


@post("/admin/people/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_person(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make a person, and show a one-time password to hand over. Sent twice, it makes one person."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    try:
        new = form.into(UserIn, **scope_in(form))
        made = await call.act(
            lambda db: service.create_user(db, actor=call.actor, new=new, now=call.now),
            UserOut,
        )
    except Refusal as refused:
        return await person_form(request, who, typed(request, form, refused))
    async with reading(request.app.state.engine) as db:
        user = await queries.user_by_id(db, actor=who.actor, user_id=made.id)
    if user.has_password:  # sent twice: what was handed over, or chosen since, must not be taken away
        say = Words(language_of(request))
        told = say("The password was shown once. If it got lost, give a new one.")
        return see_other(f"/admin/people/{made.id}", request, say=told)
    return await password_shown(request, who, made.id, call)


async def password_shown(request: AnyRequest, who: SignedIn, user_id: str, call: Call) -> Response[str]:
    """A fresh one-time password. It is kept nowhere: who loads the page again gets another one."""
    one_time = await locksmith_of(call.state).do(hashed, one_time_password())
    async with begin(call.engine) as db:
        given: PasswordReset = await service.reset_password(
            db, actor=call.actor, user_id=user_id, one_time=one_time, expected_version=None, now=call.now
        )
    return page(request, "admin/password_shown.html", who=who, given=given)


@get("/admin/people/{user_id:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_person(request: AnyRequest, who: NamedDependency[SignedIn], user_id: FromPath[str]) -> Response[Any]:
    """One person: what the role means, the scope, the sessions, and what can be done."""
    if (asked := ask_again(request, who)) is not None:
        return asked
    async with reading(request.app.state.engine) as db:
        user = await queries.user_by_id(db, actor=who.actor, user_id=user_id)
    return await person_page(request, who, user, standing(name=user.name, role=user.role, **scope_values(user)))


async def person_page(request: AnyRequest, who: SignedIn, user: UserOut, filled: Filled) -> Response[str]:
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        scope = await scope_fields(db, actor=who.actor, filled=filled, say=say)
        sessions = await sessions_of(db, owner=user.id, now=now)
    shown = tuple(
        (
            one.browser or say("unknown browser"),
            say("signed in {ago}", ago=ago(one.created_at, now, say)),
            say("last seen {ago}", ago=ago(one.last_seen_at, now, say)),
        )
        for one in sessions
    )
    stands = state_of(user)
    return page(
        request,
        "admin/person.html",
        status=filled.status,
        who=who,
        user=user,
        f=filled,
        scope=scope,
        roles=role_words(say),
        sessions=shown,
        stands=(ACCOUNT_STANDING[stands], say(ACCOUNT[stands])),
        itself=user.id == who.actor.id,
    )


@post("/admin/people/{user_id:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def change_person(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    user_id: FromPath[str],
) -> Response[Any]:
    """Change name, role or scope, from that person's next request on."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    try:
        change = form.into(UserChange, **scope_in(form))
        made = await call.act(
            lambda db: service.change_user(
                db, actor=call.actor, user_id=user_id, change=change, expected_version=version_of(form), now=call.now
            ),
            UserOut,
        )
    except Refusal as refused:
        filled = typed(request, form, refused)
        async with reading(request.app.state.engine) as db:
            user = await queries.user_by_id(db, actor=who.actor, user_id=user_id)
        return await person_page(request, who, user, filled)
    say = Words(call.language)
    return see_other(f"/admin/people/{user_id}", request, say=say("{name} is changed.", name=made.name))


@post("/admin/people/{user_id:str}/password", opt=signed_in(ADMIN), include_in_schema=False)
async def reset_password(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    user_id: FromPath[str],
) -> Response[Any]:
    """Show a one-time password; the old one and all sessions end."""
    return ask_again(request, who, form) or await password_shown(request, who, user_id, call)


Verb = Callable[..., Awaitable[UserOut]]


TOLD: Mapping[str, str] = {
    "disabled": "{name} is locked out.",
    "enabled": "{name} may sign in again.",
    "signed_out": "{name} is signed out everywhere.",
}


async def done(
    request: AnyRequest, who: SignedIn, form: Form, call: Call, user_id: str, verb: Verb, what: str
) -> Response[Any]:
    """Run a verb on a person's account once and tell it, or ask for the password first."""
    if not who.fresh(call.now):
        return ask_again(request, who, form) or see_other("/admin/people")

    async def run(db: AsyncConnection) -> UserOut:
        return await verb(db, actor=call.actor, user_id=user_id, expected_version=version_of(form), now=call.now)

    made, say = await call.act(run, UserOut), Words(call.language)
    return see_other(f"/admin/people/{user_id}", request, say=say(TOLD[what], name=made.name))


@post("/admin/people/{user_id:str}/disable", opt=signed_in(ADMIN), include_in_schema=False)
async def disable_person(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    user_id: FromPath[str],
) -> Response[Any]:
    """Lock somebody out at once."""
    return await done(request, who, form, call, user_id, service.disable_user, "disabled")


@post("/admin/people/{user_id:str}/enable", opt=signed_in(ADMIN), include_in_schema=False)
async def enable_person(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    user_id: FromPath[str],
) -> Response[Any]:
    """Let somebody in again."""
    return await done(request, who, form, call, user_id, service.enable_user, "enabled")


@post("/admin/people/{user_id:str}/end-sessions", opt=signed_in(ADMIN), include_in_schema=False)
async def end_sessions(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    user_id: FromPath[str],
) -> Response[Any]:
    """Sign somebody out everywhere."""
    return await done(request, who, form, call, user_id, service.end_sessions, "signed_out")


HANDLERS = [
    list_people,
    export_people,
    new_person,
    create_person,
    show_person,
    change_person,
    reset_password,
    disable_person,
    enable_person,
    end_sessions,
]
