"""Doors to the dispatch board: the page, its live parts, and the stream that says when to fetch them again."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage

from app.core.db import reading
from app.web.board import board
from app.web.frame import signed_in, signed_in_by
from app.web.pulse import pulse_of
from app.web.queries import board_facts
from app.web.render import HEADERS, language_of, page
from app.web.sessions import SignedIn
from app.web.sign_in import BOARD_ROLES
from app.web.views import Board

FIRST_ROWS = 120
QUIET_S = 15.0
BEATS = 40
"""A stream ends after this many signs of life, ten minutes if nothing happens; the browser asks again by itself."""


@get("/board", opt=signed_in(*BOARD_ROLES), include_in_schema=False)
async def show_board(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    area: FromQuery[str | None] = None,
    show: FromQuery[str | None] = None,
) -> Response[str]:
    """The whole page."""
    return page(request, "board.html", **await shown(request, who, area, show))


@get("/board/live", opt=signed_in(*BOARD_ROLES), include_in_schema=False)
async def live_parts(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    area: FromQuery[str | None] = None,
    show: FromQuery[str | None] = None,
) -> Response[str]:
    """The parts of the page that change, each by its id."""
    return page(request, "board_live.html", **await shown(request, who, area, show))


@get("/board/stream", opt=signed_in(*BOARD_ROLES), include_in_schema=False)
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


async def shown(request: Request[Any, Any, Any], who: SignedIn, area: str | None, show: str | None) -> dict[str, Any]:
    """What both board pages show."""
    state = request.app.state
    now, area = state.clock.now(), area or None
    async with reading(state.engine) as db:
        facts = await board_facts(db, actor=who.actor, area=area, now=now)
    made: Board = board(facts, actor=who.actor, area=area, now=now, language=language_of(request))
    return {"board": made, "who": who, "rows": made.rows if show == "all" else made.rows[:FIRST_ROWS], "show": show}


HANDLERS = [show_board, live_parts, stream]
