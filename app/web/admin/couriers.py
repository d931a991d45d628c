"""Doors to couriers: who drives, out of which place, in which shift."""

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
from app.web.admin.filled import Filled, standing, typed, version_of
from app.web.admin.ground import PLACES, choices
from app.web.admin.hours import hours_field, hours_in, hours_in_words, hours_values
from app.web.admin.thing import Fact, Input, Thing, thing_page
from app.web.admin.words import COURIER
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page

AnyRequest = Request[Any, Any, Any]
WHERE = """(CAST(:scope_places AS text[]) IS NULL OR c.place = ANY(CAST(:scope_places AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR c.area = ANY(CAST(:scope_areas AS text[])))"""

LIST = Listing(
    page="/admin/couriers",
    title="Couriers",
    source="courier c JOIN place p ON p.code = c.place LEFT JOIN area a ON a.code = c.area",
    where=WHERE,
    id="c.code",
    order="name",
    empty="Nobody drives yet. Without couriers everything goes by carrier.",
    facts={"home": "c.area", "start": "c.place"},
    columns=(
        Column(key="name", label="Name", sql="c.name", href="/admin/couriers/{code}", nullable=False),
        Column(key="code", label="Code", sql="c.code", kind="code", nullable=False),
        Column(key="role", label="Work", sql="c.role", kind="state", words=COURIER, nullable=False),
        Column(key="place", label="Starts from", sql="p.name", href="/admin/places/{start}", nullable=False),
        Column(key="area", label="Area", sql="a.name", href="/admin/areas/{home}"),
        Column(key="load", label="Load, kg", sql="c.capacity_g / 1000", kind="quantity", nullable=False),
        Column(key="skills", label="Skills", sql="nullif(array_to_string(c.skills, ', '), '')"),
    ),
    filters=(
        Filter(key="search", label="Name or code", kind="search", sql="concat_ws(' ', c.name, c.code)"),
        Filter(key="role", label="Work", kind="choice", sql="c.role", words=COURIER),
        Filter(key="place", label="Place code", kind="is", sql="c.place"),
        Filter(key="area", label="Area code", kind="is", sql="c.area"),
    ),
)


@get("/admin/couriers", opt=signed_in(ADMIN), include_in_schema=False)
async def list_couriers(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """All couriers."""
    say = Words(language_of(request))
    return await table_page(request, who, LIST, "admin/list.html", make=say("Make a courier"), note="")


@get(["/admin/couriers.csv", "/admin/couriers.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_couriers(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LIST)


@get("/admin/couriers/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_courier(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new courier."""
    week = {f"shift_{day}": ["08:00", "20:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    return await courier_form(request, who, standing(role="courier", capacity_g=50000, shift_kind="week", **week))


def shared_inputs(say: Words) -> tuple[Input, ...]:
    return (
        Input(name="name", label=say("Name"), required=True),
        Input(name="role", label=say("Work"), sort="pick", options=tuple((one, say(COURIER[one])) for one in COURIER)),
        Input(name="capacity_g", label=say("Load in grams"), sort="number", low="1", high="100000000", required=True),
        Input(
            name="skills",
            label=say("Skills"),
            sort="lines",
            hint=say("One to a line, without blanks; a part that needs one goes only to who has it."),
        ),
    )


async def courier_form(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        places = await choices(db, who.actor, PLACES)
    thing = Thing(
        title=say("Make a courier"),
        address="/admin/couriers/new",
        back="/admin/couriers",
        save=say("Make this courier"),
        consequence=say("The courier works in the area of the place he or she starts from."),
        inputs=(
            Input(name="code", label=say("Code"), sort="code", required=True, hint=say("Never changed later.")),
            Input(name="place", label=say("Starts from"), sort="pick", options=places),
            *shared_inputs(say),
        ),
        hours=hours_field(filled, "shift", say("Shift"), say),
    )
    return thing_page(request, who, thing, filled)


@post("/admin/couriers/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_courier(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make a courier."""
    try:
        new = form.into(schemas.CourierIn, shift=hours_in(form, "shift"), skills=lines_in(form, "skills"))
        made = await call.act(
            lambda db: service.add_courier(db, actor=call.actor, new=new, now=call.now), schemas.CourierOut
        )
    except Refusal as refused:
        return await courier_form(request, who, typed(request, form, refused))
    say = Words(call.language)
    where = f"/admin/couriers/{quote(made.code, safe='')}"
    return see_other(where, request, say=say("{name} is made.", name=made.name))


def lines_in(form: Form, name: str) -> list[str]:
    """What stands on the lines of a field, each once, in their order."""
    return list(dict.fromkeys(one.strip() for one in (form.text(name) or "").splitlines() if one.strip()))


@get("/admin/couriers/{courier:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_courier(request: AnyRequest, who: NamedDependency[SignedIn], courier: FromPath[str]) -> Response[Any]:
    """One courier, to look at and to change."""
    async with reading(request.app.state.engine) as db:
        found = await queries.courier(db, actor=who.actor, code=courier)
    filled = standing(
        name=found.name,
        role=found.role,
        capacity_g=found.capacity_g,
        skills=found.skills,
        **hours_values("shift", found.shift),
    )
    return await courier_page(request, who, courier, filled)


async def courier_page(request: AnyRequest, who: SignedIn, code: str, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        found = await queries.courier(db, actor=who.actor, code=code)
    thing = Thing(
        title=found.name,
        shown_code=code,
        subject=code,
        version=found.version,
        address=f"/admin/couriers/{quote(code, safe='')}",
        back="/admin/couriers",
        save=say("Save"),
        consequence=say("Plans follow at once. A route under way is driven to its end."),
        inputs=shared_inputs(say),
        hours=hours_field(filled, "shift", say("Shift"), say),
        hours_words=hours_in_words(found.shift, say),
        warnings=() if found.area else (say("The place this courier starts from lies in no area: no plan uses it."),),
        facts=(
            Fact(label=say("Starts from"), words=found.place, href=f"/admin/places/{quote(found.place, safe='')}"),
            Fact(
                label=say("Area"),
                words=found.area or say("no area"),
                href=f"/admin/areas/{quote(found.area, safe='')}" if found.area else None,
            ),
        ),
    )
    return thing_page(request, who, thing, filled)


@post("/admin/couriers/{courier:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def change_courier(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    courier: FromPath[str],
) -> Response[Any]:
    """Change a courier."""
    try:
        change = form.into(changes.CourierChange, shift=hours_in(form, "shift"), skills=lines_in(form, "skills"))
        made = await call.act(
            lambda db: reshaping.change_courier(
                db, actor=call.actor, code=courier, change=change, expected_version=version_of(form), now=call.now
            ),
            schemas.CourierOut,
        )
    except Refusal as refused:
        return await courier_page(request, who, courier, typed(request, form, refused))
    say = Words(call.language)
    return see_other(request.url.path, request, say=say("{name} is changed.", name=made.name))


HANDLERS = [list_couriers, export_couriers, new_courier, create_courier, show_courier, change_courier]
