"""A benchmark instance as the product's problem, and the product's plan in the file's own numbers."""

import math
from datetime import UTC, datetime
from typing import Any

from app.routing.rules.plan import Plan
from app.routing.rules.problem import Courier, Job, Location, Prices, Problem
from bench.routing.formats import Instance

START = datetime(2026, 1, 1, tzinfo=UTC)


def problem_of(instance: Instance) -> Problem:
    """Whole units of 1/scale; travel is rounded up and windows inward, so that a sound plan is sound in the file too."""
    unit = instance.scale
    count, scaled = instance.customers, [[_up(each * unit) for each in row] for row in instance.distance]
    jobs = []
    for at in range(count):
        opens, closes = instance.window[at]
        service = _up(instance.service[at] * unit)
        jobs.append(
            Job(
                id=str(instance.numbers[at]),
                tier=2,
                drop=at,
                drop_service_s=service,
                earliest_drop_s=_up(opens * unit),
                due_s=_down(closes * unit) + service,
                pieces=instance.demand[at],
                loaded=True,
                hard=True,
            )
        )
    couriers = []
    for number, van in enumerate(instance.vans, start=1):
        opens, closes = instance.window[van.depot]
        couriers.append(
            Courier(
                code=str(number),
                start=van.depot,
                home=van.depot,
                available_s=_up(opens * unit),
                latest_start_s=_down(closes * unit),
                end_s=_down(closes * unit),
                pieces=van.capacity,
                work_s=None if math.isinf(van.duration) else _down(van.duration * unit),
            )
        )
    return Problem(
        region=instance.name,
        start=START,
        horizon_s=max(_up(closes * unit) for _, closes in instance.window) + max(job.drop_service_s for job in jobs),
        couriers=tuple(couriers),
        jobs=tuple(jobs),
        locations=tuple(Location(str(number)) for number in instance.numbers),
        travel=tuple(tuple(row) for row in scaled),
        prices=Prices(drive=1, lead=0, calm=0),
    )


def _up(value: float) -> int:
    return math.ceil(value - 1e-7)


def _down(value: float) -> int:
    return math.floor(value + 1e-7)


def routes_of(instance: Instance, plan: Plan) -> list[dict[str, Any]]:
    """The used routes: vehicle and depot and customers, in the file's own numbers."""
    return [
        {
            "vehicle": number,
            "depot": instance.numbers[instance.vans[number - 1].depot],
            "customers": [int(stop.job) for stop in route.stops],
        }
        for number, route in enumerate(plan.routes, start=1)
        if route.stops
    ]
