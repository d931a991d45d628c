"""Errands by ruin and recreate, annealed: `errand_walk`'s rounds ever colder, from a plan that stands. Repeatable: it
reads no clock but through `Pace`.
"""

from app.routing.rules.plan import Plan, orders_of
from app.routing.rules.problem import Problem, Visit
from app.routing.solver.anneal import STEPS, Found, Pace
from app.routing.solver.errand_walk import BEST, begin, new_trail, rounds
from app.routing.solver.errands import BOTH, PIECES, PLACE, SHELF, WHOLE, Errands, errands_of
from app.routing.solver.fetching import empty_tours, renew

HOT, COLD = 1.0, 0.02
"""Heat in typical arcs, at the start and at the end."""


class Errandry:
    """One run: the routes, what is left out, the best so far."""

    def __init__(self, problem: Problem, start: Plan, seed: int) -> None:
        self.problem = problem
        self.facts = errands_of(problem)
        self.tours, self.trail = empty_tours(self.facts), new_trail(self.facts, seed)
        number = {job.id: at for at, job in enumerate(problem.jobs)}
        jobs = self.facts.jobs
        for courier, order in enumerate(orders_of(start)):
            for at, visit in enumerate(order):
                job = number[visit.job]
                self.tours.visit[courier, at] = 2 * job + (visit.kind == "drop")
                if visit.kind == "drop":
                    self.tours.held[jobs[job, WHOLE]] = courier, job
                elif jobs[job, SHELF] >= 0 and jobs[job, BOTH]:
                    self.tours.left[jobs[job, SHELF]] -= jobs[job, PIECES]
            self.tours.size[courier] = len(order)
        for courier in range(len(problem.couriers)):
            renew(self.facts, self.tours, courier)
        begin(self.facts, self.tours, self.trail)

    def run(self, pace: Pace) -> Found:
        """Rounds until the pace says that it is over; jobs of each courier are visits here."""
        done, typical = 0, _typical(self.facts)
        while (ahead := pace.next(done)) is not None:
            step, more = ahead
            rounds(self.facts, self.tours, self.trail, more, typical * HOT * (COLD / HOT) ** (step / STEPS))
            done += more
        pace.marks.append(done)
        rows = zip(self.trail.best.tolist(), self.trail.routes[:, BEST].tolist(), strict=True)
        return Found([row[:size] for row, size in rows], done)

    def orders(self, found: Found) -> list[list[Visit]]:
        """The visits of each courier in order."""
        jobs = self.problem.jobs
        return [[Visit("drop" if one & 1 else "pickup", jobs[one >> 1].id) for one in row] for row in found.lists]


def _typical(facts: Errands) -> float:
    """The way to the nearest other place, on average."""
    used = sorted(set(facts.visits[:, PLACE].tolist()))
    arcs = [min((int(facts.price[a, b]) for b in used if b != a), default=0) for a in used]
    return sum(arcs) / max(1, len(arcs)) or 1.0
