"""What a played day is worth: promises kept by priority, lateness, lead times, driving; and tables over days."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.dispatch.days.day import TIER_NAMES, Day
from bench.dispatch.days.referee import World, promised

MINUTE = 60
WORST = 5


def figures(day: Day, world: World) -> dict[str, Any]:
    """One day under one policy. Lateness is in minutes, of all promises (those kept count as 0) and of the late ones."""
    asked = promised(day)
    late = [max(0, world.fitted[one.number] - one.due_s) for one in asked]
    missed = [one for one in late if one]
    found: dict[str, Any] = {"promised": len(asked), "kept": len(asked) - len(missed)}
    for tier, name in enumerate(TIER_NAMES):
        mine = [late_s for one, late_s in zip(asked, late, strict=True) if one.tier == tier]
        found[name] = [sum(not one for one in mine), len(mine)]
    lead = sorted(world.fitted[one.number] - one.at_s for one in asked)
    return {
        **found,
        "percent": percent(found["kept"], len(asked)),
        "late_min": round(sum(late) / len(late) / MINUTE, 1),
        "late_of_late_min": round(sum(missed) / len(missed) / MINUTE, 1) if missed else 0.0,
        "lead_min": round(sum(lead) / len(lead) / MINUTE, 1),
        "p95_lead_min": round(lead[-(-len(lead) * 95 // 100) - 1] / MINUTE, 1),
        "driven_h": round(sum(one.driven_s for one in world.drivers) / 3600, 1),
    }


def percent(part: int, whole: int) -> float:
    """Of a hundred, to one place; of none at all everything."""
    return round(100 * part / whole, 1) if whole else 100.0


COLUMNS = ("late_min", "late_of_late_min", "lead_min", "p95_lead_min", "driven_h")
HEAD = (
    "| policy | days | kept | worst five | lowest-highest | emergency | severe | general "
    "| late, min | of the late | lead, min | p95 lead | hours driven |"
)


def table(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Means over the days by policy, as lines of Markdown; percents by priority are of all days' promises together."""
    by_policy: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_policy.setdefault(row["policy"], []).append(row)
    lines = [HEAD, "|---" * HEAD.count(" | ") + "|---|"]
    for policy, mine in by_policy.items():
        kept = sorted(row["percent"] for row in mine)
        cells = [policy, len(mine), f"{_mean(kept)} %", f"{_mean(kept[:WORST])} %", f"{kept[0]}-{kept[-1]}"]
        for name in TIER_NAMES:
            cells.append(percent(*(sum(row[name][at] for row in mine) for at in (0, 1))))
        cells += [_mean([row[column] for row in mine]) for column in COLUMNS]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 1)
