"""What is left of an older plan under today's facts: the standing plan that insertion and solver start from."""

from collections.abc import Mapping, Sequence

from app.routing.rules.plan import Plan, Route, bounded, run, schedule
from app.routing.rules.problem import Courier, Job, Problem, Visit, allowed, start_of, until, visits_of


def adopted(plan: Plan | None, problem: Problem) -> Plan:
    """What is left of an older plan under today's facts: gone jobs and fetched pick-ups vanish, started legs lead.

    What no longer fits a shift, a load or a rule is taken out. None gives the bare plan of the started legs.
    """
    jobs = problem.by_id()
    old = {} if plan is None else {(each.courier, each.shift): each for each in plan.routes}
    orders = []
    taken = {jobs[courier.first.job].whole for courier in problem.couriers if courier.first}
    left = dict(problem.stock)
    for index, courier in enumerate(problem.couriers):
        order = _kept(old.get((courier.code, courier.shift)), index, problem, jobs, taken)
        order = _stocked(order, courier, jobs, left)
        while not _fits(order, courier, jobs, problem) and (less := _lightened(order, courier, jobs)) != order:
            order = less
        taken |= {jobs[visit.job].whole for visit in order}
        _take(order, jobs, left)
        orders.append(order)
    return schedule(orders, problem, why=dict(plan.unserved) if plan else None, seed=plan.seed if plan else 0)


def _kept(route: Route | None, index: int, problem: Problem, jobs: Mapping[str, Job], taken: set[str]) -> list[Visit]:
    """The route's visits that are still to do, the started leg in front."""
    courier = problem.couriers[index]
    mine = courier.first.job if courier.first else None
    stops = [] if route is None else [Visit(stop.kind, stop.job) for stop in route.stops]
    order: list[Visit] = []
    for visit in dict.fromkeys(stops):
        job = jobs.get(visit.job)
        if job is None or (job.whole in taken and job.id != mine) or index not in allowed(job, problem):
            continue
        needed = visits_of(job, courier)
        if visit in needed and set(needed) <= set(stops):
            order.append(visit)
    if courier.first is not None:
        rest = [visit for visit in order if visit != courier.first]
        order = [courier.first, *rest]
        if courier.first.kind == "pickup" and Visit("drop", courier.first.job) not in rest:
            order.insert(1, Visit("drop", courier.first.job))
    return order


def _stocked(order: Sequence[Visit], courier: Courier, jobs: Mapping[str, Job], left: Mapping[str, int]) -> list[Visit]:
    """The order without what its shelves no longer hold; a started leg is not called back."""
    rest, gone = dict(left), set[str]()
    for visit in order:
        job = jobs[visit.job]
        if visit.kind == "pickup" and job.shelf in rest and (courier.first is None or visit != courier.first):
            if rest[job.shelf] < job.pieces:
                gone.add(job.id)
            else:
                rest[job.shelf] -= job.pieces
    return [visit for visit in order if visit.job not in gone]


def _take(order: Sequence[Visit], jobs: Mapping[str, Job], left: dict[str, int]) -> None:
    for visit in order:
        job = jobs[visit.job]
        if visit.kind == "pickup" and job.shelf in left:
            left[job.shelf] -= job.pieces


def _fits(order: Sequence[Visit], courier: Courier, jobs: Mapping[str, Job], problem: Problem) -> bool:
    if not order:
        return True
    route = run(order, courier, jobs, problem)
    home = 0 if courier.home is None else problem.travel[route.stops[-1].location][courier.home]
    if route.stops[-1].leave_s + home > until(courier, jobs, problem):
        return False
    started = courier.first.job if courier.first else None
    others = [stop for stop in route.stops if stop.job != started]
    if any(start_of(jobs[stop.job], stop.kind, stop.arrive_s) is None for stop in others):
        return False
    if any(jobs[stop.job].hard and stop.kind == "drop" and stop.leave_s > jobs[stop.job].due_s for stop in others):
        return False
    if others and not bounded(route, courier, jobs, problem):
        return False
    aboard = loads(order, courier, jobs)
    limit = most(courier, jobs)
    return all(pieces <= limit[0] and grams <= limit[1] for pieces, grams in aboard) and _fetched_first(
        order, jobs, courier
    )


def _fetched_first(order: Sequence[Visit], jobs: Mapping[str, Job], courier: Courier) -> bool:
    at = {visit: index for index, visit in enumerate(order)}
    return all(
        at[needed[0]] < at[needed[-1]]
        for job in {visit.job for visit in order}
        if len(needed := visits_of(jobs[job], courier)) == 2
    )


def _lightened(order: list[Visit], courier: Courier, jobs: Mapping[str, Job]) -> list[Visit]:
    """The order without its least urgent job; the started one stays, done at once where it is alone."""
    started = courier.first.job if courier.first else None
    names = [visit.job for visit in order if visit.job != started]
    if not names:
        return order
    worst = max(names, key=lambda name: (jobs[name].tier, jobs[name].due_s, name))
    return [visit for visit in order if visit.job != worst]


def most(courier: Courier, jobs: Mapping[str, Job]) -> tuple[int, int]:
    """Pieces and grams the courier may carry; what is on board or being fetched is carried, even if too much."""
    aboard = [jobs[name] for name in courier.carrying]
    if courier.first is not None and courier.first.kind == "pickup":
        aboard.append(jobs[courier.first.job])
    return max(courier.pieces, sum(job.pieces for job in aboard)), max(courier.grams, sum(job.grams for job in aboard))


def loads(order: Sequence[Visit], courier: Courier, jobs: Mapping[str, Job]) -> list[tuple[int, int]]:
    """Pieces and grams on board before the first visit and after each."""
    aboard = [*courier.carrying, *(visit.job for visit in order if jobs[visit.job].loaded)]
    pieces = sum(jobs[name].pieces for name in aboard)
    grams = sum(jobs[name].grams for name in aboard)
    loads = [(pieces, grams)]
    for visit in order:
        job = jobs[visit.job]
        if visit.kind == "pickup":
            pieces, grams = pieces + job.pieces, grams + job.grams
        elif job.pickup is not None or job.loaded or job.id in courier.carrying:
            pieces, grams = pieces - job.pieces, grams - job.grams
        loads.append((pieces, grams))
    return loads
