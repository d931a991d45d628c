"""A problem of errands (a part fetched here and brought there) as arrays, which the kernels in `fetching` and `errand_walk`
read.

A visit is a number: twice the job for its pick-up, one more for its drop. A whole is what is served once: a line, by one
of its jobs, or a job by itself. A place is a row of the travel matrix; the last one is "nowhere", next to everywhere,
where routes without a home end.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from app.routing.rules.problem import Courier, Kind, Problem, Span, allowed, place_of, service_of, started, until
from app.routing.rules.standing import most
from app.routing.solver.arrays import FAR, Bools, Ints

PLACE, SERVICE, OPENS, SPANS, SPANS_END = range(5)
DUE, TIER, TOLD, HARD, BOTH, PIECES, GRAMS, WHOLE, SHELF = range(9)
WAYS, WAYS_END, FIXED, ABOARD, DEAR = range(5)
START, HOME, LEAVES, ENDS, MOST_PIECES, MOST_GRAMS, HAS_PIECES, HAS_GRAMS, LOCK = range(9)
MISS, LATE, LEAD, CALM = 0, 3, 6, 7
MISSES = (8_000_000_000, 200_000_000, 5_000_000)
LATES = (48_000, 1_200, 30)
"""What the walk pays for a miss and for a second of lateness, by tier; the best plan goes by R2's strict order."""


class Errands(NamedTuple):
    """What never changes while routes do; few arrays, since each costs the compiler time.

    `visits`, `jobs`, `wholes` and `fleet` are tables whose columns the names above number. A visit's open spans are rows
    of `spans`; none means always. BOTH says that a job is fetched and brought, else it is only brought. A whole's jobs are
    a slice of `ways`; `near` are all wholes, the nearest first. A FIXED whole
    never leaves its place, one that is ABOARD (or being fetched) is not left out again; DEAR is what leaving it out costs.
    LOCK is 1 where a courier's first stop is under way. `weights` are prices: of a miss and of a
    second's lateness by tier from MISS and LATE on, then of a second until the fitting, and of one after what was told.
    """

    travel: Ints
    price: Ints
    visits: Ints
    spans: Ints
    jobs: Ints
    may: Bools
    wholes: Ints
    ways: Ints
    near: Ints
    fleet: Ints
    stock: Ints
    weights: Ints


def suits(problem: Problem) -> bool:
    """Whether these arrays can hold the problem: couriers leave at once, their way is not bounded, and nothing comes
    along from the start."""
    return (
        len(problem.jobs) > 1
        and bool(problem.couriers)
        and not any(job.loaded for job in problem.jobs)
        and not any(one.latest_start_s is not None or one.length is not None for one in problem.couriers)
    )


def errands_of(problem: Problem) -> Errands:
    """The arrays of a problem that `suits`."""
    price, wholes = problem.prices, list(problem.by_line())
    travel = _matrix(problem.travel)
    cost = travel * price.drive
    if price.length:
        cost = cost + _matrix(problem.lengths or problem.travel) * price.length
    number = {name: at for at, name in enumerate(wholes)}
    whole = ints(number[job.whole] for job in problem.jobs)
    may = np.zeros((len(problem.jobs), len(problem.couriers)), dtype=np.bool_)
    for at, job in enumerate(problem.jobs):
        may[at, allowed(job, problem)] = True
    spans = _spans(problem)
    return Errands(
        travel=travel,
        price=cost,
        visits=_visits(problem, spans),
        spans=_table([list(span) for each in spans for span in each], 2),
        jobs=_jobs(problem, whole),
        may=may,
        wholes=_wholes(problem, wholes, whole),
        ways=np.argsort(whole, kind="stable").astype(np.int64),
        near=_near(problem, wholes, travel),
        fleet=_fleet(problem),
        stock=ints(pieces for _, pieces in problem.stock),
        weights=ints((*MISSES, *LATES, price.lead, price.calm)),
    )


def _visits(problem: Problem, spans: Sequence[Sequence[Span]]) -> Ints:
    kinds: tuple[Kind, ...] = ("pickup", "drop")
    rows: list[list[int]] = []
    last = 0
    for job in problem.jobs:
        for kind, opens in zip(kinds, (job.ready_s, job.earliest_drop_s), strict=True):
            first, last = last, last + len(spans[len(rows)])
            rows.append([place_of(job, kind), service_of(job, kind), opens, first, last])
    return _table(rows, 5)


def _jobs(problem: Problem, whole: Ints) -> Ints:
    begun = {one.first.job for one in problem.couriers if one.first is not None}
    aboard = problem.carried_by()
    shelves = {shelf: at for at, (shelf, _) in enumerate(problem.stock)}
    rows = []
    for job, number in zip(problem.jobs, whole.tolist(), strict=True):
        fetched = job.pickup is not None
        weighs = fetched or job.id in aboard  # what fetches nothing weighs nothing
        rows.append(
            [
                *(job.due_s, job.tier, FAR if job.told_s is None else job.told_s, job.hard and job.id not in begun),
                fetched and job.id not in aboard and job.id not in begun,  # a pick-up under way stays first
                *(job.pieces if weighs else 0, job.grams if weighs else 0, number),
                shelves.get(job.shelf or "", -1) if fetched else -1,
            ]
        )
    return _table(rows, 9)


def _wholes(problem: Problem, wholes: Sequence[str], whole: Ints) -> Ints:
    """A part that is being fetched is always brought: leaving it out has no price."""
    carried = problem.carried_by()
    begun = {one.first.job: one.first.kind for one in problem.couriers if one.first is not None}
    first = {job.whole: job for job in reversed(problem.jobs)}
    rows, last = [], 0
    for name, count in zip(wholes, np.bincount(whole, minlength=len(wholes)).tolist(), strict=True):
        job = first[name]
        late_s = max(1, problem.horizon_s - job.due_s)
        dear = MISSES[job.tier] + LATES[job.tier] * late_s + problem.prices.lead * problem.horizon_s
        started = begun.get(job.id)
        aboard = started == "pickup" or job.id in carried
        rows.append([last, last + count, started == "drop", aboard, FAR // 4 if started == "pickup" else dear])
        last += count
    return _table(rows, 5)


def _fleet(problem: Problem) -> Ints:
    by_id, nowhere = problem.by_id(), len(problem.locations)
    rows = []
    for one in problem.couriers:
        carried = [by_id[name] for name in one.carrying]
        rows.append(
            [
                *(one.start, nowhere if one.home is None else one.home, one.available_s, _end(one, problem)),
                *most(one, by_id),
                *(sum(job.pieces for job in carried), sum(job.grams for job in carried), one.first is not None),
            ]
        )
    return _table(rows, 9)


def _table(rows: Sequence[Sequence[int]], columns: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(len(rows), columns)


def ints(values: Any) -> Ints:
    """Whole numbers as an array."""
    return np.array(list(values), dtype=np.int64)


def _matrix(rows: tuple[tuple[int, ...], ...]) -> Ints:
    """With "nowhere" behind the last place."""
    found = np.zeros((len(rows) + 1, len(rows) + 1), dtype=np.int64)
    found[:-1, :-1] = np.array(rows, dtype=np.int64)
    return found


def _spans(problem: Problem) -> list[Sequence[Span]]:
    """Open spans by visit; what has begun comes to closed doors where it must."""
    by_id = problem.by_id()
    shut = {
        (one.first.job, kind)
        for one in problem.couriers
        if one.first is not None
        for kind, opened, _ in started(one, by_id[one.first.job], problem)
        if not opened
    }
    found: list[Sequence[Span]] = []
    for job in problem.jobs:
        found.append(() if (job.id, "pickup") in shut else job.pickup_open)
        found.append(() if (job.id, "drop") in shut else job.drop_open)
    return found


def _end(courier: Courier, problem: Problem) -> int:
    """When the last service, or the way home, must be over; what was started is finished."""
    by_id = problem.by_id()
    end = until(courier, by_id, problem)
    if courier.work_s is None:
        return end
    begun = 0
    if courier.first is not None:
        job = by_id[courier.first.job]
        begun = started(courier, job, problem)[-1][2]
        begun += 0 if courier.home is None else problem.travel[job.drop][courier.home]
    return min(end, max(courier.available_s + courier.work_s, begun))


def _near(problem: Problem, wholes: list[str], travel: Ints) -> Ints:
    """For each whole all wholes, those with sites and deadlines near its own first."""
    first = {job.whole: job for job in reversed(problem.jobs)}
    drops = ints(first[name].drop for name in wholes)
    dues = ints(first[name].due_s for name in wholes)
    apart = travel[np.ix_(drops, drops)]
    far = apart + apart.T + np.abs(dues[:, None] - dues[None, :]) // 4
    return np.argsort(far, axis=1, kind="stable").astype(np.int64)
