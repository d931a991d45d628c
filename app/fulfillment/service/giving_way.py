"""Who gives way to whom (S3b): the asker and the lines below it as orders that compete for the shelves, and what comes of it.

Read here, divided by the solver in between, and told here; `displacing` writes it. Nothing is held or written.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor, duty_actor
from app.core.errors import Reason
from app.fulfillment.queries.holders import Holder, holders
from app.fulfillment.queries.region import tier_of
from app.fulfillment.queries.requests import load
from app.fulfillment.schemas import RequestIn
from app.fulfillment.service.proposing import Giving, Proposal, propose
from app.fulfillment.service.refusals import NotEnough
from app.fulfillment.service.resourcing import Sources, facts_of_line, sources_of
from app.routing.rules.problem import GENERAL
from app.routing.rules.sourcing import Ask, Candidate, Choice, Pick, Shelf, choose_sources, late_s

MOST = 6
"""Lines that are asked to give way at once [house]: each is looked at as if it were sourced anew."""
MOST_TRIES = 20
DUTY = duty_actor("give_way")
Picks = Sequence[tuple[Pick, ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Giver:
    """A line that might give way, and where else its pieces could come from."""

    holder: Holder
    kind: str
    sources: Sources

    @property
    def shelf(self) -> Shelf:
        return self.holder.place, self.holder.part

    @property
    def due_s(self) -> int:
        return int((self.holder.due_at - self.sources.ways.now).total_seconds())

    def elsewhere(self, *, in_time: bool) -> tuple[Candidate, ...]:
        """The other shelves with enough free pieces; those that keep its promise, if asked. Substitutes only where the asked
        part does not keep it (P4)."""
        ask = Ask(line=self.holder.line, quantity=self.holder.quantity, kind=self.kind, due_s=self.due_s)
        others = [one for one in self.sources.candidates if one.shelf != self.shelf and one.free >= ask.quantity]
        keeping = [one for one in others if late_s(one, ask) == 0]
        asked = any(not one.substitute for one in keeping)
        return tuple(one for one in (keeping if in_time else others) if not (asked and one.substitute))

    def alone(self) -> Giving:
        """Where it would go if nobody else moved: the best of what is free, or nowhere."""
        ask = Ask(
            line=self.holder.line, quantity=self.holder.quantity, kind=self.kind, due_s=self.due_s, tier=self.holder.tier,
            candidates=self.elsewhere(in_time=False), allow_split=False,
        )  # fmt: skip
        choice = choose_sources([ask])
        return self.giving(choice.picks[0].candidate if isinstance(choice, Choice) else None)

    def giving(self, taken: Candidate | None) -> Giving:
        """It gives its pieces up and comes from there; from nowhere, it waits for stock."""
        holder = self.holder
        waits = Giving(
            line=holder.line, request=holder.request, place=holder.place, part=holder.part, quantity=holder.quantity
        )
        if taken is None:
            return waits
        _, way = self.sources.found[taken.shelf]
        return replace(waits, to=taken.shelf, way=way, late_s=self.late_s(taken))

    def late_s(self, candidate: Candidate) -> int | None:
        """How much past its due from there; None: nothing reaches."""
        ask = Ask(line=self.holder.line, quantity=self.holder.quantity, kind=self.kind, due_s=self.due_s)
        return late_s(candidate, ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The asker's lines, with what the givers hold counted as free, and the givers. `harming`: a giver may come late or
    go without, as far as R2's strict levels want it; else nobody does, whatever the asker wants."""

    asks: tuple[Ask, ...]
    givers: tuple[Giver, ...]
    harming: bool

    def of(self, givers: Sequence[Giver]) -> "Contest":
        """The same between fewer: what the others hold is not free."""
        gone = [one for one in self.givers if one not in givers]
        held = Counter[Shelf]()
        for one in gone:
            held[one.shelf] += one.holder.quantity
        asks = tuple(
            replace(ask, candidates=tuple(replace(one, free=one.free - held[one.shelf]) for one in ask.candidates))
            for ask in self.asks
        )
        return replace(self, asks=asks, givers=tuple(givers))

    @property
    def orders(self) -> tuple[tuple[Ask, ...], ...]:
        """As `divide_orders` takes them. A giver that stays is in time and costs nothing; one that moves counts as a
        substitute does, so that few do, whatever is cheaper. Of the asker only misses count: nobody moves for minutes."""
        free = {one.shelf: one.free for ask in self.asks for one in ask.candidates}
        asks = self.asks if not self.harming else [_any_way(ask) for ask in self.asks]
        mine = tuple(replace(_plain(ask), tier=ask.tier if self.harming else 1) for ask in asks)
        return (mine, *((self._order(one, free),) for one in self.givers))

    def _order(self, giver: Giver, free: dict[Shelf, int]) -> Ask:
        others = [
            replace(one, free=free.get(one.shelf, one.free), substitute=True)
            for one in giver.elsewhere(in_time=not self.harming)
        ]
        place, part = giver.shelf
        stays = Candidate(place=place, part=part, free=free[giver.shelf], eta_s=0, handover_s=0)
        return Ask(
            line=giver.holder.line,
            quantity=giver.holder.quantity,
            kind=giver.kind,
            due_s=max(0, giver.due_s),
            tier=giver.holder.tier if self.harming else 0,
            candidates=(stays, *others),
            allow_split=False,
        )

    def gives(self, picks: Picks) -> tuple[Giving, ...] | None:
        """Who moves and where to; None where the asker gets nothing, somebody is harmed who must not be, or a giver would need
        what another gives up."""
        if picks[0] is None:
            return None
        found = [self._giving(one, mine) for one, mine in zip(self.givers, picks[1:], strict=True)]
        moved = tuple(one for one in found if one is not None)
        if not self.harming and any(one.harmed for one in moved):
            return None
        wanted = Counter[Shelf]()
        for one in moved:
            if one.to is not None:
                wanted[one.to] += one.quantity
        free = {offer: found.free for giver in self.givers for offer, (found, _) in giver.sources.found.items()}
        return None if any(pieces > free[shelf] for shelf, pieces in wanted.items()) else moved

    def _giving(self, giver: Giver, picks: tuple[Pick, ...] | None) -> Giving | None:
        if picks is None:
            return giver.giving(None)
        taken = picks[0].candidate
        return None if taken.shelf == giver.shelf else giver.giving(taken)


def _plain(ask: Ask) -> Ask:
    """The asker's line with each way in time as it is, and each late one just late."""
    due_s = max(0, ask.due_s)

    def plain(one: Candidate) -> Candidate:
        if not late_s(one, ask):
            return one
        return replace(one, eta_s=due_s + 1) if ask.kind == "local" else replace(one, handover_s=due_s + 1)

    return replace(ask, due_s=due_s, candidates=tuple(plain(one) for one in ask.candidates if one.free > 0))


def _any_way(ask: Ask) -> Ask:
    """The asker's line, where nothing would be in time, as if everything were: late is better than not at all, and whether
    it is worth another's promise is for a dispatcher to say."""
    if any(late_s(one, ask) == 0 for one in ask.candidates):
        return ask
    reached = [at for one in ask.candidates if (at := one.eta_s if ask.kind == "local" else one.handover_s) is not None]
    return replace(ask, due_s=max(reached, default=ask.due_s))


def misses(picks: Picks) -> int:
    """How many of the asker's lines are late in a division."""
    return len({pick.line for pick in picks[0] or () if pick.late_s})


def fewer(contest: Contest, gives: Sequence[Giving]) -> list[Contest]:
    """The contests in which fewer would have to move, the fewest first; an answer that is as good ends the search."""
    movers = [one for one in contest.givers if one.holder.line in {each.line for each in gives}]
    found = [contest.of(some) for size in range(1, len(movers)) for some in combinations(contest.givers, size)]
    return found[:MOST_TRIES]


async def contest_of(
    db: AsyncConnection,
    *,
    actor: Actor,
    asked: RequestIn,
    before: Proposal | NotEnough,
    now: datetime,
    approved: Sequence[str] | None = None,
    harming: bool = False,
    scoped: bool = False,
) -> Contest | None:
    """Who could give way to a request that would be refused or late; None: nobody.

    By itself that is anybody who loses nothing by it. `harming` looks at what a dispatcher could approve; `approved` are
    the lines that one did. `scoped`: only what lies in the actor's scope.
    """
    tier = tier_of(asked.priority, asked.failure.found_on) if isinstance(before, NotEnough) else before.tier
    if tier == GENERAL:
        return None
    parts = before.usable if isinstance(before, NotEnough) else sorted(before.facts.parts)
    near = before.near if isinstance(before, NotEnough) else before.facts.setting.sources
    found = await holders(db, tier=tier, parts=parts, lines=approved, near=near, most=MOST)
    if scoped:
        found = [one for one in found if one.seen_by(actor)]
    givers = [one for one in await givers_of(db, found, now=now) if harming or one.elsewhere(in_time=True)]
    if not givers:
        return None
    try:
        as_if = await propose(db, actor=actor, asked=asked, now=now, room=[one.giving(None) for one in givers])
    except NotEnough:
        return None
    shelves = {one.shelf for ask in as_if.decision.asks for one in ask.candidates}
    wanted = tuple(one for one in givers if one.shelf in shelves)
    return Contest(asks=as_if.decision.asks, givers=wanted, harming=harming) if wanted else None


async def givers_of(
    db: AsyncConnection, found: Sequence[Holder], *, now: datetime, freed: Sequence[str] = ()
) -> list[Giver]:
    """Holders with where else they could come from; what the lines in `freed` hold counts as free for them.

    Whoever drives to the shelf already gets there all the same (R4), for the higher priority then.
    """
    givers = []
    for one in found:
        loaded = await load(db, actor=DUTY, request_id=one.request)
        line = next(each for each in loaded.lines if each.id == one.line)
        substitutes = loaded.row.accept_substitutes
        facts = await facts_of_line(
            db, actor=DUTY, loaded=loaded, line=line, substitutes=substitutes, now=now, freed=freed
        )
        sources = sources_of(facts, loaded=loaded, line=line, now=now)
        givers.append(Giver(holder=one, kind=line.kind, sources=sources))
    return givers


async def propose_after(
    db: AsyncConnection, *, actor: Actor, asked: RequestIn, gives: tuple[Giving, ...], now: datetime
) -> Proposal | None:
    """What the request would be promised once these have given way; None if it would still be refused."""
    try:
        after = await propose(db, actor=actor, asked=asked, now=now, room=gives)
    except NotEnough:
        return None
    return with_room(after, gives)


def with_room(after: Proposal, gives: tuple[Giving, ...]) -> Proposal:
    """The proposal with who gives way for it, and the reason on each line that takes what was freed."""
    freed = {(one.place, one.part) for one in gives}
    lines = tuple(
        replace(one, reasons=(*one.reasons, Reason("S3b", "give_way.freed", {"place": one.offer.place})))
        if (one.offer.place, one.offer.part) in freed
        else one
        for one in after.decision.lines
    )
    return replace(after, decision=replace(after.decision, lines=lines), gives=gives)
