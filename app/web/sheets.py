"""A table as a file: CSV for programs, XLSX for people, both of the same typed value, row by row however many there are.

A cell is what its column says it is: text stays text (`00123`, `1E10`), amounts, counts and days are real ones, and no
text is ever taken for a formula (T134). What our importers read of such a file is what was written.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Literal
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

import xlsxwriter

from app.core.money import Money
from app.integrations.imports.table import guarded

Kind = Literal["text", "whole", "number", "money", "date", "instant"]
Value = str | int | float | Decimal | Money | date | datetime | None
Rows = Iterable[Sequence[Value]] | AsyncIterator[Sequence[Value]]

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PIECE = 64 * 1024
IN_MEMORY = 4 * 1024 * 1024
LONGEST_CELL = 32_767
MOST_ROWS = 1_048_575
NARROWEST, WIDEST = 10, 48
WIDTHS: dict[Kind, int] = {"text": 18, "whole": 10, "number": 12, "money": 14, "date": 12, "instant": 18}
FORMATS: dict[Kind, str] = {
    "text": "@",
    "whole": "0",
    "number": "General",
    "money": "#,##0.00",
    "date": "yyyy-mm-dd",
    "instant": "yyyy-mm-dd hh:mm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its label in the reader's words and what its cells are.

    Of `money` the amount stands in this column and the currency in one of its own, headed `currency`. An `instant` is
    told in CSV with its offset, in XLSX on the wall clock of `zone`, which the label should name; without a zone each
    one on the wall clock it comes with.
    """

    key: str
    label: str
    kind: Kind = "text"
    currency: str = ""
    zone: str | None = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table as it shall stand in a file. Each row has a value for each column; None leaves its cell empty."""

    title: str
    columns: tuple[Column, ...]
    rows: Rows


async def csv_pieces(sheet: Sheet) -> AsyncIterator[bytes]:
    """The table as CSV, in UTF-8 with its mark (or spreadsheets would not read Chinese), piece by piece."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([guarded(label) for label in _labels(sheet)])
    async for row in _each(sheet.rows):
        cells = zip(sheet.columns, row, strict=True)
        writer.writerow([text for column, value in cells for text in _as_csv(column, value)])
        if buffer.tell() >= PIECE:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


async def xlsx_file(sheet: Sheet) -> IO[bytes]:
    """The table as XLSX, at its beginning, on disk once it is large; whoever sends it closes it."""
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    styles = {kind: book.add_format({"num_format": form, "valign": "top"}) for kind, form in FORMATS.items()}
    page = book.add_worksheet(sheet_name(sheet.title))
    labels = _labels(sheet)
    page.freeze_panes(1, 0)
    page.repeat_rows(0)
    head = book.add_format({"bold": True, "bottom": 1})
    for at, (label, kind) in enumerate(zip(labels, _kinds(sheet), strict=True)):
        page.set_column(at, at, width_of(label, kind), styles[kind])
        page.write_string(0, at, label, head)
    number = 0
    async for row in _each(sheet.rows):
        number += 1
        if number > MOST_ROWS:
            break
        cells = zip(sheet.columns, row, strict=True)
        for at, (kind, one) in enumerate(part for column, value in cells for part in _as_cells(column, value)):
            _write(page, number, at, kind, one, styles[kind])
    page.autofilter(0, 0, min(number, MOST_ROWS), max(0, len(labels) - 1))
    await asyncio.to_thread(book.close)
    file.seek(0)
    return file


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """A file piece by piece; closed at its end."""
    with file:
        while piece := file.read(PIECE):
            yield piece


def sheet_name(title: str) -> str:
    """A title as a spreadsheet takes it for a sheet: no `[]:*?/\\`, no quote at either end, at most 31 characters."""
    return "".join(" " if one in "[]:*?/\\" else one for one in title)[:31].strip("' ") or "1"


def width_of(label: str, kind: Kind) -> int:
    """A column's width in characters; those of Chinese are two wide."""
    wide = sum(2 if east_asian_width(one) in "WF" else 1 for one in label) + 3
    return max(NARROWEST, min(WIDEST, max(wide, WIDTHS[kind])))


def _labels(sheet: Sheet) -> list[str]:
    return [
        label for one in sheet.columns for label in ((one.label, one.currency) if one.kind == "money" else (one.label,))
    ]


def _kinds(sheet: Sheet) -> list[Kind]:
    found: list[Kind] = []
    for one in sheet.columns:
        found += ["money", "text"] if one.kind == "money" else [one.kind]
    return found


async def _each(rows: Rows) -> AsyncIterator[Sequence[Value]]:
    if isinstance(rows, AsyncIterator):
        async for row in rows:
            yield row
    else:
        for row in rows:
            yield row


def _as_csv(column: Column, value: Value) -> Iterator[str]:
    match value:
        case None:
            yield from ("", "") if column.kind == "money" else ("",)
        case Money():
            yield from (value.amount, value.currency)
        case datetime():
            yield _on_its_clock(column, value).isoformat(timespec="seconds")
        case date():
            yield value.isoformat()
        case str():
            yield guarded(value.replace("\x00", ""))
        case _:
            yield str(value)


def _on_its_clock(column: Column, value: datetime) -> datetime:
    return value if column.zone is None else value.astimezone(ZoneInfo(column.zone))


def _as_cells(column: Column, value: Value) -> Iterator[tuple[Kind, Any]]:
    match value:
        case None if column.kind == "money":
            yield from (("money", None), ("text", None))
        case Money():
            yield from (("money", Decimal(value.amount)), ("text", value.currency))
        case datetime():
            yield "instant", _on_its_clock(column, value).replace(tzinfo=None)
        case _:
            yield column.kind, value


def _write(page: Any, number: int, at: int, kind: Kind, value: Any, style: Any) -> None:
    match value:
        case None:
            return
        case date():
            page.write_datetime(number, at, value, style)
        case str():
            page.write_string(number, at, value.replace("\x00", "")[:LONGEST_CELL], style)
        case _:
            page.write_number(number, at, value, style)
