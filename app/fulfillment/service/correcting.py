"""Correcting the day a contract was accepted: every device it anchored, and every verdict that would be another (W12)."""

from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.schemas import RevisionOut
from app.core.errors import Conflict
from app.core.http import Expected, check_version
from app.core.types import Wire
from app.fulfillment.service.revising import accept_revision
from app.network import queries as network_queries
from app.network import service as network
from app.warranty import service as warranty
from app.warranty.schemas import EventIn, EventRow

LOCK = text("SELECT FROM contract WHERE number = :number FOR UPDATE")
ANCHORED = text("""
    SELECT i.serial, e.id AS event FROM installation i
    JOIN warranty_event e ON e.installation = i.id AND e.type = 'accepted'
    WHERE i.contract = :number AND i.accepted_on = :day
      AND NOT EXISTS (SELECT FROM warranty_event w WHERE w.corrects = e.id AND w.payload -> 'withdrawn' = 'true')
    ORDER BY i.id
""")
IN_FORCE = text("""
    SELECT v.id FROM verdict v JOIN installation i ON i.id = v.installation
    WHERE i.contract = :number AND NOT EXISTS (SELECT FROM verdict n WHERE n.supersedes = v.id) ORDER BY v.id
""")


class NotAcceptedYet(Conflict):
    """A contract without an acceptance has none to correct; it is accepted instead."""

    code = "contract.not_accepted"


class SameDay(Conflict):
    """The contract has this acceptance day already."""

    code = "contract.same_day"


class CorrectionOut(Wire):
    """What correcting a contract's acceptance did: devices whose warranty was reckoned anew, verdicts that are others."""

    number: str
    before: date
    after: date
    devices: int
    verdicts: int
    revisions: list[RevisionOut]


async def correct_acceptance(
    db: AsyncConnection,
    *,
    actor: Actor,
    number: str,
    accepted_on: date,
    reason: str,
    expected_version: Expected,
    now: datetime,
) -> CorrectionOut:
    """Let the contract, and all devices that its day anchored, count from another day; verdicts in force that turn out
    otherwise are given anew, and what they free is freed. Run in a transaction that is undone, it is a preview.

    Terms stay those that were frozen (W1). Devices with a day of their own are left alone.
    """
    await db.execute(LOCK, {"number": number})
    contract = await network_queries.contract(db, actor=actor, number=number)
    check_version(contract.version, expected_version)
    if contract.accepted_on is None:
        raise NotAcceptedYet(number=number)
    if contract.accepted_on == accepted_on:
        raise SameDay(number=number, day=accepted_on.isoformat())
    rows = [
        EventRow(serial=row.serial, event=EventIn(type="corrected", event=row.event, reason=reason, on=accepted_on))
        for row in await db.execute(ANCHORED, {"number": number, "day": contract.accepted_on})
    ]
    if rows:
        await warranty.import_events(db, actor=actor, rows=rows, now=now)
    await network.set_accepted(db, actor=actor, number=number, accepted_on=accepted_on, now=now, expected_version=None)
    looked_at = list((await db.execute(IN_FORCE, {"number": number})).scalars())
    revised = [await accept_revision(db, actor=actor, verdict_id=one, now=now) for one in looked_at]
    return CorrectionOut(
        number=number,
        before=contract.accepted_on,
        after=accepted_on,
        devices=len(rows),
        verdicts=len(looked_at),
        revisions=[one for one in revised if one.changes],
    )
