"""Charts as inline SVG in our look: pygal lays them out, our sheet colors them, so that any policy and any light will do.

All of pygal's own style, script, ids and tooltips are taken out; what a bar says is its `<title>`. Charts never stand
alone: their macro (templates/chart.html) puts the same values beside them as a table.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree import ElementTree

import pygal
from markupsafe import Markup
from pygal.style import Style

Kind = Literal["bars", "stacked", "lines"]
Number = int | float | None
KINDS: dict[Kind, Any] = {"bars": pygal.Bar, "stacked": pygal.StackedBar, "lines": pygal.Line}
WIDTH, HEIGHT = 960, 320
COLORS = 8
LABEL_PX = 13
LONGEST_LABEL = 24
LABEL_GAP = 10
ASLANT_ROOM = 24
WIDEST_GROUP = 240
DROPPED = frozenset(("tooltip-overlay", "text-overlay", "titles", "legends", "background", "tooltip"))
DECIMALS = re.compile(r"\d+\.\d{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one color means, and its value for each label; None is a gap."""

    name: str
    values: tuple[Number, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart's question as `title`, its labels along the bottom, its series. `said` writes a value (`87 %`, `1,280`).

    `top` fixes the end of the scale, as 100 for shares.
    """

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    kind: Kind = "bars"
    said: Callable[[Number], str] = lambda value: "" if value is None else f"{value:,g}"
    top: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A chart as its macro shows it: the picture, the names of its colors, and the same as a table."""

    title: str
    svg: Markup
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def drawn(chart: Chart) -> Drawn:
    """The picture and the table of a chart. A chart without labels or series has an empty ground."""
    aslant = _rotation(chart.labels)
    made = KINDS[chart.kind](
        width=WIDTH,
        height=HEIGHT,
        js=[],
        style=Style(label_font_size=LABEL_PX, major_label_font_size=LABEL_PX),
        show_legend=False,
        title=None,
        margin=4,
        margin_right=_right_of(chart),
        spacing=8,
        dots_size=4,
        max_scale=6,
        range=(0, chart.top) if chart.top is not None else None,
        include_x_axis=True,
        value_formatter=chart.said,
        truncate_label=LONGEST_LABEL,
        x_label_rotation=aslant,
        margin_bottom=ASLANT_ROOM if aslant else 4,  # pygal takes letters for narrower than ours are
    )
    made.x_labels = chart.labels
    for one in chart.series:
        made.add(one.name, list(one.values))
    root = made.render_tree()
    return Drawn(
        title=chart.title,
        svg=_inline(root, chart),
        names=tuple(one.name for one in chart.series),
        rows=tuple(
            (label, tuple(chart.said(one.values[at]) for one in chart.series)) for at, label in enumerate(chart.labels)
        ),
    )


def _rotation(labels: Sequence[str]) -> int:
    """Labels stand aslant where they would run into each other."""
    widest = max((sum(2 if ord(one) > 0x2E80 else 1 for one in label) for label in labels), default=0)
    return 30 if (min(widest, LONGEST_LABEL) * 7 + LABEL_GAP) * len(labels) > WIDTH - 80 else 0


def _right_of(chart: Chart) -> int:
    """Room right of the picture: half of a line's last label, or what a few bars would else be stretched over."""
    if chart.kind == "lines":
        return 44
    return max(4, WIDTH - 80 - WIDEST_GROUP * len(chart.labels))


def _inline(root: Any, chart: Chart) -> Markup:
    """The picture alone, with classes of ours (`ch-…`) and a title on all that shows a value."""
    picture = ElementTree.Element(
        "svg",
        {"class": f"ch ch-{chart.kind}", "viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": chart.title},
    )
    for child in root:
        _take(child, picture, chart, None)
    return Markup(ElementTree.tostring(picture, encoding="unicode"))  # noqa: S704 - a tree, written out and escaped here


def _take(one: Any, into: ElementTree.Element, chart: Chart, series: int | None) -> None:
    """One element of pygal's and what is in it, if it is part of the picture."""
    name = str(one.tag).rpartition("}")[2] if isinstance(one.tag, str) else ""
    tokens = one.get("class", "").split() if name else []
    if name not in ("g", "path", "rect", "circle", "text") or DROPPED & set(tokens):
        return
    for token in tokens:
        if token.startswith("serie-"):
            series = int(token.removeprefix("serie-"))
    values = {part.get("class"): part.text or "" for part in one if str(part.tag).endswith("desc")}
    if series is not None and "value" in values and not _shown(chart, series, values):
        return
    kept = {key: _short(value) for key, value in one.attrib.items() if key not in ("class", "id", "style")}
    classes = " ".join(_class(token) for token in tokens if token not in ("reactive", "tooltip-trigger"))
    made = ElementTree.SubElement(into, name, {**kept, **({"class": classes} if classes else {})})
    if name == "text":
        made.text = one.text
    if series is not None and "value" in values:
        label = values.get("x_label", "")
        ElementTree.SubElement(made, "title").text = " · ".join(
            part for part in (label, f"{chart.series[series].name}: {values['value']}") if part
        )
    for child in one:
        _take(child, made, chart, series)


def _shown(chart: Chart, series: int, values: dict[str | None, str]) -> bool:
    """pygal stacks a gap as nothing; a gap has no bar and no words."""
    label = values.get("x_label")
    if label not in chart.labels or chart.labels.count(label) > 1:
        return True
    return chart.series[series].values[chart.labels.index(label)] is not None


def _class(token: str) -> str:
    return f"ch-c{int(token.removeprefix('color-')) % COLORS + 1}" if token.startswith("color-") else f"ch-{token}"


def _short(value: str) -> str:
    """Coordinates to a tenth: nobody sees more, and the page is lighter."""
    return DECIMALS.sub(lambda number: f"{float(number[0]):.1f}", value)
