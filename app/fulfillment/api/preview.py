"""Door to a verdict that nobody has asked parts for: nothing is stored."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION
from app.billing.rules.pricing import Cost, Payer, PriceTerms, price_by
from app.core.errors import FieldError
from app.core.money import Money, rounded
from app.fulfillment import schemas
from app.fulfillment.api.shapes import COVERAGE, price_of, reasons_of
from app.fulfillment.queries.gather import setting_of
from app.fulfillment.service.refusals import FailureInFuture
from app.stock.queries.lookups import LatestCost, latest_costs
from app.warranty.queries import failure_facts
from app.warranty.rules.inputs import Failure
from app.warranty.rules.verdict import Covered, NotCovered, outcome
from app.warranty.service import judge


@post("/v1/verdicts/preview", status_code=200, opt=allow(ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION))
async def preview(data: JSONBody[schemas.PreviewIn], call: NamedDependency[Call]) -> schemas.PreviewOut:
    """Is it covered, by what, who pays, what would restart, and at what price by the latest purchase."""
    if data.occurred_at > call.now:
        raise FailureInFuture(errors=[FieldError("occurred_at", "failure.in_the_future")])
    return await call.read(lambda db: _preview(db, data, call, call.now))


async def _preview(db: AsyncConnection, data: schemas.PreviewIn, call: Call, now: datetime) -> schemas.PreviewOut:
    failure = Failure(
        occurred_at=data.occurred_at,
        reported_at=now,
        cause=data.cause,
        system_stopped=data.system_stopped,
        found_on=data.found_on,
    )
    facts = await failure_facts(
        db,
        actor=call.actor,
        failure=failure,
        serial=data.device_serial,
        part_number=data.part_number,
        position=data.position,
    )
    verdict = judge(facts.inputs)
    plain = outcome(verdict, facts.inputs)
    device = facts.devices[0]
    setting = await setting_of(
        db, contract=device.contract, site=device.site, day=now.astimezone(ZoneInfo(device.zone)).date()
    )
    frozen = facts.inputs.candidates[0].installation.position(facts.inputs.position)
    part = data.part_number or (frozen.part_number if frozen else None)
    latest = (await latest_costs(db, parts=[part])).get(part) if part else None
    price, borne = _money(verdict, latest, setting.currency, setting.terms["tax_rate"])
    return schemas.PreviewOut(
        covered=plain["covered"],
        coverage={name: plain["coverage"][name] for name in COVERAGE},
        payer=plain["payer"],
        price=price,
        borne_cost=borne if call.actor.sees_cost else None,
        restart_if_confirmed=plain["restart_if_confirmed"],
        provisional=plain["provisional"],
        reasons=reasons_of(plain["reasons"], call.language),
    )


def _money(
    verdict: Covered | NotCovered, latest: LatestCost | None, currency: str, tax_rate: str
) -> tuple[schemas.PriceOut | None, schemas.PriceOut | None]:
    """Price and borne cost by the latest purchase: what would really be paid depends on the piece that is held."""
    covered = isinstance(verdict, Covered)
    if latest is None:
        return (price_of(0, 0, currency) if covered else None), None
    cost = Cost(latest.value_minor, latest.quantity, latest.currency, latest.rates)
    one = Cost(rounded(Decimal(latest.value_minor) / latest.quantity), 1, cost.currency, cost.rates)
    terms = PriceTerms(
        covered=covered,
        currency=currency,
        payer=Payer(verdict.payer) if isinstance(verdict, Covered) else None,
        tax_rate=tax_rate,
        within_warranty=isinstance(verdict, NotCovered) and verdict.price_rule == "P3",
    )
    price = price_by(terms, [one])
    net = getattr(price, "net", None)
    shown = price_of(net.minor, price.tax.minor, currency) if isinstance(net, Money) else None  # type: ignore[union-attr]
    return shown, price_of(one.value_minor if covered else 0, 0, latest.currency)


HANDLERS = [preview]
