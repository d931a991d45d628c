"""Doors to the dispatch board: the page, and its live parts."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, WAREHOUSE, Role
from app.core.db import reading
from app.web.board import board
from app.web.frame import signed_in
from app.web.queries import board_facts
from app.web.render import language_of, page
from app.web.sessions import SignedIn
from app.web.views import Board

BOARD_ROLES: tuple[Role, ...] = (ADMIN, DISPATCHER, WAREHOUSE, ENGINEER)
FIRST_ROWS = 80


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


async def shown(request: Request[Any, Any, Any], who: SignedIn, area: str | None, show: str | None) -> dict[str, Any]:
    """What both board pages show."""
    state = request.app.state
    now, area = state.clock.now(), area or None
    base = (state.settings.public_url or str(request.base_url)).rstrip("/")
    async with reading(state.engine) as db:
        facts = await board_facts(db, actor=who.actor, area=area, now=now, base=base)
    most = None if show == "all" else FIRST_ROWS
    made: Board = board(facts, actor=who.actor, area=area, now=now, language=language_of(request), most=most)
    return {"board": made, "who": who, "show": show}


HANDLERS = [show_board, live_parts]
