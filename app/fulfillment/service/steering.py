"""A dispatcher's word on the plan: who alone may bring a line, routes that stand still, shifts for once, calling managers.

Each is a fact that the next plan rests on; none of them moves a start or a due (IK7).
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce
from app.core.http import Expected
from app.core.ids import new_id
from app.fulfillment.models import ExtraOpening, ExtraShift
from app.fulfillment.queries.planning import planning
from app.fulfillment.queries.region import region_of_area
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.queries.steering import courier_region, freeze_of, line_request, pin_of, place_regions, region_name
from app.fulfillment.schemas.steering import (
    CallIn,
    EmergencyPlanIn,
    FreezeIn,
    FreezeOut,
    OpeningIn,
    OpeningOut,
    PinIn,
    PinOut,
    ShiftIn,
    ShiftOut,
)
from app.fulfillment.service.frame import again, need_open, open_frame
from app.fulfillment.service.records import NewStep, mark_dirty, move
from app.fulfillment.service.refusals import LegStarted, NotPlanned, OpeningTooLate, OtherRegion, ShiftTooLate
from app.routing.rules.problem import Problem

LONGEST_SHIFT = timedelta(hours=16)
MANAGERS = ["department_manager", "general_manager"]
PIN = text("""
    INSERT INTO plan_pin (line, courier, reason, pinned_by, pinned_at) VALUES (:line, :courier, :reason, :by, :now)
    ON CONFLICT (line) DO UPDATE SET courier = excluded.courier, reason = excluded.reason, pinned_by = excluded.pinned_by,
        pinned_at = excluded.pinned_at
""")
UNPIN = text("DELETE FROM plan_pin WHERE line = :line")
FREEZE = text("""
    INSERT INTO region_freeze (region, reason, frozen_by, frozen_at) VALUES (:region, :reason, :by, :now)
    ON CONFLICT (region) DO NOTHING
""")
RELEASE = text("DELETE FROM region_freeze WHERE region = :region")


async def pin(db: AsyncConnection, *, actor: Actor, body: PinIn, now: datetime) -> PinOut:
    """Only this courier may bring the line from now on; the next plan keeps to it. Pinning anew replaces the pin."""
    row = await _planned_line(db, actor=actor, line=body.line)
    region = await region_of_area(db, area=row.area, now=now)
    if all(one.id != body.line for one in region.lines):
        raise NotPlanned(line=body.line)
    if all(one.code != body.courier for one in region.couriers):
        raise OtherRegion(courier=body.courier, region=region.name)
    _need_free(planning(region, now=now).problem, body)
    values = {"line": body.line, "courier": body.courier, "reason": body.reason, "by": actor.id, "now": now}
    await db.execute(PIN, values)
    await _told(db, row, "plan.pinned", {"line": body.line, "courier": body.courier}, actor=actor, now=now)
    return PinOut(line=body.line, courier=body.courier, reason=body.reason, pinned_by=actor.id, pinned_at=now)


def _need_free(problem: Problem, body: PinIn) -> None:
    """Refuse to give away what another courier has on board or drives to already."""
    for one in problem.couriers:
        started = one.first is not None and one.first.job == body.line
        if (started or body.line in one.carrying) and one.code != body.courier:
            raise LegStarted(line=body.line, courier=one.code)


async def unpin(db: AsyncConnection, *, actor: Actor, line: str, now: datetime) -> PinOut:
    """The plan may give the line to anybody again."""
    row = await _planned_line(db, actor=actor, line=line)
    kept = await pin_of(db, line=line)
    if kept is None:
        raise NotPlanned(line=line)
    await db.execute(UNPIN, {"line": line})
    await _told(db, row, "plan.unpinned", {"line": line, "courier": kept.courier}, actor=actor, now=now)
    return kept


async def freeze(db: AsyncConnection, *, actor: Actor, body: FreezeIn, now: datetime) -> FreezeOut:
    """Routes stay as they are: what is new is added to them, nothing is moved. Freezing twice has one effect."""
    region = await region_name(db, actor=actor, area=body.area)
    made = await db.execute(FREEZE, {"region": region, "reason": body.reason, "by": actor.id, "now": now})
    if made.rowcount:
        event = Event(type="plan.frozen", subject=region, area=region, data={"reason": body.reason})
        await announce(db, event, by=actor, now=now)
    return await freeze_of(db, region=region)


async def unfreeze(db: AsyncConnection, *, actor: Actor, body: FreezeIn, now: datetime) -> FreezeOut:
    """Routes may change again, and are planned anew at once."""
    region = await region_name(db, actor=actor, area=body.area)
    gone = await db.execute(RELEASE, {"region": region})
    if gone.rowcount:
        await announce(db, Event(type="plan.released", subject=region, area=region), by=actor, now=now)
        await mark_dirty(db, area=region, why="released", now=now)
    return await freeze_of(db, region=region)


async def order_shift(db: AsyncConnection, *, actor: Actor, courier: str, body: ShiftIn, now: datetime) -> ShiftOut:
    """A courier drives outside the shifts the network keeps, for once."""
    if body.ends_at <= max(body.begins_at, now) or body.ends_at - body.begins_at > LONGEST_SHIFT:
        raise ShiftTooLate(hours=LONGEST_SHIFT // timedelta(hours=1))
    region = await courier_region(db, actor=actor, courier=courier)
    row = {
        "id": new_id("shf", now), "courier": courier, "begins_at": body.begins_at, "ends_at": body.ends_at,
        "reason": body.reason, "ordered_by": actor.id, "ordered_at": now,
    }  # fmt: skip
    await db.execute(insert(ExtraShift), row)
    told = {"courier": courier, "begins_at": body.begins_at, "ends_at": body.ends_at}
    await announce(db, Event(type="plan.shift_ordered", subject=courier, area=region, data=told), by=actor, now=now)
    await mark_dirty(db, area=region, why="shift_ordered", now=now)
    return ShiftOut(
        id=str(row["id"]), courier=courier, begins_at=body.begins_at, ends_at=body.ends_at, reason=body.reason
    )


async def order_opening(db: AsyncConnection, *, actor: Actor, place: str, body: OpeningIn, now: datetime) -> OpeningOut:
    """A place opens outside its hours, for once, so that couriers can fetch from it."""
    if body.ends_at <= max(body.begins_at, now) or body.ends_at - body.begins_at > LONGEST_SHIFT:
        raise OpeningTooLate(hours=LONGEST_SHIFT // timedelta(hours=1))
    regions = await place_regions(db, actor=actor, place=place)
    row = {
        "id": new_id("opn", now), "place": place, "begins_at": body.begins_at, "ends_at": body.ends_at,
        "reason": body.reason, "ordered_by": actor.id, "ordered_at": now,
    }  # fmt: skip
    await db.execute(insert(ExtraOpening), row)
    told = {"place": place, "begins_at": body.begins_at, "ends_at": body.ends_at}
    area = regions[0] if len(regions) == 1 else None
    event = Event(type="plan.opening_ordered", subject=place, area=area, place=place, data=told)
    await announce(db, event, by=actor, now=now)
    for region in regions:
        await mark_dirty(db, area=region, why="opening_ordered", now=now)
    return OpeningOut(
        id=str(row["id"]), place=place, begins_at=body.begins_at, ends_at=body.ends_at, reason=body.reason
    )


async def call_managers(
    db: AsyncConnection, *, actor: Actor, request_id: str, body: CallIn, expected_version: Expected, now: datetime
) -> Loaded:
    """Department manager and general manager are told before a clock does it (C5, C7)."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "call")
    step = NewStep(verb="called", details=frame.details(reason=body.reason, told=MANAGERS))
    data = {"level": "called", "reason": body.reason, "told": MANAGERS}
    await move(
        db,
        actor=actor,
        loaded=frame.loaded,
        states={},
        steps=[step],
        event="escalated",
        occurred_at=frame.at,
        now=now,
        data=data,
        replan=False,
    )
    return await again(frame)


async def agree_plan(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: EmergencyPlanIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """The emergency plan agreed with the user (C7): what will be done, and who agreed. Its clocks run on."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    need_open(frame, "emergency-plan")
    step = NewStep(verb="plan_agreed", details=frame.details(plan=body.plan, agreed_by=body.agreed_by))
    await move(
        db,
        actor=actor,
        loaded=frame.loaded,
        states={},
        steps=[step],
        event="plan_agreed",
        occurred_at=frame.at,
        now=now,
        data={"plan": body.plan, "agreed_by": body.agreed_by},
        replan=False,
    )
    return await again(frame)


async def _planned_line(db: AsyncConnection, *, actor: Actor, line: str) -> Any:
    """The request of a line within the actor's scope."""
    request = await line_request(db, actor=actor, line=line)
    row = (await load(db, actor=actor, request_id=request, lock=True)).row
    if row.area is None:
        raise NotPlanned(line=line)
    return row


async def _told(db: AsyncConnection, row: Any, what: str, data: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    told = Event(type=what, subject=row.id, version=row.version, customer=row.customer, area=row.area, data=data)
    await announce(db, told, by=actor, now=now)
    await mark_dirty(db, area=row.area, why=what.removeprefix("plan."), now=now)
