"""Doors to charges, borne costs and recoveries. Charges themselves are made by the pick, never here."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION, Actor
from app.billing import queries, service
from app.billing.schemas import (
    AcceptIn,
    BorneListOut,
    ChargeOut,
    ChargesOut,
    FileIn,
    PeriodOut,
    PeriodsOut,
    PriceOut,
    RecoveriesOut,
    RecoveryOut,
    RecoveryReportOut,
    RejectIn,
    ReverseIn,
    SettleIn,
)
from app.core.errors import FieldError, Reason, Unprocessable
from app.core.http import reasons_out
from app.core.i18n import Language
from app.core.money import Money, of_amount
from app.core.types import MoneyOut


class BadAmount(Unprocessable):
    """More decimal places than the currency has."""

    code = "amount.bad"


def charge_out(row: Any, *, actor: Actor, language: Language) -> ChargeOut:
    """A charge as this asker may see it: the customer's price and why, and for finance what it cost."""
    cost = Money(row.cost_minor, row.currency)
    reasons = [Reason(**reason) for reason in row.reasons]
    return ChargeOut(
        id=row.id,
        request=row.request,
        line=row.line,
        customer=row.customer,
        contract=row.contract,
        device_serial=row.device_serial,
        part_number=row.part,
        quantity=row.quantity,
        price=PriceOut(
            amount=Money(row.gross_minor, row.currency).amount,
            currency=row.currency,
            net=Money(row.net_minor, row.currency).amount,
            tax=Money(row.tax_minor, row.currency).amount,
        ),
        cost=MoneyOut(amount=cost.amount, currency=cost.currency) if actor.sees_cost else None,
        reasons=reasons_out(reasons, language),
        verdict=row.verdict,
        reverses=row.reverses,
        reason=row.reason,
        period=f"{row.period:%Y-%m}",
        made_at=row.made_at,
    )


@get("/v1/charges", opt=allow(ADMIN, FINANCE, DISPATCHER, ENGINEER, INTEGRATION))
async def list_charges(
    call: NamedDependency[Call],
    customer: FromQuery[str | None] = None,
    contract: FromQuery[str | None] = None,
    of_request: Annotated[str | None, QueryParameter(name="request")] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> ChargesOut:
    """Charges and credits, newest first."""
    page = await call.read(
        lambda db: queries.charges(
            db, actor=call.actor, customer=customer, contract=contract, request=of_request, cursor=cursor, limit=limit
        )
    )
    return ChargesOut(
        items=[charge_out(row, actor=call.actor, language=call.language) for row in page.rows], next=page.next
    )


@get("/v1/charges/{charge_id:str}", opt=allow(ADMIN, FINANCE, DISPATCHER, ENGINEER, INTEGRATION))
async def show_charge(charge_id: FromPath[str], call: NamedDependency[Call]) -> ChargeOut:
    """One charge or credit."""
    row = await call.read(lambda db: queries.charge_row(db, actor=call.actor, charge_id=charge_id))
    return charge_out(row, actor=call.actor, language=call.language)


@post("/v1/charges/{charge_id:str}/reverse", status_code=200, opt=allow(ADMIN, FINANCE))
async def reverse_charge(
    charge_id: FromPath[str], data: JSONBody[ReverseIn], call: NamedDependency[Call]
) -> Response[ChargeOut]:
    """Credit a charge, whole or in part, with a reason. Gives the credit."""
    gross = None
    if data.amount is not None:
        try:
            gross = of_amount(data.amount.amount, data.amount.currency)
        except ValueError as wrong:
            raise BadAmount(errors=[FieldError("amount.amount", "amount.bad")]) from wrong
        if gross.minor == 0:
            raise BadAmount(errors=[FieldError("amount.amount", "amount.bad")])

    async def reverse(db: AsyncConnection) -> ChargeOut:
        credit = await service.reverse_charge(
            db,
            actor=call.actor,
            charge_id=charge_id,
            reason=data.reason,
            gross=gross,
            now=call.now,
            occurred_at=data.occurred_at,
        )
        row = await queries.charge_row(db, actor=call.actor, charge_id=credit)
        return charge_out(row, actor=call.actor, language=call.language)

    return await call.write(200, reverse)


@get("/v1/borne-costs", opt=allow(ADMIN, FINANCE))
async def list_borne_costs(
    call: NamedDependency[Call],
    of_request: Annotated[str | None, QueryParameter(name="request")] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> BorneListOut:
    """What jobs cost the company, by payer."""
    return await call.read(
        lambda db: queries.borne_costs(db, actor=call.actor, request=of_request, cursor=cursor, limit=limit)
    )


@get("/v1/recoveries", opt=allow(ADMIN, FINANCE))
async def list_recoveries(
    call: NamedDependency[Call],
    wanted: Annotated[str | None, QueryParameter(name="state")] = None,
    payer: FromQuery[str | None] = None,
    of_request: Annotated[str | None, QueryParameter(name="request")] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> RecoveriesOut:
    """Claims on OEMs, newest first."""
    return await call.read(
        lambda db: queries.recoveries(
            db,
            actor=call.actor,
            now=call.now,
            state=wanted,
            payer=payer,
            request=of_request,
            cursor=cursor,
            limit=limit,
        )
    )


@get("/v1/reports/recoveries", opt=allow(ADMIN, FINANCE))
async def report_recoveries(call: NamedDependency[Call]) -> RecoveryReportOut:
    """Ageing and leak of claims, by payer and state."""
    return await call.read(lambda db: queries.recovery_report(db, actor=call.actor, now=call.now))


@get("/v1/recoveries/{recovery_id:str}", opt=allow(ADMIN, FINANCE))
async def show_recovery(recovery_id: FromPath[str], call: NamedDependency[Call]) -> RecoveryOut:
    """One claim with its evidence."""
    return await call.read(lambda db: queries.recovery(db, actor=call.actor, recovery_id=recovery_id, now=call.now))


@post("/v1/recoveries/{recovery_id:str}/file", status_code=200, opt=allow(ADMIN, FINANCE))
async def file_recovery(
    recovery_id: FromPath[str], data: JSONBody[FileIn], call: NamedDependency[Call]
) -> Response[RecoveryOut]:
    """Send the claim to its payer."""
    return await call.write(
        200,
        lambda db: service.file_recovery(
            db, actor=call.actor, recovery_id=recovery_id, filed=data, if_match=call.if_match, now=call.now
        ),
    )


@post("/v1/recoveries/{recovery_id:str}/accept", status_code=200, opt=allow(ADMIN, FINANCE))
async def accept_recovery(
    recovery_id: FromPath[str], data: JSONBody[AcceptIn], call: NamedDependency[Call]
) -> Response[RecoveryOut]:
    """The payer agrees to pay."""
    return await call.write(
        200,
        lambda db: service.accept_recovery(
            db, actor=call.actor, recovery_id=recovery_id, accepted=data, if_match=call.if_match, now=call.now
        ),
    )


@post("/v1/recoveries/{recovery_id:str}/reject", status_code=200, opt=allow(ADMIN, FINANCE))
async def reject_recovery(
    recovery_id: FromPath[str], data: JSONBody[RejectIn], call: NamedDependency[Call]
) -> Response[RecoveryOut]:
    """The payer refuses; the cost moves to us."""
    return await call.write(
        200,
        lambda db: service.reject_recovery(
            db, actor=call.actor, recovery_id=recovery_id, rejected=data, if_match=call.if_match, now=call.now
        ),
    )


@post("/v1/recoveries/{recovery_id:str}/settle", status_code=200, opt=allow(ADMIN, FINANCE))
async def settle_recovery(
    recovery_id: FromPath[str], data: JSONBody[SettleIn], call: NamedDependency[Call]
) -> Response[RecoveryOut]:
    """Money or a replacement came; what is missing moves to us."""
    return await call.write(
        200,
        lambda db: service.settle_recovery(
            db, actor=call.actor, recovery_id=recovery_id, settled=data, if_match=call.if_match, now=call.now
        ),
    )


@get("/v1/periods", opt=allow(ADMIN, FINANCE))
async def list_periods(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> PeriodsOut:
    """Accounting months with what their entries add up to, newest first."""
    return await call.read(lambda db: queries.periods(db, actor=call.actor, cursor=cursor, limit=limit))


@post("/v1/periods/{period:str}/close", status_code=200, opt=allow(ADMIN, FINANCE))
async def close_period(period: FromPath[str], call: NamedDependency[Call]) -> Response[PeriodOut]:
    """Close a month that is over (`2026-10`): later entries go into the next open one."""
    return await call.write(200, lambda db: service.close_period(db, actor=call.actor, period=period, now=call.now))


HANDLERS = [
    list_charges,
    show_charge,
    reverse_charge,
    list_borne_costs,
    list_recoveries,
    report_recoveries,
    show_recovery,
    file_recovery,
    accept_recovery,
    reject_recovery,
    settle_recovery,
    list_periods,
    close_period,
]
