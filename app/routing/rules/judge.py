"""The judge of plans and of choices of sources: every law checked in plain Python, sharing no code with what makes them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from app.routing.rules.plan import Plan, Route, Stop
from app.routing.rules.problem import Courier, Job, Problem
from app.routing.rules.sourcing import Ask, Pick, Shelf


def faults(plan: Plan, problem: Problem) -> list[str]:
    """What is wrong with the plan, in words for a log; empty for a sound plan. Lateness and misses are no faults."""
    if len(plan.routes) != len(problem.couriers):
        return [f"{len(plan.routes)} routes for {len(problem.couriers)} couriers"]
    jobs = {job.id: job for job in problem.jobs}
    strangers = {stop.job for route in plan.routes for stop in route.stops} - jobs.keys()
    if strangers:
        return [f"unknown job {name}" for name in sorted(strangers)]
    away = [stop for route in plan.routes for stop in route.stops if not 0 <= stop.location < len(problem.locations)]
    if away:
        return [f"{stop.kind} of {stop.job} at location {stop.location}, which does not exist" for stop in away]
    found = list(_counts(plan, problem))
    holder = {name: f"{courier.code}/{courier.shift}" for courier in problem.couriers for name in courier.carrying}
    for route, courier in zip(plan.routes, problem.couriers, strict=True):
        name = f"{courier.code}/{courier.shift}"
        if (route.courier, route.shift) != (courier.code, courier.shift):
            found.append(f"{name}: the route names {route.courier}/{route.shift}")
        found += [f"{name}: {fault}" for fault in _route(route, courier, jobs, problem)]
        for stop in route.stops:
            if holder.get(stop.job, name) != name:
                found.append(f"{name}: brings {stop.job}, which is on board of {holder[stop.job]}")
    found += _sums(plan, problem)
    return found


def _counts(plan: Plan, problem: Problem) -> Iterator[str]:
    """Each job once, or one job of each line: served whole, or unserved with its reason; no more from a shelf than lies
    there."""
    done = Counter((stop.kind, stop.job) for route in plan.routes for stop in route.stops)
    unserved = Counter(name for name, _ in plan.unserved)
    aboard = {job for courier in problem.couriers for job in courier.carrying}
    drops, fetched = Counter[str](), Counter[str]()
    for job in problem.jobs:
        pickups, bringing = done["pickup", job.id], done["drop", job.id]
        drops[job.line or job.id] += bringing
        needs = 0 if job.pickup is None or job.id in aboard else 1
        if pickups != needs * bringing:
            yield f"job {job.id}: {pickups} pick-ups for {bringing} drops"
        if job.shelf is not None:
            fetched[job.shelf] += pickups * job.pieces
    for name in dict.fromkeys(job.line or job.id for job in problem.jobs):
        if drops[name] + unserved[name] != 1:
            yield f"job {name}: {drops[name]} drops and {unserved[name]} times unserved"
    for name in unserved.keys() - drops.keys():
        yield f"unserved job {name} is unknown"
    for shelf, pieces in problem.stock:
        if fetched[shelf] > pieces:
            yield f"shelf {shelf} holds {pieces} pieces, {fetched[shelf]} are fetched"


def _route(route: Route, courier: Courier, jobs: dict[str, Job], problem: Problem) -> Iterator[str]:
    if courier.first is not None:
        first = route.stops[0] if route.stops else None
        if first is None or (first.kind, first.job) != (courier.first.kind, courier.first.job):
            yield f"the started leg to {courier.first.job} is not first"
    yield from _times(route, courier, jobs, problem)
    yield from _load(route, courier, jobs)
    yield from _may(route, courier, jobs)


def _times(route: Route, courier: Courier, jobs: dict[str, Job], problem: Problem) -> Iterator[str]:
    yield from _leaving(route, courier)
    left = courier.available_s if route.start_s is None else route.start_s
    ways = problem.travel if problem.lengths is None else problem.lengths
    at, place, drive_s, length = left, courier.start, 0, 0
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
        if job.hard and not fetch and not started and stop.leave_s > job.due_s:
            yield f"brings {job.id} {stop.leave_s - job.due_s} s too late, which is not allowed"
        length += ways[place][stop.location]
        at, place, drive_s = stop.leave_s, stop.location, drive_s + leg
    if route.stops and courier.home is not None:
        leg = problem.travel[place][courier.home]
        at, drive_s, length = at + leg, drive_s + leg, length + ways[place][courier.home]
    begun_s, begun_way = _started_until(courier, jobs, problem)
    if route.stops and courier.work_s is not None and at - left > max(courier.work_s, begun_s - left):
        yield f"works {at - left} s, at most {courier.work_s} are allowed"
    if courier.length is not None and length > max(courier.length, begun_way):
        yield f"drives a way of {length}, at most {courier.length} is allowed"
    if drive_s != route.drive_s:
        yield f"drives {drive_s} s and claims {route.drive_s}"
    if route.stops and at > max(min(courier.end_s, problem.horizon_s), begun_s):
        yield f"works until {at}, the shift ends at {courier.end_s}"


def _leaving(route: Route, courier: Courier) -> Iterator[str]:
    latest = courier.available_s if courier.latest_start_s is None else courier.latest_start_s
    if route.start_s is not None and not courier.available_s <= route.start_s <= latest:
        yield f"leaves at {route.start_s}, not between {courier.available_s} and {latest}"


def _started_until(courier: Courier, jobs: dict[str, Job], problem: Problem) -> tuple[int, int]:
    """A started job may be finished after the shift, if nothing is done before it: its end and way then, else 0."""
    if courier.first is None:
        return 0, 0
    ways = problem.travel if problem.lengths is None else problem.lengths
    length = 0
    job = jobs[courier.first.job]
    at, place = courier.available_s, courier.start
    steps = [("drop", job.drop, job.earliest_drop_s, job.drop_service_s, job.drop_open)]
    if courier.first.kind == "pickup" and job.pickup is not None:
        steps.insert(0, ("pickup", job.pickup, job.ready_s, job.pickup_service_s, job.pickup_open))
    for _, where, earliest, service, spans in steps:
        at = max(at + problem.travel[place][where], earliest)
        fits = [max(at, opens) for opens, closes in spans if max(at, opens) + service <= closes]
        at = (min(fits) if fits else at) + service
        length += ways[place][where]
        place = where
    if courier.home is not None:
        at, length = at + problem.travel[place][courier.home], length + ways[place][courier.home]
    return at, length


def _load(route: Route, courier: Courier, jobs: dict[str, Job]) -> Iterator[str]:
    """Capacity along the route, and a part is fetched before it is brought. What is on board stays."""
    carried = [jobs[name] for name in courier.carrying]
    if courier.first is not None and courier.first.kind == "pickup":
        carried.append(jobs[courier.first.job])
    most = (
        max(courier.pieces, sum(job.pieces for job in carried)),
        max(courier.grams, sum(job.grams for job in carried)),
    )
    aboard = set(courier.carrying) | {stop.job for stop in route.stops if jobs[stop.job].loaded}
    pieces = sum(jobs[name].pieces for name in aboard)
    grams = sum(jobs[name].grams for name in aboard)
    if pieces > most[0] or grams > most[1]:
        yield f"leaves with {pieces} pieces, {grams} g"
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
    line_of = {job.id: job.line or job.id for job in problem.jobs}
    done: dict[str, Stop] = {
        line_of[stop.job]: stop for route in plan.routes for stop in route.stops if stop.kind == "drop"
    }
    misses, late, lead, calm, changes = [0, 0, 0], [0, 0, 0], 0, 0, 0
    seen = set[str]()
    for job in problem.jobs:
        name = line_of[job.id]
        if name in seen:
            continue
        seen.add(name)
        stop = done.get(name)
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
    length = sum(_length(route, courier, problem) for route, courier in zip(plan.routes, problem.couriers, strict=True))
    prices, claimed = problem.prices, plan.costs
    cost = prices.drive * drive + prices.lead * lead + prices.calm * calm + prices.length * length
    said = (claimed.cost, claimed.drive_s, claimed.lead_s, claimed.calm_s, claimed.length)
    for what, true, claim in (
        ("misses", tuple(misses), claimed.misses),
        ("lateness", tuple(late), claimed.late_s),
        ("cost", (cost, drive, lead, calm, length), said),
        ("changes", changes, claimed.changes),
    ):
        if true != claim:
            yield f"{what} is {true}, the plan claims {claim}"


def _length(route: Route, courier: Courier, problem: Problem) -> int:
    ways = problem.travel if problem.lengths is None else problem.lengths
    place, length = courier.start, 0
    for stop in route.stops:
        length += ways[place][stop.location]
        place = stop.location
    return length + (ways[place][courier.home] if route.stops and courier.home is not None else 0)


def source_faults(asks: Sequence[Ask], picks: Sequence[Pick]) -> list[str]:
    """What keeps picks from being a choice: a line not whole or split against its will, a shelf emptied twice, a way that
    the line does not have. Trusts nothing of whoever made them."""
    found = []
    taken: Counter[Shelf] = Counter()
    for ask in asks:
        own = [pick for pick in picks if pick.line == ask.line]
        if sum(pick.quantity for pick in own) != ask.quantity or any(pick.quantity < 1 for pick in own):
            found.append(f"{ask.line} is not whole")
        if len(own) > 1 and not ask.allow_split:
            found.append(f"{ask.line} may not be split")
        if any(pick.candidate not in ask.candidates for pick in own):
            found.append(f"{ask.line} has no such way")
        taken.update({pick.candidate.shelf: pick.quantity for pick in own})
    free = {each.shelf: each.free for ask in asks for each in ask.candidates}
    found += [
        f"{place} has too few {part}" for (place, part), pieces in taken.items() if pieces > free.get((place, part), 0)
    ]
    if unknown := {pick.line for pick in picks} - {ask.line for ask in asks}:
        found.append(f"nobody asked for {sorted(unknown)}")
    return found
