"""Doors to places: where parts lie, when they are open, what they serve."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.core.db import reading
from app.core.errors import Refusal
from app.fulfillment.service import reshaping
from app.network import queries, schemas, service
from app.network.schemas import changes
from app.web.admin.filled import Filled, standing, typed, version_of
from app.web.admin.ground import AREAS, ZONES, choices, doubt_in_words, spot
from app.web.admin.hours import hours_field, hours_in, hours_in_words, hours_values
from app.web.admin.thing import Fact, Input, Thing, coordinates, thing_page
from app.web.admin.words import PLACE, STOCK
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page

AnyRequest = Request[Any, Any, Any]
WHERE = "(CAST(:scope_places AS text[]) IS NULL OR p.code = ANY(CAST(:scope_places AS text[])))"
SERVES = "(SELECT string_agg(s.area, ', ' ORDER BY s.area) FROM area_source s WHERE s.place = p.code)"
HOURS = "CASE WHEN p.opening_hours = CAST('\"24x7\"' AS jsonb) THEN 'always' ELSE 'week' END"
HOURS_WORDS = {"always": "around the clock", "week": "by weekday"}
AROUND = text("""
    SELECT name, kind, latitude, longitude FROM place
    WHERE code <> :code AND abs(latitude - :latitude) < 1 AND abs(longitude - :longitude) < 1.5
      AND (CAST(:scope_places AS text[]) IS NULL OR code = ANY(CAST(:scope_places AS text[]))) LIMIT 50
""")
BELONGS = text("""
    SELECT (SELECT string_agg(coalesce(a.name, s.area), ', ' ORDER BY a.name) FROM area_source s
            JOIN area a ON a.code = s.area WHERE s.place = :code) AS serves,
        (SELECT count(*) FROM courier c WHERE c.place = :code) AS couriers,
        (SELECT count(*) FROM lane l WHERE l.from_place = :code) AS lanes
""")

PLACES = Listing(
    page="/admin/places",
    title="Places",
    source="place p LEFT JOIN area a ON a.code = p.area",
    where=WHERE,
    id="p.code",
    order="name",
    empty="No place holds parts yet. Make one, or import them.",
    facts={"home": "p.area"},
    columns=(
        Column(key="name", label="Name", sql="p.name", href="/admin/places/{code}", nullable=False),
        Column(key="code", label="Code", sql="p.code", kind="code", nullable=False),
        Column(key="kind", label="Kind", sql="p.kind", kind="state", words=PLACE, nullable=False),
        Column(key="stock", label="Stock", sql="p.stock", kind="state", words=STOCK, nullable=False),
        Column(key="area", label="Lies in", sql="a.name", href="/admin/areas/{home}"),
        Column(key="serves", label="Serves", sql=SERVES),
        Column(key="hours", label="Opening hours", sql=HOURS, kind="state", words=HOURS_WORDS, nullable=False),
        Column(
            key="preparation", label="Preparation, min", sql="p.preparation_minutes", kind="quantity", nullable=False
        ),
        Column(key="zone", label="Time zone", sql="p.timezone", nullable=False, shown=False),
    ),
    filters=(
        Filter(key="search", label="Name or code", kind="search", sql="concat_ws(' ', p.name, p.code)"),
        Filter(key="kind", label="Kind", kind="choice", sql="p.kind", words=PLACE),
        Filter(key="stock", label="Stock", kind="choice", sql="p.stock", words=STOCK),
        Filter(key="area", label="Area code", kind="is", sql="p.area"),
    ),
)


@get("/admin/places", opt=signed_in(ADMIN), include_in_schema=False)
async def list_places(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """All places."""
    say = Words(language_of(request))
    return await table_page(request, who, PLACES, "admin/list.html", make=say("Make a place"), note="")


@get(["/admin/places.csv", "/admin/places.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_places(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, PLACES)


@get("/admin/places/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_place(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new place."""
    blank = standing(kind="own", timezone=ZONES[0], preparation_minutes=10, opening_hours_kind="24x7")
    return await place_form(request, who, blank)


async def place_form(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        areas = await choices(db, who.actor, AREAS)
    kinds = tuple((kind, say(PLACE[kind])) for kind in PLACE)
    stocks = tuple((kind, say(STOCK[kind])) for kind in STOCK)
    thing = Thing(
        title=say("Make a place"),
        address="/admin/places/new",
        back="/admin/places",
        save=say("Make this place"),
        consequence=say(
            "A place in an area becomes one of its sources: what lies there counts for the 2-hour promise."
        ),
        inputs=(
            Input(name="code", label=say("Code"), sort="code", required=True, hint=say("Never changed later.")),
            Input(name="name", label=say("Name"), required=True),
            Input(name="kind", label=say("Kind"), sort="pick", options=kinds),
            Input(
                name="stock",
                label=say("Stock"),
                sort="pick",
                options=stocks,
                empty=say("as usual for its kind"),
                hint=say("Partners and suppliers report theirs; a promise on it is provisional until they confirm."),
            ),
            *coordinates(say),
            Input(name="timezone", label=say("Time zone"), sort="pick", options=tuple((one, one) for one in ZONES)),
            Input(name="area", label=say("Lies in"), sort="pick", options=areas, empty=say("no area")),
            preparation(say),
        ),
        hours=hours_field(filled, "opening_hours", say("Opening hours"), say),
    )
    return thing_page(request, who, thing, filled)


def preparation(say: Words) -> Input:
    return Input(
        name="preparation_minutes",
        label=say("Preparation in minutes"),
        sort="number",
        low="0",
        high="10080",
        hint=say("From the order to a parcel that can be taken along."),
    )


@post("/admin/places/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_place(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make a place."""
    try:
        new = form.into(schemas.PlaceIn, opening_hours=hours_in(form, "opening_hours"))
        made = await call.act(
            lambda db: service.add_place(db, actor=call.actor, new=new, now=call.now), schemas.PlaceOut
        )
    except Refusal as refused:
        return await place_form(request, who, typed(request, form, refused))
    say = Words(call.language)
    return see_other(f"/admin/places/{quote(made.code, safe='')}", request, say=say("{name} is made.", name=made.name))


@get("/admin/places/{place:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_place(request: AnyRequest, who: NamedDependency[SignedIn], place: FromPath[str]) -> Response[Any]:
    """One place, to look at and to change."""
    async with reading(request.app.state.engine) as db:
        found = await queries.place(db, actor=who.actor, code=place)
    filled = standing(
        name=found.name,
        latitude=found.latitude,
        longitude=found.longitude,
        preparation_minutes=found.preparation_minutes,
        **hours_values("opening_hours", found.opening_hours),
    )
    return await place_page(request, who, place, filled)


async def place_page(request: AnyRequest, who: SignedIn, code: str, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        found = await queries.place(db, actor=who.actor, code=code)
        binds = {"code": code, "latitude": found.latitude, "longitude": found.longitude}
        around = (await db.execute(AROUND, {**who.actor.scope, **binds})).all()
        belongs = (await db.execute(BELONGS, {"code": code})).one()
    where = quote(code, safe="")
    thing = Thing(
        title=found.name,
        shown_code=code,
        subject=code,
        version=found.version,
        address=f"/admin/places/{where}",
        back="/admin/places",
        save=say("Save"),
        consequence=say("Plans follow at once. What was promised before keeps its deadline."),
        inputs=(Input(name="name", label=say("Name"), required=True), *coordinates(say), preparation(say)),
        hours=hours_field(filled, "opening_hours", say("Opening hours"), say),
        hours_words=hours_in_words(found.opening_hours, say),
        map=spot(found.name, found.kind, found.latitude, found.longitude, around),
        doubt=doubt_in_words(found.latitude, found.longitude, found.timezone, say),
        warnings=() if belongs.serves else (say("This place serves no area: nothing in it counts for 2 hours."),),
        facts=(
            Fact(label=say("Kind"), words=say(PLACE[found.kind])),
            Fact(label=say("Stock"), words=say(STOCK[found.stock])),
            Fact(label=say("Time zone"), words=found.timezone),
            Fact(
                label=say("Lies in"),
                words=found.area or say("no area"),
                href=f"/admin/areas/{quote(found.area, safe='')}" if found.area else None,
            ),
            Fact(label=say("Serves"), words=belongs.serves or say("no area")),
            Fact(label=say("Couriers"), words=str(belongs.couriers), href=f"/admin/couriers?place={where}"),
            Fact(label=say("Carrier lanes"), words=str(belongs.lanes), href=f"/admin/lanes?place={where}"),
        ),
    )
    return thing_page(request, who, thing, filled)


@post("/admin/places/{place:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def change_place(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    place: FromPath[str],
) -> Response[Any]:
    """Change a place."""
    try:
        change = form.into(changes.PlaceChange, opening_hours=hours_in(form, "opening_hours"))
        made = await call.act(
            lambda db: reshaping.change_place(
                db, actor=call.actor, code=place, change=change, expected_version=version_of(form), now=call.now
            ),
            schemas.PlaceOut,
        )
    except Refusal as refused:
        return await place_page(request, who, place, typed(request, form, refused))
    say = Words(call.language)
    return see_other(request.url.path, request, say=say("{name} is changed.", name=made.name))


HANDLERS = [list_places, export_places, new_place, create_place, show_place, change_place]
