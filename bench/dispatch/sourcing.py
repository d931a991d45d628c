"""Many lines that compete for scattered, scarce stock: how long dividing it takes to proof."""

import random
import time

from app.routing.rules.sourcing import Ask, Candidate
from app.routing.solver.coupled import Division, divide_orders
from app.routing.solver.flow import assign, assign_lines, columns_of, nearest
from app.routing.solver.orders import PRICE, Prices

SIZES = ((200, 10), (200, 50), (1_000, 50), (1_000, 200), (5_000, 50))
ORDERS = ((60, 10), (200, 10), (1_000, 50))
MOST = 1_000
TRIPS = Prices(trip_minor=4_000, substitute_minor=2_000)
PARTS = 30
SHORT = 0.9
"""Pieces in stock for each piece asked for."""


def asks_of(lines: int, places: int, *, seed: int, together: int = 1) -> list[Ask]:
    """Lines over a square of 60 km, each of which any place with the part, or its substitute, may serve; so many
    `together` are of one order: one site, one urgency."""
    rng = random.Random(seed)
    points = {f"P{at}": (rng.random() * 60, rng.random() * 60) for at in range(places)}
    free: dict[tuple[str, int], int] = {}
    for _ in range(round(lines * SHORT)):
        shelf = (rng.choice(list(points)), rng.randrange(PARTS))
        free[shelf] = free.get(shelf, 0) + 1
    by_part: dict[int, list[tuple[str, int]]] = {}
    for (place, part), pieces in sorted(free.items()):
        by_part.setdefault(part, []).append((place, pieces))
    found = []
    for number in range(lines):
        part = rng.randrange(PARTS)
        if number % together == 0:
            x, y, tier = rng.random() * 60, rng.random() * 60, rng.choice((0, 1, 1, 2, 2, 2))
        candidates = []
        for offered, swap in ((part, False), ((part + 1) % PARTS, True)):
            for place, pieces in by_part.get(offered, ()):
                px, py = points[place]
                drive_s = round((abs(px - x) + abs(py - y)) * 90)
                candidates.append(
                    Candidate(
                        place=place,
                        part=f"part{offered}",
                        free=pieces,
                        eta_s=1_800 + drive_s,
                        substitute=swap,
                        local=True,
                        cost_minor=drive_s,
                        piece_prices_minor=tuple(900 * (at + 1) for at in range(pieces)),
                    )
                )
        found.append(
            Ask(
                line=str(number),
                quantity=1,
                kind="local",
                due_s=7_200,
                tier=tier,
                candidates=tuple(candidates),
            )
        )
    return found


def measured(lines: int, places: int, *, seed: int, repeat: int) -> dict[str, object]:
    """CPU milliseconds: making columns of objects once, and dividing, to proof, as median and 95th percentile. Beyond a
    thousand lines each has its six nearest ways, whose choosing is part of the time."""
    asks = asks_of(lines, places, seed=seed)
    assign_lines(asks[:1])  # reads the kernels
    begun = time.process_time()
    columns, _ = columns_of(asks)
    made = time.process_time() - begun
    took = []
    for _ in range(repeat):
        begun = time.process_time()
        few = nearest(columns) if lines > MOST else columns
        found = assign(few)
        took.append((time.process_time() - begun) * 1000)
    took.sort()
    return {
        "lines": lines,
        "places": places,
        "ways": len(few.line),
        "served": int((found >= 0).sum()),
        "columns_ms": round(made * 1000, 1),
        "p50_ms": round(took[len(took) // 2], 1),
        "p95_ms": round(took[min(len(took) - 1, int(len(took) * 0.95))], 1),
    }


def ordered(lines: int, places: int, *, seed: int, limit_s: float) -> dict[str, object]:
    """Orders of three lines that need all of them, where each place costs a trip: CPU seconds, and how far the cost is
    from its bound."""
    asks = asks_of(lines, places, seed=seed, together=3)
    orders = [tuple(asks[at : at + 3]) for at in range(0, lines, 3)]
    begun = time.process_time()
    found = divide_orders(orders, limit_s=limit_s, prices=TRIPS, most=6 if places > 10 else None)
    used = time.process_time() - begun
    greedy = divide_orders(orders, limit_s=0.0, prices=TRIPS, most=6 if places > 10 else None)
    return {
        "lines": lines,
        "places": places,
        "seed": seed,
        "cpu_s": round(used, 2),
        "optimal": found.optimal,
        "missed": found.value[:3],
        "missed_one_by_one": greedy.value[:3],
        "cost": found.value[PRICE],
        "proven_levels": found.proven,
        "gap_percent": 0.0 if found.optimal else _gap(found),
    }


def _gap(found: Division) -> float:
    """Of the first level that is not proven."""
    reached = found.value[found.proven]
    return round(100 * (reached - found.bound) / max(1, reached), 2)
