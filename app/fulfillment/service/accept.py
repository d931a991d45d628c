"""Accepting a request: what was decided is written and its stock held, in one short transaction that re-checks."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.rules.pricing import consent_expires
from app.core.errors import FieldError
from app.core.events import Event, event_row
from app.core.http import constraint_of
from app.core.ids import new_id
from app.fulfillment.models import LostDemand
from app.fulfillment.queries.gather import LINKS, Asked, Facts, gather
from app.fulfillment.queries.region import tier_of
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import State, request_state
from app.fulfillment.schemas import RequestIn
from app.fulfillment.service.calling_off import ask_partners
from app.fulfillment.service.capping import check_holds
from app.fulfillment.service.decision import Decision, LineDecision, Wishes, decide, plain_alternatives, plain_reasons
from app.fulfillment.service.records import NewStep, Written, on_hold, step_rows, watch_row
from app.fulfillment.service.refusals import (
    DuplicateTicket,
    FactsMoved,
    FailureInFuture,
    NotEnough,
    PositionTakesOne,
    SerialOrSite,
)
from app.fulfillment.service.resourcing import LOCK_BALANCES
from app.fulfillment.service.writing import write_request
from app.routing.rules.sourcing import Choice, Shortage
from app.stock.queries.holds import Reserved
from app.stock.service.holds import Demand, reserve
from app.warranty.rules.inputs import Failure
from app.warranty.service import Given, basis_unchanged, give_verdict

OPEN_TICKET = text("""
    SELECT l.request FROM request_line l WHERE l.ticket_key = ANY(CAST(:keys AS text[]))
      AND l.part_number = ANY(CAST(:parts AS text[])) AND l.state NOT IN ('confirmed', 'canceled', 'lost') LIMIT 1
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A decision with the facts and the wish it answers: what a promise shows and a request writes."""

    asked: RequestIn
    received_at: datetime
    facts: Facts
    wishes: Wishes
    decision: Decision

    def chosen_anew(self, choice: Choice, *, now: datetime) -> "Proposal":
        """The same facts with a better choice of sources."""
        decided = decide(self.facts, self.wishes, now=now, choice=choice)
        return self if isinstance(decided, Shortage) else replace(self, decision=decided)


def check_asked(asked: RequestIn, *, now: datetime) -> datetime:
    """What the wire cannot check. Gives when the request was received (default now)."""
    received_at = asked.received_at or now
    errors = []
    if asked.failure.occurred_at > received_at:
        errors.append(FieldError("failure.occurred_at", "failure.in_the_future"))
    if received_at > now:
        errors.append(FieldError("received_at", "failure.in_the_future"))
    if errors:
        raise FailureInFuture(errors=errors)
    if asked.device_serial is None and (asked.site is None or asked.model is None):
        raise SerialOrSite(errors=[FieldError("device_serial", "device.needs_site_and_model")])
    for at, line in enumerate(asked.lines):
        if line.position is not None and line.quantity != 1:
            raise PositionTakesOne(errors=[FieldError(f"lines.{at}.quantity", "position.takes_one")])
    return received_at


async def propose(db: AsyncConnection, *, actor: Actor, asked: RequestIn, now: datetime) -> Proposal:
    """Gather and decide. Raises NotEnough when some line cannot be had whole anywhere."""
    received_at = check_asked(asked, now=now)
    failure = Failure(
        occurred_at=asked.failure.occurred_at,
        reported_at=received_at,
        cause=asked.failure.cause,
        system_stopped=asked.failure.system_stopped,
        found_on=asked.failure.found_on,
    )
    facts = await gather(
        db,
        actor=actor,
        serial=asked.device_serial,
        site=asked.site,
        model=asked.model,
        failure=failure,
        lines=[Asked(part_number=one.part_number, quantity=one.quantity, position=one.position) for one in asked.lines],
        accept_substitutes=asked.accept_substitutes,
        now=now,
    )
    await _refuse_duplicate(db, asked)  # after the facts: who may not see the device learns nothing of its tickets
    wishes = Wishes(
        tier=tier_of(asked.priority, asked.failure.found_on),
        received_at=received_at,
        appointment_at=asked.appointment_at,
        accept_substitutes=asked.accept_substitutes,
        allow_split=asked.allow_split,
    )
    decided = decide(facts, wishes, now=now)
    if isinstance(decided, Shortage):
        raise shortage(facts, decided)
    return Proposal(asked=asked, received_at=received_at, facts=facts, wishes=wishes, decision=decided)


async def propose_locked(db: AsyncConnection, *, actor: Actor, asked: RequestIn, now: datetime) -> Proposal:
    """The last round: the balances' rows are locked in sorted order, so that nothing free is refused as short."""
    parts = sorted({line.part_number for line in asked.lines})
    if asked.accept_substitutes:
        parts = sorted({*parts, *await _kin(db, parts)})
    await db.execute(LOCK_BALANCES, {"parts": parts})
    return await propose(db, actor=actor, asked=asked, now=now)


async def _kin(db: AsyncConnection, parts: list[str]) -> set[str]:
    rows = await db.execute(LINKS, {"parts": parts})
    return {number for row in rows for number in (row.from_part, row.to_part)}


def shortage(facts: Facts, short: Shortage) -> NotEnough:
    """The refusal with what is free where; the number is the sum over every place that could serve the line."""
    line = facts.lines[int(short.line)]
    asked = sum(one.quantity for one in facts.lines if one.part_number == line.part_number)
    free = [
        {"place": one.place, "part_number": one.part, "free": one.free}
        for one in facts.offers
        if one.part in {line.part_number, *line.substitutes}
    ]
    available = sum(int(str(one["free"])) for one in free)
    places = [str(one["place"]) for one in free]
    return NotEnough(
        available=available,
        requested=asked,
        part_number=line.part_number,
        place=places or None,
        free=free,
        expected_at=None,
    )


async def _refuse_duplicate(db: AsyncConnection, asked: RequestIn) -> None:
    key = ticket_key(asked)
    if key is None:
        return
    binds = {"keys": [key], "parts": sorted({line.part_number for line in asked.lines})}
    open_one = await db.scalar(OPEN_TICKET, binds)
    if open_one is not None:
        raise DuplicateTicket(request=open_one, ticket=asked.ticket.number if asked.ticket else None)


def ticket_key(asked: RequestIn) -> str | None:
    """What makes a request a duplicate, with the part: ticket system, number and device. None: no check."""
    if asked.ticket is None or asked.additional:
        return None
    device = asked.device_serial or f"{asked.site}/{asked.model}"
    return f"{asked.ticket.system}\x1f{asked.ticket.number}\x1f{device}"


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
