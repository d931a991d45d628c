"""Executes a day as a policy decides, and is the referee: whoever oversells, overloads or turns round midway is stopped."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal, Protocol

from bench.dispatch.days.day import CARRIES, FITTING_S, PICKUP_S, WAREHOUSES_M, Day, Request

What = Literal["pickup", "drop"]
Visit = tuple[What, int]
"""Fetch or bring the part of the request with this number."""


class Foul(Exception):
    """A policy did what cannot be done."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log. `what` is held, moved, unpromised, left, came, began or ended; a stop's lines name its visit."""

    at_s: int
    what: str
    request: int
    place: int
    courier: int = -1
    visit: What | None = None


@dataclass(slots=True)
class Leg:
    """The stop under way: `arrives_s` is as planned, `begins_s` when the service really begins, which a policy may know
    only once it has."""

    visit: Visit
    arrives_s: int
    begins_s: int


@dataclass(slots=True)
class Driver:
    at: int
    leg: Leg | None = None
    aboard: list[int] = field(default_factory=list)
    driven_s: int = 0


class Policy(Protocol):
    """Who decides. `asked` answers a call with the warehouse that holds its part (None: none has one); `turn` says what
    an idle courier does now, or None."""

    def asked(self, world: "World", request: Request) -> int | None: ...

    def turn(self, world: "World", courier: int) -> Visit | None: ...


class World:
    """The day as it goes: what is known at `now`, and what policies may do.

    `source` is the warehouse that holds a piece for a request, `fitted` when it was fitted. `slower` is by how many
    percent a drive may take longer or shorter than planned; policies only know the plan's times.
    """

    def __init__(self, day: Day, couriers: int, *, slower: int = 0) -> None:
        self.day, self.now, self.slower = day, 0, slower
        self.free = dict(day.stock)
        self.drivers = [Driver(at % len(WAREHOUSES_M)) for at in range(couriers)]
        self.source: dict[int, int] = {}
        self.fetched: set[int] = set()
        self.fitted: dict[int, int] = {}
        self.unpromised: set[int] = set()
        self.log: list[Entry] = []
        self.ahead: dict[int, int] = {}
        """Only for a plan that knew the day: which warehouse a call to come will be served from."""
        self._events: list[tuple[int, int, int]] = []

    def play(self, policy: Policy) -> None:
        """From the first call until nobody has anything left to do."""
        asked, done = 0, 1
        for request in self.day.requests:
            heapq.heappush(self._events, (request.at_s, asked, request.number))
        self._turns(policy)
        while self._events:
            self.now = self._events[0][0]
            while self._events and self._events[0][0] == self.now:
                _, kind, number = heapq.heappop(self._events)
                if kind == done:
                    self._ended(number)
                elif kind == asked:
                    self._asked(policy, self.day.requests[number])
            self._turns(policy)

    def holders(self, part: int) -> list[int]:
        """Warehouses with a free piece."""
        return [place for place in range(len(WAREHOUSES_M)) if self.free.get((place, part), 0) > 0]

    def open(self) -> list[Request]:
        """Promised and not fitted, in the order of the calls."""
        return [self.day.requests[number] for number in sorted(self.source.keys() - self.fitted.keys())]

    def waiting(self) -> list[Request]:
        """Promised, and nobody has fetched the part or is on the way to."""
        going = {one.leg.visit[1] for one in self.drivers if one.leg is not None}
        return [one for one in self.open() if one.number not in self.fetched and one.number not in going]

    def way(self, here: int, there: int) -> int:
        """Seconds as planned."""
        return self.day.travel[here][there]

    def move(self, request: Request, place: int) -> None:
        """Hold the piece in another warehouse instead."""
        if request not in self.waiting():
            raise Foul(f"request {request.number} cannot move")
        self._take(place, request.part)
        self.free[self.source[request.number], request.part] += 1
        self.source[request.number] = place
        self.log.append(Entry(self.now, "moved", request.number, place))

    def _asked(self, policy: Policy, request: Request) -> None:
        place = policy.asked(self, request)
        if place is None:
            if self.holders(request.part):
                raise Foul(f"request {request.number} is not promised though there is stock")
            self.unpromised.add(request.number)
            self.log.append(Entry(self.now, "unpromised", request.number, -1))
            return
        if request.number not in self.source:
            self.hold(request, place)

    def hold(self, request: Request, place: int) -> None:
        """Reserve a piece; a policy that plans at once does so before it answers."""
        self._take(place, request.part)
        self.source[request.number] = place
        self.log.append(Entry(self.now, "held", request.number, place))

    def _take(self, place: int, part: int) -> None:
        if self.free.get((place, part), 0) < 1:
            raise Foul(f"warehouse {place} has no free piece of part {part}")
        self.free[place, part] -= 1

    def _turns(self, policy: Policy) -> None:
        """Ask the idle ones until none of them wants to leave: one's turn may give another something to do."""
        going = True
        while going:
            going = False
            for courier, driver in enumerate(self.drivers):
                if driver.leg is None and (visit := policy.turn(self, courier)) is not None:
                    self._leave(courier, driver, visit)
                    going = True

    def _leave(self, courier: int, driver: Driver, visit: Visit) -> None:
        what, number = visit
        request = self.day.requests[number]
        if number in self.unpromised or number in self.fitted or (number in self.fetched) != (what == "drop"):
            raise Foul(f"{what} of request {number} is not to do")
        if what == "drop" and number not in driver.aboard:
            raise Foul(f"courier {courier} has nothing for request {number}")
        if what == "pickup" and any(one.leg and one.leg.visit[1] == number for one in self.drivers):
            raise Foul(f"request {number} is being fetched already")
        if what == "pickup" and len(driver.aboard) >= CARRIES:
            raise Foul(f"courier {courier} is full")
        place = request.site if what == "drop" else self._place_of(number)
        way = self._driven(driver.at, place)
        driver.driven_s += way
        arrives = self.now + way
        begins = max(arrives, request.at_s)
        ends = begins + (FITTING_S if what == "drop" else PICKUP_S)
        driver.leg = Leg(visit, self.now + self.way(driver.at, place), begins)
        for at, step in ((self.now, "left"), (arrives, "came"), (begins, "began")):
            self.log.append(Entry(at, step, number, place, courier, what))
        driver.at = place
        heapq.heappush(self._events, (ends, 1, courier))

    def _place_of(self, number: int) -> int:
        """Where the part is held, or will be."""
        place = self.source.get(number, self.ahead.get(number))
        if place is None:
            raise Foul(f"nothing is held for request {number}")
        return place

    def _driven(self, here: int, there: int) -> int:
        """Seconds it really takes, the same for everyone who drives there in that quarter of an hour."""
        way = self.way(here, there)
        if not self.slower:
            return way
        drawn = Random(f"{self.day.seed} {here} {there} {self.now // 900}").randrange(-self.slower, self.slower + 1)
        return way * (100 + drawn) // 100

    def _ended(self, courier: int) -> None:
        driver = self.drivers[courier]
        if driver.leg is None:
            return
        what, number = driver.leg.visit
        if what == "pickup":
            if self.source.get(number) != driver.at:
                raise Foul(f"nothing is held for request {number} at {driver.at}")
            self.fetched.add(number)
            driver.aboard.append(number)
        else:
            driver.aboard.remove(number)
            self.fitted[number] = self.now
        self.log.append(Entry(self.now, "ended", number, driver.at, courier, what))
        driver.leg = None


def promised(day: Day) -> Sequence[Request]:
    """The calls for which a piece is left anywhere when they come: the same whoever dispatches."""
    left: dict[int, int] = {}
    for (_, part), pieces in day.stock:
        left[part] = left.get(part, 0) + pieces
    found = []
    for request in day.requests:
        if left.get(request.part, 0) > 0:
            left[request.part] -= 1
            found.append(request)
    return found
