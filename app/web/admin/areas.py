"""Doors to service areas: which places serve them from inside the two hours, and who drives there."""

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
from app.web.admin.ground import PLACES, choices
from app.web.admin.thing import Fact, Input, Members, Thing, thing_page
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page

AnyRequest = Request[Any, Any, Any]
COUNTED = {
    "sources": "(SELECT count(*) FROM area_source s WHERE s.area = a.code)",
    "couriers": "(SELECT count(*) FROM courier c WHERE c.area = a.code)",
    "sites": "(SELECT count(*) FROM site s WHERE s.area = a.code)",
}
LACKS = f"""CASE WHEN {COUNTED["sources"]} = 0 THEN 'sources' WHEN {COUNTED["couriers"]} = 0 THEN 'couriers'
    ELSE 'nothing' END"""
LACKS_WORDS = {"nothing": "ready", "sources": "no source", "couriers": "no courier"}
BELONGS = text(f"""
    SELECT {COUNTED["couriers"]} AS couriers, {COUNTED["sites"]} AS sites,
        (SELECT count(*) FROM lane l WHERE l.to_area = a.code) AS lanes
    FROM area a WHERE a.code = :code
""")

LIST = Listing(
    page="/admin/areas",
    title="Service areas",
    source="area a",
    where="(CAST(:scope_areas AS text[]) IS NULL OR a.code = ANY(CAST(:scope_areas AS text[])))",
    id="a.code",
    order="name",
    empty="There is no service area yet. Make one, or import them with their sources.",
    columns=(
        Column(key="name", label="Name", sql="a.name", href="/admin/areas/{code}", nullable=False),
        Column(key="code", label="Code", sql="a.code", kind="code", nullable=False),
        Column(
            key="lacks",
            label="State",
            sql=LACKS,
            kind="state",
            words=LACKS_WORDS,
            standing={"nothing": "ok", "sources": "risk", "couriers": "risk"},
            nullable=False,
        ),
        Column(key="sources", label="Sources", sql=COUNTED["sources"], kind="quantity", nullable=False),
        Column(key="couriers", label="Couriers", sql=COUNTED["couriers"], kind="quantity", nullable=False),
        Column(key="sites", label="Sites", sql=COUNTED["sites"], kind="quantity", nullable=False),
    ),
    filters=(
        Filter(key="search", label="Name or code", kind="search", sql="concat_ws(' ', a.name, a.code)"),
        Filter(key="lacks", label="State", kind="choice", sql=LACKS, words=LACKS_WORDS),
    ),
)


@get("/admin/areas", opt=signed_in(ADMIN), include_in_schema=False)
async def list_areas(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """All areas, with what they lack."""
    say = Words(language_of(request))
    return await table_page(request, who, LIST, "admin/list.html", make=say("Make an area"), note="")


@get(["/admin/areas.csv", "/admin/areas.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_areas(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LIST)


@get("/admin/areas/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_area(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new area."""
    return await area_page(request, who, None, standing())


async def area_page(request: AnyRequest, who: SignedIn, code: str | None, filled: Filled) -> Response[str]:
    """The form of an area; without a code, of a new one."""
    say = Words(language_of(request))
    facts: tuple[Fact, ...] = ()
    warnings: tuple[str, ...] = ()
    version = None
    name = Input(name="name", label=say("Name"), required=True)
    inputs: tuple[Input, ...] = (
        Input(name="code", label=say("Code"), sort="code", required=True, hint=say("Never changed later.")),
        name,
    )
    async with reading(request.app.state.engine) as db:
        places = await choices(db, who.actor, PLACES)
        if code is not None:
            found = await queries.area(db, actor=who.actor, code=code)
            belongs = (await db.execute(BELONGS, {"code": code})).one()
            version, inputs = found.version, (name,)
            facts, warnings = facts_of(code, belongs, say), warnings_of(found, belongs, say)
    title = filled.value("name") if code is not None else say("Make an area")
    where = quote(code or "new", safe="")
    thing = Thing(
        title=title or str(code),
        shown_code=code,
        subject=code,
        version=version,
        address=f"/admin/areas/{where}",
        back="/admin/areas",
        save=say("Save") if code else say("Make this area"),
        consequence=say(
            "New lines are promised within 2 hours if a source has the part. Lines promised before keep theirs."
        ),
        inputs=inputs,
        members=(
            Members(
                name="sources",
                label=say("Sources: the places that serve it"),
                hint=say("A place may serve several areas."),
                options=tuple((one, words, filled.has("sources", one)) for one, words in places),
            ),
        ),
        warnings=warnings,
        facts=facts,
    )
    return thing_page(request, who, thing, filled)


def facts_of(code: str, belongs: Any, say: Words) -> tuple[Fact, ...]:
    where = quote(code, safe="")
    return (
        Fact(label=say("Couriers"), words=str(belongs.couriers), href=f"/admin/couriers?area={where}"),
        Fact(label=say("Sites"), words=str(belongs.sites), href=f"/admin/sites?area={where}"),
        Fact(label=say("Carrier lanes to it"), words=str(belongs.lanes), href=f"/admin/lanes?area={where}"),
    )


def warnings_of(found: schemas.AreaOut, belongs: Any, say: Words) -> tuple[str, ...]:
    made = []
    if not found.sources:
        made.append(say("No place serves this area: nothing is promised within 2 hours here."))
    if not belongs.couriers:
        made.append(say("No courier works here: what lies in the area goes by carrier, or waits."))
    return tuple(made)


@post("/admin/areas/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_area(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make an area."""
    try:
        new = form.into(schemas.AreaIn, sources=form.texts("sources"))
        made = await call.act(lambda db: service.add_area(db, actor=call.actor, new=new, now=call.now), schemas.AreaOut)
    except Refusal as refused:
        return await area_page(request, who, None, typed(request, form, refused))
    say = Words(call.language)
    return see_other(f"/admin/areas/{quote(made.code, safe='')}", request, say=say("{name} is made.", name=made.name))


@get("/admin/areas/{area:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_area(request: AnyRequest, who: NamedDependency[SignedIn], area: FromPath[str]) -> Response[Any]:
    """One area, to look at and to change."""
    async with reading(request.app.state.engine) as db:
        found = await queries.area(db, actor=who.actor, code=area)
    return await area_page(request, who, area, standing(name=found.name, sources=found.sources))


@post("/admin/areas/{area:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def change_area(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    area: FromPath[str],
) -> Response[Any]:
    """Change an area's name or sources."""
    try:
        change = form.into(changes.AreaChange, sources=form.texts("sources"))
        made = await call.act(
            lambda db: reshaping.change_area(
                db, actor=call.actor, code=area, change=change, expected_version=version_of(form), now=call.now
            ),
            schemas.AreaOut,
        )
    except Refusal as refused:
        return await area_page(request, who, area, typed(request, form, refused))
    say = Words(call.language)
    return see_other(request.url.path, request, say=say("{name} is changed.", name=made.name))


HANDLERS = [list_areas, export_areas, new_area, create_area, show_area, change_area]
