"""Charges, borne costs and claims as people look them up, inside the asker's customers and areas."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.models import BorneCost, Charge, Recovery
from app.billing.rules.recovery import age_days
from app.billing.schemas import (
    BorneListOut,
    BorneOut,
    RecoveriesOut,
    RecoveryOut,
    RecoveryReportOut,
    RecoverySum,
)
from app.core.errors import NotFound
from app.core.keyset import capped, decode, encode
from app.core.money import Money
from app.core.types import MoneyOut

SCOPE = """(CAST(:scope_customers AS text[]) IS NULL OR t.customer = ANY(CAST(:scope_customers AS text[])))"""
AREAS = """(CAST(:scope_areas AS text[]) IS NULL OR t.area = ANY(CAST(:scope_areas AS text[])))"""
AREAS_OF_DEVICE = """(CAST(:scope_areas AS text[]) IS NULL OR EXISTS (
    SELECT FROM device d JOIN installation i ON i.id = d.installation JOIN site s ON s.code = i.site
    WHERE d.serial = t.device_serial AND s.area = ANY(CAST(:scope_areas AS text[]))))"""
FILTER = """(CAST(:customer AS text) IS NULL OR t.customer = :customer)
      AND (CAST(:contract AS text) IS NULL OR t.contract = :contract)
      AND (CAST(:request AS text) IS NULL OR t.request = :request)
      AND (CAST(:id AS text) IS NULL OR t.id = :id) AND (CAST(:before AS text) IS NULL OR t.id < :before)"""
CHARGES = text(f"""
    SELECT t.* FROM charge t WHERE {SCOPE} AND {AREAS} AND {FILTER} ORDER BY t.id DESC LIMIT :limit
""").columns(*Charge.__table__.columns)
BORNE = text(f"""
    SELECT t.* FROM borne_cost t WHERE {SCOPE} AND {AREAS_OF_DEVICE} AND {FILTER} ORDER BY t.id DESC LIMIT :limit
""").columns(*BorneCost.__table__.columns)
RECOVERIES = text(f"""
    SELECT t.* FROM recovery t
    WHERE {SCOPE} AND {AREAS_OF_DEVICE} AND {FILTER} AND (CAST(:state AS text) IS NULL OR t.state = :state)
      AND (CAST(:payer AS text) IS NULL OR t.payer = :payer)
    ORDER BY t.id DESC LIMIT :limit
""").columns(*Recovery.__table__.columns)
REPORT = text(f"""
    SELECT t.payer, t.state, t.currency, count(*) AS claims, min(t.opened_at) AS oldest,
           sum(t.amount_minor)::bigint AS amount, sum(t.recovered_minor)::bigint AS recovered,
           sum(CASE WHEN t.state IN ('rejected', 'expired', 'settled')
               THEN t.amount_minor - t.recovered_minor ELSE 0 END)::bigint AS leaked
    FROM recovery t WHERE {SCOPE} AND {AREAS_OF_DEVICE} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")


@dataclass(frozen=True, slots=True)
class Charges:
    """A page of stored charges and the cursor of the next."""

    rows: Sequence[Any]
    next: str | None


class NoSuchCharge(NotFound):
    """No charge by that id in this actor's scope."""

    code = "charge.not_found"


class NoSuchRecovery(NotFound):
    """No claim by that id in this actor's scope."""

    code = "recovery.not_found"


def _asked(actor: Actor, cursor: str | None, limit: int, **more: str | None) -> dict[str, Any]:
    nothing = {"customer": None, "contract": None, "request": None, "id": None}
    before = decode(cursor, str)[0] if cursor else None
    return nothing | actor.scope | {"before": before, "limit": limit} | more


async def charge_row(db: AsyncConnection, *, actor: Actor, charge_id: str) -> Any:
    """The stored charge, or NoSuchCharge."""
    row = (await db.execute(CHARGES, _asked(actor, None, 1, id=charge_id))).one_or_none()
    if row is None:
        raise NoSuchCharge(charge=charge_id)
    return row


async def charges(
    db: AsyncConnection,
    *,
    actor: Actor,
    customer: str | None = None,
    contract: str | None = None,
    request: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Charges:
    """Charges and credits, newest first, as stored; the door makes their texts and hides their cost."""
    most = capped(limit)
    asked = _asked(actor, cursor, most + 1, customer=customer, contract=contract, request=request)
    rows = (await db.execute(CHARGES, asked)).all()
    following = encode([rows[most - 1].id]) if len(rows) > most else None
    return Charges(rows[:most], following)


def money_out(minor: int, currency: str) -> MoneyOut:
    return MoneyOut(amount=Money(minor, currency).amount, currency=currency)


async def borne_costs(
    db: AsyncConnection, *, actor: Actor, request: str | None, cursor: str | None, limit: int | None
) -> BorneListOut:
    """What jobs cost the company, by payer, newest first; finance's and the admin's (P1)."""
    most = capped(limit)
    rows = (await db.execute(BORNE, _asked(actor, cursor, most + 1, request=request))).all()
    following = encode([rows[most - 1].id]) if len(rows) > most else None
    items = [
        BorneOut(
            id=row.id,
            request=row.request,
            line=row.line,
            customer=row.customer,
            contract=row.contract,
            kind=row.kind,
            payer=row.payer,
            amount=money_out(row.amount_minor, row.currency),
            reverses=row.reverses,
            note=row.note,
            period=f"{row.period:%Y-%m}",
            occurred_at=row.occurred_at,
        )
        for row in rows[:most]
    ]
    return BorneListOut(items=items, next=following)


async def recovery(db: AsyncConnection, *, actor: Actor, recovery_id: str, now: datetime) -> RecoveryOut:
    """One claim, or NoSuchRecovery."""
    asked = _asked(actor, None, 1, id=recovery_id, state=None, payer=None)
    row = (await db.execute(RECOVERIES, asked)).one_or_none()
    if row is None:
        raise NoSuchRecovery(recovery=recovery_id)
    return _recovery(row, now)


async def recoveries(
    db: AsyncConnection,
    *,
    actor: Actor,
    now: datetime,
    state: str | None = None,
    payer: str | None = None,
    request: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> RecoveriesOut:
    """Claims, newest first."""
    most = capped(limit)
    asked = _asked(actor, cursor, most + 1, state=state, payer=payer, request=request)
    rows = (await db.execute(RECOVERIES, asked)).all()
    following = encode([rows[most - 1].id]) if len(rows) > most else None
    return RecoveriesOut(items=[_recovery(row, now) for row in rows[:most]], next=following)


def _recovery(row: Any, now: datetime) -> RecoveryOut:
    return RecoveryOut(
        id=row.id,
        request=row.request,
        line=row.line,
        customer=row.customer,
        contract=row.contract,
        device_serial=row.device_serial,
        payer=row.payer,
        state=row.state,
        amount=money_out(row.amount_minor, row.currency),
        recovered=money_out(row.recovered_minor, row.currency),
        in_kind=row.in_kind,
        evidence=row.evidence,
        claim_number=row.claim_number,
        reason=row.reason,
        opened_at=row.opened_at,
        filed_at=row.filed_at,
        decided_at=row.decided_at,
        settled_at=row.settled_at,
        due_at=row.due_at,
        age_days=age_days(row.opened_at, row.settled_at or now),
        version=row.version,
    )


async def recovery_report(db: AsyncConnection, *, actor: Actor, now: datetime) -> RecoveryReportOut:
    """Ageing and leak of claims: by payer and state, what was claimed, what came back, what was lost to us (P7)."""
    rows = await db.execute(REPORT, actor.scope)
    return RecoveryReportOut(
        items=[
            RecoverySum(
                payer=row.payer,
                state=row.state,
                currency=row.currency,
                claims=row.claims,
                oldest_days=age_days(row.oldest, now),
                amount=Money(row.amount, row.currency).amount,
                recovered=Money(row.recovered, row.currency).amount,
                leaked=Money(row.leaked, row.currency).amount,
            )
            for row in rows
        ]
    )
