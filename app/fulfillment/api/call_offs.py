"""Doors to call-offs: which partners were asked for what, and their answers as somebody of ours writes them down."""

from typing import Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, WAREHOUSE
from app.fulfillment.queries import call_offs as queries
from app.fulfillment.schemas.call_offs import CallOffConfirmIn, CallOffDeclineIn, CallOffOut, CallOffsOut
from app.fulfillment.service.answering_call_offs import confirm_call_off, decline_call_off

MAY_ANSWER = (ADMIN, DISPATCHER, WAREHOUSE)


def base_of(call: Call) -> str:
    """Where people reach this installation, for links; empty where nobody has said."""
    return str(call.state.settings.public_url).rstrip("/")


@get("/v1/call-offs", opt=allow(*MAY_ANSWER))
async def list_call_offs(
    call: NamedDependency[Call],
    wanted: Annotated[str | None, QueryParameter(name="state")] = None,
    part_request: Annotated[str | None, QueryParameter(name="request")] = None,
    place: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> CallOffsOut:
    """Call-offs, newest first; `state=open` gives those that wait for an answer."""
    return await call.read(
        lambda db: queries.call_offs(
            db,
            actor=call.actor,
            state=wanted,
            request=part_request,
            place=place,
            cursor=cursor,
            limit=limit,
            base=base_of(call),
        )
    )


@get("/v1/call-offs/{call_off_id:str}", opt=allow(*MAY_ANSWER))
async def show_call_off(call_off_id: FromPath[str], call: NamedDependency[Call]) -> CallOffOut:
    """One call-off with the link to pass on."""
    return await call.read(
        lambda db: queries.call_off(db, actor=call.actor, call_off_id=call_off_id, base=base_of(call))
    )


@post("/v1/call-offs/{call_off_id:str}/confirm", status_code=200, opt=allow(*MAY_ANSWER, bodyless=True))
async def confirm(
    call_off_id: FromPath[str], data: JSONBody[CallOffConfirmIn], call: NamedDependency[Call]
) -> Response[CallOffOut]:
    """The partner gives the pieces, said on the telephone for instance."""
    return await call.write(
        200,
        lambda db: confirm_call_off(
            db, actor=call.actor, call_off_id=call_off_id, body=data, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/call-offs/{call_off_id:str}/decline", status_code=200, opt=allow(*MAY_ANSWER, bodyless=True))
async def decline(
    call_off_id: FromPath[str], data: JSONBody[CallOffDeclineIn], call: NamedDependency[Call]
) -> Response[CallOffOut]:
    """The partner does not: the next source is taken at once."""
    return await call.write(
        200,
        lambda db: decline_call_off(
            db, actor=call.actor, call_off_id=call_off_id, body=data, expected_version=call.if_match, now=call.now
        ),
    )


HANDLERS = [list_call_offs, show_call_off, confirm, decline]
