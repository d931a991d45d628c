"""What would bring a line sooner, and at what price: other sources, substitutes, shifts for once, doors, other couriers.

Every way there is was tried on the facts of now and holds nothing (R6); what a way would break is what has to be changed
for it. The cheapest change that keeps the promise stands first.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Reason
from app.fulfillment.queries.gather import places_of
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.rules.fixes import Change, Fix
from app.fulfillment.rules.states import ENDED, State
from app.fulfillment.service.bumping import bumps
from app.fulfillment.service.candidates import DRIVE_MINOR_PER_S
from app.fulfillment.service.clashing import Case, case_of, dearer
from app.fulfillment.service.resourcing import facts_of_line
from app.routing.rules.clash import HELD_THERE, PIN, QUARTER_S, SUBSTITUTE, Way

MOST_OF_A_KIND = 3
OPENED_FOR = timedelta(hours=1)
"""How long a place is asked to stay open for one piece [house]: what is fetched there may be early or late."""
DONE = (State.DELIVERED, State.FITTED)


async def fixes(db: AsyncConnection, *, actor: Actor, request_id: str, now: datetime) -> list[Fix]:
    """For each line that waits for its part: the changes that would bring it sooner than planned, cheapest first."""
    loaded = await load(db, actor=actor, request_id=request_id)
    found: list[Fix] = []
    for line in loaded.lines:
        if not waits(line) or not actor.may_see_place(line.source):
            continue
        case = await case_for(db, actor=actor, loaded=loaded, line=line, now=now)
        found += _best(sorted([*fixes_of(case), *await bumps(db, actor=actor, case=case)], key=_rank))
    if any(State(line.state) not in ENDED for line in loaded.lines):
        call = Change(kind="call", reason=Reason("C7", "fix.call", {}))
        found.append(Fix(line=loaded.lines[0].id, changes=(call,)))
    return found


def waits(line: Any) -> bool:
    """Whether the part of a line is still to be brought."""
    state = State(line.state)
    return state not in ENDED and state not in DONE


async def case_for(db: AsyncConnection, *, actor: Actor, loaded: Loaded, line: Any, now: datetime) -> Case:
    """One line's case, read as of now."""
    facts = await facts_of_line(db, actor=actor, loaded=loaded, line=line, substitutes=True, now=now)
    stocked = {one.place for one in facts.offers if one.part == line.part_number} | {line.source}
    bare, _ = await places_of(db, sorted(facts.setting.sources - stocked), area=None)
    ours = {code: one for code, one in bare.items() if one.ours}
    # some tens of milliseconds of trying: not in the thread that serves everybody
    return await asyncio.to_thread(case_of, facts, ours, loaded=loaded, line=line, now=now)


def fixes_of(case: Case) -> list[Fix]:
    """The changes worth telling of one case; of those that do the same only the best."""
    best: dict[tuple[Any, ...], Fix] = {}
    for way in case.ways:
        if not way.possible:
            continue
        found = _fix(case, way)
        if found.gained_s is not None and found.gained_s <= 0:
            continue
        key = tuple((one.kind, one.place, one.part_number, one.courier) for one in found.changes)
        if key not in best or _rank(found) < _rank(best[key]):
            best[key] = found
    return _best(_enough(sorted(best.values(), key=_rank)))


def _rank(fix: Fix) -> tuple[Any, ...]:
    """Promises kept first, nobody harmed, then the cost; of equals the one with the fewest to tell, then the earliest."""
    return bool(fix.late_s), len(fix.harmed), fix.late_s or 0, fix.weight, len(fix.changes), fix.eta, fix.kinds


def _enough(ranked: Iterable[Fix]) -> Iterator[Fix]:
    """Without those that take all that a better one takes, and something more."""
    better: list[set[tuple[Any, ...]]] = []
    for fix in ranked:
        mine = {(one.kind, one.place, one.part_number, one.courier) for one in fix.changes}
        if not any(other < mine for other in better):
            better.append(mine)
            yield fix


def _best(ranked: Iterable[Fix]) -> list[Fix]:
    """Three of a kind at most."""
    kept: list[Fix] = []
    for one in ranked:
        if sum(each.kinds == one.kinds for each in kept) < MOST_OF_A_KIND:
            kept.append(one)
    return kept


def _fix(case: Case, way: Way) -> Fix:
    eta = case.at(way.finish_s)
    gained = None if case.expected_at is None else int((case.expected_at - eta).total_seconds())
    weight = way.cost - (case.saved_s * DRIVE_MINOR_PER_S if way.courier is not None else 0)
    return Fix(
        line=case.line.id,
        changes=tuple(_changes(case, way)),
        zone=case.facts.setting.timezone,
        eta=eta,
        late_s=max(0, ceil((eta - case.due_at).total_seconds())),
        gained_s=gained,
        more_drive_s=way.drive_s - case.saved_s if way.courier is not None else None,
        cost_minor=weight - dearer(case, way.part),
        weight=weight,
        harmed=way.harmed,
        needs_customer=SUBSTITUTE in way.breaks,
    )


def _changes(case: Case, way: Way) -> Sequence[Change]:
    """What has to be done for a way, in the order in which it is done."""
    kinds = {kind for kind, _ in way.breaks}
    found = []
    if HELD_THERE in way.breaks:
        other = way.part != case.line.part_number
        facts: dict[str, Any] = {"place": way.place, "part": way.part}
        reason = Reason("P4", "fix.substitute", facts) if other else Reason("R1", "fix.source", facts)
        kind = "substitute" if other else "source"
        found.append(Change(kind=kind, reason=reason, place=way.place, part_number=way.part))
    if "hours" in kinds and way.open_s is not None:
        opens = case.at(way.open_s)
        reason = Reason("R1", "fix.open", {"place": way.place, "opens_at": opens.isoformat()})
        found.append(Change(kind="open", reason=reason, place=way.place, begins_at=opens, ends_at=opens + OPENED_FOR))
    if kinds & {"begins", "ends"} and way.shift_s is not None:
        ends = case.at(ceil(way.shift_s / QUARTER_S) * QUARTER_S)
        facts = {"courier": way.courier, "ends_at": ends.isoformat()}
        reason = Reason("R3", "fix.shift" if "begins" in kinds else "fix.stay", facts)
        found.append(Change(kind="shift", reason=reason, courier=way.courier, begins_at=case.now, ends_at=ends))
    pinned = PIN in way.breaks or bool(way.harmed)
    if way.courier is not None and (pinned or not found):
        found.append(Change(kind="pin", reason=Reason("R3", "fix.pin", {"courier": way.courier}), courier=way.courier))
    return found
