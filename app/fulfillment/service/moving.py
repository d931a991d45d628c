"""A line that the plan takes from another shelf: its hold moves there, if all it rests on still stands (R1, R4)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import duty_actor
from app.core.errors import Fact, Reason
from app.fulfillment.rules.states import State
from app.fulfillment.schemas import StepIn
from app.fulfillment.service.candidates import Way
from app.fulfillment.service.frame import open_frame
from app.fulfillment.service.records import NewStep, move
from app.fulfillment.service.resourcing import LOCK_BALANCES, begun, rehold
from app.stock.queries.offers import offers

PINNED = text("SELECT EXISTS (SELECT FROM plan_pin WHERE line = :line)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One line to another place, as the plan wants it; `late_before_s` None: it had no way at all."""

    line: str
    request: str
    before: str
    place: str
    eta: datetime
    late_before_s: int | None
    late_s: int


async def move_source(db: AsyncConnection, *, wanted: Move, now: datetime) -> bool:
    """Move the hold, unless the line was touched, pinned or moved meanwhile, or the shelf is no longer free enough.

    Promise and due stay, and the customer pays no more than was agreed.
    """
    actor = duty_actor("plan")
    frame = await open_frame(db, actor=actor, request_id=wanted.request, body=StepIn(), expected_version=None, now=now)
    line = next(one for one in frame.loaded.lines if one.id == wanted.line)
    pinned = await db.scalar(PINNED, {"line": line.id})
    if (
        line.state != State.ACCEPTED.value
        or line.source != wanted.before
        or line.confirmed
        or pinned
        or begun(frame.loaded, line)
    ):
        return False
    part = line.supplied_part_number
    await db.execute(LOCK_BALANCES, {"parts": [part]})
    found = [one for one in await offers(db, parts=[part], quantity=line.quantity) if one.place == wanted.place]
    if not found or found[0].free < line.quantity:
        return False
    facts: dict[str, Fact] = {
        "place": wanted.place,
        "before": wanted.before,
        "late_before_min": None if wanted.late_before_s is None else -(-wanted.late_before_s // 60),
        "late_min": -(-wanted.late_s // 60),
    }
    why = Reason("R2", "routing.moved_cheaper", facts)
    if wanted.late_before_s is None or wanted.late_s < wanted.late_before_s:
        why = (
            Reason("R2", "routing.moved_sooner", facts)
            if wanted.late_s
            else Reason("R2", "routing.moved_in_time", facts)
        )
    await rehold(frame, line, found[0], Way("courier", wanted.eta, None), reasons=(why,))
    details = frame.details(place=wanted.place, before=wanted.before, part_number=part, why=why.code)
    step = NewStep(verb="resourced", line=line.id, details=details)
    data = {"line": line.id, "place": wanted.place, "before": wanted.before, "why": why.code, **facts}
    await move(
        db, actor=actor, loaded=frame.loaded, states={}, steps=[step], event="resourced", occurred_at=now, now=now,
        data=data, replan=False,
    )  # fmt: skip
    return True
