"""Plain rules for a day: nearest stocked warehouse, first come first served, alone or bundled; and the earliest finish."""

from collections import deque

from bench.dispatch.days.day import CARRIES, FITTING_S, PICKUP_S, Request
from bench.dispatch.days.referee import Visit, World

NEAR_S = 20 * 60
"""How far from the first site further sites of a bundle may be."""


class Nearest:
    """The nearest stocked warehouse; the oldest waiting call goes first, to the free courier nearest to its warehouse.

    A courier takes `most` parts along: the first call's, then the oldest that wait in the same warehouse for sites within
    `NEAR_S` of the first one's; and brings each to the nearest site next.
    """

    def __init__(self, most: int = 1) -> None:
        self.most = most
        self._given: dict[int, int] = {}

    def asked(self, world: World, request: Request) -> int | None:
        return min(world.holders(request.part), key=lambda place: (world.way(place, request.site), place), default=None)

    def turn(self, world: World, courier: int) -> Visit | None:
        driver = world.drivers[courier]
        if driver.aboard:
            return self._more(world, courier) or (
                "drop", min(driver.aboard, key=lambda one: (self._way(world, driver.at, one), one)),
            )  # fmt: skip
        for request in world.waiting():
            if request.number not in self._given.values():
                place = world.source[request.number]
                free = [at for at, one in enumerate(world.drivers) if not (one.leg or one.aboard or at in self._given)]
                if free:
                    nearest = min(free, key=lambda at: (world.way(world.drivers[at].at, place), at))
                    self._given[nearest] = request.number
        number = self._given.pop(courier, None)
        return None if number is None else ("pickup", number)

    def _more(self, world: World, courier: int) -> Visit | None:
        """What else waits in the warehouse where the courier is, the oldest first."""
        driver = world.drivers[courier]
        first = world.day.requests[driver.aboard[0]]
        if len(driver.aboard) >= self.most or driver.at != world.source[first.number]:
            return None
        for one in world.waiting():
            near = world.way(first.site, one.site) <= NEAR_S
            if world.source[one.number] == driver.at and near and one.number not in self._given.values():
                return ("pickup", one.number)
        return None

    @staticmethod
    def _way(world: World, here: int, number: int) -> int:
        return world.way(here, world.day.requests[number].site)


class CheapestFinish:
    """For each call the warehouse and the courier who would finish it first behind what he or she has to do already."""

    def __init__(self) -> None:
        self._todo: dict[int, deque[Visit]] = {}
        self._free: dict[int, tuple[int, int]] = {}

    def asked(self, world: World, request: Request) -> int | None:
        found = [
            (self._finish(world, courier, place, request), courier, place)
            for place in world.holders(request.part)
            for courier in range(len(world.drivers))
        ]
        if not found:
            return None
        finish, courier, place = min(found)
        self._free[courier] = finish, request.site
        self._todo.setdefault(courier, deque()).extend([("pickup", request.number), ("drop", request.number)])
        return place

    def turn(self, world: World, courier: int) -> Visit | None:
        todo = self._todo.get(courier)
        return todo.popleft() if todo else None

    def _finish(self, world: World, courier: int, place: int, request: Request) -> int:
        free_s, at = self._free.get(courier, (0, world.drivers[courier].at))
        return max(free_s, world.now) + world.way(at, place) + PICKUP_S + world.way(place, request.site) + FITTING_S


def bundled() -> Nearest:
    """Nearest first with a full van."""
    return Nearest(CARRIES)
