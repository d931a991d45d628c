"""Seven days without a word after the fitting: operation is presumed normal, anchored at the fitting [house, W4]."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import State
from app.fulfillment.schemas import StepIn
from app.fulfillment.service.frame import again, open_frame
from app.fulfillment.service.records import NewStep, move
from app.fulfillment.service.warranting import restart_warranties

SILENCE = timedelta(days=7)


async def presume(db: AsyncConnection, *, actor: Actor, request_id: str, now: datetime) -> Loaded:
    """Confirm what has been fitted for seven days and not reported on since; a renewed complaint stops it."""
    frame = await open_frame(db, actor=actor, request_id=request_id, body=StepIn(), expected_version=None, now=now)
    silent = [
        line
        for line in frame.loaded.lines
        if line.state == State.FITTED.value
        and not _complained(frame.loaded, line.id)
        and _last_word(frame.loaded, line.id) <= now - SILENCE
    ]
    if not silent or frame.loaded.row.device_serial is None:
        return frame.loaded
    restarted = await restart_warranties(frame, silent, presumed=True)
    details = {"presumed": True, "restarted": restarted}
    steps = [NewStep(verb="confirmed", line=line.id, details=details) for line in silent]
    states = {line.id: State.CONFIRMED for line in silent}
    since = max(_last_word(frame.loaded, line.id) for line in silent)
    await move(
        db, actor=actor, loaded=frame.loaded, states=states, steps=steps, event="confirmed", occurred_at=since, now=now,
        data=details, replan=False,
    )  # fmt: skip
    return await again(frame)


def _complained(loaded: Loaded, line: str) -> bool:
    """Whether the last thing said of a fitted part is that it does not help."""
    said = [step.verb for step in loaded.steps if step.line == line and step.verb in ("fitted", "not_normal")]
    return said[-1:] == ["not_normal"]


def _last_word(loaded: Loaded, line: str) -> datetime:
    """The latest thing a person said about a line or the request."""
    said = ("fitted", "not_normal", "diagnosed", "noted")
    last: datetime = max(step.occurred_at for step in loaded.steps if step.verb in said and step.line in (line, None))
    return last
