"""Every way a missed line could still be brought, and which facts each would break (R6): sources, couriers, positions.

The standing plan's order is kept, the line goes in anywhere; times are the plan's own. What clashes and what the cheapest
change is are both read from these ways, so they never contradict each other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.routing.rules.plan import Plan, run
from app.routing.rules.problem import Courier, Job, Problem, Span, Visit, place_of, service_of, start_of, until
from app.routing.rules.standing import loads, most

Name = tuple[str, str]
"""A fact by its kind and what it is about: `("ends", "K1")`, `("promise", "l7")`; `("due", "")` is the line's own."""
Breaks = frozenset[Name]

DUE: Name = ("due", "")
PIN: Name = ("pin", "")
HELD_THERE: Name = ("held", "")
SUBSTITUTE: Name = ("substitute", "")
APPOINTMENT: Name = ("appointment", "")
FIXED = ("due", "empty", "skill", "load", "appointment", "as_urgent")
"""Kinds that nobody here can change: the deadline, an empty shelf, what a person can do or carry, the customer's day, and
promises at least as urgent (R2)."""
QUARTER_S = 900
CALM = 300
"""Minor units that any change costs by itself [house]: somebody has to be told."""


def changeable(name: Name) -> bool:
    """Whether a dispatcher can make this fact otherwise."""
    return name[0] not in FIXED


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Minor units: a second of driving, a second of a shift for once, and what any change costs by itself [house]."""

    drive: int = 1
    overtime: int = 1
    calm: int = CALM


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One shelf the line's part could come from. `pickup` is its row in the travel matrix, None if the part is on board.

    `breaks` are the facts that taking it breaks, `cost` what its piece is worth beyond the way. `fitting_s` and `grams`
    are those of another part than the asked one.
    """

    place: str
    part: str
    pickup: int | None
    ready_s: int = 0
    open_spans: tuple[Span, ...] = ()
    breaks: Breaks = frozenset()
    cost: int = 0
    fitting_s: int | None = None
    grams: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One courier with the stops of the standing plan. `paid_until_s` is until when work would be paid extra from now on;
    None for a shift as it is."""

    courier: Courier
    order: tuple[Visit, ...] = ()
    planned_drive_s: int = 0
    paid_until_s: int | None = None
    breaks: Breaks = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to bring the line: what it breaks, when it is done, what it costs.

    `shift_s` is until when the courier would work for once, `open_s` when a door would have to be open.
    """

    breaks: Breaks
    finish_s: int
    cost: int
    place: str
    part: str
    courier: str | None = None
    drive_s: int = 0
    shift_s: int | None = None
    open_s: int | None = None

    @property
    def in_time(self) -> bool:
        return DUE not in self.breaks

    @property
    def possible(self) -> bool:
        """Whether people here can do it, the deadline aside."""
        return all(changeable(one) or one == DUE for one in self.breaks)

    @property
    def harmed(self) -> tuple[str, ...]:
        """Whose less urgent promises it breaks."""
        return tuple(sorted(about for kind, about in self.breaks if kind == "promise"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line against the standing plan without it. `limits` say when each other line has to be done at the latest lest it
    be harmed."""

    job: Job
    problem: Problem
    sources: tuple[Source, ...]
    drivers: tuple[Driver, ...]
    limits: Mapping[str, int]
    rates: Rates = Rates()


def limits_of(plan: Plan, problem: Problem, job: Job) -> dict[str, int]:
    """When each other line has to be done lest it be harmed: on time stays on time, late of the same or a higher tier
    gets no later (R4); who is late and less urgent may wait."""
    finishes, found = plan.finishes(), {}
    for other in problem.jobs:
        finish = finishes.get(other.id)
        if finish is None or other.id == job.id:
            continue
        if finish <= other.due_s or other.hard:
            found[other.id] = other.due_s
        elif other.tier <= job.tier:
            found[other.id] = finish
    return found


def drivers_of(plan: Plan, problem: Problem, called: Iterable[tuple[int | None, Courier]] = ()) -> tuple[Driver, ...]:
    """Each shift as the plan has it, then who could be called in: their shift begun now, or a person without one."""
    found = [
        Driver(courier=courier, order=_order(plan, at), planned_drive_s=plan.routes[at].drive_s)
        for at, courier in enumerate(problem.couriers)
    ]
    for at, courier in called:
        begins = None if at is None else problem.couriers[at].available_s
        found.append(
            Driver(
                courier=courier,
                order=() if at is None else _order(plan, at),
                planned_drive_s=0 if at is None else plan.routes[at].drive_s,
                paid_until_s=courier.end_s if begins is None else begins,
                breaks=frozenset({("begins", courier.code)}),
            )
        )
    return tuple(found)


def _order(plan: Plan, at: int) -> tuple[Visit, ...]:
    return tuple(Visit(stop.kind, stop.job) for stop in plan.routes[at].stops)


def ways_of(question: Question) -> tuple[Way, ...]:
    """All ways worth knowing: of those with the same courier, shelf and broken facts the cheapest, then the earliest."""
    best: dict[tuple[Breaks, str | None, str, str], Way] = {}
    for driver in question.drivers:
        scan = _Scan(question, driver)
        for source in question.sources:
            for way in scan.ways(source):
                key = (way.breaks, way.courier, way.place, way.part)
                known = best.get(key)
                if known is None or (way.cost, way.finish_s) < (known.cost, known.finish_s):
                    best[key] = way
    return tuple(
        sorted(best.values(), key=lambda one: (one.cost, one.finish_s, one.courier or "", one.place, one.part))
    )


def minimal(sets: Iterable[Breaks]) -> tuple[Breaks, ...]:
    """The sets that contain no other one, smallest first."""
    kept: list[Breaks] = []
    for one in sorted(set(sets), key=lambda each: (len(each), sorted(each))):
        if not any(other <= one for other in kept):
            kept.append(one)
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class Clash:
    """Facts of which all together, and no fewer of them, leave no way. `smallest` false: the bound on effort came first.

    No facts at all: some way breaks none. `facts` None: there is no way, whatever were changed.
    """

    facts: tuple[Name, ...] | None
    smallest: bool = True
    solves: int = 0


def sound(clash: Clash, sets: Sequence[Breaks]) -> bool:
    """The judge: every way breaks one of these facts, and without any one of them some way breaks none."""
    if clash.facts is None:
        return not sets
    facts = set(clash.facts)
    if not facts:
        return any(not breaks for breaks in sets)
    left = [facts & breaks for breaks in sets]
    return all(left) and all({name} in left for name in facts)


class _Scan:
    """One courier's route made ready: times before each stop, loads, and what is broken by whom he or she is."""

    def __init__(self, question: Question, driver: Driver) -> None:
        job, problem, courier = question.job, question.problem, driver.courier
        self.question, self.driver, self.courier = question, driver, courier
        self.jobs = {**problem.by_id(), job.id: job}
        self.travel = problem.travel
        route = run(driver.order, courier, self.jobs, problem)
        self.stops = [(self.jobs[stop.job], stop.kind, stop.location, stop.leave_s) for stop in route.stops]
        self.leave = [courier.available_s, *(stop.leave_s for stop in route.stops)]
        self.place = [courier.start, *(stop.location for stop in route.stops)]
        self.lock = 1 if courier.first is not None else 0
        self.loads = loads(driver.order, courier, self.jobs)
        self.room = most(courier, self.jobs)
        self.end = until(courier, self.jobs, problem)
        own = set(driver.breaks)
        if job.pinned_courier not in (None, courier.code):
            own.add(PIN)
        if not set(job.skills) <= set(courier.skills):
            own.add(("skill", courier.code))
        self.own = frozenset(own)

    def ways(self, source: Source) -> Iterator[Way]:
        """Every position of pick-up and drop; with doors kept and, where they hold somebody up, opened for once; on the
        day the customer chose and, to say that it is too late, before."""
        asked = self.question.job
        job = replace(
            asked,
            pickup=source.pickup,
            ready_s=source.ready_s,
            pickup_open=source.open_spans,
            drop_service_s=asked.drop_service_s if source.fitting_s is None else source.fitting_s,
            grams=asked.grams if source.grams is None else source.grams,
        )
        jobs = [job] if job.earliest_drop_s == 0 else [job, replace(job, earliest_drop_s=0)]
        for one in jobs:
            yield from self._placed(source, one, None)
            if source.pickup is not None and source.open_spans:
                yield from self._placed(source, replace(one, pickup_open=()), source.open_spans)

    def _placed(self, source: Source, job: Job, shut: tuple[Span, ...] | None) -> Iterator[Way]:
        """The ways with this shelf; `shut` are the hours that are passed over."""
        for at in range(self.lock, len(self.stops) + 1):
            now, here, opened = self.leave[at], self.place[at], None
            if job.pickup is not None and job.id not in self.courier.carrying:
                begin = start_of(job, "pickup", now + self.travel[here][job.pickup])
                if begin is None or (shut is not None and _open_at(shut, begin, job.pickup_service_s)):
                    continue
                opened = begin if shut is not None else None
                now, here = begin + job.pickup_service_s, job.pickup
            for breaks, finish, end, drive in self._dropped(job, at, now, here):
                found = set(breaks | self.own | source.breaks)
                if opened is not None:
                    found.add(("hours", source.place))
                yield self._way(source, frozenset(found), finish, end, drive, opened)

    def _dropped(self, job: Job, at: int, now: int, here: int) -> Iterator[tuple[Breaks, int, int, int]]:
        """The drop at every later position: what that breaks on this route, its finish, the route's end, its driving."""
        fetched = job.pickup is not None and job.id not in self.courier.carrying
        passed: set[Name] = set()
        for drop_at in range(at, len(self.stops) + 1):
            if fetched and self._too_much(job, drop_at):
                passed.add(("load", self.courier.code))
            begin = start_of(job, "drop", now + self.travel[here][job.drop])
            early = begin is not None and begin < self.question.job.earliest_drop_s
            if begin is not None and early == (job.earliest_drop_s < self.question.job.earliest_drop_s):
                finish = begin + job.drop_service_s
                rest = self._rest(finish, job.drop, drop_at)
                if rest is not None:
                    broken, end = rest
                    own = ({DUE} if finish > job.due_s else set()) | ({APPOINTMENT} if early else set())
                    yield frozenset(passed | broken | own), finish, end, self._drive(job, at, drop_at, fetched)
            if drop_at == len(self.stops):
                return
            other, kind, there, planned = self.stops[drop_at]
            begin = start_of(other, kind, now + self.travel[here][there])
            if begin is None:
                return
            now, here = begin + service_of(other, kind), there
            if kind == "drop" and now > planned:
                passed |= self._harm(other, now)

    def _rest(self, now: int, here: int, at: int) -> tuple[set[Name], int] | None:
        """What the stops from a position on break when they begin so much later, and the route's end; None if a door
        stays shut."""
        broken: set[Name] = set()
        for other, kind, there, planned in self.stops[at:]:
            begin = start_of(other, kind, now + self.travel[here][there])
            if begin is None:
                return None
            now, here = begin + service_of(other, kind), there
            if now <= planned:  # all after this is as it was
                now, here = self.leave[-1], self.place[-1]
                break
            if kind == "drop":
                broken |= self._harm(other, now)
        home = self.courier.home
        end = now if home is None else now + self.travel[here][home]
        if end > self.end:
            broken.add(("ends", self.courier.code))
        return broken, end

    def _harm(self, other: Job, finish_s: int) -> set[Name]:
        if finish_s <= self.question.limits.get(other.id, finish_s):
            return set()
        gives_way = other.tier > self.question.job.tier and not other.hard
        return {("promise" if gives_way else "as_urgent", other.id)}

    def _too_much(self, job: Job, at: int) -> bool:
        pieces, grams = self.loads[at]
        return pieces + job.pieces > self.room[0] or grams + job.grams > self.room[1]

    def _drive(self, job: Job, at: int, drop_at: int, fetched: bool) -> int:
        """Seconds of driving on the route with the line in it."""
        points = list(self.place)
        points.insert(drop_at + 1, job.drop)
        if fetched:
            points.insert(at + 1, place_of(job, "pickup"))
        if self.courier.home is not None:
            points.append(self.courier.home)
        return sum(self.travel[one][two] for one, two in pairwise(points))

    def _way(self, source: Source, breaks: Breaks, finish: int, end: int, drive: int, opened: int | None) -> Way:
        driver, rates = self.driver, self.question.rates
        more = drive - driver.planned_drive_s
        paid = 0
        if driver.paid_until_s is not None:
            paid = min(finish, driver.paid_until_s)
        elif ("ends", self.courier.code) in breaks:
            paid = end - self.end
        paid = -(-paid // QUARTER_S) * QUARTER_S
        cost = rates.drive * more + rates.overtime * paid + source.cost + rates.calm * sum(map(changeable, breaks))
        shift = max(finish, end) if driver.paid_until_s is not None or paid else None
        return Way(
            breaks=breaks, finish_s=finish, cost=cost, place=source.place, part=source.part,
            courier=self.courier.code, drive_s=more, shift_s=shift, open_s=opened,
        )  # fmt: skip


def _open_at(spans: Sequence[Span], begin: int, service_s: int) -> bool:
    """Whether the doors are open then anyway."""
    return any(opens <= begin and begin + service_s <= closes for opens, closes in spans)
