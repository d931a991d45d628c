"""Escalation as it is told and recorded (C5): warnings, and at a breach the level rises and managers are told."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce
from app.fulfillment.queries.requests import load
from app.fulfillment.rules.escalation import due_escalations, raised
from app.fulfillment.rules.states import ENDED
from app.fulfillment.service.records import NewStep, escalated, mark_dirty, write_steps, write_watch

RAISE = text("UPDATE part_request SET priority = :priority, version = version + 1 WHERE id = :id RETURNING version")
TOLD: dict[str, list[str]] = {
    "warn_50": ["dispatcher"],
    "warn_80": ["dispatcher"],
    "breach": ["department_manager", "general_manager"],
}


async def escalate(db: AsyncConnection, *, actor: Actor, request_id: str, now: datetime) -> int:
    """Write the steps that are due, each once; at a breach raise the level. Gives how many.

    Clocks already running keep their due: the raised level is the plan's, not the clocks'.
    """
    loaded = await load(db, actor=actor, request_id=request_id, lock=True)
    row = loaded.row
    due = due_escalations(loaded.clocks(now), escalated(loaded.steps), now)
    steps = [
        NewStep(
            verb="escalated",
            details={
                "clock": one.clock,
                "clock_line": one.line,
                "level": one.level,
                "since": one.due_since.isoformat(),
                "told": TOLD[one.level],
            },
        )
        for one in due
    ]
    written = await write_steps(db, actor=actor, request=row.id, steps=steps, occurred_at=now, now=now)
    version, priority = row.version, row.priority
    open_ones = any(line.state not in ENDED for line in loaded.lines)
    if any(one.level == "breach" for one in due) and open_ones:
        priority = raised(row.priority)
        version = int(await db.scalar(RAISE, {"id": row.id, "priority": priority}) or row.version)
        if row.area:
            await mark_dirty(db, area=row.area, why="breached", now=now)
    for step in steps:
        details = dict(step.details or {})
        breach = details["level"] == "breach"
        event = Event(
            type="part_request.breached" if breach else "part_request.escalated",
            subject=row.id,
            version=version,
            customer=row.customer,
            area=row.area,
            data=details | {"priority": priority},
        )
        await announce(db, event, by=actor, now=now)
    await write_watch(db, loaded=loaded, steps=[*loaded.steps, *written], now=now)
    return len(steps)
