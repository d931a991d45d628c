"""A day of requests, made from its seed alone in whole numbers: who asks when for what, where parts lie, how long ways are."""

import hashlib
import json
from dataclasses import asdict, dataclass
from math import isqrt
from random import Random

SEEDS = tuple(range(1, 21))
MINUTE, HOUR = 60, 3600
LASTS_S, PROMISE_S, PICKUP_S, FITTING_S = 9 * HOUR, 2 * HOUR, 4 * MINUTE, 20 * MINUTE
CARRIES = 4
REQUESTS, PARTS, CLUSTERS = 120, 30, 6
RUSHES = ((1 * HOUR, 2 * HOUR), (5 * HOUR, 6 * HOUR))
SIDE_M = 28_000
WAREHOUSES_M = ((9_000, 9_000), (20_000, 8_000), (8_000, 20_000), (21_000, 20_000))
PIECES = (2, 3, 4, 5, 5, 6, 7, 8, 8, 9)
"""Of a part in all four warehouses, drawn alike: about a tenth of the requests find none anywhere."""
SECONDS_PER_KM = 150
TIERS = (0,) * 1 + (1,) * 3 + (2,) * 6
TIER_NAMES = ("emergency", "severe", "general")


@dataclass(frozen=True, slots=True)
class Request:
    """One call for one piece of a part, to be fitted at `site` (a row of the travel times) two hours later at most."""

    number: int
    at_s: int
    tier: int
    part: int
    site: int

    @property
    def due_s(self) -> int:
        return self.at_s + PROMISE_S


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that is settled whoever dispatches. Places 0 to 3 are the warehouses, then a site for each request.

    `stock` is how many pieces lie at a (warehouse, part); nothing is replenished before the night.
    """

    seed: int
    requests: tuple[Request, ...]
    stock: tuple[tuple[tuple[int, int], int], ...]
    travel: tuple[tuple[int, ...], ...]

    def digest(self) -> str:
        """Names the day: equal digests are equal days."""
        return hashlib.sha256(json.dumps(asdict(self), separators=(",", ":")).encode()).hexdigest()[:12]


def day_of(seed: int, requests: int = REQUESTS) -> Day:
    """The day of a seed; the same on any machine, since only whole numbers are drawn."""
    rng = Random(seed)
    centers = [(rng.randrange(SIDE_M), rng.randrange(SIDE_M)) for _ in range(CLUSTERS)]
    asked = []
    points = list(WAREHOUSES_M)
    for number, at_s in enumerate(sorted(_time(rng) for _ in range(requests))):
        points.append(_site(rng, centers))
        asked.append(Request(number, at_s, rng.choice(TIERS), rng.randrange(PARTS), len(points) - 1))
    return Day(seed, tuple(asked), _stock(rng, requests), _travel(rng, points))


def _time(rng: Random) -> int:
    """Half of the calls at any time of the day, a quarter in each of the two rush hours."""
    turn = rng.randrange(4)
    begins, ends = (*RUSHES, (0, LASTS_S), (0, LASTS_S))[turn]
    return rng.randrange(begins, ends)


def _site(rng: Random, centers: list[tuple[int, int]]) -> tuple[int, int]:
    """Near one of the day's centers; one in six anywhere."""
    if rng.randrange(6) == 0:
        return rng.randrange(SIDE_M), rng.randrange(SIDE_M)
    x, y = rng.choice(centers)
    spread = [sum(rng.randrange(-2_000, 2_001) for _ in range(3)) for _ in range(2)]
    return x + spread[0], y + spread[1]


def _stock(rng: Random, requests: int) -> tuple[tuple[tuple[int, int], int], ...]:
    """Uneven: of each part so many pieces in all, half of them in one warehouse, the others in any of the four."""
    found: dict[tuple[int, int], int] = {}
    for part in range(PARTS):
        main = rng.randrange(len(WAREHOUSES_M))
        pieces = max(1, rng.choice(PIECES) * requests // REQUESTS)
        for _ in range(pieces):
            place = main if rng.randrange(5) < 2 else rng.randrange(len(WAREHOUSES_M))
            found[place, part] = found.get((place, part), 0) + 1
    return tuple(sorted(found.items()))


def _travel(rng: Random, points: list[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Seconds over roads at some 31 km/h, each direction up to a tenth slower: asymmetric."""
    return tuple(tuple(_seconds(here, there) * (100 + rng.randrange(11)) // 100 for there in points) for here in points)


def _seconds(here: tuple[int, int], there: tuple[int, int]) -> int:
    """Five quarters of the straight line."""
    way_m = isqrt((here[0] - there[0]) ** 2 + (here[1] - there[1]) ** 2) * 5 // 4
    return way_m * SECONDS_PER_KM * 4 // 5 // 1000
