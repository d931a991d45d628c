"""The pages' frame: who is signed in and may see a page, and what a failure looks like to a person."""

from typing import Any

import structlog
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.types import Receive, Send

from app.accounts.guards import Call
from app.accounts.rules import Role
from app.core.db import reading
from app.core.errors import BadRequest, Forbidden, NotFound, Refusal
from app.core.http import Broken, database_mood, on_http_exception, request_id_of
from app.core.i18n import text
from app.core.idempotency import once
from app.web.cookies import cookie_of, may_sign_in
from app.web.forms import Form, need_own_form, read_form
from app.web.render import HEADERS, language_of, page
from app.web.sessions import COOKIE, SignedIn, signature, signing_secret, standing_of_session, unsigned

log = structlog.get_logger("web")


class Misunderstood(BadRequest):
    """What was sent to a page makes no sense there."""

    code = "web.misunderstood"


BEFORE_CHANGE = "before_change"
"""The `opt` of the pages that are open before a one-time password is changed."""


NOT_FOR_PEOPLE = ("/v1/", "/hooks/", "/schema")
"""Where programs call; they are answered as programs whatever they accept."""


class SignInFirst(Exception):
    """Nobody is signed in here, or no longer; or the password has to be changed first. The front page knows which."""


def signed_in(*roles: Role) -> dict[str, Any]:
    """The `opt` of a page: the API's guard lets it pass, `admit_page` asks for a session of one of these roles."""
    return {"roles": None, "page_roles": frozenset(roles)}


async def signed_in_by(request: Request[Any, Any, Any]) -> SignedIn | None:
    """Who sends this cookie; None without a session that counts, or over a connection that may carry none."""
    cookie = cookie_of(request, COOKIE) if may_sign_in(request) else None
    if cookie is None:
        return None
    state = request.app.state
    secret = await signing_secret(state.engine, state)
    session = unsigned(secret, cookie)
    if session is None:
        return None
    async with reading(state.engine) as db:
        found = await standing_of_session(db, session=session, now=state.clock.now(), request_id=request_id_of(request))
    if found is None:
        return None
    token = signature(secret, "form", session)
    who = SignedIn(
        found.actor, session, token, found.language, found.login, found.must_change, proven_at=found.proven_at
    )
    request.scope.setdefault("state", {})["signed_in"] = who
    return who


async def admit_page(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of the pages: a session that counts, and a role that may see this page."""
    roles = handler.opt.get("page_roles")
    if roles is None:
        return
    who = await signed_in_by(Request[Any, Any, Any](connection.scope))
    if who is None or (who.must_change and not handler.opt.get(BEFORE_CHANGE)):
        raise SignInFirst
    if who.actor.role not in roles:
        raise Forbidden(role=who.actor.role)


async def provide_who(request: Request[Any, Any, Any]) -> SignedIn:
    """The `who` dependency of every page behind the sign-in."""
    who: SignedIn = request.scope["state"]["signed_in"]
    return who


async def provide_form(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Form:
    """The `form` dependency of every page that is posted to: this session's own form."""
    form = await read_form(request)
    need_own_form(request, expected=who.form_token, given=form.text("token"))
    return form


async def provide_page_call(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Call:
    """The `call` dependency of every page behind the sign-in. A posted form is checked to be this session's own; its
    field `once`, or the header of a form that was kept while offline, is the idempotency key."""
    state, claim = request.app.state, None
    if request.method == "POST":
        form = await provide_form(request, who)
        key = request.headers.get("idempotency-key") or form.text("once")
        claim = once(principal=who.actor.id, route=f"POST {request.url.path}", key=key, body=form.digest())
    return Call(
        engine=state.engine,
        actor=who.actor,
        now=state.clock.now(),
        language=language_of(request),
        matching=None,
        claim=claim,
        wake=state.wake,
        state=state,
    )


def on_sign_in_first(request: Request[Any, Any, Any], _: Exception) -> Response[Any]:
    """A page sends to the sign-in; a fragment or stream is told so, and its page goes there."""
    if "hx-request" in request.headers or request.url.path.endswith("/stream"):
        return Response("", status_code=401, media_type="text/html", headers={**HEADERS, "HX-Redirect": "/"})
    return Response("", status_code=303, media_type="text/html", headers={**HEADERS, "Location": "/"})


def on_page_refusal(request: Request[Any, Any, Any], refusal: Refusal) -> Response[str]:
    """What happened and what to do, in words: as a toast where a page asked for a part, else as a page of its own."""
    language = language_of(request)
    sentence = text(refusal.sentence, refusal.facts, language)
    fields = [text(one.code, one.facts, language) for one in refusal.errors]
    if "hx-request" in request.headers:
        headers = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
        return page(request, "toast.html", status=refusal.status, headers=headers, sentence=sentence, fields=fields)
    who = request.scope.get("state", {}).get("signed_in")
    number = request_id_of(request)
    return page(
        request,
        "error.html",
        status=refusal.status,
        code=refusal.status,
        sentence=sentence,
        fields=fields,
        who=who,
        number=number,
    )


def on_page_http_exception(request: Request[Any, Any, Any], exception: HTTPException) -> Response[str]:
    """The framework's own refusals of a page: what was sent makes no sense here."""
    status = exception.status_code
    if status >= 500:
        return on_page_exception(request, exception)
    return on_page_refusal(request, Misunderstood() if status != 404 else NotFound())


def on_unrouted(request: Request[Any, Any, Any], exception: HTTPException) -> Response[Any]:
    """The framework's refusals where no page answers: a browser that a person mistyped into is shown a page."""
    reads_pages = "text/html" in request.headers.get("accept", "")
    if exception.status_code == 404 and reads_pages and not request.url.path.startswith(NOT_FOR_PEOPLE):
        return Mistyped("", status_code=404)
    return on_http_exception(request, exception)


class Mistyped(Response[str]):
    """The page at an address that leads nowhere. No guard has asked who is signed in there, and a handler of exceptions
    cannot wait for the answer; the sending of a response can: so that whoever is signed in keeps the navigation."""

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        async def answer(scope: Any, receive: Receive, send: Send) -> None:
            request = Request[Any, Any, Any](scope, receive)
            shown: Response[str]
            try:
                await signed_in_by(request)
                shown = on_page_refusal(request, NotFound())
            except Exception as wrong:
                shown = on_page_exception(request, wrong)
            await shown.to_asgi_response(app=None, request=request)(scope, receive, send)

        return answer


def on_page_exception(request: Request[Any, Any, Any], exception: Exception) -> Response[str]:
    """The database away, or a bug of ours, which goes to the log under the number that the page shows."""
    mood = database_mood(exception)
    if mood is None:
        log.error("bug", request_id=request_id_of(request), path=request.url.path, exc_info=exception)
    return on_page_refusal(request, mood or Broken(request_id=request_id_of(request)))
