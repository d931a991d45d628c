"""Doors to a contract's acceptance: what it anchors, and what correcting its day would change before anything is."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.billing.schemas import AmountChange, RevisionOut
from app.core.db import begin, reading
from app.core.errors import FieldError, Refusal
from app.core.http import BadFields
from app.core.i18n import term
from app.fulfillment.service.correcting import CorrectionOut, correct_acceptance
from app.network import queries, schemas
from app.warranty import service as warranty
from app.warranty.schemas import AcceptIn, AcceptOut
from app.web.admin.contracts import COUNTS, contract_page, day_in, example_by, where
from app.web.admin.examples import compared, in_force
from app.web.admin.filled import Filled, standing, typed, version_of
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn

AnyRequest = Request[Any, Any, Any]
MOST_SHOWN = 200
FIELDS = {
    "covered": "under warranty",
    "payer": "payer",
    "price_rule": "price rule",
    "needs_consent": "consent needed",
    "provisional": "only for now",
    "late_notice": "late notice",
    "restart_if_confirmed": "restart once confirmed",
    "coverage.status": "state",
    "coverage.first_day": "first day",
    "coverage.last_day": "last day",
    "coverage.restarted": "restarted",
}


class Undone(Exception):
    """Ends the transaction of a preview."""


@post("/admin/contracts/{contract:str}/accept", opt=signed_in(ADMIN), include_in_schema=False)
async def accept(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    contract: FromPath[str],
) -> Response[Any]:
    """Accept a contract's system: every device of it without a day of its own is anchored."""
    try:
        body = form.into(AcceptIn)
        done = await call.act(
            lambda db: warranty.accept_contract(
                db,
                actor=call.actor,
                number=contract,
                accepted_on=body.accepted_on,
                now=call.now,
                expected_version=version_of(form),
            ),
            AcceptOut,
        )
    except Refusal as refused:
        return await contract_page(request, who, contract, typed(request, form, refused))
    say = Words(call.language)
    told = say("Accepted on {day}: {count} devices are anchored.", day=done.accepted_on, count=done.devices)
    return see_other(where(contract), request, say=told)


@get("/admin/contracts/{contract:str}/correct", opt=signed_in(ADMIN), include_in_schema=False)
async def show_correct(request: AnyRequest, who: NamedDependency[SignedIn], contract: FromPath[str]) -> Response[Any]:
    """The form for another acceptance day."""
    async with reading(request.app.state.engine) as db:
        found = await queries.contract(db, actor=who.actor, number=contract)
    return await correct_page(request, who, found, standing(accepted_on=found.accepted_on))


async def correct_page(
    request: AnyRequest,
    who: SignedIn,
    found: schemas.ContractOut,
    filled: Filled,
    preview: CorrectionOut | None = None,
) -> Response[str]:
    """The form; with a preview, what would change: days, verdicts and amounts."""
    say = Words(language_of(request))
    lines: Any = ()
    async with reading(request.app.state.engine) as db:
        counts = (await db.execute(COUNTS, {"number": found.number})).one()
        if preview is not None:
            terms = in_force(found.terms, preview.before).terms
            examples = (
                await example_by(db, terms, preview.before, request),
                await example_by(db, terms, preview.after, request),
            )
            lines = compared(examples, say)
    revisions = () if preview is None else tuple(told(one, say) for one in preview.revisions[:MOST_SHOWN])
    return page(
        request,
        "admin/contract_correct.html",
        status=filled.status,
        who=who,
        f=filled,
        contract=found,
        address=where(found.number),
        counts=counts,
        preview=preview,
        lines=lines,
        revisions=revisions,
    )


def told(one: RevisionOut, say: Words) -> tuple[str, tuple[tuple[str, str, str], ...], tuple[AmountChange, ...]]:
    """A verdict that would be another: its number, its fields before and after in words, its amounts."""
    rows = tuple(
        (say(FIELDS[change.field]), plain(change.before, say), plain(change.after, say))
        for change in one.changes
        if change.field in FIELDS
    )
    return one.supersedes, rows, tuple(one.amounts)


def plain(value: Any, say: Words) -> str:
    """A field's value in words: a restart by its days, a yes or no, a code of the product's own."""
    if isinstance(value, dict):
        days = [str(value[name]) for name in ("first_day", "last_day") if value.get(name)]
        return " – ".join(days) or say("no restart")
    if isinstance(value, bool):
        return say("Yes") if value else say("No")
    return "—" if value is None else str(term(value, say.language))


@post("/admin/contracts/{contract:str}/correct", opt=signed_in(ADMIN), include_in_schema=False)
async def correct(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    contract: FromPath[str],
) -> Response[Any]:
    """Show what another day would change, by doing it and undoing it; or do it."""
    async with reading(request.app.state.engine) as db:
        found = await queries.contract(db, actor=who.actor, number=contract)
    say = Words(call.language)
    try:
        day, reason = day_in(form.text("accepted_on")), form.text("reason")
        if day is None or reason is None:
            missing = [("accepted_on", day), ("reason", reason)]
            raise BadFields(errors=[FieldError(name, "field.required") for name, value in missing if value is None])
        asked: dict[str, Any] = {
            "number": contract,
            "accepted_on": day,
            "reason": reason,
            "expected_version": version_of(form),
        }
        if form.text("do") != "record":
            preview = await previewed(call, asked)
            shown = Filled({name: tuple(form.texts(name)) for name, _ in form.fields})
            return await correct_page(request, who, found, shown, preview)
        done = await call.act(lambda db: correct_acceptance(db, actor=call.actor, now=call.now, **asked), CorrectionOut)
    except Refusal as refused:
        return await correct_page(request, who, found, typed(request, form, refused))
    sentence = say(
        "Corrected to {day}: {devices} devices reckoned anew, {verdicts} verdicts given anew.",
        day=done.after,
        devices=done.devices,
        verdicts=len(done.revisions),
    )
    return see_other(where(contract), request, say=sentence)


async def previewed(call: Call, asked: dict[str, Any]) -> CorrectionOut:
    """What a correction would do: done in a transaction that is undone."""
    found: list[CorrectionOut] = []
    try:
        async with begin(call.engine) as db:
            found.append(await correct_acceptance(db, actor=call.actor, now=call.now, **asked))
            raise Undone
    except Undone:
        return found[0]


HANDLERS = [accept, show_correct, correct]
