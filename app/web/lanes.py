"""The couriers' lanes: a plan's stops as blocks on one stretch of time. Positions are percent of the timeline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from app.fulfillment.schemas.plan import PlanOut, RouteOut, StopOut
from app.web.queries import BoardFacts
from app.web.views import Block, Lane, Leg, Standing, Tick, Timeline
from app.web.words import Frame

BEFORE = timedelta(minutes=10)
LEAST, MOST = timedelta(hours=2), timedelta(hours=9)
AFTER = timedelta(minutes=15)
FEW_HOURS = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time a timeline shows."""

    begins: datetime
    ends: datetime

    def x(self, instant: datetime) -> float:
        """Percent from the left, within the timeline."""
        share = (instant - self.begins) / (self.ends - self.begins)
        return round(100 * min(max(share, 0.0), 1.0), 2)


@dataclass(frozen=True, slots=True)
class Halt:
    """Stops of one kind at one location in a row: what a courier sees as one stop."""

    number: int | None
    stops: tuple[StopOut, ...]

    @property
    def first(self) -> StopOut:
        return self.stops[0]

    @property
    def last(self) -> StopOut:
        return self.stops[-1]


def halts(stops: Sequence[StopOut]) -> Iterator[Halt]:
    """Consecutive visible stops as halts; the places where something is fitted are numbered in order."""
    number = 0
    seen = [stop for stop in stops if stop.request is not None]
    for (kind, _), group in groupby(seen, key=lambda stop: (stop.kind, stop.location)):
        number += kind == "drop"
        yield Halt(number if kind == "drop" else None, tuple(group))


def timeline(facts: BoardFacts, plans: Sequence[PlanOut], frame: Frame, standings: Mapping[str, Standing]) -> Timeline:
    """A lane for everyone with work, and the names of those without."""
    routes = [route for plan in plans for route in plan.routes]
    stretch = stretch_of(routes, frame.now)
    names = {line.source: line.source_name for one in facts.requests for line in one.seen}
    names |= {one.row.site: one.row.site_name for one in facts.requests}
    lanes, idle = [], []
    for courier in facts.couriers:
        mine = [route for route in routes if route.courier == courier.code]
        found = list(halts([stop for route in mine for stop in route.stops]))
        if found:
            lanes.append(_lane(courier.code, found, mine, stretch, frame, names, standings))
        else:
            idle.append(_idle(courier, mine, frame))
    zone = facts.couriers[0].timezone if facts.couriers else "UTC"
    return Timeline(
        ticks=tuple(_ticks(stretch, zone)),
        now_x=stretch.x(frame.now),
        lanes=tuple(lanes),
        idle=tuple(idle),
        zone=zone,
    )


def under_way(routes: Sequence[RouteOut], found: Sequence[Halt]) -> bool:
    """Whether the drive to the first halt has begun: the plan then has the courier free only on arrival there."""
    return bool(found) and routes[0].available_at >= found[0].first.arrive_at


def stretch_of(routes: Sequence[RouteOut], now: datetime) -> Stretch:
    """From a little before now until the last planned stop, within reason."""
    last = max((stop.leave_at for route in routes for stop in route.stops), default=now)
    return Stretch(now - BEFORE, min(max(last + AFTER, now + LEAST), now + MOST))


def _lane(
    code: str,
    found: Sequence[Halt],
    routes: Sequence[RouteOut],
    stretch: Stretch,
    frame: Frame,
    names: Mapping[str, str],
    standings: Mapping[str, Standing],
) -> Lane:
    drops = sum(halt.number is not None for halt in found)
    return Lane(
        courier=code,
        name=frame.couriers[code],
        color=frame.colors[code],
        note=frame.say("{stops} stops", stops=drops) if drops != 1 else frame.say("1 stop"),
        blocks=tuple(
            _block(halt, stretch, frame, names, standings) for halt in found if halt.first.start_at < stretch.ends
        ),
        legs=tuple(_legs(found, routes, stretch, frame.now)),
    )


def _legs(found: Sequence[Halt], routes: Sequence[RouteOut], stretch: Stretch, now: datetime) -> Iterator[Leg]:
    """The drives between halts, the one under way from now on."""
    left = now if under_way(routes, found) else max(routes[0].available_at, now)
    for halt in found:
        begins, ends = stretch.x(min(left, halt.first.arrive_at)), stretch.x(halt.first.arrive_at)
        if ends > begins:
            yield Leg(x=begins, width=round(ends - begins, 2))
        left = halt.last.leave_at


def _block(
    halt: Halt, stretch: Stretch, frame: Frame, names: Mapping[str, str], standings: Mapping[str, Standing]
) -> Block:
    first, last = halt.first, halt.last
    x, name = stretch.x(first.start_at), names.get(first.location, first.location)
    labels = dict.fromkeys(frame.labels[stop.request] for stop in halt.stops if stop.request)
    worst = worst_of(standings.get(stop.request or "", "ok") for stop in halt.stops)
    pieces = frame.say("fetch {count}", count=len(halt.stops))
    return Block(
        kind=first.kind,
        x=x,
        width=round(max(stretch.x(last.leave_at) - x, 0.6), 2),
        number=halt.number,
        label=name if first.kind == "drop" else pieces,
        standing=worst,
        title=" · ".join((name, *labels)),
    )


def worst_of(standings: Iterator[Standing]) -> Standing:
    """The standing that asks for attention first."""
    found = set(standings)
    order: tuple[Standing, ...] = ("late", "risk", "ok", "paused")
    return next((one for one in order if one in found), "ok")


def _idle(courier: object, routes: Sequence[RouteOut], frame: Frame) -> str:
    """Who is free, and from when."""
    name, zone = str(getattr(courier, "name", "")), str(getattr(courier, "timezone", "UTC"))
    if not routes:
        return frame.say("{courier} (off shift)", courier=name)
    starts = min(route.available_at for route in routes)
    if starts <= frame.now + timedelta(minutes=1):
        return name
    return frame.say("{courier} (from {at})", courier=name, at=frame.at(starts, zone))


def _ticks(stretch: Stretch, zone: str) -> Iterator[Tick]:
    """Full hours on the wall clock there; half hours where few are shown."""
    step = timedelta(minutes=30) if stretch.ends - stretch.begins <= FEW_HOURS else timedelta(hours=1)
    local = stretch.begins.astimezone(ZoneInfo(zone))
    at = local.replace(minute=0, second=0, microsecond=0)
    while at <= stretch.ends:
        if at >= stretch.begins and 3 < stretch.x(at) < 97:
            yield Tick(x=stretch.x(at), label=f"{at:%H:%M}")
        at += step
