"""The report on commitments as its page shows it: every figure beside what it is a share of, every miss with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.core.i18n import text
from app.fulfillment.queries.report import AgainOut, Dimension, MissOut, TallyOut, month_of
from app.web.charts import Chart, Drawn, Series, drawn
from app.web.render import Words
from app.web.reports.asked import Shown
from app.web.tables.shown import Chip, at, zone_name
from app.web.words import PRIORITY, span

MONTH = {
    1: "January",
    2: "February",
    3: "March",
    4: "April",
    5: "May",
    6: "June",
    7: "July",
    8: "August",
    9: "September",
    10: "October",
    11: "November",
    12: "December",
}
BY: dict[Dimension, str] = {"contract": "Contract", "area": "Area", "part": "Part", "priority": "Priority"}
KIND = {"local": "fitted within 2 hours", "national": "dispatched within 8 hours"}
CHARTED = 12
FEWEST = 2
"""One month alone shows no course: its figures stand above already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a table of the report: a month, or a group in it."""

    name: str
    href: str | None
    here: bool
    lines: int
    hit: str
    hit_of: str
    coverage: str
    coverage_of: str
    national: str
    missed: int
    again: int
    escalated: int
    canceled: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """One promise that was not kept."""

    label: str
    request: str
    customer: str
    site: str
    device: str | None
    part: str
    priority: str
    promise: str
    due: str
    zone: str
    late: str
    why: str
    escalated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A position that failed again soon after it had been repaired."""

    label: str
    request: str
    device: str | None
    position: str
    part: str
    failed: str
    zone: str
    days: int
    earlier_label: str
    earlier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The rows of each table, in its order."""

    months: Sequence[TallyOut]
    groups: Sequence[TallyOut]
    late: Sequence[MissOut]
    again: Sequence[AgainOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """The whole page; `month` empty: nothing was ever promised."""

    title: str
    month: str
    answer: tuple[str, ...]
    figures: tuple[tuple[str, str, str], ...]
    chart: Drawn | None
    months: tuple[Line, ...]
    groups: tuple[Line, ...]
    by: str
    by_words: str
    chips: tuple[Chip, ...]
    late: tuple[Late, ...]
    again: tuple[Again, ...]


def month_name(month: date, say: Words) -> str:
    return say("{month} {year}", month=say(MONTH[month.month]), year=month.year)


def rate(share: float | int | None) -> str:
    return "—" if share is None else f"{share:g}%"


def answer(one: TallyOut, say: Words) -> tuple[str, ...]:
    """The sentences that answer the title."""
    promised, met = one.two_hour_promised + one.national_promised, one.two_hour_met + one.national_met
    if not promised:
        return (say("No promise has fallen due in this month yet."),)
    first = (
        say("Yes: all {promised} promises were kept.", promised=promised)
        if met == promised
        else say(
            "Not all: {met} of {promised} promises were kept, {missed} were not.",
            met=met,
            promised=promised,
            missed=one.missed,
        )
    )
    rates = say(
        "Of the parts promised within 2 hours {hit} were fitted in time; of all parts {coverage} were fitted within 2 hours.",
        hit=rate(one.two_hour_hit_rate),
        coverage=rate(one.two_hour_coverage),
    )
    return first, rates


def figures(one: TallyOut, say: Words) -> tuple[tuple[str, str, str], ...]:
    """Name, figure, what it is a share of."""

    def of(part: int, whole: int) -> str:
        return say("{part} of {whole}", part=part, whole=whole) if whole else ""

    national = rate(round(100 * one.national_met / one.national_promised, 1) if one.national_promised else None)
    return (
        (say("2-hour hit rate"), rate(one.two_hour_hit_rate), of(one.two_hour_met, one.two_hour_promised)),
        (say("2-hour coverage"), rate(one.two_hour_coverage), of(one.two_hour_covered, one.two_hour_coverable)),
        (say("dispatched within 8 hours"), national, of(one.national_met, one.national_promised)),
        (say("not kept"), str(one.missed), ""),
        (say("failed again within 90 days"), str(one.failed_again), ""),
        (say("told to the managers"), str(one.escalated), ""),
    )


def of(part: int, whole: int) -> str:
    """`3/4`; of nothing there is nothing to say."""
    return f"{part}/{whole}" if whole else ""


def line(one: TallyOut, name: str, href: str | None, *, here: bool = False) -> Line:
    return Line(
        name=name,
        href=href,
        here=here,
        lines=one.lines,
        hit=rate(one.two_hour_hit_rate),
        hit_of=of(one.two_hour_met, one.two_hour_promised),
        coverage=rate(one.two_hour_coverage),
        coverage_of=of(one.two_hour_covered, one.two_hour_coverable),
        national=of(one.national_met, one.national_promised) or "—",
        missed=one.missed,
        again=one.failed_again,
        escalated=one.escalated,
        canceled=one.canceled,
        open=one.open,
    )


def chart(months: Sequence[TallyOut], say: Words) -> Drawn | None:
    """Hit rate and coverage side by side, oldest month first."""
    shown = list(reversed(months[:CHARTED]))
    if len(shown) < FEWEST:
        return None
    series = (
        Series(name=say("2-hour hit rate"), values=tuple(one.two_hour_hit_rate for one in shown)),
        Series(name=say("2-hour coverage"), values=tuple(one.two_hour_coverage for one in shown)),
    )
    labels = tuple(one.month for one in shown)
    title = say("Hit rate and coverage by month")
    return drawn(Chart(title=title, labels=labels, series=series, said=rate, top=100))


def late(one: MissOut, say: Words) -> Late:
    seconds = -(-one.late_s // 60) * 60
    return Late(
        label=one.ticket or one.request[-8:],
        request=one.request,
        customer=one.customer,
        site=one.site,
        device=one.device_serial,
        part=one.part_number,
        priority=priority_word(one.priority, say),
        promise=say(KIND[one.kind]),
        due=at(one.due_at, one.timezone),
        zone=zone_name(one.due_at, one.timezone),
        late=span(seconds, say) if one.ended_at else say("{span}, still open", span=span(seconds, say)),
        why=text(one.why, one.why_facts, say.language),
        escalated=one.escalated > 0,
    )


def priority_word(priority: str | None, say: Words) -> str:
    found = next((one for one in PRIORITY if one == priority), None)
    return say(PRIORITY[found]) if found else priority or "—"


def again(one: AgainOut) -> Again:
    return Again(
        label=one.ticket or one.request[-8:],
        request=one.request,
        device=one.device_serial,
        position=one.position,
        part=one.part_number,
        failed=at(one.failed_at, one.timezone),
        zone=zone_name(one.failed_at, one.timezone),
        days=one.days,
        earlier_label=one.earlier_ticket or one.earlier_request[-8:],
        earlier=one.earlier_request,
    )


def report_view(months: Sequence[TallyOut], tables: Tables, shown: Shown, say: Words) -> ReportView:
    """Everything finished. `months` are those beside the chosen one, newest first: the chart's, and its answer's."""
    here = next((one for one in months if one.month == shown.month), None)
    title = say("Do we keep our promises?")
    if shown.month:
        title = say("Did we keep our promises in {month}?", month=month_name(month_of(shown.month), say))
    return ReportView(
        title=title,
        month=shown.month,
        answer=answer(here, say) if here else (),
        figures=figures(here, say) if here else (),
        chart=chart(months, say),
        months=tuple(
            line(one, one.month, shown.address(month=one.month), here=one.month == shown.month) for one in tables.months
        ),
        groups=tuple(line(one, group_name(one, shown.by, say), None) for one in tables.groups),
        by=shown.by,
        by_words=say(BY[shown.by]),
        chips=chips(shown, say),
        late=tuple(late(one, say) for one in tables.late),
        again=tuple(again(one) for one in tables.again),
    )


def chips(shown: Shown, say: Words) -> tuple[Chip, ...]:
    """The filters in force."""
    return tuple(
        Chip(
            words=f"{say(BY[name])}: {priority_word(value, say) if name == 'priority' else value}",
            without=shown.address(**{name: None}),
        )
        for name in BY
        if (value := shown.filters.get(name))
    )


def group_name(one: TallyOut, by: Dimension, say: Words) -> str:
    return priority_word(one.group, say) if by == "priority" else one.group or "—"
