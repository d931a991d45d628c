"""Door to the stream that tells live pages when to fetch their parts again."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, get
from litestar.response import ServerSentEvent, ServerSentEventMessage

from app.accounts.rules import ROLES
from app.web.frame import signed_in, signed_in_by
from app.web.pulse import pulse_of
from app.web.render import HEADERS

QUIET_S = 15.0
BEATS = 40
"""A stream ends after this many signs of life, ten minutes if nothing happens; the browser asks again by itself."""


@get("/live/stream", opt=signed_in(*ROLES), include_in_schema=False)
async def stream(request: Request[Any, Any, Any]) -> ServerSentEvent:
    """Says `changed` when something was recorded, and `ended` when the session is over."""
    return ServerSentEvent(beats(request), headers=dict(HEADERS) | {"X-Accel-Buffering": "no"})


async def beats(request: Request[Any, Any, Any]) -> AsyncIterator[ServerSentEventMessage]:
    """Signs of life. Each asks again whether the session counts, so that a revoked key ends the stream at once."""
    state = request.app.state
    yield ServerSentEventMessage(data="", event="ready", retry=2000)
    sent = 0
    async for changed in pulse_of(state, state.engine).changes(quiet_s=QUIET_S):
        if await signed_in_by(request) is None:
            yield ServerSentEventMessage(data="", event="ended")
            return
        yield ServerSentEventMessage(data="", event="changed" if changed else "quiet")
        sent += not changed
        if sent >= BEATS:
            return


HANDLERS = [stream]
