"""Accepting a request: what was proposed is written and its stock held, in one short transaction that re-checks."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.rules.pricing import consent_expires
from app.core.events import Event, event_row
from app.core.http import constraint_of
from app.core.ids import new_id
from app.fulfillment.models import LostDemand
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import State, request_state
from app.fulfillment.service.calling_off import ask_partners
from app.fulfillment.service.capping import check_holds
from app.fulfillment.service.decision import LineDecision, plain_alternatives, plain_reasons
from app.fulfillment.service.proposing import Proposal, ticket_key
from app.fulfillment.service.records import NewStep, Written, on_hold, step_rows, watch_row
from app.fulfillment.service.refusals import FactsMoved, NotEnough
from app.fulfillment.service.writing import write_request
from app.stock.queries.holds import Reserved
from app.stock.service.holds import Demand, reserve
from app.warranty.service import Given, basis_unchanged, give_verdict


async def accept(db: AsyncConnection, *, actor: Actor, proposal: Proposal, now: datetime) -> Loaded:
    """Write a proposal and hold its stock, last before the commit.

    Raises FactsMoved when a verdict no longer stands; OutOfStock and PriceMoved when the stock has moved; HoldsFull.
    """
    lines = proposal.decision.lines
    await check_holds(db, actor=actor, asked=sum(line.quantity for line in lines))
    if not await basis_unchanged(db, inputs=lines[0].inputs):
        raise FactsMoved
    request_id = new_id("req", now)
    verdicts = await _give(db, actor, proposal, request_id, now)
    rows = [
        line_row(proposal, request_id, number, line, verdicts[line.inputs.position].id, now)
        for number, line in enumerate(lines, 1)
    ]
    _key_once(rows)
    states = [State(row["state"]) for row in rows]
    request = request_row(proposal, request_id, request_state(states), actor.id, now)
    steps = [NewStep(verb="accepted")]
    steps += [
        NewStep(verb="held", line=row["id"], details={"reason": "price_consent"})
        for row in rows
        if row["state"] == State.AWAITING_CONSENT.value
    ]
    stepped = step_rows(actor=actor, request=request_id, steps=steps, occurred_at=now, now=now)
    written = [Written(row) for row in stepped]
    loaded = _loaded(request, rows, written, verdicts, {})
    watch, event = watch_row(loaded, written, now), event_row(_accepted(loaded), by=actor, now=now)
    try:
        await write_request(db, request=request, lines=rows, steps=stepped, watch=watch, event=event)
    except IntegrityError as broken:
        if constraint_of(broken) == "request_line_one_per_ticket":
            raise FactsMoved from broken  # another took the ticket meanwhile: the next round names it
        raise
    reported = [one for one in loaded.lines if one.confirmed is False]
    if reported:
        await ask_partners(db, actor=actor, request=loaded.row, lines=reported, now=now)
    reserved = await reserve(db, actor=actor, demand=_demand(rows, lines, now), now=now)
    return _loaded(request, rows, written, verdicts, _by_line(reserved))


def _key_once(rows: list[dict[str, Any]]) -> None:
    """One line per part carries the ticket's key: a split line, or two lines of one part, are no duplicates."""
    seen: set[str] = set()
    for row in rows:
        if row["part_number"] in seen:
            row["ticket_key"] = None
        seen.add(row["part_number"])


async def _give(
    db: AsyncConnection, actor: Actor, proposal: Proposal, request_id: str, now: datetime
) -> dict[str, Given]:
    """One stored verdict for each position that failed."""
    given: dict[str, Given] = {}
    for line in proposal.decision.lines:
        if line.inputs.position not in given:
            given[line.inputs.position] = await give_verdict(
                db,
                actor=actor,
                inputs=line.inputs,
                customer=line.asked.failure.devices[0].customer,
                subject=request_id,
                now=now,
            )
    return given


def line_row(
    proposal: Proposal, request_id: str, number: int, line: LineDecision, verdict: str, now: datetime
) -> dict[str, Any]:
    """A decided line as a row of `request_line`."""
    return {
        "id": new_id("lin", now),
        "request": request_id,
        "n": number,
        "state": (State.AWAITING_CONSENT if line.awaits_consent else State.ACCEPTED).value,
        "part_number": line.asked.part_number,
        "supplied_part_number": line.offer.part,
        "quantity": line.quantity,
        "position": line.asked.position if line.quantity == 1 and line.asked.positioned else None,
        "source": line.offer.place,
        "mode": line.way.mode,
        "eta": line.way.eta,
        "verdict": verdict,
        "covered": line.covered,
        "payer": line.payer,
        "net_minor": line.price.net.minor,
        "tax_minor": line.price.tax.minor,
        "gross_minor": line.price.gross.minor,
        "price_terms": msgspec.to_builtins(line.price_terms),
        "provisional": line.provisional,
        "kind": line.promise.kind,
        "committed_at": now,
        "due_at": line.promise.due_at.astimezone(UTC),
        "commitment_reasons": plain_reasons(line.promise.reasons),
        "sourcing": {
            "reasons": plain_reasons(line.reasons),
            "alternatives": plain_alternatives(line.alternatives, now),
        },
        "courier": None,
        "carrier": line.way.carrier,
        "waybill": None,
        "handover_at": line.way.handover_at,
        "fitted_serial": None,
        "removed_serial": None,
        "old_part": None,
        "replaces": None,
        "ticket_key": ticket_key(proposal.asked),
        "confirmed": False if line.provisional else None,
    }


def request_row(proposal: Proposal, request_id: str, state: State, by: str, now: datetime) -> dict[str, Any]:
    """A proposal as a row of `part_request`."""
    asked, device = proposal.asked, proposal.facts.lines[0].failure.devices[0]
    known = asked.device_serial is not None
    return {
        "id": request_id,
        "device_serial": asked.device_serial,
        "installation": device.installation if known else None,
        "model": device.model,
        "customer": device.customer,
        "contract": device.contract,
        "site": device.site,
        "area": device.area,
        "currency": proposal.facts.setting.currency,
        "state": state.value,
        "priority": asked.priority,
        "asked_priority": "emergency" if asked.failure.found_on == "opening" else asked.priority,
        "cause": asked.failure.cause,
        "system_stopped": asked.failure.system_stopped,
        "found_on": asked.failure.found_on,
        "description": asked.failure.description,
        "failed_at": asked.failure.occurred_at.astimezone(UTC),
        "received_at": proposal.received_at.astimezone(UTC),
        "accepted_at": now,
        "appointment_at": asked.appointment_at.astimezone(UTC) if asked.appointment_at else None,
        "accept_substitutes": asked.accept_substitutes,
        "allow_split": asked.allow_split,
        "ticket_system": asked.ticket.system if asked.ticket else None,
        "ticket_number": asked.ticket.number if asked.ticket else None,
        "ticket_url": asked.ticket.url if asked.ticket else None,
        "timing": proposal.facts.setting.terms["clocks"],
        "reasons": plain_reasons(proposal.decision.reasons),
        "created_by": by,
        "version": 1,
    }


def _demand(rows: list[dict[str, Any]], lines: tuple[LineDecision, ...], now: datetime) -> list[Demand]:
    """A charge must equal its quote to the cent; what is free to the customer may come from any layer (P5)."""
    return [
        Demand(
            reference=row["id"],
            place=line.offer.place,
            part=line.offer.part,
            quantity=line.quantity,
            expected_minor=None if line.covered else line.cost_minor,
            currency=None if line.covered else line.cost_currency,
            awaiting_consent=line.awaits_consent,
            expires_at=consent_expires(awaiting_consent=line.awaits_consent, now=now),
        )
        for row, line in zip(rows, lines, strict=True)
    ]


def _by_line(reserved: list[Reserved]) -> dict[str, tuple[Reserved, ...]]:
    found: dict[str, list[Reserved]] = {}
    for one in reserved:
        found.setdefault(one.reference, []).append(one)
    return {line: tuple(holds) for line, holds in found.items()}


def _loaded(
    request: dict[str, Any],
    rows: list[dict[str, Any]],
    steps: list[Any],
    verdicts: dict[str, Given],
    reserved: dict[str, tuple[Reserved, ...]],
) -> Loaded:
    """What was just written, as the queries would give it."""
    return Loaded(
        row=Written(request | {"on_hold": on_hold(steps, [row["id"] for row in rows])}),
        lines=tuple(Written(row) for row in rows),
        steps=tuple(steps),
        verdicts={one.id: one.outcome for one in verdicts.values()},
        reserved=reserved,
    )


def _accepted(loaded: Loaded) -> Event:
    """What is announced."""
    row = loaded.row
    told = {
        "state": row.state,
        "priority": row.priority,
        "device_serial": row.device_serial,
        "ticket": {"system": row.ticket_system, "number": row.ticket_number} if row.ticket_number else None,
        "lines": [
            {"id": line.id, "state": line.state, "part_number": line.part_number, "quantity": line.quantity,
             "source": line.source, "mode": line.mode, "eta": line.eta, "kind": line.kind, "due_at": line.due_at}
            for line in loaded.lines
        ],
    }  # fmt: skip
    return Event(
        type="part_request.accepted",
        subject=row.id,
        customer=row.customer,
        area=row.area,
        place=loaded.lines[0].source,
        data=told,
    )


async def record_lost_demand(db: AsyncConnection, *, refused: NotEnough, now: datetime) -> None:
    """What was refused for want of stock is worth knowing (IS10); written in a transaction of its own."""
    facts = refused.facts
    row = {
        "id": new_id("dem", now),
        "refused_at": now,
        "part": facts["part_number"],
        "quantity": facts["requested"],
        "available": facts["available"],
        "customer": None,
        "area": None,
    }
    await db.execute(insert(LostDemand), row)
