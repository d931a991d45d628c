"""`python -m bench.dispatch sourcing`: prints one JSON line a size, with the machine's load beside it."""

import argparse
import json
import os

from bench.dispatch.sourcing import SIZES, measured


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.dispatch", description=__doc__)
    parser.add_argument("what", choices=["sourcing"])
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for lines, places in SIZES:
        found = measured(lines, places, seed=asked.seed, repeat=asked.repeat)
        print(json.dumps({**found, "load": round(os.getloadavg()[0], 2)}), flush=True)


main()
