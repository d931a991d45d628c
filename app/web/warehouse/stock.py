"""Doors to what lies where: the search, one part, one bin, putting away by scan."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER, WAREHOUSE, Role
from app.core.db import reading
from app.network.queries import NoSuchPart, substitutions
from app.stock import queries, service
from app.stock.schemas import BinIn, BinOut, PutAwayIn, PutAwayOut
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.warehouse import shelves
from app.web.warehouse.queries import known_code
from app.web.warehouse.refusals import NothingKnown
from app.web.words import clock_time

ROLES: tuple[Role, ...] = (ADMIN, DISPATCHER, WAREHOUSE)
Web = Request[Any, Any, Any]
VIEWS = {"part": shelves.stock_by_part, "bin": shelves.stock_by_bin, "lot": shelves.stock_by_lot}
BY = {"part": "By part", "bin": "By bin", "lot": "By lot and serial"}
WHY = {
    "receipt": "goods in",
    "reported": "reported",
    "issue": "issued",
    "return_unused": "back unused",
    "return_defective": "old part back",
    "lost": "lost",
    "ship": "sent to another place",
    "arrive": "arrived",
    "write_off": "written off",
    "count": "counted",
    "adjustment": "adjusted",
    "expired": "expired",
    "loan": "lent",
    "loan_back": "loan back",
    "revalue": "revalued",
    "correction": "taken back",
}
CONDITION = {"new": "new", "refurbished": "refurbished", "defective": "defective"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked at, and the addresses to look at more."""

    by: str
    tabs: tuple[tuple[str, str, bool], ...]
    place: str | None
    q: str | None
    rows: tuple[Any, ...]
    places: tuple[Any, ...]
    following: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One row of the ledger in words."""

    at: str
    why: str
    place: str
    piece: str
    change: str
    after: int | None
    reference: str | None


@get("/stock", opt=signed_in(*ROLES), include_in_schema=False)
async def show_stock(
    request: Web,
    who: NamedDependency[SignedIn],
    by: FromQuery[str | None] = None,
    place: FromQuery[str | None] = None,
    q: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Stock by part, by bin or by lot, searched and page by page."""
    view, place, q, say = (
        by if by in VIEWS else "part",
        place or None,
        (q or "").strip() or None,
        Words(language_of(request)),
    )
    async with reading(request.app.state.engine) as db:
        found = await VIEWS[view](db, actor=who.actor, place=place, q=q, cursor=cursor)
        places = await shelves.own_places(db, actor=who.actor)
    kept = {name: value for name, value in (("place", place), ("q", q)) if value}
    tabs = tuple((say(BY[one]), "/stock?" + urlencode(kept | {"by": one}), one == view) for one in VIEWS)
    more = "/stock?" + urlencode(kept | {"by": view, "cursor": found.following}) if found.following else None
    search = Search(by=view, tabs=tabs, place=place, q=q, rows=found.rows, places=places, following=more)
    words = {code: say(CONDITION[code]) for code in CONDITION}
    return page(request, "warehouse/stock.html", who=who, search=search, conditions=words)


@get("/stock/parts/{number:str}", opt=signed_in(*ROLES), include_in_schema=False)
async def show_part(
    request: Web,
    who: NamedDependency[SignedIn],
    number: FromPath[str],
    lot: FromQuery[str | None] = None,
    serial: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """One part: what lies where, who holds it, what moved, and what may stand in for it."""
    actor, now, say = who.actor, request.app.state.clock.now(), Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        part = await shelves.part_by_number(db, number=number)
        if part is None:
            raise NoSuchPart(key=number)
        layers = await shelves.layers_of(db, actor=actor, part=number)
        held = await shelves.holders_of(db, actor=actor, part=number)
        elsewhere = await shelves.free_elsewhere(db, actor=actor, part=number)
        moved = await queries.movements(db, actor=actor, part=number, cursor=cursor, limit=30)
        links = await substitutions(db, parts=[number])
        places = await shelves.places_named(db, codes={_place(one) for one in moved.items})
    stands_in = {one.to_part for one in links if one.from_part == number}
    stands_in |= {one.from_part for one in links if one.kind == "equivalent" and one.to_part == number}
    rows = tuple(_movement(one, places[_place(one)], now, say) for one in moved.items)
    more = f"/stock/parts/{quote(number, safe='')}?{urlencode({'cursor': moved.next})}" if moved.next else None
    return page(
        request,
        "warehouse/part.html",
        who=who,
        part=part,
        layers=layers,
        held=held,
        elsewhere=elsewhere,
        movements=rows,
        following=more,
        substitutes=sorted(stands_in),
        pointed=serial or lot,
        on_hand=sum(one.quantity for one in layers),
        reserved=sum(one.reserved for one in layers),
        conditions={code: say(CONDITION[code]) for code in CONDITION},
    )


def _arrives(one: Any) -> bool:
    return not one.to_place.startswith("@")


def _place(one: Any) -> str:
    """The real side of a movement."""
    return str(one.to_place if _arrives(one) else one.from_place)


def _movement(one: Any, place: Any, now: Any, say: Words) -> Movement:
    return Movement(
        at=clock_time(one.occurred_at, place.timezone, now, say),
        why=say(WHY[one.why]),
        place=place.name,
        piece=one.serial or one.lot or "",
        change=f"{'+' if _arrives(one) else '−'}{one.quantity}",
        after=one.balance_after,
        reference=one.note or one.reference,
    )


@get("/stock/bins/{place:str}/{bin:str}", opt=signed_in(*ROLES), include_in_schema=False)
async def show_bin(
    request: Web,
    who: NamedDependency[SignedIn],
    place: FromPath[str],
    bin: FromPath[str],
) -> Response[str]:
    """What lies in a bin; what is scanned here is put here."""
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        found = await queries.bin_for(db, actor=who.actor, place=place, code=bin)
        there = (await shelves.places_named(db, codes=[place]))[place]
        layers = await shelves.bin_contents(db, place=place, code=bin)
    words = {code: say(CONDITION[code]) for code in CONDITION}
    return page(request, "warehouse/bin.html", who=who, bin=found, place=there.name, layers=layers, conditions=words)


@post("/stock/bins/{place:str}/{bin:str}/put-away", opt=signed_in(ADMIN, WAREHOUSE), include_in_schema=False)
async def put_away(
    request: Web,
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    place: FromPath[str],
    bin: FromPath[str],
) -> Response[Any]:
    """Put what was scanned into this bin: the piece of that serial, that lot, or the part's pieces that lie nowhere yet."""
    code, out = form.text("code") or "", form.flag("out")
    async with reading(request.app.state.engine) as db:
        await queries.place_for(db, actor=call.actor, place=place)
        known = await known_code(db, place=place, code=code)
    if known.part is None or not known.lies:
        raise NothingKnown(code=code, place=place)
    line: dict[str, Any] = {"part_number": known.part}
    if known.serial is not None:
        line["serials"] = [known.serial]
    elif known.lot is not None:
        line["lot"] = known.lot
    elif out:
        line["from_bin"] = bin
    else:
        line["only_unplaced"] = known.unplaced
    body = form.into(PutAwayIn, place=place, bin=None if out else bin, lines=[line])
    done = await call.act(lambda db: service.put_away(db, actor=call.actor, new=body, now=call.now), PutAwayOut)
    say, count = Words(language_of(request)), sum(one.quantity for one in done.lines)
    words = say("{part} ×{count} taken out", part=known.part, count=count) if out else None
    words = words or say("{part} ×{count} put into {bin}", part=known.part, count=count, bin=bin)
    address = f"/stock/bins/{quote(place, safe='')}/{quote(bin, safe='')}"
    return see_other(address, request, say=words)


@post("/stock/bins", opt=signed_in(ADMIN, WAREHOUSE), include_in_schema=False)
async def add_bin(request: Web, form: NamedDependency[Form], call: NamedDependency[Call]) -> Response[Any]:
    """Name a bin."""
    body = form.into(BinIn)
    made = await call.act(lambda db: service.add_bin(db, actor=call.actor, new=body, now=call.now), BinOut)
    say = Words(language_of(request))
    address = f"/stock/bins/{quote(made.place, safe='')}/{quote(made.code, safe='')}"
    return see_other(address, request, say=say("Bin {bin} is there now. Scan what lies in it.", bin=made.code))


HANDLERS = [show_stock, show_part, show_bin, put_away, add_bin]
