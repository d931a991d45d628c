"""Another source for a line that is still on the shelf: what there is, and moving the hold there. The promise stays (C3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.rules.pricing import Cost, PriceTerms
from app.billing.service.charges import quote
from app.core.errors import Reason
from app.core.http import Expected
from app.fulfillment.queries.gather import Asked, Facts, gather
from app.fulfillment.queries.region import tier_of
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import HELD, State, allowed_in
from app.fulfillment.schemas.steering import SourceIn
from app.fulfillment.service.calling_off import ask_partners, withdraw
from app.fulfillment.service.candidates import Way, Ways, candidate_of, ways_of
from app.fulfillment.service.decision import plain_alternatives, plain_reasons
from app.fulfillment.service.frame import Frame, again, open_frame
from app.fulfillment.service.records import NewStep, Written, move
from app.fulfillment.service.refusals import NoSuchLine, NothingThere, SubstituteNeedsWord, VerbNotNow
from app.routing.rules.sourcing import Alternative, Candidate
from app.stock.queries.offers import Offer
from app.stock.service import release, reserve
from app.stock.service.holds import Demand
from app.warranty.rules.inputs import Failure

Shelf = tuple[str, str]
LOCK_BALANCES = text("""
    SELECT place FROM stock_balance WHERE part = ANY(CAST(:parts AS text[])) AND condition = 'new' AND genuine
    ORDER BY place, part FOR UPDATE
""")
MOVE = text("""
    UPDATE request_line SET source = :source, supplied_part_number = :part, mode = :mode, eta = :eta, carrier = :carrier,
        handover_at = :handover_at, provisional = :provisional, net_minor = :net, tax_minor = :tax, gross_minor = :gross,
        price_terms = CAST(:terms AS jsonb), sourcing = CAST(:sourcing AS jsonb), confirmed = CAST(:confirmed AS boolean)
    WHERE id = :id
""")
UNPIN = text("DELETE FROM plan_pin WHERE line = :line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Every place with free pieces for a line, by place and part: the offer, the way from there, how it weighs."""

    ways: Ways
    found: Mapping[Shelf, tuple[Offer, Way]]
    candidates: tuple[Candidate, ...]


async def facts_of_line(
    db: AsyncConnection,
    *,
    actor: Actor,
    loaded: Loaded,
    line: Any,
    substitutes: bool,
    now: datetime,
    freed: Sequence[str] = (),
) -> Facts:
    """What a new decision on this one line rests on, as of now; what the lines in `freed` hold counts as free."""
    row = loaded.row
    failure = Failure(
        occurred_at=row.failed_at,
        reported_at=row.received_at,
        cause=row.cause,
        system_stopped=row.system_stopped,
        found_on=row.found_on,
    )
    return await gather(
        db,
        actor=actor,
        serial=row.device_serial,
        site=row.site,
        model=row.model,
        failure=failure,
        lines=[Asked(part_number=line.part_number, quantity=line.quantity, position=line.position)],
        accept_substitutes=substitutes,
        now=now,
        freed=freed,
    )


def sources_of(facts: Facts, *, loaded: Loaded, line: Any, now: datetime) -> Sources:
    """The ways from each place, the line itself taken out of the plan it may be in."""
    row = loaded.row
    if facts.region is not None:
        others = tuple(one for one in facts.region.lines if one.id != line.id)
        facts = replace(facts, region=replace(facts.region, lines=others))
    ways = ways_of(facts, now=now, tier=tier_of(row.priority, row.found_on), appointment_at=row.appointment_at)
    found: dict[Shelf, tuple[Offer, Way]] = {}
    candidates = []
    for offer in facts.offers:
        way = ways.of(offer, due_at=line.due_at, quantity=line.quantity, kind=line.kind)
        found[offer.place, offer.part] = (offer, way)
        local = offer.ours and offer.place in facts.setting.sources
        candidates.append(
            candidate_of(offer, way, asked_part=line.part_number, local=local, quantity=line.quantity, now=now)
        )
    return Sources(ways=ways, found=found, candidates=tuple(candidates))


async def resource(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: SourceIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """Take a line from another place, or its substitute (R1, P4): the old hold ends and the new one begins in one
    transaction; commitment and due stay (IK7), and the customer pays no more than was agreed.

    Raises NothingThere where too little is free, SubstituteNeedsWord for a substitute the customer did not accept.
    """
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    line = _held_line(frame, body)
    part = body.part_number or line.part_number
    if part != line.part_number and not (frame.loaded.row.accept_substitutes or body.customer_agreed):
        raise SubstituteNeedsWord(part_number=part)
    await db.execute(LOCK_BALANCES, {"parts": sorted({part, line.supplied_part_number})})
    facts = await facts_of_line(db, actor=actor, loaded=frame.loaded, line=line, substitutes=True, now=now)
    sources = sources_of(facts, loaded=frame.loaded, line=line, now=now)
    offer, way = sources.found.get((body.place, part), (None, None))
    same = (line.source, line.supplied_part_number) == (body.place, part)
    if offer is None or way is None or offer.free < line.quantity or same:
        raise NothingThere(place=body.place, part_number=part, available=0 if offer is None else offer.free)
    reason = Reason("R1", "routing.source_moved", {"place": offer.place, "before": line.source, "part": offer.part})
    await rehold(frame, line, offer, way, reasons=(reason,))
    step = NewStep(
        verb="resourced",
        line=line.id,
        details=frame.details(place=offer.place, before=line.source, part_number=offer.part),
    )
    await move(
        db, actor=actor, loaded=frame.loaded, states={}, steps=[step], event="resourced", occurred_at=frame.at, now=now
    )
    return await again(frame)


def _held_line(frame: Frame, body: SourceIn) -> Any:
    """The one line meant: the named one, else the only one that is still on the shelf."""
    wanted = {one.id for one in body.lines or ()}
    mine = [one for one in frame.loaded.lines if frame.actor.may_see_place(one.source)]
    held = [one for one in mine if State(one.state) in HELD]
    lines = [one for one in mine if one.id in wanted] if wanted else held or mine[:1]
    if len(lines) != 1:
        raise NoSuchLine(line=next(iter(sorted(wanted)), None))
    state = State(lines[0].state)
    if state not in HELD or begun(frame.loaded, lines[0]):
        raise VerbNotNow(verb="source", state=state.value, allowed=allowed_in(state), line=lines[0].id)
    return lines[0]


def begun(loaded: Loaded, line: Any) -> bool:
    """Whether some of a line's pieces were picked already, serial by serial."""
    return any(one.state == "issued" and one.out for one in loaded.reserved.get(line.id, ()))


async def rehold(
    frame: Frame,
    line: Any,
    offer: Offer,
    way: Way,
    *,
    reasons: tuple[Reason, ...],
    alternatives: tuple[Alternative, ...] = (),
) -> None:
    """End the hold, hold the same number elsewhere, and write where the line comes from now; who only reports its stock
    is asked to confirm it, and who was asked before need not answer."""
    held = [one for one in frame.loaded.reserved.get(line.id, ()) if one.state == "held"]
    await release(frame.db, actor=frame.actor, now=frame.now, references=[line.id])
    demand = Demand(
        reference=line.id,
        place=offer.place,
        part=offer.part,
        quantity=line.quantity,
        awaiting_consent=any(one.awaiting_consent for one in held),
        expires_at=min((one.expires_at for one in held if one.expires_at), default=None),
    )
    pieces = await reserve(frame.db, actor=frame.actor, demand=[demand], now=frame.now)
    terms = no_dearer(line, msgspec.convert(line.price_terms, PriceTerms))
    price = quote(pieces, terms, provisional=not offer.ours)
    sourcing = {"reasons": plain_reasons(reasons), "alternatives": plain_alternatives(alternatives, frame.now)}
    values = {
        "id": line.id,
        "source": offer.place,
        "part": offer.part,
        "mode": way.mode,
        "eta": way.eta,
        "carrier": way.carrier,
        "handover_at": way.handover_at,
        "provisional": not offer.ours,
        "confirmed": None if offer.ours else False,
        "net": price.net.minor,
        "tax": price.tax.minor,
        "gross": price.gross.minor,
        "terms": msgspec.json.encode(terms).decode(),
        "sourcing": msgspec.json.encode(sourcing).decode(),
    }
    await frame.db.execute(MOVE, values)
    if way.mode != "courier":
        await frame.db.execute(UNPIN, {"line": line.id})
    request = frame.loaded.row
    if line.confirmed is not None:
        await withdraw(frame.db, actor=frame.actor, request=request, lines=[line.id], now=frame.now)
    if not offer.ours:
        moved = Written(
            {"id": line.id, "source": offer.place, "supplied_part_number": offer.part, "quantity": line.quantity}
        )
        await ask_partners(frame.db, actor=frame.actor, request=request, lines=[moved], now=frame.now)


def no_dearer(line: Any, terms: PriceTerms) -> PriceTerms:
    """A new source is not the customer's doing: the new piece costs at most what was agreed for the old one (P5).

    Said as P4 says it, the lower of two costs; what the new piece costs more is ours.
    """
    if terms.covered:
        return terms
    agreed = Cost(line.net_minor, line.quantity, terms.currency)
    return replace(terms, substitute=True, asked=agreed)
