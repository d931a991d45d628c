"""Doors to a verdict with its proof: as a page at an address that lasts, and on paper."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, Actor, Role
from app.core.db import reading
from app.warranty import queries as warranty
from app.warranty.api import verdict_out
from app.warranty.queries.lives import Proof, proof_of
from app.warranty.rules.inputs import VerdictInputs
from app.warranty.schemas import VerdictOut
from app.web import addresses, paper
from app.web.engineer import queries
from app.web.engineer.papers import verdict_paper
from app.web.engineer.verdict_view import Named, VerdictView, view_of
from app.web.frame import signed_in
from app.web.render import HEADERS, Words, language_of, page
from app.web.sessions import SignedIn

VERDICT_ROLES: tuple[Role, ...] = (ENGINEER, DISPATCHER, FINANCE, ADMIN)
PDF = ".pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A verdict as read: what page and paper are made of."""

    view: VerdictView
    inputs: VerdictInputs
    proof: Proof | None
    named: Named


@get("/verdicts/{verdict_id:str}", opt=signed_in(*VERDICT_ROLES), include_in_schema=False)
async def show_verdict(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], verdict_id: FromPath[str]
) -> Response[Any]:
    """The verdict, what it rests on, and which came before and after; `.pdf` behind its number is the same on paper."""
    if verdict_id.endswith(PDF):
        return await on_paper(request, who.actor, verdict_id.removesuffix(PDF))
    found = await shown(request, who.actor, verdict_id)
    return page(request, "engineer/verdict.html", who=who, view=found.view)


async def on_paper(request: Request[Any, Any, Any], actor: Actor, verdict_id: str) -> Response[bytes]:
    """The PDF, in the reader's language."""
    found, say = await shown(request, actor, verdict_id), Words(language_of(request))
    state = request.app.state
    value = verdict_paper(
        found.view,
        found.inputs,
        found.proof,
        found.named,
        actor=actor,
        settings=state.settings,
        now=state.clock.now(),
        say=say,
    )
    headers = dict(HEADERS) | {"Content-Disposition": f'inline; filename="{verdict_id}.pdf"'}
    return Response(await paper.verdict(value, say), media_type="application/pdf", headers=headers)


async def shown(request: Request[Any, Any, Any], actor: Actor, verdict_id: str) -> Read:
    """Read all that is shown; the picture is folded anew from the stored inputs."""
    state, say = request.app.state, Words(language_of(request))
    async with reading(state.engine) as db:
        row = await warranty.verdict(db, actor=actor, verdict_id=verdict_id)
        out = verdict_out(row, say.language)
        inputs = VerdictInputs.of(out.inputs)
        lines = await queries.lines_of_request(db, actor=actor, request=out.subject) if out.subject else ()
        proof = proof_of(inputs, date.fromisoformat(out.coverage["on"]))
        named = await _named(db, out, inputs, proof, lines)
    view = view_of(
        out,
        row.outcome,
        inputs,
        proof,
        lines,
        named,
        actor=actor,
        link=addresses.absolute(request, addresses.verdict(verdict_id)),
        fingerprint=row.outcome_hash,
        say=say,
    )
    return Read(view=view, inputs=inputs, proof=proof, named=named)


async def _named(
    db: AsyncConnection, out: VerdictOut, inputs: VerdictInputs, proof: Proof | None, lines: tuple[Any, ...]
) -> Named:
    """Names for the codes, and where the device stands."""
    numbers = {one.part_number for one in proof.lifetimes} if proof else set()
    numbers |= {one.supplied_part_number for one in lines}
    there = await queries.installed(db, installation=inputs.candidates[0].installation_id)
    return Named(
        parts=await queries.part_names(db, numbers),
        people=await queries.people(db, {out.given_by}),
        model=there.model_name,
        site=there.site_name,
        customer=there.customer_name,
        contract=there.contract,
    )


HANDLERS = [show_verdict]
