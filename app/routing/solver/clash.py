"""The smallest set of facts that clash, by CP-SAT assumptions: nothing that breaks none of them is left.

Every fact is an assumption literal, every way needs the facts it breaks to be false, and one way must be taken. A core of
assumptions is shrunk to a minimal one; the smallest of all is found by hitting sets (Ignatiev et al., Smallest MUS
extraction with minimal hitting set dualization, CP 2015).
"""

import time
from collections.abc import Sequence

from ortools.sat.python import cp_model

from app.routing.rules.clash import Breaks, Clash, Name, minimal

MOST_SOLVES = 120
"""Of the little models, each about a millisecond; then the smallest set met so far is the answer."""
A_SOLVE = 1.0
"""Of CP-SAT's own time, which does not depend on how busy the machine is."""


def smallest_clash(sets: Sequence[Breaks], most: int = MOST_SOLVES) -> Clash:
    """What clashes, given what each way breaks. The same sets give the same answer, in whatever order they come."""
    known = minimal(sets)
    if not known:
        return Clash(None)
    if not known[0]:
        return Clash(())
    search = _Search(known)
    core = search.shrunk(search.core(search.names), most)
    return search.smallest(core, most)


def in_time(of: Sequence[Sequence[Breaks]], limit_s: float) -> list[Clash | None]:
    """The clashes of several lines, in order, until so much CPU time is spent; None for the rest."""
    begun = time.process_time()
    return [smallest_clash(sets) if time.process_time() - begun < limit_s else None for sets in of]


class _Search:
    """The models over one line's facts, in the order of their names."""

    def __init__(self, sets: Sequence[Breaks]) -> None:
        self.sets = sets
        self.names = sorted(frozenset[Name]().union(*sets))
        self.solves = 0
        self.model = cp_model.CpModel()
        self.holds = {name: self.model.new_bool_var(f"{name[0]}:{name[1]}") for name in self.names}
        self.taken = [self.model.new_bool_var(f"way {at}") for at in range(len(sets))]
        self.model.add_bool_or(self.taken)
        for way, breaks in zip(self.taken, sets, strict=True):
            for name in sorted(breaks):
                self.model.add_implication(way, self.holds[name].negated())

    def core(self, assumed: Sequence[Name]) -> list[Name] | None:
        """Facts among the assumed ones that leave no way; None if they leave one. What they leave is in `left`."""
        self.model.clear_assumptions()
        self.model.add_assumptions([self.holds[name] for name in assumed])
        solver = _solver()
        self.solves += 1
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE):
            raise ArithmeticError(f"a question of {len(self.names)} facts was not settled")
        if status != cp_model.INFEASIBLE:
            self.left = next(at for at, way in enumerate(self.taken) if solver.boolean_value(way))
            return None
        meant = {self.holds[name].index: name for name in assumed}
        return sorted(meant[at] for at in solver.sufficient_assumptions_for_infeasibility())

    def shrunk(self, core: list[Name] | None, most: int) -> list[Name]:
        """A minimal core: each fact is left out in turn and stays out if the rest clash without it."""
        kept = list(core or self.names)
        for name in list(kept):
            if name in kept and self.solves < most:
                less = self.core([one for one in kept if one != name])
                kept = kept if less is None else less
        return kept

    def smallest(self, core: list[Name], most: int) -> Clash:
        """Smallest sets that hit every way met so far, until one leaves no way: it is the smallest clash of all."""
        met: set[int] = set()
        while self.solves < most:
            tried = self._hitting([self.sets[at] for at in sorted(met)])
            if len(tried) == len(core):
                return Clash(tuple(core), solves=self.solves)
            if self.core(tried) is not None:
                return Clash(tuple(tried), solves=self.solves)
            met.add(self.left)
        return Clash(tuple(core), smallest=False, solves=self.solves)

    def _hitting(self, sets: Sequence[Breaks]) -> list[Name]:
        """The fewest facts with one of each set."""
        model = cp_model.CpModel()
        chosen = {name: model.new_bool_var("") for name in self.names}
        for one in sets:
            model.add_bool_or([chosen[name] for name in sorted(one)])
        weight = len(self.names) ** 2 + 1
        model.minimize(sum((weight + at) * chosen[name] for at, name in enumerate(self.names)))
        solver = _solver()
        self.solves += 1
        solver.solve(model)
        return [name for name in self.names if solver.boolean_value(chosen[name])]


def _solver() -> cp_model.CpSolver:
    """One worker and a fixed seed: the same question has the same answer."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = A_SOLVE
    return solver
