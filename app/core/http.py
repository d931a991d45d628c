"""HTTP manners: every failure becomes problem+json with a stable code and a sentence; reasons get their texts here."""

import re
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.errors import BadRequest, FieldError, Forbidden, NotFound, Reason, Refusal
from app.core.i18n import Language, chosen_language, text
from app.core.types import Wire, out_of_time, wrong_fields

log = structlog.get_logger("http")


class FieldErrorOut(Wire):
    """One wrong field."""

    field: str
    code: str
    message: str


class Problem(Wire):
    """RFC 9457 problem details, with a stable `code` and every wrong field."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldErrorOut]
    facts: dict[str, Any]


class ReasonOut(Wire):
    """A reason with its sentence."""

    rule: str
    code: str
    facts: dict[str, Any]
    text: str


class StaleVersion(Refusal):
    """If-Match names a version that is no longer the present one."""

    status, code = 412, "version.stale"


class TooLarge(Refusal):
    """The body is over the limit."""

    status, code = 413, "body.too_large"


class WrongMediaType(Refusal):
    """Bodies are application/json."""

    status, code = 415, "body.not_json"


class Unauthorized(Refusal):
    """No key, or none that counts: wrong, expired and revoked answer alike."""

    status, code = 401, "key.bad"


class TooMany(Refusal):
    """This key calls more often than it may."""

    status, code = 429, "rate.limited"


class Unavailable(Refusal):
    """The database is away or busy; the same request may succeed in a moment."""

    status, code = 503, "db.unavailable"


class Contention(Unavailable):
    """Too many at the same rows, five times in a row."""

    code = "db.contention"


class BrokenJson(BadRequest):
    """The body is no JSON."""

    code = "body.broken"


class BadFields(Refusal):
    """Values do not fit."""

    status, code = 422, "fields.bad"


class BadParameters(BadRequest):
    """Query or path parameters do not fit."""

    code = "parameters.bad"


class WrongMethod(Refusal):
    """The path exists, the method does not."""

    status, code = 405, "method.not_allowed"


class Broken(Refusal):
    """Our fault."""

    status: ClassVar[int] = HTTP_500_INTERNAL_SERVER_ERROR
    code: ClassVar[str] = "internal"


TITLES = {
    400: "Bad request", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 412: "Version is stale", 413: "Too large", 415: "Not JSON", 422: "Values not accepted",
    429: "Too many requests", 500: "Our mistake", 503: "Not available now",
}  # fmt: skip


def reason_out(reason: Reason, language: Language) -> ReasonOut:
    """A reason as the wire shows it."""
    facts = dict(reason.facts)
    return ReasonOut(rule=reason.rule, code=reason.code, facts=facts, text=text(reason.code, facts, language))


def reasons_out(reasons: list[Reason] | tuple[Reason, ...], language: Language) -> list[ReasonOut]:
    return [reason_out(one, language) for one in reasons]


Expected = int | frozenset[int] | None
"""The version, or the versions, that a change may be made on; None for any."""


def check_version(current: int, expected: Expected) -> None:
    """Refuse a write that was made against another version (412)."""
    if expected is not None and current not in ({expected} if isinstance(expected, int) else expected):
        raise StaleVersion(current=current)


def language_of(request: Request[Any, Any, Any]) -> Language:
    return chosen_language(request.headers.get("accept-language"))


def request_id_of(request: Request[Any, Any, Any]) -> str:
    """This request's id: the caller's X-Request-ID where it is sane, else one of ours."""
    known: str | None = request.scope.get("state", {}).get("request_id")
    if known is None:
        given = request.headers.get("x-request-id", "")
        known = given if re.fullmatch(r"[A-Za-z0-9._-]{8,64}", given) else uuid.uuid4().hex
        request.scope.setdefault("state", {})["request_id"] = known
    return known


def problem_response(request: Request[Any, Any, Any], refusal: Refusal) -> Response[bytes]:
    """The one shape of every failure."""
    language = language_of(request)
    errors = [
        FieldErrorOut(field=one.field, code=one.code, message=text(one.code, one.facts, language))
        for one in refusal.errors
    ]
    problem = Problem(
        type=f"/problems/{refusal.code}",
        title=TITLES.get(refusal.status, "Refused"),
        status=refusal.status,
        detail=text(refusal.sentence, refusal.facts, language),
        code=refusal.code,
        request_id=request_id_of(request),
        errors=errors,
        facts={name: value for name, value in refusal.facts.items() if _plain(value)},
    )
    headers = {"Cache-Control": "no-store"}
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        msgspec.json.encode(problem),
        status_code=refusal.status,
        media_type="application/problem+json",
        headers=headers,
    )


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | bool | None) or (
        isinstance(value, list) and all(isinstance(one, str | int | dict) for one in value)
    )


def on_refusal(request: Request[Any, Any, Any], refusal: Refusal) -> Response[bytes]:
    return problem_response(request, refusal)


def on_http_exception(request: Request[Any, Any, Any], exception: HTTPException) -> Response[bytes]:
    """Litestar's own refusals, in our words."""
    answer = problem_response(request, _translated(request, exception))
    if allow := (exception.headers or {}).get("allow"):
        answer.headers["Allow"] = allow
    return answer


def on_exception(request: Request[Any, Any, Any], exception: Exception) -> Response[bytes]:
    """Anything unforeseen: the database's moods as 503, a bug as 500 with its request id in the log."""
    if isinstance(exception, RecursionError):
        return problem_response(request, BrokenJson())
    mood = database_mood(exception)
    if mood is None:
        log.error("bug", request_id=request_id_of(request), path=request.url.path, exc_info=exception)
    return problem_response(request, mood or Broken(request_id=request_id_of(request)))


def database_mood(exception: BaseException) -> Refusal | None:
    """503 for a database that is away, full or busy; None for anything else."""
    if isinstance(exception, PoolTimeout | InterfaceError | OSError | ConnectionError | TimeoutError):
        return Unavailable(retry_after_s=2)
    if isinstance(exception, DBAPIError):
        state = sqlstate(exception)
        if state in ("40001", "40P01", "55P03"):
            return Contention(retry_after_s=1)
        if exception.connection_invalidated or state[:2] in ("08", "57", "53"):
            return Unavailable(retry_after_s=2)
    return None


def sqlstate(exception: DBAPIError) -> str:
    return str(getattr(exception.orig, "sqlstate", None) or "")


def constraint_of(exception: DBAPIError) -> str:
    """The name of the constraint a statement broke, or an empty string."""
    cause = getattr(exception.orig, "__cause__", None)
    return str(getattr(cause, "constraint_name", None) or "")


def _translated(request: Request[Any, Any, Any], exception: HTTPException) -> Refusal:
    match exception.status_code:
        case 400 if isinstance(exception, ValidationException):
            return _bad_values(request, exception)
        case 400:
            return BrokenJson()
        case 401:
            return Unauthorized()
        case 403:
            return Forbidden()
        case 404:
            return NotFound()
        case 405:
            return WrongMethod()
        case 413:
            return TooLarge(limit_mb=10)
        case 415:
            return WrongMediaType()
        case _:
            return Broken(request_id=request_id_of(request))


def _bad_values(request: Request[Any, Any, Any], exception: ValidationException) -> Refusal:
    """All wrong fields of a body (422), or the wrong query or path parameters (400)."""
    handler: Any = request.scope.get("route_handler")
    shape = getattr(getattr(handler, "parsed_data_field", None), "annotation", None)
    body = getattr(request._connection_state, "body", None)
    if shape is not None and isinstance(body, bytes):
        try:
            raw = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return BrokenJson()
        if found := wrong_fields(raw, shape):
            return BadFields(errors=[_field_error(path, message) for path, message in found])
    extra = exception.extra if isinstance(exception.extra, list) else []
    errors = [
        FieldError(str(one.get("key", "")), "field.bad", {"why": str(one.get("message", ""))})
        for one in extra
        if isinstance(one, Mapping)
    ]
    return BadParameters(errors=errors)


def check_strictly(body: bytes, shape: Any) -> None:
    """Refuse what the framework would bend into shape ("1" for 1): the wire's types are meant (BadFields)."""
    try:
        given = msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as wrong:
        found = wrong_fields(msgspec.json.decode(body), shape) or [("", str(wrong))]
        raise BadFields(errors=[_field_error(path, message) for path, message in found]) from wrong
    if late := out_of_time(given):
        raise BadFields(errors=[FieldError(path, "field.out_of_time") for path in late])


def _field_error(path: str, message: str) -> FieldError:
    if message.startswith("field."):
        return FieldError(path, message)
    return FieldError(path, "field.bad", {"why": message})
