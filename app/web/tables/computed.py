"""Lists whose rows are computed rather than read from one statement: sorted by their heads like every list, empty values
last whichever way is sorted, pages by the last row's place."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.core.keyset import BadCursor, decode, encode
from app.web.tables.asked import LONGEST, BadSort
from app.web.tables.listing import NUMBERS, Kind
from app.web.tables.shown import Head, turned

Value = str | int | float | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a list is sorted by, and which way."""

    key: str
    descending: bool

    @property
    def by(self) -> str:
        """As an address says it: `due`, `-due`."""
        return ("-" if self.descending else "") + self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorting(Generic[T]):
    """How rows of one kind are compared: by a column's value, rows alike by what no two of them share."""

    value: Callable[[T, str], Value]
    identity: Callable[[T], str]

    def place(self, row: T, order: Order) -> tuple[Value, str]:
        return self.value(row, order.key), self.identity(row)

    def sort(self, rows: Sequence[T], order: Order) -> list[T]:
        """All rows in an order."""
        empty = [one for one in rows if self.value(one, order.key) is None]
        filled = [one for one in rows if self.value(one, order.key) is not None]

        def place(row: T) -> Any:
            return self.place(row, order)

        return [
            *sorted(filled, key=place, reverse=order.descending),
            *sorted(empty, key=self.identity, reverse=order.descending),
        ]

    def page(self, rows: Sequence[T], order: Order, *, after: str | None, size: int) -> tuple[list[T], str | None]:
        """One page of them, and the cursor of the next. A cursor that is not ours is BadCursor."""
        kind: Any = Value
        last = decode(after, kind, str) if after else None
        placed = self.sort(rows, order)
        rest = [one for one in placed if last is None or follows(self.place(one, order), last, order)]
        following = encode(self.place(rest[size - 1], order)) if len(rest) > size else None
        return rest[:size], following


def order_in(written: str | None, keys: Collection[str], default: str) -> Order:
    """The order that an address asks for, or BadSort."""
    asked = written or default
    key = asked.removeprefix("-")
    if key not in keys:
        raise BadSort(sort=asked[:LONGEST])
    return Order(key=key, descending=asked.startswith("-"))


def follows(place: tuple[Any, str], last: tuple[Any, str], order: Order) -> bool:
    """Whether a place comes after another in an order."""
    if place == last:
        return False
    if (place[0] is None) != (last[0] is None):
        return place[0] is None
    try:
        before = place[1] < last[1] if place[0] is None else place < last
    except TypeError as wrong:
        raise BadCursor from wrong
    return before == order.descending


def head(key: str, label: str, kind: Kind, order: Order, address: Callable[[str], str]) -> Head:
    """A column's head; `address` says where an order of this list is shown."""
    mine = key == order.key
    return Head(
        key=key,
        label=label,
        kind=kind,
        sort=address(turned(key, mine=mine, descending=order.descending, number=kind in NUMBERS)),
        sorted=("descending" if order.descending else "ascending") if mine else None,
        chosen=True,
    )
