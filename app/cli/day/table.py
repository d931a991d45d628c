"""The demo day as text: the same bytes for the same seed, whatever machine played it."""

from collections.abc import Callable, Iterator

from app.cli.day.outcome import Outcome, Result
from app.cli.day.stage import Played

ROWS: tuple[tuple[str, Callable[[Outcome], bool]], ...] = (
    ("emergency", lambda one: one.priority == "emergency"),
    ("severe", lambda one: one.priority == "severe"),
    ("general", lambda one: one.priority == "general"),
    ("local, 2 h", lambda one: one.kind == "local"),
    ("national, 8 h", lambda one: one.kind == "national"),
    ("all", lambda one: True),
)
SHOWN = 60


def table(day: Played) -> str:
    """Figures side by side, the plan's misses with their reasons, and the state of the books."""
    return "\n".join(_lines(day)) + "\n"


def _lines(day: Played) -> Iterator[str]:
    plan, nearest = day.plan, day.nearest
    calls = day.wish.requests or day.wish.day["requests"]
    yield f"Demo day {day.wish.day['date']}, seed {day.wish.seed}: {calls} calls"
    yield ""
    yield f"{'':<16}{'Sparelane':>28}   {'nearest first, first come':>28}"
    yield f"{'promises':<16}{_heads()}   {_heads()}"
    for name, which in ROWS:
        yield f"{name:<16}{_kept(plan, which)}   {_kept(nearest, which)}"
    yield ""
    figures: tuple[tuple[str, Callable[[Result], str]], ...] = (
        ("mean lateness, min", lambda one: f"{one.mean_late_min:.1f}"),
        ("p95 lead of local lines, min", lambda one: f"{one.p95_lead_min:.0f}"),
        ("hours driven", lambda one: f"{one.driven_hours:.1f}"),
        ("lines canceled", lambda one: str(one.canceled)),
        ("calls without stock anywhere", lambda one: str(one.refused)),
    )
    for name, figure in figures:
        yield f"{name:<30}{figure(plan):>14}   {figure(nearest):>28}"
    yield f"{'points more promises kept':<30}{plan.kept_percent - nearest.kept_percent:>+14.1f}"
    yield ""
    yield from _misses(plan)
    yield ""
    yield from (day.found or ("All invariants hold.",))


def _heads() -> str:
    return f"{'promised':>10}{'kept':>8}{'%':>10}"


def _kept(result: Result, which: Callable[[Outcome], bool]) -> str:
    promised, kept = result.some(which)
    share = f"{100 * kept / promised:.1f}" if promised else "-"
    return f"{promised:>10}{kept:>8}{share:>10}"


def _misses(plan: Result) -> Iterator[str]:
    missed = sorted((one for one in plan.outcomes if not one.kept), key=lambda one: (one.call, one.part, one.due_at))
    if not missed:
        yield "Every promise was kept."
        return
    yield f"{len(missed)} promises missed, and why:"
    for one in missed[:SHOWN]:
        late = "not done" if one.ended_at is None else f"{one.late_s / 60:.0f} min late"
        yield f"  #{one.call:03} {one.priority:<10}{one.kind:<9}{one.part:<14}{one.site:<16}{late:<13}{one.why}"
    if len(missed) > SHOWN:
        yield f"  … and {len(missed) - SHOWN} more"
