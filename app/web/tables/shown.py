"""A list as its template shows it: finished cells, the chips of its filters, its links and its sums, in one language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app.core.money import Money
from app.web.tables.asked import Asked
from app.web.tables.listing import Column, Filter, FilterKind, Kind
from app.web.tables.saved import View
from app.web.views import Standing

Tell = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value in words. `standing` marks a state, `unit` is a money's currency or an instant's zone."""

    label: str
    kind: Kind
    text: str
    href: str | None = None
    standing: Standing | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; `facts` are its raw values, for what a page adds to it."""

    id: str
    cells: tuple[Cell, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column's head; `sort` is the address that sorts by it, the other way round where it sorts already."""

    key: str
    label: str
    kind: Kind
    sort: str | None
    sorted: str | None
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One filter as a field of the form: its names in the address with what they hold."""

    key: str
    label: str
    kind: FilterKind
    values: tuple[tuple[str, str], ...]
    options: tuple[Option, ...]
    used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter in force, in words, and the address without it."""

    words: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What all rows of the list add up to in one currency, a text for each column shown (empty: not added up)."""

    currency: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What all rows come to: how many, what is counted, and amounts by currency; by the columns' keys."""

    total: int
    counted: Mapping[str, int]
    amounts: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """Everything that the macro `table` shows."""

    page: str
    title: str
    heads: tuple[Head, ...]
    choosable: tuple[Head, ...]
    fields: tuple[Field, ...]
    chips: tuple[Chip, ...]
    rows: tuple[Row, ...]
    sums: tuple[Sum, ...]
    total: int
    empty: str
    query: str
    kept: tuple[tuple[str, str], ...]
    views: tuple[View, ...]
    view: View | None
    clear: str
    first: str | None
    following: str | None
    csv: str
    xlsx: str


def table_view(asked: Asked, rows: Sequence[Any], sums: Sums, views: Sequence[View], tell: Tell) -> TableView:
    """One page of a list. `rows` may hold one more than a page: then another follows."""
    listing, here = asked.listing, rows[: asked.size]
    fields = tuple(field_of(one, asked, tell) for one in listing.filters)
    query = asked.query()
    return TableView(
        page=listing.page,
        title=tell(listing.title),
        heads=tuple(head_of(one, asked, tell) for one in asked.columns),
        choosable=tuple(head_of(one, asked, tell) for one in listing.columns),
        fields=fields,
        chips=tuple(
            chip for one, filled in zip(listing.filters, fields, strict=True) for chip in chips_of(one, filled, asked)
        ),
        rows=tuple(row_of(row, asked, tell) for row in here),
        sums=sums_of(asked, sums),
        total=sums.total,
        empty=tell(listing.empty),
        query=query,
        kept=tuple(kept(asked)),
        views=tuple(views),
        view=next((one for one in views if one.query == query), None),
        clear=f"{listing.page}?{asked.query(**dict.fromkeys(name for one in listing.filters for name in one.names))}",
        first=asked.address() if asked.after else None,
        following=asked.address(after=asked.cursor(here[-1])) if len(rows) > asked.size else None,
        csv=f"{listing.page}.csv?{query}",
        xlsx=f"{listing.page}.xlsx?{query}",
    )


def kept(asked: Asked) -> list[tuple[str, str]]:
    """What a form of filters leaves as it is: order, columns, page size, and the page's own words."""
    own = [(name, value) for name in asked.listing.also for value in asked.values.get(name, ())]
    return [*((name, value) for name, value in asked.shape.items() if value is not None), *own]


def head_of(column: Column, asked: Asked, tell: Tell) -> Head:
    mine = column is asked.sort
    order = turned(column.key, mine=mine, descending=asked.descending, number=column.is_number)
    return Head(
        key=column.key,
        label=tell(column.label),
        kind=column.kind,
        sort=asked.address(sort=order) if column.sorts else None,
        sorted=("descending" if asked.descending else "ascending") if mine else None,
        chosen=column in asked.columns,
    )


def turned(key: str, *, mine: bool, descending: bool, number: bool) -> str:
    """The order that a column's head leads to: the other way where it sorts already, else numbers from the largest."""
    return f"-{key}" if (not descending if mine else number) else key


def field_of(one: Filter, asked: Asked, tell: Tell) -> Field:
    given = {name: asked.values.get(name, ()) for name in one.names}
    return Field(
        key=one.key,
        label=tell(one.label),
        kind=one.kind,
        values=tuple((name, values[-1] if values else "") for name, values in given.items()),
        options=tuple(
            Option(value=code, label=tell(words), chosen=code in given[one.key]) for code, words in one.words.items()
        ),
        used=any(given.values()),
    )


def chips_of(one: Filter, filled: Field, asked: Asked) -> list[Chip]:
    """Each filter in force; of a choice each chosen word alone."""
    if one.kind == "choice":
        chosen = [option for option in filled.options if option.chosen]
        return [
            Chip(
                words=f"{filled.label}: {option.label}",
                without=asked.address(**{one.key: [other.value for other in chosen if other is not option]}),
            )
            for option in chosen
        ]
    if not filled.used:
        return []
    words = " – ".join(value for _, value in filled.values)
    return [Chip(words=f"{filled.label}: {words}", without=asked.address(**dict.fromkeys(one.names)))]


def row_of(row: Any, asked: Asked, tell: Tell) -> Row:
    facts = row._mapping
    return Row(
        id=str(row.row_id),
        cells=tuple(cell_of(one, facts, tell) for one in asked.columns),
        facts=facts,
    )


def cell_of(column: Column, facts: Mapping[str, Any], tell: Tell) -> Cell:
    value = facts[column.key]
    return Cell(
        label=tell(column.label),
        kind=column.kind,
        text=text_of(column, value, facts, tell),
        href=href_of(column, facts),
        standing=(column.standing or {}).get(value),
        unit=unit_of(column, value, facts),
    )


def text_of(column: Column, value: Any, facts: Mapping[str, Any], tell: Tell) -> str:
    """A value as people read it; an empty one is a dash."""
    match value:
        case None:
            return "—"
        case datetime():
            return at(value, facts.get("zone"))
        case date():
            return value.isoformat()
        case int() | Decimal() if column.kind == "money":
            return grouped(int(value), str(facts[column.currency]))
        case int() | Decimal():
            return f"{int(value):,}"
        case _:
            return tell(column.words[value]) if column.words and value in column.words else str(value)


def at(instant: datetime, zone: str | None) -> str:
    """An instant on a zone's wall clock, `2026-11-22 10:00`."""
    return f"{instant.astimezone(ZoneInfo(zone or 'UTC')):%Y-%m-%d %H:%M}"


def grouped(minor: int, currency: str) -> str:
    """An amount with its thousands apart, `1,280.00`."""
    amount = Money(minor, currency).amount
    whole, point, rest = amount.lstrip("-").partition(".")
    return f"{'−' if minor < 0 else ''}{int(whole):,}{point}{rest}"


def unit_of(column: Column, value: Any, facts: Mapping[str, Any]) -> str:
    if value is None:
        return ""
    if column.kind == "money":
        return str(facts[column.currency])
    return zone_name(value, facts.get("zone")) if column.kind == "instant" else ""


def zone_name(instant: datetime, zone: str | None) -> str:
    """A zone by its distance from UTC at that instant, `UTC+8`."""
    offset = instant.astimezone(ZoneInfo(zone) if zone else UTC).utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"


def href_of(column: Column, facts: Mapping[str, Any]) -> str | None:
    """The column's address with the row's values in it; None where one of them is missing."""
    if column.href is None:
        return None
    values = {name: quote(str(value), safe="") for name, value in facts.items() if value is not None}
    try:
        return column.href.format_map(values)
    except KeyError:
        return None


def added_up(asked: Asked, answers: Sequence[Sequence[Any]]) -> Sums:
    """The sums in the answers to `sums_statements`."""
    adding = {one.key for one in asked.columns if one.sums}
    counted, amounts = dict[str, int](), dict[str, dict[str, int]]()
    for row in answers[0]:
        counted = {key: int(value or 0) for key, value in row._mapping.items() if key in adding}
    for row in (row for answer in answers[1:] for row in answer):
        if row.row_currency is not None:
            mine = {key: int(value or 0) for key, value in row._mapping.items() if key in adding}
            amounts.setdefault(row.row_currency, {}).update(mine)
    return Sums(total=sum(row.row_count for row in answers[0]), counted=counted, amounts=amounts)


def added_here(asked: Asked, rows: Sequence[Any]) -> Sums:
    """The same from the rows, where one page holds them all."""
    adding = [one for one in asked.columns if one.sums]
    counted = {one.key: 0 for one in adding if one.kind != "money"} if rows else {}
    amounts: dict[str, dict[str, int]] = {}
    for row in rows:
        facts = row._mapping
        for one in adding:
            if one.kind != "money":
                counted[one.key] += int(facts[one.key] or 0)
            elif (currency := facts[one.currency]) is not None:
                mine = amounts.setdefault(currency, {})
                mine[one.key] = mine.get(one.key, 0) + int(facts[one.key] or 0)
    return Sums(total=len(rows), counted=counted, amounts=amounts)


def sums_of(asked: Asked, sums: Sums) -> tuple[Sum, ...]:
    """A row for each currency; what is counted rather than paid stands in the first of them."""
    if not any(one.sums for one in asked.columns):
        return ()
    lines = [
        (currency, {key: grouped(minor, currency) for key, minor in amounts.items()})
        for currency, amounts in sorted(sums.amounts.items())
    ] or [("", {})]
    lines[0] = (lines[0][0], {key: f"{value:,}" for key, value in sums.counted.items()} | lines[0][1])
    return tuple(
        Sum(currency=currency, texts=tuple(texts.get(one.key, "") for one in asked.columns))
        for currency, texts in lines
    )
