"""Doors to one's own account: who one is and what one sees, the choice of a password, and one's open sessions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from app.accounts import service
from app.accounts.guards import locksmith_of, prove_person
from app.accounts.queries import Credentials, credentials_by_id
from app.accounts.rules import ROLES, hashed, password_faults, proven
from app.accounts.service import PasswordNotTaken, TooManyTries
from app.core.db import begin, reading
from app.core.errors import FieldError, NotFound
from app.core.i18n import text
from app.web.cookies import client_address
from app.web.forms import Form
from app.web.frame import BEFORE_CHANGE, SignInFirst, signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.scopes import ScopeView, scope_in_words
from app.web.sessions import (
    OpenSession,
    SignedIn,
    end_other_sessions,
    end_own_session,
    open_by_person,
    sessions_of,
)
from app.web.sessions import (
    hashed as session_hash,
)
from app.web.sign_in import CHOICE, SMALL_BODY, browser_of, signed_out, with_session
from app.web.words import ROLE

AnyRequest = Request[Any, Any, Any]
ACCOUNT = "/account"


@dataclass(frozen=True, slots=True)
class SessionView:
    """One open session: its browser, when it was opened and seen last in words, and whether it is this one."""

    mark: str
    browser: str
    opened: str
    seen: str
    here: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """One's account as it is shown. Without a login it is a key's: no password, no language of its own."""

    name: str
    login: str | None
    role: str
    scope: tuple[ScopeView, ...]
    sessions: tuple[SessionView, ...]


@get(ACCOUNT, opt=signed_in(*ROLES), include_in_schema=False)
async def show_account(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[str]:
    """Who one is here."""
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        scope = await scope_in_words(db, actor=who.actor, say=say)
        found = await sessions_of(db, owner=who.actor.id, now=now)
    sessions = tuple(shown(one, who, now, say) for one in found)
    account = AccountView(who.actor.name, who.login, say(ROLE[who.actor.role]), scope, sessions)
    return page(request, "account.html", who=who, account=account)


def shown(one: OpenSession, who: SignedIn, now: datetime, say: Words) -> SessionView:
    return SessionView(
        mark=one.mark,
        browser=one.browser or say("unknown browser"),
        opened=say("signed in {ago}", ago=ago(one.created_at, now, say)),
        seen=say("last seen {ago}", ago=ago(one.last_seen_at, now, say)),
        here=one.mark == session_hash(who.session),
    )


def ago(instant: datetime, now: datetime, say: Words) -> str:
    """How long ago, in words; a session lasts hours, so that no day and no zone is needed."""
    minutes = int((now - instant).total_seconds()) // 60
    if minutes < 2:
        return say("just now")
    return say("{minutes} min ago", minutes=minutes) if minutes < 60 else say("{hours} h ago", hours=minutes // 60)


@post("/account/sessions/end", opt=signed_in(*ROLES), include_in_schema=False, request_max_body_size=SMALL_BODY)
async def end_one(request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form]) -> Response[Any]:
    """End one of one's own sessions; ending this one is signing out."""
    mark = form.text("session") or ""
    async with begin(request.app.state.engine) as db:
        await end_own_session(db, owner=who.actor.id, mark=mark, now=request.app.state.clock.now())
    if mark == session_hash(who.session):
        return signed_out(request)
    say = Words(language_of(request))
    return see_other(ACCOUNT, request, say=say("The session is ended."))


@post("/account/sessions/end-others", opt=signed_in(*ROLES), include_in_schema=False, request_max_body_size=SMALL_BODY)
async def end_others(request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form]) -> Response[Any]:
    """End all of one's sessions but this one."""
    say = Words(language_of(request))
    async with begin(request.app.state.engine) as db:
        await end_other_sessions(db, owner=who.actor.id, session=who.session, now=request.app.state.clock.now())
    return see_other(ACCOUNT, request, say=say("All other sessions are ended."))


@get(CHOICE, opt=signed_in(*ROLES) | {BEFORE_CHANGE: True}, include_in_schema=False)
async def show_password(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The choice of a password; a key has none."""
    return see_other(ACCOUNT) if who.login is None else password_page(request, who)


@post(
    CHOICE,
    opt=signed_in(*ROLES) | {BEFORE_CHANGE: True},
    include_in_schema=False,
    request_max_body_size=SMALL_BODY,
)
async def choose_password(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form]
) -> Response[Any]:
    """Take a new password, which ends all other sessions; this browser gets a new one."""
    login, new = need_login(who), form.text("new") or ""
    faults = password_faults(new, login=login)
    if not faults and form.text("again") != new:
        faults = [FieldError("again", "password.differs")]
    if faults:
        return password_page(request, who, status=422, faults=faults)
    try:
        session = await taken(request, who, current=form.text("current") or "", new=new)
    except TooManyTries as wait:
        return password_page(request, who, status=429, wait_s=wait.retry_after_s or 1)
    except PasswordNotTaken as refused:
        return password_page(request, who, status=422, faults=refused.errors)
    first = "/" if who.must_change else ACCOUNT
    say = Words(language_of(request))
    done = say("Your password is changed. All other sessions are ended.")
    return await with_session(request, see_other(first, request, say=done), session)


async def taken(request: AnyRequest, who: SignedIn, *, current: str, new: str) -> str:
    """Set the password if the present one is proven, and open a session in its epoch; gives that session.

    Whoever has a one-time password has just proven it, and has only to choose another one.
    """
    state = request.app.state
    kept = await still_own(request, who, current=current, new=new)
    made = await locksmith_of(state).do(hashed, new)
    now = state.clock.now()
    async with begin(state.engine) as db:
        await service.set_password(db, actor=who.actor, new=made, now=now)
        after = await credentials_by_id(db, user_id=who.actor.id)
        if after is None or after.epoch != kept.epoch + 1:  # somebody else changed it meanwhile
            raise SignInFirst
        session = await open_by_person(db, user_id=after.id, epoch=after.epoch, browser=browser_of(request), now=now)
    if session is None:
        raise SignInFirst
    return session


async def still_own(request: AnyRequest, who: SignedIn, *, current: str, new: str) -> Credentials:
    """The credentials as proven by the present password; PasswordNotTaken if it is wrong, or is the new one again."""
    state = request.app.state
    if not who.must_change:
        found = await prove_person(
            state,
            login=need_login(who),
            password=current,
            address=client_address(request),
            now=state.clock.now(),
        )
        if found is None:
            raise PasswordNotTaken(errors=[FieldError("current", "password.wrong")])
        same = current == new
    else:
        async with reading(state.engine) as db:
            found = await credentials_by_id(db, user_id=who.actor.id)
        if found is None:
            raise SignInFirst
        same = (await locksmith_of(state).do(proven, new, found.password_hash)).right
    if same:
        raise PasswordNotTaken(errors=[FieldError("password", "password.unchanged")])
    return found


def need_login(who: SignedIn) -> str:
    """The login; a key has none, and no password."""
    if who.login is None:
        raise NotFound
    return who.login


def password_page(
    request: AnyRequest,
    who: SignedIn,
    *,
    status: int = 200,
    faults: list[FieldError] | None = None,
    wait_s: int = 0,
) -> Response[str]:
    """The form, with what was wrong beside the field it was wrong in."""
    language = language_of(request)
    wrong: dict[str, list[str]] = {"current": [], "password": [], "again": []}
    for one in faults or []:
        wrong[one.field].append(text(one.code, one.facts, language))
    headers = {"Retry-After": str(wait_s)} if wait_s else {}
    wait_min = -(-wait_s // 60)
    return page(
        request, "account_password.html", status=status, headers=headers, who=who, wrong=wrong, wait_min=wait_min
    )


HANDLERS = [show_account, end_one, end_others, show_password, choose_password]
