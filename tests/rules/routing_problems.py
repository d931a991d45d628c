"""Small planning problems for the routing tests: a fixed cast by hand, and random ones from a seed."""

import random
from datetime import UTC, datetime
from typing import Any

from app.routing.rules.problem import Courier, Job, Location, Problem, Visit

START = datetime(2026, 11, 22, 2, tzinfo=UTC)
WAREHOUSE, BRANCH, NORTH, SOUTH, EAST = range(5)
HOUR = 3600


def line(positions: list[int], metres_a_second: int = 10) -> tuple[tuple[int, ...], ...]:
    """Travel seconds between points on one road."""
    return tuple(tuple(abs(here - there) // metres_a_second for there in positions) for here in positions)


def town(jobs: list[Job], couriers: list[Courier], **other: Any) -> Problem:
    """Five places on one road: warehouse at 0 km, branch at 6, and sites at 3, 9 and 12 km; 10 m/s."""
    names = ("warehouse", "branch", "north", "south", "east")
    facts: dict[str, Any] = {
        "region": "R",
        "start": START,
        "horizon_s": 9 * HOUR,
        "couriers": tuple(couriers),
        "jobs": tuple(jobs),
        "locations": tuple(Location(name) for name in names),
        "travel": line([0, 6_000, 3_000, 9_000, 12_000]),
    }
    return Problem(**{**facts, **other})


def job(name: str, drop: int = NORTH, **other: Any) -> Job:
    """A general job from the warehouse: 4 min to fetch, 20 min to fit, due in 2 h."""
    facts: dict[str, Any] = {
        "id": name,
        "tier": 2,
        "pickup": WAREHOUSE,
        "pickup_service_s": 240,
        "drop": drop,
        "drop_service_s": 1200,
        "due_s": 2 * HOUR,
    }
    return Job(**{**facts, **other})


def courier(code: str, start: int = WAREHOUSE, **other: Any) -> Courier:
    """A courier who is free now, for nine hours, with room for four pieces."""
    facts: dict[str, Any] = {"code": code, "start": start, "available_s": 0, "end_s": 9 * HOUR, "pieces": 4}
    return Courier(**{**facts, **other})


def random_problem(seed: int, jobs: int, couriers: int, *, width_m: int = 20_000) -> Problem:
    """Everything at once: tiers, skills, pins, appointments, open spans, carried and started jobs, lopsided roads."""
    rng = random.Random(seed)
    size = 3 + jobs + couriers
    points = [(rng.randrange(width_m), rng.randrange(width_m)) for _ in range(size)]
    travel = tuple(
        tuple(
            0 if a == b else round(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5 / 8) + rng.randrange(60)
            for b in points
        )
        for a in points
    )
    asked = [_random_job(rng, index, 3 + index, couriers) for index in range(jobs)]
    fleet = []
    for index in range(couriers):
        mine = [each for each in asked if each.pinned_courier == f"C{index}" and each.pickup is not None]
        carrying = tuple(each.id for each in mine[:1])
        first = None
        if len(mine) > 1 and rng.random() < 0.5:
            first = Visit("pickup", mine[1].id)
        elif carrying and rng.random() < 0.5:
            first = Visit("drop", carrying[0])
        fleet.append(
            Courier(
                code=f"C{index}",
                start=3 + jobs + index,
                available_s=rng.choice((0, 0, 900)),
                end_s=rng.choice((4, 6, 9)) * HOUR,
                pieces=rng.choice((2, 3, 5)),
                grams=10_000,
                skills=("fiber",) if index % 2 == 0 else (),
                carrying=carrying,
                first=first,
                home=rng.choice((None, None, 0)),
            )
        )
    places = tuple(Location(str(index)) for index in range(size))
    return Problem(
        region="R",
        start=START,
        horizon_s=9 * HOUR,
        couriers=tuple(fleet),
        jobs=tuple(asked),
        locations=places,
        travel=travel,
    )


def _random_job(rng: random.Random, index: int, drop: int, couriers: int) -> Job:
    due = rng.choice((1, 2, 2, 4, 8)) * HOUR
    opens = rng.randrange(0, 2 * HOUR)
    return Job(
        id=f"J{index}",
        tier=rng.choice((0, 1, 2, 2)),
        pickup=None if rng.random() < 0.1 else rng.randrange(3),
        drop=drop,
        pickup_service_s=240,
        drop_service_s=rng.choice((600, 1200)),
        ready_s=rng.randrange(HOUR),
        due_s=due,
        pieces=rng.choice((1, 1, 2)),
        grams=rng.randrange(6_000),
        skills=("fiber",) if rng.random() < 0.2 else (),
        pinned_courier=f"C{rng.randrange(couriers)}" if rng.random() < 0.25 else None,
        earliest_drop_s=rng.choice((0, 0, 0, HOUR)),
        told_s=rng.choice((None, due)),
        drop_open=((opens, opens + 2 * HOUR), (5 * HOUR, 8 * HOUR)) if rng.random() < 0.2 else (),
    )
