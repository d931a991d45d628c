"""Orders of several lines by CP-SAT: against brute force, against the flow, within limits, and never worse than greedy."""

import random
import time
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.graph.python import min_cost_flow

from app.routing.rules.judge import source_faults
from app.routing.rules.sourcing import Ask, Candidate, Choice, Option, Pick, choose_sources, options_of
from app.routing.solver import bundles
from app.routing.solver.child import Solver
from app.routing.solver.coupled import better_picks, divide_orders
from app.routing.solver.flow import NEVER, Columns, assign, assign_lines, nearest
from app.routing.solver.orders import LEVELS, PRICE, Prices, value_of, ways_of
from app.routing.solver.pooled import pooled

PRICES = Prices(trip_minor=40, substitute_minor=25)


def order(rng: random.Random, lines: int, places: int, free: dict[tuple[str, str], int], tag: str) -> tuple[Ask, ...]:
    """Lines of one site: places differ in how far they are, parts in where they lie."""
    tier, eta = rng.randrange(3), [rng.choice((600, 3600, 7200, 9000)) for _ in range(places)]
    return tuple(
        Ask(
            line=f"{tag}{number}",
            quantity=rng.choice((1, 1, 2)),
            kind="local",
            due_s=7200,
            tier=tier,
            allow_split=rng.random() < 0.7,
            candidates=tuple(
                Candidate(
                    place=place,
                    part=part,
                    free=pieces,
                    eta_s=eta[int(place[1:])],
                    substitute=part == "FAN",
                    cost_minor=rng.randrange(30),
                    piece_prices_minor=(1, 4, 20),
                )
                for (place, part), pieces in free.items()
            ),
        )
        for number in range(lines)
    )


def orders_of(seed: int, count: int, lines: int, places: int) -> list[tuple[Ask, ...]]:
    rng = random.Random(seed)
    free = {(f"P{at}", part): rng.randrange(4) for at in range(places) for part in ("PSU", "FAN")}
    return [order(rng, rng.randint(1, lines), places, free, f"{at}/") for at in range(count)]


def fits(chosen: list[tuple[Option, ...] | None]) -> bool:
    left: dict[tuple[str, str], int] = {}
    for options in chosen:
        for option in options or ():
            for pick in option.picks:
                left[pick.candidate.shelf] = left.get(pick.candidate.shelf, pick.candidate.free) - pick.quantity
    return all(pieces >= 0 for pieces in left.values())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_R2_orders_equal_brute_force(seed: int, priced: bool) -> None:
    orders, prices = orders_of(seed, 2, 2, 2), PRICES if priced else None
    ways = [[None, *product(*[list(options_of(ask)) for ask in asks])] for asks in orders]
    best = min(value_of(orders, list(one), prices) for one in product(*ways) if fits(list(one)))
    found = divide_orders(orders, limit_s=20, prices=prices)
    assert found.optimal
    assert found.value == best


@pytest.mark.parametrize(
    ("seed", "count", "places"),
    [(1, 8, 4), (2, 8, 4), (3, 8, 4), (1, 4, 2), (18, 4, 2), (557, 2, 2), (568, 3, 2), (47, 7, 2), (48, 7, 3)],
)
def test_R2_bundles_come_to_what_single_ways_come_to(
    seed: int, count: int, places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the places cannot do what their stock together could."""
    orders = orders_of(seed, count, 3, places)
    by_bundles = divide_orders(orders, limit_s=60, prices=PRICES)
    monkeypatch.setattr(bundles, "MOST", 0)
    by_ways = divide_orders(orders, limit_s=60, prices=PRICES)
    assert by_bundles.optimal
    assert by_ways.optimal
    assert by_bundles.value == by_ways.value


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_R2_no_division_is_better_than_what_the_pools_allow(seed: int) -> None:
    orders = orders_of(seed, 5, 3, 3)
    options = [[ways_of(ask, None) for ask in asks] for asks in orders]
    least = pooled(orders, options, end=time.process_time() + 60)
    found = divide_orders(orders, limit_s=60, prices=PRICES)
    assert found.optimal
    assert least <= found.value[: len(least)]


def test_R2_a_bound_is_never_above_what_any_division_costs() -> None:
    orders = orders_of(4, 16, 3, 5)
    best = divide_orders(orders, limit_s=60, prices=PRICES)
    short = divide_orders(orders, limit_s=0.3, prices=PRICES)
    assert best.optimal
    assert short.value >= best.value
    if short.proven == PRICE:
        assert short.bound <= best.value[PRICE] <= short.value[PRICE]


def test_R2_single_lines_come_to_what_the_flow_finds() -> None:
    rng = random.Random(5)
    lines = [
        Ask(
            line=one.line, quantity=1, kind="local", due_s=7200, tier=rng.randrange(3), candidates=one.candidates,
        )
        for asks in orders_of(5, 12, 1, 4) for one in asks
    ]  # fmt: skip
    found, flow = divide_orders([(one,) for one in lines], limit_s=20), assign_lines(lines)
    assert found.optimal
    taken = {pick.line: Option((pick,), _key(pick, lines), frozenset({pick.candidate.place})) for pick in flow.picks}
    chosen = [(taken[one.line],) if one.line in taken else None for one in lines]
    assert value_of([(one,) for one in lines], chosen)[:LEVELS - 1] == found.value[:LEVELS - 1]  # fmt: skip


def _key(pick: Pick, lines: list[Ask]) -> tuple[int, ...]:
    ask = next(one for one in lines if one.line == pick.line)
    return next(one.key for one in options_of(ask) if one.picks == (pick,))


def test_a_request_of_twenty_lines_goes_to_few_places_and_is_proven() -> None:
    rng = random.Random(1)
    free = {(f"P{at}", f"X{part}"): rng.choice((0, 0, 1, 2, 4)) for at in range(10) for part in range(20)}
    asks = [
        Ask(
            line=str(part), quantity=1, kind="local", due_s=7200,
            candidates=tuple(
                Candidate(place=place, part=name, free=pieces, eta_s=600 + 60 * int(place[1:]))
                for (place, name), pieces in free.items() if name == f"X{part}" and pieces
            ),
        )
        for part in range(20)
    ]  # fmt: skip
    scanned = choose_sources(asks)
    assert isinstance(scanned, Choice)
    assert not scanned.proven
    picks, proven = better_picks(asks, scanned.picks, limit_s=20)
    assert proven
    assert source_faults(asks, picks) == []
    assert len({pick.candidate.place for pick in picks}) < len({pick.candidate.place for pick in scanned.picks})


@pytest.mark.anyio
async def test_the_child_gives_a_choice_with_reasons_or_the_one_it_was_given() -> None:
    far = Candidate(place="FAR", part="PSU", free=2, eta_s=3600)
    near = Candidate(place="NEAR", part="PSU", free=2, eta_s=600)
    ask = Ask(line="1", quantity=1, kind="local", due_s=7200, candidates=(far, near))
    poor = Choice((Pick("1", far, 1, 0),), (), (), proven=False)
    async with Solver() as solver:
        found = await solver.sources([ask], poor, limit_s=20)
        assert (found.picks[0].candidate.place, found.proven) == ("NEAR", True)
        assert [one.code for one in found.reasons] == ["routing.source_chosen"]
        assert [one.place for one in found.alternatives] == ["FAR"]
        await solver.close()
        assert await solver.sources([ask], poor, limit_s=20) is poor


@pytest.mark.parametrize(
    ("picks", "fault"),
    [
        ([("1", "A", 1)], "1 is not whole"),
        ([("1", "A", 1), ("1", "B", 1)], "1 may not be split"),
        ([("1", "B", 2), ("2", "B", 1)], "B has too few PSU"),
        ([("1", "C", 2)], "1 has no such way"),
        ([("1", "A", 2), ("9", "A", 1)], "nobody asked for ['9']"),
    ],
)
def test_the_judge_of_sources_sees_every_planted_fault(picks: list[tuple[str, str, int]], fault: str) -> None:
    ways = {place: Candidate(place=place, part="PSU", free=2, eta_s=600) for place in "ABC"}
    asks = [
        Ask(line="1", quantity=2, kind="local", due_s=7200, candidates=(ways["A"], ways["B"]), allow_split=False),
        Ask(line="2", quantity=1, kind="local", due_s=7200, candidates=(ways["A"], ways["B"])),
    ]
    assert fault in source_faults(asks, [Pick(line, ways[place], quantity, 0) for line, place, quantity in picks])


def columns(seed: int, lines: int, shelves: int) -> Columns:
    """Random lines and shelves of one part, with numbers small enough for a single weighted flow."""
    rng = np.random.default_rng(seed)
    free = rng.integers(0, 3, shelves)
    prices = [np.sort(rng.integers(0, 9, pieces)) for pieces in free]
    line = np.repeat(np.arange(lines), shelves)
    return Columns(
        tier=rng.integers(0, 3, lines),
        due=np.full(lines, 60),
        line=line,
        shelf=np.tile(np.arange(shelves), lines),
        at=np.where(rng.random(len(line)) < 0.2, NEVER, rng.integers(0, 80, len(line))),
        swapped=rng.integers(0, 2, len(line)),
        cost=rng.integers(0, 20, len(line)),
        pieces=np.cumsum([0, *free]),
        price=np.concatenate([*prices, np.zeros(0, np.int64)]).astype(np.int64),
    )


@pytest.mark.parametrize("seed", range(6))
def test_R2_the_paths_cost_what_OR_Tools_flow_costs(seed: int) -> None:
    """One tier, so that a single weighted flow is exact: misses, lateness, substitutes, cost."""
    one = replace(columns(seed, 40, 25), tier=np.full(40, 1))
    found = assign(one)
    late_w, swap_w, miss_w = 10**5, 10**3, 10**10

    def price(late: np.ndarray, swapped: np.ndarray, cost: np.ndarray) -> np.ndarray:
        return (late > 0) * miss_w + late * late_w + swapped * swap_w + cost

    usable = np.flatnonzero(one.at != NEVER)
    late = np.maximum(one.at[usable] - 60, 0)
    lines, shelves = 40, len(one.pieces) - 1
    flow = min_cost_flow.SimpleMinCostFlow()
    tails = [np.zeros(lines), 1 + np.arange(lines), 1 + one.line[usable]]
    heads = [1 + np.arange(lines), np.full(lines, 1 + lines + shelves), 1 + lines + one.shelf[usable]]
    costs = [np.zeros(lines), np.full(lines, price(np.array(1_000_000), np.array(0), np.array(0))),
             price(late, one.swapped[usable], one.cost[usable])]  # fmt: skip
    owner = np.repeat(np.arange(shelves), np.diff(one.pieces))
    tails.append(1 + lines + owner)
    heads.append(np.full(len(owner), 1 + lines + shelves))
    costs.append(one.price)
    ends = [np.concatenate(each).astype(np.int64) for each in (tails, heads, costs)]
    flow.add_arcs_with_capacity_and_unit_cost(ends[0], ends[1], np.ones(len(ends[0]), np.int64), ends[2])
    flow.set_node_supply(0, lines)
    flow.set_node_supply(1 + lines + shelves, -lines)
    assert flow.solve() == flow.OPTIMAL
    total, taken = 0, [0] * shelves
    for way in found.tolist():
        if way < 0:
            total += price(np.array(1_000_000), np.array(0), np.array(0))
            continue
        shelf = int(one.shelf[way])
        total += price(np.maximum(one.at[way] - 60, 0), one.swapped[way], one.cost[way])
        total += one.price[one.pieces[shelf] + taken[shelf]]
        taken[shelf] += 1
    assert total == flow.optimal_cost()


def test_only_the_nearest_ways_are_kept_for_large_batches() -> None:
    one = columns(3, 30, 25)
    few = nearest(one, 4)
    assert np.bincount(few.line, minlength=30).max() == 4
    for line in range(30):
        kept = one.at[(one.line == line) & (one.at != NEVER) & (np.diff(one.pieces)[one.shelf] > 0)]
        assert sorted(few.at[few.line == line]) == sorted(kept)[:4]


def test_lines_too_many_to_compare_are_refused() -> None:
    one = columns(1, 3, 3)
    dear = Columns(**{name: getattr(one, name) for name in one.__slots__} | {"cost": one.cost + (1 << 60)})
    with pytest.raises(ValueError, match="too dear"):
        assign(dear)
