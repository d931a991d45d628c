"""One long-lived child process that solves, so that a search can be killed and never holds the server's lock.

The parent sends plain problems and judges every answer; ortools and numba are imported in the child only.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Self

from app.core.errors import Reason
from app.routing.rules.clash import Breaks, Clash, sound
from app.routing.rules.judge import faults, source_faults
from app.routing.rules.plan import Effort, Plan
from app.routing.rules.problem import Problem
from app.routing.rules.sourcing import Ask, Choice, Pick, choice_of

SLACK_S = 0.5
START_S = 30.0
PREPARE_S = 600.0
"""Compiling takes seconds once on a machine, and minutes where it is very busy."""
PREPARING, PREPARED = "preparing", "prepared"
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class NoPlan:
    """No plan came, or none that the judge accepts: what stands stays, greedy fills in."""

    why: Reason


@dataclass(frozen=True, slots=True)
class Sources:
    """A question to the child: better picks for the lines of one request."""

    asks: tuple[Ask, ...]
    picks: tuple[Pick, ...]
    limit_s: float


@dataclass(frozen=True, slots=True)
class Orders:
    """A question to the child: who takes what where several orders want the same shelves."""

    of: tuple[tuple[Ask, ...], ...]
    limit_s: float


@dataclass(frozen=True, slots=True)
class Clashes:
    """A question to the child: what clashes, for each line the sets of facts that its ways break."""

    of: tuple[tuple[Breaks, ...], ...]
    limit_s: float


def serve(pipe: Connection) -> None:
    """The child's life: solve what comes until told to stop or the parent is gone (end of file on the pipe)."""
    _keep_on()
    from app.routing.solver.clash import in_time
    from app.routing.solver.coupled import better_picks, divide_orders
    from app.routing.solver.search import improve, prepare, prepared

    try:
        pipe.send("ready")
        while (ask := pipe.recv()) is not None:
            try:
                if isinstance(ask, Sources):
                    pipe.send(better_picks(ask.asks, ask.picks, limit_s=ask.limit_s))
                    continue
                if isinstance(ask, Orders):
                    pipe.send(divide_orders(ask.of, limit_s=ask.limit_s).picks)
                    continue
                if isinstance(ask, Clashes):
                    pipe.send(in_time(ask.of, ask.limit_s))
                    continue
                problem, standing, limits = ask
                if not prepared(problem):
                    pipe.send(PREPARING)
                    prepare(problem)
                    _keep_on()
                    pipe.send(PREPARED)
                pipe.send(improve(problem, standing, **limits))
            except Exception as failed:  # OR-Tools raises bare ones; the parent is told, the child lives on
                pipe.send(f"{type(failed).__name__}: {failed}")
    except (EOFError, OSError):
        return


def _keep_on() -> None:
    """Ctrl-C in a terminal is for the parent; the library behind numba lets it end the process again when it is loaded."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Solver:
    """The child and its pipe. One solve at a time; others wait in line. Close it when the server ends.

    Use as `async with Solver() as solver` or call `close`. The first solve starts the child, about half a second;
    `warm` does so before. `asking` is set while a question is with the child.
    """

    def __init__(self, *, target: Callable[[Connection], None] = serve) -> None:
        self._target = target
        self._turn = asyncio.Lock()
        self._child: Any = None
        self._pipe: Connection | None = None
        self._closed = False
        self.asking = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id while it lives."""
        return self._child.pid if self._child is not None and self._child.is_alive() else None

    async def warm(self) -> None:
        """Start the child now."""
        async with self._turn:
            await self._ready()

    async def solve(
        self,
        problem: Problem,
        standing: Plan | None,
        *,
        limit_s: float,
        wall_s: float | None = None,
        solutions: int | None = None,
        seed: int = 0,
        replay: Effort | None = None,
    ) -> Plan | NoPlan:
        """A sound plan no worse than the standing one or greedy, or why there is none (T151).

        `limit_s` is the child's CPU time, `wall_s` the time on the wall (the same if not given); the answer or NoPlan
        is here about half a second after that at the latest (plus the child's start). A child that is late or dies is
        killed and started anew at the next solve. `replay` makes the plan of that effort again.
        """
        wall_s = limit_s if wall_s is None else wall_s
        limits = {"limit_s": limit_s, "wall_s": wall_s, "solutions": solutions, "seed": seed, "replay": replay}
        async with self._turn:
            if self._closed or not await self._ready():
                return NoPlan(Reason("T151", "routing.solver_unavailable"))
            answer = await self._asked((problem, standing, limits), wall_s + SLACK_S)
        if isinstance(answer, Reason):
            return NoPlan(answer)
        if not isinstance(answer, Plan):
            return NoPlan(Reason("T151", "routing.solver_failed", {"error": str(answer)}))
        if against := faults(answer, problem):
            return NoPlan(Reason("R3", "routing.plan_refused", {"faults": against[:10]}))
        return answer

    async def sources(self, asks: Sequence[Ask], choice: Choice, *, limit_s: float) -> Choice:
        """A choice for one request at least as good as the given one, which it is where the child has nothing to say; the
        judge looks at it. It waits no more than `limit_s` in line, and then about half a second longer than twice that, or
        for the child's start."""
        try:
            async with asyncio.timeout(limit_s):
                await self._turn.acquire()
        except TimeoutError:
            return choice
        try:
            if self._closed or not await self._ready():
                return choice
            answer = await self._asked(Sources(tuple(asks), choice.picks, limit_s), 2 * limit_s + SLACK_S)
        finally:
            self._turn.release()
        if not isinstance(answer, tuple) or source_faults(asks, answer[0]):
            return choice
        return choice_of(asks, answer[0], proven=answer[1])

    async def divided(self, orders: Sequence[Sequence[Ask]], *, limit_s: float) -> list[tuple[Pick, ...] | None] | None:
        """Each order's picks by R2's strict levels, None where it gets nothing; None in all where no answer came in time or
        the judge refuses it. It waits as `sources` does."""
        try:
            async with asyncio.timeout(limit_s):
                await self._turn.acquire()
        except TimeoutError:
            return None
        try:
            if self._closed or not await self._ready():
                return None
            answer = await self._asked(Orders(tuple(map(tuple, orders)), limit_s), 2 * limit_s + SLACK_S)
        finally:
            self._turn.release()
        if not isinstance(answer, tuple) or len(answer) != len(orders):
            return None
        served = [ask for order, picks in zip(orders, answer, strict=True) if picks is not None for ask in order]
        taken = [pick for picks in answer for pick in picks or ()]
        return None if source_faults(served, taken) else list(answer)

    async def clashes(
        self, of: Sequence[Sequence[Breaks]], *, limit_s: float, wall_s: float
    ) -> list[Clash | None] | NoPlan:
        """The smallest set of clashing facts for each line, or why there is none; the judge looks at each.

        `limit_s` is the child's CPU time, asked after each line: what comes later gets None.
        """
        async with self._turn:
            if self._closed or not await self._ready():
                return NoPlan(Reason("T151", "routing.solver_unavailable"))
            answer = await self._asked(Clashes(tuple(map(tuple, of)), limit_s), wall_s)
        if isinstance(answer, Reason):
            return NoPlan(answer)
        if not isinstance(answer, list) or len(answer) != len(of):
            return NoPlan(Reason("T151", "routing.solver_failed", {"error": str(answer)[:200]}))
        wrong = [one for one, sets in zip(answer, of, strict=True) if one is not None and not sound(one, sets)]
        if wrong:
            return NoPlan(Reason("R3", "routing.plan_refused", {"faults": [str(one)[:200] for one in wrong[:3]]}))
        return answer

    async def close(self) -> None:
        """Stop the child: asked first, killed if it is still busy after the current solve's turn."""
        self._closed = True
        async with self._turn:
            if self._child is None:
                return
            await asyncio.to_thread(_farewell, self._child, self._pipe)
            self._child = self._pipe = None

    async def _ready(self) -> bool:
        if self._child is not None and self._child.is_alive():
            return True
        self._drop()
        self._pipe, theirs = _SPAWN.Pipe()
        self._child = _SPAWN.Process(target=self._target, args=(theirs,), name="sparelane-solver", daemon=True)
        await asyncio.to_thread(self._child.start)
        theirs.close()  # or the end of the child would never be seen as end of file
        return bool(await self._asked(None, START_S) == "ready")

    async def _asked(self, ask: Any, wait_s: float) -> Any:
        """The child's answer, or the reason why there is none; the child is dead then. None asks nothing."""
        try:
            if ask is not None:
                self.asking.set()
            return await asyncio.to_thread(_exchange, self._pipe, ask, wait_s)
        except TimeoutError:
            self._drop()
            return Reason("T151", "routing.solver_late", {"waited_ms": round(wait_s * 1000)})
        except (EOFError, OSError):
            self._drop()
            return Reason("T151", "routing.solver_died")
        except asyncio.CancelledError:
            self._drop()  # its answer must not be taken for the next one's
            raise
        finally:
            self.asking.clear()

    def _drop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.join()
        self._child = self._pipe = None


def _exchange(pipe: Connection | None, ask: Any, wait_s: float) -> Any:
    if pipe is None:
        raise EOFError
    if ask is not None:
        pipe.send(ask)
    answer = _heard(pipe, wait_s)
    if answer == PREPARING:  # its time begins only after
        answer = _heard(pipe, PREPARE_S)
    return _heard(pipe, wait_s) if answer == PREPARED else answer


def _heard(pipe: Connection, wait_s: float) -> Any:
    if not pipe.poll(wait_s):
        raise TimeoutError
    return pipe.recv()


def _farewell(child: Any, pipe: Connection | None) -> None:
    try:
        if pipe is not None:
            pipe.send(None)
        child.join(1.0)
    except OSError:
        pass
    if child.is_alive():
        child.kill()
        child.join()
    if pipe is not None:
        pipe.close()
