"""Claims on OEMs (P7): opened for each free replacement, filed, accepted or not, settled; what leaks is borne by us."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing import queries
from app.billing.models import BorneCost, Recovery
from app.billing.rules.pricing import Payer
from app.billing.rules.recovery import NotAllowed, State, Verb, move, unrecovered
from app.billing.schemas import AcceptIn, FileIn, RecoveryOut, RejectIn, SettleIn
from app.billing.service.periods import booking_period
from app.billing.service.refusals import (
    ClaimNotReady,
    CurrencyMismatch,
    InTheFuture,
    RecoveredTooMuch,
    SettledWithNothing,
)
from app.core.events import By, Event, announce
from app.core.http import Expected, check_version
from app.core.ids import new_id
from app.core.money import Money, of_amount

LOCK = text("SELECT * FROM recovery WHERE id = :id FOR UPDATE")
SHRINK = text("""
    UPDATE recovery SET amount_minor = amount_minor - CAST(:by AS bigint), version = version + 1,
        state = CASE WHEN amount_minor = CAST(:by AS bigint) THEN 'expired' ELSE state END,
        reason = CASE WHEN amount_minor = CAST(:by AS bigint) THEN 'withdrawn' ELSE reason END,
        decided_at = CASE WHEN amount_minor = CAST(:by AS bigint) THEN :now ELSE decided_at END
    WHERE borne = :borne AND state IN ('open', 'filed', 'accepted') AND amount_minor >= CAST(:by AS bigint)
""")
UNCLAIMED = text("""
    SELECT b.id FROM borne_cost b
    WHERE b.line = :line AND b.kind = 'part' AND b.payer <> 'vendor' AND b.reverses IS NULL
      AND b.amount_minor > coalesce((SELECT -sum(r.amount_minor) FROM borne_cost r WHERE r.reverses = b.id), 0)
      AND NOT EXISTS (SELECT FROM recovery c WHERE c.borne = b.id)
    ORDER BY b.id
""")
TAKEN_BACK = text("SELECT -sum(amount_minor) FROM borne_cost WHERE reverses = :borne")
DUE = text("""
    SELECT id FROM recovery WHERE state IN ('open', 'filed') AND due_at <= :now
    ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 200
""")


async def open_recovery(
    db: AsyncConnection, *, actor: By, borne_id: str, evidence: Mapping[str, Any], now: datetime
) -> str:
    """Claim a borne part's cost from its payer, with the evidence as it is known; once per borne cost."""
    borne = (await db.execute(select(BorneCost.__table__).where(BorneCost.id == borne_id))).one()
    left = borne.amount_minor - int(await db.scalar(TAKEN_BACK, {"borne": borne_id}) or 0)
    row = {
        "id": new_id("rec", now), "borne": borne_id, "request": borne.request, "line": borne.line,
        "customer": borne.customer, "contract": borne.contract, "device_serial": borne.device_serial,
        "payer": borne.payer, "state": str(State.OPEN), "amount_minor": left, "currency": borne.currency,
        "evidence": dict(evidence), "opened_at": now,
    }  # fmt: skip
    once = upsert(Recovery).on_conflict_do_nothing(index_elements=["borne"]).returning(Recovery.id)
    if await db.scalar(once, row) is None:
        return str(await db.scalar(select(Recovery.id).where(Recovery.borne == borne_id)))
    facts = {"request": borne.request, "line": borne.line, "payer": borne.payer}
    event = Event(type="recovery.opened", subject=str(row["id"]), customer=borne.customer, data=facts)
    await announce(db, event, by=actor, now=now)
    return str(row["id"])


async def open_line_claims(
    db: AsyncConnection, *, actor: By, line: str, evidence: Mapping[str, Any], now: datetime
) -> list[str]:
    """Once an open cause is settled as covered: claim what the line's OEM bears and nobody claimed yet (W7, P7)."""
    rows = (await db.execute(UNCLAIMED, {"line": line})).scalars().all()
    return [await open_recovery(db, actor=actor, borne_id=borne, evidence=evidence, now=now) for borne in rows]


async def file_recovery(
    db: AsyncConnection, *, actor: Actor, recovery_id: str, filed: FileIn, if_match: Expected, now: datetime
) -> RecoveryOut:
    """Send the claim to its payer."""
    when = _happened(filed.occurred_at, now)
    facts = {"claim_number": filed.claim_number, "due_at": filed.due_at, "filed_at": when}
    return await _step(db, recovery_id, Verb.FILE, facts, actor=actor, if_match=if_match, now=now)


async def accept_recovery(
    db: AsyncConnection, *, actor: Actor, recovery_id: str, accepted: AcceptIn, if_match: Expected, now: datetime
) -> RecoveryOut:
    """The payer agrees to pay."""
    facts = {"decided_at": _happened(accepted.occurred_at, now)}
    return await _step(db, recovery_id, Verb.ACCEPT, facts, actor=actor, if_match=if_match, now=now)


async def reject_recovery(
    db: AsyncConnection, *, actor: Actor, recovery_id: str, rejected: RejectIn, if_match: Expected, now: datetime
) -> RecoveryOut:
    """The payer refuses: the whole cost moves to us."""
    facts = {"decided_at": _happened(rejected.occurred_at, now), "reason": rejected.reason}
    return await _step(db, recovery_id, Verb.REJECT, facts, actor=actor, if_match=if_match, now=now)


async def settle_recovery(
    db: AsyncConnection, *, actor: Actor, recovery_id: str, settled: SettleIn, if_match: Expected, now: datetime
) -> RecoveryOut:
    """Money came, or a replacement in kind (worth the claim); what is missing moves to us."""
    claim = await queries.recovery(db, actor=actor, recovery_id=recovery_id, now=now)
    claimed = of_amount(claim.amount.amount, claim.amount.currency)
    if (settled.amount is None) == (settled.in_kind is None):
        raise SettledWithNothing
    got = claimed
    if settled.amount is not None:
        if settled.amount.currency != claimed.currency:
            raise CurrencyMismatch(cost_currency=settled.amount.currency, currency=claimed.currency)
        try:
            got = of_amount(settled.amount.amount, settled.amount.currency)
        except ValueError as wrong:
            raise RecoveredTooMuch(claimed=claimed.amount, currency=claimed.currency) from wrong
    if got > claimed:
        raise RecoveredTooMuch(claimed=claimed.amount, currency=claimed.currency)
    when = _happened(settled.occurred_at, now)
    facts = {"settled_at": when, "recovered_minor": got.minor, "in_kind": settled.in_kind}
    return await _step(db, recovery_id, Verb.SETTLE, facts, actor=actor, if_match=if_match, now=now)


async def expire_due(db: AsyncConnection, *, actor: Actor, now: datetime) -> int:
    """Claims that their payer did not answer in time: expired, once each; their cost moves to us."""
    due = [row.id for row in await db.execute(DUE, {"now": now})]
    for recovery_id in due:
        await _step(db, recovery_id, Verb.EXPIRE, {"decided_at": now}, actor=actor, if_match=None, now=now)
    return len(due)


async def shrink(db: AsyncConnection, *, borne_id: str, by: int, now: datetime) -> None:
    """Pieces behind a claim came back: it asks for less, and for nothing it is withdrawn."""
    await db.execute(SHRINK, {"borne": borne_id, "by": by, "now": now})


async def _step(
    db: AsyncConnection,
    recovery_id: str,
    verb: Verb,
    facts: Mapping[str, Any],
    *,
    actor: Actor,
    if_match: Expected,
    now: datetime,
) -> RecoveryOut:
    """One move of a claim under its row's lock, told once; a final state leaves the rest of its cost with us."""
    await queries.recovery(db, actor=actor, recovery_id=recovery_id, now=now)
    row = (await db.execute(LOCK, {"id": recovery_id})).one()
    check_version(row.version, if_match)
    moved = move(State(row.state), verb)
    if isinstance(moved, NotAllowed):
        allowed = [str(one) for one in moved.allowed]
        raise ClaimNotReady(recovery=recovery_id, state=row.state, verb=str(verb), allowed=allowed)
    values = dict(facts) | {"state": str(moved.state), "version": row.version + 1}
    await db.execute(update(Recovery).where(Recovery.id == recovery_id).values(**values))
    if moved.state in (State.REJECTED, State.EXPIRED, State.SETTLED):
        got = Money(int(values.get("recovered_minor", 0)), row.currency)
        await _to_vendor(db, row, unrecovered(Money(row.amount_minor, row.currency), got), actor=actor, now=now)
    event = Event(
        type=f"recovery.{moved.state}",
        subject=recovery_id,
        version=row.version + 1,
        customer=row.customer,
        data={"request": row.request, "line": row.line, "payer": row.payer},
    )
    await announce(db, event, by=actor, now=now)
    return await queries.recovery(db, actor=actor, recovery_id=recovery_id, now=now)


PIECES_BACK = text("SELECT sum(quantity)::bigint FROM borne_cost WHERE reverses = :borne")


async def _to_vendor(db: AsyncConnection, row: Any, lost: Money, *, actor: Actor, now: datetime) -> None:
    """What was not recovered is taken from the payer's borne cost and put on ours (P7)."""
    if not lost.minor:
        return
    borne = (await db.execute(select(BorneCost.__table__).where(BorneCost.id == row.borne))).one()
    out = borne.quantity - int(await db.scalar(PIECES_BACK, {"borne": borne.id}) or 0)
    shared = {name: getattr(borne, name) for name in ("kind", "request", "line", "reservations", "customer")} | {
        "contract": borne.contract, "device_serial": borne.device_serial, "currency": borne.currency,
        "verdict": borne.verdict, "note": row.id, "occurred_at": now, "recorded_at": now,
        "recorded_by": actor.id, "period": await booking_period(db, now),
    }  # fmt: skip
    back = {
        "id": new_id("cost", now),
        "source": borne.source,
        "payer": borne.payer,
        "reverses": borne.id,
        "quantity": 0,
    }
    # Ours names the pieces still out, so that one that comes back unused takes this cost back with it (IM8).
    ours = {"id": new_id("cost", now), "source": row.id, "payer": str(Payer.VENDOR), "reverses": None, "quantity": out}
    await db.execute(
        insert(BorneCost),
        [shared | back | {"amount_minor": -lost.minor}, shared | ours | {"amount_minor": lost.minor}],
    )


def _happened(occurred_at: datetime | None, now: datetime) -> datetime:
    if occurred_at is not None and occurred_at > now:
        raise InTheFuture(occurred_at=occurred_at.isoformat())
    return occurred_at or now
