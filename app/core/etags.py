"""Entity tags: every single thing is answered with a tag, asked for again by it, and changed only as it was seen.

A tag is the thing's version and a digest of the very answer (its language, and what its asker may see), as in
`"3-9f86d081884c7d65"`. A change rests on the version alone, so the tag of any answer will do, and so will the bare version.
"""

import hashlib
import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.response.base import ASGIResponse

from app.core.errors import FieldError
from app.core.http import BadParameters

PASSING = re.compile(rb'"seconds_left":-?\d+')
"""What runs down by itself is no change; `due_at` beside it says the same."""
ONE = r'(?:\d{1,18}|(?:W/)?"[\x21\x23-\x7e\x80-\xff]*")'
LISTED = re.compile(rf"\s*{ONE}(?:\s*,\s*{ONE})*\s*")
OURS = re.compile(r'(?:W/)?"?(\d{1,18})(?:-[0-9a-f]{16})?"?')
KEPT_BY_THE_ASKER = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Language"}


class _Versioned(msgspec.Struct):
    """The version of an answer that has one."""

    version: int | None = None


def if_match_of(request: Request[Any, Any, Any]) -> frozenset[int] | None:
    """The versions in If-Match (`3`, `"3"`, a tag of ours, or several); None without the header or with `*`.

    A tag that is none of ours matches no version. What is no tag is BadParameters.
    """
    raw = _whole(request, "if-match")
    if raw is None or raw.strip() == "*":
        return None
    if not LISTED.fullmatch(raw):
        raise BadParameters(errors=[FieldError("If-Match", "field.not_version")])
    return frozenset(int(found[1]) for one in re.findall(ONE, raw) if (found := OURS.fullmatch(one)))


def entity_tag(body: bytes, version: int | None) -> str:
    """The strong tag of one JSON answer."""
    digest = hashlib.blake2b(PASSING.sub(b"", body), digest_size=8).hexdigest()
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def tag_of_written(body: bytes) -> str | None:
    """The tag of what a change answers with; None where that has no version."""
    if not body.startswith(b"{"):
        return None
    version = msgspec.json.decode(body, type=_Versioned).version
    return None if version is None else entity_tag(body, version)


def is_single(shape: Any) -> bool:
    """Whether answers of this shape are one thing, not a page of many."""
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct) and "items" not in shape.__struct_fields__


class Answer(Response[Any]):
    """What a door of the API gives: one thing goes out with its tag, or as 304 to whoever has it already."""

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **more: Any) -> ASGIResponse:
        if request.method == "GET" and is_single(type(self.content)) and request.url.path.startswith("/v1/"):
            body = msgspec.json.encode(self.content)
            tag = entity_tag(body, getattr(self.content, "version", None))
            self.headers |= KEPT_BY_THE_ASKER | {"ETag": tag}
            self.content = body
            if _has(request, tag):
                self.content, self.status_code = b"", 304
        return super().to_asgi_response(app, request, **more)


def _has(request: Request[Any, Any, Any], tag: str) -> bool:
    """Whether If-None-Match names this very answer; weak tags count, since whoever packs an answer weakens its tag."""
    raw = _whole(request, "if-none-match")
    if raw is None:
        return False
    return raw.strip() == "*" or tag in re.findall(r'"[^"]*"', raw)


def _whole(request: Request[Any, Any, Any], name: str) -> str | None:
    """A list header as one line, also where it came in several."""
    lines = request.headers.getall(name, [])
    return ", ".join(lines) if lines else None
