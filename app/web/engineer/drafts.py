"""Doors to drafts: tickets that could not become a request by themselves. The device is named, then asked for as ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import Actor
from app.core.db import reading
from app.core.errors import NotFound
from app.core.i18n import text
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.schemas import RequestIn, TicketIn
from app.integrations import schemas
from app.integrations.queries import connections as queries
from app.integrations.service import drafts as service
from app.integrations.service.refusals import DraftNotOpen
from app.warranty import queries as warranty
from app.web import addresses
from app.web.engineer.device_view import MAY_ASK
from app.web.engineer.words import full_time
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.words import PRIORITY

STATE: Mapping[str, str] = {"open": "waits for a person", "completed": "completed", "discarded": "discarded"}
KNOWN: Mapping[str, str] = {
    "serial": "Serial", "part": "Part", "requester": "Asked by", "description": "What was told", "priority": "Priority",
    "site": "Site",
}  # fmt: skip
PRIORITIES: Mapping[str, str] = {str(level): words for level, words in PRIORITY.items()}
MISSING: Mapping[str, str] = {"serial": "the device's serial", "part": "the part"}
TABLES = (STATE, KNOWN, MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A ticket that waits: what it says, what is missing, what stood in the way, and where to go on."""

    id: str
    title: str
    ticket: str
    url: str | None
    at: str
    state: str
    open: bool
    version: int
    serial: str | None
    device: str | None
    known: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    problem: str
    request: str | None
    reason: str | None


def draft_view(found: schemas.DraftOut, say: Words, *, device: str | None = None) -> DraftView:
    """The draft in words; `device` is its serial where we know it."""
    problem = found.problem or {}
    return DraftView(
        id=found.id,
        title=found.title or say("Ticket without a title"),
        ticket=f"{found.connection} {found.number}",
        url=addresses.elsewhere(found.url) or None,
        at=f"{full_time(found.received_at, 'UTC')} UTC",
        state=say(STATE[found.state]),
        open=found.state == "open",
        version=found.version,
        serial=found.known.get("serial"),
        device=device,
        known=tuple((say(KNOWN[name]), told_as(name, told, say)) for name in KNOWN if (told := found.known.get(name))),
        missing=tuple(say(MISSING[one]) if one in MISSING else one for one in found.missing),
        problem=text(problem["code"], problem.get("facts") or {}, say.language) if problem.get("code") else "",
        request=addresses.request(found.request) if found.request else None,
        reason=found.reason,
    )


def told_as(name: str, told: str, say: Words) -> str:
    """What the ticket says, in its own words; a priority that is one of ours in the reader's."""
    return say(PRIORITIES[told]) if name == "priority" and told in PRIORITIES else told


async def known_device(db: AsyncConnection, actor: Actor, serial: str | None) -> str | None:
    """The serial, if that device is ours and this actor's."""
    if not serial:
        return None
    try:
        return (await warranty.device(db, actor=actor, serial=serial)).serial
    except NotFound:
        return None


@get("/drafts", opt=signed_in(*MAY_ASK), include_in_schema=False)
async def list_drafts(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], cursor: FromQuery[str | None] = None
) -> Response[str]:
    """What waits, newest first."""
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        found = await queries.drafts(db, actor=who.actor, state="open", cursor=cursor, limit=50)
    rows = [draft_view(one, say) for one in found.items]
    return page(request, "engineer/drafts.html", who=who, rows=rows, following=found.next)


@get("/drafts/{draft_id:str}", opt=signed_in(*MAY_ASK), include_in_schema=False)
async def show_draft(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    draft_id: FromPath[str],
    serial: FromQuery[str | None] = None,
) -> Response[Any]:
    """One ticket. A serial that is known goes straight on to asking."""
    say, sought = Words(language_of(request)), (serial or "").strip()[:100]
    async with reading(request.app.state.engine) as db:
        found = await queries.draft(db, actor=who.actor, draft_id=draft_id)
        device = await known_device(db, who.actor, sought or found.known.get("serial"))
    if sought and device and found.state == "open":
        return see_other(f"{addresses.device(device)}/ask?draft={found.id}")
    return page(
        request,
        "engineer/draft.html",
        who=who,
        view=draft_view(found, say, device=device),
        sought=sought,
        unknown=bool(sought) and device is None,
    )


@post("/drafts/{draft_id:str}/discard", opt=signed_in(*MAY_ASK), include_in_schema=False)
async def discard_draft(
    request: Request[Any, Any, Any],
    draft_id: FromPath[str],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
) -> Response[Any]:
    """Put it aside, with the reason; the ticket stays as it is."""
    body = form.into(schemas.DiscardIn)
    version = int(given) if (given := form.text("version") or "").isdecimal() else None

    async def discard(db: AsyncConnection) -> schemas.DraftOut:
        return await service.discard(
            db, actor=call.actor, draft_id=draft_id, reason=body.reason, expected_version=version, now=call.now
        )

    await call.act(discard, schemas.DraftOut)
    return see_other("/drafts", request, say=Words(call.language)("Put aside, with your reason."))


async def open_draft(db: AsyncConnection, actor: Actor, draft_id: str) -> schemas.DraftOut:
    """A draft that may still be completed; DraftNotOpen names the request it has already."""
    found = await queries.draft(db, actor=actor, draft_id=draft_id)
    if found.state != "open":
        raise DraftNotOpen(state=found.state, request=found.request)
    return found


def as_of_ticket(asked: RequestIn, found: schemas.DraftOut, *, timed: bool) -> RequestIn:
    """What is asked for, for the ticket and since it came; it failed by then unless the person says when."""
    failure = asked.failure if timed else msgspec.structs.replace(asked.failure, occurred_at=found.received_at)
    ticket = TicketIn(system=found.connection, number=found.number, url=found.url)
    return msgspec.structs.replace(asked, ticket=ticket, received_at=found.received_at, failure=failure)


def completing(draft_id: str, call: Call) -> Any:
    """What is written in the transaction that accepts the request: the draft is done with, the ticket has its request."""

    async def completed(db: AsyncConnection, loaded: Loaded) -> None:
        await service.complete(
            db, actor=call.actor, draft_id=draft_id, request=loaded.row.id, expected_version=None, now=call.now
        )

    return completed


HANDLERS = [list_drafts, show_draft, discard_draft]
