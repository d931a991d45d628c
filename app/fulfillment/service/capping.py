"""What one system may hold at once (T148): a runaway or stolen key takes no more than its share of the shelves."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.fulfillment.service.refusals import HoldsFull

TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('holds ' || CAST(:by AS text), 0))")
HOLDING = text("""
    SELECT CAST(coalesce(nullif(current_setting('sparelane.key_holds', true), ''), '500') AS int) AS cap,
        (SELECT coalesce(sum(l.quantity), 0) FROM part_request r JOIN request_line l ON l.request = r.id
         WHERE r.created_by = :by AND r.state IN ('accepted', 'awaiting_consent')
           AND l.state IN ('accepted', 'awaiting_consent')) AS holding
""")


async def take_turn(db: AsyncConnection, *, actor: Actor) -> None:
    """One request of a system is accepted after the other, so that two at the border are counted right.

    Before any other lock of the transaction, lest two wait for each other. People's requests wait for nobody.
    """
    if actor.is_system:
        await db.execute(TURN, {"by": actor.id})


async def check_holds(db: AsyncConnection, *, actor: Actor, asked: int) -> None:
    """Refuse what would bring a system over its cap (HoldsFull). The turn must be taken."""
    if not actor.is_system:
        return
    found = (await db.execute(HOLDING, {"by": actor.id})).one()
    if found.holding + asked > found.cap:
        raise HoldsFull(holding=int(found.holding), asked=asked, cap=int(found.cap))
