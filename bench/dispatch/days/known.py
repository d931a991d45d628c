"""The yardstick: one plan by the product's engine that knows the whole day in advance, carried out stop by stop."""

from dataclasses import dataclass, field

from app.routing.rules.judge import faults
from app.routing.rules.plan import Plan
from app.routing.rules.problem import Courier, Job, Location, Problem
from app.routing.solver.search import improve
from bench.dispatch.days.day import CARRIES, FITTING_S, PICKUP_S, WAREHOUSES_M, Day, Request
from bench.dispatch.days.referee import Visit, World, promised
from bench.dispatch.days.rolling import HORIZON_S, START, Effort


@dataclass
class Known:
    """Sources and routes of all promises of the day at once; a part can be fetched from the moment of its call."""

    day: Day
    couriers: int
    effort: Effort
    plan: Plan = field(init=False)
    _todo: list[list[Visit]] = field(init=False)
    _places: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        problem = whole_day(self.day, self.couriers)
        self.plan = improve(problem, None, limit_s=self.effort.seconds, solutions=self.effort.solutions)
        wrong = faults(self.plan, problem)
        if wrong or self.plan.unserved:
            raise RuntimeError("; ".join(wrong) or f"not served: {self.plan.unserved}")
        stops = [[(stop.kind, *map(int, stop.job.split("@"))) for stop in route.stops] for route in self.plan.routes]
        self._todo = [[(kind, number) for kind, number, _ in route] for route in stops]
        self._places = {number: place for route in stops for _, number, place in route}

    def asked(self, world: World, request: Request) -> int | None:
        world.ahead = self._places
        return self._places.get(request.number)

    def turn(self, world: World, courier: int) -> Visit | None:
        world.ahead = self._places
        return self._todo[courier].pop(0) if self._todo[courier] else None


def whole_day(day: Day, couriers: int) -> Problem:
    """The day as one problem: of each promise a job for each warehouse that has its part in the morning."""
    stock = dict(day.stock)
    jobs = [
        Job(
            id=f"{one.number}@{place}", line=str(one.number), shelf=f"{place}/{one.part}", tier=one.tier, pickup=place,
            ready_s=one.at_s, pickup_service_s=PICKUP_S, drop=one.site, drop_service_s=FITTING_S, due_s=one.due_s,
        )
        for one in promised(day)
        for place in range(len(WAREHOUSES_M))
        if (place, one.part) in stock
    ]  # fmt: skip
    return Problem(
        region="day", start=START, horizon_s=HORIZON_S, jobs=tuple(jobs), travel=day.travel,
        couriers=tuple(
            Courier(code=str(at), start=at % len(WAREHOUSES_M), available_s=0, end_s=HORIZON_S, pieces=CARRIES)
            for at in range(couriers)
        ),
        locations=tuple(Location(str(row)) for row in range(len(day.travel))),
        stock=tuple((f"{place}/{part}", pieces) for (place, part), pieces in day.stock),
    )  # fmt: skip
