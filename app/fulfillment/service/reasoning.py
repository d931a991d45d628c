"""Which facts clash for a missed line, told as reasons: how near the best way comes, then the facts of one kind together."""

from collections.abc import Sequence
from datetime import timedelta

from app.core.errors import Fact, Reason
from app.fulfillment.service.clashing import Case
from app.routing.rules.clash import DUE, HELD_THERE, Clash, Way
from app.routing.rules.facts import readable

ORDER = (
    "due", "appointment", "held", "empty", "hours", "substitute", "pin", "skill", "load", "begins", "ends", "as_urgent",
    "promise",
)  # fmt: skip


def clash_reasons(case: Case, clash: Clash) -> list[Reason]:
    """The clash for a dispatcher. Facts that end in `_at` are instants; `jobs` are lines of others."""
    if clash.facts is None:
        return [Reason("R6", "clash.no_way", {})]
    if not clash.facts:
        return [Reason("R6", "clash.nothing", {})]
    nearest = min(
        (way for way in case.ways if DUE in way.breaks and way.breaks <= {DUE, HELD_THERE} and way.courier),
        key=lambda way: (way.finish_s, way.cost),
        default=None,
    )
    found = [] if nearest is None else [_nearest(case, nearest)]
    for kind in ORDER:
        about = [name for each, name in clash.facts if each == kind]
        if about:
            found.append(_told(case, kind, about))
    return found


def _nearest(case: Case, way: Way) -> Reason:
    """How late it would be even so."""
    finish = case.at(way.finish_s)
    facts: dict[str, Fact] = {
        "place": way.place,
        "courier": way.courier,
        "drive_s": way.drive_s,
        "finish_at": finish.isoformat(),
        "late_s": int((finish - case.due_at).total_seconds()),
    }
    return readable(Reason("R6", "clash.nearest", facts))


def _told(case: Case, kind: str, about: Sequence[str]) -> Reason:
    """The facts of one kind in one sentence."""
    match kind:
        case "due":
            return Reason("C4", "clash.due", {"due_at": case.due_at.isoformat()})
        case "appointment":
            agreed = case.loaded.row.appointment_at
            return Reason("C4", "clash.appointment", {"agreed_at": agreed.isoformat()})
        case "held":
            return Reason("R1", "clash.held", {"place": case.line.source})
        case "empty":
            return Reason("R1", "clash.empty", {"places": list(about), "part": case.line.part_number})
        case "hours":
            return Reason("R1", "clash.hours", {"places": list(about)})
        case "substitute":
            return Reason("P4", "clash.substitute", {"part": case.line.part_number})
        case "pin":
            pinned = case.problem.by_id()[case.line.id].pinned_courier if case.problem else None
            return Reason("R3", "clash.pin", {"courier": pinned})
        case "as_urgent" | "promise":
            return Reason("R2", f"clash.{kind}", {"jobs": list(about), "others": len(about), **_drivers(case, about)})
    facts: dict[str, Fact] = {"couriers": list(about)}
    if kind in ("begins", "ends") and case.problem is not None:
        facts |= _shifts(case, kind, about)
    return Reason("R3", f"clash.{kind}", facts)


def _drivers(case: Case, jobs: Sequence[str]) -> dict[str, Fact]:
    """Who brings these lines."""
    routes = case.plan.routes if case.plan is not None else ()
    mine = [route.courier for route in routes if any(stop.job in jobs for stop in route.stops)]
    return {"couriers": list(dict.fromkeys(mine))}


def _shifts(case: Case, kind: str, about: Sequence[str]) -> dict[str, Fact]:
    """When the shifts that matter end."""
    couriers = case.problem.couriers if case.problem is not None else ()
    ends = {one.code: one.end_s for one in reversed(couriers)}
    if kind == "begins":
        return {}
    return {"ends_at": [(case.now + timedelta(seconds=ends[code])).isoformat() for code in about if code in ends]}
