"""What every verb of the journey does first: lock the request, check its version and the step's time, choose lines."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.service.charges import Job
from app.core.http import Expected, check_version
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.rules.states import ENDED, Moved, NotNow, State, Verb, allowed_in, move
from app.fulfillment.schemas import StepIn
from app.fulfillment.service.refusals import NoSuchLine, StepTooEarly, VerbNotNow


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One verb under way: the locked request, who, when it happened and when it is recorded."""

    db: AsyncConnection
    actor: Actor
    loaded: Loaded
    at: datetime
    now: datetime
    note: str | None

    def job(self, line: Any) -> Job:
        """The line as billing knows it."""
        row = self.loaded.row
        return Job(
            request=row.id,
            line=line.id,
            customer=row.customer,
            contract=row.contract,
            device_serial=row.device_serial,
            area=row.area,
        )

    def details(self, **facts: Any) -> dict[str, Any]:
        """A step's details: what was given, and the note."""
        return {name: value for name, value in {**facts, "note": self.note}.items() if value is not None}


async def open_frame(
    db: AsyncConnection, *, actor: Actor, request_id: str, body: StepIn, expected_version: Expected, now: datetime
) -> Frame:
    """Lock and check. A step lies between the request's receipt and now."""
    loaded = await load(db, actor=actor, request_id=request_id, lock=True)
    check_version(loaded.row.version, expected_version)
    at = body.occurred_at or now
    if at > now or at < loaded.row.received_at:
        raise StepTooEarly(occurred_at=at.isoformat(), after=loaded.row.received_at.isoformat(), until=now.isoformat())
    known = {line.id for line in loaded.lines if actor.may_see_place(line.source)}
    for ref in body.lines or ():
        if ref.id not in known:
            raise NoSuchLine(line=ref.id)
    return Frame(db=db, actor=actor, loaded=loaded, at=at, now=now, note=body.note)


def chosen_lines(frame: Frame, body: StepIn, verb: Verb) -> list[tuple[Any, State]]:
    """The lines a verb is for, each with the state it leads to; lines of places out of scope do not exist (T136).

    All lines that allow it if none are named, and VerbNotNow if there is none. A named line must allow it.
    """
    mine = [line for line in frame.loaded.lines if frame.actor.may_see_place(line.source)]
    lines = {line.id: line for line in mine}
    if body.lines is not None:
        found = []
        for ref in body.lines:
            found.append((lines[ref.id], _to(lines[ref.id], verb)))
    else:
        open_lines = [line for line in mine if line.state not in ENDED] or mine
        able = [(line, moved.to) for line in open_lines if isinstance(moved := move(State(line.state), verb), Moved)]
        found = able or [(open_lines[0], _to(open_lines[0], verb))]
    for line, _ in found:
        _after_the_step_before(frame, line)
    return found


def _to(line: Any, verb: Verb) -> State:
    match move(State(line.state), verb):
        case Moved(to=to):
            return to
        case NotNow(allowed=allowed):
            raise VerbNotNow(verb=verb.value, state=line.state, allowed=allowed, line=line.id)


def _after_the_step_before(frame: Frame, line: Any) -> None:
    last = max((step.occurred_at for step in frame.loaded.steps if step.line == line.id), default=None)
    if last is not None and frame.at < last:
        raise StepTooEarly(occurred_at=frame.at.isoformat(), after=last.isoformat(), until=frame.now.isoformat())


def need_open(frame: Frame, verb: str) -> None:
    """A verb of the whole request needs a line that has not ended."""
    if all(line.state in ENDED for line in frame.loaded.lines):
        state = frame.loaded.row.state
        raise VerbNotNow(verb=verb, state=state, allowed=allowed_in(State(state)), line=None)


async def again(frame: Frame) -> Loaded:
    """The request as it stands now, in the same transaction."""
    return await load(frame.db, actor=frame.actor, request_id=frame.loaded.row.id)
