"""Lists as files: CSV for programs and people, XLSX with real numbers and dates. Written to disk row by row, then sent."""

import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Literal
from zoneinfo import ZoneInfo

import xlsxwriter

from app.core.money import Money
from app.web.tables.asked import Asked
from app.web.tables.listing import BESIDE, Column
from app.web.tables.shown import Tell, text_of

Value = str | int | float | Decimal | date | datetime | None
Ending = Literal["csv", "xlsx"]
IN_MEMORY = 4 * 1024 * 1024
MEDIA: dict[Ending, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST_ROWS = 1_000_000
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A list as a file holds it: a title, the heads of its columns, rows of plain values."""

    title: str
    columns: Sequence[str]
    rows: AsyncIterator[Sequence[Value]]


def heads_of(asked: Asked, tell: Tell) -> list[str]:
    """The columns as shown; beside each amount stands its currency, beside each instant its zone."""
    found = []
    for one in asked.columns:
        found.append(tell(one.label))
        if one.kind in BESIDE:
            found.append(f"{tell(one.label)} · {tell(BESIDE[one.kind])}")
    return found


def values_of(row: Any, asked: Asked, tell: Tell) -> list[Value]:
    """A row's values in the order of `heads_of`."""
    facts, found = row._mapping, list[Value]()
    for one in asked.columns:
        value = facts[one.key]
        found.append(value_of(one, value, facts, tell))
        if one.kind == "money":
            found.append(None if value is None else facts[one.currency])
        elif one.kind == "instant":
            found.append(None if value is None else facts.get("zone") or "UTC")
    return found


def value_of(column: Column, value: Any, facts: Any, tell: Tell) -> Value:
    """A value as files hold it: amounts and counts as numbers, instants on the wall clock of their zone."""
    match value:
        case None:
            return None
        case datetime():
            return local(value, facts.get("zone"))
        case date():
            return value
        case int() | Decimal() if column.kind == "money":
            return Decimal(Money(int(value), facts[column.currency]).amount)
        case int() | Decimal():
            return int(value)
        case _:
            return text_of(column, value, facts, tell)


def local(instant: datetime, zone: str | None) -> datetime:
    """An instant on a zone's wall clock, as spreadsheets know times."""
    return instant.astimezone(ZoneInfo(zone or "UTC")).replace(tzinfo=None)


async def written(sheet: Sheet, ending: Ending) -> IO[bytes]:
    """The file, at its beginning, on disk once it is large."""
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - whoever sends it closes it
    await (write_csv if ending == "csv" else write_xlsx)(sheet, file)
    file.seek(0)
    return file


async def write_csv(sheet: Sheet, file: IO[bytes]) -> None:
    """UTF-8 with its mark, so that a spreadsheet reads Chinese; nothing in it can be taken for a formula (T134)."""
    words = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    rows = csv.writer(words)
    rows.writerow([plain(one) for one in sheet.columns])
    async for row in sheet.rows:
        rows.writerow([plain(one) for one in row])
    words.detach()


def plain(value: Value) -> str:
    """A value as CSV holds it. Text that begins like a formula, or like our mark, gets the mark `'`, which the importers
    take off again."""
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
        case str():
            return f"'{value}" if value.startswith(FORMULA) else value
        case _:
            return str(value)


async def write_xlsx(sheet: Sheet, file: IO[bytes]) -> None:
    """Typed cells: text is never a formula, numbers add up, dates sort."""
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd", "strings_to_formulas": False}
    book = xlsxwriter.Workbook(file, options | {"strings_to_urls": False, "strings_to_numbers": False})
    bold, instant, day = (
        book.add_format(one)
        for one in ({"bold": True}, {"num_format": "yyyy-mm-dd hh:mm"}, {"num_format": "yyyy-mm-dd"})
    )
    page = book.add_worksheet(sheet_name(sheet.title))
    page.freeze_panes(1, 0)
    page.set_column(0, max(0, len(sheet.columns) - 1), 16)
    for at, head in enumerate(sheet.columns):
        page.write_string(0, at, head, bold)
    number = 0
    async for row in sheet.rows:
        number += 1
        for at, value in enumerate(row):
            match value:
                case None:
                    pass
                case datetime():
                    page.write_datetime(number, at, value, instant)
                case date():
                    page.write_datetime(number, at, value, day)
                case str():
                    page.write_string(number, at, value)
                case _:
                    page.write_number(number, at, value)
    page.autofilter(0, 0, number, max(0, len(sheet.columns) - 1))
    book.close()


def sheet_name(title: str) -> str:
    """What a spreadsheet takes as a sheet's name."""
    return "".join("-" if one in "[]:*?/\\" else one for one in title)[:31] or "1"


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """A file's bytes, piece by piece; closed at the end."""
    try:
        while piece := file.read(65536):
            yield piece
    finally:
        file.close()
