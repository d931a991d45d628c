"""Why a job is late or unserved and what would help (R6): best cases of single couriers, no search."""

from dataclasses import dataclass

from app.core.errors import Fact, Reason
from app.routing.rules.facts import readable
from app.routing.rules.insertion import NoInsertion, cheapest_insertion
from app.routing.rules.plan import Plan, orders_of, schedule
from app.routing.rules.problem import Courier, Job, Problem, allowed, place_of, service_of, start_of, visits_of
from app.routing.rules.standing import most


@dataclass(frozen=True, slots=True)
class Reach:
    """The earliest finish of a job by a courier with nothing else to do after the started leg."""

    courier: int
    finish_s: int


def reach(job: Job, problem: Problem) -> Reach | None:
    """The best of all couriers who may serve the job, or None when none can within a shift and a load."""
    jobs = problem.by_id()
    found = []
    for index in allowed(job, problem):
        courier = problem.couriers[index]
        room = most(courier, jobs)
        finish = alone(job, courier, problem)
        started = courier.first is not None and courier.first.job == job.id
        fits = (job.pieces <= room[0] and job.grams <= room[1]) or job.id in courier.carrying
        if finish is not None and (started or (fits and finish <= min(courier.end_s, problem.horizon_s))):
            found.append(Reach(index, finish))
    return min(found, key=lambda each: (each.finish_s, each.courier), default=None)


def alone(job: Job, courier: Courier, problem: Problem) -> int | None:
    """When this courier would finish the job, doing nothing else, overtime or not; None if the stops stay closed."""
    at, place = courier.available_s, courier.start
    for visit in visits_of(job, courier):
        there = place_of(job, visit.kind)
        start = start_of(job, visit.kind, at + problem.travel[place][there])
        if start is None:
            return None
        at, place = start + service_of(job, visit.kind), there
    return at


@dataclass(frozen=True, slots=True)
class Instead:
    """One other courier for a job: what that would give, or `finish_s` None and why it cannot be; `reason` says how it
    compares with the plan."""

    courier: str
    shift: int
    finish_s: int | None
    late_s: int
    added_drive_s: int
    harmed: tuple[str, ...]
    reason: Reason


def explain_courier(job: Job, plan: Plan, problem: Problem) -> list[Instead]:
    """What each other courier would have made of a served job, all else as planned (R6, C4 "nearest").

    Best first; empty for an unserved job and for one whose leg has started or whose part is on board.
    """
    mine = next((at for at, route in enumerate(plan.routes) for stop in route.stops if stop.job == job.id), None)
    others = [index for index in allowed(job, problem) if index != mine]
    if mine is None or not others:
        return []
    finish = plan.finishes()[job.id]
    orders = [[visit for visit in order if visit.job != job.id] for order in orders_of(plan)]
    without = schedule(orders, problem)
    saved = plan.routes[mine].drive_s - without.routes[mine].drive_s
    found = [_instead(job, index, finish, saved, without, problem) for index in others]
    return sorted(found, key=lambda each: (each.finish_s is None, each.late_s, len(each.harmed), each.finish_s or 0))


def _instead(job: Job, index: int, finish_s: int, saved_s: int, without: Plan, problem: Problem) -> Instead:
    courier = problem.couriers[index]
    other = cheapest_insertion(without, problem, job, only=[index])
    if isinstance(other, NoInsertion):
        return Instead(courier.code, courier.shift, None, 0, 0, (), readable(other.reason))
    facts: dict[str, Fact] = {
        "courier": courier.code,
        "late_s": other.late_s,
        "by_s": abs(other.finish_s - finish_s),
        "more_drive_s": other.added_drive_s - saved_s,
        "jobs": list(other.harmed),
    }
    code = "routing.instead_sooner" if other.finish_s < finish_s else "routing.instead_later"
    if other.harmed:
        code = "routing.instead_harms"
    elif other.late_s:
        code = "routing.instead_late"
    reason = readable(Reason("R6", code, facts))
    return Instead(courier.code, courier.shift, other.finish_s, other.late_s, other.added_drive_s, other.harmed, reason)


def explain_miss(job: Job, plan: Plan, problem: Problem) -> list[Reason]:
    """Why the job is unserved or late in this plan, the binding facts first, then what would make it possible.

    Empty for a job that is on time. Facts are seconds; `short_s` is how much earlier that thing would have to be.
    """
    return [readable(reason) for reason in _explained(job, plan, problem)]


def _explained(job: Job, plan: Plan, problem: Problem) -> list[Reason]:
    finish = plan.finishes().get(job.id)
    if finish is not None and finish <= job.due_s:
        return []
    head = (
        Reason("R3", "routing.unserved", {"job": job.id, "due_s": job.due_s})
        if finish is None
        else Reason("R2", "routing.late", {"job": job.id, "late_s": finish - job.due_s, "finish_s": finish})
    )
    couriers = allowed(job, problem)
    if not couriers:
        return [
            head,
            Reason("R3", "routing.no_courier_may", {"skills": list(job.skills), "courier": job.pinned_courier}),
        ]
    facts = _part(job, problem)
    best = reach(job, problem)
    if best is None:
        return [head, *facts, *_nobody(job, couriers, problem)]
    if facts:
        return [head, *facts]
    short = best.finish_s - job.due_s
    name = problem.couriers[best.courier].code
    if short > 0:
        fact: dict[str, Fact] = {"courier": name, "finish_s": best.finish_s, "short_s": short}
        return [head, Reason("R3", "routing.couriers_too_far", fact)]
    return [head, *_queue(job, best, plan, problem)]


def _part(job: Job, problem: Problem) -> list[Reason]:
    """What no courier could help, even one who waits at the source."""
    found = []
    if job.due_s <= 0:
        found.append(Reason("C4", "routing.due_before_now", {"over_s": -job.due_s}))
        return found
    if job.pickup is None or job.id in problem.carried_by():
        waits = job.earliest_drop_s + job.drop_service_s - job.due_s
        if waits > 0 and job.earliest_drop_s > 0:
            found.append(Reason("C4", "routing.appointment_after_due", {"short_s": waits}))
        return found
    leg = problem.travel[job.pickup][job.drop]
    direct = job.pickup_service_s + leg + job.drop_service_s
    if direct > job.due_s:
        found.append(
            Reason("R1", "routing.too_far", {"needs_s": direct, "drive_s": leg, "short_s": direct - job.due_s})
        )
        return found
    start = start_of(job, "pickup", 0)
    if start is None:
        found.append(Reason("R1", "routing.source_closed", {"ready_s": job.ready_s}))
    elif start + direct > job.due_s and job.ready_s + direct <= job.due_s:
        found.append(
            Reason("R1", "routing.source_opens_late", {"opens_s": start, "short_s": start + direct - job.due_s})
        )
    elif start + direct > job.due_s:
        fact = {"ready_s": start, "short_s": start + direct - job.due_s}
        found.append(Reason("R1", "routing.ready_too_late", fact))
    if job.earliest_drop_s + job.drop_service_s > job.due_s:
        short = job.earliest_drop_s + job.drop_service_s - job.due_s
        found.append(Reason("C4", "routing.appointment_after_due", {"short_s": short}))
    return found


def _nobody(job: Job, couriers: list[int], problem: Problem) -> list[Reason]:
    """Somebody may, nobody can: the loads, the shifts, the doors."""
    jobs = problem.by_id()
    rooms = [most(problem.couriers[index], jobs) for index in couriers]
    if all(job.pieces > pieces or job.grams > grams for pieces, grams in rooms):
        return [Reason("R3", "routing.too_heavy", {"pieces": job.pieces, "grams": job.grams})]
    ends = [(alone(job, problem.couriers[index], problem), problem.couriers[index]) for index in couriers]
    over = [(at - min(courier.end_s, problem.horizon_s), courier.code) for at, courier in ends if at is not None]
    if not over:
        return [Reason("R1", "routing.closed", {"job": job.id})]
    short, name = min(over)
    return [Reason("R3", "routing.no_courier_on_shift", {"courier": name, "short_s": short})]


def _queue(job: Job, best: Reach, plan: Plan, problem: Problem) -> list[Reason]:
    """A free courier would make it: what this one does first instead, and what one more courier would change."""
    mine = next((at for at, route in enumerate(plan.routes) for stop in route.stops if stop.job == job.id), None)
    jobs, at = problem.by_id(), best.courier
    ahead = _before(job, plan, at)
    if not ahead and mine is not None:
        at, ahead = mine, _before(job, plan, mine)
    courier = problem.couriers[at]
    more_urgent = [name for name in ahead if jobs[name].tier <= job.tier]
    facts: dict[str, Fact] = {"courier": courier.code, "jobs": ahead, "as_urgent": len(more_urgent)}
    free = problem.couriers[best.courier].code
    spare: dict[str, Fact] = {"courier": free, "finish_s": best.finish_s, "spare_s": job.due_s - best.finish_s}
    queue = [Reason("R2", "routing.queue", facts)] if ahead else []
    return [*queue, Reason("R6", "routing.one_more_courier", spare)]


def _before(job: Job, plan: Plan, courier: int) -> list[str]:
    """The jobs that a courier's route has before this one, or before it is too late for it."""
    ahead = []
    for stop in plan.routes[courier].stops:
        if stop.job == job.id or stop.start_s >= job.due_s:
            break
        ahead.append(stop.job)
    return list(dict.fromkeys(ahead))
