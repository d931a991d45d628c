"""Bundles: one way for each line of an order, taken together, so that the trips are part of what a bundle costs.

A linear program over bundles (Dantzig and Wolfe 1960) is bounded far more tightly than one over single ways.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from app.routing.rules.sourcing import Option, Shelf
from app.routing.solver.flow import NOWHERE_S
from app.routing.solver.orders import LEVELS, PRICE, Chosen, Order, Prices, Ways, levels_of, shelves_of, steps_of

MOST = 200_000
"""Bundles of all orders together; with more of them this is not the way."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Bundles:
    """Every bundle that the shelves could give by itself, those of an order together, n of m orders from k shelves.

    `order` (n,) ascends, `number` (n,) which of the order's combinations it is, `shelf` and `pieces` (n, picks) with k
    where there is no pick, `levels` (n, LEVELS) without the price of pieces, which is a shelf's. `missing` (m, LEVELS) is
    what an order comes to that is not served, `begins` (m + 1,) where its bundles begin. `place` (k + 1,) numbers places,
    `free` (k,) counts pieces, `steps` gives (pieces, price each) of each shelf, rising.
    """

    order: Array
    number: Array
    shelf: Array
    pieces: Array
    levels: Array
    missing: Array
    begins: Array
    place: Array
    free: Array
    steps: tuple[tuple[tuple[int, int], ...], ...]

    @classmethod
    def of(cls, orders: Sequence[Order], options: Ways, prices: Prices) -> Self | None:
        """None where there are too many, or where an order asks for nothing."""
        if not options or not all(options) or sum(math.prod(map(len, lines)) for lines in options) > MOST:
            return None
        shelves = shelves_of(options)
        at = {shelf: number for number, shelf in enumerate(shelves)}
        names = {name: number for number, name in enumerate(sorted({name for name, _ in shelves}))}
        place = np.array([*(names[name] for name, _ in shelves), -1])
        picks = max(1, *(sum(max((len(way.picks) for way in ways), default=0) for ways in lines) for lines in options))
        parts = [_of_order(lines, prices, at, place, picks) for lines in options]
        order = np.repeat(np.arange(len(options)), [len(one[0]) for one in parts])
        number, shelf, pieces, levels = (np.concatenate(some) for some in zip(*parts, strict=True))
        free = np.array([one.free for one in shelves.values()], np.int64)
        whole = fits(shelf, pieces, np.append(free, 0))
        order = order[whole]
        return cls(
            order=order,
            number=number[whole],
            shelf=shelf[whole],
            pieces=pieces[whole],
            levels=levels[whole],
            missing=_missing(orders),
            begins=np.searchsorted(order, np.arange(len(orders) + 1)),
            place=place,
            free=free,
            steps=tuple(tuple(steps_of(one)) for one in shelves.values()),
        )

    def chosen(self, bundles: Mapping[int, int], options: Ways) -> Chosen:
        """The bundle of each served order as its ways."""
        found: Chosen = []
        for at, lines in enumerate(options):
            if at not in bundles:
                found.append(None)
                continue
            way = np.unravel_index(int(self.number[bundles[at]]), [len(ways) for ways in lines])
            found.append(tuple(ways[int(one)] for ways, one in zip(lines, way, strict=True)))
        return found

    def numbers_of(self, chosen: Chosen, options: Ways) -> dict[int, int]:
        """The bundle of each served order."""
        found = {}
        for at, (one, lines) in enumerate(zip(chosen, options, strict=True)):
            if one is not None:
                way = [
                    next(n for n, each in enumerate(ways) if each is part)
                    for ways, part in zip(lines, one, strict=True)
                ]
                number = np.ravel_multi_index(way, [len(ways) for ways in lines])
                first, end = self.begins[at], self.begins[at + 1]
                found[at] = int(first + np.searchsorted(self.number[first:end], number))
        return found

    def worth(self, bundles: Mapping[int, int]) -> tuple[int, ...]:
        """What a division comes to, level by level."""
        some = list(bundles.values())
        without = np.ones(len(self.missing), bool)
        without[list(bundles)] = False
        total = self.levels[some].sum(0) + self.missing[without].sum(0)
        total[PRICE] += self.price(some)
        return tuple(total.tolist())

    def price(self, bundles: Sequence[int]) -> int:
        """What the pieces of these bundles cost together, each shelf's cheapest first."""
        taken = np.zeros(len(self.free) + 1, np.int64)
        np.add.at(taken, self.shelf[bundles], self.pieces[bundles])
        total = 0
        for steps, left in zip(self.steps, taken[:-1].tolist(), strict=True):
            for width, price in steps:
                total += price * min(width, left)
                left -= min(width, left)
        return total


def _missing(orders: Sequence[Order]) -> Array:
    missing = np.zeros((len(orders), LEVELS), np.int64)
    for at, order in enumerate(orders):
        for ask in order:
            missing[at, ask.tier] += 1
            missing[at, 3 + ask.tier] += NOWHERE_S
    return missing


def fits(shelf: Array, pieces: Array, left: Array) -> Array:
    """Whether each bundle's picks (n, picks) are no more than what is `left` (k + 1,), a shelf taken from twice included."""
    room = left[shelf]
    whole = np.ones(len(shelf), bool)
    for pick in range(shelf.shape[1]):
        whole &= ((shelf == shelf[:, [pick]]) * pieces).sum(1) <= room[:, pick]
    return whole


def _of_order(
    lines: Sequence[Sequence[Option]], prices: Prices, shelves: Mapping[Shelf, int], place_of: Array, picks: int
) -> tuple[Array, Array, Array, Array]:
    """Number, shelf, pieces and levels of each combination of the lines' ways."""
    grid = np.indices([len(ways) for ways in lines]).reshape(len(lines), -1)
    count = grid.shape[1]
    shelf, pieces = np.full((count, picks), len(shelves)), np.zeros((count, picks), np.int64)
    levels = np.zeros((count, LEVELS), np.int64)
    column = 0
    for ways, chosen in zip(lines, grid, strict=True):
        if not ways:
            break
        levels += np.array([levels_of(way, prices) for way in ways])[chosen]
        for pick in range(max(len(way.picks) for way in ways)):
            found = [way.picks[pick] if pick < len(way.picks) else None for way in ways]
            numbers = [len(shelves) if one is None else shelves[one.candidate.shelf] for one in found]
            shelf[:, column] = np.array(numbers)[chosen]
            pieces[:, column] = np.array([0 if one is None else one.quantity for one in found])[chosen]
            column += 1
    place = np.sort(place_of[shelf], axis=1)
    trips = (place[:, 1:] != place[:, :-1]).sum(1) + (place[:, 0] >= 0)
    levels[:, PRICE] += trips * prices.trip_minor
    return np.arange(count), shelf, pieces, levels


def best_of_each(order: Array, worth: Array, most: int) -> list[int]:
    """The so many cheapest of each order; `order` ascends."""
    turn = np.lexsort((worth, order))
    begins = np.searchsorted(order, order)  # the turn keeps each order's own stretch
    return [int(one) for one in turn[np.arange(len(turn)) - begins < most]]
