"""Doors to models: their positions as a list and as a drawing, key parts marked; making and changing them."""

from dataclasses import dataclass
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
from app.web.admin.ground import PARTS, choices
from app.web.admin.schematic import Schematic, schematic
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page

AnyRequest = Request[Any, Any, Any]
BLANK = 4
DEVICES = "(SELECT count(*) FROM installation i WHERE i.model = m.code)"
POSITIONS = "(SELECT count(*) FROM model_position p WHERE p.model = m.code{})"
DEVICES_OF = text("SELECT count(*) FROM installation WHERE model = :code")
NAMES = text("SELECT number, name FROM part WHERE number = ANY(CAST(:numbers AS text[]))")

LIST = Listing(
    page="/admin/models",
    title="Models",
    source="model m",
    where="true",
    id="m.code",
    order="name",
    empty="No model is known yet. A model says which parts sit where in a device, and which of them are key.",
    columns=(
        Column(key="name", label="Name", sql="m.name", href="/admin/models/{code}", nullable=False),
        Column(key="code", label="Code", sql="m.code", kind="code", nullable=False),
        Column(key="positions", label="Positions", sql=POSITIONS.format(""), kind="quantity", nullable=False),
        Column(key="keys", label="Key parts", sql=POSITIONS.format(" AND p.key"), kind="quantity", nullable=False),
        Column(key="devices", label="Devices", sql=DEVICES, kind="quantity", nullable=False),
    ),
    filters=(Filter(key="search", label="Name or code", kind="search", sql="concat_ws(' ', m.name, m.code)"),),
)


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One row of the form; `name` is the part's, where it is known."""

    position: str
    part_number: str
    key: bool
    name: str


@get("/admin/models", opt=signed_in(ADMIN), include_in_schema=False)
async def list_models(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """All models."""
    say = Words(language_of(request))
    return await table_page(request, who, LIST, "admin/list.html", make=say("Make a model"), note="")


@get(["/admin/models.csv", "/admin/models.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_models(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LIST)


@get("/admin/models/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_model(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new model."""
    return await model_page(request, who, None, standing())


@get("/admin/models/{model:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_model(request: AnyRequest, who: NamedDependency[SignedIn], model: FromPath[str]) -> Response[Any]:
    """One model, to look at and to change."""
    async with reading(request.app.state.engine) as db:
        found = await queries.model(db, actor=who.actor, code=model)
    return await model_page(request, who, found, standing(name=found.name, **position_values(found)))


def position_values(found: schemas.ModelOut) -> dict[str, Any]:
    """The positions as the form's columns; `key` holds the numbers of the rows that are key."""
    return {
        "position": [one.position for one in found.positions],
        "part_number": [one.part_number for one in found.positions],
        "key": [str(at) for at, one in enumerate(found.positions) if one.key],
    }


async def model_page(
    request: AnyRequest, who: SignedIn, found: schemas.ModelOut | None, filled: Filled
) -> Response[str]:
    """The form of a model with its drawing; without a model, of a new one."""
    numbers = [*filled.all("part_number"), *([one.part_number for one in found.positions] if found else [])]
    async with reading(request.app.state.engine) as db:
        parts = await choices(db, who.actor, PARTS)
        names = {row.number: row.name for row in await db.execute(NAMES, {"numbers": numbers})}
        devices = await db.scalar(DEVICES_OF, {"code": found.code}) if found else 0
    typed_rows = zip(filled.all("position"), filled.all("part_number"), strict=False)
    rows = [
        PositionRow(position, number, filled.has("key", str(at)), names.get(number, ""))
        for at, (position, number) in enumerate(typed_rows)
    ]
    drawn: Schematic | None = schematic(found, names) if found else None
    return page(
        request,
        "admin/model.html",
        status=filled.status,
        who=who,
        f=filled,
        model=found,
        address=f"/admin/models/{quote(found.code, safe='')}" if found else "/admin/models/new",
        rows=rows + [PositionRow("", "", False, "")] * BLANK,
        parts=parts,
        devices=devices,
        drawn=drawn,
    )


def positions_in(form: Form) -> list[dict[str, Any]]:
    """The rows that say something; a half one is sent on, to be named as wrong."""
    names = [value for key, value in form.fields if key == "position"]
    numbers = [value for key, value in form.fields if key == "part_number"]
    keys = form.texts("key")
    return [
        {"position": name, "part_number": number, "key": str(at) in keys}
        for at, (name, number) in enumerate(zip(names, numbers, strict=False))
        if name or number
    ]


@post("/admin/models/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_model(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make a model."""
    try:
        new = form.into(schemas.ModelIn, positions=positions_in(form))
        made = await call.act(
            lambda db: service.add_model(db, actor=call.actor, new=new, now=call.now), schemas.ModelOut
        )
    except Refusal as refused:
        return await model_page(request, who, None, refilled(request, form, refused))
    say = Words(call.language)
    return see_other(f"/admin/models/{quote(made.code, safe='')}", request, say=say("{name} is made.", name=made.name))


@post("/admin/models/{model:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def change_model(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    model: FromPath[str],
) -> Response[Any]:
    """Change a model for devices to come."""
    try:
        change = form.into(changes.ModelChange, positions=positions_in(form))
        made = await call.act(
            lambda db: service.change_model(
                db, actor=call.actor, code=model, change=change, expected_version=version_of(form), now=call.now
            ),
            schemas.ModelOut,
        )
    except Refusal as refused:
        async with reading(request.app.state.engine) as db:
            found = await queries.model(db, actor=who.actor, code=model)
        return await model_page(request, who, found, refilled(request, form, refused))
    say = Words(call.language)
    return see_other(request.url.path, request, say=say("{name} is changed.", name=made.name))


def refilled(request: AnyRequest, form: Form, refused: Refusal) -> Filled:
    """The form again; an unknown part is a fault of the positions' table."""
    filled = typed(request, form, refused)
    wrong = dict(filled.wrong)
    if "part_number" in wrong:
        wrong["positions"] = wrong.pop("part_number")
    return Filled(filled.values, wrong, filled.sentence, filled.status)


HANDLERS = [list_models, export_models, new_model, show_model, create_model, change_model]
