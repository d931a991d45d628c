"""Templates and words: a finished value becomes a page in the reader's language, with the headers every page carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response

from app.core.i18n import LANGUAGES, Language, chosen_language, text
from app.web.assets import address_of

LANGUAGE_COOKIE = "sparelane_language"
TEMPLATES = Path(__file__).parent / "templates"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
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
    """The language chosen on a page, else the browser's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
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
    return made


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
    **view: Any,
) -> Response[str]:
    """A whole page or a fragment, in the reader's language, under the policy that lets nothing leave the host."""
    html = rendered(template, language_of(request), here=request.url.path, **view)
    return Response(html, status_code=status, media_type=MediaType.HTML, headers={**HEADERS, **(headers or {})})
