"""Doors to parts: how their pieces are told apart, and what may stand in for them."""

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
from app.network import queries, schemas, service
from app.network.schemas import changes
from app.web.admin.filled import Filled, standing, typed, version_of
from app.web.admin.ground import PARTS as ALL_PARTS
from app.web.admin.ground import choices
from app.web.admin.schematic import stand_ins
from app.web.admin.thing import Input, Thing, thing_page
from app.web.admin.words import SUBSTITUTION, TRACKING
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page

AnyRequest = Request[Any, Any, Any]
NAMES = text("SELECT number, name FROM part WHERE number = ANY(CAST(:numbers AS text[]))")
USED = text("""
    SELECT p.model, m.name, p.position, p.key FROM model_position p JOIN model m ON m.code = p.model
    WHERE p.part_number = :number ORDER BY m.name, p.position LIMIT 100
""")
MODELS = text("SELECT code, name FROM model ORDER BY name, code LIMIT 2000")
STAND_INS = "(SELECT count(*) FROM substitution s WHERE p.number IN (s.from_part, s.to_part))"
YES_NO = {"no": "No", "yes": "Yes"}

LIST = Listing(
    page="/admin/parts",
    title="Parts",
    source="part p",
    where="true",
    id="p.number",
    order="number",
    empty="No part is known yet. Make one, or import the catalog.",
    columns=(
        Column(key="number", label="Part", sql="p.number", kind="code", href="/admin/parts/{number}", nullable=False),
        Column(key="name", label="Name", sql="p.name", nullable=False),
        Column(key="tracking", label="Counted", sql="p.tracking", kind="state", words=TRACKING, nullable=False),
        Column(key="fitting", label="Fitting, min", sql="p.fitting_minutes", kind="quantity", nullable=False),
        Column(key="weight", label="Weight, g", sql="p.weight_g", kind="quantity", nullable=False),
        Column(
            key="hazardous",
            label="Hazardous",
            sql="CASE WHEN p.hazardous THEN 'yes' ELSE 'no' END",
            kind="state",
            words=YES_NO,
            nullable=False,
        ),
        Column(key="stand_ins", label="Stand-ins", sql=STAND_INS, kind="quantity", nullable=False),
    ),
    filters=(
        Filter(key="search", label="Number or name", kind="search", sql="concat_ws(' ', p.number, p.name)"),
        Filter(key="tracking", label="Counted", kind="choice", sql="p.tracking", words=TRACKING),
    ),
)


@get("/admin/parts", opt=signed_in(ADMIN), include_in_schema=False)
async def list_parts(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """All parts."""
    say = Words(language_of(request))
    return await table_page(request, who, LIST, "admin/list.html", make=say("Make a part"), note="")


@get(["/admin/parts.csv", "/admin/parts.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_parts(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LIST)


def shared_inputs(say: Words) -> tuple[Input, ...]:
    return (
        Input(name="name", label=say("Name"), required=True),
        Input(
            name="fitting_minutes",
            label=say("Minutes to fit it"),
            sort="number",
            low="0",
            high="1440",
            required=True,
            hint=say("Plans leave the courier this long at the device."),
        ),
        Input(name="weight_g", label=say("Weight in grams"), sort="number", low="0", high="10000000", required=True),
        Input(name="hazardous", label=say("Hazardous goods"), sort="tick"),
    )


@get("/admin/parts/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_part(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new part."""
    return part_form(request, who, standing(tracking="none", fitting_minutes=20, weight_g=500))


def part_form(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    thing = Thing(
        title=say("Make a part"),
        address="/admin/parts/new",
        back="/admin/parts",
        save=say("Make this part"),
        consequence=say("How pieces are counted is never changed later: every piece in the books is told apart by it."),
        inputs=(
            Input(name="number", label=say("Part number"), sort="code", required=True),
            Input(
                name="tracking",
                label=say("Counted"),
                sort="pick",
                options=tuple((one, say(TRACKING[one])) for one in TRACKING),
            ),
            *shared_inputs(say),
        ),
    )
    return thing_page(request, who, thing, filled)


@post("/admin/parts/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_part(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make a part."""
    try:
        new = form.into(schemas.PartIn, hazardous=form.flag("hazardous"))
        made = await call.act(lambda db: service.add_part(db, actor=call.actor, new=new, now=call.now), schemas.PartOut)
    except Refusal as refused:
        return part_form(request, who, typed(request, form, refused))
    say = Words(call.language)
    return see_other(
        f"/admin/parts/{quote(made.number, safe='')}", request, say=say("{name} is made.", name=made.number)
    )


@get("/admin/parts/{part:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_part(request: AnyRequest, who: NamedDependency[SignedIn], part: FromPath[str]) -> Response[Any]:
    """One part: to change, what may stand in for it, and in which models it sits."""
    async with reading(request.app.state.engine) as db:
        found = await queries.part(db, actor=who.actor, number=part)
    return await part_page(request, who, part, part_values(found), Filled())


def part_values(found: schemas.PartOut) -> Filled:
    return standing(
        name=found.name,
        fitting_minutes=found.fitting_minutes,
        weight_g=found.weight_g,
        hazardous=found.hazardous,
    )


async def part_page(request: AnyRequest, who: SignedIn, number: str, filled: Filled, stand_in: Filled) -> Response[str]:
    say, today = Words(language_of(request)), request.app.state.clock.now().date()
    async with reading(request.app.state.engine) as db:
        found = await queries.part(db, actor=who.actor, number=number)
        edges = await queries.substitutions(db, parts=[number])
        numbers = sorted({number, *(one for edge in edges for one in (edge.from_part, edge.to_part))})
        names = {row.number: row.name for row in await db.execute(NAMES, {"numbers": numbers})}
        used = (await db.execute(USED, {"number": number})).all()
        parts = await choices(db, who.actor, ALL_PARTS)
        models = await choices(db, who.actor, MODELS)
    return page(
        request,
        "admin/part.html",
        status=max(filled.status, stand_in.status),
        who=who,
        f=filled,
        g=stand_in,
        part=found,
        address=f"/admin/parts/{quote(number, safe='')}",
        tracking=say(TRACKING[found.tracking]),
        edges=tuple((edge, say(SUBSTITUTION[edge.kind])) for edge in edges),
        drawn=stand_ins(number, edges, names, today) if edges else None,
        used=used,
        parts=parts,
        models=models,
        kinds=tuple((one, say(SUBSTITUTION[one])) for one in SUBSTITUTION),
    )


@post("/admin/parts/{part:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def change_part(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    part: FromPath[str],
) -> Response[Any]:
    """Change a part."""
    try:
        change = form.into(changes.PartChange, hazardous=form.flag("hazardous"))
        made = await call.act(
            lambda db: service.change_part(
                db, actor=call.actor, number=part, change=change, expected_version=version_of(form), now=call.now
            ),
            schemas.PartOut,
        )
    except Refusal as refused:
        return await part_page(request, who, part, typed(request, form, refused), Filled())
    say = Words(call.language)
    return see_other(request.url.path, request, say=say("{name} is changed.", name=made.number))


@post("/admin/parts/{part:str}/stand-ins", opt=signed_in(ADMIN), include_in_schema=False)
async def add_stand_in(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    part: FromPath[str],
) -> Response[Any]:
    """Let another part stand in for this one."""
    where = f"/admin/parts/{quote(part, safe='')}"
    try:
        new = form.into(schemas.SubstitutionIn, from_part=part)
        made = await call.act(
            lambda db: service.add_substitution(db, actor=call.actor, new=new, now=call.now),
            schemas.SubstitutionOut,
        )
    except Refusal as refused:
        async with reading(request.app.state.engine) as db:
            found = await queries.part(db, actor=who.actor, number=part)
        return await part_page(request, who, part, part_values(found), typed(request, form, refused))
    say = Words(call.language)
    return see_other(where, request, say=say("{name} may stand in for it now.", name=made.to_part))


HANDLERS = [list_parts, export_parts, new_part, create_part, show_part, change_part, add_stand_in]
