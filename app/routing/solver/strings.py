"""Routes of single visits as arrays: where a visit may go and what that costs, over all positions in a few vector steps.

Made for ruin and recreate (`anneal`), which takes strings of visits out and puts them back thousands of times a second.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import numpy as np

from app.routing.rules.problem import Courier, Job, Problem, allowed

FAR = 1 << 50
BLINK = 0.01


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


class Routes:
    """The routes of a problem, changed in place. A position is a job (after it) or a courier's start (n + courier).

    `lists[r]` are the jobs of courier r in order, `route_of[j]` the courier of a job or -1, `cost[r]` a route's cost.
    """

    def __init__(self, problem: Problem) -> None:
        jobs, fleet = problem.jobs, problem.couriers
        self.count, self.fleet = len(jobs), len(fleet)
        travel, cost = _matrices(problem)
        self.same = cost is None
        nowhere = len(travel) - 1
        places = [job.drop for job in jobs]
        from_places = np.array(places + [courier.start for courier in fleet])
        self.travel: list[list[int]] = travel.tolist()
        self.price: list[list[int]] = self.travel if cost is None else cost.tolist()
        self.place = places
        self.start = [courier.start for courier in fleet]
        self.home = [nowhere if courier.home is None else courier.home for courier in fleet]
        self.rows = [travel[job.drop] + job.drop_service_s for job in jobs]
        self.columns = [np.ascontiguousarray(travel[from_places, place]) for place in places]
        dear = travel if cost is None else cost
        self.dear_rows = [np.ascontiguousarray(dear[place]) for place in places]
        self.dear_columns = [np.ascontiguousarray(dear[from_places, place]) for place in places]
        self._windows(jobs, fleet, problem.horizon_s)
        self._rules(problem)
        # A vector beside a Python number costs four times as much as beside an array without dimensions.
        numbers = zip(self.opens, self.closes, self.load, strict=True)
        self.scalars = [tuple(np.array(each, dtype=np.int64) for each in three) for three in numbers]
        size = self.count + self.fleet
        self.known = np.zeros((7, size), dtype=np.int64)
        self.depart, self.latest, self.next, self.cut, self.room, self.spare, self.owner = self.known
        self.depart[:] = FAR
        self.room[:] = -1
        self.sums, self.costs = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        self.bad, self.also = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        self.lists: list[list[int]] = [[] for _ in fleet]
        self.times: list[tuple[list[int], list[int]]] = [([], []) for _ in fleet]
        self.route_of = [-1] * self.count
        self.cost: list[int] = [0] * self.fleet
        for route in range(self.fleet):
            self.renew(route)

    def _windows(self, jobs: Sequence[Job], fleet: Sequence[Courier], horizon_s: int) -> None:
        """First and last start of each visit, first departure and last end of each courier."""
        self.service = [job.drop_service_s for job in jobs]
        self.opens, self.closes = [], []
        for job in jobs:
            first, last = job.earliest_drop_s, job.due_s - job.drop_service_s
            for opens, closes in job.drop_open:
                first, last = max(first, opens), min(last, closes - job.drop_service_s)
            self.opens.append(max(0, first))
            self.closes.append(last)
        self.leaves = [courier.available_s for courier in fleet]
        self.leaves_by = [
            courier.available_s if courier.latest_start_s is None else courier.latest_start_s for courier in fleet
        ]
        self.ends = [min(courier.end_s, horizon_s) for courier in fleet]

    def _rules(self, problem: Problem) -> None:
        """Who may serve what, how much fits, how long a route may be. A single visit carries its load until then."""
        fleet = problem.couriers
        self.load = [job.pieces if job.loaded else 0 for job in problem.jobs]
        self.most = [courier.pieces for courier in fleet]
        self.work = [FAR if courier.work_s is None else courier.work_s for courier in fleet]
        self.ways = [FAR if courier.length is None else courier.length for courier in fleet]
        self.limited = any(each < FAR for each in self.work)
        self.measured = any(each < FAR for each in self.ways)
        self.way: list[list[int]] = self.travel
        if problem.lengths is not None:
            self.way = [[*row, 0] for row in problem.lengths] + [[0] * (len(problem.lengths) + 1)]
        self.may: list[Any] = []
        for job in problem.jobs:
            who = allowed(job, problem)
            mask = np.zeros(self.fleet, dtype=bool)
            mask[who] = True
            self.may.append(None if len(who) == self.fleet else ~mask)

    def renew(self, route: int) -> None:
        """Times, loads and costs of one route after a change."""
        travel, price, place = self.travel, self.price, self.place
        opens, closes, service, load = self.opens, self.closes, self.service, self.load
        visits, home, here = self.lists[route], self.home[route], self.start[route]
        at, carried, work = self.leaves[route], 0, 0
        departs, cuts, ahead = [at], [], []
        for job in visits:
            there = place[job]
            leg = travel[here][there]
            cuts.append(price[here][there])
            ahead.append(there)
            at += leg
            if at < opens[job]:
                at = opens[job]
            at += service[job]
            departs.append(at)
            carried += load[job]
            work += leg + service[job]
            here = there
        if visits:
            cuts.append(price[here][home])
            work += travel[here][home]
        else:
            cuts.append(0)
        ahead.append(home)
        by, after = self.ends[route], home
        latest = [by]
        for job in reversed(visits):
            there = place[job]
            by -= travel[there][after] + service[job]
            if by > closes[job]:
                by = closes[job]
            latest.append(by)
            after = there
        latest.reverse()
        where = np.array([self.count + route, *visits])
        self.times[route] = (departs, latest)
        self.depart[where] = departs
        self.latest[where] = latest
        self.next[where] = ahead
        self.cut[where] = cuts
        self.room[where] = self.most[route] - carried
        self.owner[where] = route
        if self.limited:
            self.spare[where] = self.work[route] - work
        self.cost[route] = sum(cuts)

    def best_position(self, job: int, random: Random | None) -> int:
        """The cheapest position that keeps every law, or -1; with `random`, each is overlooked now and then."""
        sums, costs, bad, also = self.sums, self.costs, self.bad, self.also
        column = self.columns[job]
        opens, closes, load = self.scalars[job]
        np.add(self.depart, column, out=sums)
        np.maximum(sums, opens, out=sums)
        np.greater(sums, closes, out=bad)
        self.rows[job].take(self.next, out=costs, mode="clip")  # "raise" would copy once more
        np.add(sums, costs, out=sums)
        np.greater(sums, self.latest, out=also)
        np.logical_or(bad, also, out=bad)
        np.less(self.room, load, out=also)
        np.logical_or(bad, also, out=bad)
        if not self.same:
            self.dear_rows[job].take(self.next, out=costs, mode="clip")
        np.add(costs, self.dear_columns[job], out=costs)
        np.subtract(costs, self.cut, out=costs)
        if self.limited and self.same:  # what is added, the job's service included, must fit what is spare
            np.less(self.spare, costs, out=also)
            np.logical_or(bad, also, out=bad)
        if self.may[job] is not None:
            np.logical_or(bad, self.may[job].take(self.owner), out=bad)
        costs[bad] = FAR
        while True:
            found = int(costs.argmin())
            if costs[found] >= FAR:
                return -1
            if (random is None or random.random() >= BLINK) and self._bounded(job, found):
                return found
            costs[found] = FAR

    def _bounded(self, job: int, position: int) -> bool:
        """Whether the route keeps to its courier's time of work and length with the job there."""
        if not (self.limited or self.measured):
            return True
        route, at = self._spot(position)
        visits = self.lists[route]
        tried = [*visits[:at], job, *visits[at:]]
        return self.worked(route, tried) <= self.work[route] and (
            not self.measured or self.driven(route, tried) <= self.ways[route]
        )

    def worked(self, route: int, visits: Iterable[int]) -> int:
        """The shortest time from leaving to the end, leaving when it suits best (Vidal et al. 2013, concatenation)."""
        opens, closes, service, place = self.opens, self.closes, self.service, self.place
        travel, here = self.travel, self.start[route]
        first, last, lasts = self.leaves[route], self.leaves_by[route], 0
        for job in visits:
            lasts += travel[here][place[job]]
            wait = opens[job] - lasts - last
            if wait < 0:
                wait = 0
            if opens[job] - lasts > first:
                first = opens[job] - lasts
            first -= wait
            if closes[job] - lasts < last:
                last = closes[job] - lasts
            lasts += wait + service[job]
            here = place[job]
        return lasts + travel[here][self.home[route]]

    def driven(self, route: int, visits: Iterable[int]) -> int:
        """The way of a route."""
        here, length = self.start[route], 0
        for job in visits:
            length += self.way[here][self.place[job]]
            here = self.place[job]
        return length + self.way[here][self.home[route]]

    def _spot(self, position: int) -> tuple[int, int]:
        if position >= self.count:
            return position - self.count, 0
        route = self.route_of[position]
        return route, self.lists[route].index(position) + 1

    def insert(self, job: int, position: int) -> int:
        """Put a job at a position; gives the courier. The route's lists are new ones.

        Departures change from there on until a wait swallows the delay, latest arrivals before it until a window does.
        """
        route, at = self._spot(position)
        visits = self.lists[route]
        if not visits:
            self.lists[route], self.route_of[job] = [job], route
            self.renew(route)
            return route
        jobs = [*visits[:at], job, *visits[at:]]
        self.lists[route], self.route_of[job] = jobs, route
        old_departs, old_latest = self.times[route]
        where, departs = self._later(route, jobs, at, old_departs)
        self.depart[where] = departs[at + 1 : at + 1 + len(where)]
        where, latest = self._sooner(route, jobs, at, old_latest)
        self.latest[where] = latest[at + 2 - len(where) : at + 2]
        self.times[route] = (departs, latest)
        self._linked(route, jobs, at)
        return route

    def _later(self, route: int, jobs: list[int], at: int, old: list[int]) -> tuple[list[int], list[int]]:
        """Departures after the job at this position was put in, and the positions whose departure is new."""
        travel, place, opens, service = self.travel, self.place, self.opens, self.service
        departs = old[: at + 1]
        now, here = departs[-1], place[jobs[at - 1]] if at else self.start[route]
        changed = []
        for index in range(at, len(jobs)):
            job = jobs[index]
            there = place[job]
            now += travel[here][there]
            if now < opens[job]:
                now = opens[job]
            now += service[job]
            if index > at and now == old[index]:
                departs += old[index:]
                break
            departs.append(now)
            changed.append(job)
            here = there
        return changed, departs

    def _sooner(self, route: int, jobs: list[int], at: int, old: list[int]) -> tuple[list[int], list[int]]:
        """Latest arrivals after the job at this position was put in, and the positions whose latest arrival is new."""
        travel, place, closes, service = self.travel, self.place, self.closes, self.service
        by, after = old[at], place[jobs[at + 1]] if at + 1 < len(jobs) else self.home[route]
        latest, changed = [by], [jobs[at]]
        for index in range(at, -1, -1):
            job = jobs[index]
            there = place[job]
            by -= travel[there][after] + service[job]
            if by > closes[job]:
                by = closes[job]
            if index < at and by == old[index]:
                latest += old[index::-1]
                break
            latest.append(by)
            changed.append(jobs[index - 1] if index else self.count + route)
            after = there
        latest.reverse()
        changed.reverse()
        return changed, latest + old[at + 1 :]

    def _linked(self, route: int, jobs: list[int], at: int) -> None:
        """Who is next, what an arc costs, the room left and the route's cost after the job at this position came in."""
        job, price = jobs[at], self.price
        here = self.place[job]
        before = jobs[at - 1] if at else self.count + route
        behind = self.place[jobs[at + 1]] if at + 1 < len(jobs) else self.home[route]
        ahead = self.place[jobs[at - 1]] if at else self.start[route]
        into, out = price[ahead][here], price[here][behind]
        self.cost[route] += into + out - price[ahead][behind]
        self.next[before], self.next[job] = here, behind
        self.cut[before], self.cut[job] = into, out
        self.owner[job] = route
        where = np.array([self.count + route, *jobs])
        self.room[where] = int(self.room[before]) - self.load[job]
        if self.limited:
            travel = self.travel
            more = travel[ahead][here] + travel[here][behind] - travel[ahead][behind] + self.service[job]
            self.spare[where] = int(self.spare[before]) - more

    def remove(self, jobs: Sequence[int], routes: Iterable[int]) -> None:
        """Take jobs out; `routes` are theirs, whose lists have already been made anew without them."""
        gone = np.array(jobs, dtype=np.int64)
        self.depart[gone] = FAR
        self.latest[gone] = -FAR
        self.room[gone] = -1
        for job in jobs:
            self.route_of[job] = -1
        for route in routes:
            self.renew(route)


def _matrices(problem: Problem) -> tuple[Any, Any]:
    """Travel, and cost if it is not just travel; one more place, "nowhere", is next to all for routes without a home.

    Where cost is travel times a price, travel stands for it: what is cheapest is the same.
    """
    size, price = len(problem.travel), problem.prices
    travel = np.zeros((size + 1, size + 1), dtype=np.int64)
    travel[:size, :size] = problem.travel
    if problem.lengths is None or not price.length:
        return travel, None
    cost = travel * price.drive
    cost[:size, :size] += np.array(problem.lengths, dtype=np.int64) * price.length
    return travel, cost
