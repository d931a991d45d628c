"""A list's statements: expressions are its author's, values are always bound. Pages by keyset, sums over all rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause, text

from app.web.tables.asked import Asked, day_of
from app.web.tables.listing import TYPES, Column, Filter


def page_statement(asked: Asked) -> tuple[TextClause, dict[str, Any]]:
    """The rows of one page and one more, which says whether another page follows."""
    start = asked.start()
    conditions, binds = filtered(asked)
    if start is not None:
        condition, place = after(asked, *start)
        conditions.append(condition)
        binds |= place
    return text(f"{selected(asked, conditions)} LIMIT :row_limit"), binds | {"row_limit": asked.size + 1}


def all_rows(asked: Asked) -> tuple[TextClause, dict[str, Any]]:
    """Every row, in the list's order."""
    conditions, binds = filtered(asked)
    return text(selected(asked, conditions)), binds


def sums_statements(asked: Asked) -> list[tuple[TextClause, dict[str, Any]]]:
    """How many rows there are and what their quantities come to; then, for each currency that a column names, what the
    amounts in it come to."""
    adding = [one for one in asked.columns if one.sums]
    counted = [one for one in adding if one.kind != "money"]
    named = dict.fromkeys(one.currency for one in adding if one.kind == "money")
    made = [summing("CAST(NULL AS text)", counted, asked)]
    for name in named:
        mine = [one for one in adding if one.kind == "money" and one.currency == name]
        made.append(summing(asked.listing.sql_of(name), mine, asked))
    return made


def summing(currency: str, columns: Sequence[Column], asked: Asked) -> tuple[TextClause, dict[str, Any]]:
    conditions, binds = filtered(asked)
    sums = "".join(f", sum({one.sql}) AS {one.key}" for one in columns)
    return text(
        f"SELECT {currency} AS row_currency, count(*) AS row_count{sums} FROM {asked.listing.source}"
        f" WHERE {' AND '.join(conditions)} GROUP BY 1 ORDER BY 1"
    ), binds


def selected(asked: Asked, conditions: list[str]) -> str:
    listing = asked.listing
    names = {one.key: one.sql for one in listing.columns} | dict(listing.facts)
    shown = ", ".join(f"{sql} AS {key}" for key, sql in names.items())
    way = "DESC" if asked.descending else "ASC"
    last = " NULLS LAST" if asked.sort.nullable else ""
    return (
        f"SELECT {listing.id} AS row_id, {shown} FROM {listing.source} WHERE {' AND '.join(conditions)}"
        f" ORDER BY {asked.sort.sql} {way}{last}, {listing.id} {way}"
    )


def after(asked: Asked, value: Any, row_id: Any) -> tuple[str, Mapping[str, Any]]:
    """Rows that follow one with this sort value and id; rows without a value stand last, whichever way is sorted."""
    one, listing = asked.sort, asked.listing
    sign = "<" if asked.descending else ">"
    row = f"CAST(:row_id AS {'bigint' if listing.id_type is int else 'text'})"
    if value is None:
        return f"({one.sql} IS NULL AND {listing.id} {sign} {row})", {"row_id": row_id}
    place = f"CAST(:row_value AS {TYPES[one.kind][1]})"
    follows = f"({one.sql}, {listing.id}) {sign} ({place}, {row})"
    return f"({follows} OR {one.sql} IS NULL)" if one.nullable else follows, {"row_id": row_id, "row_value": value}


def filtered(asked: Asked) -> tuple[list[str], dict[str, Any]]:
    """What always holds, and each filter that is asked for."""
    conditions, binds = [f"({asked.listing.where})"], dict[str, Any]()
    for one in asked.listing.filters:
        for condition, name, value in conditions_of(one, asked):
            conditions.append(condition)
            binds[name] = value
    return conditions, binds


def conditions_of(one: Filter, asked: Asked) -> list[tuple[str, str, Any]]:
    """Searched text is literal: `%` and `_` are characters like others (T149)."""
    name, given = f"filter_{one.key}", asked.values.get(one.key, ())
    match one.kind:
        case "search" if given:
            return [(f"strpos(lower({one.sql}), lower(CAST(:{name} AS text))) > 0", name, given[-1].strip())]
        case "is" if given:
            return [(f"{one.sql} = CAST(:{name} AS text)", name, given[-1].strip())]
        case "choice" if given:
            return [(f"{one.sql} = ANY(CAST(:{name} AS text[]))", name, list(given))]
        case "dates":
            return [
                (f"{one.sql} {sign} CAST(:{name}_{end} AS date)", f"{name}_{end}", day_of(days[-1]))
                for end, sign in (("from", ">="), ("to", "<="))
                if (days := asked.values.get(f"{one.key}_{end}"))
            ]
        case _:
            return []
