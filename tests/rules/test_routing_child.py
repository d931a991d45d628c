"""The killable child: answers, dies, is late, fails, is canceled, and goes with its parent."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import pytest

from app.routing.rules.insertion import greedy
from app.routing.rules.judge import faults
from app.routing.rules.plan import Plan, schedule
from app.routing.rules.sourcing import Ask, Candidate, Choice, Pick, choose_sources
from app.routing.solver.child import PREPARED, PREPARING, NoPlan, Solver
from tests.rules.routing_problems import random_problem

pytestmark = pytest.mark.anyio
PROBLEM = random_problem(2, 8, 3)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def silent(pipe: Connection) -> None:
    """A child that hears questions and never answers one."""
    pipe.send("ready")
    while pipe.recv() is not None:
        pass


def lying(pipe: Connection) -> None:
    """A child whose plans serve nobody and say nothing of it."""
    pipe.send("ready")
    while (ask := pipe.recv()) is not None:
        empty = schedule([[] for _ in ask[0].couriers], ask[0])
        pipe.send(replace(empty, unserved=()))


def preparing(pipe: Connection) -> None:
    """A child that needs its time before it answers."""
    pipe.send("ready")
    while (ask := pipe.recv()) is not None:
        pipe.send(PREPARING)
        pipe.send(PREPARED)
        pipe.send(greedy(ask[0]))


def unprepared(pipe: Connection) -> None:
    """A child that cannot get ready."""
    pipe.send("ready")
    while pipe.recv() is not None:
        pipe.send(PREPARING)
        pipe.send("ImportError: no compiler")


async def busy(solver: Solver) -> asyncio.Task[Any]:
    """A long solve that has reached the child."""
    task = asyncio.create_task(solver.solve(random_problem(1, 25, 4), None, limit_s=60))
    await solver.asking.wait()
    return task


async def test_T151_the_child_answers_is_killed_and_answers_again() -> None:
    async with Solver() as solver:
        plan = await solver.solve(PROBLEM, None, limit_s=20, solutions=20)
        assert isinstance(plan, Plan)
        assert faults(plan, PROBLEM) == []
        assert plan.costs.score <= greedy(PROBLEM).costs.score
        first = solver.pid
        task = await busy(solver)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        died = await task
        assert isinstance(died, NoPlan)
        assert died.why.code == "routing.solver_died"
        again = await solver.solve(PROBLEM, None, limit_s=20, solutions=20)
        assert isinstance(again, Plan)
        assert again.routes == plan.routes  # the same seed and bound in a fresh child
        assert solver.pid != first
        os.kill(solver.pid or 0, signal.SIGINT)  # Ctrl-C in the terminal reaches the whole group
        assert isinstance(await solver.solve(PROBLEM, plan, limit_s=20, solutions=5), Plan)
    assert solver.pid is None


async def test_a_canceled_solve_does_not_answer_the_next_question() -> None:
    async with Solver() as solver:
        task = await busy(solver)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        plan = await solver.solve(PROBLEM, None, limit_s=20, solutions=10)
        assert isinstance(plan, Plan)
        assert faults(plan, PROBLEM) == []


async def test_T151_a_late_child_is_killed() -> None:
    async with Solver(target=silent) as solver:
        late = await solver.solve(PROBLEM, None, limit_s=-0.4)
        assert isinstance(late, NoPlan)
        assert late.why.code == "routing.solver_late"
        assert solver.pid is None


async def test_sources_wait_in_line_no_longer_than_they_would_take() -> None:
    ask = Ask(
        line="1", quantity=1, kind="local", due_s=60, candidates=(Candidate(place="A", part="P", free=1, eta_s=1),)
    )
    choice = choose_sources([ask])
    assert isinstance(choice, Choice)
    async with Solver(target=silent) as solver:
        first = await busy(solver)
        assert await solver.sources([ask], choice, limit_s=0.01) is choice
        assert solver.asking.is_set(), "the one before is still at work"
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_a_child_is_given_the_time_to_compile_and_may_fail_at_it() -> None:
    async with Solver(target=preparing) as solver:
        assert await solver.solve(PROBLEM, None, limit_s=5) == greedy(PROBLEM)
        assert await solver.solve(PROBLEM, None, limit_s=5) == greedy(PROBLEM)
    async with Solver(target=unprepared) as solver:
        failed = await solver.solve(PROBLEM, None, limit_s=5)
        assert isinstance(failed, NoPlan)
        assert failed.why.code == "routing.solver_failed"


async def test_R3_the_judge_in_the_parent_refuses_a_wrong_plan() -> None:
    async with Solver(target=lying) as solver:
        refused = await solver.solve(PROBLEM, None, limit_s=5)
        assert isinstance(refused, NoPlan)
        assert refused.why.code == "routing.plan_refused"


async def test_a_closed_solver_says_so_and_a_failing_search_too() -> None:
    solver = Solver()
    failed = await solver.solve(PROBLEM, None, limit_s=5, solutions="many")  # type: ignore[arg-type]
    assert isinstance(failed, NoPlan)
    assert failed.why.code == "routing.solver_failed"
    await solver.close()
    closed = await solver.solve(PROBLEM, None, limit_s=5)
    assert isinstance(closed, NoPlan)
    assert closed.why.code == "routing.solver_unavailable"


ORPHAN = """
import asyncio, os
from app.routing.solver.child import Solver
async def main():
    solver = Solver()
    await solver.warm()
    print(solver.pid, flush=True)
    os._exit(1)
if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_the_child_ends_with_its_parent_and_solvers_stay_out_of_the_parent() -> None:
    script = ORPHAN.replace(
        "os._exit", "import sys; assert not {'ortools', 'numba', 'numpy'} & sys.modules.keys(); os._exit"
    )
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    # The child holds the pipe of our standard output open: reading to its end waits for the child's end.
    out, _ = await asyncio.to_thread(run.communicate, timeout=30)
    assert run.returncode == 1
    assert int(out) > 0


def order(line: str, tier: int, *places: str) -> tuple[Ask, ...]:
    """One piece from one of these places, each of which has one."""
    candidates = tuple(Candidate(place=one, part="P", free=1, eta_s=60) for one in places)
    return (Ask(line=line, quantity=1, kind="local", due_s=7200, tier=tier, candidates=candidates),)


async def test_orders_that_want_one_shelf_are_divided_in_the_child_and_judged() -> None:
    async with Solver() as solver:
        found = await solver.divided([order("general", 2, "A", "B"), order("emergency", 0, "A")], limit_s=20)
        assert found is not None
        assert [[pick.candidate.place for pick in picks or ()] for picks in found] == [["B"], ["A"]]
        nothing = await solver.divided([order("general", 2, "A"), order("emergency", 0, "A")], limit_s=20)
        assert nothing is not None
        assert [picks is None for picks in nothing] == [True, False]
    assert await solver.divided([order("general", 2, "A")], limit_s=1) is None


def generous(pipe: Connection) -> None:
    """A child that gives everybody the first way, whatever is left."""
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        pipe.send(tuple((Pick(one.line, one.candidates[0], 1, 0),) for (one,) in asked.of))


async def test_a_division_that_gives_a_piece_twice_is_refused() -> None:
    async with Solver(target=generous) as solver:
        assert await solver.divided([order("general", 2, "A"), order("emergency", 0, "A")], limit_s=20) is None
