"""A Problem as an OR-Tools routing model: nodes, dimensions, prices, who may go where. Building only, no search."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp

from app.routing.rules.explain import reach
from app.routing.rules.plan import Plan
from app.routing.rules.problem import TIERS, Job, Kind, Problem, Visit, allowed, place_of, started, until, visits_of
from app.routing.rules.standing import most

LIMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class Node:
    """One visit of one job as a node of the model."""

    visit: Visit
    job: Job
    carried: bool


@dataclass(frozen=True, slots=True)
class Tiers:
    """Whole-number prices: of leaving a job out by tier, and of a second of lateness by tier."""

    miss: tuple[int, int, int]
    late: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Model:
    """The routing model with what is needed to read its answers; `nodes[i]` is OR-Tools' node i."""

    routing: Any
    indexes: Any
    time: Any
    nodes: tuple[Node, ...]
    problem: Problem
    tiers: Tiers


def tiers_of(problem: Problem) -> Tiers:
    """Prices so that one miss of a tier outweighs all misses below it, and any miss all lateness and cost (R2).

    Lateness is strictly tiered as far as 62 bits allow: its steps shrink before anything overflows. Raises
    OverflowError for a problem too large even so.
    """
    horizon, price = problem.horizon_s, problem.prices
    longest = max((max(row) for row in problem.travel), default=0)
    visits = 2 * len(problem.jobs) + 2 * len(problem.couriers)
    cost = price.drive * longest * visits + (price.lead + price.calm) * horizon * len(problem.jobs) + 1
    counts = [sum(job.tier == tier for job in problem.jobs) for tier in TIERS]
    oldest = max((horizon - min(0, job.due_s) for job in problem.jobs), default=horizon)
    for step in (cost, 10_000, 1_000, 100, 10, 1):
        late = [0, 0, min(step, cost)]
        for tier in (1, 0):
            below = sum(late[each] * counts[each] * oldest for each in TIERS if each > tier)
            late[tier] = max(late[tier + 1], min(below + 1, late[tier + 1] * step))
        over = cost + sum(late[tier] * counts[tier] * oldest for tier in TIERS) + 1
        miss = [0, 0, over]
        miss[1] = over + miss[2] * counts[2]
        miss[0] = over + miss[1] * counts[1] + miss[2] * counts[2]
        miss = [each * 2 for each in miss]
        if over + sum(miss[tier] * counts[tier] for tier in TIERS) < LIMIT:
            return Tiers((miss[0], miss[1], miss[2]), (late[0], late[1], late[2]))
    raise OverflowError(f"{len(problem.jobs)} jobs are too many for one model")


def build(problem: Problem, order: list[int], soft: frozenset[str]) -> Model:
    """The model of a problem, jobs in the given order (indices; the seed shuffles them).

    A job in `soft` may finish late, for its tier's price a second; any other is done on time or left out for its
    tier's price, which is what a miss costs whichever way (R2). All visits are optional but started ones, what nobody
    can reach is left out, and what nobody can reach in time is soft: a first solution always exists.
    """
    begun = {courier.first.job for courier in problem.couriers if courier.first}
    best = {job.id: reach(job, problem) for job in problem.jobs}
    jobs = [problem.jobs[at] for at in order if best[problem.jobs[at].id] or problem.jobs[at].id in begun]
    soft |= begun | {job.id for job in jobs if (alone := best[job.id]) is None or alone.finish_s > job.due_s}
    aboard = problem.carried_by()
    nodes = []
    for job in jobs:
        courier = problem.couriers[aboard[job.id]] if job.id in aboard else problem.couriers[0]
        nodes += [Node(visit, job, job.id in aboard) for visit in visits_of(job, courier)]
    fleet, count = problem.couriers, len(nodes)
    starts = [count + 2 * index for index in range(len(fleet))]
    ends = [count + 2 * index + 1 for index in range(len(fleet))]
    indexes = pywrapcp.RoutingIndexManager(count + 2 * len(fleet), len(fleet), starts, ends)
    routing = pywrapcp.RoutingModel(indexes)
    drive = _drive(problem, nodes)
    service = np.zeros(len(drive), dtype=np.int64)
    service[:count] = [node.job.drop_service_s if _drop(node) else node.job.pickup_service_s for node in nodes]
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix((drive * problem.prices.drive).tolist()))
    passing = routing.RegisterTransitMatrix((drive + service[:, None]).tolist())
    longest = max([problem.horizon_s, *(until(courier, problem.by_id(), problem) for courier in fleet)])
    routing.AddDimension(passing, longest, longest, False, "time")
    model = Model(routing, indexes, routing.GetDimensionOrDie("time"), tuple(nodes), problem, tiers_of(problem))
    _loads(model)
    _shifts(model)
    _visits(model, soft)
    _pairs(model)
    _started(model)
    return model


def _drop(node: Node) -> bool:
    return node.visit.kind == "drop"


def _drive(problem: Problem, nodes: list[Node]) -> Any:
    """Seconds between all nodes; an end without a home is next to everywhere, a start is never driven to."""
    fleet, count = problem.couriers, len(nodes)
    places = [place_of(node.job, node.visit.kind) for node in nodes]
    for courier in fleet:
        places += [courier.start, courier.start if courier.home is None else courier.home]
    drive = np.array(problem.travel, dtype=np.int64)[np.ix_(places, places)]
    for index, courier in enumerate(fleet):
        if courier.home is None:
            drive[:, count + 2 * index + 1] = 0
        drive[count + 2 * index, count + 1 :: 2] = 0  # an unused courier drives nowhere
    return drive


def _loads(model: Model) -> None:
    """Pieces and grams along each route, where any capacity can bind at all."""
    fleet, by_id = model.problem.couriers, model.problem.by_id()
    for kind, name in enumerate(("pieces", "grams")):
        if sum(getattr(job, name) for job in model.problem.jobs) <= min(getattr(courier, name) for courier in fleet):
            continue
        carried = [sum(getattr(by_id[job], name) for job in courier.carrying) for courier in fleet]
        room = [most(courier, by_id)[kind] for courier in fleet]
        change = [_change(node, name) for node in model.nodes] + [0] * (2 * len(fleet))
        unary = model.routing.RegisterUnaryTransitVector(change)
        model.routing.AddDimensionWithVehicleCapacity(unary, 0, room, False, name)
        dimension = model.routing.GetDimensionOrDie(name)
        for vehicle, on_board in enumerate(carried):
            dimension.CumulVar(model.routing.Start(vehicle)).SetValue(on_board)


def _change(node: Node, name: str) -> int:
    if node.job.pickup is None and not node.carried:
        return 0
    load: int = getattr(node.job, name)
    return -load if _drop(node) else load


def _shifts(model: Model) -> None:
    by_id = model.problem.by_id()
    for vehicle, courier in enumerate(model.problem.couriers):
        start, end = model.routing.Start(vehicle), model.routing.End(vehicle)
        last = max(until(courier, by_id, model.problem), courier.available_s)
        model.time.CumulVar(start).SetValue(courier.available_s)
        model.time.CumulVar(end).SetRange(courier.available_s, last)
        model.routing.AddVariableMinimizedByFinalizer(model.time.CumulVar(end))


def _visits(model: Model, soft: frozenset[str]) -> None:
    """Times, couriers and the price of leaving out, node by node."""
    problem, price = model.problem, model.problem.prices
    longest = max(model.time.CumulVar(model.routing.End(vehicle)).Max() for vehicle in range(len(problem.couriers)))
    begun = {courier.first.job for courier in problem.couriers if courier.first}
    shut = _shut(problem)
    for number, node in enumerate(model.nodes):
        index, job = model.indexes.NodeToIndex(number), node.job
        at = model.time.CumulVar(index)
        _open(at, job, node.visit.kind, longest, spans=node.visit not in shut)
        if _drop(node):
            by = max(0, job.due_s - job.drop_service_s)
            if job.id in soft:
                model.time.SetCumulVarSoftUpperBound(index, by, model.tiers.late[job.tier])
            else:
                at.SetMax(by)
                told = 0 if job.told_s is None else max(0, job.told_s - job.drop_service_s)
                model.time.SetCumulVarSoftUpperBound(index, told, price.lead + (price.calm if told else 0))
        model.routing.VehicleVar(index).SetValues([-1, *allowed(job, problem)])
        if job.id not in begun:
            share = 1 if job.pickup is None or node.carried else 2
            model.routing.AddDisjunction([index], model.tiers.miss[job.tier] // share)


def _shut(problem: Problem) -> set[Visit]:
    """Visits of started jobs that come to closed doors whatever one does: their opening hours are let go."""
    by_id = problem.by_id()
    return {
        Visit(kind, courier.first.job)
        for courier in problem.couriers
        if courier.first is not None
        for kind, opened, _ in started(courier, by_id[courier.first.job], problem)
        if not opened
    }


def _open(at: Any, job: Job, kind: Kind, longest: int, *, spans: bool) -> None:
    """Ready time and open spans, as starts of the service."""
    drop = kind == "drop"
    earliest, opened, service = (
        (job.earliest_drop_s, job.drop_open, job.drop_service_s)
        if drop
        else (job.ready_s, job.pickup_open, job.pickup_service_s)
    )
    if earliest > longest:
        at.SetMin(longest)
        return
    at.SetMin(max(0, earliest))
    if not (spans and opened):
        return
    free = max(0, earliest)
    for opens, closes in opened:
        if opens > free:
            at.RemoveInterval(free, min(opens, longest + 1) - 1)
        free = max(free, closes - service + 1)
    at.RemoveInterval(free, longest)


def _pairs(model: Model) -> None:
    """Fetched before brought, by the same courier, both or neither."""
    solver = model.routing.solver()
    pickups = {node.job.id: number for number, node in enumerate(model.nodes) if not _drop(node)}
    for number, node in enumerate(model.nodes):
        if not _drop(node) or node.job.id not in pickups:
            continue
        fetch, bring = model.indexes.NodeToIndex(pickups[node.job.id]), model.indexes.NodeToIndex(number)
        model.routing.AddPickupAndDelivery(fetch, bring)
        solver.Add(model.routing.VehicleVar(fetch) == model.routing.VehicleVar(bring))
        solver.Add(model.time.CumulVar(fetch) <= model.time.CumulVar(bring))


def _started(model: Model) -> None:
    """The stop a courier drives to now comes first (R4)."""
    number_of = {node.visit: number for number, node in enumerate(model.nodes)}
    for vehicle, courier in enumerate(model.problem.couriers):
        if courier.first is not None:
            index = model.indexes.NodeToIndex(number_of[courier.first])
            model.routing.NextVar(model.routing.Start(vehicle)).SetValue(index)


def routes_of(model: Model, plan: Plan, without: frozenset[str]) -> list[list[int]]:
    """A plan's routes as node indices for a warm start, jobs of `without` left out."""
    number_of = {node.visit: number for number, node in enumerate(model.nodes)}
    return [
        [
            model.indexes.NodeToIndex(number_of[Visit(stop.kind, stop.job)])
            for stop in route.stops
            if stop.job not in without and Visit(stop.kind, stop.job) in number_of
        ]
        for route in plan.routes
    ]


def orders_from(model: Model, assignment: Any) -> list[list[Visit]]:
    """The visits of each courier in an OR-Tools assignment."""
    orders = []
    for vehicle in range(len(model.problem.couriers)):
        index, order = assignment.Value(model.routing.NextVar(model.routing.Start(vehicle))), list[Visit]()
        while not model.routing.IsEnd(index):
            order.append(model.nodes[model.indexes.IndexToNode(index)].visit)
            index = assignment.Value(model.routing.NextVar(index))
        orders.append(order)
    return orders
