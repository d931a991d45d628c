"""A Problem as an OR-Tools routing model: nodes, dimensions, prices, who may go where. Building only, no search."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp

from app.routing.rules.explain import reach
from app.routing.rules.plan import Plan, bounds
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
    late = {job.id for job in jobs if (alone := best[job.id]) is None or alone.finish_s > job.due_s}
    jobs = [job for job in jobs if not (job.hard and job.id in late - begun)]
    soft = (soft | late) - {job.id for job in jobs if job.hard} | begun
    nodes = _nodes(jobs, problem)
    fleet, count = problem.couriers, len(nodes)
    starts = [count + 2 * index for index in range(len(fleet))]
    ends = [count + 2 * index + 1 for index in range(len(fleet))]
    indexes = pywrapcp.RoutingIndexManager(count + 2 * len(fleet), len(fleet), starts, ends)
    routing = pywrapcp.RoutingModel(indexes)
    drive = _between(problem, nodes, problem.travel)
    service = np.zeros(len(drive), dtype=np.int64)
    service[:count] = [node.job.drop_service_s if _drop(node) else node.job.pickup_service_s for node in nodes]
    length = drive if problem.lengths is None else _between(problem, nodes, problem.lengths)
    price = drive * problem.prices.drive + length * problem.prices.length
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(price.tolist()))
    passing = routing.RegisterTransitMatrix((drive + service[:, None]).tolist())
    longest = max([problem.horizon_s, *(until(courier, problem.by_id(), problem) for courier in fleet)])
    routing.AddDimension(passing, longest, longest, False, "time")
    model = Model(routing, indexes, routing.GetDimensionOrDie("time"), tuple(nodes), problem, tiers_of(problem))
    _lengths(model, length)
    _loads(model)
    _shifts(model)
    _visits(model, soft)
    _pairs(model)
    _started(model)
    return model


def _nodes(jobs: list[Job], problem: Problem) -> list[Node]:
    """The visits of the jobs. A line's alternatives are as many pick-ups and one drop, that of the first."""
    aboard = problem.carried_by()
    nodes, brought = [], set[str]()
    for job in jobs:
        courier = problem.couriers[aboard[job.id]] if job.id in aboard else problem.couriers[0]
        for visit in visits_of(job, courier):
            if visit.kind == "drop" and job.whole in brought:
                continue
            brought |= {job.whole} if visit.kind == "drop" else set()
            nodes.append(Node(visit, job, job.id in aboard))
    return nodes


def _drop(node: Node) -> bool:
    return node.visit.kind == "drop"


def _between(problem: Problem, nodes: list[Node], matrix: tuple[tuple[int, ...], ...]) -> Any:
    """Seconds or way between all nodes; an end without a home is next to everywhere, a start is never driven to."""
    fleet, count = problem.couriers, len(nodes)
    places = [place_of(node.job, node.visit.kind) for node in nodes]
    for courier in fleet:
        places += [courier.start, courier.start if courier.home is None else courier.home]
    drive = np.array(matrix, dtype=np.int64)[np.ix_(places, places)]
    for index, courier in enumerate(fleet):
        if courier.home is None:
            drive[:, count + 2 * index + 1] = 0
        drive[count + 2 * index, count + 1 :: 2] = 0  # an unused courier drives nowhere
    return drive


def _lengths(model: Model, length: Any) -> None:
    """The way along each route, where any courier's is bounded."""
    by_id, fleet = model.problem.by_id(), model.problem.couriers
    most = [bounds(courier, by_id, model.problem)[1] for courier in fleet]
    if any(each is not None for each in most):
        bounded = [LIMIT if each is None else each for each in most]
        transit = model.routing.RegisterTransitMatrix(length.tolist())
        model.routing.AddDimensionWithVehicleCapacity(transit, 0, bounded, True, "length")


def _loads(model: Model) -> None:
    """Pieces and grams along each route, where any capacity can bind at all. What is loaded at the start comes on top
    of what is on board already: the start is as full as the route needs."""
    fleet, by_id, solver = model.problem.couriers, model.problem.by_id(), model.routing.solver()
    loaded = any(node.job.loaded for node in model.nodes)
    for kind, name in enumerate(("pieces", "grams")):
        if sum(getattr(job, name) for job in model.problem.jobs) <= min(getattr(courier, name) for courier in fleet):
            continue
        room = [most(courier, by_id)[kind] for courier in fleet]
        change = [_change(node, name) for node in model.nodes] + [0] * (2 * len(fleet))
        unary = model.routing.RegisterUnaryTransitVector(change)
        model.routing.AddDimensionWithVehicleCapacity(unary, 0, room, False, name)
        dimension = model.routing.GetDimensionOrDie(name)
        for vehicle, courier in enumerate(fleet):
            on_board = sum(getattr(by_id[job], name) for job in courier.carrying)
            start, end = (dimension.CumulVar(each(vehicle)) for each in (model.routing.Start, model.routing.End))
            if not loaded:
                start.SetValue(on_board)
            elif on_board:
                start.SetMin(on_board)
                kept = [(1 - active) * load for active, load in _carried(model, courier.carrying, name)]
                solver.Add(end >= solver.Sum(kept))


def _carried(model: Model, names: tuple[str, ...], load: str) -> list[tuple[Any, int]]:
    """Whether each job on board is brought, and its load."""
    return [
        (model.routing.ActiveVar(model.indexes.NodeToIndex(number)), getattr(node.job, load))
        for number, node in enumerate(model.nodes)
        if node.job.id in names
    ]


def _change(node: Node, name: str) -> int:
    if node.job.pickup is None and not (node.carried or node.job.loaded):
        return 0
    load: int = getattr(node.job, name)
    return -load if _drop(node) else load


def _shifts(model: Model) -> None:
    by_id = model.problem.by_id()
    for vehicle, courier in enumerate(model.problem.couriers):
        start, end = model.routing.Start(vehicle), model.routing.End(vehicle)
        last = max(until(courier, by_id, model.problem), courier.available_s)
        if courier.latest_start_s is None:
            model.time.CumulVar(start).SetValue(courier.available_s)
        else:
            model.time.CumulVar(start).SetRange(courier.available_s, min(last, courier.latest_start_s))
        work_s = bounds(courier, by_id, model.problem)[0]
        if work_s is not None:
            model.time.SetSpanUpperBoundForVehicle(min(work_s, last), vehicle)
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
        if job.id not in begun and not (job.line and not _drop(node)):
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
    """Fetched before brought, by the same courier, both or neither; of a line's pick-ups one."""
    fetching: dict[str, list[int]] = {}
    for number, node in enumerate(model.nodes):
        if not _drop(node):
            fetching.setdefault(node.job.whole, []).append(model.indexes.NodeToIndex(number))
    begun = {courier.first.job for courier in model.problem.couriers if courier.first}
    for number, node in enumerate(model.nodes):
        if not _drop(node) or node.job.whole not in fetching:
            continue
        fetch, bring = fetching[node.job.whole], model.indexes.NodeToIndex(number)
        if node.job.line and node.job.id not in begun:
            _alternatives(model, fetch, bring, node.job)
        else:
            _pair(model, fetch[0], bring)
    _shelves(model)


def _pair(model: Model, fetch: int, bring: int) -> None:
    solver = model.routing.solver()
    model.routing.AddPickupAndDelivery(fetch, bring)
    solver.Add(model.routing.VehicleVar(fetch) == model.routing.VehicleVar(bring))
    solver.Add(model.time.CumulVar(fetch) <= model.time.CumulVar(bring))


def _alternatives(model: Model, fetch: list[int], bring: int, job: Job) -> None:
    """One pick-up of several before the drop, by the same courier; leaving the drop out costs what the job costs."""
    solver, routing = model.routing.solver(), model.routing
    one = routing.AddDisjunction(fetch, model.tiers.miss[job.tier] // 2)
    drop = routing.AddDisjunction([bring], 0)
    routing.AddPickupAndDeliverySets(one, drop)
    solver.Add(solver.Sum([routing.ActiveVar(each) for each in fetch]) == routing.ActiveVar(bring))
    for each in fetch:
        same = routing.VehicleVar(each) == routing.VehicleVar(bring)
        solver.Add(same >= routing.ActiveVar(each))
        before = model.time.CumulVar(each) <= model.time.CumulVar(bring)
        solver.Add(before >= routing.ActiveVar(each))


def _shelves(model: Model) -> None:
    """No more is fetched from a shelf than lies there."""
    solver = model.routing.solver()
    for shelf, pieces in model.problem.stock:
        asked = [
            (model.routing.ActiveVar(model.indexes.NodeToIndex(number)), node.job.pieces)
            for number, node in enumerate(model.nodes)
            if not _drop(node) and node.job.shelf == shelf
        ]
        if sum(each for _, each in asked) > pieces:
            solver.Add(solver.Sum([active * each for active, each in asked]) <= pieces)


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
    brought = {node.job.whole: node.visit for node in model.nodes if _drop(node)}
    by_id = model.problem.by_id()
    routes = []
    for route in plan.routes:
        visits = [Visit(stop.kind, stop.job) for stop in route.stops if stop.job not in without]
        visits = [brought.get(by_id[one.job].whole, one) if one.kind == "drop" else one for one in visits]
        routes.append([model.indexes.NodeToIndex(number_of[visit]) for visit in visits if visit in number_of])
    return routes


def orders_from(model: Model, assignment: Any) -> list[list[Visit]]:
    """The visits of each courier in an OR-Tools assignment."""
    orders = []
    for vehicle in range(len(model.problem.couriers)):
        index, order = assignment.Value(model.routing.NextVar(model.routing.Start(vehicle))), list[Visit]()
        fetched: dict[str, str] = {}
        while not model.routing.IsEnd(index):
            node = model.nodes[model.indexes.IndexToNode(index)]
            if not _drop(node):
                fetched[node.job.whole] = node.job.id
            order.append(Visit(node.visit.kind, fetched.get(node.job.whole, node.job.id)))
            index = assignment.Value(model.routing.NextVar(index))
        orders.append(order)
    return orders
