"""Doors to the journey's verbs, each one call: `POST /v1/part-requests/{id}/<verb>`."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION, WAREHOUSE
from app.fulfillment import schemas
from app.fulfillment.api.shapes import request_out
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.service import attending, journey, losing, picking

Out = Response[schemas.RequestOut]
SERVICE = (ADMIN, DISPATCHER, ENGINEER)
SHELF = (ADMIN, DISPATCHER, WAREHOUSE)


async def run_verb(call: Call, request_id: str, body: Any, verb: Callable[..., Awaitable[Loaded]]) -> Out:
    """One verb of the journey in one transaction; the answer is the request as it stands then."""

    async def write(db: AsyncConnection) -> schemas.RequestOut:
        loaded = await verb(
            db, actor=call.actor, request_id=request_id, body=body, expected_version=call.if_match, now=call.now
        )
        return request_out(loaded, actor=call.actor, language=call.language, now=call.now)

    return await call.write(200, write)


@post("/v1/part-requests/{request_id:str}/answer", status_code=200, opt=allow(*SERVICE))
async def answer_request(
    request_id: FromPath[str], data: JSONBody[schemas.AnswerIn], call: NamedDependency[Call]
) -> Out:
    """Say how it will be handled, and when (C4)."""
    return await run_verb(call, request_id, data, attending.answer)


@post("/v1/part-requests/{request_id:str}/depart", status_code=200, opt=allow(*SERVICE, bodyless=True))
async def depart_request(
    request_id: FromPath[str], data: JSONBody[schemas.DepartIn], call: NamedDependency[Call]
) -> Out:
    """Somebody set out."""
    return await run_verb(call, request_id, data, attending.depart)


@post("/v1/part-requests/{request_id:str}/arrive", status_code=200, opt=allow(*SERVICE, bodyless=True))
async def arrive_request(request_id: FromPath[str], data: JSONBody[schemas.StepIn], call: NamedDependency[Call]) -> Out:
    """Somebody is at the site."""
    return await run_verb(call, request_id, data, attending.arrive)


@post("/v1/part-requests/{request_id:str}/diagnose", status_code=200, opt=allow(*SERVICE, bodyless=True))
async def diagnose_request(
    request_id: FromPath[str], data: JSONBody[schemas.DiagnoseIn], call: NamedDependency[Call]
) -> Out:
    """What was found; a settled cause makes a new verdict."""
    return await run_verb(call, request_id, data, attending.diagnose)


@post("/v1/part-requests/{request_id:str}/pick", status_code=200, opt=allow(*SHELF, bodyless=True))
async def pick_request(request_id: FromPath[str], data: JSONBody[schemas.PickIn], call: NamedDependency[Call]) -> Out:
    """The very part is in the hand; the charge is made."""
    return await run_verb(call, request_id, data, picking.pick)


@post("/v1/part-requests/{request_id:str}/unpick", status_code=200, opt=allow(*SHELF, bodyless=True))
async def unpick_request(request_id: FromPath[str], data: JSONBody[schemas.StepIn], call: NamedDependency[Call]) -> Out:
    """Undo a pick before it is packed: held again, charge reversed."""
    return await run_verb(call, request_id, data, picking.unpick)


@post("/v1/part-requests/{request_id:str}/pack", status_code=200, opt=allow(*SHELF, bodyless=True))
async def pack_request(request_id: FromPath[str], data: JSONBody[schemas.StepIn], call: NamedDependency[Call]) -> Out:
    """Packed and labeled."""
    return await run_verb(call, request_id, data, journey.pack)


@post("/v1/part-requests/{request_id:str}/dispatch", status_code=200, opt=allow(*SHELF))
async def dispatch_request(
    request_id: FromPath[str], data: JSONBody[schemas.DispatchIn], call: NamedDependency[Call]
) -> Out:
    """Handed to a courier, or to a carrier with its waybill."""
    return await run_verb(call, request_id, data, journey.dispatch)


@post("/v1/part-requests/{request_id:str}/deliver", status_code=200, opt=allow(*SERVICE, WAREHOUSE, bodyless=True))
async def deliver_request(
    request_id: FromPath[str], data: JSONBody[schemas.StepIn], call: NamedDependency[Call]
) -> Out:
    """The part is at the site."""
    return await run_verb(call, request_id, data, journey.deliver)


@post("/v1/part-requests/{request_id:str}/fit", status_code=200, opt=allow(*SERVICE, bodyless=True))
async def fit_request(request_id: FromPath[str], data: JSONBody[schemas.FitIn], call: NamedDependency[Call]) -> Out:
    """The new part is in."""
    return await run_verb(call, request_id, data, journey.fit)


@post("/v1/part-requests/{request_id:str}/confirm", status_code=200, opt=allow(*SERVICE))
async def confirm_request(
    request_id: FromPath[str], data: JSONBody[schemas.ConfirmIn], call: NamedDependency[Call]
) -> Out:
    """It works again, or does not."""
    return await run_verb(call, request_id, data, journey.confirm)


@post("/v1/part-requests/{request_id:str}/cancel", status_code=200, opt=allow(*SERVICE, INTEGRATION, bodyless=True))
async def cancel_request(
    request_id: FromPath[str], data: JSONBody[schemas.CancelIn], call: NamedDependency[Call]
) -> Out:
    """Not wanted any more, before hand-over."""
    return await run_verb(call, request_id, data, journey.cancel)


@post("/v1/part-requests/{request_id:str}/hold", status_code=200, opt=allow(*SERVICE))
async def hold_request(request_id: FromPath[str], data: JSONBody[schemas.HoldIn], call: NamedDependency[Call]) -> Out:
    """Stop the clocks for the customer's reason (C6)."""
    return await run_verb(call, request_id, data, attending.hold)


@post("/v1/part-requests/{request_id:str}/resume", status_code=200, opt=allow(*SERVICE, bodyless=True))
async def resume_request(request_id: FromPath[str], data: JSONBody[schemas.StepIn], call: NamedDependency[Call]) -> Out:
    """The clocks run on."""
    return await run_verb(call, request_id, data, attending.resume)


@post("/v1/part-requests/{request_id:str}/priority", status_code=200, opt=allow(*SERVICE, INTEGRATION))
async def priority_request(
    request_id: FromPath[str], data: JSONBody[schemas.PriorityIn], call: NamedDependency[Call]
) -> Out:
    """The user's new priority."""
    return await run_verb(call, request_id, data, attending.set_priority)


@post("/v1/part-requests/{request_id:str}/consent", status_code=200, opt=allow(*SERVICE, FINANCE, INTEGRATION))
async def consent_request(
    request_id: FromPath[str], data: JSONBody[schemas.ConsentIn], call: NamedDependency[Call]
) -> Out:
    """The customer's word on the price."""
    return await run_verb(call, request_id, data, attending.consent)


@post("/v1/part-requests/{request_id:str}/delivery-failed", status_code=200, opt=allow(*SERVICE, WAREHOUSE))
async def delivery_failed_request(
    request_id: FromPath[str], data: JSONBody[schemas.DeliveryFailedIn], call: NamedDependency[Call]
) -> Out:
    """It could not be delivered (S6b)."""
    return await run_verb(call, request_id, data, journey.delivery_failed)


@post(
    "/v1/part-requests/{request_id:str}/return-unused", status_code=200, opt=allow(*SERVICE, WAREHOUSE, bodyless=True)
)
async def return_unused_request(
    request_id: FromPath[str], data: JSONBody[schemas.StepIn], call: NamedDependency[Call]
) -> Out:
    """The part comes back unused (S6b, P6)."""
    return await run_verb(call, request_id, data, journey.return_line)


@post("/v1/part-requests/{request_id:str}/lost", status_code=200, opt=allow(*SERVICE, WAREHOUSE, bodyless=True))
async def lost_request(request_id: FromPath[str], data: JSONBody[schemas.StepIn], call: NamedDependency[Call]) -> Out:
    """The part was lost; a new source is found at once (S6b)."""
    return await run_verb(call, request_id, data, losing.lose_line)


@post("/v1/part-requests/{request_id:str}/costs", status_code=200, opt=allow(*SERVICE, FINANCE))
async def costs_request(request_id: FromPath[str], data: JSONBody[schemas.CostIn], call: NamedDependency[Call]) -> Out:
    """What the job cost us beside the part."""
    return await run_verb(call, request_id, data, attending.add_cost)


@post("/v1/part-requests/{request_id:str}/notes", status_code=200, opt=allow(*SERVICE, WAREHOUSE, FINANCE, INTEGRATION))
async def notes_request(request_id: FromPath[str], data: JSONBody[schemas.NoteIn], call: NamedDependency[Call]) -> Out:
    """A note."""
    return await run_verb(call, request_id, data, attending.add_note)


HANDLERS = [
    answer_request,
    depart_request,
    arrive_request,
    diagnose_request,
    pick_request,
    unpick_request,
    pack_request,
    dispatch_request,
    deliver_request,
    fit_request,
    confirm_request,
    cancel_request,
    hold_request,
    resume_request,
    priority_request,
    consent_request,
    delivery_failed_request,
    return_unused_request,
    lost_request,
    costs_request,
    notes_request,
]
