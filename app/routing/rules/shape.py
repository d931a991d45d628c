"""JSON values as frozen values: types and bounds as annotated, and no name that is unknown, since it may be a misspelt one."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import msgspec


def shaped(raw: Any, kind: type) -> Any:
    """The value, made by `kind`; raises ValueError and says where what is wrong."""
    value: Any = msgspec.convert(raw, kind)
    for stranger in _strangers(raw, kind, "$"):
        raise ValueError(stranger)
    return value


def _strangers(raw: Any, kind: type, where: str) -> Iterator[str]:
    """Names in objects that their kind does not have."""
    hints, known = get_type_hints(kind), {each.name for each in fields(kind)}
    for name, value in raw.items():
        if name not in known:
            yield f"unexpected field `{name}` - at `{where}`"
            continue
        for below in _kinds(hints[name]):
            each = enumerate(value) if isinstance(value, list | tuple) else [("", value)]
            for at, one in each:
                if isinstance(one, Mapping):
                    yield from _strangers(one, below, f"{where}.{name}" + (f"[{at}]" if at != "" else ""))


def _kinds(hint: Any) -> Iterator[type]:
    """The data classes directly in a field: itself, one of several, or the items of a tuple."""
    if is_dataclass(hint) and isinstance(hint, type):
        yield hint
    else:
        for one in get_args(hint):
            if is_dataclass(one) and isinstance(one, type):
                yield one
