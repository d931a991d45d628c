"""Proposing: what a request would be promised on the facts of now; nothing is written or held."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError
from app.fulfillment.queries.gather import LINKS, Asked, Facts, gather
from app.fulfillment.queries.region import Region, tier_of
from app.fulfillment.schemas import RequestIn
from app.fulfillment.service.candidates import Way
from app.fulfillment.service.decision import Decision, Wishes, decide
from app.fulfillment.service.refusals import (
    DuplicateTicket,
    FailureInFuture,
    NotEnough,
    PositionTakesOne,
    SerialOrSite,
)
from app.fulfillment.service.resourcing import LOCK_BALANCES
from app.routing.rules.sourcing import Choice, Shelf, Shortage
from app.warranty.rules.inputs import Failure

OPEN_TICKET = text("""
    SELECT l.request FROM request_line l WHERE l.ticket_key = ANY(CAST(:keys AS text[]))
      AND l.part_number = ANY(CAST(:parts AS text[])) AND l.state NOT IN ('confirmed', 'canceled', 'lost') LIMIT 1
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Giving:
    """A line that gives its pieces to a higher priority (S3b), and where it comes from then; with no way it waits for
    stock. `late_s` is past its own due, None: nobody can say."""

    line: str
    request: str
    place: str
    part: str
    quantity: int
    to: Shelf | None = None
    way: Way | None = None
    late_s: int | None = None

    @property
    def harmed(self) -> bool:
        return self.late_s != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A decision with the facts and the wish it answers: what a promise shows and a request writes. `gives` are the lines
    that have to give their pieces up for it first."""

    asked: RequestIn
    received_at: datetime
    facts: Facts
    wishes: Wishes
    decision: Decision
    gives: tuple[Giving, ...] = ()

    @property
    def tier(self) -> int:
        """R2's tier that it was decided with."""
        return self.decision.asks[0].tier

    @property
    def missed(self) -> int:
        """How many lines would miss what they are promised."""
        return len({pick.line for pick in self.decision.choice.picks if pick.late_s})

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


async def propose(
    db: AsyncConnection,
    *,
    actor: Actor,
    asked: RequestIn,
    now: datetime,
    room: Sequence[Giving] = (),
) -> Proposal:
    """Gather and decide. Raises NotEnough when some line cannot be had whole anywhere.

    As if the lines in `room` had given their pieces up already, and held others where they were to go.
    """
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
        freed=[one.line for one in room],
        taken=_taken(room),
    )
    facts = replace(facts, region=_unplanned(facts.region, room))
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


def _taken(room: Sequence[Giving]) -> Mapping[Shelf, int]:
    """What those who give way hold elsewhere then."""
    taken = Counter[Shelf]()
    for one in room:
        if one.to is not None:
            taken[one.to] += one.quantity
    return taken


def _unplanned(region: Region | None, room: Sequence[Giving]) -> Region | None:
    """The region without the stops of lines that another place gives, or none: nobody has planned them anew yet."""
    gone = {one.line for one in room if one.to is None or one.to[0] != one.place}
    if region is None or not gone:
        return region
    return replace(region, lines=tuple(one for one in region.lines if one.id not in gone))


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
    refused = NotEnough(
        available=available,
        requested=asked,
        part_number=line.part_number,
        place=places or None,
        free=free,
        expected_at=None,
    )
    refused.usable, refused.near = tuple(sorted(facts.parts)), facts.setting.sources
    return refused


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
