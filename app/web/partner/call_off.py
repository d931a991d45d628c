"""Door to a call-off's page: whoever holds the signed link answers without signing in, and sees nothing but the question."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.accounts.guards import PUBLIC, Call
from app.accounts.rules import duty_actor
from app.core.db import reading
from app.fulfillment.queries.call_offs import PartnerView, partner_view
from app.fulfillment.schemas.call_offs import CallOffConfirmIn, CallOffDeclineIn, CallOffOut
from app.fulfillment.service.answering_call_offs import CallOffEnded, answer_by_link
from app.web.forms import Form, read_form
from app.web.render import Words, language_of, page, see_other
from app.web.views import Standing
from app.web.words import clock_time

SMALL_BODY = 16 * 1024
STANDS: Mapping[str, Standing] = {
    "open": "risk", "confirmed": "ok", "declined": "paused", "expired": "late", "withdrawn": "paused"
}  # fmt: skip
STATE: Mapping[str, str] = {
    "open": "waits for your answer",
    "confirmed": "confirmed",
    "declined": "declined",
    "expired": "not answered in time",
    "withdrawn": "no longer needed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOffPage:
    """The question as it is shown, times on the partner's own clock."""

    company: str
    contact: str
    place: str
    part: str
    part_name: str
    quantity: int
    reference: str
    needed: str
    answer_by: str
    zone: str
    open: bool
    standing: Standing
    state: str
    available: str | None


@get("/call-offs/{token:str}", opt=PUBLIC, include_in_schema=False)
async def show_call_off(token: FromPath[str], request: Request[Any, Any, Any]) -> Response[str]:
    """What is asked, and the answer if there is one. Looking changes nothing: mail programs open links by themselves."""
    state = request.app.state
    async with reading(state.engine) as db:
        view = await partner_view(db, token=token, now=state.clock.now())
    return page(request, "partner/call_off.html", view=shown(view, request), token=token)


@post("/call-offs/{token:str}", opt=PUBLIC, include_in_schema=False, request_max_body_size=SMALL_BODY)
async def answer_call_off(token: FromPath[str], request: Request[Any, Any, Any]) -> Response[Any]:
    """The answer. Given twice it counts once; one that comes too late reads what became of the question."""
    state = request.app.state
    form = await read_form(request)
    async with reading(state.engine) as db:
        view = await partner_view(db, token=token, now=state.clock.now())
    body = answer_in(form, view.timezone)
    now = state.clock.now()
    call = Call(
        engine=state.engine,
        actor=replace(duty_actor("call_off"), id=f"partner:{view.place}"),
        now=now,
        language=language_of(request),
        matching=None,
        claim=None,
        wake=state.wake,
        state=state,
    )
    say = Words(call.language)
    try:
        await call.act(lambda db: answer_by_link(db, token=token, body=body, now=now), CallOffOut)
    except CallOffEnded:
        return see_other(f"/call-offs/{token}", request, say=say("Too late: this was settled otherwise meanwhile."))
    return see_other(f"/call-offs/{token}", request, say=say("Thank you. Your answer is recorded."))


def answer_in(form: Form, zone: str) -> CallOffConfirmIn | CallOffDeclineIn:
    """Confirmed now, confirmed for later, or declined."""
    answer: Literal["confirm", "decline"] = "confirm" if form.text("answer") == "confirm" else "decline"
    note = (form.text("note") or "")[:500] or None
    if answer == "decline":
        return CallOffDeclineIn(note=note)
    return CallOffConfirmIn(available_at=form.instant("available_at", zone), note=note)


def shown(view: PartnerView, request: Request[Any, Any, Any]) -> CallOffPage:
    """The page's value."""
    say, now = Words(language_of(request)), request.app.state.clock.now()
    company, *contact = (one.strip() for one in str(request.app.state.settings.company).split(";"))
    return CallOffPage(
        company=company,
        contact=" · ".join(contact),
        place=view.place_name,
        part=view.part,
        part_name=view.part_name,
        quantity=view.quantity,
        reference=view.id[-8:].upper(),
        needed=clock_time(view.needed_at, view.timezone, now, say),
        answer_by=clock_time(view.answer_due_at, view.timezone, now, say),
        zone=view.timezone,
        open=view.state == "open",
        standing=STANDS[view.state],
        state=say(STATE[view.state]),
        available=clock_time(view.available_at, view.timezone, now, say) if view.available_at else None,
    )


HANDLERS = [show_call_off, answer_call_off]
