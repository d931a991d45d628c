"""The cheapest division of shelves among orders once it stands what is missed and how late: over bundles.

A bundle is one way for each line of an order, taken together, so its trips are part of its cost and not of the search. The
linear program over bundles (Dantzig and Wolfe 1960) is bounded far more tightly than one over single ways: its columns are
priced by NumPy, GLOP solves what is left, and a bundle that costs more than the gap between plan and bound is no part of
any better plan, so that CP-SAT chooses among few.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model

from app.routing.rules.sourcing import Candidate, Option, Shelf
from app.routing.solver.flow import NOWHERE_S
from app.routing.solver.orders import LEVELS, PRICE, Chosen, Order, Prices, Ways, levels_of, shelves_of, steps_of

MOST = 200_000
"""Bundles of all orders together; with more of them this is not the way."""
MOST_KEPT = 6_000
"""Bundles that CP-SAT chooses among at once."""
FIRST, NEW = 10, 4
"""Bundles of each order that the program begins with, and that one round of pricing may add."""
BOUND_S = 0.3
"""More than the time that was given, for the bound: without it nobody knows what a plan is worth."""
NARROW = 0.002
"""Of the bound: how much dearer than it a bundle may make a plan to be tried first."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Cheapest:
    """A division, no dearer than the one given, and what every one costs at least; `proven`: none is cheaper."""

    chosen: Chosen
    bound: int
    proven: bool


def cheapest(
    orders: Sequence[Order],
    options: Ways,
    prices: Prices,
    *,
    best: Chosen,
    value: tuple[int, ...],
    end: float,
    seed: int = 0,
) -> Cheapest | None:
    """The cheapest division that is no worse in any level before the price than `value`, which `best` comes to.

    None where the orders have more than MOST bundles. `end` is a reading of the process's own clock.
    """
    shelves = shelves_of(options)
    bundles = Bundles.of(options, prices, shelves)
    if bundles is None:
        return None
    missing = np.zeros((len(orders), LEVELS), np.int64)
    for at, order in enumerate(orders):
        for ask in order:
            missing[at, ask.tier] += 1
            missing[at, 3 + ask.tier] += NOWHERE_S
    task = _Task(bundles, missing, list(shelves.values()), value)
    return _Search(task, task.numbers_of(best, options), seed).run(options, end)


@dataclass(frozen=True, slots=True)
class Bundles:
    """Every bundle that the shelves could give by itself, those of an order together.

    `order` (n,), `number` (n,) which of the order's combinations it is, `shelf` and `pieces` (n, picks) with the number of
    shelves where there is no pick, `levels` (n, LEVELS) without the price of pieces, which is a shelf's.
    """

    order: Array
    number: Array
    shelf: Array
    pieces: Array
    levels: Array

    @classmethod
    def of(cls, options: Ways, prices: Prices, shelves: Mapping[Shelf, Candidate]) -> Self | None:
        if not all(options) or not options or sum(math.prod(map(len, lines)) for lines in options) > MOST:
            return None
        at = {shelf: place for place, shelf in enumerate(shelves)}
        picks = max(sum(max((len(way.picks) for way in ways), default=0) for ways in lines) for lines in options)
        parts = [_of_order(order, lines, prices, at, picks) for order, lines in enumerate(options)]
        order, number, shelf, pieces, levels = (np.concatenate(some) for some in zip(*parts, strict=True))
        free = np.array([*(one.free for one in shelves.values()), 0])
        fits = ((shelf[:, :, None] == shelf[:, None, :]) * pieces[:, None, :]).sum(2) <= free[shelf]
        whole = fits.all(1)
        return cls(order[whole], number[whole], shelf[whole], pieces[whole], levels[whole])


def _of_order(
    at: int, lines: Sequence[Sequence[Option]], prices: Prices, shelves: Mapping[Shelf, int], picks: int
) -> tuple[Array, ...]:
    """Order, number, shelf, pieces and levels of each combination of the lines' ways."""
    grid = np.indices([len(ways) for ways in lines]).reshape(len(lines), -1)
    count = grid.shape[1]
    shelf, pieces = np.full((count, picks), len(shelves)), np.zeros((count, picks), np.int64)
    place = np.full((count, picks), -1)
    levels = np.zeros((count, LEVELS), np.int64)
    places = {name: number for number, name in enumerate(sorted({name for name, _ in shelves}))}
    column = 0
    for ways, chosen in zip(lines, grid, strict=True):
        if not ways:
            break
        levels += np.array([levels_of(way, prices) for way in ways])[chosen]
        for pick in range(max(len(way.picks) for way in ways)):
            found = [way.picks[pick] if pick < len(way.picks) else None for way in ways]
            shelf[:, column] = np.array(
                [len(shelves) if one is None else shelves[one.candidate.shelf] for one in found]
            )[chosen]
            pieces[:, column] = np.array([0 if one is None else one.quantity for one in found])[chosen]
            place[:, column] = np.array([-1 if one is None else places[one.candidate.place] for one in found])[chosen]
            column += 1
    place.sort(1)
    trips = (place[:, 1:] != place[:, :-1]).sum(1) + (place[:, 0] >= 0)
    levels[:, PRICE] += trips * prices.trip_minor
    return np.full(count, at), np.arange(count), shelf, pieces, levels


class _Task:
    """What may still be chosen: bundles and misses that keep each level at its value, and rows for levels above nothing."""

    def __init__(self, bundles: Bundles, missing: Array, shelves: Sequence[Candidate], value: tuple[int, ...]) -> None:
        before = range(PRICE)
        none = [level for level in before if value[level] == 0]
        live = (bundles.levels[:, none] == 0).all(1)
        self.order, self.number = bundles.order[live], bundles.number[live]
        self.shelf, self.pieces = bundles.shelf[live], bundles.pieces[live]
        self.cost = bundles.levels[live, PRICE]
        self.may_miss = (missing[:, none] == 0).all(1)
        bound = [level for level in before if value[level] > 0]
        unit = np.array(
            [NOWHERE_S if level >= 3 and value[level] % NOWHERE_S == 0 else 1 for level in bound], dtype=np.int64
        )
        self.unit, self.bound = unit, bound
        self.rows, self.missing = bundles.levels[live][:, bound], missing[:, bound]
        self.most = [value[level] for level in bound]
        self.steps = [list(steps_of(one)) for one in shelves]
        self.free = [one.free for one in shelves]
        self.orders = len(missing)

    def numbers_of(self, chosen: Chosen, options: Ways) -> dict[int, int]:
        """The bundle of each served order."""
        found = {}
        for at, (one, lines) in enumerate(zip(chosen, options, strict=True)):
            if one is not None:
                way = [
                    next(n for n, each in enumerate(ways) if each is part)
                    for ways, part in zip(lines, one, strict=True)
                ]
                number = np.ravel_multi_index(way, [len(ways) for ways in lines]) if way else 0
                found[at] = int(np.flatnonzero((self.order == at) & (self.number == number))[0])
        return found

    def chosen(self, bundles: Mapping[int, int], options: Ways) -> Chosen:
        found: Chosen = []
        for at, lines in enumerate(options):
            if at not in bundles:
                found.append(None)
                continue
            way = np.unravel_index(int(self.number[bundles[at]]), [len(ways) for ways in lines])
            found.append(tuple(ways[int(one)] for ways, one in zip(lines, way, strict=True)))
        return found

    def worth(self, bundles: Mapping[int, int]) -> int:
        """What these bundles cost, the price of pieces included."""
        some = list(bundles.values())
        taken = np.zeros(len(self.free) + 1, np.int64)
        np.add.at(taken, self.shelf[some], self.pieces[some])
        total = int(self.cost[some].sum())
        for steps, left in zip(self.steps, taken[:-1].tolist(), strict=True):
            for width, price in steps:
                total += price * min(width, left)
                left -= min(width, left)
        return total


class _Program:
    """The linear program over the bundles met so far; `solved` adds those that would lower it until none would."""

    def __init__(self, task: _Task, start: Sequence[int]) -> None:
        self.task = task
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        infinity = self.solver.infinity()
        self.goal = self.solver.Objective()
        self.serves = [self.solver.Constraint(1, 1) for _ in range(task.orders)]
        self.takes = [self.solver.Constraint(-infinity, 0) for _ in task.steps]
        self.keeps = [
            self.solver.Constraint(-infinity, most / unit) for most, unit in zip(task.most, task.unit, strict=True)
        ]
        for row, steps in zip(self.takes, task.steps, strict=True):
            for width, price in steps:
                some = self.solver.NumVar(0, width, "")
                row.SetCoefficient(some, -1)
                self.goal.SetCoefficient(some, price)
        for at in np.flatnonzero(task.may_miss).tolist():
            self._column(self.serves[at], task.missing[at])
        self.known: set[int] = set()
        self._add([*start, *self._first()])

    def _column(self, serves: Any, levels: Array) -> Any:
        column = self.solver.NumVar(0, self.solver.infinity(), "")
        serves.SetCoefficient(column, 1)
        for row, amount, unit in zip(self.keeps, levels.tolist(), self.task.unit.tolist(), strict=True):
            if amount:
                row.SetCoefficient(column, amount / unit)
        return column

    def _first(self) -> Sequence[int]:
        return _each_order(self.task.order, self.task.cost, FIRST)

    def _add(self, bundles: Sequence[int]) -> None:
        task = self.task
        for one in bundles:
            if one in self.known:
                continue
            self.known.add(one)
            column = self._column(self.serves[int(task.order[one])], task.rows[one])
            self.goal.SetCoefficient(column, float(task.cost[one]))
            need: dict[int, int] = {}
            for shelf, pieces in zip(task.shelf[one].tolist(), task.pieces[one].tolist(), strict=True):
                need[shelf] = need.get(shelf, 0) + pieces
            for shelf, pieces in need.items():
                if pieces:
                    self.takes[shelf].SetCoefficient(column, pieces)

    def solved(self, end: float) -> tuple[float, Array] | None:
        """The optimum over all bundles, and how much each would raise it; None if the time did not suffice."""
        while time.process_time() < end:
            if self.solver.Solve() != pywraplp.Solver.OPTIMAL:
                return None
            reach = self.goal.Value()
            raises = self._raises()
            lower = np.flatnonzero(raises < -1e-7 * max(1.0, reach / self.task.orders))
            new = [int(lower[one]) for one in _each_order(self.task.order[lower], raises[lower], NEW)]
            if not set(new) - self.known:
                return reach, raises
            self._add(new)
        return None

    def _raises(self) -> Array:
        """The reduced cost of every bundle, known or not."""
        task = self.task
        shelf = np.array([*(row.dual_value() for row in self.takes), 0.0])
        order = np.array([row.dual_value() for row in self.serves])
        found = task.cost - order[task.order] - (shelf[task.shelf] * task.pieces).sum(1)
        for row, amounts, unit in zip(self.keeps, task.rows.T, task.unit.tolist(), strict=True):
            found = found - row.dual_value() * (amounts / unit)
        return np.asarray(found)


def _each_order(order: Array, worth: Array, most: int) -> list[int]:
    """The so many cheapest of each order; `order` ascends."""
    turn = np.lexsort((worth, order))
    begins = np.searchsorted(order, order)  # the turn keeps each order's own stretch
    return [int(one) for one in turn[np.arange(len(turn)) - begins < most]]


def solver_for(seed: int, limit_s: float) -> cp_model.CpSolver:
    """CP-SAT as it does best here: rows relaxed fully, no time for symmetries and probing."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.linearization_level = 2
    solver.parameters.symmetry_level = 0
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.max_time_in_seconds = limit_s
    return solver


class _Search:
    """From the bound to a plan: CP-SAT over the bundles that raise it least, then over more of them."""

    def __init__(self, task: _Task, best: dict[int, int], seed: int) -> None:
        self.task, self.best, self.seed = task, best, seed
        self.cost = task.worth(best)

    def run(self, options: Ways, end: float) -> Cheapest:
        program = _Program(self.task, list(self.best.values()))
        found = program.solved(end + BOUND_S)
        if found is None:
            return Cheapest(self.task.chosen(self.best, options), 0, proven=False)
        reach, raises = found
        bound = math.ceil(reach - 1e-6 * max(1.0, abs(reach)))
        within, proven = NARROW * reach, self.cost <= bound
        while not proven and time.process_time() < end:
            within = min(within, self.cost - bound)
            kept = np.flatnonzero(raises <= within + 1e-6 * max(1.0, abs(reach)))
            if len(kept) > MOST_KEPT:
                break
            whole = self._better(kept.tolist(), end)
            proven = self.cost <= bound or (whole and self.cost - bound <= within)
            if not whole:
                break
            within *= 3
        return Cheapest(self.task.chosen(self.best, options), self.cost if proven else bound, proven)

    def _better(self, kept: Sequence[int], end: float) -> bool:
        """Replace the best by a better one of these bundles; True if the best of them is known now."""
        task, model = self.task, cp_model.CpModel()
        kept = sorted({*kept, *self.best.values()})
        takes = {one: model.new_bool_var("") for one in kept}
        serving: list[list[Any]] = [[] for _ in range(task.orders)]
        load: list[list[Any]] = [[] for _ in task.free]
        for one, taken in takes.items():
            serving[int(task.order[one])].append(taken)
            for shelf, pieces in zip(task.shelf[one].tolist(), task.pieces[one].tolist(), strict=True):
                if pieces:
                    load[shelf].append(pieces * taken)
        misses = {at: model.new_bool_var("") for at in np.flatnonzero(task.may_miss).tolist()}
        for at, some in enumerate(serving):
            model.add_exactly_one([*some, *([misses[at]] if at in misses else [])])
        terms = [int(task.cost[one]) * taken for one, taken in takes.items()]
        for some, steps, free in zip(load, task.steps, task.free, strict=True):
            if some and any(price for _, price in steps):
                pieces = [model.new_int_var(0, width, "") for width, _ in steps]
                model.add(sum(some) <= sum(pieces))
                terms += [price * one for one, (_, price) in zip(pieces, steps, strict=True)]
            elif some:
                model.add(sum(some) <= free)
        for level, most in enumerate(task.most):
            row = [int(task.rows[one, level]) * taken for one, taken in takes.items() if task.rows[one, level]]
            row += [int(task.missing[at, level]) * missed for at, missed in misses.items() if task.missing[at, level]]
            model.add(sum(row) <= most)
        model.minimize(sum(terms))
        for one, taken in takes.items():
            model.add_hint(taken, self.best.get(int(task.order[one])) == one)
        for at, missed in misses.items():
            model.add_hint(missed, at not in self.best)
        solver = solver_for(self.seed, max(0.01, end - time.process_time()))
        status = solver.solve(model)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            found = {int(task.order[one]): one for one, taken in takes.items() if solver.boolean_value(taken)}
            cost = task.worth(found)
            if cost < self.cost:
                self.best, self.cost = found, cost
        return bool(status == cp_model.OPTIMAL)
