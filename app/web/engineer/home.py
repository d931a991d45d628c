"""The engineer's home: a large scan box, and the open requests with their clocks, those due for an answer first."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, Role
from app.core.db import reading
from app.fulfillment.queries.requests import steps_of, timing_of
from app.fulfillment.rules.clocks import clocks
from app.web import addresses
from app.web.board import board
from app.web.engineer.words import LINE
from app.web.frame import signed_in
from app.web.queries import BoardFacts, OpenRequest, board_facts
from app.web.render import Words, language_of, page
from app.web.sessions import SignedIn
from app.web.views import RequestRow
from app.web.words import CLOCK, clock_time, ms

HOME_ROLES: tuple[Role, ...] = (ENGINEER, DISPATCHER, ADMIN)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """An open request in the engineer's list; `answer` says by when somebody has to answer, if nobody has."""

    row: RequestRow
    address: str
    state: str
    told: str
    answer: str


@get("/engineer", opt=signed_in(*HOME_ROLES), include_in_schema=False)
async def show_home(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[str]:
    """What there is to do."""
    return page(request, "engineer/home.html", who=who, **await shown(request, who))


@get("/engineer/live", opt=signed_in(*HOME_ROLES), include_in_schema=False)
async def live_parts(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[str]:
    """The list again, as it stands."""
    return page(request, "engineer/home_live.html", who=who, **await shown(request, who))


async def shown(request: Request[Any, Any, Any], who: SignedIn) -> dict[str, Any]:
    """The open requests of this engineer, as the board judges them."""
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        facts = await board_facts(db, actor=who.actor, area=None, now=now)
    made = board(facts, actor=who.actor, area=None, now=now, language=say.language)
    return {"mine": ordered(facts, made.rows, now, say), "now_ms": ms(now)}


def ordered(facts: BoardFacts, rows: tuple[RequestRow, ...], now: datetime, say: Words) -> list[Mine]:
    """Unanswered first, by their deadlines; then by slack, as the board has them."""
    requests = {one.row.id: one for one in facts.requests}
    due = {key: answer_due(one, now) for key, one in requests.items()}
    return [
        Mine(
            row=row,
            address=addresses.request(row.id),
            state=requests[row.id].row.state,
            told=f"{row.label}: {say(LINE[requests[row.id].row.state])}",
            answer=_answer(due[row.id], requests[row.id].row.timezone, now, say),
        )
        for row in sorted(rows, key=lambda row: due[row.id])  # sorted() keeps the board's order among equals
    ]


def answer_due(one: OpenRequest, now: datetime) -> datetime:
    found = clocks(timing_of(one.row, one.lines), steps_of(one.steps), now)
    return min((each.due_at for each in found if each.name == "answer" and each.ended_at is None), default=NEVER)


def _answer(due: datetime, zone: str, now: datetime, say: Words) -> str:
    if due == NEVER:
        return ""
    return say("{what} due", what=say(CLOCK["answer"])) + " " + clock_time(due, zone, now, say)


HANDLERS = [show_home, live_parts]
