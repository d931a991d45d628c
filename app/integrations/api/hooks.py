"""The door for deliveries from outside: verified by their raw bytes, kept, answered; acted on afterwards."""

from collections import Counter
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, post
from litestar.params import FromPath

from app.accounts.guards import PUBLIC
from app.core.db import begin, reading
from app.core.errors import BadRequest, Refusal
from app.core.http import WrongMediaType
from app.integrations.queries.connections import gate
from app.integrations.rules.tickets import event_of
from app.integrations.rules.verify import NotVerified, verify
from app.integrations.schemas import HookOut
from app.integrations.service.receiving import delivery_id, keep

LIMIT = 1024 * 1024
log = structlog.get_logger("hooks")
turned_away: Counter[tuple[str, str]] = Counter()
"""How many deliveries this process turned away, by connection and reason; nothing else is kept of them."""


class Unverified(Refusal):
    """The delivery does not prove whose it is."""

    status, code = 401, "webhook.unverified"


class Stale(Refusal):
    """The delivery's time is too far from ours."""

    status, code = 401, "webhook.stale"


class EmptyBody(BadRequest):
    """A delivery without a body."""

    code = "webhook.empty"


@post("/hooks/{connection:str}", opt=PUBLIC, status_code=202, include_in_schema=False, request_max_body_size=LIMIT)
async def receive(connection: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
    """Take a delivery in. The answer says that it is kept; the same delivery again is answered alike."""
    state = request.app.state
    now = state.clock.now()
    headers = {name.lower(): value for name, value in request.headers.items()}
    content_type = _plain(headers)
    body = await request.body()
    async with reading(state.engine) as db:
        known = await gate(db, code=connection, now=now)
    judged = verify(known.profile.verify, headers=headers, body=body, secrets=known.secrets, now=now)
    if isinstance(judged, NotVerified):
        turned_away[known.code, judged.why] += 1
        log.warning("turned away", connection=known.code, why=judged.why, count=turned_away[known.code, judged.why])
        raise Stale if judged.why == "stale" else Unverified
    if not body.strip():
        raise EmptyBody
    document = _document(body)
    delivery = delivery_id(known.profile.identity, headers=headers, body=body, document=document)
    event = event_of(known.profile, document, headers)
    async with begin(state.engine) as db:
        kept = await keep(
            db, connection=known.code, delivery=delivery, event=event, body=body, content_type=content_type, now=now
        )
    state.wake()
    shown = HookOut(id=kept.id, duplicate=not kept.fresh)
    return Response(msgspec.json.encode(shown), status_code=202, media_type="application/json")


def _plain(headers: dict[str, str]) -> str:
    """The content type, where it is one we read: JSON in UTF-8, not compressed."""
    given = headers.get("content-type", "application/json")
    kind, _, parameters = given.lower().partition(";")
    kind, charset = kind.strip(), parameters.replace('"', "").partition("charset=")[2].split(";")[0].strip()
    json = kind in ("application/json", "text/json") or (kind.startswith("application/") and kind.endswith("+json"))
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if not json or charset not in ("", "utf-8", "utf8", "us-ascii") or encoding not in ("", "identity"):
        raise WrongMediaType(given=given[:100])
    return given


def _document(body: bytes) -> Any:
    """The body as JSON, or None: what is signed and yet broken is kept and shown, not refused again and again."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


HANDLERS = [receive]
