"""The same day under "nearest stocked place, first come first served", with bundling: plain rules, no search, no plan.

Nothing here is shared with the product's decisions; roads, stock, people, hours and the calls are the same facts.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count

from app.cli.day.demand import AskedLine, Call
from app.cli.day.facts import BEFORE, HANDLING_S, Person, Place, Point, Roads, World, next_run, ready_at
from app.cli.day.outcome import Outcome, Result
from app.network.rules.hours import is_open, open_spans
from app.stock.rules.substitution import substitutes

LOCAL, NATIONAL = timedelta(hours=2), timedelta(hours=8)
AWAY = timedelta(minutes=40)


@dataclass(frozen=True, slots=True)
class Bundling:
    """How many parts one courier takes along, and how far the further sites may be from the first one's."""

    pieces: int = 8
    near_s: int = 1200


@dataclass(slots=True, eq=False)
class Job:
    """A promised line on its way. `waiting` is false while somebody has it, it is held, or it is over."""

    call: Call
    part: str
    quantity: int
    kind: str
    place: Place
    ready_at: datetime
    due_at: datetime
    waiting: bool = False
    ended_at: datetime | None = None
    over: bool = False
    struck: bool = False
    canceled: bool = False


@dataclass(slots=True, eq=False)
class Driver:
    person: Person
    at: Point
    busy: bool = False
    driven_s: int = 0
    load: list[Job] = field(default_factory=list)


class Nearest:
    """One played day. Events in time order; at one instant in the order they were made."""

    def __init__(self, world: World, day: date, ends: datetime, pays: set[int], bundling: Bundling) -> None:
        self._world, self._day, self._ends, self._pays, self._bundling = world, day, ends, pays, bundling
        self._free = dict(world.stock)
        self._roads = Roads()
        self._drivers = [Driver(person, person.point) for person in world.people]
        self._jobs: list[Job] = []
        self._refused = 0
        self._events: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._numbers = count()

    def play(self, calls: Sequence[Call]) -> Result:
        """Every call to its end, or to the day's."""
        for call in calls:
            self._at(call.at, lambda now, call=call: self._called(call, now))  # type: ignore[misc]
        for driver in self._drivers:
            for begins, _ in open_spans(driver.person.shift, calls[0].at, self._ends):
                self._at(begins, lambda now: None)
        while self._events and self._events[0][0] <= self._ends:
            at, _, do = heapq.heappop(self._events)
            do(at)
            if not self._events or self._events[0][0] > at:
                self._send(at)
        return self._result()

    def _at(self, at: datetime, do: Callable[[datetime], None]) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), do))

    def _called(self, call: Call, now: datetime) -> None:
        """Nearest stocked place for every line, all lines or none; local if local stock suffices (C1-C3)."""
        before, made = dict(self._free), list[Job]()
        for line in call.lines:
            found = self._sourced(call, line, now)
            if not found:
                self._free = before
                self._refused += 1
                return
            made += found
        self._jobs += made
        if call.number in self._pays:
            self._at(now + timedelta(seconds=call.consents_s), lambda at: self._answered(call, made, at))
        else:
            self._appoint(call, made, now)
        if call.cancels_s is not None:
            self._at(now + timedelta(seconds=call.cancels_s), lambda at: self._canceled(made))

    def _sourced(self, call: Call, line: AskedLine, now: datetime) -> list[Job]:
        names = [one.part for one in substitutes(line.part, self._world.links, on=self._day, model=call.model)]
        local = [place for place in self._near(call, self._world.sources.get(call.area, ())) if place.ours]
        found, left = self._taken(call, [line.part, *names], local, line.quantity, "local", now)
        if left:
            rest, left = self._taken(call, [line.part], self._near(call, self._world.places), left, "national", now)
            found += rest
        if left:
            rest, left = self._taken(call, names, self._near(call, self._world.places), left, "national", now)
            found += rest
        return [] if left else found

    def _near(self, call: Call, codes: Iterable[str]) -> list[Place]:
        site = self._world.sites[call.site].point
        return sorted(
            (self._world.places[code] for code in codes),
            key=lambda place: (self._roads.seconds(place.point, site), place.code),
        )

    def _taken(
        self, call: Call, parts: Sequence[str], places: Sequence[Place], wanted: int, kind: str, now: datetime
    ) -> tuple[list[Job], int]:
        """Pieces from the nearest on; the asked part everywhere before what may stand in for it."""
        found = []
        due = call.at + (LOCAL if kind == "local" else NATIONAL)
        for part in parts:
            for place in places:
                pieces = min(wanted, self._free.get((place.code, part), 0))
                if pieces and (kind == "local" or self._couriers(call, place) or self._run(call, place, now)):
                    self._free[place.code, part] -= pieces
                    wanted -= pieces
                    found.append(Job(call, part, pieces, kind, place, now, due))
        return found, wanted

    def _couriers(self, call: Call, place: Place) -> bool:
        """Couriers work from the places that serve their own area."""
        serves = place.code in self._world.sources.get(call.area, ())
        return serves and any(person.area == call.area for person in self._world.people)

    def _answered(self, call: Call, jobs: list[Job], now: datetime) -> None:
        if call.agrees:
            self._appoint(call, jobs, now)
        else:
            self._canceled(jobs)

    def _appoint(self, call: Call, jobs: list[Job], now: datetime) -> None:
        """Wanted now, or at a later time the customer chose: the clocks stand still until an hour before it."""
        back = call.at + timedelta(seconds=call.appointment_s or 0) - BEFORE
        if back > now and any(job.kind == "local" for job in jobs):
            self._at(back, lambda at: self._release(jobs, at, at - call.at))
        else:
            self._release(jobs, now, now - call.at)

    def _release(self, jobs: list[Job], now: datetime, paused: timedelta) -> None:
        """The part is made ready and waits for a courier, or for the carrier's next run."""
        for job in jobs:
            if job.over:
                continue
            job.due_at += paused
            job.ready_at = ready_at(job.place, now)
            if self._couriers(job.call, job.place):
                job.waiting = True
            elif run := self._run(job.call, job.place, now):
                self._at(run[0], lambda at, job=job, run=run: self._handed(job, at, run[1]))  # type: ignore[misc]

    def _run(self, call: Call, place: Place, now: datetime) -> tuple[datetime, datetime] | None:
        return next_run(self._world, place, call.area, ready_at(place, now))

    def _handed(self, job: Job, now: datetime, arrives: datetime) -> None:
        if job.over:
            return
        if job.kind == "national":
            job.ended_at, job.over = now, True
        else:
            fitted = arrives + timedelta(seconds=self._fitting(job))
            self._at(fitted, lambda at: self._done(job, at))

    def _done(self, job: Job, now: datetime) -> None:
        if not job.over:
            job.ended_at, job.over = job.ended_at or now, True

    def _canceled(self, jobs: list[Job]) -> None:
        for job in jobs:
            if not job.over and job.ended_at is None:
                job.over = job.canceled = True
                job.waiting = False
                self._free[job.place.code, job.part] += job.quantity

    def _send(self, now: datetime) -> None:
        """First come, first served: the oldest waiting job to the nearest free courier, for as long as there is one."""
        for job in [one for one in self._jobs if one.waiting]:
            able = [driver for driver in self._drivers if job.waiting and self._able(driver, job, now)]
            if able:
                driver = min(able, key=lambda one: (self._roads.seconds(one.at, job.place.point), one.person.code))
                self._start(driver, job, now)

    def _able(self, driver: Driver, job: Job, now: datetime) -> bool:
        """Free, of the area, on shift until the job would be done, and strong enough."""
        person = driver.person
        if driver.busy or person.area != job.call.area or self._grams(job) > person.grams:
            return False
        spans = open_spans(person.shift, now, now + timedelta(hours=24))
        if not spans or spans[0][0] > now:
            return False
        fetched = max(now + self._way(driver.at, job.place.point), job.ready_at) + timedelta(seconds=HANDLING_S)
        done = fetched + self._way(job.place.point, self._site(job)) + timedelta(seconds=self._fitting(job))
        return done <= spans[0][1] and is_open(job.place.hours, fetched - timedelta(seconds=1))

    def _start(self, driver: Driver, job: Job, now: datetime) -> None:
        job.waiting, driver.busy = False, True
        way = self._drive(driver, job.place.point)
        self._at(max(now + way, job.ready_at), lambda at: self._load(driver, job, at))

    def _load(self, driver: Driver, first: Job, now: datetime) -> None:
        """At the place: the first job and what else waits there, ready, for sites near the first one's."""
        found = [] if first.over else [first]
        pieces, grams = first.quantity, self._grams(first)
        for job in [one for one in self._jobs if one.waiting and one.place is first.place and one.ready_at <= now]:
            near = self._roads.seconds(self._site(first), self._site(job)) <= self._bundling.near_s
            fits = (
                pieces + job.quantity <= self._bundling.pieces
                and grams + self._grams(job) <= driver.person.grams
                and job.call.area == first.call.area
            )
            if near and fits:
                job.waiting = False
                pieces, grams = pieces + job.quantity, grams + self._grams(job)
                found.append(job)
        driver.load = found
        leaves = now + timedelta(seconds=HANDLING_S * len(found))
        for job in found:
            if job.kind == "national":
                job.ended_at = leaves
        self._at(leaves, lambda at: self._next(driver, at))

    def _next(self, driver: Driver, now: datetime) -> None:
        """On to the nearest site on the list, or free again."""
        driver.load = [job for job in driver.load if not job.over]
        if not driver.load:
            driver.busy = False
            return
        job = min(driver.load, key=lambda one: (self._roads.seconds(driver.at, self._site(one)), one.call.number))
        driver.load.remove(job)
        way = self._drive(driver, self._site(job))
        self._at(now + way, lambda at: self._arrive(driver, job, at))

    def _arrive(self, driver: Driver, job: Job, now: datetime) -> None:
        if job.over:
            self._next(driver, now)
        elif job.call.fate == "smooth" or job.struck:
            begins = max(now, job.call.at + timedelta(seconds=job.call.appointment_s or 0))
            self._at(begins + timedelta(seconds=self._fitting(job)), lambda at: self._fitted(driver, job, at))
        else:
            self._strike(job, now)
            self._next(driver, now)

    def _fitted(self, driver: Driver, job: Job, now: datetime) -> None:
        self._done(job, now)
        self._next(driver, now)

    def _strike(self, job: Job, now: datetime) -> None:
        """Nobody there: the part is back on its shelf and waits until the site can be entered. Lost: another is found."""
        for one in self._jobs:
            one.struck = one.struck or one.call is job.call
        if job.call.fate == "nobody_there":
            self._at(now + AWAY, lambda at: self._release([job], at, AWAY))
            return
        job.over = True
        asked = AskedLine(job.part, job.quantity, None)
        for other in self._sourced(job.call, asked, now) or [job]:
            other.struck, other.kind, other.due_at, other.ended_at = True, job.kind, job.due_at, job.ended_at
            if other is not job:
                self._jobs.append(other)
                self._release([other], now, timedelta())

    def _drive(self, driver: Driver, to: Point) -> timedelta:
        way = self._way(driver.at, to)
        driver.driven_s += round(way.total_seconds())
        driver.at = to
        return way

    def _way(self, start: Point, end: Point) -> timedelta:
        return timedelta(seconds=self._roads.seconds(start, end))

    def _site(self, job: Job) -> Point:
        return self._world.sites[job.call.site].point

    def _fitting(self, job: Job) -> int:
        return self._world.parts[job.part].fitting_s

    def _grams(self, job: Job) -> int:
        return self._world.parts[job.part].grams * job.quantity

    def _result(self) -> Result:
        counted = [job for job in self._jobs if not (job.over and job.ended_at is None)]
        outcomes = tuple(
            Outcome(
                call=job.call.number, part=job.part, site=job.call.site, area=job.call.area,
                priority=job.call.priority, kind=job.kind, received_at=job.call.at, due_at=job.due_at,
                ended_at=job.ended_at, day_ends=self._ends,
            )
            for job in counted
        )  # fmt: skip
        driven = sum(driver.driven_s for driver in self._drivers)
        return Result(
            outcomes=outcomes, refused=self._refused, canceled=sum(job.canceled for job in self._jobs), driven_s=driven
        )
