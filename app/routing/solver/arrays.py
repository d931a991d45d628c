"""A problem of single visits as arrays, which the kernels of ruin and recreate (`moves`, `walk`) read.

A place is a number: first the jobs in the problem's order, then where couriers start and end, last "nowhere", which is
next to everywhere and ends the routes without a home.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.routing.rules.problem import Courier, Job, Problem, allowed

FAR = 1 << 50
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]


class Facts(NamedTuple):
    """What never changes while routes do. By pairs of places, by job, by courier.

    `travel_in[b, a]` is `travel[a, b]`, since a row is read faster than a column. `near[j]` are all jobs, nearest first.
    Couriers of one `kind` are just alike. `dear[j]` is what leaving a job out costs the walk.
    """

    travel: Ints
    travel_in: Ints
    price: Ints
    price_in: Ints
    way: Ints
    opens: Ints
    closes: Ints
    service: Ints
    load: Ints
    tier: Ints
    alone: Ints
    dear: Ints
    near: Ints
    sign: Words
    may: Bools
    start: Ints
    home: Ints
    leaves: Ints
    leaves_by: Ints
    ends: Ints
    most: Ints
    work: Ints
    longest: Ints
    kind: Ints
    limited: bool
    measured: bool


def fits(problem: Problem) -> bool:
    """Whether these arrays can hold the problem: each job one visit with a hard deadline and one open span, nothing
    begun or on board, and only driving costs."""
    price = problem.prices
    told = any(job.told_s is not None for job in problem.jobs) and price.calm
    return (
        len(problem.jobs) > 1
        and bool(problem.couriers)
        and not price.lead
        and not told
        and all(job.pickup is None and job.hard and len(job.drop_open) <= 1 for job in problem.jobs)
        and not any(courier.first or courier.carrying for courier in problem.couriers)
        and sum(job.grams for job in problem.jobs if job.loaded) <= min(courier.grams for courier in problem.couriers)
    )


def facts_of(problem: Problem) -> Facts:
    """The arrays of a problem that `fits`."""
    jobs, fleet = problem.jobs, problem.couriers
    ends = dict.fromkeys(place for courier in fleet for place in (courier.start, courier.home) if place is not None)
    number = {place: len(jobs) + index for index, place in enumerate(ends)}
    places = [job.drop for job in jobs] + list(ends)
    travel = _between(problem.travel, places)
    price = travel if problem.lengths is None or not problem.prices.length else travel * problem.prices.drive
    if price is not travel and problem.lengths is not None:
        price = price + _between(problem.lengths, places) * problem.prices.length
    turned = np.ascontiguousarray(travel.T)
    windows = [_window(job) for job in jobs]
    may = np.zeros((len(jobs), len(fleet)), dtype=np.bool_)
    for index, job in enumerate(jobs):
        may[index, allowed(job, problem)] = True
    tier = _ints(job.tier for job in jobs)
    return Facts(
        travel=travel,
        travel_in=turned,
        price=price,
        price_in=turned if price is travel else np.ascontiguousarray(price.T),
        way=travel if problem.lengths is None else _between(problem.lengths, places),
        opens=_ints(opens for opens, _ in windows),
        closes=_ints(closes for _, closes in windows),
        service=_ints(job.drop_service_s for job in jobs),
        load=_ints(job.pieces if job.loaded else 0 for job in jobs),
        tier=tier,
        alone=travel[_ints(number[courier.start] for courier in fleet), : len(jobs)].min(axis=0),
        dear=int(price.max()) * 10 ** (2 - tier),
        near=np.argsort((travel + turned)[: len(jobs), : len(jobs)], axis=1, kind="stable").astype(np.int64),
        sign=np.random.default_rng(len(jobs)).integers(1 << 63, size=len(jobs) + len(fleet), dtype=np.uint64),
        may=may,
        start=_ints(number[courier.start] for courier in fleet),
        home=_ints(len(places) if courier.home is None else number[courier.home] for courier in fleet),
        leaves=_ints(courier.available_s for courier in fleet),
        leaves_by=_ints(
            courier.available_s if courier.latest_start_s is None else courier.latest_start_s for courier in fleet
        ),
        ends=_ints(min(courier.end_s, problem.horizon_s) for courier in fleet),
        most=_ints(courier.pieces for courier in fleet),
        work=_ints(FAR if courier.work_s is None else courier.work_s for courier in fleet),
        longest=_ints(FAR if courier.length is None else courier.length for courier in fleet),
        kind=_kinds(fleet, may),
        limited=any(courier.work_s is not None for courier in fleet),
        measured=any(courier.length is not None for courier in fleet),
    )


def _ints(values: Any) -> Ints:
    return np.array(list(values), dtype=np.int64)


def _between(matrix: tuple[tuple[int, ...], ...], places: list[int]) -> Ints:
    """The matrix by our numbers, with "nowhere" behind the last."""
    size = len(places)
    found = np.zeros((size + 1, size + 1), dtype=np.int64)
    found[:size, :size] = np.array(matrix, dtype=np.int64)[np.ix_(places, places)]
    return found


def _window(job: Job) -> tuple[int, int]:
    """First and last start of the visit."""
    first, last = max(0, job.earliest_drop_s), job.due_s - job.drop_service_s
    for opens, closes in job.drop_open:
        first, last = max(first, opens), min(last, closes - job.drop_service_s)
    return first, last


def _kinds(fleet: tuple[Courier, ...], may: Bools) -> Ints:
    """For each courier the first one who is just like it."""
    known: dict[Any, int] = {}
    return _ints(
        known.setdefault(
            (
                *(courier.start, courier.home, courier.available_s, courier.latest_start_s, courier.end_s),
                *(courier.pieces, courier.work_s, courier.length, may[:, index].tobytes()),
            ),
            index,
        )
        for index, courier in enumerate(fleet)
    )
