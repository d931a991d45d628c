"""Many single lines that compete for the same shelves, as min-cost flows: exact, whole pieces (OR-Tools)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.graph.python import min_cost_flow

from app.routing.rules.sourcing import Ask, Candidate, Pick, Shelf, late_s

NOWHERE_S = 10_000_000


@dataclass(frozen=True, slots=True)
class Assignment:
    """What each line gets; `unserved` lines found no free piece that reaches them."""

    picks: tuple[Pick, ...]
    unserved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Arc:
    tail: int
    head: int
    capacity: int
    ask: Ask | None = None
    candidate: Candidate | None = None
    price_minor: int = 0


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
    shelves: dict[Shelf, Candidate] = {}
    for ask in asks:
        for each in ask.candidates:
            shelves.setdefault(each.shelf, each)
    arcs = list(_arcs(asks, shelves))
    supplies = np.zeros(2 + len(asks) + len(shelves), dtype=np.int64)
    supplies[0], supplies[-1] = len(asks), -len(asks)
    used = _lexicographic(arcs, supplies, _levels(arcs, asks))
    picks, unserved = [], []
    for arc, units in zip(arcs, used, strict=True):
        if units and arc.ask is not None:
            if arc.candidate is None:
                unserved.append(arc.ask.line)
            else:
                picks.append(Pick(arc.ask.line, arc.candidate, 1, late_s(arc.candidate, arc.ask) or 0))
    return Assignment(tuple(picks), tuple(unserved))


def _arcs(asks: Sequence[Ask], shelves: dict[Shelf, Candidate]) -> Iterator[_Arc]:
    """Source 0 → line → shelf → sink; a line may also go straight to the sink, unserved."""
    numbers = {shelf: 1 + len(asks) + index for index, shelf in enumerate(shelves)}
    sink = 1 + len(asks) + len(shelves)
    for line, ask in enumerate(asks, start=1):
        yield _Arc(0, line, 1)
        yield _Arc(line, sink, 1, ask)
        for each in ask.candidates:
            if each.free > 0 and late_s(each, ask) is not None:
                yield _Arc(line, numbers[each.shelf], 1, ask, each, each.cost_minor)
    for shelf, each in shelves.items():
        for pieces, price in _shelf_steps(each, len(asks)):
            yield _Arc(numbers[shelf], sink, pieces, price_minor=price)


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


def _levels(arcs: Sequence[_Arc], asks: Sequence[Ask]) -> list[Any]:
    """One price vector per level of R2, the most important first; levels that cost nothing anywhere are left out."""
    counts = [sum(ask.tier == tier for ask in asks) for tier in (0, 1, 2)]
    weight = ((1 + counts[1]) * (1 + counts[2]), 1 + counts[2], 1)
    late = [_late(arc) for arc in arcs]
    misses = [weight[arc.ask.tier] if arc.ask and over else 0 for arc, over in zip(arcs, late, strict=True)]
    levels = [misses]
    for tier in (0, 1, 2):
        levels.append([over if arc.ask and arc.ask.tier == tier else 0 for arc, over in zip(arcs, late, strict=True)])
    levels.append([int(arc.candidate is not None and arc.candidate.substitute) for arc in arcs])
    levels.append([arc.price_minor for arc in arcs])
    return [np.array(level, dtype=np.int64) for level in levels if any(level)]


def _late(arc: _Arc) -> int:
    if arc.ask is None:
        return 0
    late = None if arc.candidate is None else late_s(arc.candidate, arc.ask)
    return NOWHERE_S if late is None else late


def _lexicographic(arcs: Sequence[_Arc], supplies: Any, levels: Sequence[Any]) -> list[int]:
    """Flows that are best at the first level, among those at the second, and so on: exact, without huge weights.

    After each level, complementary slackness says which arcs no optimum uses (reduced cost above 0) and which every
    optimum fills (below 0); the next level may change the others only.
    """
    tails = np.array([arc.tail for arc in arcs], dtype=np.int64)
    heads = np.array([arc.head for arc in arcs], dtype=np.int64)
    room = np.array([arc.capacity for arc in arcs], dtype=np.int64)
    fixed = np.zeros(len(arcs), dtype=np.int64)
    supplies, flows = supplies.copy(), np.zeros(len(arcs), dtype=np.int64)
    for prices in levels or [np.zeros(len(arcs), dtype=np.int64)]:
        flows = _cheapest(tails, heads, room, prices, supplies)
        reduced = _reduced(tails, heads, room, prices, flows, len(supplies))
        full = np.where(reduced < 0, room, 0)
        np.add.at(supplies, tails, -full)
        np.add.at(supplies, heads, full)
        fixed += full
        room = np.where(reduced == 0, room, 0)
        flows = np.where(reduced == 0, flows, 0)
    return [int(units) for units in flows + fixed]


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
