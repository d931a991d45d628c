"""Doors to the front page, signing in and out, the choice of language, and the files that pages load."""

import secrets
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath

from app.accounts.guards import PUBLIC
from app.core.db import begin
from app.core.errors import NotFound
from app.core.http import request_id_of
from app.core.i18n import LANGUAGES
from app.web.assets import assets, by_address
from app.web.forms import StaleForm
from app.web.forms import need_own_form as need_own
from app.web.frame import signed_in_by
from app.web.nav import home_of
from app.web.render import LANGUAGE_COOKIE, page, see_other
from app.web.sessions import COOKIE, LASTS, end_session, open_session, signature, signed, signing_secret

FORM_COOKIE = "sparelane_form"
YEAR_S = 365 * 24 * 3600
SMALL_BODY = 16 * 1024


@get("/", opt=PUBLIC, include_in_schema=False)
async def front(request: Request[Any, Any, Any]) -> Response[Any]:
    """What Sparelane is and the sign-in; whoever is signed in goes to work."""
    who = await signed_in_by(request)
    if who is None:
        return await sign_in_page(request)
    home = home_of(who.actor.role)
    return see_other(home) if home is not None else page(request, "home.html", who=who)


@post("/sign-in", opt=PUBLIC, include_in_schema=False, request_max_body_size=SMALL_BODY)
async def sign_in(request: Request[Any, Any, Any]) -> Response[Any]:
    """Trade an API key for a session. Every key that does not count gets the same words."""
    form = await request.form()
    await need_own_form(request, "sign-in", request.cookies.get(FORM_COOKIE, ""), form.get("token"))
    state = request.app.state
    async with begin(state.engine) as db:
        session = await open_session(
            db, presented=str(form.get("key", "")).strip(), now=state.clock.now(), request_id=request_id_of(request)
        )
    if session is None:
        return await sign_in_page(request, status=401, refused=True)
    answer = see_other("/")
    value = signed(await signing_secret(state.engine, state), session)
    answer.set_cookie(cookie(request, COOKIE, value, max_age=int(LASTS.total_seconds())))
    answer.set_cookie(cookie(request, FORM_COOKIE, "", max_age=0))
    return answer


@post("/sign-out", opt=PUBLIC, include_in_schema=False, request_max_body_size=SMALL_BODY)
async def sign_out(request: Request[Any, Any, Any]) -> Response[Any]:
    """End the session here and on the server."""
    who = await signed_in_by(request)
    if who is not None:
        form = await request.form()
        await need_own_form(request, "form", who.session, form.get("token"))
        async with begin(request.app.state.engine) as db:
            await end_session(db, session=who.session, now=request.app.state.clock.now())
    answer = see_other("/")
    answer.set_cookie(cookie(request, COOKIE, "", max_age=0))
    return answer


@get("/language/{language:str}", opt=PUBLIC, include_in_schema=False)
async def choose_language(request: Request[Any, Any, Any], language: FromPath[str]) -> Response[Any]:
    """Keep a language for this browser and go back to where the switch was."""
    if language not in LANGUAGES:
        raise NotFound
    back = request.query_params.get("back", "/")
    answer = see_other(back if own_path(back) else "/")
    answer.set_cookie(cookie(request, LANGUAGE_COOKIE, language, max_age=YEAR_S, same_site="lax"))
    return answer


@get("/static/{name:path}", opt=PUBLIC, include_in_schema=False)
async def static(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file of a page, kept by browsers for ever: its address changes with its content."""
    asset = by_address().get(request.url.path)
    if asset is None:
        raise NotFound
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(asset.content, media_type=asset.media_type, headers=headers)


async def sign_in_page(request: Request[Any, Any, Any], *, status: int = 200, refused: bool = False) -> Response[str]:
    """The form, with a token for this browser's cookie."""
    state = request.app.state
    mark = secrets.token_urlsafe(24)
    token = signature(await signing_secret(state.engine, state), "sign-in", mark)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    answer = page(request, "sign_in.html", status=status, headers=headers, token=token, refused=refused, who=None)
    answer.set_cookie(cookie(request, FORM_COOKIE, mark, max_age=int(LASTS.total_seconds())))
    return answer


async def need_own_form(request: Request[Any, Any, Any], purpose: str, mark: str, given: object) -> None:
    """Refuse a form from another site: its token belongs to a cookie that only this site's pages can send."""
    state = request.app.state
    expected = signature(await signing_secret(state.engine, state), purpose, mark)
    if not mark:
        raise StaleForm
    need_own(request, expected=expected, given=given if isinstance(given, str) else None)


def own_path(path: str) -> bool:
    """Whether a path stays on this site: `//elsewhere` and `/\\elsewhere` do not."""
    return (
        path.startswith("/")
        and not path.startswith("//")
        and path.isascii()
        and path.isprintable()
        and "\\" not in path
    )


def cookie(
    request: Request[Any, Any, Any], name: str, value: str, *, max_age: int, same_site: Any = "strict"
) -> Cookie:
    """A cookie that scripts cannot read, and that travels over TLS alone where the page came over TLS."""
    secure = request.url.scheme == "https"
    return Cookie(name, value=value, path="/", max_age=max_age, httponly=True, samesite=same_site, secure=secure)


@get("/worker.js", opt=PUBLIC, include_in_schema=False)
async def worker() -> Response[bytes]:
    """The script that shows a page of ours when there is no connection; it has to lie at the root."""
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(assets()["worker.js"].content, media_type="text/javascript", headers=headers)


@get("/offline", opt=PUBLIC, include_in_schema=False)
async def offline(request: Request[Any, Any, Any]) -> Response[str]:
    """What a browser shows while it cannot reach us."""
    return page(request, "offline.html", who=None)


HANDLERS = [front, sign_in, sign_out, choose_language, static, worker, offline]
