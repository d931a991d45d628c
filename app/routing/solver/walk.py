"""The walk as kernels: strings of neighboring visits are taken out and put back (SISR, Christiaens and Vanden Berghe
2020), and what is too dear for the heat is taken back. It has its own random numbers and reads no clock.
"""

import math
from typing import NamedTuple

import numpy as np

from app.routing.solver.arrays import FAR, Facts, Ints, Words
from app.routing.solver.moves import BLINK, Routes, best_position, chance, insert, renew, take_out
from app.routing.solver.native import kernel

REMOVED, LONGEST = 10, 10
SPLIT, LONGER = 0.5, 0.5
REMEMBERED = 1 << 13
LEFT, TOUCHED, COST, ROUND, BEST_COST, BEST_MISSES = 0, 1, 2, 3, 4, 5


class Walk(NamedTuple):
    """What the walk carries along, and what it remembers.

    `numbers` are how many are left out, how many routes this round touched, the cost of all routes, the round, the
    best's cost and its misses by tier. `seen_*` are routes met on the way, at a place that their set of jobs gives.
    """

    random: Words
    numbers: Ints
    left: Ints
    left_before: Ints
    out: Ints
    keys: Ints
    touched: Ints
    stamp: Ints
    saved: Ints
    saved_size: Ints
    saved_cost: Ints
    best: Ints
    best_size: Ints
    seen: Ints
    seen_size: Ints
    seen_kind: Ints
    seen_cost: Ints
    seen_worth: Ints
    seen_sign: Words


def new_walk(facts: Facts, seed: int) -> Walk:
    """Nothing done yet, nothing seen."""
    count, fleet = len(facts.load), len(facts.start)

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    return Walk(
        random=np.array([seed % (1 << 64)], dtype=np.uint64), numbers=zeros(8), left=zeros(count),
        left_before=zeros(count), out=zeros(count), keys=zeros(count), touched=zeros(fleet), stamp=zeros(fleet),
        saved=zeros(fleet, count + 2), saved_size=zeros(fleet), saved_cost=zeros(fleet),
        best=zeros(fleet, count + 2), best_size=zeros(fleet),
        seen=zeros(REMEMBERED, min(count, 200)), seen_size=zeros(REMEMBERED), seen_kind=zeros(REMEMBERED),
        seen_cost=zeros(REMEMBERED), seen_worth=zeros(REMEMBERED), seen_sign=np.zeros(REMEMBERED, dtype=np.uint64),
    )  # fmt: skip


@kernel
def rounds(facts: Facts, routes: Routes, walk: Walk, count: int, heat: float) -> None:
    """So many removals and reinsertions at one heat; the best met is kept in the walk."""
    for _ in range(count):
        walk.numbers[ROUND] += 1
        walk.numbers[TOUCHED] = 0
        before, price = walk.numbers[LEFT], absent_price(facts, walk)
        walk.left_before[:before] = walk.left[:before]
        removed = ruin(facts, routes, walk)
        walk.out[removed : removed + before] = walk.left[:before]
        order(facts, walk, removed + before)
        put_back(facts, routes, walk, removed + before, BLINK)
        more = 0
        for index in range(walk.numbers[TOUCHED]):
            route = walk.touched[index]
            more += routes.cost[route] - walk.saved_cost[route]
        if more + absent_price(facts, walk) - price < -heat * math.log(1.0 - chance(walk.random)):
            walk.numbers[COST] += more
            keep(facts, routes, walk)
        else:
            undo(facts, routes, walk, before)


@kernel
def absent_price(facts: Facts, walk: Walk) -> int:
    """What the walk pays for the jobs it has left out."""
    price = 0
    for index in range(walk.numbers[LEFT]):
        price += facts.dear[walk.left[index]]
    return price


@kernel
def touch(routes: Routes, walk: Walk, route: int) -> None:
    """Note a route as it is before the round's first change."""
    if walk.stamp[route] == walk.numbers[ROUND]:
        return
    walk.stamp[route] = walk.numbers[ROUND]
    size = routes.size[route]
    walk.saved[route, : size + 2] = routes.place[route, : size + 2]
    walk.saved_size[route], walk.saved_cost[route] = size, routes.cost[route]
    walk.touched[walk.numbers[TOUCHED]] = route
    walk.numbers[TOUCHED] += 1


@kernel
def undo(facts: Facts, routes: Routes, walk: Walk, before: int) -> None:
    """Everything as it was before the round."""
    for index in range(walk.numbers[LEFT]):
        routes.route_of[walk.left[index]] = -1
    walk.numbers[LEFT] = before
    walk.left[:before] = walk.left_before[:before]
    for index in range(walk.numbers[TOUCHED]):
        route = walk.touched[index]
        size = walk.saved_size[route]
        routes.size[route] = size
        routes.place[route, : size + 2] = walk.saved[route, : size + 2]
        for at in range(1, size + 1):
            routes.route_of[routes.place[route, at]] = route
        renew(facts, routes, route)
    for index in range(before):
        routes.route_of[walk.left[index]] = -1


@kernel
def ruin(facts: Facts, routes: Routes, walk: Walk) -> int:
    """Strings of several routes around a random job go out; gives how many jobs that are."""
    count, used, out = len(facts.load), 0, 0
    for route in range(len(facts.start)):
        used += routes.size[route] > 0
    longest = min(float(LONGEST), (count - walk.numbers[LEFT]) / max(1, used))
    strings = int(chance(walk.random) * (4.0 * REMOVED / (1.0 + longest) - 1.0) + 1.0)
    near = facts.near[int(chance(walk.random) * count)]
    for job in near:
        route = routes.route_of[job]
        if route < 0 or walk.stamp[route] == walk.numbers[ROUND]:
            continue
        touch(routes, walk, route)
        out = cut(facts, routes, walk, route, job, longest, out)
        strings -= 1
        if strings <= 0:
            break
    return out


@kernel
def cut(facts: Facts, routes: Routes, walk: Walk, route: int, job: int, longest: float, out: int) -> int:
    """A string around a job goes out of its route; half of the time a few in its middle stay."""
    size, place, random = routes.size[route], routes.place[route], walk.random
    spot = 1
    while place[spot] != job:
        spot += 1
    length = int(chance(random) * min(float(size), longest) + 1.0)
    kept = 0
    if 1 < length < size and chance(random) < SPLIT:
        kept = 1
        while length + kept < size and chance(random) > LONGER:
            kept += 1
    low, high = max(1, spot - length - kept + 1), min(spot, size - length - kept + 1)
    begin = low + int(chance(random) * (high - low + 1))
    first = length if kept == 0 else 1 + int(chance(random) * (length - 1))
    for at in range(begin, begin + length + kept):
        if at < begin + first or at >= begin + first + kept:
            walk.out[out] = place[at]
            routes.route_of[place[at]] = -1
            out += 1
    take_out(facts, routes, route, begin + first + kept, length - first)
    take_out(facts, routes, route, begin, first)
    renew(facts, routes, route)
    return out


@kernel
def put_back(facts: Facts, routes: Routes, walk: Walk, count: int, blink: float) -> None:
    """The first `count` jobs of `out` go where each is cheapest, smallest key first; what fits nowhere is left out."""
    sort(walk, count)
    walk.numbers[LEFT] = 0
    for index in range(count):
        job = walk.out[index]
        route, at = best_position(facts, routes, job, blink, walk.random)
        if route < 0:
            walk.left[walk.numbers[LEFT]] = job
            walk.numbers[LEFT] += 1
        else:
            touch(routes, walk, route)
            insert(facts, routes, job, route, at)


@kernel
def order(facts: Facts, walk: Walk, count: int) -> None:
    """In which order jobs are put back: at random, heaviest, farthest, nearest, tightest, first or last first."""
    turn, out, keys = chance(walk.random), walk.out, walk.keys
    for index in range(count):
        job = out[index]
        if turn < 0.3:
            keys[index] = int(chance(walk.random) * 1e9)
        elif turn < 0.5:
            keys[index] = -facts.load[job]
        elif turn < 0.65:
            keys[index] = -facts.alone[job]
        elif turn < 0.7:
            keys[index] = facts.alone[job]
        elif turn < 0.8:
            keys[index] = facts.closes[job] - facts.opens[job]
        elif turn < 0.9:
            keys[index] = facts.opens[job]
        else:
            keys[index] = -facts.closes[job]


@kernel
def sort(walk: Walk, count: int) -> None:
    """The first `count` jobs of `out` by their keys."""
    out, keys = walk.out, walk.keys
    for index in range(1, count):
        job, key, at = out[index], keys[index], index
        while at > 0 and keys[at - 1] > key:
            out[at], keys[at] = out[at - 1], keys[at - 1]
            at -= 1
        out[at], keys[at] = job, key


@kernel
def keep(facts: Facts, routes: Routes, walk: Walk) -> None:
    """After an accepted round: remember its routes, and all of them if they are the best so far."""
    worth = walk.numbers[COST] + absent_price(facts, walk)
    for index in range(walk.numbers[TOUCHED]):
        remember(facts, routes, walk, walk.touched[index], worth)
    if better(facts, walk):
        for route in range(len(facts.start)):
            size = routes.size[route]
            walk.best_size[route] = size
            walk.best[route, :size] = routes.place[route, 1 : size + 1]


@kernel
def better(facts: Facts, walk: Walk) -> bool:
    """Whether the routes beat the best: by misses of each tier in turn, then by cost. If so, its numbers are theirs."""
    best, missed = walk.numbers[BEST_MISSES:], (0, 0, 0)
    for index in range(walk.numbers[LEFT]):
        tier = facts.tier[walk.left[index]]
        missed = (missed[0] + (tier == 0), missed[1] + (tier == 1), missed[2] + (tier == 2))
    now = (missed[0], missed[1], missed[2], walk.numbers[COST])
    if now >= (best[0], best[1], best[2], walk.numbers[BEST_COST]):
        return False
    best[0], best[1], best[2] = missed
    walk.numbers[BEST_COST] = walk.numbers[COST]
    return True


@kernel
def remember(facts: Facts, routes: Routes, walk: Walk, route: int, worth: int) -> None:
    """Note a route, the cheapest order of its jobs, and the best value of all plans that it was part of."""
    size, kind = routes.size[route], facts.kind[route]
    if size == 0 or size > walk.seen.shape[1]:
        return
    sign = facts.sign[len(facts.load) + kind]
    for at in range(1, size + 1):
        sign ^= facts.sign[routes.place[route, at]]
    slot = int(sign & np.uint64(REMEMBERED - 1))
    known = walk.seen_size[slot] > 0
    same = known and walk.seen_sign[slot] == sign
    if known and not same and walk.seen_worth[slot] < worth:
        return
    walk.seen_worth[slot] = min(worth, walk.seen_worth[slot]) if same else worth
    if same and walk.seen_cost[slot] <= routes.cost[route]:
        return
    walk.seen_sign[slot], walk.seen_kind[slot], walk.seen_size[slot] = sign, kind, size
    walk.seen_cost[slot] = routes.cost[route]
    walk.seen[slot, :size] = routes.place[route, 1 : size + 1]


@kernel
def begin(facts: Facts, routes: Routes, walk: Walk) -> None:
    """Fill the routes with what is in none of them, and count anew."""
    count = 0
    for job in range(len(facts.load)):
        if routes.route_of[job] < 0:
            walk.out[count], walk.keys[count] = job, facts.tier[job] * FAR - facts.alone[job]
            count += 1
    walk.numbers[ROUND] += 1
    walk.numbers[TOUCHED] = 0
    put_back(facts, routes, walk, count, 0.0)
    walk.numbers[TOUCHED] = 0
    walk.numbers[COST] = routes.cost.sum()
    if walk.numbers[BEST_COST] == 0:
        walk.numbers[BEST_COST], walk.numbers[BEST_MISSES] = FAR, FAR
    for route in range(len(facts.start)):
        walk.touched[route] = route
    walk.numbers[TOUCHED] = len(facts.start)
    keep(facts, routes, walk)
