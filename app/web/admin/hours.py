"""Opening hours and shifts: as a table of times to type, and in words."""

from dataclasses import dataclass
from typing import Any

from app.core.errors import FieldError
from app.core.http import BadFields
from app.network.rules.hours import ALWAYS, DAYS
from app.web.admin.filled import Filled
from app.web.admin.words import SHORT_DAY, WEEKDAY
from app.web.forms import Form
from app.web.render import Words

LEAST_SPANS = 2


@dataclass(frozen=True, slots=True)
class DayHours:
    """One weekday's spans as typed; empty pairs are there to type into."""

    key: str
    label: str
    spans: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursField:
    """The table of times: for each weekday as many spans as any day has, and at least two."""

    name: str
    label: str
    always: bool
    days: tuple[DayHours, ...]
    most: int
    wrong: str


def hours_values(name: str, raw: Any) -> dict[str, Any]:
    """Hours that stand, as the fields' values."""
    if raw == ALWAYS or raw is None:
        return {f"{name}_kind": "24x7"}
    return {f"{name}_kind": "week"} | {
        f"{name}_{day}": [clock for span in raw.get(day, ()) for clock in span] for day in DAYS
    }


def hours_field(filled: Filled, name: str, label: str, say: Words) -> HoursField:
    """The field as it is filled in."""
    typed = {day: filled.all(f"{name}_{day}") for day in DAYS}
    most = max(LEAST_SPANS, *(-(-len(clocks) // 2) for clocks in typed.values()))
    days = []
    for day in DAYS:
        clocks = (*typed[day], *[""] * (2 * most - len(typed[day])))
        pairs = tuple(zip(clocks[::2], clocks[1::2], strict=True))
        days.append(DayHours(day, say(WEEKDAY[day]), pairs))
    return HoursField(
        name=name,
        label=label,
        always=filled.value(f"{name}_kind") != "week",
        days=tuple(days),
        most=most,
        wrong=filled.wrong.get(name, ""),
    )


def hours_in(form: Form, name: str) -> Any:
    """The hours that a form says, in the API's form. A beginning without its end is BadFields."""
    if form.text(f"{name}_kind") != "week":
        return ALWAYS
    hours = {}
    for day in DAYS:
        clocks = form.texts(f"{name}_{day}")
        if len(clocks) % 2:
            raise BadFields(errors=[FieldError(name, "web.hours_half", {"day": WEEKDAY[day]})])
        if clocks:
            hours[day] = [[begins, ends] for begins, ends in zip(clocks[::2], clocks[1::2], strict=True)]
    return hours


def hours_in_words(raw: Any, say: Words) -> tuple[tuple[str, str], ...]:
    """Hours as people say them: days that are alike stand together, `Mon – Fri` and `08:30–18:00`."""
    if raw == ALWAYS:
        return ((say("every day"), say("around the clock")),)
    told = [(day, spans_in_words(raw.get(day, ()), say)) for day in DAYS]
    found: list[tuple[str, str]] = []
    begins = 0
    for at in range(1, len(told) + 1):
        if at < len(told) and told[at][1] == told[begins][1]:
            continue
        first, last = say(SHORT_DAY[told[begins][0]]), say(SHORT_DAY[told[at - 1][0]])
        found.append((first if first == last else f"{first} – {last}", told[begins][1]))
        begins = at
    return tuple(found)


def spans_in_words(spans: Any, say: Words) -> str:
    return ", ".join(f"{begins}–{ends}" for begins, ends in spans) if spans else say("not open")
