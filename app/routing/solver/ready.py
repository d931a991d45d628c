"""Importing this makes the kernels ready: compiled, or read from where they were kept. Set-up runs it once, so that
no search and no test ever waits for the compiler.
"""

from dataclasses import replace
from datetime import UTC, datetime

from app.routing.rules.problem import Courier, Job, Location, Prices, Problem
from app.routing.rules.sourcing import Ask, Candidate
from app.routing.rules.standing import adopted
from app.routing.solver.anneal import Annealing, Pace
from app.routing.solver.errand_anneal import Errandry
from app.routing.solver.flow import assign, columns_of, nearest
from app.routing.solver.native import alone, forget_old

TINY = Problem(
    region="", start=datetime(2026, 1, 1, tzinfo=UTC), horizon_s=9, locations=(Location("a"), Location("b")),
    travel=((0, 1), (1, 0)), prices=Prices(drive=1, lead=0, calm=0),
    couriers=(Courier(code="c", start=0, available_s=0, end_s=9),),
    jobs=tuple(Job(id=name, tier=2, drop=1, drop_service_s=1, due_s=9, hard=True) for name in "ab"),
)  # fmt: skip
FETCHED = replace(TINY, jobs=tuple(replace(job, pickup=0, shelf="a") for job in TINY.jobs), stock=(("a", 2),))
CANDIDATE = Candidate(place="p", part="q", free=1, eta_s=1)

with alone():
    Annealing(TINY, [[]], 0, 0.0).run(Pace(lambda: 0.0, rounds=2))
    Errandry(FETCHED, adopted(None, FETCHED), 0).run(Pace(lambda: 0.0, rounds=2))
    ways, _ = columns_of([Ask(line="a", quantity=1, kind="local", due_s=9, candidates=(CANDIDATE,))])
    assign(nearest(ways))
    forget_old()
