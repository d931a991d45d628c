"""The restricted master program: a linear program over the bundles met so far, and what all of them cost at least.

GLOP solves it from where it stood; NumPy prices all bundles at once; a solution's prices bound every division from below
(Lagrange's relaxation of shelves and levels, Geoffrion 1974), whatever tolerance they were found with.
"""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from ortools.linear_solver import pywraplp

from app.routing.solver.bundles import Array, Bundles, best_of_each
from app.routing.solver.flow import NOWHERE_S
from app.routing.solver.orders import PRICE, TIERS

FIRST, NEW = 10, 4
"""Bundles of each order that the program begins with, and that one round of pricing may add."""
PRIMAL, DUAL = "use_preprocessing: false use_dual_simplex: false", "use_preprocessing: false use_dual_simplex: true"
"""From where it stood: after new bundles, and after closing some."""
COLD = "use_preprocessing: true use_dual_simplex: false"
TIE = 1e-6
"""What the price weighs beside a level before it: among the many that are equally good the program holds on to one."""
DEAR = 20
"""Times all that is reached: what an order costs the program that it neither serves nor misses."""
NEVER = 1 << 62
"""The bound of what holds no division at all."""
WHOLE = 1e-6
"""What is chosen in part by less than this is not."""
CLOSE = 1e-6
"""Of a program's value: what a bundle must save to be added."""
SLIP = 1e-3
"""What reckoning a bound in floating point may be wrong by; costs are whole numbers."""


@dataclass(frozen=True, slots=True)
class Open:
    """Which bundles (n,) and which misses of orders (m,) may be chosen."""

    bundles: Array
    misses: Array

    def same_as(self, other: "Open") -> bool:
        return np.array_equal(self.bundles, other.bundles) and np.array_equal(self.misses, other.misses)


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The linear program's value and choice, a `bound` below every division of whole bundles, and by how much each
    bundle (n,) and each miss (m,) would raise it at least. `whole` false: some bundles were not looked at for want of time."""

    value: float
    takes: dict[int, float]
    misses: dict[int, float]
    bound: int
    raises: Array
    miss_raises: Array
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Goal:
    """What is minimized: a cost of each bundle (n,) and of each order that is missed (m,), and whether pieces cost theirs.

    `tied` (n,) is the same with a little of the price in it: among the many that are equally good the program holds on to one.
    """

    bundles: Array
    missing: Array
    tied: Array
    priced: bool = False

    @classmethod
    def level(cls, known: Bundles, level: int) -> Self:
        """One level of R2 by itself."""
        cost = known.levels[:, level]
        tied = cost if level >= TIERS else cost + TIE * known.levels[:, PRICE]
        return cls(cost, known.missing[:, level], tied, priced=level == PRICE)

    @classmethod
    def blend(cls, known: Bundles, weights: Array) -> Self:
        """The price and some misses (TIERS,) weighed together."""
        cost = known.levels[:, PRICE] + known.levels[:, :TIERS] @ weights
        return cls(cost, known.missing[:, :TIERS] @ weights, cost, priced=True)

    def cost(self, known: Bundles, chosen: Mapping[int, int]) -> int:
        """What a division comes to."""
        some, without = list(chosen.values()), np.ones(len(self.missing), bool)
        without[list(chosen)] = False
        pieces = known.price(some) if self.priced else 0
        return int(self.bundles[some].sum() + self.missing[without].sum()) + pieces


@dataclass(frozen=True, slots=True)
class _Row:
    """A sum over bundles (n,) and missed orders (m,), each divided by `scale`, that may not exceed `most`."""

    bundles: Array
    missing: Array
    most: float
    of: Any


class Master:
    """Minimizes one level at a time; levels that are settled are kept as rows."""

    def __init__(self, bundles: Bundles) -> None:
        self.bundles = bundles
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        self.goal = self.solver.Objective()
        orders = len(bundles.missing)
        self.serves = [self.solver.Constraint(1, 1) for _ in range(orders)]
        self.takes = [self.solver.Constraint(-self.solver.infinity(), 0) for _ in bundles.steps]
        self.rows: list[_Row] = []
        self.pieces: list[tuple[Any, int, int, int]] = []
        for shelf, (row, steps) in enumerate(zip(self.takes, bundles.steps, strict=True)):
            for width, price in steps:
                some = self.solver.NumVar(0, width, "")
                row.SetCoefficient(some, -1)
                self.pieces.append((some, shelf, width, price))
        self.missed = [self._column(row) for row in self.serves]
        self.spare = [self._column(row) for row in self.serves]
        self.columns: dict[int, Any] = {}
        self.open = Open(np.ones(len(bundles.order), bool), np.ones(orders, bool))
        self.some = np.arange(len(bundles.order))
        self.aimed, self.unit = Goal.level(bundles, PRICE), 1.0

    def _column(self, serves: Any) -> Any:
        column = self.solver.NumVar(0, self.solver.infinity(), "")
        serves.SetCoefficient(column, 1)
        return column

    def aim(self, goal: Goal, most: int) -> None:
        """From now on this is minimized; `most` is what is reached already, or could be."""
        self.aimed = goal
        self.unit = float(NOWHERE_S) if most >= NOWHERE_S and not goal.priced else 1.0
        for one, column in self.columns.items():
            self.goal.SetCoefficient(column, float(goal.tied[one]) / self.unit)
        for column, cost in zip(self.missed, goal.missing.tolist(), strict=True):
            self.goal.SetCoefficient(column, cost / self.unit)
        for column in self.spare:
            self.goal.SetCoefficient(column, DEAR * (most + 1) / self.unit)
        for some, _, _, price in self.pieces:
            self.goal.SetCoefficient(some, price if goal.priced else 0)

    def keep(self, level: int, most: int) -> None:
        """From now on this level may not exceed what it reached.

        Sums of whole numbers divided and rounded down bound each other as well (Gomory 1958, Chvátal 1973): where only
        orders of three lines may go without, thirty-two missed lines are ten orders and not ten and two thirds.
        """
        levels, missing = self.bundles.levels[:, level], self.bundles.missing[:, level]
        self._row(levels, missing, most)
        for by in range(2, int(missing.max(initial=0)) + 1) if level < TIERS else ():
            self._row(levels // by, missing // by, most // by)

    def _row(self, levels: Array, missing: Array, most: int) -> None:
        scale = float(max(1, levels.max(initial=0), missing.max(initial=0)))
        row = self.solver.Constraint(-self.solver.infinity(), most / scale)
        self.rows.append(_Row(levels / scale, missing / scale, most / scale, row))
        for one, column in self.columns.items():
            if levels[one]:
                row.SetCoefficient(column, levels[one] / scale)
        for column, amount in zip(self.missed, (missing / scale).tolist(), strict=True):
            if amount:
                row.SetCoefficient(column, amount)

    def begin(self, bundles: Sequence[int]) -> None:
        """Add these, and the cheapest few of each order that are open."""
        first = best_of_each(self.bundles.order[self.some], self.aimed.bundles[self.some], FIRST)
        self._add([*bundles, *self.some[first].tolist()])

    def _add(self, bundles: Sequence[int]) -> None:
        known = self.bundles
        for one in bundles:
            if one in self.columns:
                continue
            self.columns[one] = column = self._column(self.serves[int(known.order[one])])
            self.goal.SetCoefficient(column, float(self.aimed.tied[one]) / self.unit)
            if not self.open.bundles[one]:
                column.SetUb(0)
            for row in self.rows:
                if row.bundles[one]:
                    row.of.SetCoefficient(column, float(row.bundles[one]))
            need: dict[int, int] = {}
            for shelf, pieces in zip(known.shelf[one].tolist(), known.pieces[one].tolist(), strict=True):
                if pieces:
                    need[shelf] = need.get(shelf, 0) + pieces
            for shelf, pieces in need.items():
                self.takes[shelf].SetCoefficient(column, pieces)

    def restrict(self, to: Open) -> None:
        """Only these may be chosen from now on."""
        infinity, known = self.solver.infinity(), np.fromiter(self.columns, np.int64, len(self.columns))
        for one in known[to.bundles[known] != self.open.bundles[known]].tolist():
            self.columns[one].SetUb(infinity if to.bundles[one] else 0)
        for at in np.flatnonzero(to.misses != self.open.misses).tolist():
            self.missed[at].SetUb(infinity if to.misses[at] else 0)
        self.open, self.some = to, np.flatnonzero(to.bundles)

    def relaxed(self, end: float, *, below: float = math.inf) -> Relaxed | None:
        """The optimum over all open bundles, or what is known as soon as the bound reaches `below` or time is up. None where
        GLOP gave up."""
        way = DUAL
        while (value := self.solved(way)) is not None:
            bound, raises, miss_raises = self._bounded()
            if bound >= below:
                return Relaxed(value, {}, {}, bound, raises, miss_raises)
            dual = np.array([row.dual_value() for row in self.serves]) * self.unit
            order = self.bundles.order[self.some]
            saves = self._reduced - dual[order]
            lower = np.flatnonzero(saves < -CLOSE * max(1.0, abs(value)) / len(dual))
            new = self.some[lower[best_of_each(order[lower], saves[lower], NEW)]].tolist()
            late = time.process_time() > end
            if late or not set(new) - self.columns.keys():
                takes, misses = _parts(self.columns.items()), _parts(enumerate(self.missed))
                return Relaxed(value, takes, misses, bound, raises, miss_raises, whole=not late)
            self._add(new)
            way = PRIMAL
        return None

    def solved(self, way: str = DUAL) -> float | None:
        """The value over the bundles that are known; None where GLOP gave up, from where it stood and from nothing."""
        for each in (way, COLD):
            self.solver.SetSolverSpecificParametersAsString(each)
            if self.solver.Solve() == pywraplp.Solver.OPTIMAL:
                return float(self.goal.Value()) * self.unit
        return None

    def _bounded(self) -> tuple[int, Array, Array]:
        """What the prices of shelves and levels say of all divisions, and of those with each bundle and each miss."""
        known, some = self.bundles, self.some
        shelf = np.minimum(0.0, np.array([*(row.dual_value() for row in self.takes), 0.0])) * self.unit
        prices = (shelf[known.shelf[some]] * known.pieces[some]).sum(1)
        missed = np.where(self.open.misses, self.aimed.missing, np.inf)
        total = 0.0
        for row in self.rows:
            price = min(0.0, row.of.dual_value()) * self.unit
            if price:
                prices += price * row.bundles[some]
                missed -= price * row.missing
                total += price * row.most
        for _, at, width, price in self.pieces:
            total += min(0.0, (price if self.aimed.priced else 0) + shelf[at]) * width
        reduced, self._reduced = self.aimed.bundles[some] - prices, self.aimed.tied[some] - prices
        order = known.order[some]
        least = missed.copy()
        first = np.flatnonzero(np.diff(order, prepend=-1))
        if len(first):
            least[order[first]] = np.minimum(least[order[first]], np.minimum.reduceat(reduced, first))
        total += least.sum()
        if math.isinf(total):
            return NEVER, np.full(len(known.order), np.inf), missed
        raises = np.full(len(known.order), np.inf)
        raises[some] = reduced - least[order] + total
        return math.ceil(total - SLIP), raises, missed - least + total


def _parts(columns: Iterable[tuple[int, Any]]) -> dict[int, float]:
    found = ((one, column.solution_value()) for one, column in columns)
    return {one: part for one, part in found if part > WHOLE}
