"""Charges (P6): made once when pieces are issued, in that transaction; changed only by credits that name them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import ColumnElement, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing import queries
from app.billing.models import Charge
from app.billing.rules.pricing import Cost, NoRate, Price, PriceTerms, TooMuch, credit, price_by, total_cost
from app.billing.service.periods import booking_period
from app.billing.service.refusals import CurrencyMismatch, InTheFuture, IsCredit, OverCredited
from app.core.errors import Reason
from app.core.events import By, Event, announce
from app.core.ids import new_id
from app.core.money import Money, share
from app.stock.queries import Reserved, latest_costs

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('charge ' || :id, 0))")
CREDITED = text("""
    SELECT count(*) AS times, coalesce(-sum(net_minor), 0)::bigint AS net, coalesce(-sum(tax_minor), 0)::bigint AS tax,
           coalesce(-sum(cost_minor), 0)::bigint AS cost, coalesce(sum(quantity), 0)::bigint AS quantity
    FROM charge WHERE reverses = :id
""")


BEFORE = text("""
    SELECT c.pieces FROM charge c
    WHERE c.line = :line AND c.source <> :source AND c.reverses IS NULL AND c.gross_minor > coalesce(
        (SELECT -sum(r.gross_minor) FROM charge r WHERE r.reverses = c.id), 0)
    ORDER BY c.id
""").columns(Charge.pieces)


class Piece(Protocol):
    """Pieces of one layer with what they cost: a reservation, or a slice of an offer."""

    @property
    def value_minor(self) -> int: ...
    @property
    def quantity(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def rates(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The line that pieces are for, and whose it is."""

    request: str
    line: str
    customer: str
    contract: str | None = None
    device_serial: str | None = None
    area: str | None = None


def costs_of(pieces: Sequence[Piece]) -> list[Cost]:
    """Pieces as billing's rules see them."""
    return [Cost(one.value_minor, one.quantity, one.currency, dict(one.rates)) for one in pieces]


def quote(pieces: Sequence[Piece], terms: PriceTerms, *, provisional: bool = False) -> Price:
    """What pieces cost the customer (P1-P5); exact while they are held. Raises CurrencyMismatch."""
    price = price_by(terms, costs_of(pieces), provisional=provisional)
    if isinstance(price, NoRate):
        raise CurrencyMismatch(cost_currency=price.cost_currency, currency=price.currency)
    return price


async def asked_cost(db: AsyncConnection, *, part: str) -> Cost | None:
    """The latest cost of a part, for P4; None if it was never bought."""
    latest = (await latest_costs(db, parts=[part])).get(part)
    return Cost(latest.value_minor, latest.quantity, latest.currency, dict(latest.rates)) if latest else None


async def charge_pieces(
    db: AsyncConnection,
    *,
    actor: By,
    job: Job,
    pieces: Sequence[Reserved],
    terms: PriceTerms,
    source: str,
    verdict_id: str | None,
    now: datetime,
    occurred_at: datetime | None,
) -> tuple[str, Price, Money]:
    """Make the charge of `source`, or find it made before (T118). Gives its id, its price, and what the pieces cost."""
    earlier = (await db.execute(BEFORE, {"line": job.line, "source": source})).scalars().all()
    terms = replace(terms, before=tuple(msgspec.convert([one for made in earlier for one in made], list[Cost])))
    price = quote(pieces, terms)
    cost = total_cost(costs_of(pieces), terms.currency)
    if isinstance(cost, NoRate):
        raise CurrencyMismatch(cost_currency=cost.cost_currency, currency=cost.currency)
    row = _row(job, price, cost, now) | {
        "source": source,
        "reservations": [piece.id for piece in pieces],
        "part": pieces[0].part,
        "quantity": sum(piece.quantity for piece in pieces),
        "terms": msgspec.to_builtins(terms),
        "pieces": msgspec.to_builtins(costs_of(pieces)),
        "reasons": [reason_facts(reason) for reason in price.reasons],
        "verdict": verdict_id,
        "made_at": occurred_at or now,
        "made_by": actor.id,
        "period": await booking_period(db, occurred_at or now),
    }
    once = upsert(Charge).on_conflict_do_nothing(index_elements=["source"], index_where=text("reverses IS NULL"))
    made = await db.scalar(once.returning(Charge.id), row)
    if made is None:
        return str(await db.scalar(select(Charge.id).where(live(source)))), price, cost
    facts = {"request": job.request, "line": job.line, "price": _shown(price), "reservations": row["reservations"]}
    event = Event(type="charge.made", subject=made, customer=job.customer, area=job.area, data=facts)
    await announce(db, event, by=actor, now=now, occurred_at=occurred_at)
    return str(made), price, cost


def live(source: str) -> ColumnElement[bool]:
    return (Charge.source == source) & Charge.reverses.is_(None)


def _row(job: Job, price: Price, cost: Money, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id("chg", now),
        "request": job.request,
        "line": job.line,
        "customer": job.customer,
        "contract": job.contract,
        "device_serial": job.device_serial,
        "area": job.area,
        "currency": price.net.currency,
        "net_minor": price.net.minor,
        "tax_minor": price.tax.minor,
        "gross_minor": price.gross.minor,
        "cost_minor": cost.minor,
        "recorded_at": now,
    }


def reason_facts(reason: Reason) -> dict[str, Any]:
    """A reason as it is stored: it replays in any language."""
    return {"rule": reason.rule, "code": reason.code, "facts": dict(reason.facts)}


def _shown(price: Price) -> dict[str, str]:
    return {
        "amount": price.gross.amount,
        "currency": price.gross.currency,
        "net": price.net.amount,
        "tax": price.tax.amount,
    }


async def reverse_charge(
    db: AsyncConnection,
    *,
    actor: Actor,
    charge_id: str,
    reason: str,
    now: datetime,
    gross: Money | None = None,
    quantity: int = 0,
    occurred_at: datetime | None = None,
) -> str:
    """Credit a charge: `gross` of it, or (None) all that is left. Gives the credit's id; the charge stays as it was.

    Raises NoSuchCharge, IsCredit, CurrencyMismatch, OverCredited (also for the second of two at once, T124).
    """
    charge = await queries.charge_row(db, actor=actor, charge_id=charge_id)
    if charge.reverses is not None:
        raise IsCredit(charge=charge_id)
    if gross is not None and gross.currency != charge.currency:
        raise CurrencyMismatch(cost_currency=gross.currency, currency=charge.currency)
    if occurred_at is not None and occurred_at > now:
        raise InTheFuture(occurred_at=occurred_at.isoformat())
    await db.execute(ONE_AT_A_TIME, {"id": charge_id})
    before = (await db.execute(CREDITED, {"id": charge_id})).one()
    currency = charge.currency
    outcome = credit(
        net=Money(charge.net_minor, currency),
        tax=Money(charge.tax_minor, currency),
        credited_net=Money(before.net, currency),
        credited_tax=Money(before.tax, currency),
        gross=gross,
    )
    if isinstance(outcome, TooMuch):
        raise OverCredited(charge=charge_id, open=outcome.open.amount, currency=charge.currency)
    back = outcome.net.minor + outcome.tax.minor
    credited = before.net + before.tax + back
    row = _credit_row(charge, outcome.net.minor, outcome.tax.minor, now) | {
        "cost_minor": -_cost_back(charge, before, quantity, all_of_it=credited == charge.gross_minor),
        "quantity": quantity,
        "credit_number": before.times + 1,
        "credited_minor": credited,
        "reason": reason,
        "made_at": occurred_at or now,
        "made_by": actor.id,
        "period": await booking_period(db, occurred_at or now),
    }
    await db.execute(insert(Charge), row)
    facts = {
        "charge": charge_id,
        "reason": reason,
        "amount": Money(-back, currency).amount,
        "currency": charge.currency,
    }
    event = Event(type="charge.reversed", subject=row["id"], customer=charge.customer, area=charge.area, data=facts)
    await announce(db, event, by=actor, now=now, occurred_at=occurred_at)
    return str(row["id"])


def _credit_row(charge: Any, net: int, tax: int, now: datetime) -> dict[str, Any]:
    kept = ("request", "line", "reservations", "customer", "contract", "device_serial", "area", "part", "currency")
    return {name: getattr(charge, name) for name in (*kept, "terms", "pieces", "verdict")} | {
        "id": new_id("chg", now),
        "source": charge.source,
        "reverses": charge.id,
        "charged_minor": charge.gross_minor,
        "net_minor": -net,
        "tax_minor": -tax,
        "gross_minor": -net - tax,
        "reasons": [],
        "recorded_at": now,
    }


def _cost_back(charge: Any, before: Any, quantity: int, *, all_of_it: bool) -> int:
    """What the pieces that came back had cost; a credit for goodwill brings no pieces and no cost back."""
    left, pieces = charge.cost_minor - before.cost, charge.quantity - before.quantity
    if not quantity or pieces <= 0:
        return 0
    return left if all_of_it and quantity == pieces else share(left, pieces, min(quantity, pieces))
