"""From a cell to the value a field takes: by the field's type alone, the same for every kind of import."""

import re
from datetime import date, datetime, time
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from app.core.types import Code
from app.integrations.imports.table import Cell

Sort = Literal["identifier", "text", "whole", "number", "yes_no", "list", "nested"]
WHOLE = re.compile(r"[+-]?\d{1,18}\Z")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
CODE_META = get_args(Code)[1:]
YES_NO = {"true": True, "false": False}


class NumberInIdentifier(Exception):
    """A spreadsheet's number where an identifier belongs: 00123 is lost already (T127)."""


def sort_of(hint: Any) -> Sort:
    """What kind of cell a field's annotation asks for."""
    if get_origin(hint) is Annotated:
        inner, *meta = get_args(hint)
        return "identifier" if tuple(meta) == CODE_META else sort_of(inner)
    if get_origin(hint) in (Union, UnionType):
        sorts = [sort_of(one) for one in get_args(hint) if one is not type(None)]
        return next((one for one in sorts if one in ("nested", "list")), sorts[0])
    if get_origin(hint) is list:
        item = sort_of(get_args(hint)[0])
        return "nested" if item in ("nested", "list") else "list"
    if get_origin(hint) in (dict, tuple) or (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        return "nested"
    return {bool: "yes_no", int: "whole", float: "number"}.get(hint, "text")  # type: ignore[return-value]


def value_of(cell: Cell, sort: Sort) -> Any:
    """The value for msgspec to judge; what does not look right stays text, so that the field's own error names it.

    Raises NumberInIdentifier.
    """
    if isinstance(cell, str):
        return _of_text(cell, sort)
    if isinstance(cell, date | datetime | time):
        return [_of_day(cell)] if sort == "list" else _of_day(cell)
    if sort in ("identifier", "list"):
        raise NumberInIdentifier
    if isinstance(cell, bool):
        return cell if sort == "yes_no" else str(cell).lower()
    return _of_number(cell, sort)


def _of_text(cell: str, sort: Sort) -> Any:
    match sort:
        case "whole" if WHOLE.match(cell):
            return int(cell)
        case "number" if NUMBER.match(cell):
            return float(cell)
        case "yes_no":
            return YES_NO.get(cell.lower(), cell)
        case "list" if not cell.startswith("["):
            return [item for one in cell.split(";") if (item := one.strip())]
        case "list" | "nested" if cell.startswith(("[", "{")):
            try:
                return msgspec.json.decode(cell)
            except (msgspec.DecodeError, RecursionError):
                return cell
    return cell


def _of_number(cell: int | float, sort: Sort) -> Any:
    """Spreadsheets know no whole numbers; where text is due (an amount), the shortest form of the number is meant."""
    whole = float(cell).is_integer()
    if sort == "whole":
        return int(cell) if whole else cell
    if sort == "number":
        return float(cell)
    return str(int(cell)) if whole and abs(cell) < 1e15 else repr(cell)


def _of_day(cell: date | datetime | time) -> str:
    if isinstance(cell, time):
        return cell.isoformat("minutes")
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return cell.isoformat()
