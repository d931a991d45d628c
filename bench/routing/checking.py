"""Routes judged in the file's own numbers and full precision, apart from everything the product does. Standard library."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from bench.routing.formats import Instance

CLOSE = 1e-3


def cost_of(instance: Instance, routes: Sequence[Mapping[str, Any]]) -> float:
    """Distance driven."""
    at = {number: index for index, number in enumerate(instance.numbers)}
    total = 0.0
    for route in routes:
        places = [at[route["depot"]], *(at[number] for number in route["customers"]), at[route["depot"]]]
        total += sum(instance.distance[here][there] for here, there in pairwise(places))
    return total


def wrong(instance: Instance, routes: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the routes; windows and durations to 0.001."""
    done = Counter(number for route in routes for number in route["customers"])
    asked = set(instance.numbers[: instance.customers])
    found = [f"customer {number} is served {done[number]} times" for number in sorted(asked) if done[number] != 1]
    found += [f"customer {number} is unknown" for number in sorted(set(done) - asked)]
    found += [
        f"vehicle {name} drives twice" for name, times in Counter(r["vehicle"] for r in routes).items() if times > 1
    ]
    if found:
        return found
    return [fault for route in routes for fault in _route(instance, route)]


def _route(instance: Instance, route: Mapping[str, Any]) -> Iterator[str]:
    name, at = route["vehicle"], {number: index for index, number in enumerate(instance.numbers)}
    van = instance.vans[name - 1]
    if at[route["depot"]] != van.depot:
        yield f"vehicle {name} is not at depot {route['depot']}"
        return
    stops = [at[number] for number in route["customers"]]
    load = sum(instance.demand[stop] for stop in stops)
    if load > van.capacity:
        yield f"vehicle {name} carries {load}, it holds {van.capacity}"
    opens, closes = instance.window[van.depot]
    end, late = _driven(instance, van.depot, stops, opens)
    if late is not None:
        yield f"vehicle {name} is late at {instance.numbers[late]}"
    if end > closes + CLOSE:
        yield f"vehicle {name} is back at {end:.3f}, after {closes}"
    if not math.isinf(van.duration) and _shortest(instance, van.depot, stops) > van.duration + CLOSE:
        yield f"vehicle {name} is under way longer than {van.duration}"


def _driven(instance: Instance, depot: int, stops: Sequence[int], start: float) -> tuple[float, int | None]:
    """When a route that leaves at `start` ends, and the first place it reaches too late."""
    now, here, late = start, depot, None
    for stop in stops:
        now = max(now + instance.distance[here][stop], instance.window[stop][0])
        if late is None and now > instance.window[stop][1] + CLOSE:
            late = stop
        now, here = now + instance.service[stop], stop
    return now + instance.distance[here][depot], late


def _shortest(instance: Instance, depot: int, stops: Sequence[int]) -> float:
    """The least time from leaving to the end: leave as late as delays the end by nothing."""
    end, _ = _driven(instance, depot, stops, instance.window[depot][0])
    by, after = end, depot
    for stop in reversed(stops):
        by = min(by - instance.distance[stop][after] - instance.service[stop], instance.window[stop][1])
        after = stop
    return end - (by - instance.distance[depot][after]) if stops else 0.0
