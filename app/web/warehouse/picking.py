"""Doors to picking: the queue, one request step by step, and what is done with it, each one call."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER, WAREHOUSE, Role
from app.core.db import reading
from app.core.errors import Refusal
from app.core.i18n import text
from app.core.types import Wire
from app.fulfillment import schemas
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.service import journey, picking
from app.fulfillment.service.refusals import VerbNotNow
from app.stock.service.refusals import WrongBin as OtherBin
from app.stock.service.refusals import WrongPiece
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.warehouse.picks import pick_of
from app.web.warehouse.queries import Known, equal_serials, known_code, queue_facts, steps_of_pick
from app.web.warehouse.queue import queue
from app.web.warehouse.refusals import (
    BinFirst,
    NotYours,
    PickedAlready,
    WrongBin,
    WrongPart,
    WrongPartUnplaced,
)
from app.web.warehouse.views import STEPS, Pick

PICKERS: tuple[Role, ...] = (ADMIN, DISPATCHER, WAREHOUSE)
Web = Request[Any, Any, Any]


class Moved(Wire):
    """Where a request stands after a step; what a page needs to know of it."""

    state: str


@get("/picking", opt=signed_in(*PICKERS), include_in_schema=False)
async def show_queue(
    request: Web,
    who: NamedDependency[SignedIn],
    place: FromQuery[str | None] = None,
    step: FromQuery[str | None] = None,
    show: FromQuery[str | None] = None,
) -> Response[str]:
    """The queue of this person's places, by slack."""
    return page(request, "warehouse/queue.html", who=who, queue=await _queue(request, who, place, step, show))


@get("/picking/live", opt=signed_in(*PICKERS), include_in_schema=False)
async def live_queue(
    request: Web,
    who: NamedDependency[SignedIn],
    place: FromQuery[str | None] = None,
    step: FromQuery[str | None] = None,
    show: FromQuery[str | None] = None,
) -> Response[str]:
    """Its parts that change."""
    return page(request, "warehouse/queue_live.html", who=who, queue=await _queue(request, who, place, step, show))


async def _queue(request: Web, who: SignedIn, place: str | None, step: str | None, show: str | None) -> Any:
    now = request.app.state.clock.now()
    async with reading(request.app.state.engine) as db:
        facts = await queue_facts(db, actor=who.actor, now=now)
    chosen = step if step in STEPS else None
    say = Words(language_of(request))
    return queue(facts, now=now, say=say, place=place or None, step=chosen, everything=show == "all")


@get("/picking/{request_id:str}", opt=signed_in(*PICKERS), include_in_schema=False)
async def show_pick(request: Web, who: NamedDependency[SignedIn], request_id: FromPath[str]) -> Response[str]:
    """One request at this person's places: pick, pack, hand over."""
    return page(request, "warehouse/pick.html", who=who, pick=await _pick(request, who, request_id))


@get("/picking/{request_id:str}/live", opt=signed_in(*PICKERS), include_in_schema=False)
async def live_pick(
    request: Web, who: NamedDependency[SignedIn], request_id: FromPath[str], sum: FromQuery[str | None] = None
) -> Response[str]:
    """What changed of it; the steps under the hand stay as they are while nothing did."""
    made = await _pick(request, who, request_id)
    return page(request, "warehouse/pick_live.html", who=who, pick=made, same=sum == made.sum)


async def _pick(request: Web, who: SignedIn, request_id: str) -> Pick:
    now, say = request.app.state.clock.now(), Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        facts = await queue_facts(db, actor=who.actor, now=now, request=request_id)
        if not facts.lines:
            raise NotYours(id=request_id)
        steps = await steps_of_pick(db, request=request_id)
        equal = await equal_serials(db, lines=[line.id for line in facts.lines if line.state == "accepted"])
    return pick_of(facts, steps, equal, actor=who.actor, now=now, say=say)


@get("/picking/{request_id:str}/part", opt=signed_in(*PICKERS), include_in_schema=False)
async def say_what_it_is(
    request: Web,
    who: NamedDependency[SignedIn],
    request_id: FromPath[str],
    line: FromQuery[str],
    code: FromQuery[str],
) -> Response[str]:
    """What somebody scanned in place of what is due, and what to do, in one sentence."""
    found = await _wrong(request, who, request_id, line, code, None)
    return Response(text(found.code, found.facts, language_of(request)), media_type="text/plain")


@post("/picking/{request_id:str}/claim", status_code=204, opt=signed_in(*PICKERS), include_in_schema=False)
async def claim(request_id: FromPath[str], call: NamedDependency[Call]) -> None:
    """Somebody is at it."""
    await call.act(lambda db: picking.claim_pick(db, actor=call.actor, request_id=request_id, now=call.now), bool)


@post("/picking/{request_id:str}/pick", opt=signed_in(*PICKERS), include_in_schema=False)
async def pick_line(
    request: Web,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    request_id: FromPath[str],
) -> Response[Any]:
    """One line is in the hand: everything that was scanned for it."""
    line, pieces, bins = form.text("line") or "", form.texts("pieces"), form.texts("bins")
    body = form.into(schemas.PickIn, lines=_refs([line]), pieces=pieces or None, bins=bins or None)
    try:
        await _act(call, picking.pick, request_id, body)
    except (WrongPiece, OtherBin) as wrong:
        scanned = str(wrong.facts.get("scanned") or (pieces or [""])[0])
        raise await _wrong(request, who, request_id, line, scanned, wrong) from wrong
    except VerbNotNow as late:
        raise await _late(request, request_id, line, late) from late
    say = Words(language_of(request))
    return see_other(f"/picking/{request_id}", request, say=say("Picked. Pack it next."))


@post("/picking/{request_id:str}/unpick", opt=signed_in(*PICKERS), include_in_schema=False)
async def unpick_line(
    request: Web, form: NamedDependency[Form], call: NamedDependency[Call], request_id: FromPath[str]
) -> Response[Any]:
    """Undo a pick: the pieces go back where they lay and stay held for this request."""
    body = form.into(schemas.StepIn, lines=_refs(form.texts("line")))
    await _act(call, picking.unpick, request_id, body)
    say = Words(language_of(request))
    return see_other(f"/picking/{request_id}", request, say=say("Undone. Put it back where it lay; it stays held."))


@post("/picking/{request_id:str}/pack", opt=signed_in(*PICKERS), include_in_schema=False)
async def pack_lines(
    request: Web, form: NamedDependency[Form], call: NamedDependency[Call], request_id: FromPath[str]
) -> Response[Any]:
    """Packed and labeled."""
    body = form.into(schemas.StepIn, lines=_refs(form.texts("line")))
    await _act(call, journey.pack, request_id, body)
    say = Words(language_of(request))
    return see_other(f"/picking/{request_id}", request, say=say("Packed. Hand it over next."))


@post("/picking/{request_id:str}/hand-over", opt=signed_in(*PICKERS), include_in_schema=False)
async def hand_over(
    request: Web, form: NamedDependency[Form], call: NamedDependency[Call], request_id: FromPath[str]
) -> Response[Any]:
    """To a courier, or to a carrier with its waybill."""
    by_carrier = form.text("way") == "carrier"
    names = ("carrier", "waybill") if by_carrier else ("courier",)
    chosen = {name: form.text(name) for name in ("courier", "carrier", "waybill")}
    given = {name: value if name in names else None for name, value in chosen.items()}
    body = form.into(schemas.DispatchIn, lines=_refs(form.texts("line")), **given)
    await _act(call, journey.dispatch, request_id, body)
    say = Words(language_of(request))
    return see_other("/picking", request, say=say("Handed over. Next one."))


def _refs(lines: Sequence[str]) -> list[dict[str, str]] | None:
    return [{"id": one} for one in lines] or None


async def _act(call: Call, verb: Callable[..., Awaitable[Loaded]], request_id: str, body: Any) -> Moved:
    async def run(db: AsyncConnection) -> Moved:
        loaded = await verb(db, actor=call.actor, request_id=request_id, body=body, expected_version=None, now=call.now)
        return Moved(state=loaded.row.state)

    return await call.act(run, Moved)


async def _late(request: Web, request_id: str, line: str, late: VerbNotNow) -> Refusal:
    """Somebody else was quicker: who, and what becomes of the piece in the hand."""
    async with reading(request.app.state.engine) as db:
        steps = await steps_of_pick(db, request=request_id)
    picked = [one for one in steps if one.line == line and one.verb == "picked"]
    return PickedAlready(by=picked[-1].name) if picked and late.facts.get("state") != "accepted" else late


async def _wrong(
    request: Web, who: SignedIn, request_id: str, line: str, code: str, refusal: Refusal | None
) -> Refusal:
    """What was scanned, what is needed and where each belongs; the service's own words where nothing better is known."""
    now = request.app.state.clock.now()
    async with reading(request.app.state.engine) as db:
        facts = await queue_facts(db, actor=who.actor, now=now, request=request_id)
        due = next((one for one in facts.lines if one.id == line), None)
        if due is None:
            raise NotYours(id=request_id)
        known = await known_code(db, place=due.source, code=code)
    held = [one for one in facts.pieces.get(line, ()) if one.state == "held"]
    codes = [one.serial or one.lot for one in held if one.serial or one.lot] if due.tracking != "none" else []
    bins = sorted({one.bin for one in held if one.bin})
    return refusal_for(known, part=due.part, codes=[str(one) for one in codes], bins=bins, refusal=refusal)


def refusal_for(
    known: Known, *, part: str, codes: Sequence[str], bins: Sequence[str], refusal: Refusal | None
) -> Refusal:
    """The words for one wrong scan."""
    needed = f"{part} ({codes[0]})" if known.part == part and codes else part
    if known.is_bin:
        if isinstance(refusal, OtherBin) or not bins:
            return WrongBin(scanned=known.code, bin=list(bins) or ["—"])
        return BinFirst(scanned=known.code, part=needed, bin=list(bins))
    if isinstance(refusal, OtherBin):
        return refusal
    what = known.part if known.part in (None, known.code) else f"{known.part} ({known.code})"
    if known.bin and bins:
        return WrongPart(what=what, part=needed, home=known.bin, bin=list(bins))
    return WrongPartUnplaced(what=what or known.code, part=needed, bin=list(bins) or ["—"])


HANDLERS = [
    show_queue,
    live_queue,
    show_pick,
    live_pick,
    say_what_it_is,
    claim,
    pick_line,
    unpick_line,
    pack_lines,
    hand_over,
]
