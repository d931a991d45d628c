"""A part lost on its way: the ledger takes it to the lost place, and a new source is found at once (S6b)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.rules.pricing import PriceTerms
from app.billing.service.charges import quote
from app.billing.service.costs import reverse_line
from app.core.http import Expected
from app.core.ids import new_id
from app.fulfillment import schemas
from app.fulfillment.models import RequestLine
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import State, Verb
from app.fulfillment.service.calling_off import ask_partners
from app.fulfillment.service.candidates import Way
from app.fulfillment.service.decision import plain_alternatives, plain_reasons
from app.fulfillment.service.frame import Frame, again, chosen_lines, open_frame
from app.fulfillment.service.records import SET_LINE, NewStep, Written, move
from app.fulfillment.service.resourcing import no_dearer, rehold
from app.fulfillment.service.waiting import sources_for, waiting
from app.routing.rules.sourcing import Ask, Choice, Pick, Shelf, choice_of, choose_sources, late_s
from app.stock.queries.offers import Offer
from app.stock.service import lose, reserve
from app.stock.service.holds import Demand


async def lose_line(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    body: schemas.StepIn,
    expected_version: Expected,
    now: datetime,
) -> Loaded:
    """The loss is ours: what was billed for the lost piece is taken back. The new line keeps commitment and price terms.

    Without stock anywhere the line stays lost and its step says so; the request then needs a plan (C7).
    """
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=body, expected_version=expected_version, now=now
    )
    lines = chosen_lines(frame, body, Verb.LOST)
    steps: list[NewStep] = []
    born: dict[str, State] = {}
    for line, to in lines:
        await db.execute(SET_LINE, {"id": line.id, "state": to.value})
        await lose(db, actor=actor, reference=line.id, now=now, note=body.note, occurred_at=frame.at)
        await reverse_line(db, actor=actor, line=line.id, reason="lost", now=now)
        successor = await _resource(frame, line)
        if successor is not None:
            born[successor] = State.ACCEPTED
        details = frame.details(replaced_by=successor, unsourced=True if successor is None else None)
        steps.append(NewStep(verb="lost", line=line.id, details=details))
    await move(
        db,
        actor=actor,
        loaded=frame.loaded,
        states={line.id: to for line, to in lines},
        steps=steps,
        event="lost",
        occurred_at=frame.at,
        now=now,
        born=born,
    )
    return await again(frame)


async def source_again(
    db: AsyncConnection, *, actor: Actor, request_id: str, shelves: Mapping[str, Shelf], now: datetime
) -> Loaded:
    """Take lines that were lost, or gave way, when nothing was free from these shelves now, as far as enough is free there."""
    frame = await open_frame(
        db, actor=actor, request_id=request_id, body=schemas.StepIn(), expected_version=None, now=now
    )
    steps: list[NewStep] = []
    born: dict[str, State] = {}
    held: dict[str, State] = {}
    for line in waiting(frame.loaded):
        if line.id not in shelves:
            continue
        if line.state == State.WAITING.value and (step := await _held_again(frame, line, shelves[line.id])) is not None:
            held[line.id] = State.ACCEPTED
            steps.append(step)
        if line.state == State.LOST.value:
            successor = await _resource(frame, line, shelves[line.id])
            if successor is not None:
                born[successor] = State.ACCEPTED
                steps.append(NewStep(verb="resourced", line=line.id, details={"replaced_by": successor}))
    if steps:
        await move(
            db,
            actor=actor,
            loaded=frame.loaded,
            states=held,
            steps=steps,
            event="resourced",
            occurred_at=now,
            now=now,
            born=born,
        )
    return await again(frame)


async def _held_again(frame: Frame, line: Any, shelf: Shelf) -> NewStep | None:
    """A line that waits for stock holds some again, if there is; promise and agreed price are as they were."""
    found = await _found(frame, line, shelf)
    if found is None:
        return None
    _, offer, way, choice = found
    await rehold(frame, line, offer, way, reasons=choice.reasons, alternatives=choice.alternatives)
    return NewStep(verb="resourced", line=line.id, details={"place": offer.place, "part_number": offer.part})


async def _resource(frame: Frame, line: Any, shelf: Shelf | None = None) -> str | None:
    """Find a new source for a lost line and hold the stock; gives the new line's id, None if nothing is free."""
    found = await _found(frame, line, shelf)
    return None if found is None else await _hold(frame, line, *found)


async def _found(frame: Frame, line: Any, shelf: Shelf | None) -> tuple[Pick, Offer, Way, Choice] | None:
    """The best of what is free for a line, or that shelf if enough is free there."""
    ask, sources = await sources_for(frame.db, actor=frame.actor, loaded=frame.loaded, line=line, now=frame.now)
    choice = choose_sources([ask]) if shelf is None else _from(ask, shelf)
    if not isinstance(choice, Choice):
        return None
    pick = choice.picks[0]
    return pick, *sources.found[pick.candidate.shelf], choice


def _from(ask: Ask, shelf: Shelf) -> Choice | None:
    """That shelf, with the reasons for it and the ways not taken; None where too little is free."""
    one = next((each for each in ask.candidates if each.shelf == shelf and each.free >= ask.quantity), None)
    if one is None:
        return None
    return choice_of([ask], [Pick(ask.line, one, ask.quantity, late_s(one, ask) or 0)], proven=True)


async def _hold(frame: Frame, line: Any, pick: Pick, offer: Offer, way: Way, choice: Choice) -> str:
    new = new_id("lin", frame.now)
    demand = Demand(reference=new, place=offer.place, part=offer.part, quantity=line.quantity)
    pieces = await reserve(frame.db, actor=frame.actor, demand=[demand], now=frame.now)
    terms = no_dearer(line, msgspec.convert(line.price_terms, PriceTerms))
    price = quote(pieces, terms, provisional=not offer.ours)
    kept = ("request", "part_number", "quantity", "position", "verdict", "covered", "payer", "kind", "committed_at",
            "due_at", "commitment_reasons", "ticket_key")  # fmt: skip
    row = {name: getattr(line, name) for name in kept} | {
        "id": new,
        "n": max(one.n for one in frame.loaded.lines) + 1,
        "state": State.ACCEPTED.value,
        "supplied_part_number": offer.part,
        "source": offer.place,
        "mode": way.mode,
        "eta": way.eta,
        "carrier": way.carrier,
        "handover_at": way.handover_at,
        "net_minor": price.net.minor,
        "tax_minor": price.tax.minor,
        "gross_minor": price.gross.minor,
        "provisional": not offer.ours,
        "price_terms": msgspec.to_builtins(terms),
        "sourcing": {
            "reasons": plain_reasons(choice.reasons),
            "alternatives": plain_alternatives(choice.alternatives, frame.now),
        },
        "replaces": line.id,
        "confirmed": None if offer.ours else False,
    }
    await frame.db.execute(insert(RequestLine), row)
    if not offer.ours:
        await ask_partners(frame.db, actor=frame.actor, request=frame.loaded.row, lines=[Written(row)], now=frame.now)
    return new
