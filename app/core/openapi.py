"""The API's description: what the framework finds of paths and parameters, with our own shapes, refusals and manners."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, get_args, get_origin

import msgspec
from litestar import Litestar, Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from app.core.etags import is_single
from app.core.http import Problem

REF = "#/components/schemas/{name}"
TAG = '((W/)?"[0-9]{1,18}(-[0-9a-f]{16})?"|[0-9]{1,18})'
READS = {
    "400": "Not understood: a bad cursor, parameter or header.",
    "401": "No key, or none that counts.",
    "403": "Not this role's to do.",
    "404": "Nothing by that name that this key may see.",
    "429": "An integration's key calls too often; Retry-After says when to call again.",
    "503": "The database is away or busy; the same request may succeed in a moment.",
}
WRITES = READS | {
    "409": "The present state does not allow it, or the same Idempotency-Key is being worked on.",
    "412": "If-Match names a version that is no longer the present one.",
    "413": "The body is over 10 MB.",
    "415": "The body is not said to be JSON.",
    "422": "A value is not accepted; every wrong field is listed. Or the Idempotency-Key came with another body before.",
}
MANNERS = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Kept 7 days: the same key and body give the same answer and one effect.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    },
    {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The version the change was made on, or the ETag that came with it; another present version is 412.",
        "schema": {"type": "string", "pattern": f"^(\\*|{TAG}(, ?{TAG})*)$"},
    },
)
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an answer one has; 304 without a body if it is still the present one.",
    "schema": {"type": "string"},
}
ETAG = {
    "ETag": {
        "description": "Of this very answer; goes into If-None-Match, and into If-Match of a change.",
        "schema": {"type": "string", "pattern": '^"([0-9]+-)?[0-9a-f]{16}"$'},
    }
}
KEPT_NOT = ("create_key", "create_endpoint", "rotate_secret", "reset_password")
UNVERSIONED = (
    "accept_revision", "cancel_receipt", "close_period", "order_opening", "order_shift",
    "ping_endpoint", "replay_delivery", "replay_range", "retry_receipt", "reverse_charge", "unpin_line",
)  # fmt: skip
"""Changes of one thing that take no If-Match: it has no version, or ends by this."""


class Description(JsonRenderPlugin):
    """Serves the description, made once for each application."""

    def __init__(self) -> None:
        super().__init__(path=["/", "/openapi.json"])

    @cached_property
    def _made(self) -> dict[int, bytes]:
        return {}

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        key = id(request.app)
        if key not in self._made:
            self._made[key] = msgspec.json.encode(described(request.app, openapi_schema))
        return self._made[key]


def description() -> OpenAPIConfig:
    """Where the description is served, and how one proves oneself."""
    return OpenAPIConfig(
        title="Sparelane",
        version="1",
        path="/schema",
        render_plugins=[Description()],
        operation_id_creator=operation_id,
        components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"key": []}],
    )


def operation_id(handler: HTTPRouteHandler, *_: Any) -> str:
    """Handlers' names are unique, short and say what happens: they name the operations too."""
    return handler.handler_name.rpartition(".")[2]


def described(app: Litestar, found: dict[str, Any] | None = None) -> dict[str, Any]:
    """The whole description: OpenAPI 3.1, with every shape as it is on the wire and every refusal it may meet."""
    document = dict(found or app.openapi_schema.to_schema())
    shapes = _Shapes(app)
    paths: dict[str, Any] = {}
    for path, method, handler in _operations(app):
        written = path if path in document["paths"] else re.sub(r"{(\w+):\w+}", r"{\1}", path)
        operation = document["paths"].get(written, {}).get(method)
        if operation is not None:
            paths.setdefault(written, {})[method] = _operation(operation, written, method, handler, shapes)
    document["paths"] = paths
    document["components"] = {
        "schemas": shapes.components,
        "securitySchemes": document.get("components", {}).get("securitySchemes", {}),
    }
    return document


def _operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every described handler: its path with plain parameters, and its method."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if handler.resolve_include_in_schema():
                for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                    yield route.path_format, method.lower(), handler


class _Shapes:
    """Schemas of all bodies and answers, made together so that shapes of one name are told apart."""

    def __init__(self, app: Litestar) -> None:
        types = [Problem]
        for _, _, handler in _operations(app):
            types += [one for one in (body_of(handler), answer_of(handler)) if one is not None]
        unique = list(dict.fromkeys(types))
        schemas, components = msgspec.json.schema_components(unique, ref_template=REF)
        self._by_type = {kind: _portable(schema) for kind, schema in zip(unique, schemas, strict=True)}
        self.components = {
            _plain_name(name): _portable(one) | {"title": _plain_name(name)} for name, one in sorted(components.items())
        }

    def of(self, kind: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._by_type[kind]
        return found


def body_of(handler: HTTPRouteHandler) -> Any:
    field = handler.parsed_data_field
    return None if field is None else field.annotation


def answer_of(handler: HTTPRouteHandler) -> Any:
    """The shape a handler answers with, out of `Response[Shape]`; None for raw answers."""
    found = handler.parsed_fn_signature.return_type.annotation
    if get_origin(found) is Response:
        found = get_args(found)[0]
    return None if found in (bytes, Any) else found


def _portable(schema: Any) -> Any:
    """A schema as every tool reads it: patterns without Python's own anchor and half surrogates (JSON text holds none
    anyway), pairs as short arrays, and shapes of one name told apart by their wing."""
    if isinstance(schema, list):
        return [_portable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _portable(one) for name, one in schema.items()}
    if isinstance(made.get("pattern"), str):
        made["pattern"] = made["pattern"].replace("\\Z", "$").replace("\\ud800-\\udfff", "")
    if isinstance(made.get("$ref"), str):
        made["$ref"] = REF.format(name=_plain_name(made["$ref"].rpartition("/")[2]))
    if made.get("items") is False and made.get("prefixItems"):
        made["items"] = made.pop("prefixItems")[0]
    return made


def _plain_name(name: str) -> str:
    """`app.billing.schemas.PriceOut` as `BillingPriceOut`; a name without a path as it is."""
    parts = name.split(".")
    return name if len(parts) < 3 else parts[1].capitalize() + parts[-1]


def _operation(
    found: dict[str, Any], path: str, method: str, handler: HTTPRouteHandler, shapes: _Shapes
) -> dict[str, Any]:
    words = (handler.fn.__doc__ or "").strip()
    writes = method != "get" and not _asks(found)
    made = {
        "operationId": found["operationId"],
        "summary": words.partition("\n")[0] or found["operationId"].replace("_", " ").capitalize(),
        "tags": [path.split("/")[2] if path.count("/") > 1 else "api"],
        "parameters": [_parameter(one) for one in found.get("parameters", ())],
        "responses": _responses(found, method, handler, shapes),
    }
    if method == "get" and is_single(answer_of(handler)):
        made["parameters"].append(dict(IF_NONE_MATCH))
    if method != "get":
        made["parameters"] += _manners(made["operationId"], path, method) if writes else []
        body = body_of(handler)
        if body is not None:
            content = {"application/json": {"schema": shapes.of(body)}}
            made["requestBody"] = {"required": not handler.opt.get("bodyless", False), "content": content}
    return made


def _manners(name: str, path: str, method: str) -> list[dict[str, Any]]:
    """The headers that a change takes: a key where its answer may be kept, a version where it concerns one thing."""
    key, version = (dict(one) for one in MANNERS)
    concerns_one = ("{" in path or method == "put") and name not in UNVERSIONED
    return [key] * (name not in KEPT_NOT) + [version] * concerns_one


def _asks(found: dict[str, Any]) -> bool:
    """Questions that are asked by POST for their size: they change nothing, so no key is kept for them."""
    return found["operationId"] in ("promise", "preview", "check_warranty", "try_payload")


def _parameter(found: dict[str, Any]) -> dict[str, Any]:
    """A parameter by its plain schema: what may be left out is left out, null is no word of an address."""
    schema = dict(found["schema"])
    options = [one for one in schema.pop("oneOf", ()) if one.get("type") != "null"]
    schema = {name: one for name, one in schema.items() if name != "default" or one is not None}
    plain = {**options[0], **schema} if options else schema
    if found["in"] == "path":
        plain |= {"minLength": 1, "pattern": "^[^/\\x00]+$"}
    kept = ("name", "in", "required", "description")
    return {name: found[name] for name in kept if name in found} | {"schema": _portable(plain)}


def _responses(found: dict[str, Any], method: str, handler: HTTPRouteHandler, shapes: _Shapes) -> dict[str, Any]:
    good = next((code for code in found["responses"] if code.startswith("2")), "200")
    answer = answer_of(handler)
    done: dict[str, Any] = {"description": "Done."}
    done["content"] = {"application/json": {"schema": {} if answer is None else shapes.of(answer)}}
    same: dict[str, Any] = {}
    if is_single(answer) and (method == "get" or "version" in answer.__struct_fields__):
        done["headers"] = ETAG
    if is_single(answer) and method == "get":
        same = {"304": {"description": "What If-None-Match names is still the present answer.", "headers": ETAG}}
    refusals = READS if method == "get" else WRITES
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}}
    return {good: done, **same} | {code: {"description": words, "content": problem} for code, words in refusals.items()}
