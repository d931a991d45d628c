"""Types of the wire: what JSON may hold before anything else looks at it."""

import re
from datetime import date, datetime
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

NO_NUL = r"^[^\x00\ud800-\udfff]*\Z"
NO_CONTROL = r"^[^\x00-\x1f\x7f\ud800-\udfff]*\Z"

Instant = Annotated[datetime, Meta(tz=True)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Text = Annotated[str, Meta(max_length=2000, pattern=NO_NUL)]
Words = Annotated[str, Meta(min_length=1, max_length=2000, pattern=NO_NUL)]
"""A text that must say something, as a reason that is kept."""
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_CONTROL)]
Code = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x20\x7f/\ud800-\udfff]+\Z")]
"""What names a thing, also in an address: no blanks, no slash."""
Reference = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x20\x7f\ud800-\udfff]+\Z")]
"""A name given by others, as a ticket's number or a scan: anything printable without blanks."""
Timezone = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+\-/]+\Z")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
Amount = Annotated[str, Meta(pattern=r"^\d{1,12}(\.\d{1,3})?\Z")]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class Wire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A shape on the wire. Unknown fields are refused; a field that may be empty is null, never absent."""


class MoneyOut(Wire):
    """`{"amount": "1280.00", "currency": "CNY"}`."""

    amount: str
    currency: str


EARLIEST, LATEST = 1970, 2200


def out_of_time(value: Any, path: str = "") -> list[str]:
    """Paths of dates and instants outside 1970 to 2200: no promise reaches there, and sums with them overflow."""
    if isinstance(value, date):
        return [] if EARLIEST <= value.year <= LATEST else [path]
    if isinstance(value, msgspec.Struct):
        fields = ((one.encode_name, getattr(value, one.name)) for one in msgspec.structs.fields(value))
        return [wrong for name, one in fields for wrong in out_of_time(one, _join(path, name))]
    if isinstance(value, list) and value and not isinstance(value[0], str | int):
        return [wrong for at, one in enumerate(value) for wrong in out_of_time(one, _join(path, str(at)))]
    return []


def wrong_fields(raw: Any, shape: Any, *, strict: bool = True) -> list[tuple[str, str]]:
    """Every field of `raw` that does not fit `shape`, as (path, message); msgspec itself stops at the first.

    Not strict, a text may stand for a number, a yes or a no, as in a form.

    A second pass, run only for input that was refused already, so its cost is no matter.
    """
    found: list[tuple[str, str]] = []
    _look(raw, shape, "", found, strict)
    return found


def _look(raw: Any, shape: Any, path: str, found: list[tuple[str, str]], strict: bool) -> None:
    inner = _container(shape) if raw is not None else None
    if inner is not None and get_origin(inner) is list and isinstance(raw, list):
        before = len(found)
        for at, item in enumerate(raw):
            _look(item, get_args(inner)[0], _join(path, str(at)), found, strict)
        if len(found) == before:  # the items fit; their number may not
            _fit(raw, shape, path, found, strict)
    elif isinstance(inner, type) and issubclass(inner, msgspec.Struct) and isinstance(raw, dict):
        hints = get_type_hints(inner, include_extras=True)
        known = {one.encode_name: one for one in msgspec.structs.fields(inner)}
        found.extend((_join(path, name), "field.unknown") for name in raw if name not in known)
        for name, one in known.items():
            if name in raw:
                _look(raw[name], hints[one.name], _join(path, name), found, strict)
            elif one.required:
                found.append((_join(path, name), "field.required"))
    else:
        _fit(raw, shape, path, found, strict)


def _fit(raw: Any, shape: Any, path: str, found: list[tuple[str, str]], strict: bool) -> None:
    try:
        msgspec.convert(raw, shape, strict=strict)
    except msgspec.ValidationError as wrong:
        found.append((path, re.sub(r" - at `.*`$", "", str(wrong))))


def _container(shape: Any) -> Any:
    """The one struct or list type in an annotation, if there is just one."""
    while get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) in (Union, UnionType):
        inner = [one for one in map(_container, get_args(shape)) if one is not None]
        return inner[0] if len(inner) == 1 else None
    if get_origin(shape) is list or (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        return shape
    return None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
