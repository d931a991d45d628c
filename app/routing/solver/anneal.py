"""Ruin and recreate, annealed: `walk`'s rounds ever colder, and now and then all routes seen joined anew by set
partitioning. Repeatable: it reads no clock but through `Pace`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from app.routing.rules.problem import Problem
from app.routing.solver.arrays import Facts, facts_of
from app.routing.solver.moves import empty_routes, renew
from app.routing.solver.partition import choose
from app.routing.solver.walk import BEST_COST, BEST_MISSES, begin, new_walk, rounds

STEPS = 60
"""The temperature falls in so many steps; a plan's marks say in which round each began, so that it replays."""
LOOKS, FIRST = 4, 8
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

    def next(self, done: int) -> tuple[int, int] | None:
        """The step that the next rounds belong to and how many to make before asking again; None when it is over."""
        if self.replay:
            return self._again(done)
        if self.rounds is not None:
            reached = done * STEPS // max(1, self.rounds)
            more = max(1, math.ceil((reached + 1) * self.rounds / STEPS) - done)
        else:
            used = self.share()
            reached = int(used * STEPS)
            more = int(done / max(used, 1e-9) / STEPS / LOOKS) if done else 0
            more = max(FIRST, min(more, 4 * done))
        while len(self.marks) < min(reached, STEPS):
            self.marks.append(done)
        return None if len(self.marks) >= STEPS else (len(self.marks), more)

    def _again(self, done: int) -> tuple[int, int] | None:
        *steps, last = self.replay
        if done >= last:
            return None
        while len(self.marks) < len(steps) and steps[len(self.marks)] <= done:
            self.marks.append(done)
        ahead = steps[len(self.marks)] if len(self.marks) < len(steps) else last
        return len(self.marks), min(ahead, last) - done


@dataclass(frozen=True, slots=True)
class Found:
    """The best routes (jobs per courier), and how many rounds it took."""

    lists: list[list[int]]
    rounds: int


class Annealing:
    """One run: the routes, what is left out, the best so far. `join_s` is CP-SAT's effort for joining routes once."""

    def __init__(self, problem: Problem, start: list[list[int]], seed: int, join_s: float) -> None:
        self.facts = facts_of(problem)
        self.routes, self.walk, self.join_s = empty_routes(self.facts), new_walk(self.facts, seed), join_s
        self.typical = _typical(self.facts)
        self._begin(start)

    def _begin(self, start: list[list[int]]) -> None:
        routes = self.routes
        routes.route_of[:] = -1
        for route, jobs in enumerate(start):
            routes.size[route] = len(jobs)
            routes.place[route, 1 : len(jobs) + 2] = [*jobs, self.facts.home[route]]
            routes.route_of[jobs] = route
            renew(self.facts, routes, route)
        begin(self.facts, routes, self.walk)

    def run(self, pace: Pace) -> Found:
        """Rounds until the pace says that it is over."""
        done, last = 0, 0
        while (ahead := pace.next(done)) is not None:
            step, more = ahead
            if any(last < each <= step for each in JOINED):
                self._join()
            last = step
            heat = self.typical * HOT * (COLD / HOT) ** (step / STEPS)
            rounds(self.facts, self.routes, self.walk, more, heat)
            done += more
        pace.marks.append(done)
        return Found(self.best(), done)

    def best(self) -> list[list[int]]:
        """The best routes so far: jobs of each courier."""
        rows = zip(self.walk.best.tolist(), self.walk.best_size.tolist(), strict=True)
        return [row[:size] for row, size in rows]

    def key(self) -> tuple[int, ...]:
        """What the best goes by: misses by tier, then cost."""
        numbers = self.walk.numbers.tolist()
        return (*numbers[BEST_MISSES:], numbers[BEST_COST])

    def _join(self) -> None:
        """The best choice among all routes seen; if there is another than the best, the walk goes on from there."""
        joined = choose(self.facts, self.walk, self.best(), self.join_s)
        if joined is not None:
            self._begin(joined)


def _typical(facts: Facts) -> float:
    """The way to the nearest other job, on average."""
    arcs = [int(facts.price[job, row[1]]) for job, row in enumerate(facts.near) if len(row) > 1]
    return sum(arcs) / max(1, len(arcs)) or 1.0
