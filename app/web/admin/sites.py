"""Doors to sites: where devices stand, and which area they lie in."""

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
from app.web.admin.ground import AREAS, CUSTOMERS, ZONES, choices, doubt_in_words, spot
from app.web.admin.thing import Fact, Input, Thing, coordinates, thing_page
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page

AnyRequest = Request[Any, Any, Any]
DEVICES = "(SELECT count(*) FROM installation i WHERE i.site = s.code)"
AREA = "CASE WHEN s.area IS NULL THEN 'none' ELSE 'some' END"
AREA_WORDS = {"none": "without an area", "some": "in an area"}
BELONGS = text(f"SELECT {DEVICES} AS devices FROM site s WHERE s.code = :code")
WHERE = """(CAST(:scope_customers AS text[]) IS NULL OR s.customer = ANY(CAST(:scope_customers AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR s.area = ANY(CAST(:scope_areas AS text[])))"""

LIST = Listing(
    page="/admin/sites",
    title="Sites",
    source="site s JOIN customer c ON c.code = s.customer LEFT JOIN area a ON a.code = s.area",
    where=WHERE,
    id="s.code",
    order="name",
    empty="No site is known yet. Sites come with the devices' import, or one by one here.",
    facts={"home": "s.area"},
    columns=(
        Column(key="name", label="Name", sql="s.name", href="/admin/sites/{code}", nullable=False),
        Column(key="code", label="Code", sql="s.code", kind="code", nullable=False),
        Column(key="customer", label="Customer", sql="c.name", nullable=False),
        Column(key="area", label="Area", sql="a.name", href="/admin/areas/{home}"),
        Column(key="devices", label="Devices", sql=DEVICES, kind="quantity", nullable=False),
        Column(key="zone", label="Time zone", sql="s.timezone", nullable=False, shown=False),
        Column(key="address", label="Address", sql="s.address", shown=False),
    ),
    filters=(
        Filter(
            key="search",
            label="Name, code, customer or address",
            kind="search",
            sql="concat_ws(' ', s.name, s.code, c.name, c.code, s.address)",
        ),
        Filter(key="area", label="Area code", kind="is", sql="s.area"),
        Filter(key="customer", label="Customer code", kind="is", sql="s.customer"),
        Filter(key="placed", label="Area", kind="choice", sql=AREA, words=AREA_WORDS),
    ),
)


@get("/admin/sites", opt=signed_in(ADMIN), include_in_schema=False)
async def list_sites(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """All sites."""
    say = Words(language_of(request))
    return await table_page(request, who, LIST, "admin/list.html", make=say("Make a site"), note="")


@get(["/admin/sites.csv", "/admin/sites.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_sites(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LIST)


def shared_inputs(areas: tuple[tuple[str, str], ...], say: Words) -> tuple[Input, ...]:
    hint = say("Decides which local stock serves it within 2 hours, and which couriers drive.")
    return (
        Input(name="name", label=say("Name"), required=True),
        Input(name="area", label=say("Area"), sort="pick", options=areas, empty=say("no area"), hint=hint),
        *coordinates(say),
        Input(name="address", label=say("Address")),
    )


@get("/admin/sites/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_site(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new site."""
    return await site_form(request, who, standing(timezone=ZONES[0]))


async def site_form(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        areas = await choices(db, who.actor, AREAS)
        customers = await choices(db, who.actor, CUSTOMERS)
    thing = Thing(
        title=say("Make a site"),
        address="/admin/sites/new",
        back="/admin/sites",
        save=say("Make this site"),
        consequence="",
        inputs=(
            Input(name="code", label=say("Code"), sort="code", required=True, hint=say("Never changed later.")),
            Input(name="customer", label=say("Customer"), sort="pick", options=customers),
            *shared_inputs(areas, say),
            Input(
                name="timezone",
                label=say("Time zone"),
                sort="pick",
                options=tuple((one, one) for one in ZONES),
                hint=say("Decides on which day a failure happened. Never changed later."),
            ),
        ),
    )
    return thing_page(request, who, thing, filled)


@post("/admin/sites/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_site(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make a site."""
    try:
        new = form.into(schemas.SiteIn)
        made = await call.act(lambda db: service.add_site(db, actor=call.actor, new=new, now=call.now), schemas.SiteOut)
    except Refusal as refused:
        return await site_form(request, who, typed(request, form, refused))
    say = Words(call.language)
    return see_other(f"/admin/sites/{quote(made.code, safe='')}", request, say=say("{name} is made.", name=made.name))


@get("/admin/sites/{site:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_site(request: AnyRequest, who: NamedDependency[SignedIn], site: FromPath[str]) -> Response[Any]:
    """One site, to look at and to change."""
    async with reading(request.app.state.engine) as db:
        found = await queries.site(db, actor=who.actor, code=site)
    filled = standing(
        name=found.name,
        area=found.area,
        latitude=found.latitude,
        longitude=found.longitude,
        address=found.address,
    )
    return await site_page(request, who, site, filled)


async def site_page(request: AnyRequest, who: SignedIn, code: str, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        found = await queries.site(db, actor=who.actor, code=code)
        areas = await choices(db, who.actor, AREAS)
        devices = await db.scalar(BELONGS, {"code": code})
    thing = Thing(
        title=found.name,
        shown_code=code,
        subject=code,
        version=found.version,
        address=f"/admin/sites/{quote(code, safe='')}",
        back="/admin/sites",
        save=say("Save"),
        consequence=say("New requests use it at once. Requests on the way keep the area they came in with."),
        inputs=shared_inputs(areas, say),
        map=spot(found.name, "partner", found.latitude, found.longitude),
        doubt=doubt_in_words(found.latitude, found.longitude, found.timezone, say),
        warnings=() if found.area else (say("Without an area nothing is promised within 2 hours here."),),
        facts=(
            Fact(label=say("Customer"), words=found.customer),
            Fact(label=say("Time zone"), words=found.timezone),
            Fact(label=say("Devices"), words=str(devices), href=f"/devices?site={quote(code, safe='')}"),
        ),
    )
    return thing_page(request, who, thing, filled)


@post("/admin/sites/{site:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def change_site(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    site: FromPath[str],
) -> Response[Any]:
    """Change a site."""
    try:
        change = form.into(changes.SiteChange, area=form.text("area"), address=form.text("address"))
        made = await call.act(
            lambda db: reshaping.change_site(
                db, actor=call.actor, code=site, change=change, expected_version=version_of(form), now=call.now
            ),
            schemas.SiteOut,
        )
    except Refusal as refused:
        return await site_page(request, who, site, typed(request, form, refused))
    say = Words(call.language)
    return see_other(request.url.path, request, say=say("{name} is changed.", name=made.name))


HANDLERS = [list_sites, export_sites, new_site, create_site, show_site, change_site]
