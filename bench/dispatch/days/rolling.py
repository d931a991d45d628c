"""The product's planning on a played day: sources as the promise chooses them, courier plans as the planning duty makes
them. What stands here only translates the day into the product's values; every decision is the product's own.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.routing.rules.depletion import piece_prices, piece_risks
from app.routing.rules.insertion import Insertion, cheapest_insertion, greedy
from app.routing.rules.judge import faults
from app.routing.rules.moving import Elsewhere, Moved, left_after, move_sources
from app.routing.rules.plan import Plan
from app.routing.rules.problem import Courier, Job, Location, Problem, Visit
from app.routing.rules.sourcing import Ask, Candidate, Choice, choose_sources
from app.routing.rules.standing import adopted
from app.routing.solver.search import improve
from bench.dispatch.days import referee
from bench.dispatch.days.day import CARRIES, FITTING_S, HOUR, PARTS, PICKUP_S, REQUESTS, WAREHOUSES_M, Request
from bench.dispatch.days.referee import World

START = datetime(2026, 11, 23, tzinfo=UTC)
HORIZON_S = 36 * HOUR
WORTH_MINOR = (60_000, 30_000, 15_000)
"""What a miss is worth by priority: the product's default."""
LEAD_TIME_DAYS = 1
ROUNDS = 2
FIRST_SHARE = 0.5
"""Of a call's CPU seconds for the routes before lines move; what is left is for the rounds after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a plan may take: CPU seconds, or solutions where a test must give the same plan on any machine."""

    seconds: float = 0.2
    solutions: int | None = None


@dataclass
class Rolling:
    """Plans anew at every call from what stands; without seconds by greedy insertion alone. `depletion` is how far last
    pieces' prices count, as in the setting of the same name. `took_s` is what each call took, CPU seconds."""

    effort: Effort = Effort()
    depletion: float = 1.0
    took_s: list[float] = field(default_factory=list)
    _plan: Plan | None = None
    _told: dict[int, int] = field(default_factory=dict)

    def asked(self, world: World, request: Request) -> int | None:
        begun = time.process_time()
        try:
            place = self._source(world, request)
            if place is not None:
                world.hold(request, place)
                self._replan(world)
            return place
        finally:
            self.took_s.append(time.process_time() - begun)

    def turn(self, world: World, courier: int) -> referee.Visit | None:
        """The first stop of the plan that nobody has done yet."""
        if self._plan is None:
            return None
        for stop in self._plan.routes[courier].stops:
            number = int(stop.job)
            if number not in world.fitted and (stop.kind == "drop" or number not in world.fetched):
                return (stop.kind, number)
        return None

    def _source(self, world: World, request: Request) -> int | None:
        """As a promise chooses it: the cheapest insertion from each warehouse, weighed with the price of the piece."""
        problem = problem_of(world, self._told, also=[request])
        plan = adopted(self._plan, problem)
        found = []
        for place in world.holders(request.part):
            job = job_of(world, request, place, problem)
            way = cheapest_insertion(plan, problem, job)
            if isinstance(way, Insertion):
                found.append(self._candidate(world, request, place, way))
        ask = Ask(
            line=str(request.number), quantity=1, kind="local", due_s=request.due_s - world.now, tier=request.tier,
            candidates=tuple(found),
        )  # fmt: skip
        choice = choose_sources([ask])
        return int(choice.picks[0].candidate.place) if isinstance(choice, Choice) else None

    def _candidate(self, world: World, request: Request, place: int, way: Insertion) -> Candidate:
        risks, prices = self._prices(world, request.part, place)
        return Candidate(
            place=str(place), part=str(request.part), free=world.free[place, request.part], eta_s=way.finish_s, local=True,
            cost_minor=way.added_drive_s, piece_prices_minor=prices, piece_risks=risks,
        )  # fmt: skip

    def _prices(self, world: World, part: int, place: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Each shelf is kept at what it had in the morning, refilled over night; all parts are asked for alike."""
        base, free = dict(world.day.stock)[place, part], world.free[place, part]
        load = REQUESTS / PARTS / len(WAREHOUSES_M) * LEAD_TIME_DAYS
        risks = piece_risks(base, free, load, most=1)
        worth = sum(share * value for share, value in zip((0.1, 0.3, 0.6), WORTH_MINOR, strict=True))
        return risks, piece_prices(risks, round(worth * self.depletion))

    def _replan(self, world: World) -> None:
        """Routes, then sources, then routes again until nothing is gained, as the planning duty does."""
        problem = problem_of(world, self._told)
        plan = self._routed(problem, adopted(self._plan, problem), FIRST_SHARE)
        moved: dict[str, Moved] = {}
        for _ in range(ROUNDS):
            ways = left_after(self._elsewhere(world, problem), moved.values(), problem)
            problem, plan, gained = move_sources(problem, plan, ways)
            if not gained:
                break
            moved |= {one.job: one for one in gained}
            plan = self._routed(problem, plan, (1 - FIRST_SHARE) / ROUNDS)
        wrong = faults(plan, problem)
        if wrong:
            raise RuntimeError("; ".join(wrong))
        for one in moved.values():
            world.move(world.day.requests[int(one.job)], int(one.shelf.split("/")[0]))
        self._plan = plan
        self._told = {int(job): world.now + end for job, end in plan.finishes().items()}

    def _routed(self, problem: Problem, standing: Plan, share: float) -> Plan:
        if not self.effort.seconds:
            return greedy(problem, standing)
        return improve(problem, standing, limit_s=self.effort.seconds * share, solutions=self.effort.solutions)

    def _elsewhere(self, world: World, problem: Problem) -> dict[str, list[Elsewhere]]:
        rows = {one.code: at for at, one in enumerate(problem.locations)}
        found: dict[str, list[Elsewhere]] = {}
        for request in world.waiting():
            ways = []
            for place in world.holders(request.part):
                if place != world.source[request.number]:
                    price = sum(self._prices(world, request.part, place)[1]) * problem.prices.drive
                    free = world.free[place, request.part]
                    shelf = f"{place}/{request.part}"
                    ways.append(Elsewhere(shelf=shelf, pickup=rows[str(place)], ready_s=0, free=free, price=price))
            far = {rows[str(place)]: world.way(place, request.site) for place in range(len(WAREHOUSES_M))}
            found[str(request.number)] = sorted(ways, key=lambda one: far[one.pickup])
        return found


def problem_of(world: World, told: dict[int, int], also: Sequence[Request] = ()) -> Problem:
    """What is open now, with started stops first; `also` are further calls whose sites the travel times must know."""
    rows = [*range(len(WAREHOUSES_M)), *(one.site for one in (*world.open(), *also))]
    rows += [driver.at for driver in world.drivers]
    rows = list(dict.fromkeys(rows))
    locations = tuple(Location(str(row)) for row in rows)
    travel = tuple(tuple(world.day.travel[here][there] for there in rows) for here in rows)
    left: dict[int, int] = {}
    couriers = []
    for number, driver in enumerate(world.drivers):
        leg, first, available = driver.leg, None, 0
        if leg is not None:
            first = Visit(leg.visit[0], str(leg.visit[1]))
            if leg.begins_s <= world.now:
                left[leg.visit[1]] = leg.begins_s - world.now
            else:
                available = max(0, leg.arrives_s - world.now)
        couriers.append(
            Courier(
                code=str(number),
                start=rows.index(driver.at),
                available_s=available,
                end_s=HORIZON_S,
                pieces=CARRIES,
                carrying=tuple(map(str, driver.aboard)),
                first=first,
            )
        )
    jobs = []
    for request in world.open():
        jobs.append(_job(world, request, world.source[request.number], rows, told, left.get(request.number)))
    return Problem(
        region="day", start=START, horizon_s=HORIZON_S, couriers=tuple(couriers), jobs=tuple(jobs),
        locations=locations, travel=travel,
    )  # fmt: skip


def job_of(world: World, request: Request, place: int, problem: Problem) -> Job:
    """The call as if it came from this warehouse."""
    return _job(world, request, place, [int(one.code) for one in problem.locations], {}, None)


def _job(
    world: World, request: Request, place: int, rows: Sequence[int], told: dict[int, int], begun_s: int | None
) -> Job:
    """Of a service that has begun only the rest is left (`begun_s` is when it began, from now)."""
    fetched = request.number in world.fetched
    rest = 0 if begun_s is None else begun_s
    eta = told.get(request.number)
    return Job(
        id=str(request.number), tier=request.tier, pickup=rows.index(place), drop=rows.index(request.site),
        pickup_service_s=PICKUP_S + (0 if fetched else rest), drop_service_s=FITTING_S + (rest if fetched else 0),
        due_s=request.due_s - world.now, told_s=None if eta is None else eta - world.now,
    )  # fmt: skip
