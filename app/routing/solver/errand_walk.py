"""The walk over errands as kernels: a few related ones are taken out and put back where they cost least, and what is too
dear for the heat is taken back (ruin and recreate; Ropke and Pisinger 2006). It has its own random numbers and reads no
clock.
"""

import math
from typing import NamedTuple

import numpy as np

from app.routing.solver.arrays import FAR, Ints, Words
from app.routing.solver.errands import ABOARD, BOTH, DEAR, DUE, FIXED, PIECES, SHELF, TIER, WAYS, WAYS_END, Errands
from app.routing.solver.fetching import COURIER, NUMBERS, REST, WAY, Tours, best_spot, put, renew, take
from app.routing.solver.moves import chance
from app.routing.solver.native import apart, kernel

MOST = 12
"""How many wholes one round takes out at most."""
BLINK, SKIP = 0.02, 0.3
ROUND, OUT, TOUCHED, COST = range(4)
WHAT, KEY, WAS_COURIER, WAS_WAY = range(4)
STAMP, WHICH, SIZE, BEST = range(4)


class Trail(NamedTuple):
    """What the walk carries along. `numbers` are the round, how many wholes are out, how many routes the round touched and
    the cost of all. `gone` lists which wholes are out (WHAT, KEY) and tells by whole where each was; `routes` lists which
    routes were touched and tells of each; `saved` are touched ones as they were, `best`
    the best plan met, with its numbers by R2."""

    random: Words
    numbers: Ints
    gone: Ints
    routes: Ints
    saved: Ints
    left: Ints
    best: Ints
    best_sums: Ints
    sums: Ints


def new_trail(facts: Errands, seed: int) -> Trail:
    """Nothing done yet."""
    wholes, fleet, longest = len(facts.wholes), len(facts.fleet), len(facts.visits) + 2

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    return Trail(
        random=np.array([seed % (1 << 64)], dtype=np.uint64), numbers=zeros(4), gone=zeros(wholes, 4),
        routes=zeros(fleet, 4), saved=zeros(fleet, longest), left=np.zeros_like(facts.stock),
        best=zeros(fleet, longest), best_sums=np.full(NUMBERS, FAR, dtype=np.int64), sums=zeros(NUMBERS),
    )  # fmt: skip


@kernel
def rounds(facts: Errands, tours: Tours, trail: Trail, count: int, heat: float) -> None:
    """So many removals and reinsertions at one heat; the best met is kept in the trail."""
    numbers = trail.numbers
    for _ in range(count):
        numbers[ROUND] += 1
        numbers[OUT], numbers[TOUCHED] = 0, 0
        trail.left[:] = tours.left
        before = numbers[COST]
        ruin(facts, tours, trail)
        order(facts, trail)
        put_back(facts, tours, trail, BLINK)
        now = worth(facts, tours)
        if not stranded(facts, tours, trail) and now - before < -heat * math.log(1.0 - chance(trail.random)):
            numbers[COST] = now
            keep(facts, tours, trail)
        else:
            undo(facts, tours, trail)


@kernel
def worth(facts: Errands, tours: Tours) -> int:
    """What all routes and all that is in none cost the walk."""
    cost = 0
    for courier in range(len(facts.fleet)):
        cost += tours.state[courier, 0, REST]
    for whole in range(len(facts.wholes)):
        if tours.held[whole, COURIER] < 0:
            cost += facts.wholes[whole, DEAR]
    return cost


@kernel
def stranded(facts: Errands, tours: Tours, trail: Trail) -> bool:
    """Whether something on board that was brought is no longer: what else the courier fetched had counted on its room."""
    for index in range(trail.numbers[OUT]):
        whole = trail.gone[index, WHAT]
        brought = trail.gone[whole, WAS_COURIER] >= 0
        if brought and facts.wholes[whole, ABOARD] and tours.held[whole, COURIER] < 0:
            return True
    return False


@kernel
def touch(tours: Tours, trail: Trail, courier: int) -> None:
    """Note a route as it is before the round's first change."""
    if trail.routes[courier, STAMP] == trail.numbers[ROUND]:
        return
    trail.routes[courier, STAMP] = trail.numbers[ROUND]
    size = tours.size[courier]
    trail.saved[courier, :size] = tours.visit[courier, :size]
    trail.routes[courier, SIZE] = size
    trail.routes[trail.numbers[TOUCHED], WHICH] = courier
    trail.numbers[TOUCHED] += 1


@apart
def undo(facts: Errands, tours: Tours, trail: Trail) -> None:
    """Everything as it was before the round."""
    for index in range(trail.numbers[TOUCHED]):
        courier = trail.routes[index, WHICH]
        size = trail.routes[courier, SIZE]
        tours.size[courier] = size
        tours.visit[courier, :size] = trail.saved[courier, :size]
        renew(facts, tours, courier)
    for index in range(trail.numbers[OUT]):
        whole = trail.gone[index, WHAT]
        tours.held[whole, COURIER], tours.held[whole, WAY] = trail.gone[whole, WAS_COURIER], trail.gone[whole, WAS_WAY]
    tours.left[:] = trail.left


@kernel
def out(facts: Errands, tours: Tours, trail: Trail, whole: int) -> None:
    """Take a whole out for this round."""
    courier = tours.held[whole, COURIER]
    trail.gone[whole, WAS_COURIER], trail.gone[whole, WAS_WAY] = courier, tours.held[whole, WAY]
    trail.gone[trail.numbers[OUT], WHAT] = whole
    trail.numbers[OUT] += 1
    if courier >= 0:
        touch(tours, trail, courier)
        take(facts, tours, whole)


@apart
def ruin(facts: Errands, tours: Tours, trail: Trail) -> None:
    """Out go all that are in no route, and some around one drawn: neighbors by site and deadline, those of its courier, or
    any."""
    wholes, random = len(facts.wholes), trail.random
    for whole in range(wholes):
        if tours.held[whole, COURIER] < 0:
            out(facts, tours, trail, whole)
    first = int(chance(random) * wholes)
    wanted = 1 + int(chance(random) * min(MOST, max(2, wholes // 2)))
    turn = chance(random)
    mine = tours.held[first, COURIER]
    for index in range(wholes):
        if wanted <= 0:
            break
        whole = facts.near[first, index]
        if turn > 0.85:
            whole = int(chance(random) * wholes)
        elif turn > 0.65:
            if tours.held[whole, COURIER] != mine:
                continue
        elif index > 0 and chance(random) < SKIP:
            continue
        if tours.held[whole, COURIER] >= 0 and not facts.wholes[whole, FIXED]:
            out(facts, tours, trail, whole)
            wanted -= 1
    for index in range(trail.numbers[TOUCHED]):
        renew(facts, tours, trail.routes[index, WHICH])


@kernel
def order(facts: Errands, trail: Trail) -> None:
    """In which order they are put back: by tier and deadline, at random, the last due first."""
    turn, count = chance(trail.random), trail.numbers[OUT]
    for index in range(count):
        job = facts.ways[facts.wholes[trail.gone[index, WHAT], WAYS]]
        if turn < 0.5:
            trail.gone[index, KEY] = int(chance(trail.random) * 1e9)
        elif turn < 0.75:
            trail.gone[index, KEY] = facts.jobs[job, TIER] * 10_000_000 + facts.jobs[job, DUE]
        elif turn < 0.9:
            trail.gone[index, KEY] = facts.jobs[job, DUE]
        else:
            trail.gone[index, KEY] = -facts.jobs[job, DUE]
    for index in range(1, count):
        whole, key, at = trail.gone[index, WHAT], trail.gone[index, KEY], index
        while at > 0 and trail.gone[at - 1, KEY] > key:
            trail.gone[at, WHAT], trail.gone[at, KEY] = trail.gone[at - 1, WHAT], trail.gone[at - 1, KEY]
            at -= 1
        trail.gone[at, WHAT], trail.gone[at, KEY] = whole, key


@apart
def put_back(facts: Errands, tours: Tours, trail: Trail, blink: float) -> None:
    """What is out goes where it adds least, one after the other; what is dearer everywhere than left out stays out."""
    for index in range(trail.numbers[OUT]):
        whole = trail.gone[index, WHAT]
        best, best_job, best_courier, fetch_at, drop_at = facts.wholes[whole, DEAR], -1, -1, -1, -1
        for way in range(facts.wholes[whole, WAYS], facts.wholes[whole, WAYS_END]):
            job = facts.ways[way]
            shelf = facts.jobs[job, SHELF]
            if shelf >= 0 and facts.jobs[job, BOTH] and tours.left[shelf] < facts.jobs[job, PIECES]:
                continue
            for courier in range(len(facts.fleet)):
                if not facts.may[job, courier]:
                    continue
                spot_in, spot_out, cost = best_spot(facts, tours, job, courier, best, blink, trail.random)
                if spot_in >= 0:
                    best, best_job, best_courier, fetch_at, drop_at = cost, job, courier, spot_in, spot_out
        if best_job >= 0:
            touch(tours, trail, best_courier)
            put(facts, tours, best_job, best_courier, fetch_at, drop_at)


@apart
def keep(facts: Errands, tours: Tours, trail: Trail) -> None:
    """After an accepted round: all routes, if they beat the best by R2: misses by tier, lateness by tier, cost."""
    fleet, sums = len(facts.fleet), trail.sums
    sums[:] = 0
    for courier in range(fleet):
        for at in range(NUMBERS):
            sums[at] += tours.sums[courier, at]
    for whole in range(len(facts.wholes)):
        if tours.held[whole, COURIER] < 0:
            job = facts.ways[facts.wholes[whole, WAYS]]
            sums[facts.jobs[job, TIER]] += 1
            sums[3 + facts.jobs[job, TIER]] += FAR // 1_000
    for at in range(NUMBERS):
        if sums[at] != trail.best_sums[at]:
            break
    if sums[at] < trail.best_sums[at]:
        trail.best_sums[:] = sums
        for courier in range(fleet):
            size = tours.size[courier]
            trail.routes[courier, BEST] = size
            trail.best[courier, :size] = tours.visit[courier, :size]


@kernel
def begin(facts: Errands, tours: Tours, trail: Trail) -> None:
    """Fill the routes with what is in none of them, and note them as the best so far."""
    trail.numbers[ROUND] += 1
    trail.numbers[OUT], trail.numbers[TOUCHED] = 0, 0
    for whole in range(len(facts.wholes)):
        if tours.held[whole, COURIER] < 0:
            trail.gone[whole, WAS_COURIER], trail.gone[whole, WAS_WAY] = -1, -1
            trail.gone[trail.numbers[OUT], WHAT] = whole
            trail.numbers[OUT] += 1
    put_back(facts, tours, trail, 0.0)
    trail.numbers[COST] = worth(facts, tours)
    keep(facts, tours, trail)
