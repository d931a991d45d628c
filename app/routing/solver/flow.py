"""Many single lines that compete for the same shelves, as min-cost flows: exact, whole pieces (OR-Tools)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
from ortools.graph.python import min_cost_flow

from app.routing.rules.sourcing import Ask, Candidate, Pick, Shelf

NOWHERE_S = 10_000_000
NEVER = 1 << 60


@dataclass(frozen=True, slots=True)
class Assignment:
    """What each line gets; `unserved` lines found no free piece that reaches them."""

    picks: tuple[Pick, ...]
    unserved: tuple[str, ...]


def assign_lines(asks: Sequence[Ask]) -> Assignment:
    """The best division of the shelves among the lines by R2, strictly: misses by tier, lateness by tier, the asked
    part before substitutes (P4), cost with depletion.

    Every line asks one piece (several pieces are several asks); a shelf (place, part) has the free number and the
    rising piece prices of its candidates. Raises ValueError for other quantities.
    """
    if any(ask.quantity != 1 for ask in asks):
        raise ValueError("one piece per line; ask several times for more")
    if not asks:
        return Assignment((), ())
    arcs = _arcs(asks)
    supplies = np.zeros(2 + len(asks) + arcs.shelves, dtype=np.int64)
    supplies[0], supplies[-1] = len(asks), -len(asks)
    used = _lexicographic(arcs, supplies, _levels(arcs, asks))
    taken = np.flatnonzero(used[arcs.first :][: len(arcs.candidates)]).tolist()
    picks = tuple(
        Pick(asks[arcs.tails[arcs.first + at] - 1].line, arcs.candidates[at], 1, int(arcs.late[arcs.first + at]))
        for at in taken
    )
    unserved = np.flatnonzero(used[len(asks) : 2 * len(asks)]).tolist()
    return Assignment(picks, tuple(asks[at].line for at in unserved))


@dataclass(frozen=True, slots=True)
class _Arcs:
    """The network as columns: source 0 → lines, lines → sink (unserved), lines → shelves from `first` on, shelves → sink.

    `candidates` are those of the arcs from `first` on, in their order.
    """

    tails: Any
    heads: Any
    room: Any
    late: Any
    tiers: Any
    swapped: Any
    prices: Any
    first: int
    shelves: int
    candidates: Sequence[Candidate]


COLUMNS = attrgetter("free", "eta_s", "handover_s", "substitute", "cost_minor")


def _arcs(asks: Sequence[Ask]) -> _Arcs:
    """Every arc as a row of columns: a network of fifty thousand is built without a loop over rows."""
    lines = len(asks)
    listed = list(chain.from_iterable(ask.candidates for ask in asks))
    counts = np.array([len(ask.candidates) for ask in asks], dtype=np.int64)
    line = np.repeat(np.arange(1, lines + 1), counts)
    free, eta, handover, swapped, cost = _columns(listed)
    numbers: dict[tuple[str, str], int] = {}
    shelf = np.fromiter(
        (numbers.setdefault((each.place, each.part), len(numbers)) for each in listed),
        dtype=np.int64,
        count=len(listed),
    )
    due = np.repeat(np.array([ask.due_s for ask in asks], dtype=np.int64), counts)
    local = np.repeat(np.array([ask.kind == "local" for ask in asks], dtype=bool), counts)
    at = np.where(local, eta, handover)
    usable = np.flatnonzero((free > 0) & (at != NEVER))
    late = np.maximum(at - due, 0)[usable]
    steps = list(_steps(listed, shelf, numbers, lines))
    sink = 1 + lines + len(numbers)
    ends = np.array([[1 + lines + number, pieces, price] for number, pieces, price in steps], dtype=np.int64)
    ends = ends.reshape(-1, 3)
    each_line = np.arange(1, lines + 1)
    none = np.zeros(lines, dtype=np.int64)
    tiers = np.array([ask.tier for ask in asks], dtype=np.int64)
    elsewhere = np.full(len(ends), -1, dtype=np.int64)
    return _Arcs(
        tails=np.concatenate([none, each_line, line[usable], ends[:, 0]]),
        heads=np.concatenate([each_line, none + sink, 1 + lines + shelf[usable], np.full(len(ends), sink)]),
        room=np.concatenate([none + 1, none + 1, np.ones(len(usable), dtype=np.int64), ends[:, 1]]),
        late=np.concatenate([none, none + NOWHERE_S, late, 0 * elsewhere]),
        tiers=np.concatenate([none - 1, tiers, tiers[line[usable] - 1], elsewhere]),
        swapped=np.concatenate([none, none, swapped[usable], 0 * elsewhere]),
        prices=np.concatenate([none, none, cost[usable], ends[:, 2]]),
        first=2 * lines,
        shelves=len(numbers),
        candidates=[listed[one] for one in usable],
    )


def _columns(listed: Sequence[Candidate]) -> list[Any]:
    """What candidates say, column by column; a way that does not exist is NEVER."""
    rows = list(map(COLUMNS, listed))
    if not rows:
        return [np.zeros(0, dtype=np.int64)] * 5
    return [
        np.array([NEVER if value is None else value for value in column], dtype=np.int64)
        for column in zip(*rows, strict=True)
    ]


def _steps(
    listed: Sequence[Candidate], shelf: Any, numbers: Mapping[Shelf, int], most: int
) -> Iterator[tuple[int, int, int]]:
    """(shelf, pieces, price each) for every shelf, the first candidate of each speaking for it."""
    for at in np.unique(shelf, return_index=True)[1].tolist():
        for pieces, price in _shelf_steps(listed[at], most):
            yield numbers[listed[at].shelf], pieces, price


def _shelf_steps(candidate: Candidate, most: int) -> list[tuple[int, int]]:
    """(pieces, price each) of a shelf, rising: equal prices joined."""
    listed = candidate.piece_prices_minor or (0,)
    steps: list[tuple[int, int]] = []
    for taken in range(min(candidate.free, most)):
        price = listed[min(taken, len(listed) - 1)]
        if steps and steps[-1][1] == price:
            steps[-1] = (steps[-1][0] + 1, price)
        else:
            steps.append((1, price))
    return steps


def _levels(arcs: _Arcs, asks: Sequence[Ask]) -> list[Any]:
    """One price vector per level of R2, the most important first; levels that cost nothing anywhere are left out."""
    counts = [sum(ask.tier == tier for ask in asks) for tier in (0, 1, 2)]
    weights = np.array([(1 + counts[1]) * (1 + counts[2]), 1 + counts[2], 1, 0], dtype=np.int64)
    levels = [np.where(arcs.late > 0, weights[arcs.tiers], 0)]
    levels += [np.where(arcs.tiers == tier, arcs.late, 0) for tier in (0, 1, 2)]
    levels += [arcs.swapped, arcs.prices]
    return [level for level in levels if level.any()]


def _lexicographic(arcs: _Arcs, supplies: Any, levels: Sequence[Any]) -> Any:
    """Flows that are best at the first level, among those at the second, and so on: exact, without huge weights.

    After each level, complementary slackness says which arcs no optimum uses (reduced cost above 0) and which every
    optimum fills (below 0); the next level may change the others only. A level at which the flow costs nothing is best
    already, since no price is below 0: its priced arcs are closed without another search.
    """
    tails, heads, room = arcs.tails, arcs.heads, arcs.room.copy()
    fixed = np.zeros(len(tails), dtype=np.int64)
    supplies, flows = supplies.copy(), None
    for prices in levels or [np.zeros(len(tails), dtype=np.int64)]:
        if flows is not None and not (prices * flows).any() and not (prices * fixed).any() and (prices >= 0).all():
            room = np.where(prices > 0, 0, room)
            continue
        flows = _cheapest(tails, heads, room, prices, supplies)
        reduced = _reduced(tails, heads, room, prices, flows, len(supplies))
        full = np.where(reduced < 0, room, 0)
        np.add.at(supplies, tails, -full)
        np.add.at(supplies, heads, full)
        fixed += full
        room = np.where(reduced == 0, room, 0)
        flows = np.where(reduced == 0, flows, 0)
    return fixed if flows is None else flows + fixed


def _cheapest(tails: Any, heads: Any, room: Any, prices: Any, supplies: Any) -> Any:
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(tails, heads, room, prices)
    flow.set_nodes_supplies(np.arange(len(supplies)), supplies)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise RuntimeError(f"the flow ended with {status}")
    return flow.flows(arcs)


def _reduced(tails: Any, heads: Any, room: Any, prices: Any, flows: Any, nodes: int) -> Any:
    """Reduced costs under potentials that prove the flow optimal (Bellman-Ford over the residual arcs)."""
    forward, backward = flows < room, flows > 0
    out = np.concatenate([tails[forward], heads[backward]])
    into = np.concatenate([heads[forward], tails[backward]])
    cost = np.concatenate([prices[forward], -prices[backward]])
    potential = np.zeros(nodes, dtype=np.int64)
    for _ in range(nodes):
        nearer = potential.copy()
        np.minimum.at(nearer, into, potential[out] + cost)
        if (nearer == potential).all():
            break
        potential = nearer
    return prices + potential[tails] - potential[heads]
