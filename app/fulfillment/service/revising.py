"""A verdict's revision (W12): what a later fact would change, amounts included, and making it the verdict in force."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.schemas import AmountChange, FieldChange, RevisionOut
from app.core.money import Money
from app.fulfillment.service.following import follow
from app.warranty.service import Revision, revise, supersede

LINES = text("""
    SELECT l.id, l.request, l.covered, l.gross_minor, r.currency, l.state FROM request_line l
    JOIN part_request r ON r.id = l.request WHERE l.verdict = :verdict ORDER BY l.n
""")


async def revision_of(db: AsyncConnection, *, actor: Actor, verdict_id: str) -> RevisionOut:
    """What the verdict would be by the events known now, and the amounts that would change. Writes nothing."""
    return await _out(db, await revise(db, actor=actor, verdict_id=verdict_id))


async def accept_revision(db: AsyncConnection, *, actor: Actor, verdict_id: str, now: datetime) -> RevisionOut:
    """Make the revision the verdict in force: it names the old one, and lines that turned to covered are freed."""
    revision = await revise(db, actor=actor, verdict_id=verdict_id)
    shown = await _out(db, revision)
    if not revision.changes:
        return shown
    requests = sorted({row.request for row in await db.execute(LINES, {"verdict": verdict_id})})
    given = await supersede(db, actor=actor, revision=revision, now=now)
    for request in requests:
        await follow(db, actor=actor, request_id=request, now=now)
    shown.verdict = given.id
    return shown


async def _out(db: AsyncConnection, revision: Revision) -> RevisionOut:
    """A line that turns to covered costs nothing any more; one that turns the other way keeps its promised price (W7)."""
    covered = bool(revision.after["covered"])
    amounts = []
    for row in await db.execute(LINES, {"verdict": revision.verdict_id}):
        after = 0 if covered and row.state not in ("canceled", "lost") else row.gross_minor
        amounts.append(
            AmountChange(
                line=row.id,
                request=row.request,
                before=Money(row.gross_minor, row.currency).amount,
                after=Money(after, row.currency).amount,
                currency=row.currency,
            )
        )
    return RevisionOut(
        verdict=None,
        supersedes=revision.verdict_id,
        covered=covered,
        changes=[FieldChange(field=one.field, before=one.before, after=one.after) for one in revision.changes],
        amounts=amounts,
        outcome=dict(revision.after),
    )
