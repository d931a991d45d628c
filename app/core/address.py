"""What an address may say: text that the database can hold, and the parameters of its call, each once and as described.

The framework bends a query into shape (`null` for nothing, `1e1` for 10) and takes no notice of names it does not know; a
mistyped filter would then answer with everything.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from litestar import Response, route
from litestar.connection import Request
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import QueryParameter

from app.core.errors import FieldError
from app.core.http import BadParameters

NUMBER = re.compile(r"-?\d{1,18}")
MOST = 100


def check_address(scope: Mapping[str, Any]) -> None:
    """Refuse what no text of ours can hold: NUL or broken UTF-8 in the path or the query (PostgreSQL stores neither)."""
    query = unquote_to_bytes(scope.get("query_string", b""))
    try:
        whole = str(scope.get("path", "")).encode() + query
        whole.decode()
    except UnicodeError as wrong:
        raise BadParameters(errors=[FieldError("address", "field.bad", {"why": "UTF-8"})]) from wrong
    if b"\x00" in whole:
        raise BadParameters(errors=[FieldError("address", "field.bad", {"why": "NUL"})])


def check_query(scope: Mapping[str, Any], handler: BaseRouteHandler) -> None:
    """Refuse a parameter that the call does not know, that comes twice, or that is not of its kind (BadParameters)."""
    raw = scope.get("query_string", b"")
    if not raw:
        return
    known = _parameters(handler)
    given = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
    seen: set[str] = set()
    errors: list[FieldError] = []
    for name, value in given[:MOST]:
        if name not in known:
            errors.append(FieldError(name, "field.unknown"))
        elif name in seen:
            errors.append(FieldError(name, "field.repeated"))
        elif why := _unlike(value, known[name]):
            errors.append(FieldError(name, "field.bad", {"why": why}))
        seen.add(name)
    if errors:
        raise BadParameters(errors=errors)


@lru_cache(1024)
def _parameters(handler: BaseRouteHandler) -> dict[str, Any]:
    """A call's query parameters and their kinds."""
    found = handler.parsed_fn_signature.parameters
    return {
        one.kwarg_definition.name or name: one.annotation
        for name, one in found.items()
        if isinstance(one.kwarg_definition, QueryParameter)
    }


def _unlike(text: str, kind: Any) -> str:
    """Why a text is none of its kind; empty where it is one."""
    kinds = get_args(kind) or (kind,)
    if int in kinds:
        return "" if NUMBER.fullmatch(text) else "Expected `int`"
    if bool in kinds:
        return "" if text in ("true", "false") else "Expected `true` or `false`"
    try:
        msgspec.convert(text, kind)
    except msgspec.ValidationError as wrong:
        return str(wrong)
    return ""


def allowed_methods(handlers: list[Any]) -> HTTPRouteHandler:
    """Answers OPTIONS at every address of the handlers with what may be done there.

    The framework's own answer knows the first handler of an address alone.
    """
    methods: dict[str, set[str]] = {}
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler):
            for path in handler.paths:
                methods.setdefault(path, set()).update(handler.http_methods)
    allow = {re.sub(r"{(\w+):\w+}", r"{\1}", path): sorted({*found, "OPTIONS"}) for path, found in methods.items()}

    @route(sorted(methods), http_method=["OPTIONS"], status_code=204, opt={"roles": None}, include_in_schema=False)
    async def options(request: Request[Any, Any, Any]) -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": ", ".join(allow[request.scope["path_template"]])})

    return options
