"""A bar chart as finished numbers: groups of bars side by side on a ground with round grid lines. Drawn by its macro."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 960, 240
LEFT, TOP, BOTTOM = 48, 12, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar; `title` says it in words."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A grid line, or a label below the bars: where, and what it says (empty: nothing)."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A chart in a box of WIDTH by HEIGHT."""

    title: str
    names: tuple[str, ...]
    bars: tuple[Bar, ...]
    grid: tuple[Line, ...]
    labels: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def bars(
    labels: Sequence[str],
    series: Mapping[str, Sequence[int | None]],
    *,
    title: str,
    top: int | None = None,
    unit: str = "",
) -> Bars:
    """Bars for each label, one for each series; None leaves a gap. `top` fixes the scale's end (100 for percent)."""
    ground = HEIGHT - BOTTOM
    highest = top or rounded_up(max((value or 0 for values in series.values() for value in values), default=1))
    slot = (WIDTH - LEFT) / max(1, len(labels))
    width = min(36.0, slot * 0.8 / max(1, len(series)))
    made = []
    for nth, (name, values) in enumerate(series.items()):
        for at, value in enumerate(values):
            if value is None:
                continue
            height = (ground - TOP) * value / highest
            x = LEFT + at * slot + (slot - width * len(series)) / 2 + nth * width
            made.append(
                Bar(
                    x=round(x, 1),
                    y=round(ground - height, 1),
                    width=round(width - 1, 1),
                    height=round(height, 1),
                    series=nth + 1,
                    title=f"{labels[at]} · {name}: {value:,}{unit}",
                )
            )
    every = max(1, -(-len(labels) * 64 // (WIDTH - LEFT)))
    steps = [highest * part / 4 for part in range(5)]
    return Bars(
        title=title,
        names=tuple(series),
        bars=tuple(made),
        grid=tuple(
            Line(at=round(ground - (ground - TOP) * step / highest, 1), label=f"{step:,.10g}{unit}") for step in steps
        ),
        labels=tuple(
            Line(at=round(LEFT + (at + 0.5) * slot, 1), label=label if at % every == 0 else "")
            for at, label in enumerate(labels)
        ),
    )


def rounded_up(value: int) -> int:
    """The next number that quarters give round grid lines of: 4, 8, 12, 16, 20, 40, 80, 120, …"""
    tens = 1
    while True:
        for step in (4, 8, 12, 16, 20, 24, 32):
            if step * tens >= value:
                return step * tens
        tens *= 10
