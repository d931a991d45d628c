"""Doors to the front page, signing in and out, the choice of language, and the files that pages load."""

import re
import secrets
from dataclasses import dataclass
from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.accounts import service
from app.accounts.guards import PUBLIC, prove_person
from app.accounts.rules import address_bucket
from app.accounts.service import TooManyTries
from app.core.db import begin
from app.core.errors import NotFound
from app.core.http import request_id_of
from app.core.i18n import LANGUAGES, Language
from app.web.assets import assets, by_address
from app.web.browsers import browser_named
from app.web.cookies import client_address, cookie, cookie_of, may_sign_in
from app.web.forms import Form, StaleForm, read_form
from app.web.forms import need_own_form as need_own
from app.web.frame import signed_in_by
from app.web.nav import home_of
from app.web.render import LANGUAGE_COOKIE, page, see_other
from app.web.sessions import (
    COOKIE,
    LASTS,
    end_session,
    open_by_key,
    open_by_person,
    signature,
    signed,
    signing_secret,
)

FORM_COOKIE = "sparelane_form"
MARK = re.compile(r"[\w-]{32}", re.ASCII)
YEAR_S = 365 * 24 * 3600
SMALL_BODY = 16 * 1024
CHOICE = "/account/password"

AnyRequest = Request[Any, Any, Any]
Outcome = Literal["", "password", "key", "guessing", "busy", "plain"]
STATUS: dict[Outcome, int] = {"": 200, "password": 401, "key": 401, "guessing": 429, "busy": 429, "plain": 403}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInView:
    """The sign-in as it is shown: what became of the last try, and what was typed as the name."""

    outcome: Outcome = ""
    by_key: bool = False
    login: str = ""
    wait_s: int = 0
    address: str = ""

    @property
    def wait_min(self) -> int:
        return -(-self.wait_s // 60)


@get("/", opt=PUBLIC, include_in_schema=False)
async def front(request: AnyRequest) -> Response[Any]:
    """What Sparelane is and the sign-in; whoever is signed in goes to work."""
    who = await signed_in_by(request)
    if who is None:
        return await sign_in_page(request, SignInView())
    if who.must_change:
        return see_other(CHOICE)
    home = home_of(who.actor.role)
    return see_other(home) if home is not None else page(request, "home.html", who=who)


@get("/sign-in", opt=PUBLIC, include_in_schema=False)
async def to_the_front() -> Response[Any]:
    """Where a reload leads, or an address typed from memory: the sign-in is the front page."""
    return see_other("/")


@post("/sign-in", opt=PUBLIC, include_in_schema=False, request_max_body_size=SMALL_BODY)
async def sign_in(request: AnyRequest) -> Response[Any]:
    """Trade a name and password, or an API key, for a session. Whatever does not count gets the same words."""
    if not may_sign_in(request):
        return await sign_in_page(request, SignInView())
    form = await read_form(request)
    await need_own_form(request, "sign-in", cookie_of(request, FORM_COOKIE) or "", form.text("token"))
    by_key, login = any(name == "key" for name, _ in form.fields), form.text("login") or ""
    try:
        session = await session_by_key(request, form) if by_key else await session_by_password(request, form)
    except TooManyTries as wait:
        outcome: Outcome = "guessing" if wait.facts["guessing"] else "busy"
        view = SignInView(outcome=outcome, by_key=by_key, login=login, wait_s=wait.retry_after_s or 1)
        return await sign_in_page(request, view)
    if session is None:
        return await sign_in_page(
            request, SignInView(outcome="key" if by_key else "password", by_key=by_key, login=login)
        )
    if (before := await signed_in_by(request)) is not None:
        async with begin(request.app.state.engine) as db:
            await end_session(db, session=before.session, now=request.app.state.clock.now())
    answer = await with_session(request, see_other("/"), session)
    answer.set_cookie(cookie(request, FORM_COOKIE, "", max_age=0))
    return answer


async def session_by_password(request: AnyRequest, form: Form) -> str | None:
    """A session for the person whom the form proves; None whatever is wrong with it."""
    state, now = request.app.state, request.app.state.clock.now()
    found = await prove_person(
        state,
        login=form.text("login") or "",
        password=form.text("password") or "",
        address=client_address(request),
        now=now,
    )
    if found is None:
        return None
    async with begin(state.engine) as db:
        return await open_by_person(
            db, user_id=found.id, epoch=found.epoch, browser=browser_of(request), now=state.clock.now()
        )


async def session_by_key(request: AnyRequest, form: Form) -> str | None:
    """A session for a key that counts; None whatever is wrong with it. Failures count against the address."""
    state, now = request.app.state, request.app.state.clock.now()
    async with begin(state.engine) as db:
        number = await service.begin_try(db, address=address_bucket(client_address(request)), login=None, now=now)
    async with begin(state.engine) as db:
        session = await open_by_key(
            db,
            presented=form.text("key") or "",
            browser=browser_of(request),
            now=now,
            request_id=request_id_of(request),
        )
        await service.settle_try(db, number=number, right=session is not None)
    return session


async def with_session(request: AnyRequest, answer: Response[Any], session: str) -> Response[Any]:
    """An answer that gives the browser its session."""
    value = signed(await signing_secret(request.app.state.engine, request.app.state), session)
    answer.set_cookie(cookie(request, COOKIE, value, max_age=int(LASTS.total_seconds())))
    return answer


def browser_of(request: AnyRequest) -> str:
    return browser_named(request.headers.get("user-agent"))


@post("/sign-out", opt=PUBLIC, include_in_schema=False, request_max_body_size=SMALL_BODY)
async def sign_out(request: AnyRequest) -> Response[Any]:
    """End the session here and on the server."""
    who = await signed_in_by(request)
    if who is not None:
        form = await read_form(request)
        need_own(request, expected=who.form_token, given=form.text("token"))
        async with begin(request.app.state.engine) as db:
            await end_session(db, session=who.session, now=request.app.state.clock.now())
    return signed_out(request)


def signed_out(request: AnyRequest) -> Response[Any]:
    """To the front page, without a session."""
    answer = see_other("/")
    answer.set_cookie(cookie(request, COOKIE, "", max_age=0))
    return answer


@get("/language/{language:str}", opt=PUBLIC, include_in_schema=False)
async def choose_language(request: AnyRequest, language: FromPath[str]) -> Response[Any]:
    """Keep a language, for this browser and for whoever is signed in, and go back to where the switch was."""
    chosen: Language | None = next((one for one in LANGUAGES if one == language), None)
    if chosen is None:
        raise NotFound
    who = await signed_in_by(request)
    if who is not None and who.login is not None:
        async with begin(request.app.state.engine) as db:
            await service.choose_language(db, actor=who.actor, language=chosen, now=request.app.state.clock.now())
    back = request.query_params.get("back", "/")
    answer = see_other(back if own_path(back) else "/")
    answer.set_cookie(cookie(request, LANGUAGE_COOKIE, chosen, max_age=YEAR_S, same_site="lax"))
    return answer


@get("/static/{name:path}", opt=PUBLIC, include_in_schema=False)
async def static(request: AnyRequest) -> Response[bytes]:
    """A file of a page, kept by browsers for ever: its address changes with its content."""
    asset = by_address().get(request.url.path)
    if asset is None:
        raise NotFound
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.gzipped, media_type=asset.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.content, media_type=asset.media_type, headers=headers)


async def sign_in_page(request: AnyRequest, view: SignInView) -> Response[str]:
    """The forms, with a token for this browser's cookie; or why nobody can sign in over this connection.

    A browser keeps its cookie from page to page: a form that is open in another tab stays good.
    """
    if not may_sign_in(request):
        view = SignInView(outcome="plain", address=client_address(request) or "?")
    state = request.app.state
    kept = cookie_of(request, FORM_COOKIE) or ""
    mark = kept if MARK.fullmatch(kept) else secrets.token_urlsafe(24)
    token = signature(await signing_secret(state.engine, state), "sign-in", mark)
    headers = {"WWW-Authenticate": "Bearer"} if STATUS[view.outcome] == 401 else {}
    if view.wait_s:
        headers["Retry-After"] = str(view.wait_s)
    answer = page(request, "sign_in.html", status=STATUS[view.outcome], headers=headers, token=token, view=view)
    answer.set_cookie(cookie(request, FORM_COOKIE, mark, max_age=int(LASTS.total_seconds())))
    return answer


async def need_own_form(request: AnyRequest, purpose: str, mark: str, given: str | None) -> None:
    """Refuse a form from another site: its token belongs to a cookie that only this site's pages can send."""
    state = request.app.state
    expected = signature(await signing_secret(state.engine, state), purpose, mark)
    if not mark:
        raise StaleForm
    need_own(request, expected=expected, given=given)


def own_path(path: str) -> bool:
    """Whether a path stays on this site: `//elsewhere` and `/\\elsewhere` do not."""
    return (
        path.startswith("/")
        and not path.startswith("//")
        and path.isascii()
        and path.isprintable()
        and "\\" not in path
    )


@get("/worker.js", opt=PUBLIC, include_in_schema=False)
async def worker() -> Response[bytes]:
    """The script that shows a page of ours when there is no connection; it has to lie at the root."""
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(assets()["worker.js"].content, media_type="text/javascript", headers=headers)


@get("/offline", opt=PUBLIC, include_in_schema=False)
async def offline(request: AnyRequest) -> Response[str]:
    """What a browser shows while it cannot reach us."""
    return page(request, "offline.html", who=None)


HANDLERS = [front, to_the_front, sign_in, sign_out, choose_language, static, worker, offline]
