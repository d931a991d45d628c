"""Doors to asking for a part: choose what failed, see the promise, then ask. Nothing is held before the last step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import Actor
from app.core.db import reading
from app.core.errors import FieldError, Refusal, Unprocessable
from app.core.http import BadFields, reasons_out
from app.core.i18n import text
from app.fulfillment.api.asking import ask_on_page, proposed
from app.fulfillment.api.shapes import request_out
from app.fulfillment.queries.gather import setting_of
from app.fulfillment.schemas import RequestIn
from app.fulfillment.service.promising import as_if_accepted
from app.fulfillment.service.proposing import Proposal
from app.fulfillment.service.refusals import NotEnough
from app.integrations.queries import connections as queries_of_drafts
from app.network import queries as network
from app.warranty import queries as warranty
from app.warranty.queries.lives import life
from app.web import addresses
from app.web.engineer import queries
from app.web.engineer.ask_view import AskView, NoPromise, ask_view, no_stock, positions_of, promise_view
from app.web.engineer.device_view import MAY_ASK
from app.web.engineer.drafts import DraftView, as_of_ticket, completing, draft_view, open_draft
from app.web.engineer.photos import keep_photos
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.verdict import Verdict, device_verdict

PHOTOS_AT_ONCE = 40 * 1024 * 1024


class DeviceSwappedOut(Unprocessable):
    """Parts are asked for the serial that stands there now."""

    code = "web.device_swapped_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What failed: a device, or one of a model at a site whose serial cannot be read; and what sits where in it."""

    serial: str | None
    site: str
    model: str
    contract: str
    installation: str | None
    zone: str
    positions: tuple[Any, ...]
    sitting: dict[str, str]
    verdict: Verdict | None


@get("/devices/{serial:str}/ask", opt=signed_in(*MAY_ASK), include_in_schema=False)
async def ask_for_device(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    serial: FromPath[str],
    draft: FromQuery[str | None] = None,
) -> Response[str]:
    """One screen, flowing down: what failed, how bad it is, and the promise. With a draft, for its ticket."""
    view = await shown(request, who.actor, serial=serial)
    ticket = await ticket_of(request, who.actor, draft)
    return page(request, "engineer/ask.html", who=who, view=view, draft=ticket)


@get("/ask", opt=signed_in(*MAY_ASK), include_in_schema=False)
async def ask_unread(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    site: FromQuery[str | None] = None,
    model: FromQuery[str | None] = None,
    draft: FromQuery[str | None] = None,
) -> Response[str]:
    """The serial cannot be read: site and model instead, and the serial by the time it runs again."""
    ticket = await ticket_of(request, who.actor, draft)
    if site and model:
        view = await shown(request, who.actor, site=site, model=model)
        return page(request, "engineer/ask.html", who=who, view=view, draft=ticket)
    async with reading(request.app.state.engine) as db:
        sites = await queries.sites(db, actor=who.actor)
        models = await queries.models_at(db, actor=who.actor, site=site) if site else ()
    return page(request, "engineer/unread.html", who=who, sites=sites, models=models, site=site or "", draft=ticket)


async def ticket_of(request: Request[Any, Any, Any], actor: Actor, draft_id: str | None) -> DraftView | None:
    """The ticket that is being completed; None where a part is asked for by itself."""
    if not draft_id:
        return None
    async with reading(request.app.state.engine) as db:
        return draft_view(await open_draft(db, actor, draft_id), Words(language_of(request)))


async def shown(
    request: Request[Any, Any, Any], actor: Actor, *, serial: str | None = None, site: str = "", model: str = ""
) -> AskView:
    """Read all that the page shows."""
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        subject = await subject_of(db, actor, serial=serial, site=site, model=model, now=now, say=say)
        where = await queries.where_it_is(db, site=subject.site)
        numbers = {*subject.sitting.values(), *(one.part_number for one in subject.positions)}
        names = await queries.part_names(db, numbers)
        model_name = await queries.model_name(db, model=subject.model)
        day = now.astimezone(ZoneInfo(subject.zone)).date()
        setting = await setting_of(db, contract=subject.contract, site=subject.site, day=day)
    unit, positions = positions_of(subject.positions, subject.sitting, names, say)
    return ask_view(
        serial=subject.serial,
        site=subject.site,
        where=where,
        model=subject.model,
        model_name=model_name,
        verdict=subject.verdict,
        unit=unit,
        positions=positions,
        clocks=setting.terms["clocks"],
        now=now,
        say=say,
    )


async def subject_of(
    db: AsyncConnection, actor: Actor, *, serial: str | None, site: str, model: str, now: datetime, say: Words
) -> Subject:
    """A device with what sits in it today; or the model as it is delivered, at a site of this actor's."""
    if serial is not None:
        device = await warranty.device(db, actor=actor, serial=serial)
        if device.replaced_by is not None:
            raise DeviceSwappedOut(serial=serial, new_serial=device.replaced_by)
        found = await life(db, actor=actor, serial=serial, on=None, known_at=None, now=now)
        return Subject(
            serial=serial,
            site=device.site,
            model=device.model,
            contract=device.contract,
            installation=found.facts.installation,
            zone=found.facts.zone,
            positions=tuple(device.positions),
            sitting={one.position: one.part_number for one in found.warranty.components},
            verdict=device_verdict(found, reasons_out(found.warranty.reasons, say.language), say),
        )
    there = await network.site(db, actor=actor, code=site)
    devices = (await warranty.devices(db, actor=actor, site=site, model=model, limit=1)).items
    if not devices:
        raise warranty.NoSuchDevice(site=site, model=model)
    return Subject(
        serial=None,
        site=site,
        model=model,
        contract=devices[0].contract,
        installation=None,
        zone=there.timezone,
        positions=tuple((await network.model(db, actor=actor, code=model)).positions),
        sitting={},
        verdict=None,
    )


@post("/ask/promise", status_code=200, opt=signed_in(*MAY_ASK), include_in_schema=False)
async def promise(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
) -> Response[str]:
    """What would be promised for what is chosen so far; holds nothing and writes nothing."""
    say, view, refused = Words(call.language), None, None
    if all(form.text(one) for one in ("position", "system_stopped", "priority")):
        subject = await call.read(lambda db: subject_of(db, who.actor, **_named(form), now=call.now, say=say))
        try:
            proposal = await proposed(asked_of(form, subject, call.now), call)
            view = await call.read(lambda db: _promised(db, who.actor, subject, proposal, form, call.now, say))
        except NotEnough as short:
            missing = short
            refused = await call.read(lambda db: _short(db, missing, say))
        except Refusal as other:
            sentence = text(other.code, other.facts, say.language)
            details = tuple(text(one.code, one.facts, say.language) for one in other.errors)
            refused = NoPromise(sentence=sentence, details=details, advice="")
    return page(request, "engineer/promise.html", who=who, view=view, refused=refused)


async def _promised(
    db: AsyncConnection, actor: Actor, subject: Subject, proposal: Proposal, form: Form, now: datetime, say: Words
) -> Any:
    shown = request_out(as_if_accepted(proposal, by=actor.id, now=now), actor=actor, language=say.language, now=now)
    places = {line.source for line in shown.lines} | {one.place for line in shown.lines for one in line.alternatives}
    numbers = {line.supplied_part_number for line in shown.lines} | {line.part_number for line in shown.lines}
    drivers = {made.way.courier for made in proposal.decision.lines}
    names = {
        **await queries.place_names(db, places | {shown.area}),
        **await queries.part_names(db, numbers),
        **await queries.courier_names(db, drivers),
    }
    already = await queries.open_at(
        db,
        actor=actor,
        installation=subject.installation,
        site=subject.site,
        model=subject.model,
        position=form.text("position") or "",
    )
    return promise_view(proposal, shown, names=names, zone=subject.zone, duplicates=already, now=now, say=say)


async def _short(db: AsyncConnection, short: NotEnough, say: Words) -> NoPromise:
    free = short.facts["free"]
    numbers = {short.facts["part_number"], *(one["part_number"] for one in free)}
    names = {**await queries.place_names(db, {one["place"] for one in free}), **await queries.part_names(db, numbers)}
    return no_stock(short, names, say)


@post("/ask", opt=signed_in(*MAY_ASK), include_in_schema=False, request_max_body_size=PHOTOS_AT_ONCE)
async def ask(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
) -> Response[Any]:
    """Ask for the part: promised, held and recorded; then its page."""
    say = Words(call.language)
    subject = await call.read(lambda db: subject_of(db, who.actor, **_named(form), now=call.now, say=say))
    asked = asked_of(form, subject, call.now)
    also = None
    if (draft_id := form.text("draft")) is not None:
        found = await call.read(lambda db: queries_of_drafts.draft(db, actor=who.actor, draft_id=draft_id))
        asked = as_of_ticket(asked, found, timed=form.text("failed_at") is not None)
        also = completing(draft_id, call)
    made = await ask_on_page(asked, call, also=also)
    request_id = str(made.id)
    await keep_photos(call, form, request_id)
    return see_other(addresses.request(request_id), request, say=say("Asked for. You are told here as it moves."))


def _named(form: Form) -> dict[str, Any]:
    return {"serial": form.text("device_serial"), "site": form.text("site") or "", "model": form.text("model") or ""}


def asked_of(form: Form, subject: Subject, now: datetime) -> RequestIn:
    """The form as a body of the API. The part is the one that sits in the chosen position."""
    position = form.text("position")
    frozen = next((one for one in subject.positions if one.position == position), None)
    if frozen is None:
        raise BadFields(errors=[FieldError("position", "field.required")])
    part = subject.sitting.get(frozen.position, frozen.part_number)
    failure = {
        "occurred_at": form.instant("failed_at", subject.zone) or now,
        "cause": form.text("cause") or "undetermined",
        "system_stopped": form.flag("system_stopped"),
        "found_on": form.text("found_on") or "use",
        "description": form.text("description"),
    }
    number = form.text("ticket")
    known = {"device_serial": subject.serial} if subject.serial else {
        "device_serial": None, "site": subject.site, "model": subject.model
    }  # fmt: skip
    return form.into(
        RequestIn,
        **known,
        failure=failure,
        lines=[{"part_number": part, "quantity": 1, "position": position}],
        ticket={"system": "phone", "number": number} if number else None,
        accept_substitutes=not form.flag("original_only"),
    )


HANDLERS = [ask_for_device, ask_unread, promise, ask]
