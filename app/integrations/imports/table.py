"""A file as a table: headings, and rows with their line numbers. Text or spreadsheet, told by content; no meaning yet."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

from app.core.errors import FieldError
from app.integrations.imports.refusals import (
    BadHeadings,
    BrokenTable,
    FileTooLarge,
    LineTooLong,
    NoRows,
    OldSpreadsheet,
    UnknownEncoding,
    WrongEncoding,
)
from app.integrations.imports.sheet import cells_of_sheet

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 100
LONGEST_LINE = 1_000_000
ENCODINGS = ("utf-8", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be")
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
LINE, REASON = "import_line", "import_error"
"""Columns of our own report on a file; they may come back with it and are not its data."""
DANGEROUS = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")

Cell = str | int | float | bool | date | datetime | time


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it begins on, its filled cells by column, and how many cells stood beyond the last heading."""

    line: int
    cells: dict[str, Cell]
    beyond: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A table's headings in order, and its rows. `sheet` tells a spreadsheet, whose cells have addresses and types."""

    columns: list[str]
    rows: list[Row] = field(default_factory=list)
    sheet: bool = False

    def address(self, row: Row, column: str) -> str:
        """A cell's address as spreadsheets write it: `B7`."""
        at, letters = self.columns.index(column) + 1, ""
        while at:
            at, rest = divmod(at - 1, 26)
            letters = chr(65 + rest) + letters
        return f"{letters}{row.line}"


def read_table(raw: bytes, *, encoding: str | None = None) -> Table:
    """The table in a file's bytes. Raises the refusals of this room; a spreadsheet is opened in a child process."""
    if len(raw) > MOST_BYTES:
        raise FileTooLarge(what="bytes", limit=MOST_BYTES)
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise OldSpreadsheet
    if raw.startswith(b"PK\x03\x04"):
        return _table(cells_of_sheet(raw), sheet=True)
    return _table(_lines(_decoded(raw, encoding)), sheet=False)


def read_file(path: Path, *, encoding: str | None = None) -> Table:
    """The table in a file; what is too large is not even read."""
    if path.stat().st_size > MOST_BYTES:
        raise FileTooLarge(what="bytes", limit=MOST_BYTES)
    return read_table(path.read_bytes(), encoding=encoding)


def _decoded(raw: bytes, stated: str | None) -> str:
    """The text: by the stated encoding, by its mark, as UTF-8, or as Chinese.

    Almost any bytes are GB18030, so without being told it is believed only if all characters are everyday ones.
    """
    if stated is not None:
        try:
            return raw.decode("utf-8-sig" if stated.lower() in ("utf-8", "utf8") else stated).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError) as wrong:
            raise WrongEncoding(encoding=stated) from wrong
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError as wrong:
                raise WrongEncoding(encoding=encoding) from wrong
    if b"\x00" in raw:
        raise UnknownEncoding(encodings=list(ENCODINGS))
    for encoding in ("utf-8", "gb2312"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnknownEncoding(encodings=list(ENCODINGS))


def _lines(text: str) -> Iterator[tuple[int, list[Cell]]]:
    longest = max((len(line) for line in io.StringIO(text)), default=0)
    if longest > LONGEST_LINE:
        raise LineTooLong(limit=LONGEST_LINE)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, [_unguarded(cell) for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as broken:
        raise BrokenTable(line=begins, why=str(broken)) from broken


def guarded(text: str) -> str:
    """A text as our own files write it: a spreadsheet must not take it for a formula (T134)."""
    return f"'{text}" if DANGEROUS.match(text) else text


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and DANGEROUS.match(text) else text


def _table(lines: Iterator[tuple[int, list[Cell]]], *, sheet: bool) -> Table:
    first = next(lines, None)
    if first is None:
        raise NoRows
    columns = [str(cell).strip() for cell in first[1]]
    while columns and not columns[-1]:
        columns.pop()
    _check_headings(columns)
    table = Table(columns, sheet=sheet)
    for line, cells in lines:
        filled = {
            name: cell for name, cell in zip(columns, cells, strict=False) if not (isinstance(cell, str) and cell == "")
        }
        beyond = sum(1 for cell in cells[len(columns) :] if cell != "")
        if not filled and not beyond:
            continue
        if len(table.rows) == MOST_ROWS:
            raise FileTooLarge(what="rows", limit=MOST_ROWS)
        table.rows.append(Row(line, filled, beyond))
    if not table.rows:
        raise NoRows
    return table


def _check_headings(columns: list[str]) -> None:
    if len(columns) > MOST_COLUMNS:
        raise FileTooLarge(what="columns", limit=MOST_COLUMNS)
    errors = [FieldError(name, "imports.column_twice") for name in sorted(set(columns)) if columns.count(name) > 1]
    errors += [FieldError(str(at + 1), "imports.column_unnamed") for at, name in enumerate(columns) if not name]
    if errors:
        raise BadHeadings(errors=errors)
