"""The part's way once it is picked: packed, dispatched, delivered, fitted, confirmed; and the ways back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.service.costs import credit_return
from app.core.errors import FieldError
from app.core.http import Expected
from app.fulfillment import schemas
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import State, Verb
from app.fulfillment.service.frame import Frame, again, chosen_lines, open_frame
from app.fulfillment.service.records import NewStep, move
from app.fulfillment.service.refusals import CarrierOrCourier, FittedOther, SerialDue, UnknownCourier
from app.fulfillment.service.warranting import read_serial, restart_warranties
from app.stock.service import release, return_unused

KNOWN_COURIER = text("SELECT EXISTS (SELECT FROM courier WHERE code = :code)")
WITH_COURIER = text("""
    UPDATE request_line SET courier = :courier, mode = 'courier', carrier = NULL, waybill = NULL WHERE id = :id
""")
WITH_CARRIER = text("""
    UPDATE request_line SET carrier = :carrier, waybill = :waybill, mode = 'lane', courier = NULL, handover_at = :at
    WHERE id = :id
""")
FITTED = text("""
    UPDATE request_line SET fitted_serial = :fitted_serial, removed_serial = :removed_serial, old_part = :old_part
    WHERE id = :id
""")


async def pack(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """Packed and labeled."""
    return await _plain(
        db, actor, request_id, body, expected_version, now, verb=Verb.PACK, event="packed", replan=False
    )


async def dispatch(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.DispatchIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """Handed to a courier, or to a carrier with its waybill: the latter ends a national commitment (C2)."""
    if (body.courier is None) == (body.carrier is None) or (body.carrier is not None and body.waybill is None):
        raise CarrierOrCourier
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, Verb.DISPATCH)
    if body.courier is not None and not await db.scalar(KNOWN_COURIER, {"code": body.courier}):
        raise UnknownCourier(courier=body.courier, errors=[FieldError("courier", "courier.unknown")])
    for line, _ in lines:
        if body.courier is not None:
            await db.execute(WITH_COURIER, {"id": line.id, "courier": body.courier})
        else:
            row = {"id": line.id, "carrier": body.carrier, "waybill": body.waybill, "at": frame.at}
            await db.execute(WITH_CARRIER, row)
    details = frame.details(courier=body.courier, carrier=body.carrier, waybill=body.waybill)
    steps = [NewStep(verb="dispatched", line=line.id, details=details) for line, _ in lines]
    await _moved(frame, {line.id: to for line, to in lines}, steps, "dispatched", data=details)
    return await again(frame)


async def deliver(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """The part is at the site."""
    return await _plain(db, actor, request_id, body, expected_version, now, verb=Verb.DELIVER, event="delivered")


async def fit(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.FitIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """The new part is in, the old one is out: a local commitment ends here (C1)."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, Verb.FIT)
    if body.device_serial is not None and frame.loaded.row.device_serial is None:
        await read_serial(frame, body.device_serial)
    for line, _ in lines:
        out = [one for one in frame.loaded.reserved.get(line.id, ()) if one.state == "issued" and one.out]
        issued = [one.serial for one in out if one.serial]
        if body.fitted_serial is not None and issued and body.fitted_serial not in issued:
            raise FittedOther(fitted=body.fitted_serial, expected=issued)
        row = {
            "id": line.id,
            "fitted_serial": body.fitted_serial or (issued[0] if len(issued) == 1 else None),
            "removed_serial": body.removed_serial,
            "old_part": body.old_part,
        }
        await db.execute(FITTED, row)
    details = frame.details(
        fitted_serial=body.fitted_serial, removed_serial=body.removed_serial, old_part=body.old_part
    )
    steps = [NewStep(verb="fitted", line=line.id, details=details) for line, _ in lines]
    await _moved(frame, {line.id: to for line, to in lines}, steps, "fitted")
    return await again(frame)


async def confirm(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.ConfirmIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """It works again: the warranty events are appended, and what W4 allows restarts. If not, back to diagnosis."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, Verb.CONFIRM)
    if not body.operation_normal:
        steps = [NewStep(verb="not_normal", line=line.id, details=frame.details()) for line, _ in lines]
        await _moved(frame, {}, steps, "diagnosed", replan=False, data={"operation_normal": False})
        return await again(frame)
    if frame.loaded.row.device_serial is None:
        raise SerialDue
    restarted = await restart_warranties(frame, [line for line, _ in lines], presumed=False)
    details = frame.details(operation_normal=True, restarted=restarted or None)
    steps = [NewStep(verb="confirmed", line=line.id, details=details) for line, _ in lines]
    await _moved(frame, {line.id: to for line, to in lines}, steps, "confirmed", replan=False, data=details)
    return await again(frame)


async def cancel(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.CancelIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """Not wanted any more: what is held is released, what was picked goes back on its shelf and is credited."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, Verb.CANCEL)
    await take_back(frame, [line for line, _ in lines], reason=body.reason or "canceled")
    steps = [NewStep(verb="canceled", line=line.id, details=frame.details(reason=body.reason)) for line, _ in lines]
    await _moved(frame, {line.id: to for line, to in lines}, steps, "canceled")
    return await again(frame)


async def take_back(frame: Frame, lines: Sequence[Any], *, reason: str) -> None:
    """Release what lines hold, and return what they were issued, with its cost and its charge (P6)."""
    held = [line.id for line in lines if any(one.state == "held" for one in frame.loaded.reserved.get(line.id, ()))]
    if held:
        await release(frame.db, actor=frame.actor, references=held, now=frame.now)
    for line in sorted(lines, key=lambda one: (one.source, one.supplied_part_number, one.n)):
        out = [one for one in frame.loaded.reserved.get(line.id, ()) if one.state == "issued" and one.out]
        if out:
            pieces = await return_unused(
                frame.db, actor=frame.actor, reference=line.id, now=frame.now, note=reason, occurred_at=frame.at
            )
            await credit_return(frame.db, actor=frame.actor, line=line.id, pieces=pieces, reason=reason, now=frame.now)


async def return_line(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """The part comes back unused from wherever it is (S6b): cost into its layer, charge reversed, net zero."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, Verb.RETURN_UNUSED)
    await take_back(frame, [line for line, _ in lines], reason=body.note or "returned unused")
    steps = [NewStep(verb="canceled", line=line.id, details=frame.details(returned=True)) for line, _ in lines]
    await _moved(frame, {line.id: to for line, to in lines}, steps, "returned")
    return await again(frame)


async def delivery_failed(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.DeliveryFailedIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """Nobody there, wrong address: the part waits packed and is planned anew; the clock runs unless held (S6b)."""
    return await _plain(
        db, actor, request_id, body, expected_version, now,
        verb=Verb.DELIVERY_FAILED, event="delivery_failed", details={"reason": body.reason},
    )  # fmt: skip


async def _plain(
    db: AsyncConnection,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: Expected,
    now: datetime,
    *,
    verb: Verb,
    event: str,
    details: dict[str, Any] | None = None,
    replan: bool = True,
) -> Loaded:
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, verb)
    steps = [NewStep(verb=event, line=line.id, details=frame.details(**(details or {}))) for line, _ in lines]
    await _moved(frame, {line.id: to for line, to in lines}, steps, event, replan=replan, data=details)
    return await again(frame)


async def _moved(
    frame: Frame,
    states: dict[str, State],
    steps: list[NewStep],
    event: str,
    *,
    replan: bool = True,
    data: dict[str, Any] | None = None,
) -> None:
    await move(
        frame.db,
        actor=frame.actor,
        loaded=frame.loaded,
        states=states,
        steps=steps,
        event=event,
        occurred_at=frame.at,
        now=frame.now,
        data=data,
        replan=replan,
    )
