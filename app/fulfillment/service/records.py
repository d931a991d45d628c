"""Writing the journey down: steps, states, what the plan and the clocks' duty must know, and one event a change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce
from app.fulfillment.models import RequestStep
from app.fulfillment.queries.requests import Loaded, steps_of
from app.fulfillment.rules.clocks import GONE, clocks, holds
from app.fulfillment.rules.escalation import Level, next_look
from app.fulfillment.rules.states import ENDED, HELD, State, request_state
from app.fulfillment.service.calling_off import withdraw

SET_LINE = text("UPDATE request_line SET state = :state WHERE id = :id")
SET_REQUEST = text("UPDATE part_request SET state = :state, version = version + 1 WHERE id = :id RETURNING version")
WATCH = text("""
    INSERT INTO request_watch (request, next_look_at, done_due_at, paused, on_hold)
    VALUES (:request, :next_look_at, :done_due_at, CAST(:paused AS jsonb), :on_hold)
    ON CONFLICT (request) DO UPDATE SET next_look_at = excluded.next_look_at, done_due_at = excluded.done_due_at,
        paused = excluded.paused, on_hold = excluded.on_hold
""")
MARK = text("""
    INSERT INTO region_dirty (region, why, marked_at) SELECT region, :why, :now FROM area_region WHERE area = :area
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step to write."""

    verb: str
    line: str | None = None
    details: Mapping[str, Any] | None = None


class Written:
    """A step just written, read like one from the database."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.__dict__.update(row)


def step_rows(
    *, actor: Actor, request: str, steps: Iterable[NewStep], occurred_at: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Steps as rows of `request_step`."""
    return [
        {
            "request": request,
            "line": step.line,
            "verb": step.verb,
            "occurred_at": occurred_at,
            "recorded_at": now,
            "actor": actor.id,
            "details": dict(step.details or {}),
        }
        for step in steps
    ]


async def write_steps(
    db: AsyncConnection, *, actor: Actor, request: str, steps: Iterable[NewStep], occurred_at: datetime, now: datetime
) -> list[Any]:
    """Append steps in one statement; gives them as the queries would."""
    rows = step_rows(actor=actor, request=request, steps=steps, occurred_at=occurred_at, now=now)
    if rows:
        await db.execute(insert(RequestStep), rows)
    return [Written(row) for row in rows]


def watch_row(loaded: Loaded, steps: list[Any], now: datetime) -> dict[str, Any]:
    """When to look at the clocks next, and what the plan must know of them, as a row of `request_watch`."""
    found = clocks(loaded.timing, steps_of(steps), now)
    return {
        "request": loaded.row.id,
        "next_look_at": next_look(found, escalated(steps), now),
        "done_due_at": min((one.due_at for one in found if one.name == "done" and one.ended_at is None), default=None),
        "paused": {one.line: one.paused_s for one in found if one.line is not None and one.paused_s},
        "on_hold": on_hold(steps, [line.id for line in loaded.lines]),
    }


async def write_watch(db: AsyncConnection, *, loaded: Loaded, steps: list[Any], now: datetime) -> None:
    """Derive the watch anew."""
    row = watch_row(loaded, steps, now)
    await db.execute(WATCH, row | {"paused": msgspec.json.encode(row["paused"]).decode()})


def on_hold(steps: Iterable[Any], lines: Iterable[str]) -> str | None:
    """Why the whole request stands still: its own open hold, or that of every line still open; else None."""
    rows = sorted(steps, key=_when)
    typed = steps_of(rows)
    reasons = [row.details.get("reason") for row in rows if row.verb == "held"]
    own = holds(typed)
    if own and own[-1].until is None:
        return next(str(row.details.get("reason")) for row in reversed(rows) if row.verb == "held" and row.line is None)
    ended = {row.line for row in typed if row.verb in (*GONE, "confirmed")}
    each = [holds(typed, line) for line in lines if line not in ended]
    if each and all(found and found[-1].until is None for found in each):
        return str(reasons[-1])
    return None


def escalated(steps: Iterable[Any]) -> set[tuple[str, str | None, Level]]:
    """Which escalations were told already."""
    return {
        (step.details["clock"], step.details.get("clock_line"), step.details["level"])
        for step in steps
        if step.verb == "escalated"
    }


async def move(
    db: AsyncConnection,
    *,
    actor: Actor,
    loaded: Loaded,
    states: Mapping[str, State],
    steps: list[NewStep],
    event: str,
    occurred_at: datetime,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    replan: bool = True,
    born: Mapping[str, State] | None = None,
) -> int:
    """Write steps and new line states, the request's own state and version, its watch, its event; mark the region.

    `born` are lines made in this very change. Gives the request's new version.
    """
    written = await write_steps(db, actor=actor, request=loaded.row.id, steps=steps, occurred_at=occurred_at, now=now)
    notes = _annotations(loaded, sorted([*loaded.steps, *written], key=_when), now)
    written += await write_steps(db, actor=actor, request=loaded.row.id, steps=notes, occurred_at=occurred_at, now=now)
    if states:
        await db.execute(SET_LINE, [{"id": line, "state": state.value} for line, state in sorted(states.items())])
    after = {line.id: states.get(line.id, State(line.state)) for line in loaded.lines} | dict(born or {})
    version = int(
        (
            await db.execute(SET_REQUEST, {"id": loaded.row.id, "state": request_state(after.values()).value})
        ).scalar_one()
    )
    await write_watch(db, loaded=loaded, steps=sorted([*loaded.steps, *written], key=_when), now=now)
    gone = [one.id for one in loaded.lines if one.confirmed is False and after[one.id] not in HELD]
    if gone:
        await withdraw(db, actor=actor, request=loaded.row, lines=gone, now=now)
    if replan and loaded.row.area:
        await mark_dirty(db, area=loaded.row.area, why=event, now=now)
    row = loaded.row
    told = {
        "state": request_state(after.values()).value,
        "device_serial": row.device_serial,
        "ticket": {"system": row.ticket_system, "number": row.ticket_number} if row.ticket_number else None,
        "lines": [{"id": line, "state": state.value} for line, state in after.items()],
        **(data or {}),
    }
    place = next((line.source for line in loaded.lines if line.state not in ENDED), None)
    await announce(
        db,
        Event(
            type=f"part_request.{event}",
            subject=row.id,
            version=version,
            customer=row.customer,
            area=row.area,
            place=place,
            data=told,
        ),
        by=actor,
        now=now,
        occurred_at=occurred_at,
    )
    return version


def _annotations(loaded: Loaded, steps: list[Any], now: datetime) -> list[NewStep]:
    """A breach that was told stays told; a step dated back that shows it was kept is noted beside it, once (C5)."""
    told = {(clock, line) for clock, line, level in escalated(steps) if level == "breach"}
    noted = {(step.details["clock"], step.details.get("clock_line")) for step in steps if step.verb == "annotated"}
    return [
        NewStep(verb="annotated", line=one.line, details={"clock": one.name, "clock_line": one.line, "state": "met"})
        for one in clocks(loaded.timing, steps_of(steps), now)
        if one.state == "met" and (one.name, one.line) in told - noted
    ]


def _when(step: Any) -> datetime:
    return step.occurred_at  # type: ignore[no-any-return]


async def mark_dirty(db: AsyncConnection, *, area: str, why: str, now: datetime) -> None:
    """Tell the planning duty that an area's region changed; an insert, so that nobody waits for anybody."""
    await db.execute(MARK, {"area": area, "why": why, "now": now})
