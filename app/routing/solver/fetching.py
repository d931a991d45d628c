"""Kernels over courier routes with pick-ups and drops: where an errand may go, what that costs all who come after it,
putting it there. Whole numbers only.

Position 0 of a route is before its first visit. Each position knows when and where the courier is then, with what load,
and what all that follows costs, so a change is judged by what it changes.
"""

from typing import NamedTuple

import numpy as np

from app.routing.solver.arrays import FAR, Ints, Words
from app.routing.solver.errands import (
    BOTH,
    CALM,
    DUE,
    ENDS,
    GRAMS,
    HARD,
    HAS_GRAMS,
    HAS_PIECES,
    HOME,
    LATE,
    LEAD,
    LEAVES,
    LOCK,
    MISS,
    MOST_GRAMS,
    MOST_PIECES,
    OPENS,
    PIECES,
    PLACE,
    SERVICE,
    SHELF,
    SPANS,
    SPANS_END,
    START,
    TIER,
    TOLD,
    WHOLE,
    Errands,
)
from app.routing.solver.moves import chance
from app.routing.solver.native import apart, kernel

DEPART, HERE, LOADED, WEIGHT, REST = range(5)
COURIER, WAY = range(2)
NUMBERS = 7
"""Of a route: misses by tier, lateness by tier, cost without both."""


class Tours(NamedTuple):
    """By courier the visits in order, and by position what HERE to REST name; `sums` are R2's numbers of each route.

    REST is what everything from a position on costs the walk. `held` is by whole: which courier has it (-1: nobody) and
    by which job. `left` are the pieces on each shelf.
    """

    visit: Ints
    size: Ints
    state: Ints
    sums: Ints
    held: Ints
    left: Ints


def empty_tours(facts: Errands) -> Tours:
    """Nothing to do for anyone."""
    fleet, longest, wholes = len(facts.fleet), len(facts.visits) + 2, len(facts.wholes)

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    return Tours(
        visit=zeros(fleet, longest),
        size=zeros(fleet),
        state=zeros(fleet, longest, 5),
        sums=zeros(fleet, NUMBERS),
        held=zeros(wholes, 2) - 1,
        left=facts.stock.copy(),
    )


@kernel
def begins(facts: Errands, visit: int, arrive: int) -> int:
    """Earliest start of a service after arriving, or -1 when no open span is left for it."""
    at = max(arrive, facts.visits[visit, OPENS])
    first, last = facts.visits[visit, SPANS], facts.visits[visit, SPANS_END]
    if first == last:
        return int(at)
    for span in range(first, last):
        begin = max(at, facts.spans[span, 0])
        if begin + facts.visits[visit, SERVICE] <= facts.spans[span, 1]:
            return int(begin)
    return -1


@kernel
def price_of(facts: Errands, job: int, finish: int) -> int:
    """What a job's finish costs the walk, FAR where its hard deadline is broken."""
    price = facts.weights[LEAD] * finish + facts.weights[CALM] * max(0, finish - facts.jobs[job, TOLD])
    over = finish - facts.jobs[job, DUE]
    if over > 0:
        if facts.jobs[job, HARD]:
            return FAR
        price += facts.weights[MISS + facts.jobs[job, TIER]] + facts.weights[LATE + facts.jobs[job, TIER]] * over
    return int(price)


@apart
def renew(facts: Errands, tours: Tours, courier: int) -> None:
    """Times, loads and costs of a route after a change of its visits."""
    size, now, here = tours.size[courier], facts.fleet[courier, LEAVES], facts.fleet[courier, START]
    pieces, grams = facts.fleet[courier, HAS_PIECES], facts.fleet[courier, HAS_GRAMS]
    sums = tours.sums[courier]
    sums[:] = 0
    for at in range(size):
        visit = tours.visit[courier, at]
        tours.state[courier, at, DEPART], tours.state[courier, at, HERE] = now, here
        tours.state[courier, at, LOADED], tours.state[courier, at, WEIGHT] = pieces, grams
        job, there = visit >> 1, facts.visits[visit, PLACE]
        arrive = now + facts.travel[here, there]
        begin = begins(facts, visit, arrive)
        now = max(arrive, begin) + facts.visits[visit, SERVICE]
        sums[6] += facts.price[here, there]
        here = there
        if visit & 1:
            pieces, grams = pieces - facts.jobs[job, PIECES], grams - facts.jobs[job, GRAMS]
            over = now - facts.jobs[job, DUE]
            sums[6] += facts.weights[LEAD] * now + facts.weights[CALM] * max(0, now - facts.jobs[job, TOLD])
            if over > 0:
                sums[facts.jobs[job, TIER]] += 1
                sums[3 + facts.jobs[job, TIER]] += over
        else:
            pieces, grams = pieces + facts.jobs[job, PIECES], grams + facts.jobs[job, GRAMS]
    tours.state[courier, size, DEPART], tours.state[courier, size, HERE] = now, here
    tours.state[courier, size, LOADED], tours.state[courier, size, WEIGHT] = pieces, grams
    tours.state[courier, size, REST] = facts.price[here, facts.fleet[courier, HOME]] if size else 0
    sums[6] += tours.state[courier, size, REST]
    for at in range(size - 1, -1, -1):
        visit = tours.visit[courier, at]
        cost = facts.price[tours.state[courier, at, HERE], facts.visits[visit, PLACE]]
        if visit & 1:
            cost += price_of(facts, visit >> 1, tours.state[courier, at + 1, DEPART])
        tours.state[courier, at, REST] = tours.state[courier, at + 1, REST] + cost


@kernel
def rest_after(facts: Errands, tours: Tours, courier: int, at: int, now: int, here: int, limit: int) -> int:
    """What the visits from a position on cost when they are come to from a place at a time; FAR once above the limit or
    where a law would be broken."""
    cost = 0
    for index in range(at, tours.size[courier]):
        visit = tours.visit[courier, index]
        there = facts.visits[visit, PLACE]
        begin = begins(facts, visit, now + facts.travel[here, there])
        if begin < 0:
            return FAR
        now = begin + facts.visits[visit, SERVICE]
        cost += facts.price[here, there]
        if visit & 1:
            cost += price_of(facts, visit >> 1, now)
        if now == tours.state[courier, index + 1, DEPART]:
            return int(cost + tours.state[courier, index + 1, REST])
        if cost >= limit:
            return FAR
        here = there
    if now + facts.travel[here, facts.fleet[courier, HOME]] > facts.fleet[courier, ENDS]:
        return FAR
    return int(cost + facts.price[here, facts.fleet[courier, HOME]])


@kernel
def best_drop(
    facts: Errands, tours: Tours, job: int, courier: int, at: int, now: int, here: int, spent: int, best: int
) -> tuple[int, int]:
    """Position and added cost of the cheapest drop not before a position, coming from a place at a time with `spent`
    paid since there; -1 where none is below `best`. What lies between is passed on the way."""
    drop, size, found = 2 * job + 1, tours.size[courier], -1
    there, base, both = facts.visits[drop, PLACE], tours.state[courier, at, REST], facts.jobs[job, BOTH]
    pieces, grams = facts.jobs[job, PIECES] if both else 0, facts.jobs[job, GRAMS] if both else 0
    for index in range(at, size + 1):
        if tours.state[courier, index, LOADED] + pieces > facts.fleet[courier, MOST_PIECES]:
            break
        if tours.state[courier, index, WEIGHT] + grams > facts.fleet[courier, MOST_GRAMS]:
            break
        begin = begins(facts, drop, now + facts.travel[here, there])
        if begin >= 0:
            finish = begin + facts.visits[drop, SERVICE]
            cost = spent + facts.price[here, there] + price_of(facts, job, finish) - base
            if cost < best:
                least = tours.state[courier, index, REST]
                if index < size:
                    least -= facts.price[
                        tours.state[courier, index, HERE], facts.visits[tours.visit[courier, index], PLACE]
                    ]
                if cost + least < best or index == size:
                    cost += rest_after(facts, tours, courier, index, finish, there, best - cost)
                    if cost < best:
                        best, found = cost, index
        if index == size:
            break
        visit = tours.visit[courier, index]
        begin = begins(facts, visit, now + facts.travel[here, facts.visits[visit, PLACE]])
        if begin < 0:
            break
        now = begin + facts.visits[visit, SERVICE]
        spent += facts.price[here, facts.visits[visit, PLACE]]
        if visit & 1:
            spent += price_of(facts, visit >> 1, now)
        here = facts.visits[visit, PLACE]
        if spent + tours.state[courier, index + 1, REST] - base >= best:
            break
    return found, best


@apart
def best_spot(
    facts: Errands, tours: Tours, job: int, courier: int, best: int, blink: float, random: Words
) -> tuple[int, int, int]:
    """Where a job adds least to a route: positions of its pick-up and drop among the present visits, and the added cost;
    -1, -1 where that is not below `best`. Positions are overlooked now and then."""
    fetch, spot_in, spot_out = 2 * job, -1, -1
    for at in range(facts.fleet[courier, LOCK], tours.size[courier] + 1):
        if blink > 0.0 and chance(random) < blink:
            continue
        now, here, spent = tours.state[courier, at, DEPART], tours.state[courier, at, HERE], 0
        if facts.jobs[job, BOTH]:
            begin = begins(facts, fetch, now + facts.travel[here, facts.visits[fetch, PLACE]])
            if begin < 0:
                break
            now = begin + facts.visits[fetch, SERVICE]
            spent = facts.price[here, facts.visits[fetch, PLACE]]
            here = facts.visits[fetch, PLACE]
        found, cost = best_drop(facts, tours, job, courier, at, now, here, spent, best)
        if found >= 0:
            best, spot_in, spot_out = cost, at, found
        if not facts.jobs[job, BOTH]:
            break
    return spot_in, spot_out, best


@kernel
def put(facts: Errands, tours: Tours, job: int, courier: int, fetch_at: int, drop_at: int) -> None:
    """Put a job's visits before those at two positions of a route."""
    visits, size = tours.visit[courier], tours.size[courier]
    more = 2 if facts.jobs[job, BOTH] else 1
    for at in range(size - 1, drop_at - 1, -1):
        visits[at + more] = visits[at]
    visits[drop_at + more - 1] = 2 * job + 1
    if more == 2:
        for at in range(drop_at - 1, fetch_at - 1, -1):
            visits[at + 1] = visits[at]
        visits[fetch_at] = 2 * job
    tours.size[courier] = size + more
    whole, shelf = facts.jobs[job, WHOLE], facts.jobs[job, SHELF]
    tours.held[whole, COURIER], tours.held[whole, WAY] = courier, job
    if shelf >= 0 and more == 2:
        tours.left[shelf] -= facts.jobs[job, PIECES]
    renew(facts, tours, courier)


@kernel
def take(facts: Errands, tours: Tours, whole: int) -> None:
    """Take a whole out of its route, whose times are not renewed yet. A pick-up that is under way stays."""
    courier, job = tours.held[whole, COURIER], tours.held[whole, WAY]
    visits, kept = tours.visit[courier], 0
    for at in range(tours.size[courier]):
        visit = visits[at]
        if visit >> 1 == job and (visit & 1 or facts.jobs[job, BOTH]):
            continue
        visits[kept] = visit
        kept += 1
    tours.size[courier] = kept
    tours.held[whole, COURIER] = -1
    if facts.jobs[job, SHELF] >= 0 and facts.jobs[job, BOTH]:
        tours.left[facts.jobs[job, SHELF]] += facts.jobs[job, PIECES]
