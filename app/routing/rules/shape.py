"""JSON values as frozen values: types and bounds as annotated, and no name that is unknown, since it may be a misspelt one."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec


def shaped(raw: Any, kind: type) -> Any:
    """The value, made by `kind`; raises ValueError and says where what is wrong."""
    value: Any = msgspec.convert(raw, kind)
    for stranger in _strangers(raw, kind, "$"):
        raise ValueError(stranger)
    return value


def _strangers(raw: Mapping[str, Any], kind: type, where: str) -> Iterator[str]:
    """Names in objects that their kind does not have."""
    known, below = _names(kind)
    if not raw.keys() <= known:
        yield from (f"unexpected field `{name}` - at `{where}`" for name in raw if name not in known)
    for name, inner in below.items():
        value = raw.get(name)
        if isinstance(value, Mapping):
            yield from _strangers(value, inner, f"{where}.{name}")
        elif isinstance(value, list | tuple):
            for at, one in enumerate(value):
                yield from _strangers(one, inner, f"{where}.{name}[{at}]")


@cache
def _names(kind: type) -> tuple[frozenset[str], dict[str, type]]:
    """A data class's fields, and those that hold objects, one or a list of them, with their kind."""
    below = {}
    for name, hint in get_type_hints(kind).items():
        for one in (hint, *get_args(hint)):
            if is_dataclass(one) and isinstance(one, type):
                below[name] = one
    return frozenset(each.name for each in fields(kind)), below
