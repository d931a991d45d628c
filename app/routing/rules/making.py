"""How a plan came about: from a first problem and what stood, step by step, so that it can be made again (R4).

Each step is a pure function of what was before it and of what it keeps: a stored plan replays without a clock.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from app.routing.rules import plan as plans
from app.routing.rules import problem as problems
from app.routing.rules.insertion import greedy
from app.routing.rules.moving import Elsewhere, move_sources
from app.routing.rules.plan import Effort, Plan
from app.routing.rules.problem import Problem
from app.routing.rules.shape import shaped
from app.routing.rules.standing import adopted

Search = Callable[[Problem, Plan, int, Effort], Awaitable[Plan]]
"""A search made again: problem, what it began with, seed and effort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What was done to problem and plan.

    `search` looked for a better plan (`seed`, `effort`); `insert` put in greedily what was missing, under the facts in
    `problem` where they had moved on; `move` tried other shelves (`ways`, `most`); `leave` took out jobs (`gone`) that were
    touched meanwhile.
    """

    do: Literal["search", "insert", "move", "leave"]
    seed: int = 0
    effort: Effort | None = None
    problem: dict[str, Any] | None = None
    ways: dict[str, tuple[Elsewhere, ...]] | None = None
    most: int = 0
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Where a plan began, and the steps to it."""

    problem: Problem
    standing: Plan
    steps: tuple[Step, ...] = ()

    def searched(self, plan: Plan) -> "Making":
        return self._then(Step(do="search", seed=plan.seed, effort=plan.effort))

    def inserted(self, problem: Problem | None = None) -> "Making":
        return self._then(Step(do="insert", problem=None if problem is None else problems.to_json(problem)))

    def moved(self, ways: Mapping[str, Sequence[Elsewhere]], most: int) -> "Making":
        return self._then(Step(do="move", ways={job: tuple(some) for job, some in ways.items()}, most=most))

    def left(self, gone: set[str]) -> "Making":
        return self._then(Step(do="leave", gone=tuple(sorted(gone))))

    def _then(self, step: Step) -> "Making":
        return replace(self, steps=(*self.steps, step))


async def made_again(making: Making, search: Search) -> tuple[Problem, Plan]:
    """The problem and plan that the steps come to."""
    problem, plan = making.problem, making.standing
    for step in making.steps:
        if step.do == "search":
            plan = await search(problem, plan, step.seed, step.effort or Effort())
        elif step.do == "insert":
            problem = problem if step.problem is None else problems.from_json(step.problem)
            plan = greedy(problem, plan)
        elif step.do == "move":
            problem, plan, _ = move_sources(problem, plan, step.ways or {}, most=step.most)
        else:
            problem = without(problem, set(step.gone))
            plan = adopted(plan, problem)
    return problem, plan


def without(problem: Problem, gone: set[str]) -> Problem:
    """The problem without some jobs, started legs and cargo included."""
    couriers = tuple(
        replace(
            one,
            carrying=tuple(job for job in one.carrying if job not in gone),
            first=None if one.first is not None and one.first.job in gone else one.first,
        )
        for one in problem.couriers
    )
    return replace(problem, couriers=couriers, jobs=tuple(job for job in problem.jobs if job.id not in gone))


def to_json(making: Making, of: Problem) -> dict[str, Any]:
    """Plain values, kept beside the problem `of` that the plan answers, which is not repeated where it began with that."""
    steps = [{name: value for name, value in asdict(one).items() if value not in (None, 0, ())} for one in making.steps]
    problem = None if making.problem == of else problems.to_json(making.problem)
    return {"problem": problem, "standing": plans.to_json(making.standing), "steps": steps}


def from_json(raw: Mapping[str, Any], of: Mapping[str, Any]) -> Making:
    """Inverse of `to_json`; raises KeyError or ValueError on anything else."""
    return Making(
        problem=problems.from_json(raw["problem"] or of),
        standing=plans.from_json(raw["standing"]),
        steps=tuple(shaped(one, Step) for one in raw["steps"]),
    )
