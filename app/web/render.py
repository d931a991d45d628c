"""Templates and words: a finished value becomes a page in the reader's language, with the headers every page carries."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie

from app.core.i18n import LANGUAGES, Language, chosen_language, text, zone_words
from app.web.assets import address_of
from app.web.cookies import cookie, cookie_of, named
from app.web.nav import navigation

LANGUAGE_COOKIE = "sparelane_language"
SAID_COOKIE = "sparelane_said"
TEMPLATES = Path(__file__).parent / "templates"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'; media-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Language",
}


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences in one language. The message id is the English sentence; facts fill its {places}."""

    language: Language

    def __call__(self, message: str, **facts: Any) -> str:
        return text(message, facts, self.language)


def language_of(request: Request[Any, Any, Any]) -> Language:
    """The language kept for the user who is signed in, else the one chosen in this browser, else the browser's own."""
    kept = getattr(request.scope.get("state", {}).get("signed_in"), "language", None)
    if kept is not None:
        return cast("Language", kept)
    chosen = cookie_of(request, LANGUAGE_COOKIE)
    for one in LANGUAGES:
        if one == chosen:
            return one
    return chosen_language(request.headers.get("accept-language"))


@cache
def environment() -> Environment:
    """Templates that escape everything and refuse a name they do not know."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["asset"] = address_of
    made.filters["headed"] = headed
    made.filters["zone"] = zone
    return made


def headed(words: str) -> str:
    """Words of a running text as the head of a column or field: its first letter large."""
    return words[:1].upper() + words[1:]


@pass_context
def zone(context: Context, name: str) -> str:
    """A time zone as the reader calls it."""
    return str(zone_words(name, context["language"]))


def rendered(template: str, language: Language, /, **view: Any) -> str:
    """The HTML of a template."""
    say = Words(language)
    return environment().get_template(template).render(language=language, _=say, **view)


def page(
    request: Request[Any, Any, Any],
    template: str,
    /,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    who: Any = None,
    **view: Any,
) -> Response[str]:
    """A whole page or a fragment, in the reader's language, under the policy that lets nothing leave the host."""
    language, said = language_of(request), _said(request)
    html = rendered(
        template,
        language,
        here=request.url.path,
        who=who,
        entries=navigation(who.actor.role, request.url.path, Words(language)) if who else (),
        said=said,
        once=secrets.token_urlsafe(16),
        **view,
    )
    answer = Response(html, status_code=status, media_type=MediaType.HTML, headers={**HEADERS, **(headers or {})})
    if said is not None:
        for name in {SAID_COOKIE, named(request, SAID_COOKIE)}:
            answer.set_cookie(Cookie(name, value="", path="/", max_age=0, secure=name != SAID_COOKIE))
    return answer


def see_other(path: str, request: Request[Any, Any, Any] | None = None, *, say: str | None = None) -> Response[Any]:
    """Send the browser to a page of ours. `say` is what was done, in words: the next page shows it once."""
    fragment = request is not None and "hx-request" in request.headers
    where = {"HX-Redirect": path} if fragment else {"Location": path}
    answer = Response("", status_code=200 if fragment else 303, media_type=MediaType.HTML, headers={**HEADERS, **where})
    if say is not None:
        value = urlsafe_b64encode(json.dumps(say).encode()).decode()
        plain = Cookie(SAID_COOKIE, value=value, path="/", max_age=60, httponly=True, samesite="strict")
        answer.set_cookie(cookie(request, SAID_COOKIE, value, max_age=60) if request is not None else plain)
    return answer


def toast(request: Request[Any, Any, Any], sentence: str) -> Response[str]:
    """What was done, said on the page that asked for it, which stays as it is."""
    headers = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
    return page(request, "toast.html", headers=headers, sentence=sentence, fields=[], done=True)


def _said(request: Request[Any, Any, Any]) -> str | None:
    """What the page before left to be said; a fragment leaves it to the next whole page."""
    value = cookie_of(request, SAID_COOKIE) or request.cookies.get(SAID_COOKIE)
    if not value or "hx-request" in request.headers:
        return None
    try:
        return str(json.loads(urlsafe_b64decode(value)))[:300]
    except ValueError:
        return None
