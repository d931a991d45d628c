"""Who goes without, if all shelves of a part were one: a relaxation small enough to be solved at once.

Which orders cannot be served is decided by how many pieces of each part there are, hardly by where they lie. So its optimum
bounds what is missed, most often exactly, and its choice is where to look first.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ortools.sat.python import cp_model

from app.routing.rules.sourcing import Option
from app.routing.solver.flow import NOWHERE_S
from app.routing.solver.orders import TIERS, Order, Ways, shelves_of

LIMIT_S = 0.5


@dataclass(frozen=True, slots=True)
class Pooled:
    """No division is better than `least` in what is missed and how late, tier by tier; and whom the best one serves."""

    least: tuple[int, ...]
    served: tuple[bool, ...]


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

    def least(self, goal: Any, end: float, seed: int) -> tuple[int, tuple[bool, ...]] | None:
        """The goal's minimum, which is kept from now on, and who is served; None where it is not proven in time."""
        self.model.minimize(goal)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.linearization_level = 2
        solver.parameters.max_time_in_seconds = max(0.01, min(LIMIT_S, end - time.process_time()))
        if solver.solve(self.model) != cp_model.OPTIMAL:
            return None
        found = int(solver.objective_value)
        self.model.add(goal <= found)
        return found, tuple(solver.boolean_value(serve) for serve in self.serves)


def pooled(orders: Sequence[Order], options: Ways, *, end: float, seed: int = 0) -> Pooled | None:
    """Misses of all tiers at once, then lines left out tier by tier; None where the time did not suffice for a proof."""
    model = _Model(orders, options)
    weights = [(1 + model.lines) ** (TIERS - 1 - tier) for tier in range(TIERS)]
    found = model.least(sum(sum(some) * weight for some, weight in zip(model.missed, weights, strict=True)), end, seed)
    if found is None:
        return None
    total, served = found
    least = [total // weight % (1 + model.lines) for weight in weights]
    for tier in range(TIERS):
        found = model.least(sum(model.without[tier]), end, seed) if least[tier] else (0, served)
        if found is None:
            break
        least.append(NOWHERE_S * found[0])
        served = found[1]
    return Pooled(tuple(least), served)


def _kinds(ways: Sequence[Option], tier: int) -> list[tuple[bool, tuple[tuple[str, int], ...]]]:
    """How many pieces of which parts a line may take, in time and late."""
    found = set()
    for way in ways:
        parts: Counter[str] = Counter()
        for pick in way.picks:
            parts[pick.candidate.part] += pick.quantity
        found.add((way.key[tier] > 0, tuple(sorted(parts.items()))))
    return sorted(found)
