"""Checks a played day by its log alone: shares no code with the referee who wrote it, only the day's facts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bench.dispatch.days.day import CARRIES, FITTING_S, PICKUP_S, WAREHOUSES_M, Day

STEPS = ("left", "came", "began", "ended")
BEFORE = {"ended": 0, "held": 1, "unpromised": 1, "moved": 2, "left": 3, "came": 4, "began": 5}
"""Which line of one second comes first."""


def faults(day: Day, couriers: int, log: Iterable[Any], *, slower: int = 0) -> list[str]:
    """What is wrong with the day, in words; empty for a sound one. `log` are the referee's entries."""
    lines = sorted(log, key=lambda one: (one.at_s, BEFORE[one.what]))
    found = list(_stock(day, lines))
    for courier in range(couriers):
        mine = [one for one in lines if one.courier == courier]
        found += [f"courier {courier}: {fault}" for fault in _courier(day, courier, mine, slower)]
    found += [f"courier {one.courier} is not of the fleet" for one in lines if one.courier >= couriers]
    return found + list(_requests(day, lines))


def _stock(day: Day, lines: Sequence[Any]) -> Iterator[str]:
    """Never more held than lies there; a call is turned away only when nothing is left anywhere."""
    left = Counter(dict(day.stock))
    held: dict[int, int] = {}
    for one in lines:
        part = day.requests[one.request].part
        if one.what == "unpromised" and any(left[place, part] > 0 for place in range(len(WAREHOUSES_M))):
            yield f"request {one.request} is turned away while pieces are left"
        if one.what not in ("held", "moved"):
            continue
        if one.what == "held" and one.at_s != day.requests[one.request].at_s:
            yield f"request {one.request} is answered at {one.at_s}"
        if (one.what == "moved") != (one.request in held):
            yield f"request {one.request} is {one.what} out of turn"
        if one.request in held:
            left[held[one.request], part] += 1
        left[one.place, part] -= 1
        held[one.request] = one.place
        if left[one.place, part] < 0:
            yield f"warehouse {one.place} gives a piece of part {part} that it does not have"


def _courier(day: Day, courier: int, lines: Sequence[Any], slower: int) -> Iterator[str]:
    """One stop after the other, each driven to and served in full, with at most four parts on board."""
    at, free_s, aboard = courier % len(WAREHOUSES_M), 0, set[int]()
    for first in range(0, len(lines), 4):
        stop = lines[first : first + 4]
        one = stop[0]
        if [each.what for each in stop] != list(STEPS) or len({(each.request, each.visit) for each in stop}) > 1:
            yield f"turns round on the way to {one.visit} of {one.request} at {one.at_s}"
            return
        left_s, came_s, began_s, ended_s = (each.at_s for each in stop)
        way, request = day.travel[at][one.place], day.requests[one.request]
        if left_s < free_s:
            yield f"leaves for {one.request} at {left_s}, before {free_s}"
        if not way * (100 - slower) // 100 <= came_s - left_s <= way * (100 + slower) // 100:
            yield f"drives {came_s - left_s} s to {one.request} in place of {way}"
        if began_s < came_s or began_s < request.at_s:
            yield f"begins at {one.request} before it can"
        if ended_s - began_s != (PICKUP_S if one.visit == "pickup" else FITTING_S):
            yield f"takes {ended_s - began_s} s for {one.visit} of {one.request}"
        if one.visit == "pickup":
            aboard.add(one.request)
        elif one.request not in aboard:
            yield f"brings {one.request} without having it"
        else:
            aboard.remove(one.request)
        if len(aboard) > CARRIES:
            yield f"carries {len(aboard)} parts at {ended_s}"
        if one.visit == "drop" and one.place != request.site:
            yield f"fits {one.request} at {one.place}"
        at, free_s = one.place, ended_s
    if aboard:
        yield f"still carries {sorted(aboard)}"


def _requests(day: Day, lines: Sequence[Any]) -> Iterator[str]:
    """Each call is answered once, each promise fetched once where its piece lies and fitted once."""
    steps = Counter((one.request, one.what, one.visit) for one in lines)
    holds: dict[int, int] = {}
    for one in lines:
        if one.what in ("held", "moved"):
            holds[one.request] = one.place
        begun = one.visit == "pickup" and one.what == "began"
        if begun and holds.get(one.request) != one.place:
            yield f"request {one.request} is fetched at {one.place}, held at {holds.get(one.request)}"
    for request in day.requests:
        held, refused = steps[request.number, "held", None], steps[request.number, "unpromised", None]
        if held + refused != 1:
            yield f"request {request.number} is answered {held + refused} times"
        for visit in ("pickup", "drop"):
            done = steps[request.number, "ended", visit]
            if done != held:
                yield f"request {request.number}: {done} times {visit}"
