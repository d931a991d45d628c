"""From a region's facts to a routing problem at an instant: who is where, what is on board, what is left to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from app.fulfillment.queries.region import CourierFacts, OpenLine, Region, Standing
from app.network.rules.hours import ALWAYS, open_spans, parse_hours
from app.routing.rules import problem as problems
from app.routing.rules.plan import Plan, Stop
from app.routing.rules.problem import Courier, Job, Location, Problem, Span, Visit
from app.routing.rules.standing import adopted
from app.routing.travel import GreatCircle

HORIZON = timedelta(hours=36)
MOST_JOBS = 120
"""How many lines one plan looks at; beyond, the least urgent wait for the next plan, and no ETA is promised."""
HANDLING_S = 240
"""Minutes at a place to take a part over [house], as in the dispatch benchmark."""
TRAVEL = GreatCircle()


@dataclass(frozen=True, slots=True)
class Present:
    """Where a courier is, or will be, and the stop that is under way (which stays first).

    `left_s` is what remains of that stop's service once it has begun.
    """

    location: Location
    available_s: int
    first: Visit | None
    left_s: int | None = None


@dataclass(frozen=True, slots=True)
class Planning:
    """A problem as of an instant, and what is left of the standing plan in it.

    `waiting` are lines that are open but too many for one plan.
    """

    problem: Problem
    plan: Plan
    version: int
    waiting: tuple[str, ...] = ()


def planning(region: Region, *, now: datetime, also: Sequence[Location] = ()) -> Planning:
    """The region's problem at `now`. `also` are further locations a caller wants in the travel matrix.

    Started legs are frozen: a courier whose plan says that the drive to a stop has begun goes there first (R4).
    """
    lines = {line.id: line for line in region.lines}
    found = Found([])
    couriers: list[tuple[Courier, Location]] = []
    begun: dict[Visit, int] = {}
    for facts in region.couriers:
        present = present_of(facts, region.standing, lines, now)
        couriers += _shifts(facts, present, lines, now)
        if present.first is not None and present.left_s is not None:
            begun[present.first] = present.left_s
    kept, waiting = _most_urgent(region.lines, couriers)
    spans: dict[str, tuple[Span, ...]] = {}
    jobs = [_job(line, found, now, begun, spans) for line in kept]
    placed = [replace(courier, start=found.at(location)) for courier, location in couriers]
    for location in also:
        found.at(location)
    points = [(one.latitude, one.longitude) for one in found.locations]
    matrix = TRAVEL.estimate(points) if region.travel is None else region.travel.matrix(points)
    problem = Problem(
        region=region.name,
        start=now,
        horizon_s=int(HORIZON.total_seconds()),
        couriers=tuple(placed),
        jobs=tuple(jobs),
        locations=tuple(found.locations),
        travel=matrix.seconds,
        estimated=matrix.estimated,
    )
    standing = region.standing
    return Planning(
        problem=problem,
        plan=adopted(_unmoved(standing, lines) if standing else None, problem),
        version=standing.version if standing else 0,
        waiting=waiting,
    )


def _unmoved(standing: Standing, lines: Mapping[str, OpenLine]) -> Plan:
    """The plan in force without lines that another place gives now: their way is looked for anew."""
    rows = standing.problem.locations
    moved = {
        job.id
        for job in standing.problem.jobs
        if job.pickup is not None
        and (line := lines.get(job.id)) is not None
        and (line.latitude, line.longitude) != (rows[job.pickup].latitude, rows[job.pickup].longitude)
    }
    if not moved:
        return standing.plan
    routes = [
        replace(route, stops=tuple(stop for stop in route.stops if stop.job not in moved))
        for route in standing.plan.routes
    ]
    return replace(standing.plan, routes=tuple(routes))


def _most_urgent(
    lines: Sequence[OpenLine], couriers: Sequence[tuple[Courier, Location]]
) -> tuple[list[OpenLine], tuple[str, ...]]:
    """The lines a plan looks at: what is on board or under way, then by tier and deadline; and the rest."""
    started = {job for courier, _ in couriers for job in courier.carrying}
    started |= {courier.first.job for courier, _ in couriers if courier.first}
    ranked = sorted(lines, key=lambda line: (line.id not in started, line.tier, line.due_at, line.id))
    most = max(MOST_JOBS, len(started))
    return sorted(ranked[:most], key=lambda line: line.id), tuple(line.id for line in ranked[most:])


class Found:
    """The locations met so far; each coordinate once."""

    def __init__(self, locations: list[Location]) -> None:
        self.locations = locations
        self._rows = {(one.latitude, one.longitude): at for at, one in enumerate(locations)}

    def at(self, location: Location) -> int:
        """The row of a location, added if it is new."""
        key = (location.latitude, location.longitude)
        if key not in self._rows:
            self._rows[key] = len(self.locations)
            self.locations.append(location)
        return self._rows[key]


def present_of(facts: CourierFacts, standing: Standing | None, lines: dict[str, OpenLine], now: datetime) -> Present:
    """Where the standing plan has a courier at `now`: idle at the last stop, or under way to the next."""
    home = Location(facts.place, facts.latitude, facts.longitude)
    if standing is None:
        return Present(home, 0, None)
    elapsed = (now - standing.problem.start).total_seconds()
    where = home
    for index, route in enumerate(standing.plan.routes):
        if route.courier != facts.code:
            continue
        courier = standing.problem.couriers[index]
        started, begins = courier.available_s, standing.problem.locations[courier.start]
        if started > elapsed:
            if courier.first is not None and route.stops:
                return _under_way(facts, route.stops[0], begins, lines, elapsed)
            if route.shift == 0 and not _waits_for_shift(facts, standing.problem.start, started):
                return Present(begins, ceil(started - elapsed), None)
            continue
        where = begins
        for stop in route.stops:
            there = standing.problem.locations[stop.location]
            if started > elapsed:
                break
            if stop.leave_s > elapsed:
                return _under_way(facts, stop, there, lines, elapsed)
            where, started = there, stop.leave_s
    return Present(where, 0, None)


def _waits_for_shift(facts: CourierFacts, since: datetime, available_s: int) -> bool:
    """Whether only the beginning of a shift keeps the courier, which may be called in earlier."""
    return any(int((begins - since).total_seconds()) == available_s for begins, _ in shifts_of(facts, since))


def _under_way(facts: CourierFacts, stop: Stop, there: Location, lines: dict[str, OpenLine], elapsed: float) -> Present:
    """The stop being driven to or served: it stays first while there is something left to do there.

    Where nothing is left (canceled, taken by another, given by another place now), the courier still has to get there:
    nobody turns round midway.
    """
    line = lines.get(stop.job)
    aboard = line is not None and line.state == "dispatched"
    mine = line is not None and (not aboard or line.courier == facts.code)
    moved = (
        line is not None
        and stop.kind == "pickup"
        and (line.latitude, line.longitude) != (there.latitude, there.longitude)
    )
    left = mine and not moved and (aboard if stop.kind == "drop" else not aboard)
    arrives = max(0, ceil(stop.arrive_s - elapsed))
    if not left:
        gone = line is None or stop.kind == "drop" or aboard or moved
        return Present(there, arrives if gone else max(0, ceil(stop.leave_s - elapsed)), None)
    left_s = ceil(stop.leave_s - elapsed) if stop.start_s <= elapsed else None
    return Present(there, arrives, Visit(stop.kind, stop.job), left_s)


def _shifts(
    facts: CourierFacts, present: Present, lines: dict[str, OpenLine], now: datetime
) -> list[tuple[Courier, Location]]:
    """One courier value a shift within the horizon. What is on board or under way belongs to the present one."""
    spans = shifts_of(facts, now)
    carrying = tuple(line.id for line in lines.values() if line.state == "dispatched" and line.courier == facts.code)
    first = present.first
    if first is not None and first.kind == "drop" and first.job not in carrying:
        first = None
    if (carrying or first) and (not spans or spans[0][0] > now):
        spans = [(now, now), *spans]  # overtime: what was started is finished
    home = Location(facts.place, facts.latitude, facts.longitude)
    found = []
    for shift, (begins, ends) in enumerate(spans):
        begin_s = max(0, int((begins - now).total_seconds()))
        courier = Courier(
            code=facts.code,
            shift=shift,
            start=0,
            available_s=max(begin_s, present.available_s) if shift == 0 else begin_s,
            end_s=int((ends - now).total_seconds()),
            grams=facts.capacity_g,
            skills=facts.skills,
            carrying=carrying if shift == 0 else (),
            first=first if shift == 0 else None,
        )
        found.append((courier, present.location if shift == 0 else home))
    return found


def shifts_of(facts: CourierFacts, now: datetime) -> list[tuple[datetime, datetime]]:
    """When this person drives within the horizon, joined where the shifts touch: the network's and those for once."""
    return _joined(open_spans(parse_hours(facts.shift, facts.timezone), now, now + HORIZON), facts.extra, now)


def _joined(
    spans: Sequence[tuple[datetime, datetime]], extra: Sequence[tuple[datetime, datetime]], now: datetime
) -> list[tuple[datetime, datetime]]:
    """What the network keeps and what was ordered for once, within the horizon, joined where they touch."""
    once = [(max(begins, now), min(ends, now + HORIZON)) for begins, ends in extra]
    found: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted(one for one in (*spans, *once) if one[0] < one[1]):
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return found


def _job(
    line: OpenLine, found: Found, now: datetime, begun: Mapping[Visit, int], spans: dict[str, tuple[Span, ...]]
) -> Job:
    """A line as a job; of a service that has begun only the rest is left to do."""
    if line.place not in spans:
        spans[line.place] = spans_of(line.opening_hours, line.timezone, now, line.opened)
    drop = found.at(Location(line.site, line.site_latitude, line.site_longitude))
    pickup = found.at(Location(line.place, line.latitude, line.longitude))
    prepared = line.prepared_from + timedelta(seconds=line.preparation_s)
    return Job(
        id=line.id,
        tier=line.tier,
        pickup=pickup,
        ready_s=0 if line.state != "accepted" else max(0, ceil((prepared - now).total_seconds())),
        pickup_service_s=begun.get(Visit("pickup", line.id), HANDLING_S),
        pickup_open=spans[line.place],
        drop=drop,
        drop_service_s=begun.get(Visit("drop", line.id), line.fitting_s),
        due_s=int((line.due_at - now).total_seconds()),
        pieces=line.quantity,
        grams=line.grams,
        earliest_drop_s=max(0, int((line.appointment_at - now).total_seconds())) if line.appointment_at else 0,
        told_s=int((line.told_at - now).total_seconds()) if line.told_at else None,
        group=line.request,
        pinned_courier=line.pinned,
    )


def spans_of(
    hours: Any, zone: str, now: datetime, opened: Sequence[tuple[datetime, datetime]] = ()
) -> tuple[Span, ...]:
    """Opening hours within the horizon as spans of seconds, those for once too; none means always open."""
    if hours == ALWAYS:
        return ()
    return tuple(
        (int((begins - now).total_seconds()), int((ends - now).total_seconds()))
        for begins, ends in _joined(open_spans(parse_hours(hours, zone), now, now + HORIZON), opened, now)
    )


__all__ = ["Planning", "Present", "planning", "present_of", "problems", "shifts_of", "spans_of"]
