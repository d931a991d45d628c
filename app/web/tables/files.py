"""A list as a sheet for `app/web/sheets.py`: the columns shown, their values typed, zones in a column of their own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Literal
from zoneinfo import ZoneInfo

from litestar.response import Stream

from app.core.money import Money
from app.web.render import HEADERS
from app.web.sheets import Column as SheetColumn
from app.web.sheets import Kind as SheetKind
from app.web.sheets import Sheet, Value, csv_pieces, pieces_of, xlsx_file
from app.web.tables.asked import Asked
from app.web.tables.listing import BESIDE, Column, Kind
from app.web.tables.shown import Tell, text_of

Ending = Literal["csv", "xlsx"]
IN_MEMORY = 4 * 1024 * 1024
MEDIA: Mapping[Ending, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
KINDS: Mapping[Kind, SheetKind] = {"money": "money", "quantity": "whole", "date": "date", "instant": "instant"}


def columns_of(asked: Asked, tell: Tell) -> tuple[SheetColumn, ...]:
    """The columns as shown; beside each amount stands its currency, beside each instant its zone."""
    found = []
    for one in asked.columns:
        label, kind = tell(one.label), KINDS.get(one.kind, "text")
        beside = f"{label} · {tell(BESIDE[one.kind])}" if one.kind in BESIDE else ""
        found.append(SheetColumn(key=one.key, label=label, kind=kind, currency=beside, zone=None))
        if one.kind == "instant":
            found.append(SheetColumn(key=f"{one.key}_zone", label=beside))
    return tuple(found)


def values_of(row: Any, asked: Asked, tell: Tell) -> list[Value]:
    """A row's values in the order of `columns_of`."""
    facts, found = row._mapping, list[Value]()
    for one in asked.columns:
        value = facts[one.key]
        found.append(value_of(one, value, facts, tell))
        if one.kind == "instant":
            found.append(None if value is None else facts.get("zone") or "UTC")
    return found


def value_of(column: Column, value: Any, facts: Mapping[str, Any], tell: Tell) -> Value:
    """A value as files hold it: amounts and counts as numbers, instants on the wall clock of their zone."""
    match value:
        case None:
            return None
        case datetime():
            return local(value, facts.get("zone"))
        case date():
            return value
        case int() | Decimal() if column.kind == "money":
            return Money(int(value), facts[column.currency])
        case int() | Decimal():
            return int(value)
        case _:
            return text_of(column, value, facts, tell)


def local(instant: datetime, zone: str | None) -> datetime:
    """An instant on a zone's wall clock."""
    return instant.astimezone(ZoneInfo(zone or "UTC"))


async def written(sheet: Sheet, ending: Ending) -> IO[bytes]:
    """The whole file, at its beginning, on disk once it is large: nobody's slow line holds a transaction open."""
    if ending == "xlsx":
        return await xlsx_file(sheet)
    file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - whoever sends it closes it
    async for piece in csv_pieces(sheet):
        file.write(piece)
    file.seek(0)
    return file


def sent(file: IO[bytes], name: str, ending: Ending) -> Stream:
    """A written file as an answer that is saved under a name."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    return Stream(pieces_of(file), media_type=MEDIA[ending], headers=headers)


def ending_of(path: str) -> Ending:
    return "xlsx" if path.endswith(".xlsx") else "csv"


async def rows_of(found: AsyncIterator[Any], asked: Asked, tell: Tell) -> AsyncIterator[Sequence[Value]]:
    """Database rows as rows of a sheet, one by one."""
    async for row in found:
        yield values_of(row, asked, tell)
