"""Doors to the warranty: devices and their events, the warranty of one or of thousands, acceptances, verdicts."""

from datetime import date, datetime
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION, ROLES
from app.core.errors import FieldError, Forbidden, Reason
from app.core.http import BadParameters, reasons_out
from app.core.i18n import Language
from app.warranty import queries, service
from app.warranty.queries.answers import Warranty
from app.warranty.schemas import (
    AcceptIn,
    AcceptOut,
    CheckIn,
    CheckOut,
    DeviceIn,
    DeviceOut,
    DevicesOut,
    EventIn,
    EventOut,
    EventsOut,
    VerdictOut,
    WarrantyOut,
)

ENGINEERS_RECORD = ("component_installed", "component_replaced", "device_replaced", "operation_confirmed")


class NotYours(Forbidden):
    """Events that change what was promised are not an engineer's."""

    code = "event.not_yours"


@post("/v1/devices", opt=allow(ADMIN, DISPATCHER, INTEGRATION))
async def register_device(data: JSONBody[DeviceIn], call: NamedDependency[Call]) -> Response[DeviceOut]:
    """Register a device; its warranty terms are frozen here (W1)."""
    return await call.write(201, lambda db: service.register_device(db, actor=call.actor, new=data, now=call.now))


@get("/v1/devices", opt=allow(*ROLES))
async def list_devices(
    call: NamedDependency[Call],
    customer: FromQuery[str | None] = None,
    site: FromQuery[str | None] = None,
    model: FromQuery[str | None] = None,
    contract: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> DevicesOut:
    """Devices by serial."""
    return await call.read(
        lambda db: queries.devices(
            db,
            actor=call.actor,
            customer=customer,
            site=site,
            model=model,
            contract=contract,
            cursor=cursor,
            limit=limit,
        )
    )


@get("/v1/devices/{serial:str}", opt=allow(*ROLES))
async def get_device(serial: FromPath[str], call: NamedDependency[Call]) -> DeviceOut:
    """One device."""
    return await call.read(lambda db: queries.device(db, actor=call.actor, serial=serial))


@post("/v1/devices/{serial:str}/events", opt=allow(ADMIN, DISPATCHER, ENGINEER, INTEGRATION))
async def append_event(
    serial: FromPath[str], data: JSONBody[EventIn], call: NamedDependency[Call]
) -> Response[EventOut]:
    """Append what happened to a device; its cover follows in the same transaction (W10).

    Engineers record what they do to a device; what changes the promise itself is a dispatcher's.
    """
    if call.actor.role == ENGINEER and data.type not in ENGINEERS_RECORD:
        raise NotYours(role=call.actor.role, type=data.type)
    return await call.write(
        201,
        lambda db: service.append_event(
            db, actor=call.actor, serial=serial, new=data, now=call.now, expected_version=call.if_match
        ),
    )


@get("/v1/devices/{serial:str}/events", opt=allow(*ROLES))
async def list_events(
    serial: FromPath[str],
    call: NamedDependency[Call],
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> EventsOut:
    """The device's history in the order of recording, with that of the serials it followed."""
    return await call.read(lambda db: queries.events(db, actor=call.actor, serial=serial, cursor=cursor, limit=limit))


@get("/v1/devices/{serial:str}/warranty", opt=allow(*ROLES))
async def get_warranty(
    serial: FromPath[str],
    call: NamedDependency[Call],
    on: FromQuery[date | None] = None,
    known_at: FromQuery[datetime | None] = None,
) -> WarrantyOut:
    """The warranty of a device on a day (default today at its site), as known at an instant (default now)."""
    if known_at is not None and known_at.tzinfo is None:
        raise BadParameters(errors=[FieldError("known_at", "field.needs_offset")])
    answer = await call.read(
        lambda db: queries.warranty(db, actor=call.actor, serial=serial, on=on, known_at=known_at, now=call.now)
    )
    return warranty_out(answer, call.language)


def warranty_out(answer: Warranty, language: Language) -> WarrantyOut:
    return WarrantyOut(
        serial=answer.serial,
        model=answer.model,
        on=answer.on,
        known_at=answer.known_at,
        provisional=answer.provisional,
        device=answer.device,
        components=answer.components,
        reasons=reasons_out(answer.reasons, language),
    )


@post("/v1/warranty/check", status_code=200, opt=allow(*ROLES))
async def check_warranty(data: JSONBody[CheckIn], call: NamedDependency[Call]) -> CheckOut:
    """The warranty of up to 10,000 serials on a day; asks, changes nothing."""
    return await call.read(
        lambda db: queries.check_serials(db, actor=call.actor, serials=data.serials, on=data.on, now=call.now)
    )


@get("/v1/verdicts/{verdict_id:str}", opt=allow(ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION))
async def get_verdict(verdict_id: FromPath[str], call: NamedDependency[Call]) -> VerdictOut:
    """A stored verdict with its inputs and reasons (W11, W12)."""
    row = await call.read(lambda db: queries.verdict(db, actor=call.actor, verdict_id=verdict_id))
    return verdict_out(row, call.language)


def verdict_out(row: Any, language: Language) -> VerdictOut:
    """A verdict's row with its reasons in the asker's language."""
    outcome = dict(row.outcome)
    reasons = [Reason(one["rule"], one["code"], one["facts"]) for one in outcome.pop("reasons")]
    return VerdictOut(
        id=row.id,
        device_serial=row.device_serial,
        subject=row.subject,
        reasons=reasons_out(reasons, language),
        inputs=row.inputs,
        supersedes=row.supersedes,
        superseded_by=row.superseded_by,
        given_at=row.given_at,
        given_by=row.given_by,
        **outcome,
    )


@post("/v1/contracts/{number:str}/accept", status_code=200, opt=allow(ADMIN, DISPATCHER))
async def accept_contract(
    number: FromPath[str], data: JSONBody[AcceptIn], call: NamedDependency[Call]
) -> Response[AcceptOut]:
    """Accept a contract's system: anchors every device of it that has no acceptance of its own (W1)."""
    return await call.write(
        200,
        lambda db: service.accept_contract(
            db,
            actor=call.actor,
            number=number,
            accepted_on=data.accepted_on,
            now=call.now,
            occurred_at=data.occurred_at,
            expected_version=call.if_match,
        ),
    )


HANDLERS = [
    register_device,
    list_devices,
    get_device,
    append_event,
    list_events,
    get_warranty,
    check_warranty,
    get_verdict,
    accept_contract,
]
