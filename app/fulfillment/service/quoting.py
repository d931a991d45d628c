"""A quote that nobody answered in time ends, and with it its lines (P5)."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import State
from app.fulfillment.schemas import CancelIn
from app.fulfillment.service.frame import again, open_frame
from app.fulfillment.service.records import NewStep, move


async def end_quote(db: AsyncConnection, *, actor: Actor, request_id: str, body: CancelIn, now: datetime) -> Loaded:
    """Cancel the lines that still await consent though nothing is held for them any more."""
    frame = await open_frame(db, actor=actor, request_id=request_id, body=body, expected_version=None, now=now)
    ended = [
        line
        for line in frame.loaded.lines
        if line.state == State.AWAITING_CONSENT.value
        and not any(one.state == "held" for one in frame.loaded.reserved.get(line.id, ()))
    ]
    if not ended:
        return frame.loaded
    steps = [NewStep(verb="canceled", line=line.id, details={"reason": body.reason}) for line in ended]
    states = {line.id: State.CANCELED for line in ended}
    await move(
        db, actor=actor, loaded=frame.loaded, states=states, steps=steps, event="canceled", occurred_at=now, now=now,
        data={"reason": body.reason},
    )  # fmt: skip
    return await again(frame)
