"""What if: a region's plan with some changes and without, found alike; nothing is written, nothing is held (R6).

Gathered in one read, tried outside any transaction in plain Python: what the next plan would be before the search
improves it, the same on both sides.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError, Unprocessable
from app.fulfillment.queries.clashes import requests_of
from app.fulfillment.queries.planning import Planning, planning, spans_of
from app.fulfillment.queries.plans import lines_of
from app.fulfillment.queries.region import TIERS, CourierFacts, OpenLine, Region, region_of_area
from app.fulfillment.queries.steering import NoSuchCourier, NoSuchLineHere, region_name
from app.fulfillment.queries.trying import LineStock, TrialStock, trial_stock
from app.fulfillment.schemas.trying import TriedIn, WhatIfIn
from app.fulfillment.service.candidates import DRIVE_MINOR_PER_S
from app.fulfillment.service.refusals import LegStarted, NothingThere, ShiftTooLate, VerbNotNow
from app.fulfillment.service.steering import LONGEST_SHIFT
from app.network.queries import part as known_part
from app.network.rules.hours import ALWAYS
from app.routing.rules.insertion import greedy
from app.routing.rules.moving import Elsewhere, move_sources
from app.routing.rules.plan import Plan
from app.routing.rules.problem import Job, Location, Problem
from app.stock.queries.lookups import NoSuchPlace

NEEDS: Mapping[str, tuple[str, ...]] = {
    "shift": ("courier", "ends_at"),
    "add_courier": ("place",),
    "remove_courier": ("courier",),
    "pin": ("line", "courier"),
    "source": ("line", "place"),
    "open": ("place",),
    "forbid": ("place",),
    "allow": ("place",),
    "substitute": ("line",),
    "priority": ("line", "priority"),
    "stock": ("place", "part_number", "quantity"),
}
MOST_SHELVES = 3
WHOLE_DAY = timedelta(hours=8)
NOBODY = "nobody"


class ChangeIncomplete(Unprocessable):
    """A change that is tried lacks what its kind needs."""

    code = "plan.change_incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Everything a trial rests on, and the lines this actor may see with their requests."""

    region: Region
    stock: TrialStock
    visible: Mapping[str, str]
    changes: Sequence[TriedIn]
    now: datetime


@dataclass(slots=True)
class _World:
    """A region as it would be: changed step by step, then planned."""

    region: Region
    stock: TrialStock
    now: datetime
    free: dict[tuple[str, str], int]
    forbidden: set[str] = field(default_factory=set)
    allowed: set[str] = field(default_factory=set)
    loosened: set[str] = field(default_factory=set)
    opened: dict[str, datetime] = field(default_factory=dict)
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    paid_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One side: the problem as it was solved, its plan, and what shifts for once are paid."""

    problem: Problem
    plan: Plan
    paid_s: int

    @property
    def cost_minor(self) -> int:
        return DRIVE_MINOR_PER_S * (self.plan.costs.drive_s + self.paid_s)


async def trial_for(db: AsyncConnection, *, actor: Actor, body: WhatIfIn, now: datetime) -> Trial:
    """Read what a trial rests on; refuses what the actor may not see, and changes that lack something."""
    for at, change in enumerate(body.changes):
        lacking = [name for name in NEEDS[change.kind] if getattr(change, name) is None]
        if lacking:
            errors = [FieldError(f"changes.{at}.{name}", "plan.change_incomplete") for name in lacking]
            raise ChangeIncomplete(kind=change.kind, needs=list(NEEDS[change.kind]), errors=errors)
    name = await region_name(db, actor=actor, area=body.area)
    region = await region_of_area(db, area=name, now=now)
    lines = await lines_of(db, regions=[name])
    visible = await requests_of(db, actor=actor, lines=sorted(lines))
    named = sorted({one.place for one in body.changes if one.place is not None})
    stock = await trial_stock(db, region=name, lines=[one.id for one in region.lines], places=named, now=now)
    for change in body.changes:
        _need_known(change, region, stock, visible, actor)
        if change.part_number is not None:
            await known_part(db, actor=actor, number=change.part_number)
    return Trial(region=region, stock=stock, visible=visible, changes=body.changes, now=now)


def _need_known(change: TriedIn, region: Region, stock: TrialStock, visible: Mapping[str, str], actor: Actor) -> None:
    planned = {one.id for one in region.lines}
    if change.line is not None and (change.line not in visible or change.line not in planned):
        raise NoSuchLineHere(line=change.line)
    if change.courier is not None and all(one.code != change.courier for one in region.couriers):
        raise NoSuchCourier(courier=change.courier)
    if change.place is not None and (change.place not in stock.places or not actor.may_see_place(change.place)):
        raise NoSuchPlace(place=change.place)


def compare(trial: Trial) -> tuple[Outcome, Outcome]:
    """The plan without and with the changes. Takes tens of milliseconds at 60 lines: call it off the loop's thread."""
    before = _world(trial)
    after = _world(trial)
    for at, change in enumerate(trial.changes):
        _CHANGES[change.kind](after, change, at)
    return _outcome(before), _outcome(after)


def _world(trial: Trial) -> _World:
    return _World(trial.region, trial.stock, trial.now, dict(trial.stock.free))


def _shift(world: _World, change: TriedIn, at: int) -> None:
    span = _span(world, change, None)
    world.region = replace(
        world.region,
        couriers=tuple(
            replace(one, extra=(*one.extra, span)) if one.code == change.courier else one
            for one in world.region.couriers
        ),
    )


def _add_courier(world: _World, change: TriedIn, at: int) -> None:
    place = world.stock.places[str(change.place)]
    most = max((one.capacity_g for one in world.region.couriers), default=1_000_000)
    added = CourierFacts(
        code=f"+{at + 1}", shift={}, capacity_g=most, skills=(), place=place.code, latitude=place.latitude,
        longitude=place.longitude, timezone=place.timezone, extra=(_span(world, change, world.now + WHOLE_DAY),),
    )  # fmt: skip
    world.region = replace(world.region, couriers=(*world.region.couriers, added))


def _span(world: _World, change: TriedIn, until: datetime | None) -> tuple[datetime, datetime]:
    """When somebody drives for once; it is paid from now on."""
    begins, ends = change.begins_at or world.now, change.ends_at or until
    if ends is None or ends <= max(begins, world.now) or ends - begins > LONGEST_SHIFT:
        raise ShiftTooLate(hours=LONGEST_SHIFT // timedelta(hours=1))
    world.paid_s += int((ends - max(begins, world.now)).total_seconds())
    return begins, ends


def _remove_courier(world: _World, change: TriedIn, at: int) -> None:
    for one in planning(world.region, now=world.now).problem.couriers:
        if one.code == change.courier and (one.carrying or one.first is not None):
            raise LegStarted(line=one.first.job if one.first is not None else one.carrying[0], courier=one.code)
    kept = tuple(one for one in world.region.couriers if one.code != change.courier)
    world.region = replace(world.region, couriers=kept)


def _pin(world: _World, change: TriedIn, at: int) -> None:
    for one in planning(world.region, now=world.now).problem.couriers:
        mine = change.line in one.carrying or (one.first is not None and one.first.job == change.line)
        if mine and one.code != change.courier:
            raise LegStarted(line=change.line, courier=one.code)
    _line(world, change, lambda line: replace(line, pinned=change.courier))


def _source(world: _World, change: TriedIn, at: int) -> None:
    mine, place = world.stock.lines[str(change.line)], world.stock.places[str(change.place)]
    part = change.part_number or mine.part
    free = world.free.get((place.code, part), 0) if part in (mine.part, *mine.substitutes) else 0
    if not mine.movable:
        raise VerbNotNow(verb="source", state="picked", allowed=[], line=change.line)
    left = world.moved.get(str(change.line), (mine.source, mine.part))
    if free < mine.quantity or left == (place.code, part):
        raise NothingThere(place=place.code, part_number=part, available=free)
    world.free[place.code, part] = free - mine.quantity
    world.free[left] = world.free.get(left, 0) + mine.quantity
    world.moved[str(change.line)] = place.code, part
    facts = world.stock.parts[part]
    _line(
        world,
        change,
        lambda line: replace(
            line, place=place.code, latitude=place.latitude, longitude=place.longitude, timezone=place.timezone,
            preparation_s=place.preparation_s, opening_hours=place.opening_hours, opened=place.opened,
            prepared_from=world.now, fitting_s=facts.fitting_s,
            grams=facts.weight_g * line.quantity,
        ),
    )  # fmt: skip


def _line(world: _World, change: TriedIn, changed: Callable[[OpenLine], OpenLine]) -> None:
    lines = tuple(changed(one) if one.id == change.line else one for one in world.region.lines)
    world.region = replace(world.region, lines=lines)


def _open(world: _World, change: TriedIn, at: int) -> None:
    opens = max(change.begins_at or world.now, world.now)
    world.opened[str(change.place)] = opens
    lines = [
        replace(
            one,
            opening_hours=ALWAYS,
            prepared_from=max(one.prepared_from, opens - timedelta(seconds=one.preparation_s)),
        )
        if one.place == change.place
        else one
        for one in world.region.lines
    ]
    world.region = replace(world.region, lines=tuple(lines))


def _priority(world: _World, change: TriedIn, at: int) -> None:
    _line(world, change, lambda line: replace(line, tier=TIERS[str(change.priority)]))


def _more(world: _World, change: TriedIn, at: int) -> None:
    shelf = str(change.place), str(change.part_number)
    world.free[shelf] = world.free.get(shelf, 0) + int(change.quantity or 0)


def _outcome(world: _World) -> Outcome:
    """Plan a world as the duty does without its search: keep what stands, insert what is missing, move what gains."""
    sources = (world.stock.local | world.allowed) - world.forbidden
    places = [world.stock.places[code] for code in sorted(sources) if code in world.stock.places]
    also = [Location(one.code, one.latitude, one.longitude) for one in places]
    planned = planning(world.region, now=world.now, also=also)
    problem = planned.problem
    begun = problem.carried_by().keys() | {one.first.job for one in problem.couriers if one.first is not None}
    mine = {one.id: world.stock.lines[one.id] for one in world.region.lines if one.id in world.stock.lines}
    free = {job.id: job for job in problem.jobs if job.id not in begun and job.id in mine and mine[job.id].movable}
    places_of = {one.id: one.place for one in world.region.lines}
    ways = {name: _ways(world, planned, job, mine[name], places_of[name], sources) for name, job in free.items()}
    barred = {name for name in free if places_of[name] in world.forbidden}
    problem = _barred(problem, {name: ways[name] for name in barred})
    plan = greedy(problem, planned.plan)
    pinned = {one.id for one in world.region.lines if one.pinned is not None}
    if not world.region.frozen:
        moving = {name: found for name, found in ways.items() if name not in barred | pinned}
        problem, plan, _ = move_sources(problem, plan, moving)
    return Outcome(problem=problem, plan=plan, paid_s=world.paid_s)


def _ways(
    world: _World, planned: Planning, job: Job, mine: LineStock, here: str, sources: Iterable[str]
) -> list[Elsewhere]:
    """The other shelves a line may come from in this world, the nearest to its site first."""
    rows = {(one.latitude, one.longitude): at for at, one in enumerate(planned.problem.locations)}
    travel, found = planned.problem.travel, []
    parts = (mine.part, *(mine.substitutes if job.id in world.loosened else ()))
    for code in sorted(sources):
        place = world.stock.places.get(code)
        for part in parts:
            free = world.free.get((code, part), 0)
            if place is None or free < mine.quantity or (code, part) == (here, mine.part):
                continue
            opens = world.opened.get(code)
            wait = 0 if opens is None else max(0, int((opens - world.now).total_seconds()))
            hours = place.opening_hours if opens is None else ALWAYS
            found.append(
                Elsewhere(
                    shelf=f"{code}\x1f{part}",
                    pickup=rows[place.latitude, place.longitude],
                    ready_s=max(wait, place.preparation_s),
                    free=free,
                    open_spans=spans_of(hours, place.timezone, world.now, place.opened),
                )
            )
    return sorted(found, key=lambda one: (travel[one.pickup][job.drop], one.shelf))[:MOST_SHELVES]


def _barred(problem: Problem, ways: Mapping[str, Sequence[Elsewhere]]) -> Problem:
    """The problem with these lines fetched at one of their other shelves, or by nobody."""
    jobs: list[Job] = []
    for job in problem.jobs:
        if job.id not in ways:
            jobs.append(job)
        elif not ways[job.id]:
            jobs.append(replace(job, skills=(NOBODY,)))
        for way in ways.get(job.id, ()):
            jobs.append(
                replace(
                    job, id=f"{job.id}@{way.shelf}", line=job.id, shelf=way.shelf, pickup=way.pickup, ready_s=way.ready_s,
                    pickup_open=way.open_spans,
                )
            )  # fmt: skip
    stock = {one.shelf: one.free for found in ways.values() for one in found}
    return replace(problem, jobs=tuple(jobs), stock=tuple(sorted(stock.items())))


_CHANGES = {
    "shift": _shift,
    "add_courier": _add_courier,
    "remove_courier": _remove_courier,
    "pin": _pin,
    "source": _source,
    "open": _open,
    "forbid": lambda world, change, at: world.forbidden.add(str(change.place)),
    "allow": lambda world, change, at: world.allowed.add(str(change.place)),
    "substitute": lambda world, change, at: world.loosened.add(str(change.line)),
    "priority": _priority,
    "stock": _more,
}
