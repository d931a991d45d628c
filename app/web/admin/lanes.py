"""Doors to carrier lanes: which carrier takes parcels from a place to an area, until when, how long and for how much."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.core.db import reading
from app.core.errors import Refusal
from app.fulfillment.service import reshaping
from app.network import queries, schemas, service
from app.network.schemas import changes
from app.web.admin.couriers import lines_in
from app.web.admin.filled import Filled, standing, typed, version_of
from app.web.admin.ground import AREAS, PLACES, choices
from app.web.admin.thing import Fact, Input, Thing, thing_page
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page

AnyRequest = Request[Any, Any, Any]
WHERE = """(CAST(:scope_places AS text[]) IS NULL OR l.from_place = ANY(CAST(:scope_places AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR l.to_area = ANY(CAST(:scope_areas AS text[])))"""

LIST = Listing(
    page="/admin/lanes",
    title="Carrier lanes",
    source="lane l JOIN place p ON p.code = l.from_place JOIN area a ON a.code = l.to_area",
    where=WHERE,
    id="concat_ws(' ', l.carrier, l.from_place, l.to_area)",
    order="carrier",
    empty="No carrier is known yet. Without lanes nothing reaches an area that its own places cannot serve.",
    facts={"currency": "CAST(:currency AS text)", "place_code": "l.from_place", "area_code": "l.to_area"},
    columns=(
        Column(
            key="carrier",
            label="Carrier",
            sql="l.carrier",
            href="/admin/lanes/{carrier}/{place_code}/{area_code}",
            nullable=False,
        ),
        Column(key="place", label="From the place", sql="p.name", href="/admin/places/{place_code}", nullable=False),
        Column(key="area", label="To the area", sql="a.name", href="/admin/areas/{area_code}", nullable=False),
        Column(key="cutoffs", label="Cut-offs", sql="array_to_string(l.cutoffs, ', ')", nullable=False),
        Column(key="hours", label="On the road, h", sql="l.transit_hours", kind="quantity", nullable=False),
        Column(key="cost", label="Cost of a parcel", sql="l.cost_minor", kind="money", nullable=False),
    ),
    filters=(
        Filter(
            key="search",
            label="Carrier, place or area",
            kind="search",
            sql="concat_ws(' ', l.carrier, p.name, p.code, a.name, a.code)",
        ),
        Filter(key="place", label="Place code", kind="is", sql="l.from_place"),
        Filter(key="area", label="Area code", kind="is", sql="l.to_area"),
    ),
)


def money(request: AnyRequest) -> dict[str, str]:
    return {"currency": request.app.state.settings.currency}


@get("/admin/lanes", opt=signed_in(ADMIN), include_in_schema=False)
async def list_lanes(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """All lanes."""
    say = Words(language_of(request))
    return await table_page(
        request, who, LIST, "admin/list.html", binds=money(request), make=say("Make a lane"), note=""
    )


@get(["/admin/lanes.csv", "/admin/lanes.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_lanes(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LIST, binds=money(request))


def shared_inputs(request: AnyRequest, say: Words) -> tuple[Input, ...]:
    currency = request.app.state.settings.currency
    return (
        Input(
            name="cutoffs",
            label=say("Cut-offs"),
            sort="lines",
            required=True,
            hint=say("One to a line, as 18:00, on the sending place's clock: the last moment for that departure."),
        ),
        Input(
            name="transit_hours",
            label=say("Hours on the road"),
            sort="number",
            low="0",
            high="8760",
            required=True,
        ),
        Input(name="cost", label=say("Cost of a parcel in {currency}", currency=currency), hint=say("As 35.00")),
    )


@get("/admin/lanes/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_lane(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new lane."""
    return await lane_form(request, who, standing(cutoffs=["18:00"], transit_hours=24))


async def lane_form(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        places = await choices(db, who.actor, PLACES)
        areas = await choices(db, who.actor, AREAS)
    thing = Thing(
        title=say("Make a lane"),
        address="/admin/lanes/new",
        back="/admin/lanes",
        save=say("Make this lane"),
        consequence="",
        inputs=(
            Input(name="carrier", label=say("Carrier"), sort="code", required=True),
            Input(name="from_place", label=say("From the place"), sort="pick", options=places),
            Input(name="to_area", label=say("To the area"), sort="pick", options=areas),
            *shared_inputs(request, say),
        ),
    )
    return thing_page(request, who, thing, filled)


@post("/admin/lanes/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_lane(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make a lane."""
    currency = money(request)["currency"]
    try:
        new = form.into(schemas.LaneIn, cutoffs=lines_in(form, "cutoffs"))
        made = await call.act(
            lambda db: service.add_lane(db, actor=call.actor, new=new, currency=currency, now=call.now),
            schemas.LaneOut,
        )
    except Refusal as refused:
        return await lane_form(request, who, typed(request, form, refused))
    say = Words(call.language)
    return see_other(address_of(made), request, say=say("{name} is made.", name=made.carrier))


def address_of(lane: schemas.LaneOut) -> str:
    return "/admin/lanes/" + "/".join(quote(one, safe="") for one in (lane.carrier, lane.from_place, lane.to_area))


@get("/admin/lanes/{carrier:str}/{from_place:str}/{to_area:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_lane(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    carrier: FromPath[str],
    from_place: FromPath[str],
    to_area: FromPath[str],
) -> Response[Any]:
    """One lane, to look at and to change."""
    found = await found_lane(request, who, carrier, from_place, to_area)
    filled = standing(cutoffs=found.cutoffs, transit_hours=found.transit_hours, cost=found.cost)
    return lane_page(request, who, found, filled)


async def found_lane(
    request: AnyRequest, who: SignedIn, carrier: str, from_place: str, to_area: str
) -> schemas.LaneOut:
    """A lane from a place that the reader sees."""
    currency = money(request)["currency"]
    async with reading(request.app.state.engine) as db:
        await queries.place(db, actor=who.actor, code=from_place)
        return await queries.lane(db, carrier=carrier, from_place=from_place, to_area=to_area, currency=currency)


def lane_page(request: AnyRequest, who: SignedIn, found: schemas.LaneOut, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    thing = Thing(
        title=f"{found.carrier}: {found.from_place} → {found.to_area}",
        subject=f"{found.carrier} {found.from_place} {found.to_area}",
        version=found.version,
        address=address_of(found),
        back="/admin/lanes",
        save=say("Save"),
        consequence=say("Plans follow at once. What was promised before keeps its deadline."),
        inputs=shared_inputs(request, say),
        facts=(
            Fact(
                label=say("From the place"),
                words=found.from_place,
                href=f"/admin/places/{quote(found.from_place, safe='')}",
            ),
            Fact(label=say("To the area"), words=found.to_area, href=f"/admin/areas/{quote(found.to_area, safe='')}"),
        ),
    )
    return thing_page(request, who, thing, filled)


@post("/admin/lanes/{carrier:str}/{from_place:str}/{to_area:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def change_lane(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    carrier: FromPath[str],
    from_place: FromPath[str],
    to_area: FromPath[str],
) -> Response[Any]:
    """Change a lane."""
    try:
        change = form.into(changes.LaneChange, cutoffs=lines_in(form, "cutoffs"))
        await call.act(
            lambda db: reshaping.change_lane(
                db,
                actor=call.actor,
                carrier=carrier,
                from_place=from_place,
                to_area=to_area,
                change=change,
                currency=money(request)["currency"],
                expected_version=version_of(form),
                now=call.now,
            ),
            schemas.LaneOut,
        )
    except Refusal as refused:
        found = await found_lane(request, who, carrier, from_place, to_area)
        return lane_page(request, who, found, typed(request, form, refused))
    say = Words(call.language)
    return see_other(request.url.path, request, say=say("{name} is changed.", name=carrier))


HANDLERS = [list_lanes, export_lanes, new_lane, create_lane, show_lane, change_lane]
