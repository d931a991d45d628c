"""Orders that need all of their lines and share trips: which shelves serve them, by CP-SAT, level by level of R2.

Flows do not apply once a further place costs a trip of its own. Rows are linear (`x <= y`, never implications) and
`linearization_level` is 2: that is the difference between unsolved and a tenth of a second.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ortools.sat.python import cp_model

from app.routing.rules.sourcing import Ask, Pick, Shelf, options_of
from app.routing.solver.branching import cheapest
from app.routing.solver.bundles import Bundles
from app.routing.solver.flow import NOWHERE_S
from app.routing.solver.orders import (
    LEVELS,
    PLACES,
    PRICE,
    Chosen,
    Order,
    Prices,
    Ways,
    levels_of,
    one_by_one,
    shelves_of,
    steps_of,
    value_of,
    ways_of,
)
from app.routing.solver.pooled import pooled
from app.routing.solver.sat import solver_for

MOST_WEIGHT = 1 << 16
"""Levels are minimized together as long as their weights stay below this."""


@dataclass(frozen=True, slots=True)
class Division:
    """Each order's picks, or None where it is not served; `value` is what they come to by R2's levels.

    `proven` levels, the first ones, are proven optimal; the next one is at least `bound`.
    """

    picks: tuple[tuple[Pick, ...] | None, ...]
    value: tuple[int, ...]
    proven: int
    bound: int

    @property
    def optimal(self) -> bool:
        return self.proven == LEVELS


def divide_orders(
    orders: Sequence[Order], *, limit_s: float, prices: Prices | None = None, most: int | None = None, seed: int = 0
) -> Division:
    """The best division of the shelves by R2: an order gets all its lines or nothing, a shelf (place, part) no more than
    is free, an order pays each place once, and a piece costs what those taken before it make of it. With `prices` all
    that follows lateness is one sum of money (R2); without, each stands before the next, as for a single request (P4).

    A line left out counts as missed and NOWHERE_S late. Never worse than serving one order after the other by itself;
    returns within `limit_s` of the process's time and half a second. `most` ways of each line are looked at.
    """
    end = time.process_time() + limit_s
    options = [[ways_of(ask, most) for ask in order] for order in orders]
    least = pooled(orders, options, end=end, seed=seed)
    return _Model(orders, options, prices).solved(one_by_one(orders, options), end, seed, least=least)


def better_picks(asks: Sequence[Ask], picks: Sequence[Pick], *, limit_s: float) -> tuple[tuple[Pick, ...], bool]:
    """The best way to serve one request whole by R2 and P4, at least as good as the given one, and whether it is proven."""
    options = [list(options_of(ask)) for ask in asks]
    start = [
        next(one for one in ways if set(one.picks) == {pick for pick in picks if pick.line == ask.line})
        for ask, ways in zip(asks, options, strict=True)
    ]
    model = _Model([asks], [options], None)
    model.model.add(model.serves[0] == 1)
    found = model.solved([tuple(start)], time.process_time() + limit_s, 0)
    return found.picks[0] or tuple(picks), found.optimal


def picks_of(chosen: Chosen) -> tuple[tuple[Pick, ...] | None, ...]:
    """Each order's picks."""
    return tuple(None if one is None else tuple(pick for option in one for pick in option.picks) for one in chosen)


class _Model:
    """The choice as booleans: a way for each line of a served order, a place for each order that goes there."""

    def __init__(self, orders: Sequence[Order], options: Ways, prices: Prices | None) -> None:
        self.model = cp_model.CpModel()
        self.prices = prices
        self.orders, self.options = orders, options
        self.serves = [self._bool() for _ in orders]
        self.takes = [[[self._bool() for _ in ways] for ways in order] for order in options]
        self.goes: list[dict[str, Any]] = [{} for _ in orders]
        self.pieces: dict[Shelf, list[tuple[Any, int]]] = {}
        self._rows()
        self.levels = list(self._expressions())

    def _bool(self) -> Any:
        return self.model.new_bool_var("")

    def _rows(self) -> None:
        load: dict[Shelf, list[Any]] = {}
        for at, (lines, takes) in enumerate(zip(self.options, self.takes, strict=True)):
            for ways, chosen in zip(lines, takes, strict=True):
                self.model.add(sum(chosen) == self.serves[at])
                through: dict[str, list[Any]] = {}
                for way, taken in zip(ways, chosen, strict=True):
                    for place in way.places:
                        through.setdefault(place, []).append(taken)
                    for pick in way.picks:
                        load.setdefault(pick.candidate.shelf, []).append(pick.quantity * taken)
                for place, some in through.items():
                    goes = self.goes[at].setdefault(place, self._bool())
                    self.model.add(sum(some) <= goes)
        self.load = load
        for shelf, candidate in shelves_of(self.options).items():
            self.model.add(sum(load[shelf]) <= candidate.free)

    def _expressions(self) -> Iterator[tuple[Any, int]]:
        """Each level's sum, and the most it can come to."""
        terms: list[list[Any]] = [[] for _ in range(LEVELS)]
        most = [0] * LEVELS
        for at, order in enumerate(self.orders):
            level, each = (PLACES, 1) if self.prices is None else (PRICE, self.prices.trip_minor)
            terms[level] += [each * goes for goes in self.goes[at].values()]
            most[level] += each * len(self.goes[at])
            for ask, ways, takes in zip(order, self.options[at], self.takes[at], strict=True):
                terms[ask.tier].append(1 - self.serves[at])
                terms[3 + ask.tier].append(NOWHERE_S * (1 - self.serves[at]))
                found = [levels_of(way, self.prices) for way in ways]
                for level in range(LEVELS):
                    amounts = [one[level] for one in found]
                    terms[level] += [amount * taken for amount, taken in zip(amounts, takes, strict=True) if amount]
                    nothing = (level == ask.tier) + NOWHERE_S * (level == 3 + ask.tier)
                    most[level] += max([nothing, *amounts])
        for shelf, candidate in shelves_of(self.options).items():
            steps = list(steps_of(candidate))
            if any(price for _, price in steps):
                pieces = [self.model.new_int_var(0, width, "") for width, _ in steps]
                self.pieces[shelf] = [(one, width) for one, (width, _) in zip(pieces, steps, strict=True)]
                self.model.add(sum(pieces) == sum(self.load[shelf]))
                terms[PRICE] += [price * some for some, (_, price) in zip(pieces, steps, strict=True)]
                most[PRICE] += sum(width * price for width, price in steps)
        return iter([(sum(some), bound) for some, bound in zip(terms, most, strict=True)])

    def solved(self, greedy: Chosen, end: float, seed: int, *, least: Sequence[int] = ()) -> Division:
        """Level by level, joined where their weights allow; each keeps what the ones before it reached. No division is better
        than `least` in the first levels."""
        best, value, proven, bound = greedy, value_of(self.orders, greedy, self.prices), 0, 0
        while proven < LEVELS:
            if proven == PRICE and self.prices is not None and len(self.orders) > 1:
                bundles = Bundles.of(self.orders, self.options, self.prices)
                if bundles is not None:
                    found = cheapest(bundles, bundles.numbers_of(best, self.options), end=end)
                    best, bound = bundles.chosen(found.bundles, self.options), found.bound
                    value = value_of(self.orders, best, self.prices)
                    proven = LEVELS if found.bound == found.price else PRICE
                    break
            joined, weights = self._joined(proven)
            goal = sum(weight * self.levels[level][0] for level, weight in zip(joined, weights, strict=True))
            known = least if value[:proven] == tuple(least[:proven]) else ()
            floor = sum(weight * one for one, weight in zip(known[proven:], weights, strict=False))
            self.model.add(goal >= floor)
            if self._sum(value, joined, weights) > floor:
                status, chosen, bound = self._minimized(goal, best, end, seed)
                tried = value if chosen is None else value_of(self.orders, chosen, self.prices)
                if chosen is not None and tried < value:
                    best, value = chosen, tried
                if status != cp_model.OPTIMAL:
                    bound = max(bound, floor) // weights[0]
                    break
            self.model.add(goal <= self._sum(value, joined, weights))
            proven = joined[-1] + 1
        return Division(picks_of(best), value, proven, bound)

    @staticmethod
    def _sum(value: Sequence[int], joined: Sequence[int], weights: Sequence[int]) -> int:
        return sum(weight * value[level] for level, weight in zip(joined, weights, strict=True))

    def _joined(self, first: int) -> tuple[list[int], list[int]]:
        """The levels from `first` on that fit into one goal, and what each weighs in it."""
        joined, room = [first], 1 + self.levels[first][1]
        while joined[-1] + 1 < LEVELS and room * (1 + self.levels[joined[-1] + 1][1]) <= MOST_WEIGHT:
            joined.append(joined[-1] + 1)
            room *= 1 + self.levels[joined[-1]][1]
        weights = []
        for level in joined:
            room //= 1 + self.levels[level][1]
            weights.append(room)
        return joined, weights

    def _minimized(self, goal: Any, start: Chosen, end: float, seed: int) -> tuple[Any, Chosen | None, int]:
        left = end - time.process_time()
        if left <= 0:
            return cp_model.UNKNOWN, None, 0
        self.model.minimize(goal)
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        self._hinted(start)
        solver = solver_for(seed, left)
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return status, None, 0
        return status, self._chosen(solver.boolean_value), int(solver.best_objective_bound)

    def _hinted(self, start: Chosen) -> None:
        for at, chosen in enumerate(start):
            self.model.add_hint(self.serves[at], chosen is not None)
            places = frozenset[str]().union(*(one.places for one in chosen or ()))
            for place, goes in self.goes[at].items():
                self.model.add_hint(goes, place in places)
            for line, (ways, takes) in enumerate(zip(self.options[at], self.takes[at], strict=True)):
                for way, taken in zip(ways, takes, strict=True):
                    self.model.add_hint(taken, chosen is not None and chosen[line] is way)
        load = Counter[Shelf]()
        for one in chain.from_iterable(chosen or () for chosen in start):
            load.update({pick.candidate.shelf: pick.quantity for pick in one.picks})
        for shelf, steps in self.pieces.items():
            for pieces, width in steps:
                self.model.add_hint(pieces, min(width, load[shelf]))
                load[shelf] -= min(width, load[shelf])

    def _chosen(self, says: Callable[[Any], bool]) -> Chosen:
        return [
            tuple(
                next(way for way, taken in zip(ways, takes, strict=True) if says(taken))
                for ways, takes in zip(self.options[at], self.takes[at], strict=True)
            )
            if says(serves)
            else None
            for at, serves in enumerate(self.serves)
        ]
