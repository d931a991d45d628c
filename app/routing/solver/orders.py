"""Orders that need all of their lines: their ways, what a division of the shelves comes to by R2, and a first one."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.routing.rules.sourcing import Ask, Candidate, Option, Shelf, options_of
from app.routing.solver.flow import NOWHERE_S

LEVELS = 13
"""missed by tier, late by tier, substitutes, places, picks, arrival, partners, price, soonest: R2's order."""
TIERS, PLACES, PRICE = 3, 7, 11
Order = Sequence[Ask]
Ways = Sequence[Sequence[Sequence[Option]]]
"""The ways of each line of each order."""
Chosen = list[tuple[Option, ...] | None]
"""An option for each line of each order, or None where it is not served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a place that an order goes to, and a piece of a substitute, cost in minor units."""

    trip_minor: int
    substitute_minor: int


def ways_of(ask: Ask, most: int | None) -> list[Option]:
    """A line's ways that arrive, the best first."""
    ways = sorted((one for one in options_of(ask) if max(one.key[3:6]) < NOWHERE_S), key=lambda one: one.key)
    return ways[:most]


def one_by_one(orders: Sequence[Order], options: Ways) -> Chosen:
    """Orders by tier and deadline, each line its best way that is still free."""
    free = {each.shelf: each.free for order in orders for ask in order for each in ask.candidates}
    turn = sorted(range(len(orders)), key=lambda at: min(((ask.tier, ask.due_s) for ask in orders[at]), default=(3, 0)))
    chosen: Chosen = [None] * len(orders)
    for at in turn:
        taken: Counter[Shelf] = Counter()
        found = []
        for ways in options[at]:
            way = next((one for one in ways if _fits(one, free, taken)), None)
            if way is None:
                break
            found.append(way)
            taken.update({pick.candidate.shelf: pick.quantity for pick in way.picks})
        if len(found) == len(options[at]):
            chosen[at] = tuple(found)
            for shelf, pieces in taken.items():
                free[shelf] -= pieces
    return chosen


def _fits(option: Option, free: dict[Shelf, int], taken: Counter[Shelf]) -> bool:
    return all(free[pick.candidate.shelf] - taken[pick.candidate.shelf] >= pick.quantity for pick in option.picks)


def value_of(orders: Sequence[Order], chosen: Chosen, prices: Prices | None = None) -> tuple[int, ...]:
    """What a division comes to, level by level."""
    total = [0] * LEVELS
    taken: Counter[Shelf] = Counter()
    for order, options in zip(orders, chosen, strict=True):
        if options is None:
            for ask in order:
                total[ask.tier] += 1
                total[3 + ask.tier] += NOWHERE_S
            continue
        places = len(frozenset().union(*(option.places for option in options)))
        total[PLACES if prices is None else PRICE] += places * (1 if prices is None else prices.trip_minor)
        for option in options:
            for level, amount in enumerate(levels_of(option, prices)):
                total[level] += amount
            for pick in option.picks:
                shelf, before = pick.candidate.shelf, taken[pick.candidate.shelf]
                taken[shelf] += pick.quantity
                total[PRICE] += pick.candidate.depletion_minor(taken[shelf]) - pick.candidate.depletion_minor(before)
    return tuple(total)


def levels_of(option: Option, prices: Prices | None) -> tuple[int, ...]:
    """One option by R2's levels, without places, which are an order's, and without the price of pieces, which is a shelf's."""
    pieces = sum(pick.candidate.depletion_minor(pick.quantity) for pick in option.picks)
    key = option.key
    if prices is not None:
        return (*key[:6], 0, 0, 0, 0, 0, key[10] - pieces + key[6] * prices.substitute_minor, 0)
    late = (min(one, NOWHERE_S) for one in key[3:6])  # what never arrives; larger numbers would not fit
    return (*key[:3], *late, key[6], 0, *key[7:10], key[10] - pieces, key[11])


def steps_of(candidate: Candidate) -> Iterator[tuple[int, int]]:
    """(pieces, price each) of a shelf, rising: equal prices joined."""
    listed = candidate.piece_prices_minor or (0,)
    prices = [listed[min(at, len(listed) - 1)] for at in range(candidate.free)]
    for price in sorted(set(prices)):
        yield prices.count(price), price


def shelves_of(options: Ways) -> dict[Shelf, Candidate]:
    """A candidate that speaks for each shelf that some way takes from."""
    return {
        pick.candidate.shelf: pick.candidate
        for order in options
        for ways in order
        for way in ways
        for pick in way.picks
    }
