"""Mending a file: its failed rows to take away, with the reason beside each, and the mended ones put back in their places."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from app.core.i18n import Language
from app.integrations.imports.cells import NumberInIdentifier, Sort, sort_of, value_of
from app.integrations.imports.load import Bad, Kind, fields_of
from app.integrations.imports.report import sentence
from app.integrations.imports.table import LINE, REASON, Cell, Row, Table, guarded


def failed_rows(table: Table, bad: Sequence[Bad], language: Language) -> tuple[list[str], Iterator[list[str]]]:
    """Headings and rows of the failed rows alone: first the line and what is wrong with it, then the row as it stood.

    The two added columns are not read when the file comes back, but for the line, which says where a row belongs.
    """
    columns = own_columns(table)
    why: dict[int, list[str]] = {}
    for one in bad:
        told = sentence(one, language)
        why.setdefault(one.line, []).append(f"{one.field}: {told}" if one.field else told)
    rows = (
        [str(row.line), " ".join(dict.fromkeys(why[row.line])), *(shown(row.cells.get(name, "")) for name in columns)]
        for row in table.rows
        if row.line in why
    )
    return [LINE, REASON, *columns], rows


def own_columns(table: Table) -> list[str]:
    """The columns that belong to the file, not to our report."""
    return [name for name in table.columns if name not in (LINE, REASON)]


def shown(cell: Cell) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def merged(kind: Kind, table: Table, failed: Collection[int], mended: Table) -> bytes:
    """The file anew, as CSV: its good rows as they were, the mended ones where the failed ones stood, new ones last.

    A failed row that the mended file leaves out is left out.
    """
    sorts = {name: sort_of(hint) for name, hint in fields_of(kind.shape).items()}
    columns = own_columns(table) + [name for name in own_columns(mended) if name not in table.columns]
    places: dict[int, list[Row]] = {}
    last: list[Row] = []
    for row in mended.rows:
        line = str(row.cells.get(LINE, "")).removesuffix(".0")
        (places.setdefault(int(line), []) if line.isdecimal() and int(line) in failed else last).append(row)
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(columns)
    for row in table.rows:
        for one in places.get(row.line, []) if row.line in failed else [row]:
            writer.writerow(written(one, columns, sorts))
    for one in last:
        writer.writerow(written(one, columns, sorts))
    return target.getvalue().encode()


def written(row: Row, columns: Sequence[str], sorts: Mapping[str, Sort]) -> list[str]:
    return [guarded(in_text(row.cells[name], sorts.get(name, "text"))) if name in row.cells else "" for name in columns]


def in_text(cell: Cell, sort: Sort) -> str:
    """A cell as CSV holds it: a spreadsheet's number or day as the field takes it, so that nothing changes on the way."""
    try:
        value: Any = value_of(cell, sort)
    except NumberInIdentifier:
        value = cell
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ";".join(value)
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    return str(value)
