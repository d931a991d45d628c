"""A plan: routes with times, what stays unserved and why, and what it costs. Times of a fixed order; no search."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.core.errors import Reason
from app.routing.rules.problem import TIERS, Courier, Job, Kind, Problem, Visit, place_of, service_of, start_of

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
    """What one courier does in one shift, in order; `drive_s` includes the way home where there is one."""

    courier: str
    shift: int
    stops: tuple[Stop, ...]
    drive_s: int


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

    @property
    def score(self) -> Score:
        return (*self.misses, *self.late_s, self.cost, self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What finding the plan took; `method` lists the ways that gave a plan, in order.

    Wall and CPU differ under load: a plan that got little CPU is poor silently.
    """

    method: str = "fixed"
    branches: int = 0
    solutions: int = 0
    wall_ms: int = 0
    cpu_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Routes in the order of `problem.couriers`; every job is in exactly one route or in `unserved`."""

    routes: tuple[Route, ...]
    unserved: tuple[tuple[str, Reason], ...]
    costs: Costs
    effort: Effort = Effort()
    seed: int = 0

    def finishes(self) -> dict[str, int]:
        """When each served job's fitting is over, by job id."""
        return {stop.job: stop.leave_s for route in self.routes for stop in route.stops if stop.kind == "drop"}


def run(order: Order, courier: Courier, jobs: Mapping[str, Job], problem: Problem) -> Route:
    """Earliest times of one courier's visits in the given order. A closed site is entered anyway: the judge objects."""
    at, place, drive_s, stops = courier.available_s, courier.start, 0, []
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
    return Route(courier.code, courier.shift, tuple(stops), drive_s)


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
    served = {stop.job for route in routes for stop in route.stops if stop.kind == "drop"}
    reasons = why or {}
    plain = Reason("R3", "routing.unserved")
    unserved = tuple((job.id, reasons.get(job.id, plain)) for job in problem.jobs if job.id not in served)
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
    finish = {stop.job: stop.leave_s for route in routes for stop in route.stops if stop.kind == "drop"}
    misses, late = [0] * len(TIERS), [0] * len(TIERS)
    lead_s = calm_s = changes = 0
    for job in problem.jobs:
        at = finish.get(job.id)
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
    price = problem.prices
    return Costs(
        misses=(misses[0], misses[1], misses[2]),
        late_s=(late[0], late[1], late[2]),
        cost=price.drive * drive_s + price.lead * lead_s + price.calm * calm_s,
        changes=changes,
        drive_s=drive_s,
        lead_s=lead_s,
        calm_s=calm_s,
    )


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
    """Inverse of `to_json`; raises KeyError or TypeError on anything else."""
    misses, late = raw["costs"]["misses"], raw["costs"]["late_s"]
    return Plan(
        routes=tuple(
            Route(each["courier"], each["shift"], tuple(Stop(**stop) for stop in each["stops"]), each["drive_s"])
            for each in raw["routes"]
        ),
        unserved=tuple((job, Reason(**reason)) for job, reason in raw["unserved"]),
        costs=Costs(**{**raw["costs"], "misses": tuple(misses), "late_s": tuple(late)}),
        effort=Effort(**raw["effort"]),
        seed=raw["seed"],
    )
