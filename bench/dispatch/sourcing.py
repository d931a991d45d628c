"""Many single lines that compete for scattered, scarce stock: how long the flow takes to proof."""

import random
import time

from app.routing.rules.sourcing import Ask, Candidate
from app.routing.solver.flow import assign_lines

SIZES = ((200, 10), (200, 50), (1_000, 50), (1_000, 200), (5_000, 50))
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
    """Milliseconds on this machine, building and solving: median and 95th percentile."""
    asks = asks_of(lines, places, seed=seed)
    took = []
    for _ in range(repeat):
        begun = time.perf_counter()
        found = assign_lines(asks)
        took.append((time.perf_counter() - begun) * 1000)
    took.sort()
    return {
        "lines": lines,
        "places": places,
        "arcs": sum(len(ask.candidates) for ask in asks),
        "served": len(found.picks),
        "p50_ms": round(took[len(took) // 2], 1),
        "p95_ms": round(took[min(len(took) - 1, int(len(took) * 0.95))], 1),
    }
