"""Picking: the hold becomes an issue, with its charge; the same undone, all of it; and who is at a pick just now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.rules.pricing import PriceTerms
from app.billing.service.costs import charge_issue, credit_return
from app.core.events import Event, announce
from app.core.http import Expected
from app.fulfillment import schemas
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.rules.states import State, Verb
from app.fulfillment.service.frame import Frame, again, chosen_lines, open_frame
from app.fulfillment.service.records import NewStep, move
from app.stock.queries.holds import Reserved, reservations
from app.stock.service import issue, unissue

CLAIMED_FOR = timedelta(minutes=5)
"""How long somebody who looks at a pick counts as being at it [house]."""
CLAIM = text("""
    INSERT INTO pick_claim AS c (request, place, claimed_by, name, claimed_at, expires_at)
    VALUES (:request, :place, :by, :name, :now, :expires_at)
    ON CONFLICT (request, place, claimed_by) DO UPDATE SET expires_at = excluded.expires_at, name = excluded.name,
        claimed_at = CASE WHEN c.expires_at < excluded.claimed_at THEN excluded.claimed_at ELSE c.claimed_at END
    RETURNING claimed_at = :now AS fresh
""")


async def pick(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.PickIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """The warehouse has the very part in its hand: the hold becomes an issue, and the charge is made with it (P6)."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, Verb.PICK)
    scans = body.pieces or ([body.scanned] if body.scanned is not None else [])
    if scans:
        lines = [_meant(frame, lines, scans[0])]
    states: dict[str, State] = {}
    steps = []
    for line, to in _in_lock_order(lines):
        pieces = await _issue(frame, line, body, scans)
        if await _all_issued(frame, line):
            states[line.id] = to
        shown = [one.serial or one.lot for one in pieces if one.serial or one.lot]
        bins = sorted({one.bin for one in pieces if one.bin}) or None
        details = frame.details(scanned=body.scanned, pieces=shown, bins=bins)
        steps.append(NewStep(verb="picked", line=line.id, details=details))
    await _moved(frame, states, steps, "picked")
    return await again(frame)


def _in_lock_order(lines: Sequence[tuple[Any, State]]) -> list[tuple[Any, State]]:
    """Shelves are taken in one order by everybody, whatever the order of a request's lines (T12)."""
    return sorted(lines, key=lambda pair: (pair[0].source, pair[0].supplied_part_number, pair[0].n))


def _meant(frame: Frame, lines: Sequence[tuple[Any, State]], scanned: str) -> tuple[Any, State]:
    """The line a scan is for: the one that waits for that part, lot or serial; else the first, which will refuse it."""
    for line, to in lines:
        held = frame.loaded.reserved.get(line.id, ())
        if scanned in {line.supplied_part_number, *(one.serial for one in held), *(one.lot for one in held)}:
            return line, to
    return lines[0]


async def _issue(frame: Frame, line: Any, body: schemas.PickIn, scans: Sequence[str]) -> list[Reserved]:
    """Issue and bill in one go; a scan of one serial among several (not all `pieces`) takes that piece alone."""
    serials = [one.serial for one in frame.loaded.reserved.get(line.id, ()) if one.state == "held" and one.serial]
    one_of_many = body.pieces is None and body.scanned is not None and len(serials) > 1
    pieces = await issue(
        frame.db,
        actor=frame.actor,
        reference=line.id,
        now=frame.now,
        scanned=scans,
        bins=body.bins or (),
        quantity=1 if one_of_many else None,
        occurred_at=frame.at,
    )
    row = frame.loaded.row
    await charge_issue(
        frame.db,
        actor=frame.actor,
        job=frame.job(line),
        pieces=pieces,
        terms=msgspec.convert(line.price_terms, PriceTerms),
        verdict_id=line.verdict,
        cause_settled=row.cause != "undetermined",
        evidence={
            "request": row.id,
            "device_serial": row.device_serial,
            "position": line.position,
            "cause": row.cause,
            "failed_at": row.failed_at,
            "description": row.description,
            "supplied": [one.serial or one.lot or one.part for one in pieces],
            "verdict": line.verdict,
        },
        now=frame.now,
        occurred_at=frame.at,
    )
    return pieces


async def _all_issued(frame: Frame, line: Any) -> bool:
    return all(one.state != "held" for one in await reservations(frame.db, references=[line.id]))


async def unpick(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """A pick undone before it is packed: the pieces lie in their layers again, held as before, and the charge is
    reversed, net zero (P6). The line waits to be picked, and its clocks never stopped."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, Verb.UNPICK)
    for line, _ in _in_lock_order(lines):
        pieces = await unissue(db, actor=actor, reference=line.id, now=now, occurred_at=frame.at)
        await credit_return(db, actor=actor, line=line.id, pieces=pieces, reason="unpicked", now=now)
    steps = [NewStep(verb="unpicked", line=line.id, details=frame.details()) for line, _ in lines]
    await _moved(frame, {line.id: to for line, to in lines}, steps, "unpicked")
    return await again(frame)


async def _moved(frame: Frame, states: dict[str, State], steps: list[NewStep], event: str) -> None:
    """Inside the warehouse nothing changes for the plan."""
    await move(
        frame.db,
        actor=frame.actor,
        loaded=frame.loaded,
        states=states,
        steps=steps,
        event=event,
        occurred_at=frame.at,
        now=frame.now,
        replan=False,
    )


async def claim_pick(db: AsyncConnection, *, actor: Actor, request_id: str, now: datetime) -> bool:
    """Say that somebody is at a pick, so that others at the same queue are warned. It holds nobody up: whoever picks
    first has picked. Gives whether this was news. Raises NoSuchRequest."""
    loaded = await load(db, actor=actor, request_id=request_id)
    mine = sorted({one.source for one in loaded.lines if actor.may_see_place(one.source) and one.state == "accepted"})
    fresh = False
    for place in mine:
        row = {"request": request_id, "place": place, "by": actor.id, "name": actor.name}
        claimed = await db.execute(CLAIM, row | {"now": now, "expires_at": now + CLAIMED_FOR})
        if claimed.scalar_one():
            fresh = True
            facts = {"request": request_id, "place": place, "by": actor.name}
            event = Event(type="pick.begun", subject=f"{request_id}/{place}", place=place, data=facts)
            await announce(db, event, by=actor, now=now)
    return fresh
