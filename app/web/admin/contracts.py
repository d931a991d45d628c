"""Doors to contracts: their terms in words, worked examples, amendments, the list of local parts, and a new contract."""

from datetime import date
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.core.db import reading
from app.core.errors import FieldError, Refusal
from app.network import queries, schemas, service
from app.warranty.queries.facts import calendars
from app.warranty.rules.terms import ANCHOR_YEARS, Calendar, Terms
from app.web.admin.couriers import lines_in
from app.web.admin.examples import Example, compared, in_force, odd_days, worked
from app.web.admin.filled import Filled, standing, typed, version_of
from app.web.admin.ground import CUSTOMERS, PARTS, choices
from app.web.admin.terms import (
    INSPECTIONS,
    clocks_in_words,
    terms_in,
    terms_in_words,
    terms_values,
)
from app.web.admin.words import CLOCK_LABEL, PRIORITY_ORDER
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.words import PRIORITY

AnyRequest = Request[Any, Any, Any]
DEVICES = "(SELECT count(*) FROM installation i WHERE i.contract = c.number)"
STATE = "CASE WHEN c.accepted_on IS NULL THEN 'open' ELSE 'accepted' END"
STATE_WORDS = {"accepted": "accepted by the customer", "open": "not accepted yet"}
DATED = "(SELECT count(*) FROM contract_terms t WHERE t.contract = c.number)"
COUNTS = text(f"""
    SELECT {DEVICES} AS devices, (SELECT count(*) FROM installation i WHERE i.contract = c.number
        AND i.accepted_on IS NULL) AS unanchored, (SELECT count(*) FROM installation i WHERE i.contract = c.number
        AND i.accepted_on = c.accepted_on) AS anchored, u.name AS customer_name
    FROM contract c JOIN customer u ON u.code = c.customer WHERE c.number = :number
""")

LIST = Listing(
    page="/admin/contracts",
    title="Contracts",
    source="contract c JOIN customer u ON u.code = c.customer",
    where="(CAST(:scope_customers AS text[]) IS NULL OR c.customer = ANY(CAST(:scope_customers AS text[])))",
    id="c.number",
    order="number",
    empty="There is no contract yet. A contract says for how long a customer's devices are under warranty, and who pays.",
    columns=(
        Column(
            key="number",
            label="Contract",
            sql="c.number",
            kind="code",
            href="/admin/contracts/{number}",
            nullable=False,
        ),
        Column(key="customer", label="Customer", sql="u.name", nullable=False),
        Column(
            key="state",
            label="State",
            sql=STATE,
            kind="state",
            words=STATE_WORDS,
            standing={"accepted": "ok", "open": "risk"},
            nullable=False,
        ),
        Column(key="accepted_on", label="Accepted on", sql="c.accepted_on", kind="date"),
        Column(key="devices", label="Devices", sql=DEVICES, kind="quantity", nullable=False),
        Column(key="amendments", label="Amendments", sql=f"{DATED} - 1", kind="quantity", nullable=False),
        Column(key="currency", label="Currency", sql="c.currency", nullable=False, shown=False),
    ),
    filters=(
        Filter(
            key="search",
            label="Contract or customer",
            kind="search",
            sql="concat_ws(' ', c.number, u.name, u.code)",
        ),
        Filter(key="state", label="State", kind="choice", sql=STATE, words=STATE_WORDS),
        Filter(key="accepted", label="Accepted on", kind="dates", sql="c.accepted_on"),
    ),
)


def where(number: str) -> str:
    return f"/admin/contracts/{quote(number, safe='')}"


@get("/admin/contracts", opt=signed_in(ADMIN), include_in_schema=False)
async def list_contracts(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """All contracts."""
    say = Words(language_of(request))
    return await table_page(request, who, LIST, "admin/list.html", make=say("Make a contract"), note="")


@get(["/admin/contracts.csv", "/admin/contracts.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_contracts(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LIST)


async def calendar_of_terms(db: AsyncConnection, terms: Terms) -> Calendar | None:
    """The calendar that terms roll over by; None where they do not."""
    return (await calendars(db, terms=[terms])).get(terms.calendar)


def day_in(value: str | None) -> date | None:
    """A day as typed, within the years an acceptance may have."""
    try:
        day = date.fromisoformat(value or "")
    except ValueError:
        return None
    return day if ANCHOR_YEARS[0] <= day.year <= ANCHOR_YEARS[1] else None


async def example_by(db: AsyncConnection, raw: Any, day: date, request: AnyRequest) -> Example:
    terms, language = Terms.of(raw), language_of(request)
    return worked(terms, day, await calendar_of_terms(db, terms), Words(language), language)


@get("/admin/contracts/{contract:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_contract(request: AnyRequest, who: NamedDependency[SignedIn], contract: FromPath[str]) -> Response[Any]:
    """One contract: what it promises, worked out on a day, and what can be done."""
    return await contract_page(request, who, contract, Filled())


async def contract_page(request: AnyRequest, who: SignedIn, number: str, filled: Filled) -> Response[str]:
    say, language = Words(language_of(request)), language_of(request)
    asked = request.query_params.get("day")
    async with reading(request.app.state.engine) as db:
        found = await queries.contract(db, actor=who.actor, number=number)
        counts = (await db.execute(COUNTS, {"number": number})).one()
        today = request.app.state.clock.now().date()
        day = day_in(asked) or found.accepted_on or today
        dated = in_force(found.terms, day)
        example = await example_by(db, dated.terms, day, request)
        terms = Terms.of(dated.terms)
        odd = odd_days(terms, await calendar_of_terms(db, terms), say, language)
    chapters = tuple(
        (one.valid_from, one.valid_to, terms_in_words(one.terms, say), clocks_in_words(one.terms, say))
        for one in reversed(found.terms)
    )
    return page(
        request,
        "admin/contract.html",
        status=filled.status,
        who=who,
        f=filled,
        contract=found,
        address=where(number),
        counts=counts,
        chapters=chapters,
        clock_labels=tuple(say(CLOCK_LABEL[name]) for name in CLOCK_LABEL),
        day=day,
        day_wrong=asked is not None and day_in(asked) is None,
        taken=day == found.accepted_on,
        example=example,
        lines=compared((example,), say),
        odd=odd,
    )


@get("/admin/contracts/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_contract(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new contract, filled in with the letter's terms."""
    currency = request.app.state.settings.currency
    return await contract_form(request, who, standing(currency=currency, **terms_values({})))


async def contract_form(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[str]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        customers = await choices(db, who.actor, CUSTOMERS)
    return page(
        request,
        "admin/contract_form.html",
        status=filled.status,
        who=who,
        f=filled,
        customers=customers,
        **terms_choices(say),
    )


def terms_choices(say: Words) -> dict[str, Any]:
    return {
        "priorities": tuple((one, say(PRIORITY[one])) for one in PRIORITY_ORDER),
        "clock_names": tuple((name, say(CLOCK_LABEL[name])) for name in CLOCK_LABEL),
        "inspections": tuple((one, say(INSPECTIONS[one])) for one in INSPECTIONS),
    }


@post("/admin/contracts/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_contract(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make a contract."""
    try:
        new = form.into(schemas.ContractIn, terms=msgspec.to_builtins(terms_in(form)))
        made = await call.act(
            lambda db: service.add_contract(db, actor=call.actor, new=new, now=call.now), schemas.ContractOut
        )
    except Refusal as refused:
        return await contract_form(request, who, typed(request, form, refused))
    say = Words(call.language)
    return see_other(where(made.number), request, say=say("{name} is made.", name=made.number))


@get("/admin/contracts/{contract:str}/amend", opt=signed_in(ADMIN), include_in_schema=False)
async def show_amend(request: AnyRequest, who: NamedDependency[SignedIn], contract: FromPath[str]) -> Response[Any]:
    """The form for an amendment, filled in with the latest terms."""
    today = request.app.state.clock.now().date()
    async with reading(request.app.state.engine) as db:
        found = await queries.contract(db, actor=who.actor, number=contract)
    day = found.accepted_on or today
    return await amend_page(
        request, who, found, standing(valid_from=today, day=day, **terms_values(found.terms[-1].terms))
    )


async def amend_page(
    request: AnyRequest,
    who: SignedIn,
    found: schemas.ContractOut,
    filled: Filled,
    amendment: schemas.AmendmentIn | None = None,
) -> Response[str]:
    """The form; with an amendment, what it would change for a device accepted on the day of the example."""
    say = Words(language_of(request))
    day = day_in(filled.value("day")) or found.accepted_on or request.app.state.clock.now().date()
    shown: dict[str, Any] = {"lines": (), "reached": False, "odd": ()}
    if amendment is not None:
        async with reading(request.app.state.engine) as db:
            before = await example_by(db, in_force(found.terms, day).terms, day, request)
            after = await example_by(db, msgspec.to_builtins(amendment.terms), day, request)
        reached = day >= amendment.valid_from
        shown = {"lines": compared((before, after), say), "reached": reached, "after": after}
    return page(
        request,
        "admin/contract_amend.html",
        status=filled.status,
        who=who,
        f=filled,
        contract=found,
        address=where(found.number),
        day=day,
        **shown,
        **terms_choices(say),
    )


@post("/admin/contracts/{contract:str}/amend", opt=signed_in(ADMIN), include_in_schema=False)
async def amend(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    contract: FromPath[str],
) -> Response[Any]:
    """Show what an amendment would change, or record it."""
    async with reading(request.app.state.engine) as db:
        found = await queries.contract(db, actor=who.actor, number=contract)
    try:
        body = form.into(schemas.AmendmentIn, terms=msgspec.to_builtins(terms_in(form)))
        if form.text("do") != "record":
            shown = Filled({name: tuple(form.texts(name)) for name, _ in form.fields})
            return await amend_page(request, who, found, shown, body)
        await call.act(
            lambda db: service.amend_contract(
                db, actor=call.actor, number=contract, amendment=body, expected_version=version_of(form), now=call.now
            ),
            schemas.ContractOut,
        )
    except Refusal as refused:
        return await amend_page(request, who, found, typed(request, form, refused))
    say = Words(call.language)
    told = say("Amended from {day} on. Registered devices keep their terms.", day=body.valid_from)
    return see_other(where(contract), request, say=told)


@get("/admin/contracts/{contract:str}/assortment", opt=signed_in(ADMIN), include_in_schema=False)
async def show_assortment(
    request: AnyRequest, who: NamedDependency[SignedIn], contract: FromPath[str]
) -> Response[Any]:
    """The parts that a contract lists as stocked locally."""
    today = request.app.state.clock.now().date()
    async with reading(request.app.state.engine) as db:
        found = await queries.contract(db, actor=who.actor, number=contract)
    return await assortment_page(request, who, found, standing(valid_from=today, parts="\n".join(found.assortment)))


async def assortment_page(
    request: AnyRequest, who: SignedIn, found: schemas.ContractOut, filled: Filled
) -> Response[str]:
    async with reading(request.app.state.engine) as db:
        parts = await choices(db, who.actor, PARTS)
    return page(
        request,
        "admin/contract_assortment.html",
        status=filled.status,
        who=who,
        f=filled,
        contract=found,
        address=where(found.number),
        known=parts[:200],
    )


@post("/admin/contracts/{contract:str}/assortment", opt=signed_in(ADMIN), include_in_schema=False)
async def set_assortment(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    contract: FromPath[str],
) -> Response[Any]:
    """Replace the list from a day on."""
    async with reading(request.app.state.engine) as db:
        found = await queries.contract(db, actor=who.actor, number=contract)
    try:
        body = form.into(schemas.AssortmentIn, parts=lines_in(form, "parts"))
        await call.act(
            lambda db: service.set_assortment(
                db, actor=call.actor, number=contract, listed=body, expected_version=version_of(form), now=call.now
            ),
            schemas.ContractOut,
        )
    except Refusal as refused:
        renamed = [
            FieldError("parts" if one.field == "part" else one.field, one.code, one.facts) for one in refused.errors
        ]
        refused.errors = renamed
        return await assortment_page(request, who, found, typed(request, form, refused))
    say = Words(call.language)
    return see_other(
        where(contract), request, say=say("The list of local parts holds from {day} on.", day=body.valid_from)
    )


HANDLERS = [
    list_contracts,
    export_contracts,
    new_contract,
    create_contract,
    show_contract,
    show_amend,
    amend,
    show_assortment,
    set_assortment,
]
