"""What the company bears (P1), by payer, and the bills of an issue: a charge, a borne cost, a claim."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.models import BorneCost
from app.billing.rules.pricing import CostKind, Payer, Price, PriceTerms, bearer, borne_part
from app.billing.rules.recovery import Claim, decide_claim
from app.billing.service.charges import Job, charge_pieces, quote, reverse_charge
from app.billing.service.periods import booking_period
from app.billing.service.recoveries import open_recovery, shrink
from app.core.events import By, Event, announce
from app.core.ids import new_id
from app.core.money import Money, share
from app.stock.queries import Reserved

LIVE_CHARGES = text("""
    SELECT c.id, c.reservations, c.gross_minor, c.currency, c.quantity,
           coalesce(sum(-r.gross_minor), 0)::bigint AS credited, coalesce(sum(r.quantity), 0)::bigint AS back
    FROM charge c LEFT JOIN charge r ON r.reverses = c.id
    WHERE c.line = :line AND c.reverses IS NULL GROUP BY c.id ORDER BY c.id
""")
LIVE_BORNE = text("""
    SELECT b.id, b.source, b.reservations, b.amount_minor, b.currency, b.quantity, b.payer, b.request, b.line,
           b.customer, b.contract, b.device_serial, b.kind, b.verdict,
           coalesce(sum(-r.amount_minor), 0)::bigint AS reversed, coalesce(sum(r.quantity), 0)::bigint AS back,
           EXISTS (SELECT FROM charge c WHERE c.source = b.source AND c.reverses IS NULL) AS beside_charge
    FROM borne_cost b LEFT JOIN borne_cost r ON r.reverses = b.id
    WHERE b.line = :line AND b.kind = 'part' AND b.reverses IS NULL GROUP BY b.id ORDER BY b.id
""")


@dataclass(frozen=True, slots=True)
class Billed:
    """What an issue cost whom: the charge (None when covered), the borne costs, the claims opened; their ids."""

    price: Price
    charge: str | None
    borne: tuple[str, ...]
    recoveries: tuple[str, ...]


async def charge_issue(
    db: AsyncConnection,
    *,
    actor: By,
    job: Job,
    pieces: Sequence[Reserved],
    terms: PriceTerms,
    now: datetime,
    source: str | None = None,
    verdict_id: str | None = None,
    cause_settled: bool = True,
    evidence: Mapping[str, Any] | None = None,
    occurred_at: datetime | None = None,
) -> Billed:
    """Bill issued pieces in the transaction that issues them, exactly once per `source` (default: the first hold's id).

    Covered: the cost is borne by its payer and claimed from the OEM. Not covered: one charge; what P4 gives away is ours.
    Raises CurrencyMismatch.
    """
    source = source or min(piece.id for piece in pieces)
    bill = _Bill(db, actor, job, source, verdict_id, now, occurred_at)
    if not terms.covered:
        charge, price, cost = await charge_pieces(
            db,
            actor=actor,
            job=job,
            pieces=pieces,
            terms=terms,
            source=source,
            verdict_id=verdict_id,
            now=now,
            occurred_at=occurred_at,
        )
        given = borne_part(covered=False, payer=Payer.VENDOR, cost=cost, charged_net=price.net)
        borne = await bill.bear(given.amount, Payer.VENDOR, pieces) if given else None
        return Billed(price, charge, (borne,) if borne else (), ())
    payer = bearer(covered=True, payer=terms.payer)
    claim = decide_claim(covered=True, payer=payer, cause_settled=cause_settled)
    carried, claims = [], []
    for cost, group in _by_currency(pieces):
        borne = await bill.bear(cost, payer, group)
        if borne is None:
            continue
        carried.append(borne)
        if isinstance(claim, Claim) and cost.minor:
            claims.append(await open_recovery(db, actor=actor, borne_id=borne, evidence=evidence or {}, now=now))
    return Billed(quote(pieces, terms), None, tuple(carried), tuple(claims))


def _by_currency(pieces: Sequence[Reserved]) -> list[tuple[Money, list[Reserved]]]:
    """Borne cost stays in the currency it was paid in; two currencies are never added up (T125)."""
    groups: dict[str, list[Reserved]] = defaultdict(list)
    for piece in pieces:
        groups[piece.currency].append(piece)
    return [
        (Money(sum(piece.value_minor for piece in group), currency), group)
        for currency, group in sorted(groups.items())
    ]


@dataclass(frozen=True, slots=True)
class _Bill:
    """What the rows of one bill have in common."""

    db: AsyncConnection
    actor: By
    job: Job
    source: str
    verdict_id: str | None
    now: datetime
    occurred_at: datetime | None

    async def bear(self, cost: Money, payer: Payer, pieces: Sequence[Reserved]) -> str | None:
        """Record the parts' cost on its payer; None if this source has been billed before."""
        return await _bear(
            self.db,
            self.job,
            kind=CostKind.PART,
            source=self.source,
            payer=payer,
            amount=cost,
            reservations=[piece.id for piece in pieces],
            quantity=sum(piece.quantity for piece in pieces),
            verdict_id=self.verdict_id,
            actor=self.actor,
            now=self.now,
            occurred_at=self.occurred_at,
        )


async def record_cost(
    db: AsyncConnection,
    *,
    actor: By,
    job: Job,
    kind: CostKind,
    amount: Money,
    covered: bool,
    payer: Payer | None,
    source: str,
    now: datetime,
    note: str | None = None,
    occurred_at: datetime | None = None,
) -> str:
    """Transport, insurance, installation, testing, labor: nothing to the customer, borne by the cover's payer (P1, P2).

    `source` names the occasion; said again, the first record is given back.
    """
    who = bearer(covered=covered, payer=payer)
    made = await _bear(
        db, job, kind=kind, source=source, payer=who, amount=amount, reservations=[], quantity=0, verdict_id=None,
        actor=actor, now=now, occurred_at=occurred_at, note=note,
    )  # fmt: skip
    if made is not None:
        return made
    same = (BorneCost.source == source) & (BorneCost.kind == kind) & BorneCost.reverses.is_(None)
    return str(await db.scalar(select(BorneCost.id).where(same)))


async def _bear(
    db: AsyncConnection,
    job: Job,
    *,
    kind: CostKind,
    source: str,
    payer: Payer,
    amount: Money,
    reservations: list[str],
    quantity: int,
    verdict_id: str | None,
    actor: By,
    now: datetime,
    occurred_at: datetime | None,
    note: str | None = None,
) -> str | None:
    row = {
        "id": new_id("cost", now), "source": source, "kind": str(kind), "request": job.request, "line": job.line,
        "reservations": reservations, "customer": job.customer, "contract": job.contract,
        "device_serial": job.device_serial, "quantity": quantity, "payer": str(payer), "amount_minor": amount.minor,
        "currency": amount.currency, "verdict": verdict_id, "note": note, "occurred_at": occurred_at or now,
        "recorded_at": now, "recorded_by": actor.id, "period": await booking_period(db, occurred_at or now),
    }  # fmt: skip
    once = upsert(BorneCost).on_conflict_do_nothing(
        index_elements=["source", "kind", "payer", "currency"], index_where=text("reverses IS NULL")
    )
    made = await db.scalar(once.returning(BorneCost.id), row)
    if made is not None:  # amounts are finance's, so the event that others may read names none
        facts = {"request": job.request, "line": job.line, "kind": str(kind), "payer": str(payer)}
        event = Event(type="cost.recorded", subject=made, customer=job.customer, area=job.area, data=facts)
        await announce(db, event, by=actor, now=now, occurred_at=occurred_at)
    return made


async def credit_return(
    db: AsyncConnection, *, actor: Actor, line: str, pieces: Sequence[Reserved], reason: str, now: datetime
) -> None:
    """Unused pieces came back (P6): credit their charge, take back their borne cost, shrink their claim; net zero (IM8).

    `pieces` are what `stock.return_unused` gave: quantity and value of what came back now.
    """
    for row in (await db.execute(LIVE_CHARGES, {"line": line})).all():
        back = sum(piece.quantity for piece in pieces if piece.id in row.reservations)
        left = row.gross_minor - row.credited
        if back:
            rest = row.quantity - row.back
            whole = left > 0 and back >= rest
            part = None if whole else Money(share(left, rest, min(back, rest)) if left else 0, row.currency)
            await reverse_charge(db, actor=actor, charge_id=row.id, reason=reason, gross=part, quantity=back, now=now)
    for row in (await db.execute(LIVE_BORNE, {"line": line})).all():
        mine = [piece for piece in pieces if piece.id in row.reservations and row.quantity > row.back]
        back = sum(piece.quantity for piece in mine)
        if back:
            left, rest = row.amount_minor - row.reversed, row.quantity - row.back
            value = sum(piece.value_minor for piece in mine)
            amount = left if back >= rest else share(left, rest, back) if row.beside_charge else min(left, value)
            if amount:  # nothing is left on a cost that went over to us when its claim failed
                await _take_back(db, row, amount, back, actor=actor, reason=reason, now=now)


async def reverse_line(db: AsyncConnection, *, actor: Actor, line: str, reason: str, now: datetime) -> None:
    """Take back everything billed for a line, before it is billed anew under another verdict (W12, T122)."""
    for row in (await db.execute(LIVE_CHARGES, {"line": line})).all():
        pieces = row.quantity - row.back
        if row.gross_minor > row.credited or pieces:
            rest = None if row.gross_minor > row.credited else Money(0, row.currency)
            await reverse_charge(db, actor=actor, charge_id=row.id, reason=reason, gross=rest, quantity=pieces, now=now)
    for row in (await db.execute(LIVE_BORNE, {"line": line})).all():
        if row.amount_minor > row.reversed:
            left, pieces = row.amount_minor - row.reversed, row.quantity - row.back
            await _take_back(db, row, left, pieces, actor=actor, reason=reason, now=now)


async def _take_back(
    db: AsyncConnection, row: Any, amount: int, quantity: int, *, actor: By, reason: str, now: datetime
) -> None:
    kept = ("source", "kind", "request", "line", "reservations", "customer", "contract", "device_serial", "payer")
    values = {name: getattr(row, name) for name in (*kept, "currency", "verdict")} | {
        "id": new_id("cost", now), "reverses": row.id, "amount_minor": -amount, "quantity": quantity, "note": reason,
        "occurred_at": now, "recorded_at": now, "recorded_by": actor.id, "period": await booking_period(db, now),
    }  # fmt: skip
    await db.execute(insert(BorneCost), values)
    await shrink(db, borne_id=row.id, by=amount, now=now)
    event = Event(
        type="cost.reversed", subject=str(values["id"]), customer=row.customer, data={"cost": row.id, "reason": reason}
    )
    await announce(db, event, by=actor, now=now)
