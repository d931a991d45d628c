"""The cheapest insertion of one job into a standing plan, and the greedy plans built from it. No search, no solver.

The ETA of a promise comes from here (R4): the answer never waits for the big plan.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.core.errors import Reason
from app.routing.rules.plan import Plan, Route, bounded, orders_of, run, schedule, taken
from app.routing.rules.problem import (
    TIERS,
    Courier,
    Job,
    Kind,
    Problem,
    Visit,
    allowed,
    place_of,
    service_of,
    start_of,
    until,
    visits_of,
)
from app.routing.rules.standing import adopted, loads, most

NEVER = 1 << 60
MANY = 300
"""Jobs to insert, from which on one way of inserting them has to do: each takes seconds."""
Aim = Literal["finish", "cost"]
Limit = Callable[[Job, int], int]


@dataclass(frozen=True, slots=True)
class Insertion:
    """Where the job goes: `order` is the courier's new order; `harmed` are lower tiers' jobs it makes late."""

    job: str
    courier: int
    order: tuple[Visit, ...]
    finish_s: int
    late_s: int
    added_drive_s: int
    harmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoInsertion:
    """No courier can serve the job in this plan without breaking what stands."""

    job: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class _Spot:
    courier: int
    pickup_at: int
    drop_at: int
    finish_s: int
    added_drive_s: int


def cheapest_insertion(
    plan: Plan, problem: Problem, job: Job, *, aim: Aim = "finish", only: Sequence[int] | None = None
) -> Insertion | NoInsertion:
    """The earliest finish that leaves every commitment standing (R4), or the cheapest on time with `aim` "cost".

    First nobody is harmed: what is on time stays so, what is late of the same or a higher tier gets no later. Only if
    the job would miss, commitments of lower tiers may be given up for it (R2, strict tiers), as few as possible. If
    even that does not help, it goes where it is done first without harm, late, unless its deadline is hard. `only`
    narrows the couriers (indices).
    """
    short = _short(plan, problem, job)
    if short is not None:
        return NoInsertion(job.id, short)
    jobs = {**problem.by_id(), job.id: job}
    couriers = [index for index in allowed(job, problem) if only is None or index in only]
    gentle = [
        spot
        for spot in _spots(plan, problem, job, jobs, couriers, _gentle_limit(job))
        if not job.hard or spot.finish_s <= job.due_s
    ]
    best = min(gentle, key=lambda spot: _rank(spot, job, problem, aim), default=None)
    if best is not None and best.finish_s <= job.due_s:
        return _insertion(best, plan, problem, job, jobs)
    strict = [
        spot for spot in _spots(plan, problem, job, jobs, couriers, _strict_limit(job)) if spot.finish_s <= job.due_s
    ]
    if strict:
        best = min(strict, key=lambda spot: (_harm(spot, plan, problem, job, jobs), *_rank(spot, job, problem, aim)))
    if best is None:
        return NoInsertion(job.id, _why_not(job, problem, couriers))
    return _insertion(best, plan, problem, job, jobs)


def _short(plan: Plan, problem: Problem, job: Job) -> Reason | None:
    """Why no piece is left for the job: its shelf is empty."""
    stock = dict(problem.stock)
    if job.shelf not in stock or job.pickup is None:
        return None
    left = stock[job.shelf] - taken(plan.routes, problem)[job.shelf]
    return Reason("R3", "routing.shelf_empty", {"shelf": job.shelf, "left": left}) if left < job.pieces else None


def applied(plan: Plan, problem: Problem, insertion: Insertion) -> Plan:
    """The plan with the insertion made and all times renewed."""
    orders = orders_of(plan)
    orders[insertion.courier] = list(insertion.order)
    return schedule(orders, problem, why=dict(plan.unserved), seed=plan.seed)


def insert_all(plan: Plan, problem: Problem, jobs: Iterable[Job], *, aim: Aim = "finish") -> Plan:
    """The jobs inserted one by one, in the order given; what finds no place stays unserved with its reason.

    Of a line's alternatives the best is taken. Lower tiers' jobs that were made late get one more chance elsewhere.
    """
    again = set[str]()
    known = problem.by_id()
    alike = problem.by_line()
    why = dict(plan.unserved)
    for name, asked in {job.whole: job for job in jobs}.items():
        ways = [cheapest_insertion(plan, problem, job, aim=aim) for job in alike.get(name, [asked])]
        found = _best_of(ways, problem, aim)
        if isinstance(found, NoInsertion):
            why[name] = found.reason
            continue
        plan = applied(plan, problem, found)
        for harmed in found.harmed:
            if harmed not in again and _movable(known[harmed], problem):
                again.add(harmed)
                moved = _moved(plan, problem, known[harmed], aim)
                plan = moved if moved.costs.score < plan.costs.score else plan
    return schedule(orders_of(plan), problem, why=why, seed=plan.seed)


def _best_of(tries: Sequence[Insertion | NoInsertion], problem: Problem, aim: Aim) -> Insertion | NoInsertion:
    """The best of a line's alternatives: harming fewest, least late, then by aim; the first reason if none fits."""
    price = problem.prices

    def rank(one: Insertion) -> tuple[int, ...]:
        cost = price.drive * one.added_drive_s + price.lead * one.finish_s
        return (len(one.harmed), one.late_s, *((one.finish_s, cost) if aim == "finish" else (cost, one.finish_s)))

    return min((one for one in tries if isinstance(one, Insertion)), key=rank, default=tries[0])


def greedy(problem: Problem, start: Plan | None = None) -> Plan:
    """A sound plan at once: what stands is kept (`adopted`), the rest inserted by tier and deadline; R2's better of
    earliest finish and least cost, or, of more than MANY jobs, where each takes seconds, the latter."""
    base = adopted(start, problem)
    missing = sorted(missing_from(base, problem), key=lambda job: (job.tier, job.due_s, job.id))
    aims: tuple[Aim, ...] = ("cost", "finish") if len(missing) <= MANY else ("cost",)
    plans = [insert_all(base, problem, missing, aim=aim) for aim in aims]
    return min(plans, key=lambda plan: plan.costs.score)


def missing_from(plan: Plan, problem: Problem) -> list[Job]:
    """The jobs of which neither they nor an alternative is in the plan."""
    served = plan.finishes()
    wholes = {job.whole for job in problem.jobs if job.id in served}
    return [job for job in problem.jobs if job.whole not in wholes]


def _moved(plan: Plan, problem: Problem, job: Job, aim: Aim) -> Plan:
    """The plan with one job taken out and inserted anew, or as it was if it finds no place."""
    orders = [[visit for visit in order if visit.job != job.id] for order in orders_of(plan)]
    without = schedule(orders, problem, why=dict(plan.unserved), seed=plan.seed)
    found = cheapest_insertion(without, problem, job, aim=aim)
    return plan if isinstance(found, NoInsertion) else applied(without, problem, found)


def _movable(job: Job, problem: Problem) -> bool:
    return all(courier.first is None or courier.first.job != job.id for courier in problem.couriers)


def _gentle_limit(job: Job) -> Limit:
    def limit(other: Job, finish_s: int) -> int:
        if finish_s <= other.due_s or other.hard:
            return other.due_s
        return finish_s if other.tier <= job.tier else NEVER

    return limit


def _strict_limit(job: Job) -> Limit:
    def limit(other: Job, finish_s: int) -> int:
        return other.due_s if other.hard or (finish_s <= other.due_s and other.tier <= job.tier) else NEVER

    return limit


def _rank(spot: _Spot, job: Job, problem: Problem, aim: Aim) -> tuple[int, ...]:
    late = max(0, spot.finish_s - job.due_s)
    place = (spot.courier, spot.pickup_at, spot.drop_at)
    if aim == "finish":
        return (late, spot.finish_s, spot.added_drive_s, *place)
    price = problem.prices
    return (late, price.drive * spot.added_drive_s + price.lead * spot.finish_s, spot.finish_s, *place)


def _spots(
    plan: Plan, problem: Problem, job: Job, jobs: Mapping[str, Job], couriers: Sequence[int], limit: Limit
) -> Iterator[_Spot]:
    """Every place in every route where the job fits and no stop gets later than its limit."""
    for index in couriers:
        courier = problem.couriers[index]
        track = _Track(plan.routes[index], courier, jobs, problem, limit)
        two = len(visits_of(job, courier)) == 2
        if two and (job.pieces > track.room[0] or job.grams > track.room[1]):
            continue
        limited = courier.work_s is not None or courier.length is not None
        for spot in _spots_on(index, track, job, two):
            if not limited or bounded(
                run(_ordered(spot, plan, problem, job), courier, jobs, problem), courier, jobs, problem
            ):
                yield spot


def _spots_on(index: int, track: "_Track", job: Job, two: bool) -> Iterator[_Spot]:
    """The places on one route; what comes along from the start is carried until then."""
    for at in range(track.lock, len(track.stops) + 1):
        if job.loaded and not track.carries(job, at):
            return
        if two:
            yield from _pair_spots(index, track, job, at)
        else:
            yield from _drop_spots(index, track, job, at, at, (track.leave[at], track.place[at]), 0)


class _Track:
    """One route prepared for the scan: per position the time and place before it, and the latest arrival after it."""

    def __init__(self, route: Route, courier: Courier, jobs: Mapping[str, Job], problem: Problem, limit: Limit) -> None:
        self.travel = problem.travel
        self.lock = 1 if courier.first is not None else 0
        self.stops = [(jobs[stop.job], stop.kind, stop.location) for stop in route.stops]
        self.leave = [courier.available_s, *(stop.leave_s for stop in route.stops)]
        self.place = [courier.start, *(stop.location for stop in route.stops)]
        self.loads = loads([Visit(stop.kind, stop.job) for stop in route.stops], courier, jobs)
        self.room = most(courier, jobs)
        self.home = courier.home
        self.end = until(courier, jobs, problem)
        self.latest = self._latest(route, limit)

    def _latest(self, route: Route, limit: Limit) -> list[int]:
        """Latest arrival at each stop that keeps every limit from there on, -1 where nothing does."""
        latest = [0] * len(self.stops)
        after = self.end
        for at in range(len(self.stops) - 1, -1, -1):
            job, kind, place = self.stops[at]
            if at == len(self.stops) - 1:
                after -= 0 if self.home is None else self.travel[place][self.home]
            else:
                after = latest[at + 1] - self.travel[place][self.stops[at + 1][2]]
            if kind == "drop":
                after = min(after, limit(job, route.stops[at].leave_s))
            latest[at] = _latest_start(job, kind, after - service_of(job, kind))
        return latest

    def carries(self, job: Job, at: int) -> bool:
        """Whether there is room for a loaded job from the start to before the stop at this position."""
        pieces, grams = self.loads[at]
        return pieces + job.pieces <= self.room[0] and grams + job.grams <= self.room[1]

    def way(self, place: int, at: int) -> int:
        """Seconds from a place to the stop at this position, or home, or nowhere."""
        if at < len(self.stops):
            return self.travel[place][self.stops[at][2]]
        return 0 if self.home is None else self.travel[place][self.home]

    def bears(self, leave_s: int, place: int, at: int) -> bool:
        """Whether the stops from this position on keep their limits after leaving a place at this time."""
        arrive = leave_s + self.way(place, at)
        return arrive <= (self.latest[at] if at < len(self.stops) else self.end)


def _latest_start(job: Job, kind: Kind, by: int) -> int:
    """The latest start not after `by` that is open and ready, or -1."""
    ready, spans = (job.earliest_drop_s, job.drop_open) if kind == "drop" else (job.ready_s, job.pickup_open)
    if spans:
        service = service_of(job, kind)
        by = max(
            (min(by, closes - service) for opens, closes in spans if opens <= min(by, closes - service)), default=-1
        )
    return by if by >= ready else -1


def _pair_spots(index: int, track: _Track, job: Job, at: int) -> Iterator[_Spot]:
    """The pick-up before the stop at this position, the drop at every later position it can have."""
    fetch = place_of(job, "pickup")
    before, place = track.leave[at], track.place[at]
    start = start_of(job, "pickup", before + track.travel[place][fetch])
    if start is None or start + job.pickup_service_s > track.end:
        return
    now, here = start + job.pickup_service_s, fetch
    added = track.travel[place][fetch] + track.way(fetch, at) - track.way(place, at)
    for drop_at in range(at, len(track.stops) + 1):
        pieces, grams = track.loads[drop_at]
        if pieces + job.pieces > track.room[0] or grams + job.grams > track.room[1]:
            return
        yield from _drop_spots(index, track, job, at, drop_at, (now, here), added)
        if drop_at == len(track.stops) or not track.bears(now, here, drop_at):
            return
        other, kind, there = track.stops[drop_at]
        begin = start_of(other, kind, now + track.travel[here][there])
        if begin is None:
            return
        now, here = begin + service_of(other, kind), there


def _drop_spots(
    index: int, track: _Track, job: Job, pickup_at: int, at: int, since: tuple[int, int], added: int
) -> Iterator[_Spot]:
    """The drop before the stop at this position, coming from a place at a time; none or one."""
    now, here = since
    leg = track.travel[here][job.drop]
    start = start_of(job, "drop", now + leg)
    if start is None:
        return
    finish = start + job.drop_service_s
    if finish > track.end or not track.bears(finish, job.drop, at):
        return
    yield _Spot(index, pickup_at, at, finish, added + leg + track.way(job.drop, at) - track.way(here, at))


def _ordered(spot: _Spot, plan: Plan, problem: Problem, job: Job) -> list[Visit]:
    order = [Visit(stop.kind, stop.job) for stop in plan.routes[spot.courier].stops]
    needed = visits_of(job, problem.couriers[spot.courier])
    order.insert(spot.drop_at, needed[-1])
    if len(needed) == 2:
        order.insert(spot.pickup_at, needed[0])
    return order


def _harm(spot: _Spot, plan: Plan, problem: Problem, job: Job, jobs: Mapping[str, Job]) -> tuple[int, ...]:
    """Misses and lateness by tier that the route would have."""
    route = run(_ordered(spot, plan, problem, job), problem.couriers[spot.courier], jobs, problem)
    misses, late = [0] * len(TIERS), [0] * len(TIERS)
    for stop in route.stops:
        over = stop.leave_s - jobs[stop.job].due_s
        if stop.kind == "drop" and over > 0:
            misses[jobs[stop.job].tier] += 1
            late[jobs[stop.job].tier] += over
    old = plan.routes[spot.courier].stops
    for stop in old:
        over = stop.leave_s - jobs[stop.job].due_s
        if stop.kind == "drop" and over > 0:
            misses[jobs[stop.job].tier] -= 1
            late[jobs[stop.job].tier] -= over
    return (*misses, *late)


def _insertion(spot: _Spot, plan: Plan, problem: Problem, job: Job, jobs: Mapping[str, Job]) -> Insertion:
    order = _ordered(spot, plan, problem, job)
    before = {stop.job: stop.leave_s for stop in plan.routes[spot.courier].stops if stop.kind == "drop"}
    after = run(order, problem.couriers[spot.courier], jobs, problem)
    harmed = tuple(
        stop.job
        for stop in after.stops
        if stop.kind == "drop" and stop.job in before and before[stop.job] <= jobs[stop.job].due_s < stop.leave_s
    )
    added = after.drive_s - plan.routes[spot.courier].drive_s
    late = max(0, spot.finish_s - job.due_s)
    return Insertion(job.id, spot.courier, tuple(order), spot.finish_s, late, added, harmed)


def _why_not(job: Job, problem: Problem, couriers: Sequence[int]) -> Reason:
    """The first thing that rules every courier out (R6)."""
    if not couriers:
        return Reason("R3", "routing.no_courier_may", {"skills": list(job.skills), "courier": job.pinned_courier})
    jobs = problem.by_id()
    if all(job.pieces > (room := most(problem.couriers[index], jobs))[0] or job.grams > room[1] for index in couriers):
        return Reason("R3", "routing.too_heavy", {"pieces": job.pieces, "grams": job.grams})
    return Reason("R3", "routing.no_room", {"couriers": len(couriers)})
