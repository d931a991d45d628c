"""Lines that wait for stock: who gets what has come, decided for all of them at once by R2, whoever asked first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.rules.states import State
from app.fulfillment.service.resourcing import Sources, facts_of_line, sources_of
from app.routing.rules.sourcing import Ask, Choice, Shelf, choose_sources
from app.routing.solver.flow import assign_lines


def waiting(loaded: Loaded) -> list[Any]:
    """The lines of a request that have no source: those that gave way, and the lost that nothing followed."""
    followed = {line.replaces for line in loaded.lines}
    return [
        line
        for line in loaded.lines
        if line.state == State.WAITING.value or (line.state == State.LOST.value and line.id not in followed)
    ]


async def sources_for(
    db: AsyncConnection, *, actor: Actor, loaded: Loaded, line: Any, now: datetime
) -> tuple[Ask, Sources]:
    """What a line without a source asks, whole from one place, and where it could come from."""
    substitutes = loaded.row.accept_substitutes
    facts = await facts_of_line(db, actor=actor, loaded=loaded, line=line, substitutes=substitutes, now=now)
    sources = sources_of(facts, loaded=loaded, line=line, now=now)
    ask = Ask(
        line=line.id,
        quantity=line.quantity,
        kind=line.kind,
        due_s=int((line.due_at - now).total_seconds()),
        tier=sources.ways.tier,
        candidates=sources.candidates,
        allow_split=False,
    )
    return ask, sources


async def shelves_for(
    db: AsyncConnection, *, actor: Actor, requests: Sequence[str], now: datetime
) -> dict[str, dict[str, Shelf]]:
    """Of each request, the shelf that each line that waits takes from; nothing is held."""
    asks, of = [], {}
    for request in requests:
        loaded = await load(db, actor=actor, request_id=request)
        for line in waiting(loaded):
            ask, _ = await sources_for(db, actor=actor, loaded=loaded, line=line, now=now)
            asks.append(ask)
            of[line.id] = request
    found: dict[str, dict[str, Shelf]] = {}
    for line, shelf in divided(asks).items():
        found.setdefault(of[line], {})[line] = shelf
    return found


def divided(asks: Sequence[Ask]) -> dict[str, Shelf]:
    """Single pieces by R2 over all lines, exactly; then lines of several, the most urgent first, from what is left."""
    single = [one for one in asks if one.quantity == 1]
    found = {pick.line: pick.candidate.shelf for pick in assign_lines(single).picks}
    taken = Counter(found.values())
    for ask in sorted((one for one in asks if one.quantity > 1), key=lambda one: (one.tier, one.due_s, one.line)):
        left = [replace(one, free=one.free - taken[one.shelf]) for one in ask.candidates]
        choice = choose_sources([replace(ask, candidates=tuple(one for one in left if one.free > 0))])
        if isinstance(choice, Choice):
            found[ask.line] = choice.picks[0].candidate.shelf
            taken[found[ask.line]] += ask.quantity
    return found
