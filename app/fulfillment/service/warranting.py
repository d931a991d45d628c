"""What the journey tells the warranty: a serial read late, a settled cause, replacements confirmed and restarts."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from app.accounts.rules import Actor
from app.fulfillment.service.frame import Frame
from app.fulfillment.service.refusals import SerialNotThere
from app.warranty.queries.facts import ALL, by_installations, by_serial
from app.warranty.rules.coverage import fold
from app.warranty.rules.events import Cause
from app.warranty.schemas import EventIn
from app.warranty.service import append_event, revise, supersede

UNIT = "unit"
NOW_KNOWN = text("UPDATE part_request SET device_serial = :serial, installation = :installation WHERE id = :id")
NEW_VERDICT = text("UPDATE request_line SET verdict = :new WHERE request = :request AND verdict = :old")


class FittingUnknown(RuntimeError):
    """A confirmed line has no fitted step: the journal is broken."""


async def read_serial(frame: Frame, serial: str) -> None:
    """The serial that could not be read in the emergency is known now: verdicts are given anew (W12)."""
    known = await by_serial(frame.db, actor=frame.actor, serial=serial)
    row = frame.loaded.row
    if (known.row.site, known.row.model, known.row.contract) != (row.site, row.model, row.contract):
        raise SerialNotThere(serial=serial)
    await frame.db.execute(NOW_KNOWN, {"id": row.id, "serial": serial, "installation": known.candidate.installation_id})
    for verdict in sorted({line.verdict for line in frame.loaded.lines}):
        revision = await revise(frame.db, actor=frame.actor, verdict_id=verdict, serial=serial)
        given = await supersede(frame.db, actor=frame.actor, revision=revision, now=frame.now)
        await frame.db.execute(NEW_VERDICT, {"request": row.id, "old": verdict, "new": given.id})


async def settle_cause(frame: Frame, cause: Cause) -> list[dict[str, Any]]:
    """Diagnosis settles the cause: a new verdict for each old one, naming it. Gives the fields that changed (W12).

    The lines come to name it through `following`.
    """
    changed: list[dict[str, Any]] = []
    for verdict in sorted({line.verdict for line in frame.loaded.lines}):
        revision = await revise(frame.db, actor=frame.actor, verdict_id=verdict, cause=cause)
        await supersede(frame.db, actor=frame.actor, revision=revision, now=frame.now)
        changed += [msgspec.to_builtins(one) for one in revision.changes]
    return changed


async def restart_warranties(frame: Frame, lines: list[Any], *, presumed: bool) -> list[str]:
    """Append what was replaced and that it runs: W4 decides what restarts. Gives the positions that did."""
    restarted = []
    for line in sorted(lines, key=lambda one: one.n):
        if line.position is None or frame.loaded.row.device_serial is None:
            continue
        if await _append(frame, line, presumed=presumed):
            restarted.append(line.position)
    return restarted


async def _append(frame: Frame, line: Any, *, presumed: bool) -> bool:
    row = frame.loaded.row
    fitted_at = _fitted_at(frame, line)
    serial = await _present_serial(frame)
    swap = line.position == UNIT and line.fitted_serial is not None
    replaced = (
        EventIn(
            type="device_replaced",
            occurred_at=fitted_at,
            new_serial=line.fitted_serial,
            part_number=line.supplied_part_number,
            cause=row.cause,
            system_stopped=row.system_stopped,
            failed_at=row.failed_at,
        )
        if swap
        else EventIn(
            type="component_replaced",
            occurred_at=fitted_at,
            position=line.position,
            part_number=line.supplied_part_number,
            serial=line.fitted_serial,
            cause=row.cause,
            system_stopped=row.system_stopped,
            failed_at=row.failed_at,
        )
    )
    await append_event(frame.db, actor=frame.actor, serial=serial, new=replaced, now=frame.now)
    confirmed_at = fitted_at if presumed else max(frame.at, fitted_at)
    confirmed = EventIn(
        type="operation_confirmed",
        occurred_at=confirmed_at,
        position=line.position,
        presumed=True if presumed else None,
    )
    present = line.fitted_serial if swap else serial
    await append_event(frame.db, actor=frame.actor, serial=present, new=confirmed, now=frame.now)
    return await _restarted(frame.db, frame.actor, present, line.position, confirmed_at)


async def _present_serial(frame: Frame) -> str:
    """The serial that stands there now: another request may have swapped the unit meanwhile (W13)."""
    row = frame.loaded.row
    found = await by_installations(frame.db, scope=ALL, ids=[row.installation]) if row.installation else []
    return found[0].facts.present_serial if found else str(row.device_serial)


async def _restarted(db: Any, actor: Actor, serial: str, position: str, at: datetime) -> bool:
    """Whether the position now runs in an interval of its own that this confirmation began."""
    known = await by_serial(db, actor=actor, serial=serial)
    cover = fold(known.candidate.installation, known.candidate.events)
    day = cover.day_at(at)
    return any(one.kind == "restart" and one.anchor == day for one in cover.of(position))


def _fitted_at(frame: Frame, line: Any) -> datetime:
    fitted = [step.occurred_at for step in frame.loaded.steps if step.verb == "fitted" and step.line == line.id]
    if not fitted:
        raise FittingUnknown(line.id)
    return max(fitted)  # type: ignore[no-any-return]
