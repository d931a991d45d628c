"""Random problems of the general form: depots, finite shelves, alternatives, hard windows, bounded and late routes."""

import random
from typing import Any

from app.routing.rules.problem import Courier, Job, Location, Prices, Problem, Visit
from tests.rules.routing_problems import HOUR, START


def roads(rng: random.Random, size: int, lopsided: int = 60) -> tuple[tuple[int, ...], ...]:
    """Seconds between random points of a region, longer one way than the other."""
    points = [(rng.randrange(20_000), rng.randrange(20_000)) for _ in range(size)]
    return tuple(
        tuple(
            0 if a == b else round(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5 / 10) + rng.randrange(lopsided + 1)
            for b in points
        )
        for a in points
    )


def classic(seed: int, jobs: int = 12, couriers: int = 4, **other: Any) -> Problem:
    """Single visits from two depots: what comes along from the start, windows, bounded routes that leave when it suits."""
    rng = random.Random(seed)
    asked = []
    for index in range(jobs):
        opens = rng.randrange(3 * HOUR)
        skills = ("fiber",) if rng.random() < 0.15 else ()
        asked.append(
            Job(
                id=f"J{index}", tier=rng.choice((1, 2, 2)), drop=2 + index, drop_service_s=rng.choice((300, 900)),
                earliest_drop_s=opens, due_s=opens + rng.choice((1, 2, 4)) * HOUR, pieces=rng.randrange(1, 5),
                loaded=rng.random() < 0.9, hard=True, skills=skills,
                drop_open=((0, 7 * HOUR),) if rng.random() < 0.2 else (),
            )
        )  # fmt: skip
    fleet = tuple(
        Courier(
            code=f"C{index}", start=index % 2, home=rng.choice((index % 2, index % 2, None)), available_s=0,
            latest_start_s=rng.choice((None, 6 * HOUR)), end_s=8 * HOUR, pieces=rng.randrange(8, 16),
            work_s=rng.choice((None, 3 * HOUR, 4 * HOUR)), length=rng.choice((None, 9_000)),
            skills=("fiber",) if index % 2 else (),
        )
        for index in range(couriers)
    )  # fmt: skip
    size = 2 + jobs
    facts: dict[str, Any] = {
        "region": "G", "start": START, "horizon_s": 9 * HOUR, "couriers": fleet, "jobs": tuple(asked),
        "locations": tuple(Location(str(at)) for at in range(size)), "travel": roads(rng, size),
        "prices": Prices(drive=1, lead=0, calm=0),
    }  # fmt: skip
    return Problem(**{**facts, **other})


def shelves(seed: int, lines: int = 5, couriers: int = 3) -> Problem:
    """Lines that three shelves could give, with too few pieces; couriers under way, with work and way bounded."""
    rng = random.Random(seed)
    size = 3 + lines + couriers
    jobs: list[Job] = []
    for index in range(lines):
        common: dict[str, Any] = {
            "tier": rng.choice((0, 1, 2)), "drop": 3 + index, "drop_service_s": 900, "due_s": rng.choice((1, 2, 3)) * HOUR,
            "hard": rng.random() < 0.3, "line": f"L{index}", "pieces": rng.choice((1, 2)),
        }  # fmt: skip
        jobs += [
            Job(id=f"L{index}@{place}", pickup=place, pickup_service_s=240, shelf=f"S{place}", **common)
            for place in sorted(rng.sample(range(3), rng.choice((1, 2, 3))))
        ]
    aboard = Job(id="aboard", tier=1, pickup=0, drop=3, drop_service_s=600, due_s=HOUR)
    fleet = [
        Courier(
            code=f"C{index}", start=3 + lines + index, available_s=rng.choice((0, 600)), end_s=6 * HOUR,
            home=rng.choice((None, 0)), work_s=rng.choice((None, 4 * HOUR)), length=rng.choice((None, 12_000)),
            pieces=4, carrying=("aboard",) if index == 0 else (),
            first=Visit("drop", "aboard") if index == 0 and rng.random() < 0.5 else None,
        )
        for index in range(couriers)
    ]  # fmt: skip
    return Problem(
        region="G", start=START, horizon_s=9 * HOUR, couriers=tuple(fleet), jobs=(*jobs, aboard),
        locations=tuple(Location(str(at)) for at in range(size)), travel=roads(rng, size), lengths=roads(rng, size, 0),
        stock=tuple((f"S{place}", rng.randrange(4)) for place in range(3)), prices=Prices(length=1),
    )  # fmt: skip
