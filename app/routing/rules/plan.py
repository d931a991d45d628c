"""A plan: routes with times, what stays unserved and why, and what it costs. Times of a fixed order; no search."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from app.core.errors import Reason
from app.routing.rules.problem import TIERS, Courier, Job, Kind, Problem, Visit, place_of, service_of, start_of, way
from app.routing.rules.shape import shaped

Order = Sequence[Visit]
Score = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit with its times: arrival, start of service, end of service (seconds after the problem's start)."""

    kind: Kind
    job: str
    location: int
    arrive_s: int
    start_s: int
    leave_s: int


@dataclass(frozen=True, slots=True)
class Route:
    """What one courier does in one shift, in order; `drive_s` includes the way home where there is one.

    `start_s` is when a courier leaves who may leave later than `available_s`; None is at once.
    """

    courier: str
    shift: int
    stops: tuple[Stop, ...]
    drive_s: int
    start_s: int | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """R2 in its order: misses by tier, lateness by tier, cost, changes; the rest explains the cost."""

    misses: tuple[int, int, int]
    late_s: tuple[int, int, int]
    cost: int
    changes: int
    drive_s: int
    lead_s: int
    calm_s: int
    length: int = 0

    @property
    def score(self) -> Score:
        return (*self.misses, *self.late_s, self.cost, self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What finding the plan took; `method` lists the ways that gave a plan, in order.

    Wall and CPU differ under load: a plan that got little CPU is poor silently. `ways` and `marks` say how far each
    search went, so that the same problem, standing plan and seed give the same plan again.
    """

    method: str = "fixed"
    branches: int = 0
    solutions: int = 0
    wall_ms: int = 0
    cpu_ms: int = 0
    ways: tuple[str, ...] = ()
    marks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Routes in the order of `problem.couriers`; every job, or one job of each line, is in exactly one route or, by the
    name of the whole, in `unserved`."""

    routes: tuple[Route, ...]
    unserved: tuple[tuple[str, Reason], ...]
    costs: Costs
    effort: Effort = Effort()
    seed: int = 0

    def finishes(self) -> dict[str, int]:
        """When each served job's fitting is over, by job id."""
        return {stop.job: stop.leave_s for route in self.routes for stop in route.stops if stop.kind == "drop"}


def run(order: Order, courier: Courier, jobs: Mapping[str, Job], problem: Problem) -> Route:
    """Earliest times of one courier's visits in the given order. A closed site is entered anyway: the judge objects.

    Who may leave later does so by as much as costs nothing at the first stop, and by more only where the shift would
    else be too long (`Courier.work_s`).
    """
    stops, drive_s = _timed(order, courier, jobs, problem, courier.available_s)
    start_s = None
    if courier.latest_start_s is not None and stops:
        start_s = _leaves(stops, courier, jobs, problem)
        stops, drive_s = _timed(order, courier, jobs, problem, start_s)
    return Route(courier.code, courier.shift, tuple(stops), drive_s, start_s)


def _timed(
    order: Order, courier: Courier, jobs: Mapping[str, Job], problem: Problem, at: int
) -> tuple[list[Stop], int]:
    place, drive_s, stops = courier.start, 0, []
    for visit in order:
        job = jobs[visit.job]
        there = place_of(job, visit.kind)
        leg = problem.travel[place][there]
        arrive = at + leg
        start = start_of(job, visit.kind, arrive)
        start = arrive if start is None else start
        at, place, drive_s = start + service_of(job, visit.kind), there, drive_s + leg
        stops.append(Stop(visit.kind, visit.job, there, arrive, start, at))
    if courier.home is not None and stops:
        drive_s += problem.travel[place][courier.home]
    return stops, drive_s


def _leaves(stops: Sequence[Stop], courier: Courier, jobs: Mapping[str, Job], problem: Problem) -> int:
    """When to leave: the last moment that delays nobody's service, or a later one if the shift would be too long.

    `latest` is the last moment that delays the end of the route neither, nor makes anyone late who is not.
    """
    first, last = stops[0], stops[-1]
    free = first.start_s - problem.travel[courier.start][first.location]
    latest = last.start_s
    for at in range(len(stops) - 1, -1, -1):
        stop, job = stops[at], jobs[stops[at].job]
        if at < len(stops) - 1:
            latest -= problem.travel[stop.location][stops[at + 1].location] + service_of(job, stop.kind)
        latest = _latest(job, stop, latest)
    latest -= problem.travel[courier.start][first.location]
    end = last.leave_s + (0 if courier.home is None else problem.travel[last.location][courier.home])
    needed = free if courier.work_s is None else min(latest, max(free, end - courier.work_s))
    return max(courier.available_s, min(needed, courier.latest_start_s or 0))


def _latest(job: Job, stop: Stop, by: int) -> int:
    """The last start not after `by` in the doors' hours and on time, or the start it has."""
    if stop.kind == "drop":
        by = min(by, max(stop.start_s, job.due_s - job.drop_service_s))
    spans, service = (
        (job.drop_open, job.drop_service_s) if stop.kind == "drop" else (job.pickup_open, job.pickup_service_s)
    )
    if spans:
        by = max(
            (min(by, closes - service) for opens, closes in spans if opens <= min(by, closes - service)), default=0
        )
    return max(by, stop.start_s)


def schedule(
    orders: Sequence[Order],
    problem: Problem,
    *,
    why: Mapping[str, Reason] | None = None,
    effort: Effort | None = None,
    seed: int = 0,
) -> Plan:
    """The plan with earliest times for fixed orders, one per courier; jobs in none are unserved, for `why`."""
    jobs = problem.by_id()
    pairs = zip(orders, problem.couriers, strict=True)
    routes = tuple(run(order, courier, jobs, problem) for order, courier in pairs)
    served = {jobs[stop.job].whole for route in routes for stop in route.stops if stop.kind == "drop"}
    reasons = why or {}
    plain = Reason("R3", "routing.unserved")
    wholes = dict.fromkeys(job.whole for job in problem.jobs)
    unserved = tuple((name, reasons.get(name, plain)) for name in wholes if name not in served)
    return Plan(
        routes=routes,
        unserved=unserved,
        costs=costs(routes, problem),
        effort=effort or Effort(),
        seed=seed,
    )


def costs(routes: Iterable[Route], problem: Problem) -> Costs:
    """R2's numbers. An unserved job is a miss, as late as the horizon allows: doing it late is always better."""
    routes = tuple(routes)
    jobs = problem.by_id()
    finish = {jobs[stop.job].whole: stop.leave_s for route in routes for stop in route.stops if stop.kind == "drop"}
    misses, late = [0] * len(TIERS), [0] * len(TIERS)
    lead_s = calm_s = changes = 0
    for name, job in {job.whole: job for job in problem.jobs}.items():
        at = finish.get(name)
        end = problem.horizon_s if at is None else at
        late_s = max(end - job.due_s, 1 if at is None else 0)
        if late_s > 0:
            misses[job.tier] += 1
            late[job.tier] += late_s
        lead_s += end
        if job.told_s is not None:
            calm_s += max(0, end - job.told_s)
            changes += abs(end - job.told_s) > problem.prices.tolerance_s
    drive_s = sum(route.drive_s for route in routes)
    length = sum(length_of(route, courier, problem) for route, courier in zip(routes, problem.couriers, strict=True))
    price = problem.prices
    return Costs(
        misses=(misses[0], misses[1], misses[2]),
        late_s=(late[0], late[1], late[2]),
        cost=price.drive * drive_s + price.lead * lead_s + price.calm * calm_s + price.length * length,
        changes=changes,
        drive_s=drive_s,
        lead_s=lead_s,
        calm_s=calm_s,
        length=length,
    )


def length_of(route: Route, courier: Courier, problem: Problem) -> int:
    """The way of a route, home included, in the unit of `Problem.lengths`."""
    places = [courier.start, *(stop.location for stop in route.stops)]
    if courier.home is not None and route.stops:
        places.append(courier.home)
    return sum(way(problem, here, there) for here, there in pairwise(places))


def work_of(route: Route, courier: Courier, problem: Problem) -> int:
    """Seconds from leaving to the end of the route, home included; 0 for an empty one."""
    if not route.stops:
        return 0
    home = 0 if courier.home is None else problem.travel[route.stops[-1].location][courier.home]
    left = courier.available_s if route.start_s is None else route.start_s
    return route.stops[-1].leave_s + home - left


def bounded(route: Route, courier: Courier, jobs: Mapping[str, Job], problem: Problem) -> bool:
    """Whether a route keeps to the courier's length and time of work."""
    work_s, length = bounds(courier, jobs, problem)
    if work_s is not None and work_of(route, courier, problem) > work_s:
        return False
    return length is None or length_of(route, courier, problem) <= length


def bounds(courier: Courier, jobs: Mapping[str, Job], problem: Problem) -> tuple[int | None, int | None]:
    """Time of work and length a route may have; what was started is finished even beyond."""
    work_s, length = courier.work_s, courier.length
    if courier.first is not None and (work_s, length) != (None, None):
        job = jobs[courier.first.job]
        kinds: tuple[Kind, ...] = ("pickup", "drop") if courier.first.kind == "pickup" else ("drop",)
        begun = Route(
            courier.code,
            0,
            tuple(_timed([Visit(kind, job.id) for kind in kinds], courier, jobs, problem, courier.available_s)[0]),
            0,
        )
        work_s = None if work_s is None else max(work_s, work_of(begun, courier, problem))
        length = None if length is None else max(length, length_of(begun, courier, problem))
    return work_s, length


def taken(routes: Iterable[Route], problem: Problem) -> Counter[str]:
    """Pieces the routes fetch from each shelf."""
    jobs, found = problem.by_id(), Counter[str]()
    for route in routes:
        for stop in route.stops:
            job = jobs[stop.job]
            if stop.kind == "pickup" and job.shelf is not None:
                found[job.shelf] += job.pieces
    return found


def score(plan: Plan, problem: Problem) -> Score:
    """R2 as a tuple to compare, smaller is better, computed from the stops and not from what the plan claims."""
    return costs(plan.routes, problem).score


def orders_of(plan: Plan) -> list[list[Visit]]:
    """The bare order of visits per courier, without times."""
    return [[Visit(stop.kind, stop.job) for stop in route.stops] for route in plan.routes]


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values."""
    unserved = [[job, asdict(reason)] for job, reason in plan.unserved]
    return {**asdict(plan), "unserved": unserved}


def from_json(raw: Mapping[str, Any]) -> Plan:
    """Inverse of `to_json`; raises TypeError or ValueError on anything else."""
    said: _Written = shaped(raw, _Written)
    unserved = tuple((name, Reason(**why)) for name, why in said.unserved)
    return Plan(routes=said.routes, unserved=unserved, costs=said.costs, effort=said.effort, seed=said.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A plan as JSON has it: reasons are any objects yet."""

    routes: tuple[Route, ...]
    unserved: tuple[tuple[str, dict[str, Any]], ...]
    costs: Costs
    effort: Effort = Effort()
    seed: int = 0
