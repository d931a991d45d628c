"""Which of all routes seen go together best: set partitioning by CP-SAT, with a bound that is no clock."""

from typing import Any

from ortools.sat.python import cp_model

from app.routing.solver.strings import Routes

MOST = 3_000


class Pool:
    """Routes seen so far, the cheapest order of each set of jobs for each kind of courier.

    `effort_s` is CP-SAT's deterministic time for one choice, roughly seconds.
    """

    def __init__(self, routes: Routes, effort_s: float) -> None:
        self._routes, self._effort_s = routes, effort_s
        self._kinds = [self._kind(route) for route in range(routes.fleet)]
        self._seen: dict[tuple[int, frozenset[int]], tuple[int, list[int]]] = {}

    def _kind(self, route: int) -> int:
        """The first courier who is just like this one."""
        alike = (self._routes.start, self._routes.home, self._routes.leaves, self._routes.leaves_by, self._routes.ends,
                 self._routes.most, self._routes.work, self._routes.ways)  # fmt: skip
        mine = [each[route] for each in alike]
        masks = [mask for mask in self._routes.may if mask is not None]
        return next(
            other
            for other in range(route + 1)
            if [each[other] for each in alike] == mine and all(mask[other] == mask[route] for mask in masks)
        )

    def add(self, seen: list[tuple[int, list[int]]]) -> None:
        """Remember routes as they are now: courier and jobs."""
        for route, jobs in seen:
            if jobs:
                key, cost = (self._kinds[route], frozenset(jobs)), self._routes.cost[route]
                known = self._seen.get(key)
                if known is None or cost < known[0]:
                    self._seen[key] = (cost, jobs)

    def choose(self, best: list[list[int]]) -> list[list[int]] | None:
        """The cheapest choice that serves what the best plan serves, if it differs from it; None if none was found."""
        served = {job for jobs in best for job in jobs}
        entries = [(*key, *value) for key, value in list(self._seen.items())[-MOST:]]
        mine = {(self._kinds[route], frozenset(jobs)) for route, jobs in enumerate(best) if jobs}
        entries = [entry for entry in entries if entry[1] <= served]
        if not mine <= {(entry[0], entry[1]) for entry in entries}:
            entries += [(kind, jobs, *self._seen[kind, jobs]) for kind, jobs in mine if (kind, jobs) in self._seen]
        model = cp_model.CpModel()
        chosen = [model.new_bool_var("") for _ in entries]
        covering: dict[int, list[Any]] = {job: [] for job in served}
        using: dict[int, list[Any]] = {}
        for variable, (kind, jobs, _, _) in zip(chosen, entries, strict=True):
            using.setdefault(kind, []).append(variable)
            model.add_hint(variable, (kind, jobs) in mine)
            for job in jobs:
                covering[job].append(variable)
        for variables in covering.values():
            model.add_exactly_one(variables)
        for kind, variables in using.items():
            model.add(sum(variables) <= self._kinds.count(kind))
        model.minimize(sum(entry[2] * variable for entry, variable in zip(entries, chosen, strict=True)))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_deterministic_time = self._effort_s
        solver.parameters.linearization_level = 2
        if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        used = [entry for entry, variable in zip(entries, chosen, strict=True) if solver.value(variable)]
        return None if {entry[:2] for entry in used} == mine else self._placed(used)

    def _placed(self, used: list[Any]) -> list[list[int]]:
        """The chosen routes, each with a courier of its kind."""
        lists: list[list[int]] = [[] for _ in self._kinds]
        for kind, _, _, jobs in used:
            free = next(route for route, each in enumerate(self._kinds) if each == kind and not lists[route])
            lists[free] = list(jobs)
        return lists
