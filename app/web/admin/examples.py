"""Worked examples of a contract's terms: which days follow from an acceptance, reckoned by the warranty's own rules."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from app.core.i18n import Language, text
from app.warranty.rules.coverage import Installation, Position, fold
from app.warranty.rules.events import UNIT, Accepted, Event
from app.warranty.rules.explain import accepted, days
from app.warranty.rules.states import governing
from app.warranty.rules.terms import Calendar, Terms, last_day
from app.web.admin.words import PAYER
from app.web.render import Words

ODD_DAYS = (date(2015, 7, 31), date(2024, 2, 29), date(2024, 2, 28), date(2021, 2, 28), date(2022, 8, 31))
"""Acceptances at which counting months is easily got wrong (W2)."""
SITE, ZONE = "site", "Asia/Shanghai"
THEN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LayerView:
    """Who pays on which days, both included."""

    payer: str
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What follows from one acceptance: the days, who pays when, and the rules that say so, each as id and sentence."""

    anchor: date
    months: int
    first: date
    nominal: date
    last: date
    provisional: bool
    layers: tuple[LayerView, ...]
    reasons: tuple[tuple[str, str], ...]

    @property
    def rolled(self) -> bool:
        return self.last != self.nominal


def worked(terms: Terms, anchor: date, calendar: Calendar | None, say: Words, language: Language) -> Example:
    """Fold an invented device that was accepted on a day, as any device is folded."""
    device = Installation(
        serial="",
        terms=terms,
        positions=(Position(UNIT, UNIT, key=True),),
        site=SITE,
        zones={SITE: ZONE},
    )
    event = Event(1, "accepted", THEN, THEN, Accepted(on=anchor))
    cover = fold(device, [event], calendar if terms.holiday_rollover else None)
    interval = cover.intervals[0]
    shown = governing(cover.of(UNIT), interval.first) or interval
    found = [accepted(cover, interval.first), *days(cover, shown, UNIT)]
    layers = [LayerView(say(PAYER[one.payer]), one.first, one.last) for one in cover.paid if one.first <= one.last]
    paid_to = max((one.last for one in cover.paid), default=anchor)
    if paid_to < interval.last:
        layers.append(LayerView(say(PAYER["vendor"]), max(interval.first, _after(paid_to)), interval.last))
    return Example(
        anchor=anchor,
        months=terms.months,
        first=interval.first,
        nominal=last_day(anchor, terms.months),
        last=interval.last,
        provisional="calendar" in interval.provisional,
        layers=tuple(layers),
        reasons=tuple((one.rule, text(one.code, one.facts, language)) for one in found),
    )


def _after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison; `differs` marks what an amendment would change."""

    label: str
    cells: tuple[str, ...]
    differs: bool
    large: bool = False


def compared(examples: tuple[Example, ...], say: Words) -> tuple[Line, ...]:
    """Examples side by side, a line for each thing that follows."""
    made = [
        _line(say("First day"), [str(one.first) for one in examples], large=True),
        _line(say("Last day"), [_last(one, say) for one in examples], large=True),
    ]
    if any(one.rolled or one.provisional for one in examples):
        made.insert(1, _line(say("Last day by the months"), [str(one.nominal) for one in examples]))
    cells = ["\n".join(f"{layer.first} – {layer.last}: {layer.payer}" for layer in one.layers) for one in examples]
    made.append(_line(say("Who pays"), cells))
    return tuple(made)


def _last(one: Example, say: Words) -> str:
    return say("{day}, not certain yet", day=one.last) if one.provisional else str(one.last)


def _line(label: str, cells: list[str], *, large: bool = False) -> Line:
    return Line(label, tuple(cells), len(set(cells)) > 1, large)


def odd_days(terms: Terms, calendar: Calendar | None, say: Words, language: Language) -> tuple[Example, ...]:
    """The acceptances at which months are easily miscounted, by these terms."""
    return tuple(worked(terms, day, calendar, say, language) for day in ODD_DAYS)


def in_force(dated: list[Any], day: date) -> Any:
    """The dated terms that hold on a day."""
    return next(
        one
        for one in dated
        if (one.valid_from is None or one.valid_from <= day) and (one.valid_to is None or day < one.valid_to)
    )
