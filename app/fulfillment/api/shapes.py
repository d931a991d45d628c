"""From facts to the wire: requests, promises and plans as answers, with their sentences in the asker's language."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.accounts.rules import Actor
from app.core.errors import Reason
from app.core.http import ReasonOut, reason_out
from app.core.i18n import Language
from app.core.money import Money
from app.fulfillment import schemas
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.clocks import Clock
from app.fulfillment.rules.states import State, allowed_in
from app.stock.queries.holds import Reserved

COVERAGE = ("serial", "position", "on", "zone", "status", "first_day", "last_day", "restarted")


def reasons_of(plain: Sequence[Mapping[str, Any]], language: Language) -> list[ReasonOut]:
    """Stored reasons, told anew in any language (W11)."""
    return [reason_out(Reason(one["rule"], one["code"], one["facts"]), language) for one in plain]


def for_eyes(plain: Sequence[Mapping[str, Any]], actor: Actor) -> list[Mapping[str, Any]]:
    """Reasons without what this actor may not see: prices are not the warehouse's, costs finance's alone."""
    seen = [one for one in plain if actor.sees_price or not one["code"].startswith("price.")]
    if actor.sees_cost:
        return seen
    return [
        {**one, "facts": {name: fact for name, fact in one["facts"].items() if not name.endswith("_minor")}}
        for one in seen
    ]


def price_of(net: int, tax: int, currency: str) -> schemas.PriceOut:
    return schemas.PriceOut(
        amount=Money(net + tax, currency).amount,
        currency=currency,
        net=Money(net, currency).amount,
        tax=Money(tax, currency).amount,
    )


def request_out(loaded: Loaded, *, actor: Actor, language: Language, now: datetime) -> schemas.RequestOut:
    """A request as this actor may see it: the warehouse sees no price, cost is finance's and the admin's."""
    row = loaded.row
    running = [line for line in loaded.lines if line.state not in ("canceled", "lost")] or list(loaded.lines)
    lines = [line_out(loaded, line, actor=actor, language=language) for line in loaded.lines]
    first = min(running, key=lambda line: (line.due_at, line.n))
    net, tax = sum(line.net_minor for line in running), sum(line.tax_minor for line in running)
    ticket = None
    if row.ticket_number is not None:
        ticket = schemas.TicketOut(system=row.ticket_system, number=row.ticket_number, url=row.ticket_url)
    quotes = [one.expires_at for holds in loaded.reserved.values() for one in holds if one.expires_at]
    return schemas.RequestOut(
        id=row.id,
        state=row.state,
        priority=row.priority,
        device_serial=row.device_serial,
        model=row.model,
        customer=row.customer,
        contract=row.contract,
        site=row.site,
        area=row.area,
        failure=schemas.FailureOut(
            occurred_at=row.failed_at,
            cause=row.cause,
            system_stopped=row.system_stopped,
            found_on=row.found_on,
            description=row.description,
        ),
        received_at=row.received_at,
        accepted_at=row.accepted_at,
        appointment_at=row.appointment_at,
        entitlement=entitlement_of(loaded, running, language),
        price=price_of(net, tax, row.currency) if actor.sees_price else None,
        quote_expires_at=min(quotes, default=None),
        commitment=commitment_of(first, language),
        lines=lines,
        clocks=[clock_out(clock, now) for clock in loaded.clocks(now)],
        on_hold=row.on_hold,
        ticket=ticket,
        reasons=reasons_of(row.reasons, language),
        allowed=sorted({verb for line in running for verb in allowed_in(State(line.state))}),
        version=row.version,
    )


def entitlement_of(loaded: Loaded, lines: Sequence[Any], language: Language) -> schemas.EntitlementOut:
    """The verdict of the first line that is not covered, else of the first: what decides the price stands in front."""
    deciding = next((line for line in lines if not line.covered), lines[0])
    outcome = loaded.verdicts[deciding.verdict]
    return schemas.EntitlementOut(
        verdict=deciding.verdict if loaded.row.id else None,
        covered=outcome["covered"],
        coverage={name: outcome["coverage"][name] for name in COVERAGE},
        payer=outcome["payer"],
        provisional=outcome["provisional"],
        reasons=reasons_of(outcome["reasons"], language),
    )


def commitment_of(line: Any, language: Language) -> schemas.CommitmentOut:
    return schemas.CommitmentOut(
        kind=line.kind,
        accepted_at=line.committed_at,
        due_at=line.due_at,
        reasons=reasons_of(line.commitment_reasons, language),
    )


def line_out(loaded: Loaded, line: Any, *, actor: Actor, language: Language) -> schemas.LineOut:
    """One line, with the pieces reserved for it."""
    holds = loaded.reserved.get(line.id, ())
    live = [one for one in holds if one.state in ("held", "issued") and one.out] or list(holds)
    currency = loaded.row.currency
    return schemas.LineOut(
        id=line.id if loaded.row.id else None,
        state=line.state,
        part_number=line.part_number,
        supplied_part_number=line.supplied_part_number,
        quantity=line.quantity,
        position=line.position,
        source=line.source,
        lot=_joined(live, "lot"),
        serial=_joined(live, "serial"),
        mode=line.mode,
        eta=line.eta,
        price=price_of(line.net_minor, line.tax_minor, currency) if actor.sees_price else None,
        provisional=line.provisional,
        commitment=commitment_of(line, language),
        handover_at=line.handover_at,
        courier=line.courier,
        carrier=line.carrier,
        waybill=line.waybill,
        fitted_serial=line.fitted_serial,
        removed_serial=line.removed_serial,
        old_part=line.old_part,
        cost=_cost(live) if actor.sees_cost else None,
        reasons=reasons_of(for_eyes(line.sourcing["reasons"], actor), language),
        alternatives=[alternative_of(one, actor, language) for one in line.sourcing["alternatives"]],
        confirmed=line.confirmed,
    )


def alternative_of(one: Mapping[str, Any], actor: Actor, language: Language) -> schemas.AlternativeOut:
    """A way not taken as it was weighed then; what was stored before it was weighed in figures has none."""
    return schemas.AlternativeOut(
        place=one["place"],
        part_number=one["part_number"],
        reason=reasons_of(for_eyes([one["reason"]], actor), language)[0],
        eta=None if one.get("eta") is None else datetime.fromisoformat(one["eta"]),
        late_seconds=one.get("late_s"),
        hits_at_stake=one.get("hits"),
        cost_minor=one.get("cost_minor") if actor.sees_cost else None,
    )


def _joined(holds: Sequence[Reserved], name: str) -> str | None:
    return ", ".join(sorted({getattr(one, name) for one in holds if getattr(one, name)})) or None


def _cost(holds: Sequence[Reserved]) -> str | None:
    currencies = {one.currency for one in holds}
    if len(currencies) != 1:
        return None
    return Money(sum(one.value_minor for one in holds), currencies.pop()).amount


def clock_out(clock: Clock, now: datetime) -> schemas.ClockOut:
    return schemas.ClockOut(
        name=clock.name,
        line=clock.line,
        started_at=clock.started_at,
        due_at=clock.due_at,
        state=clock.state,
        seconds_left=clock.seconds_left(now),
    )
