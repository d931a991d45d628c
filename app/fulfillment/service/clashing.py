"""One line's question: what the plan keeps to, every way to bring it all the same, and which facts clash, as reasons.

Gathered as of now, decided by `routing.rules.clash`; nothing is held and nothing is written here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.fulfillment.queries.gather import Facts, PlaceFacts
from app.fulfillment.queries.planning import Planning, planning, present_of, shifts_of
from app.fulfillment.queries.region import tier_of
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.clocks import plan_deadline
from app.fulfillment.rules.states import HELD, State
from app.fulfillment.service.candidates import Ways
from app.routing.rules.clash import (
    CALM,
    DUE,
    HELD_THERE,
    SUBSTITUTE,
    Breaks,
    Name,
    Question,
    Source,
    Way,
    drivers_of,
    limits_of,
    ways_of,
)
from app.routing.rules.depletion import piece_prices, piece_risks
from app.routing.rules.plan import Plan, orders_of, schedule
from app.routing.rules.problem import Courier, Job, Location, Problem
from app.stock.queries.offers import Offer

TRIAL = timedelta(hours=6)
"""How long a shift for once is tried with; what it needs is what is offered."""
MOST_SOURCES, MOST_BARE = 6, 2
"""How many other shelves, and how many nearer ones without the part, are looked at [house]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line as it stands: when it is expected, every way to bring it, and what is needed to tell of them.

    `problem` is the couriers', `plan` what stands without the line, `saved_s` the driving that its own stops take.
    """

    loaded: Loaded
    line: Any
    facts: Facts
    now: datetime
    due_at: datetime
    expected_at: datetime | None
    ways: tuple[Way, ...] = ()
    courier: str | None = None
    saved_s: int = 0
    problem: Problem | None = None
    plan: Plan | None = None

    def at(self, seconds: int) -> datetime:
        return self.now + timedelta(seconds=seconds)


def case_of(facts: Facts, bare: Mapping[str, PlaceFacts], *, loaded: Loaded, line: Any, now: datetime) -> Case:
    """The line with every way to bring it; `bare` are local places without a free piece of the part."""
    planned = _planned(facts, bare, now)
    job = None if planned is None else planned.problem.by_id().get(line.id)
    expected = line.handover_at if line.mode == "lane" else line.eta
    if planned is not None and job is not None:
        finish = planned.plan.finishes().get(line.id)
        expected = None if finish is None else planned.problem.start + timedelta(seconds=finish)
    due_at = plan_deadline(loaded.clocks(now), line.id) or line.due_at
    if job is not None:
        due_at = now + timedelta(seconds=job.due_s)
    case = Case(loaded=loaded, line=line, facts=facts, now=now, due_at=due_at, expected_at=expected)
    tier = tier_of(loaded.row.priority, loaded.row.found_on)
    asker = Ways(facts=facts, now=now, tier=tier, appointment_at=loaded.row.appointment_at, planned=planned)
    found: list[Way] = []
    if planned is not None and (job is not None or not planned.waiting):
        case = _placed(case, planned)
        if job is not None and _started(job, planned):
            found += _begun(case, job, planned)
            job, planned = None, _planned(_without(facts, line), bare, now)
            asker = replace(asker, planned=planned)
            case = case if planned is None else replace(case, problem=planned.problem, plan=planned.plan, saved_s=0)
        if planned is not None:
            found += _by_courier(case, asker, job, planned, bare)
    if State(line.state) in HELD:
        found += _by_lane(case, asker)
    return replace(case, ways=tuple(found))


def _planned(facts: Facts, bare: Mapping[str, PlaceFacts], now: datetime) -> Planning | None:
    """The region's plan as of now, with every local place and the site in its travel matrix."""
    if facts.region is None or not facts.region.couriers:
        return None
    setting = facts.setting
    local = [one for one in (*facts.places.values(), *bare.values()) if one.code in setting.sources]
    also = [Location(setting.site, setting.latitude, setting.longitude)]
    also += [Location(one.code, one.latitude, one.longitude) for one in local]
    also += [Location(one.place, one.latitude, one.longitude) for one in facts.region.couriers]
    return planning(facts.region, now=now, also=also)


def _placed(case: Case, planned: Planning) -> Case:
    """The case with the plan as it stands without the line, and who was to bring it."""
    line, problem = case.line.id, planned.problem
    orders = [[visit for visit in order if visit.job != line] for order in orders_of(planned.plan)]
    without = schedule(orders, problem)
    for at, route in enumerate(planned.plan.routes):
        if any(stop.job == line for stop in route.stops):
            saved = route.drive_s - without.routes[at].drive_s
            return replace(case, problem=problem, plan=without, courier=route.courier, saved_s=saved)
    return replace(case, problem=problem, plan=without)


def _started(job: Job, planned: Planning) -> bool:
    """Whether somebody drives to its stop already: nobody turns round midway (R4)."""
    return any(one.first is not None and one.first.job == job.id for one in planned.problem.couriers)


def _begun(case: Case, job: Job, planned: Planning) -> Iterator[Way]:
    """The way that is under way, as it is; and with the door opened where it waits for that."""
    finish, line = planned.plan.finishes()[job.id], case.line
    own = Way(breaks=_late(finish, job), finish_s=finish, cost=0, place=line.source, part=line.supplied_part_number)
    own = replace(own, courier=case.courier)
    yield own
    if job.pickup is None or not job.pickup_open:
        return
    jobs = tuple(replace(one, pickup_open=()) if one.id == job.id else one for one in planned.problem.jobs)
    opened = schedule(orders_of(planned.plan), replace(planned.problem, jobs=jobs))
    at = next(
        (one.start_s for route in opened.routes for one in route.stops if (one.job, one.kind) == (job.id, "pickup")),
        None,
    )
    sooner = opened.finishes()[job.id]
    if at is not None and sooner < finish:
        yield replace(own, breaks=_late(sooner, job) | {("hours", line.source)}, finish_s=sooner, cost=CALM, open_s=at)


def _late(finish_s: int, job: Job) -> Breaks:
    return frozenset({DUE}) if finish_s > job.due_s else frozenset()


def _without(facts: Facts, line: Any) -> Facts:
    """The facts as if the line were no longer to be fetched: who drives there gets there, and is free then."""
    region = facts.region
    if region is None:
        return facts
    return replace(facts, region=replace(region, lines=tuple(one for one in region.lines if one.id != line.id)))


def _by_courier(
    case: Case, asker: Ways, job: Job | None, planned: Planning, bare: Mapping[str, PlaceFacts]
) -> tuple[Way, ...]:
    """Every way on the region's roads."""
    line, problem = case.line, planned.problem
    sources = tuple(_sources(case, asker, job, planned, bare))
    asked = job or next((one for one, _ in sources), None)
    if asked is None or case.plan is None:
        return ()
    drivers = drivers_of(case.plan, problem, _called(case, planned))
    if any(line.id in one.carrying for one in problem.couriers):
        drivers = tuple(one for one in drivers if line.id in one.courier.carrying and not one.breaks)
    question = Question(
        job=asked,
        problem=problem,
        sources=tuple(source for _, source in sources),
        drivers=drivers,
        limits=limits_of(case.plan, problem, asked),
    )
    return ways_of(question)


def _sources(
    case: Case, asker: Ways, job: Job | None, planned: Planning, bare: Mapping[str, PlaceFacts]
) -> Iterator[tuple[Job, Source]]:
    """The line's own shelf, then the others that have enough, the nearest first, then nearer ones that have none."""
    line, travel = case.line, planned.problem.travel
    if job is not None:
        own = Source(place=line.source, part=line.supplied_part_number, pickup=job.pickup)
        yield job, replace(own, ready_s=job.ready_s, open_spans=job.pickup_open)
    if State(line.state) not in HELD:
        return

    def far(one: tuple[Job, Source]) -> tuple[int, str, str]:
        return travel[one[0].pickup or 0][one[0].drop], one[1].place, one[1].part

    here = (line.source, line.supplied_part_number) if job is not None or case.courier is not None else None
    local = [one for one in case.facts.offers if one.place in case.facts.setting.sources]
    enough = [one for one in local if one.free >= line.quantity and (one.place, one.part) != here]
    others = [_source(case, asker, offer, planned) for offer in enough]
    yield from sorted(others, key=far)[:MOST_SOURCES]
    if job is None or job.pickup is None:
        return
    empty = [_bare(case, asker, place, planned) for place in bare.values()]
    near = [one for one in empty if far(one)[0] < travel[job.pickup][job.drop]]
    yield from sorted(near, key=far)[:MOST_BARE]


def _source(case: Case, asker: Ways, offer: Offer, planned: Planning) -> tuple[Job, Source]:
    """A shelf with enough, as the rule weighs it; the very shelf that holds the line breaks nothing."""
    line, place = case.line, case.facts.places[offer.place]
    job = asker.job(place, offer.part, planned, due_at=case.due_at, quantity=line.quantity)
    return job, Source(
        place=offer.place,
        part=offer.part,
        pickup=job.pickup,
        ready_s=job.ready_s,
        open_spans=job.pickup_open,
        breaks=_moving(case, offer),
        cost=_worth(case, offer),
        fitting_s=job.drop_service_s,
        grams=job.grams,
    )


def _bare(case: Case, asker: Ways, place: PlaceFacts, planned: Planning) -> tuple[Job, Source]:
    part = case.line.part_number
    job = asker.job(place, part, planned, due_at=case.due_at, quantity=case.line.quantity)
    missing: Breaks = frozenset({HELD_THERE, ("empty", place.code)})
    source = Source(place=place.code, part=part, pickup=job.pickup, ready_s=job.ready_s, open_spans=job.pickup_open)
    return job, replace(source, breaks=missing)


def _moving(case: Case, offer: Offer) -> Breaks:
    """What taking the line from there breaks: that its piece lies where it lies, and what the asker said of substitutes."""
    line, found = case.line, set[Name]()
    if (offer.place, offer.part) != (line.source, line.supplied_part_number):
        found.add(HELD_THERE)
    if offer.part != line.part_number and not case.loaded.row.accept_substitutes:
        found.add(SUBSTITUTE)
    return frozenset(found)


def _worth(case: Case, offer: Offer) -> int:
    """What the pieces are worth beyond the way: later local promises at stake (depletion), and what a substitute costs
    the company more (P4)."""
    price = dearer(case, offer.part)
    if offer.level is not None and offer.ours:
        risks = piece_risks(offer.level.base_stock, offer.free, offer.level.load, most=case.line.quantity)
        price += sum(piece_prices(risks, offer.level.miss_minor))
    return price


def dearer(case: Case, part: str) -> int:
    """What a substitute costs the company more than the asked part, by what was last paid for either."""
    given, asked = case.facts.latest.get(part), case.facts.latest.get(case.line.part_number)
    if part == case.line.part_number or given is None or asked is None or given.currency != asked.currency:
        return 0
    each = given.value_minor / given.quantity - asked.value_minor / asked.quantity
    return max(0, round(each * int(case.line.quantity)))


def _by_lane(case: Case, asker: Ways) -> Iterator[Way]:
    """The other ways without a courier of the region: by carrier from places that serve other areas."""
    line = case.line
    for offer in case.facts.offers:
        here = (offer.place, offer.part) == (line.source, line.supplied_part_number)
        if offer.place in case.facts.setting.sources or offer.free < line.quantity or here:
            continue
        way = asker.of(offer, due_at=line.due_at, quantity=line.quantity, kind=line.kind)
        done = way.handover_at if line.kind == "national" else way.eta
        if done is None:
            continue
        late: Breaks = frozenset({DUE}) if done > case.due_at else frozenset()
        breaks = _moving(case, offer) | late
        changes = len(breaks - late)
        yield Way(
            breaks=breaks,
            finish_s=int((done - case.now).total_seconds()),
            cost=way.cost_minor + CALM * changes,
            place=offer.place,
            part=offer.part,
        )


def _called(case: Case, planned: Planning) -> Iterator[tuple[int | None, Courier]]:
    """Whoever is off now, called in: as the first shift begun at once, or as a shift for once."""
    region, problem = case.facts.region, planned.problem
    if region is None:
        return
    rows = {(one.latitude, one.longitude): at for at, one in enumerate(problem.locations)}
    lines = {line.id: line for line in region.lines}
    most = int(TRIAL.total_seconds())
    for one in region.couriers:
        spans = shifts_of(one, case.now)
        if spans and spans[0][0] <= case.now:
            continue
        at = next((at for at, courier in enumerate(problem.couriers) if courier.code == one.code), None)
        if at is None:
            home = rows[one.latitude, one.longitude]
            yield (
                None,
                Courier(code=one.code, start=home, available_s=0, end_s=most, grams=one.capacity_g, skills=one.skills),
            )
            continue
        courier = problem.couriers[at]
        if not courier.carrying and courier.first is None:
            free = present_of(one, region.standing, lines, case.now).available_s
            yield at, replace(courier, available_s=free, end_s=max(courier.end_s, most))
