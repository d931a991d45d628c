"""One charge: what it is made of and why, its credits, and crediting it, with the consequence said first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.billing import queries, service
from app.billing.models import Charge
from app.billing.schemas import ReverseIn
from app.core.errors import FieldError, Reason
from app.core.http import BadFields, reasons_out
from app.core.money import Money, of_amount
from app.web.finance.words import CHARGE, MONEY_ROLES
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.tables.shown import at, grouped, zone_name

CREDITS = text("SELECT * FROM charge WHERE reverses = :id ORDER BY credit_number").columns(*Charge.__table__.columns)
CONTEXT = text("""
    SELECT c.name AS customer_name, s.timezone, coalesce(r.ticket_number, right(r.id, 8)) AS request_label
    FROM charge h JOIN customer c ON c.code = h.customer LEFT JOIN part_request r ON r.id = h.request
    LEFT JOIN site s ON s.code = r.site WHERE h.id = :id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A credit on a charge, or the charge itself, as one entry of its history."""

    id: str
    amount: str
    reason: str
    at: str
    by: str
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeView:
    """A charge as the page shows it; `open` is what can still be credited (empty: nothing)."""

    id: str
    kind: str
    customer: str
    customer_name: str
    contract: str | None
    request: str
    request_label: str
    device: str | None
    part: str
    quantity: int
    currency: str
    net: str
    tax: str
    gross: str
    cost: str
    verdict: str | None
    reverses: str | None
    reason: str | None
    reasons: tuple[str, ...]
    made_at: str
    zone: str
    period: str
    history: tuple[Credit, ...]
    open: str
    open_amount: str


@get("/finance/charges/{charge_id:str}", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_charge(
    charge_id: FromPath[str],
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    call: NamedDependency[Call],
) -> Response[str]:
    """One charge or credit."""

    async def ask(db: AsyncConnection) -> tuple[Any, Any, Sequence[Any]]:
        row = await queries.charge_row(db, actor=call.actor, charge_id=charge_id)
        context = (await db.execute(CONTEXT, {"id": charge_id})).one()
        return row, context, (await db.execute(CREDITS, {"id": charge_id})).all()

    row, context, back = await call.read(ask)
    view = charge_view(row, context, back, Words(language_of(request)))
    return page(request, "finance/charge.html", who=who, charge=view)


@post("/finance/charges/{charge_id:str}/reverse", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def reverse(
    charge_id: FromPath[str], request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Credit a charge, whole or in part."""
    sent, amount = form.into(ReverseIn, amount=None), form.text("amount")

    async def verb(db: AsyncConnection) -> list[str]:
        row = await queries.charge_row(db, actor=call.actor, charge_id=charge_id)
        gross = None if amount is None else amount_of(amount, row.currency)
        credit = await service.reverse_charge(
            db, actor=call.actor, charge_id=charge_id, reason=sent.reason, gross=gross, now=call.now
        )
        made = await queries.charge_row(db, actor=call.actor, charge_id=credit)
        return [grouped(-made.gross_minor, made.currency), made.currency, made.customer]

    credited, currency, customer = await call.act(verb, list[str])
    say = Words(language_of(request))
    told = say("{amount} {currency} credited to {customer}.", amount=credited, currency=currency, customer=customer)
    return see_other(f"/finance/charges/{charge_id}", request, say=told)


def amount_of(given: str, currency: str, *, least: int = 1) -> Money:
    """What a person typed as an amount, of at least so many minor units; thousands may stand apart. Raises BadFields."""
    try:
        money = of_amount(given.replace(",", "").replace("，", "").strip(), currency)
    except (ValueError, ArithmeticError) as wrong:
        raise BadFields(errors=[FieldError("amount", "amount.bad")]) from wrong
    if money.minor < least or money.minor >= 1 << 53:
        raise BadFields(errors=[FieldError("amount", "amount.bad")])
    return money


def charge_view(row: Any, context: Any, back: Sequence[Any], say: Words) -> ChargeView:
    zone = context.timezone or "UTC"
    left = 0 if row.reverses else row.gross_minor + sum(one.gross_minor for one in back)
    state = "credit" if row.reverses else "charge" if not back else "credited" if not left else "partly"
    reasons = [Reason(one["rule"], one["code"], one["facts"]) for one in row.reasons]
    return ChargeView(
        id=row.id,
        kind=say(CHARGE[state]),
        customer=row.customer,
        customer_name=context.customer_name,
        contract=row.contract,
        request=row.request,
        request_label=context.request_label or row.request,
        device=row.device_serial,
        part=row.part,
        quantity=row.quantity,
        currency=row.currency,
        net=grouped(row.net_minor, row.currency),
        tax=grouped(row.tax_minor, row.currency),
        gross=grouped(row.gross_minor, row.currency),
        cost=grouped(row.cost_minor, row.currency),
        verdict=row.verdict,
        reverses=row.reverses,
        reason=row.reason,
        reasons=tuple(one.text for one in reasons_out(reasons, say.language)),
        made_at=at(row.made_at, zone),
        zone=zone_name(row.made_at, zone),
        period=f"{row.period:%Y-%m}",
        history=tuple(
            Credit(
                id=one.id,
                amount=grouped(one.gross_minor, one.currency),
                reason=one.reason,
                at=at(one.made_at, zone),
                by=one.made_by,
                period=f"{one.period:%Y-%m}",
            )
            for one in back
        ),
        open=grouped(left, row.currency) if left > 0 else "",
        open_amount=Money(left, row.currency).amount,
    )


HANDLERS = [show_charge, reverse]
