"""Source and route together (R1, R2): which lines of a plan would better come from another shelf, one at a time.

Routing alone keeps the sources it is given, and sourcing alone knows only where a line goes into the plan as it stood.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.routing.rules.insertion import NoInsertion, applied, cheapest_insertion
from app.routing.rules.plan import Plan, orders_of, schedule
from app.routing.rules.problem import Job, Problem, Span

CALM = 3_000
"""What moving a line to another source costs by itself, in the plan's own price [house]: five minutes of driving."""
MOST_TRIES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Another shelf for a job: `pickup` is its row in the travel matrix, `free` the pieces on it, `price` what taking
    them costs later promises, in the plan's own price."""

    shelf: str
    pickup: int
    ready_s: int
    free: int
    price: int = 0
    open_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """A job whose source changes, and how late it was before (None: it was not served)."""

    job: str
    shelf: str
    late_before_s: int | None


def move_sources(
    problem: Problem, plan: Plan, elsewhere: Mapping[str, Sequence[Elsewhere]], *, most: int = MOST_TRIES
) -> tuple[Problem, Plan, tuple[Moved, ...]]:
    """The problem and plan with lines moved to other shelves, each move a gain by strict tiers, then lateness, then cost
    with the price of the pieces and of the change; and what was moved.

    What is on board, under way or pinned stays. At most `most` ways are tried, the late lines' first.
    """
    left = Counter({one.shelf: one.free for ways in elsewhere.values() for one in ways})
    moved: dict[str, Moved] = {}
    for job, way in _tries(problem, plan, elsewhere, most):
        if left[way.shelf] < job.pieces or job.id in moved:
            continue
        other = replace(job, pickup=way.pickup, ready_s=way.ready_s, pickup_open=way.open_spans)
        found = _with(problem, plan, other)
        if found is None:
            continue
        tried, better = found
        before, after = plan.costs, better.costs
        price = way.price + CALM
        if (after.misses, after.late_s, after.cost + price) < (before.misses, before.late_s, before.cost):
            was = plan.finishes().get(job.id)
            moved[job.id] = Moved(job.id, way.shelf, None if was is None else max(0, was - job.due_s))
            left[way.shelf] -= job.pieces
            problem, plan = tried, better
    return problem, plan, tuple(moved.values())


def left_after(
    ways: Mapping[str, Sequence[Elsewhere]], moved: Iterable[Moved], problem: Problem
) -> dict[str, list[Elsewhere]]:
    """The ways of lines that were not moved yet, without the pieces that moved lines took: for another round."""
    jobs, taken, gone = problem.by_id(), Counter[str](), set[str]()
    for one in moved:
        taken[one.shelf] += jobs[one.job].pieces
        gone.add(one.job)
    return {
        job: [replace(one, free=one.free - taken[one.shelf]) for one in found]
        for job, found in ways.items()
        if job not in gone
    }


def _tries(
    problem: Problem, plan: Plan, elsewhere: Mapping[str, Sequence[Elsewhere]], most: int
) -> Iterator[tuple[Job, Elsewhere]]:
    """The late and unserved first, by tier and deadline, then those with the least to spare."""
    begun = problem.carried_by().keys() | {one.first.job for one in problem.couriers if one.first is not None}
    finishes = plan.finishes()

    def order(job: Job) -> tuple[bool, int, int, str]:
        finish = finishes.get(job.id)
        spare = -1 if finish is None else job.due_s - finish
        return spare >= 0, job.tier if spare < 0 else 0, job.due_s if spare < 0 else spare, job.id

    free = [job for job in problem.jobs if job.id in elsewhere and job.id not in begun and job.pinned_courier is None]
    for job in sorted(free, key=order):
        for way in elsewhere[job.id]:
            if most <= 0:
                return
            most -= 1
            yield job, way


def _with(problem: Problem, plan: Plan, job: Job) -> tuple[Problem, Plan] | None:
    """The plan with this job fetched elsewhere, all else as it is; None if nobody can."""
    tried = replace(problem, jobs=tuple(job if one.id == job.id else one for one in problem.jobs))
    orders = [[visit for visit in order if visit.job != job.id] for order in orders_of(plan)]
    without = schedule(orders, tried, why=dict(plan.unserved), seed=plan.seed)
    found = cheapest_insertion(without, tried, job)
    return None if isinstance(found, NoInsertion) else (tried, applied(without, tried, found))
