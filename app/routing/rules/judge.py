"""The judge of plans: every law of a route checked in plain Python, sharing no code with what builds or times plans."""

from collections import Counter
from collections.abc import Iterator

from app.routing.rules.plan import Plan, Route, Stop
from app.routing.rules.problem import Courier, Job, Problem


def faults(plan: Plan, problem: Problem) -> list[str]:
    """What is wrong with the plan, in words for a log; empty for a sound plan. Lateness and misses are no faults."""
    if len(plan.routes) != len(problem.couriers):
        return [f"{len(plan.routes)} routes for {len(problem.couriers)} couriers"]
    jobs = {job.id: job for job in problem.jobs}
    strangers = {stop.job for route in plan.routes for stop in route.stops} - jobs.keys()
    if strangers:
        return [f"unknown job {name}" for name in sorted(strangers)]
    found = list(_counts(plan, problem))
    for route, courier in zip(plan.routes, problem.couriers, strict=True):
        name = f"{courier.code}/{courier.shift}"
        if (route.courier, route.shift) != (courier.code, courier.shift):
            found.append(f"{name}: the route names {route.courier}/{route.shift}")
        found += [f"{name}: {fault}" for fault in _route(route, courier, jobs, problem)]
    found += _sums(plan, problem)
    return found


def _counts(plan: Plan, problem: Problem) -> Iterator[str]:
    """Each job once: served whole, or unserved with its reason."""
    done = Counter((stop.kind, stop.job) for route in plan.routes for stop in route.stops)
    unserved = Counter(job for job, _ in plan.unserved)
    aboard = {job for courier in problem.couriers for job in courier.carrying}
    for job in problem.jobs:
        pickups, drops, left = done["pickup", job.id], done["drop", job.id], unserved[job.id]
        needs = 0 if job.pickup is None or job.id in aboard else 1
        if drops + left != 1:
            yield f"job {job.id}: {drops} drops and {left} times unserved"
        if pickups != needs * drops:
            yield f"job {job.id}: {pickups} pick-ups for {drops} drops"
    for name in unserved.keys() - {job.id for job in problem.jobs}:
        yield f"unserved job {name} is unknown"


def _route(route: Route, courier: Courier, jobs: dict[str, Job], problem: Problem) -> Iterator[str]:
    if courier.first is not None:
        first = route.stops[0] if route.stops else None
        if first is None or (first.kind, first.job) != (courier.first.kind, courier.first.job):
            yield f"the started leg to {courier.first.job} is not first"
    yield from _times(route, courier, jobs, problem)
    yield from _load(route, courier, jobs)
    yield from _may(route, courier, jobs)


def _times(route: Route, courier: Courier, jobs: dict[str, Job], problem: Problem) -> Iterator[str]:
    at, place, drive_s = courier.available_s, courier.start, 0
    for stop in route.stops:
        job = jobs[stop.job]
        fetch = stop.kind == "pickup"
        where = job.pickup if fetch else job.drop
        leg = problem.travel[place][stop.location]
        if stop.location != where:
            yield f"{stop.kind} of {job.id} at location {stop.location}, not {where}"
        if stop.arrive_s < at + leg:
            yield f"arrives at {stop.kind} of {job.id} {at + leg - stop.arrive_s} s too early"
        if stop.start_s < stop.arrive_s or stop.start_s < (job.ready_s if fetch else job.earliest_drop_s):
            yield f"{stop.kind} of {job.id} starts before arrival or before it may"
        if stop.leave_s - stop.start_s != (job.pickup_service_s if fetch else job.drop_service_s):
            yield f"{stop.kind} of {job.id} does not take its service time"
        spans = job.pickup_open if fetch else job.drop_open
        started = courier.first is not None and courier.first.job == job.id
        if (
            spans
            and not started
            and not any(opens <= stop.start_s and stop.leave_s <= closes for opens, closes in spans)
        ):
            yield f"{stop.kind} of {job.id} while closed"
        at, place, drive_s = stop.leave_s, stop.location, drive_s + leg
    if route.stops and courier.home is not None:
        leg = problem.travel[place][courier.home]
        at, drive_s = at + leg, drive_s + leg
    if drive_s != route.drive_s:
        yield f"drives {drive_s} s and claims {route.drive_s}"
    if route.stops and at > max(min(courier.end_s, problem.horizon_s), _started_until(courier, jobs, problem)):
        yield f"works until {at}, the shift ends at {courier.end_s}"


def _started_until(courier: Courier, jobs: dict[str, Job], problem: Problem) -> int:
    """A started job may be finished after the shift, if nothing is done before it: its end then, else 0."""
    if courier.first is None:
        return 0
    job = jobs[courier.first.job]
    at, place = courier.available_s, courier.start
    steps = [("drop", job.drop, job.earliest_drop_s, job.drop_service_s, job.drop_open)]
    if courier.first.kind == "pickup" and job.pickup is not None:
        steps.insert(0, ("pickup", job.pickup, job.ready_s, job.pickup_service_s, job.pickup_open))
    for _, where, earliest, service, spans in steps:
        at = max(at + problem.travel[place][where], earliest)
        fits = [max(at, opens) for opens, closes in spans if max(at, opens) + service <= closes]
        at = (min(fits) if fits else at) + service
        place = where
    return at + (0 if courier.home is None else problem.travel[place][courier.home])


def _load(route: Route, courier: Courier, jobs: dict[str, Job]) -> Iterator[str]:
    """Capacity along the route, and a part is fetched before it is brought. What is on board stays."""
    aboard = set(courier.carrying)
    pieces = sum(jobs[name].pieces for name in aboard)
    grams = sum(jobs[name].grams for name in aboard)
    fetching = jobs[courier.first.job] if courier.first and courier.first.kind == "pickup" else None
    most = (
        max(courier.pieces, pieces + (fetching.pieces if fetching else 0)),
        max(courier.grams, grams + (fetching.grams if fetching else 0)),
    )
    for stop in route.stops:
        job = jobs[stop.job]
        if stop.kind == "pickup":
            if job.id in aboard:
                yield f"fetches {job.id} twice"
            aboard.add(job.id)
            pieces, grams = pieces + job.pieces, grams + job.grams
            if pieces > most[0] or grams > most[1]:
                yield f"carries {pieces} pieces, {grams} g after {job.id}"
        elif job.id in aboard:
            aboard.remove(job.id)
            pieces, grams = pieces - job.pieces, grams - job.grams
        elif job.pickup is not None:
            yield f"brings {job.id} without having fetched it"
    fetched = {stop.job for stop in route.stops if stop.kind == "pickup"}
    for name in sorted(aboard & fetched):
        yield f"fetches {name} and never brings it"


def _may(route: Route, courier: Courier, jobs: dict[str, Job]) -> Iterator[str]:
    started = {courier.first.job} if courier.first else set()
    for stop in route.stops:
        job = jobs[stop.job]
        if job.id in courier.carrying or job.id in started:
            continue
        if job.pinned_courier not in (None, courier.code):
            yield f"{job.id} is pinned to {job.pinned_courier}"
        if not set(job.skills) <= set(courier.skills):
            yield f"{job.id} needs {', '.join(sorted(set(job.skills) - set(courier.skills)))}"


def _sums(plan: Plan, problem: Problem) -> Iterator[str]:
    """The plan's own numbers: who is late, by how much, what it costs."""
    done: dict[str, Stop] = {stop.job: stop for route in plan.routes for stop in route.stops if stop.kind == "drop"}
    misses, late, lead, calm, changes = [0, 0, 0], [0, 0, 0], 0, 0, 0
    for job in problem.jobs:
        stop = done.get(job.id)
        end = stop.leave_s if stop else problem.horizon_s
        over = max(end - job.due_s, 0 if stop else 1)
        if over > 0:
            misses[job.tier] += 1
            late[job.tier] += over
        lead += end
        told = end if job.told_s is None else job.told_s
        calm += max(end - told, 0)
        changes += 1 if abs(end - told) > problem.prices.tolerance_s else 0
    drive = sum(route.drive_s for route in plan.routes)
    prices, claimed = problem.prices, plan.costs
    cost = prices.drive * drive + prices.lead * lead + prices.calm * calm
    for name, true, said in (
        ("misses", tuple(misses), claimed.misses),
        ("lateness", tuple(late), claimed.late_s),
        ("cost", (cost, drive, lead, calm), (claimed.cost, claimed.drive_s, claimed.lead_s, claimed.calm_s)),
        ("changes", changes, claimed.changes),
    ):
        if true != said:
            yield f"{name} is {true}, the plan claims {said}"
