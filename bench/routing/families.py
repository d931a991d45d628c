"""Further instances of the published families, from a seed, so that nobody tunes to a handful of files.

`python -m bench.routing.families FOLDER` writes them in the files' own formats.
"""

import argparse
import json
import math
import random
import sys
from pathlib import Path

from app.routing.rules.problem import to_json
from bench.routing.own import OWN, own

MDVRPTW = (
    # customers, depots, vans per depot, windows from-to, longest duration, capacity
    (48, 4, 2, (90, 180), 500, 200),
    (96, 4, 4, (180, 360), 480, 195),
    (144, 4, 6, (90, 180), 480, 190),
    (216, 6, 6, (180, 360), 450, 180),
    (288, 6, 8, (90, 180), 440, 175),
)
SOLOMON = ("R1", "RC1", "C1", "R2", "RC2")


def main() -> int:
    """Write every instance; the seeds are fixed, the files are the same everywhere."""
    parser = argparse.ArgumentParser(prog="python -m bench.routing.families", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for seed, shape in enumerate(MDVRPTW, start=1):
        (folder / f"md{shape[0]}.txt").write_text(mdvrptw(seed, *shape))
    for seed, kind in enumerate(SOLOMON, start=1):
        (folder / f"{kind.lower()}.txt").write_text(solomon(seed, kind))
    for seed in OWN:
        (folder / f"own{seed}.json").write_text(json.dumps(to_json(own(seed))))
    return 0


def mdvrptw(seed: int, count: int, depots: int, vans: int, width: tuple[int, int], duration: int, capacity: int) -> str:
    """Like Cordeau, Laporte and Mercier: depots in the middle, customers denser around hidden centers, one day of
    1,000 units with narrow or wide windows."""
    rng = random.Random(seed)
    sites = [(rng.uniform(-50, 50), rng.uniform(-50, 50)) for _ in range(depots)]
    centers = [(rng.uniform(-80, 80), rng.uniform(-80, 80)) for _ in range(max(3, count // 24))]
    points: list[tuple[float, float]] = []
    while len(points) < count:
        point = (rng.uniform(-100, 100), rng.uniform(-100, 100))
        if rng.random() < sum(math.exp(-0.07 * math.dist(point, center)) for center in centers):
            points.append(point)
    lines = [f"6 {vans * depots} {count} {depots}", *[f"{duration} {capacity}"] * depots]
    for number, (x, y) in enumerate(points, start=1):
        length, opens = rng.randint(*width), rng.randint(60, 480)
        service, demand = rng.randint(1, 25), rng.randint(1, 25)
        lines.append(f"{number} {x:.3f} {y:.3f} {service} {demand} 1 1 1 {opens} {opens + length}")
    lines += [f"{number} {x:.3f} {y:.3f} 0 0 0 0 0 1000" for number, (x, y) in enumerate(sites, start=count + 1)]
    return "\n".join(lines) + "\n"


def solomon(seed: int, kind: str, count: int = 100) -> str:
    """Like Solomon: R at random, C in clusters, RC half and half; 1 a short day and small vans, 2 a long day."""
    rng = random.Random(seed)
    long = kind.endswith("2")
    horizon, capacity = (1000, 1000) if long else (230, 200)
    centers = [(rng.uniform(5, 75), rng.uniform(5, 75)) for _ in range(8)]
    lines = ["VEHICLE", "NUMBER CAPACITY", f"25 {capacity}", "", "CUSTOMER"]
    lines += ["CUST NO. XCOORD. YCOORD. DEMAND READY TIME DUE DATE SERVICE TIME", "", f"0 40 40 0 0 {horizon} 0"]
    for number in range(1, count + 1):
        if kind.startswith("C") or (kind.startswith("RC") and number % 2):
            center = rng.choice(centers)
            x, y = round(center[0] + rng.gauss(0, 4)), round(center[1] + rng.gauss(0, 4))
        else:
            x, y = round(rng.uniform(0, 75)), round(rng.uniform(0, 75))
        way = math.dist((x, y), (40, 40))
        first, last = math.ceil(way), int(horizon - way - 11)
        middle, width = rng.randint(first, last), rng.choice((120, 240, 480) if long else (30, 60, 90, 120))
        narrow = rng.random() < 0.75
        opens = max(first, middle - width // 2) if narrow else 0
        closes = min(last, middle + width // 2) if narrow else last
        lines.append(f"{number} {x} {y} {rng.randint(5, 35)} {opens} {closes} 10")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
