"""Many single lines that compete for the same shelves: exact, whole pieces, strictly by R2.

Lines, ways and shelves are columns, so that fifty thousand ways take milliseconds; `assign_lines` makes them of asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter

import numpy as np

from app.routing.rules.sourcing import Ask, Candidate, Pick, Shelf
from app.routing.solver.arrays import Ints
from app.routing.solver.paths import NOBODY, WORDS, Network, divide, shortlist

NOWHERE_S = 1_000_000
"""How late a line counts that gets nothing: later than anything that arrives."""
NEVER = 1 << 60
MOST = 1 << 61
"""What a word of a path's cost may come to, so that no sum on the way overflows."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What each line gets; `unserved` lines found no free piece that reaches them."""

    picks: tuple[Pick, ...]
    unserved: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Lines that ask for a piece each, with their ways to shelves, as columns of whole numbers.

    By line: `tier` and `due` (seconds from now). By way: its `line` (not falling), its `shelf`, `at` (seconds from now, NEVER
    if nothing reaches), `swapped` (1 for a substitute) and `cost` (minor units). The pieces of shelf `s`, as many as are
    free, cost `price[pieces[s]:pieces[s + 1]]` besides, not falling.
    """

    tier: Ints
    due: Ints
    line: Ints
    shelf: Ints
    at: Ints
    swapped: Ints
    cost: Ints
    pieces: Ints
    price: Ints


def assign_lines(asks: Sequence[Ask]) -> Assignment:
    """The best division of the shelves among the lines by R2, strictly: misses by tier, lateness by tier, the asked
    part before substitutes (P4), cost with depletion.

    Every line asks one piece (several pieces are several asks); a shelf (place, part) has the free number and the
    rising piece prices of its candidates. Raises ValueError for other quantities.
    """
    if any(ask.quantity != 1 for ask in asks):
        raise ValueError("one piece per line; ask several times for more")
    columns, listed = columns_of(asks)
    picks, unserved = [], []
    for ask, way in zip(asks, assign(columns).tolist(), strict=True):
        if way == NOBODY:
            unserved.append(ask.line)
            continue
        picks.append(Pick(ask.line, listed[way], 1, max(0, int(columns.at[way]) - ask.due_s)))
    return Assignment(tuple(picks), tuple(unserved))


def assign(columns: Columns) -> Ints:
    """The way each line takes, NOBODY where it gets none: `assign_lines` over columns.

    Raises ValueError where there are so many lines, or such prices, that sums would not fit into whole numbers.
    """
    usable = _usable(columns)
    line = columns.line[usable]
    network = Network(
        turn=np.argsort(columns.tier, kind="stable"),
        first=np.searchsorted(line, np.arange(len(columns.tier) + 1)),
        line=line,
        shelf=columns.shelf[usable],
        pieces=columns.pieces,
        **_costs(columns, usable),
    )
    found = divide(network)
    return np.where(found == NOBODY, NOBODY, usable[found] if len(usable) else NOBODY)


def nearest(columns: Columns, most: int = 6) -> Columns:
    """The columns with the first `most` ways of each line, by arrival and then by cost: for batches of thousands."""
    usable = _usable(columns)
    first = np.searchsorted(columns.line[usable], np.arange(len(columns.tier) + 1))
    kept = np.zeros(most * len(columns.tier), np.int64)
    count = shortlist(first, columns.at[usable], columns.cost[usable], kept)
    ways = usable[kept[:count]]
    cut = {name: getattr(columns, name)[ways] for name in ("line", "shelf", "at", "swapped", "cost")}
    return replace(columns, **cut)


def _usable(columns: Columns) -> Ints:
    """The ways that arrive, to shelves with a free piece."""
    return np.flatnonzero((columns.at != NEVER) & (np.diff(columns.pieces)[columns.shelf] > 0))


def columns_of(asks: Sequence[Ask]) -> tuple[Columns, list[Candidate]]:
    """Asks as columns, and the candidate of each way. The first candidate of a shelf speaks for its pieces."""
    listed = list(chain.from_iterable(ask.candidates for ask in asks))
    counts = np.array([len(ask.candidates) for ask in asks], dtype=np.int64)
    line = np.repeat(np.arange(len(asks)), counts)
    eta, handover, swapped, cost = _columns(listed)
    numbers: dict[Shelf, int] = {}
    speakers: list[Candidate] = []
    shelf = np.zeros(len(listed), np.int64)
    for at, each in enumerate(listed):
        shelf[at] = number = numbers.setdefault(each.shelf, len(numbers))
        if number == len(speakers):
            speakers.append(each)
    prices = [_prices(one, len(asks)) for one in speakers]
    local = np.array([ask.kind == "local" for ask in asks], dtype=bool)[line]
    columns = Columns(
        tier=np.array([ask.tier for ask in asks], dtype=np.int64),
        due=np.array([ask.due_s for ask in asks], dtype=np.int64),
        line=line,
        shelf=shelf,
        at=np.where(local, eta, handover),
        swapped=swapped,
        cost=cost,
        pieces=np.cumsum([0, *map(len, prices)], dtype=np.int64),
        price=np.array(list(chain.from_iterable(prices)), dtype=np.int64),
    )
    return columns, listed


COLUMNS = attrgetter("eta_s", "handover_s", "substitute", "cost_minor")


def _columns(listed: Sequence[Candidate]) -> list[Ints]:
    """What candidates say, column by column; a way that does not exist is NEVER."""
    if not listed:
        return [np.zeros(0, dtype=np.int64)] * 4
    return [
        np.array([NEVER if value is None else value for value in column], dtype=np.int64)
        for column in zip(*map(COLUMNS, listed), strict=True)
    ]


def _prices(candidate: Candidate, most: int) -> list[int]:
    """What each free piece costs besides, at most as many as there are lines."""
    listed = candidate.piece_prices_minor or (0,)
    return [listed[min(at, len(listed) - 1)] for at in range(min(candidate.free, most))]


def _costs(columns: Columns, usable: Ints) -> dict[str, Ints]:
    """R2's levels packed into WORDS numbers for each way, each line left out and each piece, the most important first:
    misses by tier, lateness by tier, substitutes, cost. The words compare as the levels do."""
    line = columns.line[usable]
    tier = columns.tier[line]
    late = np.maximum(columns.at[usable] - columns.due[line], 0)
    swapped, cost = columns.swapped[usable], columns.cost[usable]
    lines = np.bincount(columns.tier, minlength=3)
    most = [*lines, *(lines * max(NOWHERE_S, late.max(initial=0))), len(columns.tier) * swapped.max(initial=0)]
    most.append(len(columns.tier) * (cost.max(initial=0) + columns.price.max(initial=0)))
    weights = _weights([int(one) for one in most])
    missed, over, (swap, money) = weights[:3], weights[3:6], weights[6:]
    ways, none, price = (np.zeros((len(one), WORDS), np.int64) for one in (usable, columns.tier, columns.price))
    for word in range(WORDS):
        for into, amount, weight in (
            (ways, late > 0, missed[tier, word]),
            (ways, late, over[tier, word]),
            (ways, swapped, swap[word]),
            (ways, cost, money[word]),
            (none, 1, missed[columns.tier, word]),
            (none, NOWHERE_S, over[columns.tier, word]),
            (price, columns.price, money[word]),
        ):
            if np.any(weight):
                into[:, word] += amount * weight
    return {"cost": ways, "none": none, "price": price}


def _weights(most: Sequence[int]) -> Ints:
    """What one of each level weighs (levels × WORDS), the last word filled first: one more than all that stands below it
    in its word can come to. `most` is what each level can come to in sum."""
    weights = np.zeros((len(most), WORDS), np.int64)
    word, room = WORDS - 1, 1
    for level in range(len(most) - 1, -1, -1):
        if room > 1 and room * (most[level] + 1) > MOST:
            word, room = word - 1, 1
        if word < 0 or most[level] >= MOST:
            raise ValueError("too many lines, or too dear, to be compared at once")
        weights[level, word] = room
        room *= most[level] + 1
    return weights
