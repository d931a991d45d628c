"""What is missed if all shelves of a part were one: a relaxation small enough to be solved at once.

How many orders cannot be served is decided by how many pieces of each part there are, hardly by where they lie. So its
optimum bounds what is missed, most often exactly.
"""

import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ortools.sat.python import cp_model

from app.routing.rules.sourcing import Option
from app.routing.solver.flow import NOWHERE_S
from app.routing.solver.orders import TIERS, Order, Ways, shelves_of
from app.routing.solver.sat import solver_for

LIMIT_S = 0.5
"""On the wall, for each proof: what is not proven by then bounds less and costs no more."""


class _Model:
    """Which orders are served, and of which parts each of their lines takes, in time or late."""

    def __init__(self, orders: Sequence[Order], options: Ways) -> None:
        self.model = model = cp_model.CpModel()
        self.serves = [model.new_bool_var("") for _ in orders]
        self.lines = sum(map(len, orders))
        self.missed: list[list[Any]] = [[] for _ in range(TIERS)]
        self.without: list[list[Any]] = [[] for _ in range(TIERS)]
        needs: dict[str, list[Any]] = {}
        for serve, order, lines in zip(self.serves, orders, options, strict=True):
            for ask, ways in zip(order, lines, strict=True):
                takes = {kind: model.new_bool_var("") for kind in _kinds(ways, ask.tier)}
                model.add(sum(takes.values()) == serve)
                self.missed[ask.tier].append(1 - serve)
                self.without[ask.tier].append(1 - serve)
                for (late, parts), taken in takes.items():
                    if late:
                        self.missed[ask.tier].append(taken)
                    for part, pieces in parts:
                        needs.setdefault(part, []).append(pieces * taken)
        free: Counter[str] = Counter()
        for (_, part), candidate in shelves_of(options).items():
            free[part] += candidate.free
        for part, need in needs.items():
            model.add(sum(need) <= free[part])

    def least(self, goal: Any, end: float, seed: int) -> tuple[int, bool]:
        """What the goal comes to at least, and whether that can be had, which is then kept."""
        self.model.minimize(goal)
        solver = solver_for(seed, min(LIMIT_S, end - time.process_time()))
        proven = solver.solve(self.model) == cp_model.OPTIMAL
        least = max(0, math.ceil(solver.best_objective_bound - 1e-6))
        if proven:
            self.model.add(goal <= least)
        return least, proven


def pooled(orders: Sequence[Order], options: Ways, *, end: float, seed: int = 0) -> tuple[int, ...]:
    """What no division is better than, compared level by level: misses of all tiers, and lateness of the first tiers, or of
    all, if time sufficed (LIMIT_S for each, until `end` of the process's time)."""
    model = _Model(orders, options)
    weights = [(1 + model.lines) ** (TIERS - 1 - tier) for tier in range(TIERS)]
    goal = sum(sum(some) * weight for some, weight in zip(model.missed, weights, strict=True))
    total, proven = model.least(goal, end, seed)
    least = [total // weight % (1 + model.lines) for weight in weights]
    for tier in range(TIERS):
        if not proven:
            break
        without, proven = model.least(sum(model.without[tier]), end, seed) if least[tier] else (0, True)
        least.append(NOWHERE_S * without)
    return tuple(least)


def _kinds(ways: Sequence[Option], tier: int) -> list[tuple[bool, tuple[tuple[str, int], ...]]]:
    """How many pieces of which parts a line may take, in time and late."""
    found = set()
    for way in ways:
        parts: Counter[str] = Counter()
        for pick in way.picks:
            parts[pick.candidate.part] += pick.quantity
        found.add((way.key[tier] > 0, tuple(sorted(parts.items()))))
    return sorted(found)
