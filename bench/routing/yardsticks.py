"""PyVRP and VROOM on the same instances at the same CPU seconds, in an environment of their own (`make yardsticks`).

`.yardsticks/bin/python -m bench.routing.yardsticks pyvrp FILE... --seconds 5 --seed 1` prints the same lines.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from bench.routing.best import KNOWN
from bench.routing.checking import cost_of, wrong
from bench.routing.formats import Instance, read

FAR = 10**12


def main() -> int:
    """Prints a line for each file; what a yardstick cannot hold stands in its `faults`."""
    parser = argparse.ArgumentParser(prog="python -m bench.routing.yardsticks", description=__doc__)
    parser.add_argument("solver", choices=sorted(SOLVERS))
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for file in given.files:
        instance = read(file.read_text(), file.stem)
        began = time.process_time()
        routes = SOLVERS[given.solver](instance, given.seconds, given.seed)
        used = time.process_time() - began
        cost, best = cost_of(instance, routes), KNOWN.get(instance.digest)
        line = {
            "instance": instance.name,
            "solver": given.solver,
            "cost": round(cost, 3),
            "gap_percent": None if best is None else round(100 * (cost / best - 1), 3),
            "cpu_seconds": round(used, 2),
            "routes": routes,
            "faults": wrong(instance, routes),
        }
        print(json.dumps(line), flush=True)
    return 0


def _pyvrp(instance: Instance, seconds: float, seed: int) -> list[dict[str, Any]]:
    import pyvrp

    began, unit, count = time.process_time(), instance.scale, instance.customers
    model = pyvrp.Model()
    places = [model.add_location(0, 0) for _ in instance.numbers]
    depots = {
        place: model.add_depot(places[place], *(_whole(each, unit) for each in instance.window[place]))
        for place in range(count, len(places))
    }
    for at in range(count):
        opens, closes = (_whole(each, unit) for each in instance.window[at])
        service = _whole(instance.service[at], unit)
        model.add_client(
            places[at], delivery=[instance.demand[at]], service_duration=service, tw_early=opens, tw_late=closes
        )
    for place, depot in depots.items():
        vans = [van for van in instance.vans if van.depot == place]
        for duration in sorted({van.duration for van in vans}):
            alike = [van for van in vans if van.duration == duration]
            limit = {} if math.isinf(duration) else {"shift_duration": _whole(duration, unit)}
            model.add_vehicle_type(
                len(alike), [alike[0].capacity], depot, depot,
                tw_early=_whole(instance.window[place][0], unit), tw_late=_whole(instance.window[place][1], unit), **limit,
            )  # fmt: skip
    for here, row in enumerate(instance.distance):
        for there, each in enumerate(row):
            leg = math.ceil(each * unit - 1e-7)
            model.add_edge(places[here], places[there], leg, leg)

    def over(*_: Any) -> bool:
        return time.process_time() - began >= seconds

    found = model.solve(over, seed=seed, display=False)
    return _routes_of_pyvrp(instance, model, found)


def _routes_of_pyvrp(instance: Instance, model: Any, found: Any) -> list[dict[str, Any]]:
    free: dict[int, list[int]] = {}
    for number, van in enumerate(instance.vans, start=1):
        free.setdefault(van.depot, []).append(number)
    routes = []
    for route in found.best.routes():
        depot = instance.customers + route.start_depot()
        visits = [instance.numbers[visit.idx] for visit in route.schedule() if visit.is_client()]
        routes.append({"vehicle": free[depot].pop(0), "depot": instance.numbers[depot], "customers": visits})
    return routes


def _vroom(instance: Instance, seconds: float, seed: int) -> list[dict[str, Any]]:
    """VROOM knows no limit of a route's duration but for what its vehicle's window gives; it takes no seed."""
    import numpy as np
    import vroom

    unit = instance.scale
    task = vroom.Input()
    legs = np.ceil(np.array(instance.distance) * unit - 1e-7).astype(np.uint32)
    task.set_durations_matrix("car", legs)
    for number, van in enumerate(instance.vans, start=1):
        window = [_whole(each, unit) for each in instance.window[van.depot]]
        task.add_vehicle(
            vroom.Vehicle(number, start=van.depot, end=van.depot, capacity=[van.capacity], time_window=window)
        )
    for at in range(instance.customers):
        window = [_whole(each, unit) for each in instance.window[at]]
        service = _whole(instance.service[at], unit)
        task.add_job(
            vroom.Job(at, location=at, default_service=service, delivery=[instance.demand[at]], time_windows=[window])
        )
    from datetime import timedelta

    solution = task.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=seconds))
    routes: dict[int, list[int]] = {}
    for step in solution.routes.to_dict("records"):
        if step["type"] == "job":
            routes.setdefault(int(step["vehicle_id"]), []).append(instance.numbers[int(step["id"])])
    return [
        {"vehicle": number, "depot": instance.numbers[instance.vans[number - 1].depot], "customers": visits}
        for number, visits in sorted(routes.items())
    ]


def _whole(value: float, unit: int) -> int:
    return min(FAR, round(value * unit))


SOLVERS = {"pyvrp": _pyvrp, "vroom": _vroom}

if __name__ == "__main__":
    sys.exit(main())
