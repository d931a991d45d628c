"""`python -m bench.dispatch WHAT`: prints JSON lines, with the machine's load beside them."""

import argparse
import json
import os
from typing import Any

from bench.dispatch import replan
from bench.dispatch.days import command as days
from bench.dispatch.sourcing import ORDERS, SIZES, measured, ordered


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.dispatch", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    sourcing = what.add_parser("sourcing", help="many single lines at once")
    sourcing.add_argument("--repeat", type=int, default=20)
    sourcing.add_argument("--seed", type=int, default=1)
    orders = what.add_parser("orders", help="orders that need all of their lines")
    orders.add_argument("--seconds", type=float, default=1.5, help="CPU seconds for each")
    events = what.add_parser("replan", help="from an event to the plan in force")
    events.add_argument("--stops", type=int, default=60)
    events.add_argument("--events", type=int, default=100)
    events.add_argument("--seed", type=int, default=1)
    days.add_options(what.add_parser("days", help="promises kept on frozen days"))
    asked = parser.parse_args()
    if asked.what == "days":
        days.main(asked)
    elif asked.what == "replan":
        replan.measure(asked.stops, asked.events, asked.seed)
    elif asked.what == "orders":
        for lines, places in ORDERS:
            for seed in (1, 2, 3):
                told(ordered(lines, places, seed=seed, limit_s=asked.seconds))
    else:
        for lines, places in SIZES:
            told(measured(lines, places, seed=asked.seed, repeat=asked.repeat))


def told(found: dict[str, Any]) -> None:
    print(json.dumps({**found, "load": round(os.getloadavg()[0], 2)}), flush=True)


if __name__ == "__main__":
    main()
