"""Doors to receiving: scan what came, keep a running list, book it as one receipt; and a receipt with its way back."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, WAREHOUSE, Role
from app.core.db import reading
from app.stock import service
from app.stock.schemas import BookedOut, ReceiptIn, ReceiptOut
from app.web.forms import Form
from app.web.frame import Misunderstood, signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.warehouse import shelves
from app.web.warehouse.refusals import NoReceipt, NothingScanned
from app.web.words import clock_time

RECEIVERS: tuple[Role, ...] = (ADMIN, WAREHOUSE)
Web = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """What a receipt is made against. `known` is what the device may tell apart by itself, as JSON."""

    place: str
    places: tuple[Any, ...]
    orders: tuple[str, ...]
    expected: tuple[Any, ...]
    known: str
    with_cost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One receipt as it was booked."""

    id: str
    place: str
    place_name: str
    reference: str
    at: str
    rows: tuple[Any, ...]
    taken_back: bool


@get("/receiving", opt=signed_in(*RECEIVERS), include_in_schema=False)
async def show_receiving(
    request: Web, who: NamedDependency[SignedIn], place: FromQuery[str | None] = None
) -> Response[str]:
    """The running list of what is being received at one place."""
    async with reading(request.app.state.engine) as db:
        places = await shelves.own_places(db, actor=who.actor)
        chosen = place or (places[0].code if places else None)
        expected = await shelves.expected_at(db, actor=who.actor, place=chosen) if chosen else ()
        bins = await shelves.bins_at(db, place=chosen) if chosen else ()
    known = {
        "place": chosen,
        "bins": bins,
        "parts": {row.part: {"name": row.name, "tracking": row.tracking} for row in expected},
    }
    view = Receiving(
        place=chosen or "",
        places=places,
        orders=tuple(dict.fromkeys(row.reference for row in expected if row.open > 0)),
        expected=tuple(row for row in expected if row.open > 0),
        known=msgspec.json.encode(known).decode(),
        with_cost=who.actor.sees_cost,
    )
    return page(request, "warehouse/receiving.html", who=who, view=view)


@get("/receiving/part", opt=signed_in(*RECEIVERS), include_in_schema=False)
async def tell_part(request: Web, code: FromQuery[str]) -> Response[dict[str, str] | None]:
    """What part a code is, if it is one; for a device that does not know it yet."""
    async with reading(request.app.state.engine) as db:
        part = await shelves.part_by_number(db, number=code)
    found = {"number": part.number, "name": part.name, "tracking": part.tracking} if part is not None else None
    return Response(found, headers={"Cache-Control": "no-store"})


@post("/receiving", opt=signed_in(*RECEIVERS), include_in_schema=False)
async def book(request: Web, form: NamedDependency[Form], call: NamedDependency[Call]) -> Response[Any]:
    """Book the list as one receipt. Who sees no cost gives none: it comes from the purchase, or the line is refused."""
    lines = _lines(form.text("lines"))
    if not lines:
        raise NothingScanned
    if not call.actor.sees_cost:
        lines = [{name: value for name, value in one.items() if name != "unit_cost"} for one in lines]
    body = form.into(ReceiptIn, lines=lines)
    done = await call.act(lambda db: service.receive(db, actor=call.actor, new=body, now=call.now), ReceiptOut)
    say, count = Words(language_of(request)), sum(line.quantity for line in done.lines)
    return see_other(f"/receiving/{done.id}", request, say=say("{count} pieces received.", count=count))


def _lines(raw: str | None) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(raw or "[]", type=list[dict[str, Any]])
    except (msgspec.DecodeError, msgspec.ValidationError) as wrong:
        raise Misunderstood from wrong


@get("/receiving/{receipt_id:str}", opt=signed_in(*RECEIVERS), include_in_schema=False)
async def show_receipt(request: Web, who: NamedDependency[SignedIn], receipt_id: FromPath[str]) -> Response[str]:
    """What came in, and what can be done with it."""
    now, say = request.app.state.clock.now(), Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        rows = await shelves.receipt_rows(db, actor=who.actor, receipt=receipt_id)
    if not rows:
        raise NoReceipt(receipt=receipt_id)
    first = rows[0]
    receipt = Receipt(
        id=receipt_id,
        place=first.place,
        place_name=first.place_name,
        reference=first.note or "",
        at=clock_time(first.occurred_at, first.timezone, now, say),
        rows=rows,
        taken_back=all(row.taken_back for row in rows),
    )
    return page(request, "warehouse/receipt.html", who=who, receipt=receipt)


@post("/receiving/{receipt_id:str}/cancel", opt=signed_in(*RECEIVERS), include_in_schema=False)
async def take_back(request: Web, call: NamedDependency[Call], receipt_id: FromPath[str]) -> Response[Any]:
    """Undo a receipt while none of its pieces was held or moved."""
    say = Words(language_of(request))
    await call.act(
        lambda db: service.cancel_receipt(
            db, actor=call.actor, receipt_id=receipt_id, reason="undone at the handheld", now=call.now
        ),
        BookedOut,
    )
    return see_other(f"/receiving/{receipt_id}", request, say=say("Undone: these pieces are not in stock any more."))


HANDLERS = [show_receiving, tell_part, book, show_receipt, take_back]
