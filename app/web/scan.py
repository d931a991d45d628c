"""Doors of the scan box: where a scanned or photographed code leads, a choice where it is several things, and what to do
where it is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, FromQuery

from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, ROLES, WAREHOUSE, Role
from app.core.db import reading
from app.web import addresses
from app.web.finding import Kind, Match, found
from app.web.forms import Form
from app.web.frame import on_page_refusal, signed_in
from app.web.photo import MOST_BYTES, PhotoTooLarge, PhotoUnreadable, codes_in
from app.web.render import Words, language_of, page, see_other
from app.web.scanned import Scan, understand
from app.web.sessions import SignedIn

PHOTO_BODY = MOST_BYTES + 256 * 1024
STOCKISTS: frozenset[Role] = frozenset((WAREHOUSE, DISPATCHER, ADMIN))
ASKERS: frozenset[Role] = frozenset((ENGINEER, DISPATCHER, FINANCE, ADMIN))
MAY_OPEN: Mapping[Kind, frozenset[Role]] = {
    "device": ASKERS,
    "piece": STOCKISTS,
    "lot": STOCKISTS,
    "part": STOCKISTS,
    "bin": STOCKISTS,
    "request": ASKERS | {WAREHOUSE},
    "verdict": ASKERS,
}
"""Whose pages show it; to anybody else a code does not lead there."""
TOLD: Mapping[Kind, str] = {
    "device": "A device, for which nothing is asked just now. Its page is not the warehouse's.",
    "part": "A part. Its stock is the warehouse's and the dispatchers' to see.",
}
"""What is said of a thing to those who may know of it but have no page for it."""
KIND: Mapping[Kind, str] = {
    "device": "device",
    "piece": "piece with its serial",
    "lot": "lot in stock",
    "part": "part",
    "bin": "bin",
    "request": "request",
    "verdict": "verdict",
}
SAID: Mapping[str, str] = {
    "gtin": "trade item number",
    "part": "part number",
    "lot": "lot",
    "serial": "serial",
    "quantity": "quantity",
    "made_on": "made on",
    "expires_on": "expires on",
    "request_end": "end of a request's number",
    "device": "device",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several things that a code is, and where it leads."""

    address: str
    kind: str
    code: str
    name: str
    place: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A code that led nowhere, or to several: what was read, and what it says of itself."""

    code: str
    says: tuple[tuple[str, str], ...]
    misread: bool


@get("/scan", opt=signed_in(*ROLES), include_in_schema=False)
async def scan(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], code: FromQuery[str] = ""
) -> Response[Any]:
    """Go where a code leads."""
    scans = [understand(code)] if code.strip() else []
    return await _led(request, who, scans)


@get("/r/{request_id:str}", opt=signed_in(*ROLES), include_in_schema=False)
async def short_address(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], request_id: FromPath[str]
) -> Response[Any]:
    """Go where a code on paper leads, when a phone's own camera read it."""
    return await _led(request, who, [understand(request_id)])


@get("/scan/photo", opt=signed_in(*ROLES), include_in_schema=False)
async def no_photo() -> Response[Any]:
    """Whoever comes back to a photo that was sent is asked for a code again."""
    return see_other("/scan")


def on_too_large(request: Request[Any, Any, Any], _: HTTPException) -> Response[str]:
    """More than the body may hold is a photo that is too large, not nonsense."""
    return on_page_refusal(request, PhotoTooLarge(limit_mb=MOST_BYTES // (1024 * 1024)))


@post(
    "/scan/photo",
    status_code=200,
    opt=signed_in(*ROLES),
    include_in_schema=False,
    request_max_body_size=PHOTO_BODY,
    exception_handlers={413: on_too_large},
)
async def scan_photo(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], form: NamedDependency[Form]
) -> Response[Any]:
    """Go where the codes in a photo lead. All that are found count; several may be the same thing."""
    sent = form.files.get("photo", ())
    if not sent:
        raise PhotoUnreadable
    codes = await codes_in(await sent[0].read())
    return await _led(request, who, [understand(one.code) for one in codes])


async def _led(request: Request[Any, Any, Any], who: SignedIn, scans: Sequence[Scan]) -> Response[Any]:
    """There, if there is one way; else a page that says what the codes are or are not."""
    say, choices, known = Words(language_of(request)), list[Choice](), list[Choice]()
    async with reading(request.app.state.engine) as db:
        for one in scans:
            matches = await found(db, actor=who.actor, scan=one)
            mine = for_role(matches, who.actor.role)
            choices += [_choice(each, one, who.actor.role, say) for each in mine]
            known += [_known(each, say) for each in matches if each.kind in TOLD and not mine]
    ways = {choice.address: choice for choice in choices}
    if len(ways) == 1:
        return see_other(next(iter(ways)))
    tried = tuple(_tried(one, say) for one in scans)
    return page(request, "scan.html", who=who, choices=tuple(ways.values()), known=tuple(known), tried=tried)


def for_role(matches: Sequence[Match], role: Role) -> list[Match]:
    """What a role has a page for. A piece that is no longer in stock is the device it became, or the request it went to;
    whoever may see a device finds there what is asked for it."""
    mine = [one for one in matches if role in MAY_OPEN[one.kind]]
    devices = {one.code for one in mine if one.kind == "device"}
    gone_to = devices | {one.matched for one in mine if one.kind == "request"}
    return [
        one
        for one in mine
        if not (one.kind == "piece" and one.code in gone_to and not one.present)
        and not (one.kind == "request" and one.matched in devices)
    ]


def address_of(match: Match, scan: Scan, role: Role) -> str:
    """The page of what was found."""
    match match.kind:
        case "device":
            return addresses.device(match.code)
        case "piece":
            return addresses.part(match.part or "", serial=match.code)
        case "lot":
            return addresses.part(match.part or "", lot=match.code)
        case "part":
            return addresses.part(match.code)
        case "bin":
            return addresses.bin(match.part or "", match.code)
        case "verdict":
            return addresses.verdict(match.code)
        case _ if scan.to_pick and role in (WAREHOUSE, DISPATCHER, ADMIN):
            return addresses.picking(match.code)
        case _:
            return addresses.work_on(match.code, role)


def _choice(match: Match, scan: Scan, role: Role, say: Words) -> Choice:
    note = ""
    if match.kind == "piece" and not match.present:
        note = say("no longer in stock")
    elif match.kind == "request" and not match.present:
        note = say("no longer open")
    label = match.name or f"R-{match.code[-5:].upper()}" if match.kind == "request" else match.code
    return Choice(
        address=address_of(match, scan, role),
        kind=say(KIND[match.kind]),
        code=label,
        name=_named(match),
        place=match.place,
        note=note,
    )


def _known(match: Match, say: Words) -> Choice:
    """A thing that has no page for this role, told all the same."""
    note = say(TOLD[match.kind])
    return Choice(
        address="", kind=say(KIND[match.kind]), code=match.code, name=match.name, place=match.place, note=note
    )


def _named(match: Match) -> str:
    """What a choice is called besides its code; a request's ticket is its code already."""
    if match.kind == "request":
        return ""
    return f"{match.part} {match.name}" if match.kind in ("piece", "lot") else match.name


def _tried(scan: Scan, say: Words) -> Tried:
    says = tuple((say(SAID[name]), str(value)) for name in SAID if (value := getattr(scan, name)) is not None)
    return Tried(code=scan.text or scan.raw, says=says, misread=bool(scan.faults))


HANDLERS = [scan, short_address, no_photo, scan_photo]
