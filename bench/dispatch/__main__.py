"""`python -m bench.dispatch sourcing|orders`: prints one JSON line a size, with the machine's load beside it."""

import argparse
import json
import os

from bench.dispatch.sourcing import ORDERS, SIZES, measured, ordered


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.dispatch", description=__doc__)
    parser.add_argument("what", choices=["sourcing", "orders"])
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.5, help="orders: CPU seconds for each")
    asked = parser.parse_args()
    if asked.what == "orders":
        for lines, places in ORDERS:
            for seed in (1, 2, 3):
                found = ordered(lines, places, seed=seed, limit_s=asked.seconds)
                print(json.dumps({**found, "load": round(os.getloadavg()[0], 2)}), flush=True)
        return
    for lines, places in SIZES:
        found = measured(lines, places, seed=asked.seed, repeat=asked.repeat)
        print(json.dumps({**found, "load": round(os.getloadavg()[0], 2)}), flush=True)


main()
