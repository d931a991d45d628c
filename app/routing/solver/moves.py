"""Kernels over routes as arrays: where a visit may go, what that costs, putting it there. Whole numbers only.

Position 0 of a route is the courier's start, the last one its end, the jobs lie between. Each position knows the
shortest time from the start to it and from it to the end (Vidal et al. 2013), so any insertion is judged at once.
"""

from typing import NamedTuple

import numpy as np

from app.routing.solver.arrays import FAR, Facts, Ints, Words
from app.routing.solver.native import kernel

BLINK = 0.01
GOLDEN, MIX, MIXED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S11, S27, S30, S31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)


class Routes(NamedTuple):
    """By courier and position: the place, when it is left at the earliest, when it must be reached at the latest, what
    the arc to the next position costs; and the way there and the way on as one visit each.

    `done` is the shortest time from leaving to the end of service here, for which the start is left by `begun_by`;
    `rest` the shortest time from service here to the end, for which service begins not before `rest_from`.
    """

    place: Ints
    depart: Ints
    latest: Ints
    leg: Ints
    done: Ints
    begun_by: Ints
    rest: Ints
    rest_from: Ints
    size: Ints
    cost: Ints
    load: Ints
    way: Ints
    route_of: Ints


def empty_routes(facts: Facts) -> Routes:
    """Every courier at the start with nothing to do."""
    fleet, count = len(facts.start), len(facts.load)
    shapes = [(fleet, count + 2)] * 8 + [(fleet,)] * 4 + [(count,)]
    routes = Routes(*(np.zeros(shape, dtype=np.int64) for shape in shapes))
    routes.route_of[:] = -1
    routes.place[:, 0], routes.place[:, 1] = facts.start, facts.home
    for route in range(fleet):
        renew(facts, routes, route)
    return routes


@kernel
def chance(random: Words) -> float:
    """The next number of [0, 1) (SplitMix64)."""
    random[0] += GOLDEN
    word = random[0]
    word = (word ^ (word >> S30)) * MIX
    word = (word ^ (word >> S27)) * MIXED
    word ^= word >> S31
    return float(word >> S11) * (1.0 / 9007199254740992.0)


@kernel
def renew(facts: Facts, routes: Routes, route: int) -> None:
    """Times, load and cost of a route after a change of its places."""
    size = routes.size[route]
    here = routes.place[route, 0]
    now, lasts, last = facts.leaves[route], 0, facts.leaves_by[route]
    routes.depart[route, 0], routes.done[route, 0], routes.begun_by[route, 0] = now, lasts, last
    load, cost, way = 0, 0, 0
    for at in range(1, size + 1):
        job = routes.place[route, at]
        leg, price = facts.travel[here, job], facts.price[here, job]
        opens, service = facts.opens[job], facts.service[job]
        now = max(now + leg, opens) + service
        lasts += leg
        last = min(last, facts.closes[job] - lasts)
        lasts += max(0, opens - lasts - last) + service
        routes.depart[route, at], routes.done[route, at], routes.begun_by[route, at] = now, lasts, last
        routes.leg[route, at - 1] = price
        cost += price
        load += facts.load[job]
        way += facts.way[here, job]
        here = job
    home = routes.place[route, size + 1]
    routes.leg[route, size] = facts.price[here, home] if size else 0
    routes.cost[route] = cost + routes.leg[route, size]
    routes.load[route] = load
    routes.way[route] = way + facts.way[here, home] if size else 0
    renew_rest(facts, routes, route)


@kernel
def renew_rest(facts: Facts, routes: Routes, route: int) -> None:
    """The way on from each position, from the end backward."""
    size = routes.size[route]
    after = routes.place[route, size + 1]
    by, lasts, begin = facts.ends[route], 0, -FAR
    routes.latest[route, size + 1], routes.rest[route, size + 1], routes.rest_from[route, size + 1] = by, lasts, begin
    for at in range(size, 0, -1):
        job = routes.place[route, at]
        closes = facts.closes[job]
        step = facts.service[job] + facts.travel[job, after]
        wait = max(0, begin - step - closes)
        begin = max(begin - step, facts.opens[job]) - wait
        by = min(by - step, closes)
        lasts += step + wait
        routes.latest[route, at], routes.rest[route, at], routes.rest_from[route, at] = by, lasts, begin
        after = job


@kernel
def bounded(facts: Facts, routes: Routes, job: int, route: int, at: int) -> bool:
    """Whether the courier's time of work and length allow a job after a position where its window does."""
    here, behind = routes.place[route, at], routes.place[route, at + 1]
    if facts.measured:
        way = routes.way[route] + facts.way[here, job] + facts.way[job, behind]
        if routes.size[route]:
            way -= facts.way[here, behind]
        if way > facts.longest[route]:
            return False
    lasts = routes.done[route, at] + facts.travel[here, job]
    last = min(routes.begun_by[route, at], facts.closes[job] - lasts)
    lasts += max(0, facts.opens[job] - lasts - last) + facts.service[job] + facts.travel[job, behind]
    wait = max(0, routes.rest_from[route, at + 1] - lasts - last)
    return bool(lasts + wait + routes.rest[route, at + 1] <= facts.work[route])


@kernel
def best_position(facts: Facts, routes: Routes, job: int, blink: float, random: Words) -> tuple[int, int]:
    """Courier and position of the cheapest place that keeps every law, or -1, -1; each is overlooked now and then."""
    best, best_route, best_at = FAR, -1, -1
    opens, closes, service, load = facts.opens[job], facts.closes[job], facts.service[job], facts.load[job]
    tried = -1  # of couriers just alike who do nothing, one is enough
    for route in range(len(facts.start)):
        if routes.load[route] + load > facts.most[route] or not facts.may[job, route]:
            continue
        size = routes.size[route]
        if size == 0:
            if facts.kind[route] == tried:
                continue
            tried = facts.kind[route]
        here = routes.place[route, 0]
        for at in range(size + 1):
            leaves, last = routes.depart[route, at], routes.latest[route, at + 1]
            if leaves > closes:
                break
            before, here = here, routes.place[route, at + 1]
            cost = facts.price_in[job, before] + facts.price[job, here] - routes.leg[route, at]
            if cost >= best or opens > last:
                continue
            start = max(leaves + facts.travel_in[job, before], opens)
            if start > closes or start + service + facts.travel[job, here] > last:
                continue
            if (facts.limited or facts.measured) and not bounded(facts, routes, job, route, at):
                continue
            if blink > 0.0 and chance(random) < blink:
                continue
            best, best_route, best_at = cost, route, at
    return best_route, best_at


@kernel
def insert(facts: Facts, routes: Routes, job: int, route: int, at: int) -> None:
    """Put a job behind a position."""
    place = routes.place[route]
    routes.size[route] += 1
    for other in range(routes.size[route] + 1, at + 1, -1):
        place[other] = place[other - 1]
    place[at + 1] = job
    routes.route_of[job] = route
    renew(facts, routes, route)


@kernel
def take_out(facts: Facts, routes: Routes, route: int, begin: int, count: int) -> None:
    """Close the gap that `count` jobs from a position on leave; the route's times are not renewed yet."""
    place = routes.place[route]
    for at in range(begin, routes.size[route] + 2 - count):
        place[at] = place[at + count]
    routes.size[route] -= count
