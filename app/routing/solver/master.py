"""The restricted master program: a linear program over the bundles met so far, and what all of them cost at least.

GLOP solves it from where it stood; NumPy prices all bundles at once; the prices of shelves bound every division from below
(Lagrange's relaxation, Geoffrion 1974), whatever tolerance they were found with.
"""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.linear_solver import pywraplp

from app.routing.solver.bundles import Array, Bundles, best_of_each
from app.routing.solver.orders import PRICE, TIERS

FIRST, NEW = 10, 4
"""Bundles of each order that the program begins with, and that one round of pricing may add."""
PRIMAL, DUAL = "use_preprocessing: false use_dual_simplex: false", "use_preprocessing: false use_dual_simplex: true"
"""From where it stood: after new bundles, and after closing some."""
COLD = "use_preprocessing: true use_dual_simplex: false"
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
class _Row:
    """A sum over bundles (n,) and missed orders (m,), each divided by `scale`, that may not exceed `most`."""

    bundles: Array
    missing: Array
    most: float
    of: Any


class Master:
    """Minimizes the price of a division that is in each level before the price no worse than `most` (PRICE,)."""

    def __init__(self, bundles: Bundles, most: Sequence[int]) -> None:
        self.bundles, self.solver = bundles, pywraplp.Solver.CreateSolver("GLOP")
        self.goal, self.price, self.reduced = self.solver.Objective(), bundles.levels[:, PRICE], np.zeros(0)
        self.serves = [self.solver.Constraint(1, 1) for _ in bundles.missing]
        self.takes = [self.solver.Constraint(-self.solver.infinity(), 0) for _ in bundles.steps]
        self.pieces: list[tuple[int, int, int]] = []
        for shelf, (row, steps) in enumerate(zip(self.takes, bundles.steps, strict=True)):
            for width, price in steps:
                some = self.solver.NumVar(0, width, "")
                row.SetCoefficient(some, -1)
                self.goal.SetCoefficient(some, price)
                self.pieces.append((shelf, width, price))
        self.missed = [self._column(row) for row in self.serves]
        self.spare = [self._column(row) for row in self.serves]
        self.rows: list[_Row] = []
        for level, least in enumerate(most):
            self._keep(level, least)
        self.columns: dict[int, Any] = {}
        self.some = np.arange(len(bundles.order))
        self.open = Open(np.ones(len(bundles.order), bool), np.ones(len(bundles.missing), bool))

    def _column(self, serves: Any) -> Any:
        column = self.solver.NumVar(0, self.solver.infinity(), "")
        serves.SetCoefficient(column, 1)
        return column

    def _keep(self, level: int, most: int) -> None:
        """Sums of whole numbers divided and rounded down bound each other as well (Gomory 1958, Chvátal 1973): where only
        orders of three lines may go without, thirty-two missed lines are ten orders and not ten and two thirds."""
        levels, missing = self.bundles.levels[:, level], self.bundles.missing[:, level]
        for by in range(1, 1 + int(missing.max(initial=0)) if level < TIERS else 2):
            if most and (levels.any() or missing.any()):
                self._row(levels // by, missing // by, most // by)

    def _row(self, levels: Array, missing: Array, most: int) -> None:
        scale = float(max(1, levels.max(initial=0), missing.max(initial=0)))
        row = self.solver.Constraint(-self.solver.infinity(), most / scale)
        self.rows.append(_Row(levels / scale, missing / scale, most / scale, row))
        for column, amount in zip(self.missed, (missing / scale).tolist(), strict=True):
            if amount:
                row.SetCoefficient(column, amount)

    def begin(self, bundles: Sequence[int], price: int) -> None:
        """Start from these, which come to that price, and the cheapest few of each order that are open."""
        for column in self.spare:
            self.goal.SetCoefficient(column, DEAR * (price + 1))
        first = best_of_each(self.bundles.order[self.some], self.price[self.some], FIRST)
        self._add([*bundles, *self.some[first].tolist()])

    def _add(self, bundles: Sequence[int]) -> None:
        known = self.bundles
        for one in bundles:
            if one in self.columns:
                continue
            self.columns[one] = column = self._column(self.serves[int(known.order[one])])
            self.goal.SetCoefficient(column, float(self.price[one]))
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
            dual = np.array([row.dual_value() for row in self.serves])
            order = self.bundles.order[self.some]
            saves = self.reduced - dual[order]
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
                return float(self.goal.Value())
        return None

    def _bounded(self) -> tuple[int, Array, Array]:
        """What the prices of shelves and levels say of all divisions, and of those with each bundle and each miss."""
        known, some = self.bundles, self.some
        shelf = np.minimum(0.0, np.array([*(row.dual_value() for row in self.takes), 0.0]))
        prices = (shelf[known.shelf[some]] * known.pieces[some]).sum(1)
        missed = np.where(self.open.misses, 0.0, np.inf)
        total = 0.0
        for row in self.rows:
            price = min(0.0, row.of.dual_value())
            if price:
                prices += price * row.bundles[some]
                missed -= price * row.missing
                total += price * row.most
        for at, width, price in self.pieces:
            total += min(0.0, price + shelf[at]) * width
        reduced = self.reduced = self.price[some] - prices
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
