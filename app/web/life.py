"""The picture of a warranty's life: the device's bar above, one bar a position below, each restart a bar of its own.

Values of the warranty in, finished views out; templates/verdict.html draws them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.warranty.queries.lives import Life
from app.warranty.rules.events import UNIT
from app.warranty.rules.lifetimes import Lifetime, Mark, Stretch
from app.warranty.rules.terms import Layer
from app.web.render import Words
from app.web.verdict import PAYS, Verdict, verdict_of

KIND: Mapping[str, str] = {"base": "from acceptance", "extension": "extended", "restart": "started anew"}
MARK: Mapping[str, str] = {"fitted": "replaced: {name}", "swapped": "whole device swapped: {name}", "void": "void"}
SHORT: Mapping[str, str] = {"oem": "OEM", "oem_service": "OEM service", "vendor": "we"}
MOST_TICKS = 9
PHONE_PX, DESKTOP_PX = 340, 680
"""About how wide the axis is drawn: a bar names its payer only where the name has room."""
EDGE = timedelta(days=75)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Days of one payer on a bar, in percent of the picture's width."""

    x: float
    width: float
    payer: str
    label: str
    wide_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One promise. A restart's bar hangs from its confirmation, `from_x`, on the bar above."""

    kind: str
    lane: int
    x: float
    width: float
    from_x: float | None
    segments: tuple[Segment, ...]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A day pointed out on a row."""

    x: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The device, or one of its positions, with its own small answer."""

    position: str
    name: str
    part_number: str
    key: bool
    verdict: Verdict
    bars: tuple[Bar, ...]
    pins: tuple[Pin, ...]
    height: int
    says: str
    """The bars in a sentence, for those who cannot see them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the table that says what the bars show."""

    name: str
    first: str
    last: str
    payer: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A year's beginning."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The timeline: rows above one another on one axis of years. `on_x` is None where the day asked about is today."""

    ticks: tuple[Tick, ...]
    today_x: float
    today: str
    today_word: str
    on_x: float | None
    on: str
    rows: tuple[Row, ...]
    like_device: tuple[str, ...]
    """Positions that simply live as the device does."""
    lines: tuple[Line, ...]
    restarts: bool
    fitted: bool


@dataclass(frozen=True, slots=True)
class Span:
    """The days a picture covers, and where a day lies in percent."""

    first: date
    last: date

    def x(self, day: date) -> float:
        whole = (self.last - self.first).days
        return round(max(0.0, min(100.0, 100 * (day - self.first).days / whole)), 2)


def day_at(instant: datetime, zone: str) -> date:
    """The date that an instant has on a site's clock (W3)."""
    return instant.astimezone(ZoneInfo(zone)).date()


def picture(life: Life, names: Mapping[str, str], say: Words) -> Picture:
    """The timeline of a device's life. `names` gives a part number its name."""
    states = {one.position: one for one in life.warranty.components}
    shown, alike = [], []
    for one in life.lifetimes:
        if one.position == UNIT or one.key or one.own:
            shown.append(one)
        else:
            alike.append(one)
    rows_of = {}
    for one in shown:
        state: Any = life.warranty.device if one.position == UNIT else states[one.position]
        rows_of[one.position] = verdict_of(
            status=state.status,
            first_day=state.first_day,
            last_day=state.last_day,
            payer=state.payer,
            on=life.warranty.on,
            say=say,
            today=life.today,
        )
    return drawn(
        shown,
        verdicts=rows_of,
        parts={UNIT: life.warranty.serial} | {one.position: one.part_number for one in life.warranty.components},
        names=names,
        on=life.warranty.on,
        today=life.today,
        say=say,
        alike=alike,
        from_day=life.delivered_on,
    )


def drawn(
    shown: Sequence[Lifetime],
    *,
    verdicts: Mapping[str, Verdict],
    parts: Mapping[str, str],
    names: Mapping[str, str],
    on: date,
    today: date,
    say: Words,
    alike: Sequence[Lifetime] = (),
    from_day: date | None = None,
    today_word: str = "",
) -> Picture:
    """Lifetimes as bars on one axis: the device first, then its key parts. `today_word` names the solid line where it
    is not today."""
    span = span_of(shown, on=on, today=today, from_day=from_day)
    ordered = sorted(shown, key=lambda one: (one.position != UNIT, not one.key, one.position))
    rows = tuple(_row(one, span, verdicts[one.position], parts, names, say) for one in ordered)
    return Picture(
        ticks=tuple(_ticks(span)),
        today_x=span.x(today),
        today=today.isoformat(),
        today_word=today_word or say("today"),
        on_x=None if on == today else span.x(on),
        on=on.isoformat(),
        rows=rows,
        like_device=tuple(_name(one, parts, names, say) for one in alike),
        lines=tuple(line for one in ordered for line in _lines(one, parts, names, say)),
        restarts=any(bar.kind == "restart" for row in rows for bar in row.bars),
        fitted=any(pin.kind == "fitted" for row in rows for pin in row.pins),
    )


def span_of(shown: Sequence[Lifetime], *, on: date, today: date, from_day: date | None) -> Span:
    """All days that any bar, pin or line needs, with a little room on both sides."""
    days = [on, today, *([from_day] if from_day else [])]
    for one in shown:
        days += [stretch.first for stretch in one.stretches] + [stretch.last for stretch in one.stretches]
        days += [mark.day for mark in one.marks]
    room = max(EDGE, (max(days) - min(days)) * 0.03)
    return Span(min(days) - room, max(days) + room)


def _ticks(span: Span) -> Iterable[Tick]:
    years = [year for year in range(span.first.year, span.last.year + 1) if date(year, 1, 1) >= span.first]
    step = -(-len(years) // MOST_TICKS) or 1
    for year in years:
        x = span.x(date(year, 1, 1))
        yield Tick(x=x, label=str(year) if year % step == 0 and x < 92 else "")


def _row(
    one: Lifetime, span: Span, verdict: Verdict, parts: Mapping[str, str], names: Mapping[str, str], say: Words
) -> Row:
    bars = tuple(_bar(stretch, lane, span, say) for lane, stretch in enumerate(one.stretches))
    pins = tuple(Pin(x=span.x(mark.day), kind=mark.kind, title=_said(mark, say)) for mark in one.marks)
    name = _name(one, parts, names, say)
    told = [bar.title for bar in bars] + [pin.title for pin in pins]
    return Row(
        position=one.position,
        name=name,
        part_number=parts.get(one.position, one.part_number),
        key=one.key and one.position != UNIT,
        verdict=verdict,
        bars=bars,
        pins=pins,
        height=max(1, len(bars)) * 22 + 18,
        says="; ".join(told) or verdict.word,
    )


def _name(one: Lifetime, parts: Mapping[str, str], names: Mapping[str, str], say: Words) -> str:
    if one.position == UNIT:
        return say("the whole device")
    number = parts.get(one.position, one.part_number)
    name = names.get(number)
    return f"{name} · {one.position}" if name else one.position


def _bar(stretch: Stretch, lane: int, span: Span, say: Words) -> Bar:
    segments = tuple(_segment(layer, span, say) for layer in stretch.paid)
    end = span.x(stretch.last + timedelta(days=1))
    return Bar(
        kind=stretch.kind,
        lane=lane,
        x=segments[0].x,
        width=round(end - segments[0].x, 2),
        from_x=span.x(stretch.anchor) if stretch.kind == "restart" and lane else None,
        segments=segments,
        title=f"{say(KIND[stretch.kind])}: {stretch.first} – {stretch.last}",
    )


def _segment(layer: Layer, span: Span, say: Words) -> Segment:
    width = round(span.x(layer.last + timedelta(days=1)) - span.x(layer.first), 2)
    label = say(SHORT[layer.payer])
    needs = 24 + sum(12 if ord(one) > 0x2E80 else 7 for one in label)
    return Segment(
        x=span.x(layer.first),
        width=width,
        payer=layer.payer,
        label=label if width * DESKTOP_PX / 100 >= needs else "",
        wide_only=width * PHONE_PX / 100 < needs,
    )


def _said(mark: Mark, say: Words) -> str:
    return f"{mark.day} {say(MARK[mark.kind], name=mark.name)}"


def _lines(one: Lifetime, parts: Mapping[str, str], names: Mapping[str, str], say: Words) -> Iterable[Line]:
    for stretch in one.stretches:
        for layer in stretch.paid:
            yield Line(
                name=_name(one, parts, names, say),
                first=layer.first.isoformat(),
                last=layer.last.isoformat(),
                payer=say(PAYS[layer.payer]),
                why=say(KIND[stretch.kind]),
            )
    for mark in one.marks:
        yield Line(
            name=_name(one, parts, names, say),
            first=mark.day.isoformat(),
            last="",
            payer="",
            why=say(MARK[mark.kind], name=mark.name),
        )
