"""What the map draws, as plain JSON in a page's attribute: places, sites, couriers, routes, names, and where to look."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from app.accounts.rules import Actor
from app.fulfillment.schemas.plan import PlanOut
from app.web.lanes import halts, under_way, worst_of
from app.web.queries import BoardFacts
from app.web.views import Standing
from app.web.words import Frame

Point = tuple[float, float]
MOST_LINES = 40_000
"""Characters of road lines on one map; the ways beyond are drawn straight."""


def map_json(
    facts: BoardFacts,
    plans: Sequence[PlanOut],
    frame: Frame,
    standings: Mapping[str, Standing],
    *,
    actor: Actor,
) -> str:
    """Everything to draw. Whoever sees only some customers or places sees no courier beyond their own stops."""
    restricted = actor.customers is not None or actor.places is not None
    shown = {
        "places": [_place(one) for one in facts.places],
        "sites": list(_sites(facts, frame, standings)),
        "routes": list(_routes(facts, plans, frame, restricted=restricted)),
        "areas": list(_areas(facts)),
        "focus": focus(facts, plans),
    }
    return msgspec.json.encode(shown).decode()


def _place(one: Any) -> dict[str, Any]:
    return {"name": one.name, "kind": one.kind, "at": (one.latitude, one.longitude)}


def _sites(facts: BoardFacts, frame: Frame, standings: Mapping[str, Standing]) -> Iterator[dict[str, Any]]:
    """Each site with open requests, by the one that stands worst."""
    by_site: dict[str, list[Any]] = {}
    for one in facts.requests:
        by_site.setdefault(one.row.site, []).append(one.row)
    for rows in by_site.values():
        first = rows[0]
        yield {
            "name": first.site_name,
            "at": (first.latitude, first.longitude),
            "standing": worst_of(standings[row.id] for row in rows),
            "labels": [frame.labels[row.id] for row in rows][:6],
            "count": len(rows),
        }


def _routes(facts: BoardFacts, plans: Sequence[PlanOut], frame: Frame, *, restricted: bool) -> Iterator[dict[str, Any]]:
    """Where couriers are and the way they will take, with the numbers of their stops as on the lanes."""
    at = {one.code: (one.latitude, one.longitude) for one in facts.places}
    fetched = {line.id: at.get(line.source) for one in facts.requests for line in one.seen}
    left = MOST_LINES
    for code, name in frame.couriers.items():
        mine = [route for plan in plans for route in plan.routes if route.courier == code]
        found = list(halts([stop for route in mine for stop in route.stops]))
        if not mine or (restricted and not found):
            continue
        path = [_at(halt) for halt in found]
        here = begins = None if restricted else (mine[0].latitude, mine[0].longitude)
        if under_way(mine, found):  # somewhere between where the part was fetched and here: no dot, but the way
            here, begins = None, fetched.get(found[0].first.line)
        path = [begins, *path] if begins else path
        roads = [facts.roads.between(*leg) for leg in pairwise(path)]
        size = sum(len(line) for line in roads if line)
        left -= size
        yield {
            "courier": name,
            "color": frame.colors[code],
            "here": here,
            "path": path,
            "roads": roads if size and left >= 0 else [],
            "stops": [{"n": halt.number, "at": _at(halt)} for halt in found if halt.number],
        }


def _at(halt: Any) -> Point:
    return halt.first.latitude, halt.first.longitude


def _areas(facts: BoardFacts) -> Iterator[dict[str, Any]]:
    """Each area's name in the middle of its places."""
    by_area: dict[str, list[Any]] = {}
    for one in facts.places:
        if one.area_name is not None:
            by_area.setdefault(one.area_name, []).append(one)
    for name, places in by_area.items():
        middle = (_mean(one.latitude for one in places), _mean(one.longitude for one in places))
        yield {"name": name, "at": middle}


def focus(facts: BoardFacts, plans: Sequence[PlanOut]) -> tuple[Point, Point] | None:
    """South-west and north-east of where most is open: the first view; None where there is nothing to look at."""
    busiest = Counter(one.row.area for one in facts.requests).most_common(1)
    area = busiest[0][0] if busiest else None
    points = [(one.row.latitude, one.row.longitude) for one in facts.requests if one.row.area == area]
    points += [(one.latitude, one.longitude) for one in facts.places if one.area == area and area is not None]
    points += [
        (stop.latitude, stop.longitude)
        for plan in plans
        if plan.region == area
        for route in plan.routes
        for stop in route.stops
        if stop.request is not None
    ]
    points = points or [(one.latitude, one.longitude) for one in facts.places]
    if not points:
        return None
    south, north = min(at for at, _ in points), max(at for at, _ in points)
    west, east = min(at for _, at in points), max(at for _, at in points)
    return (south, west), (north, east)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)
