"""Ruin and recreate with strings of neighboring visits (SISR, Christiaens and Vanden Berghe 2020) on `strings.Routes`,
annealed; routes seen on the way are joined anew by set partitioning. Repeatable: it reads no clock but through `Pace`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from app.routing.rules.problem import Problem
from app.routing.solver.partition import Pool
from app.routing.solver.strings import Routes

STEPS = 60
"""The temperature falls in so many steps; a plan's marks say in which round each began, so that it replays."""
REMOVED, LONGEST = 10, 10
HOT, COLD = 2.0, 0.02
JOINED = (30, 54)


@dataclass
class Pace:
    """How far along the search is: by rounds, by the CPU time `share` tells (0 to 1), or by the marks of an older run.

    `marks` become the first round of each step passed, and last the number of rounds made.
    """

    share: Callable[[], float]
    rounds: int | None = None
    replay: tuple[int, ...] = ()
    marks: list[int] = field(default_factory=list)

    def step(self, done: int) -> int | None:
        """The step the next round belongs to, or None when it is over."""
        if self.replay:
            if done >= self.replay[-1]:
                return None
            while len(self.marks) < len(self.replay) - 1 and self.replay[len(self.marks)] <= done:
                self.marks.append(done)
            return len(self.marks)
        if self.rounds is not None:
            reached = done * STEPS // self.rounds
        else:
            reached = int(self.share() * STEPS) if done % 16 == 0 else len(self.marks)
        while len(self.marks) < min(reached, STEPS):
            self.marks.append(done)
        return None if len(self.marks) >= STEPS else len(self.marks)


@dataclass(frozen=True, slots=True)
class Found:
    """The best routes (jobs per courier), and how many rounds it took."""

    lists: list[list[int]]
    rounds: int


class Annealing:
    """One run: the routes, what is left out, the best so far."""

    def __init__(self, problem: Problem, start: list[list[int]], seed: int, join_s: float) -> None:
        self.random = Random(seed)  # noqa: S311 - a reproducible search, no secret
        self.routes = Routes(problem)
        self.tier = [job.tier for job in problem.jobs]
        self.near = _near(problem)
        self.alone = [min(row[job.drop] for row in _starts(problem)) for job in problem.jobs]
        arcs = [self._arc(job, list_[1]) for job, list_ in enumerate(self.near) if len(list_) > 1]
        self.typical = sum(arcs) / max(1, len(arcs)) or 1.0
        highest = max(max(row) for row in self.routes.price)
        self.penalty: list[int] = [highest * 4 * (10 ** (2 - tier)) for tier in self.tier]
        self.pool = Pool(self.routes, join_s)
        self.left: list[int] = []
        self._begin(start)
        self.now = self.value()
        self.best, self.best_key = self._copy(), self.key()
        self.pool.add(list(enumerate(self.best)))

    def _arc(self, here: int, there: int) -> int:
        return self.routes.price[self.routes.place[here]][self.routes.place[there]]

    def _begin(self, start: list[list[int]]) -> None:
        routes = self.routes
        for route, jobs in enumerate(start):
            routes.lists[route] = list(jobs)
            for job in jobs:
                routes.route_of[job] = route
            routes.renew(route)
        missing = [job for job in range(routes.count) if routes.route_of[job] < 0]
        missing.sort(key=lambda job: (self.tier[job], -self.alone[job]))
        self.left = self._insert(missing, None)

    def value(self) -> int:
        """What the walk goes by: cost, and a price of what is left out that it can pay for a while."""
        return sum(self.routes.cost) + sum(self.penalty[job] for job in self.left)

    def key(self) -> tuple[int, ...]:
        """What the best goes by: misses by tier, then cost."""
        missed = [0, 0, 0]
        for job in self.left:
            missed[self.tier[job]] += 1
        return (*missed, sum(self.routes.cost))

    def run(self, pace: Pace) -> Found:
        """Rounds until the pace says that it is over."""
        done, last = 0, -1
        heat = self.typical * HOT
        while (step := pace.step(done)) is not None:
            if step != last:
                heat = self.typical * HOT * (COLD / HOT) ** (step / STEPS)
                if any(last < each <= step for each in JOINED):
                    self._join()
                last = step
            done += 1
            self._round(heat)
        pace.marks.append(done)
        return Found(self.best, done)

    def _round(self, heat: float) -> None:
        """One string removal and reinsertion; taken back if it is too dear for the heat."""
        routes, before = self.routes, self.left
        saved, lists, times = routes.known.copy(), routes.lists.copy(), routes.times.copy()
        costs, owners = routes.cost.copy(), routes.route_of.copy()
        out, touched = self._ruin()
        routes.remove(out, touched)
        pool = out + before
        self._order(pool)
        self.left = self._insert(pool, self.random)
        value = self.value()
        if value < self.now - heat * math.log(self.random.random() or 1e-12):
            self.now = value
            self.pool.add([(route, jobs) for route, jobs in enumerate(routes.lists) if jobs is not lists[route]])
            if not self.left or len(self.left) <= sum(self.best_key[:3]):
                key = self.key()
                if key < self.best_key:
                    self.best, self.best_key = self._copy(), key
            return
        routes.known[:] = saved
        routes.lists, routes.times, routes.cost, routes.route_of = lists, times, costs, owners
        self.left = before

    def _ruin(self) -> tuple[list[int], list[int]]:
        """Strings of several routes around a random job."""
        routes, random = self.routes, self.random.random
        used = sum(1 for jobs in routes.lists if jobs)
        average = (routes.count - len(self.left)) / max(1, used)
        longest = min(LONGEST, average)
        strings = int(random() * (4 * REMOVED / (1 + longest) - 1) + 1)
        out: list[int] = []
        touched: list[int] = []
        seen = set[int]()
        for job in self.near[int(random() * routes.count)]:
            route = routes.route_of[job]
            if route < 0 or route in seen:
                continue
            seen.add(route)
            touched.append(route)
            jobs = routes.lists[route]
            gone = self._string(jobs, jobs.index(job), longest)
            without = set(gone)
            routes.lists[route] = [each for each in jobs if each not in without]
            out += gone
            if len(touched) >= strings:
                break
        return out, touched

    def _string(self, jobs: list[int], at: int, longest: float) -> list[int]:
        """A string of jobs around a position; half of the time a few in its middle are kept."""
        random, size = self.random.random, len(jobs)
        length = int(random() * min(size, longest) + 1)
        kept = 0
        if 1 < length < size and random() < 0.5:
            kept = 1
            while length + kept < size and random() > 0.5:
                kept += 1
        whole = length + kept
        low, high = max(0, at - whole + 1), min(at, size - whole)
        begin = low + int(random() * (high - low + 1))
        string = jobs[begin : begin + whole]
        if kept:
            cut = 1 + int(random() * (length - 1))
            string = string[:cut] + string[cut + kept :]
        return string

    def _order(self, pool: list[int]) -> None:
        """In which order jobs are put back: at random, heaviest, farthest, nearest, tightest or first first."""
        routes, turn = self.routes, self.random.random()
        if turn < 0.3:
            self.random.shuffle(pool)
        elif turn < 0.5:
            pool.sort(key=lambda job: -routes.load[job])
        elif turn < 0.65:
            pool.sort(key=lambda job: -self.alone[job])
        elif turn < 0.7:
            pool.sort(key=self.alone.__getitem__)
        elif turn < 0.8:
            pool.sort(key=lambda job: routes.closes[job] - routes.opens[job])
        elif turn < 0.9:
            pool.sort(key=routes.opens.__getitem__)
        else:
            pool.sort(key=lambda job: -routes.closes[job])

    def _insert(self, pool: list[int], random: Random | None) -> list[int]:
        left = []
        for job in pool:
            position = self.routes.best_position(job, random)
            if position < 0:
                left.append(job)
            else:
                self.routes.insert(job, position)
        return left

    def _join(self) -> None:
        """The best choice among all routes seen; if it beats the best, the walk goes on from there."""
        joined = self.pool.choose(self.best)
        if joined is None:
            return
        routes = self.routes
        routes.remove([job for jobs in routes.lists for job in jobs], ())
        routes.lists = [[] for _ in routes.lists]
        for route in range(routes.fleet):
            routes.renew(route)
        self._begin(joined)
        self.now = self.value()
        if self.key() < self.best_key:
            self.best, self.best_key = self._copy(), self.key()

    def _copy(self) -> list[list[int]]:
        return list(self.routes.lists)


def _starts(problem: Problem) -> list[tuple[int, ...]]:
    return [problem.travel[place] for place in dict.fromkeys(courier.start for courier in problem.couriers)]


def _near(problem: Problem) -> list[list[int]]:
    """All jobs by nearness to each job, both ways counted."""
    places = [job.drop for job in problem.jobs]
    travel: Any = np.array(problem.travel, dtype=np.int64)[np.ix_(places, places)]
    order: list[list[int]] = np.argsort(travel + travel.T, axis=1, kind="stable").tolist()
    return order
