"""Which of all routes seen go together best: set partitioning by CP-SAT, with a bound that is no clock."""

from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from app.routing.solver.arrays import Facts
from app.routing.solver.walk import Walk

MOST = 3_000
Entry = tuple[int, frozenset[int]]


def choose(facts: Facts, walk: Walk, best: list[list[int]], effort_s: float) -> list[list[int]] | None:
    """The cheapest choice that serves what the best plan serves, if it differs from it; None if none was found.

    `effort_s` is CP-SAT's deterministic time, roughly seconds.
    """
    served = {job for jobs in best for job in jobs}
    kinds = facts.kind.tolist()
    mine = {(kinds[route], frozenset(jobs)): jobs for route, jobs in enumerate(best) if jobs}
    known = _known(walk, served)
    costs = {entry: cost for entry, (cost, _) in known.items()}
    for route, jobs in enumerate(best):
        if jobs:
            costs[kinds[route], frozenset(jobs)] = _cost(facts, route, jobs)
    chosen = _chosen(costs, mine, kinds, effort_s)
    if chosen is None or set(chosen) == mine.keys():
        return None
    lists: list[list[int]] = [[] for _ in kinds]
    for entry in chosen:
        free = next(route for route, kind in enumerate(kinds) if kind == entry[0] and not lists[route])
        lists[free] = list(mine.get(entry) or known[entry][1])
    return lists


def _known(walk: Walk, served: set[int]) -> dict[Entry, tuple[int, list[int]]]:
    """The routes that the walk remembers from the best plans it met."""
    slots = np.flatnonzero(walk.seen_size)
    slots = slots[np.argsort(walk.seen_worth[slots], kind="stable")][:MOST]
    found = {}
    for slot in slots.tolist():
        jobs = walk.seen[slot, : walk.seen_size[slot]].tolist()
        if served.issuperset(jobs):
            found[int(walk.seen_kind[slot]), frozenset(jobs)] = (int(walk.seen_cost[slot]), jobs)
    return found


def _cost(facts: Facts, route: int, jobs: list[int]) -> int:
    places = [int(facts.start[route]), *jobs, int(facts.home[route])]
    return int(facts.price[places[:-1], places[1:]].sum())


def _chosen(costs: dict[Entry, int], mine: dict[Entry, list[int]], kinds: list[int], effort_s: float) -> Any:
    model = cp_model.CpModel()
    chosen = {entry: model.new_bool_var("") for entry in costs}
    covering: dict[int, list[Any]] = {job: [] for _, jobs in mine for job in jobs}
    using: dict[int, list[Any]] = {}
    for (kind, jobs), variable in chosen.items():
        using.setdefault(kind, []).append(variable)
        model.add_hint(variable, (kind, jobs) in mine)
        for job in jobs:
            covering[job].append(variable)
    for variables in covering.values():
        model.add_exactly_one(variables)
    for kind, variables in using.items():
        model.add(sum(variables) <= kinds.count(kind))
    model.minimize(sum(cost * chosen[entry] for entry, cost in costs.items()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = effort_s
    solver.parameters.linearization_level = 2
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return [entry for entry, variable in chosen.items() if solver.value(variable)]
