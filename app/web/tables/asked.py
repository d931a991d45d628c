"""What a reader asks of a list, read from the address and written back into it: the whole state can be linked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from app.core.errors import BadRequest, FieldError
from app.core.keyset import BadCursor, capped, decode, encode
from app.core.types import EARLIEST, LATEST
from app.web.tables.listing import TYPES, Column, Filter, Listing

LONGEST = 200


class BadSort(BadRequest):
    """No column by that name sorts here."""

    code = "web.table_bad_sort"


class BadFilter(BadRequest):
    """A filter holds what it cannot mean."""

    code = "web.table_bad_filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A list as it is asked for: every filter's values by its names in the address, order, columns, place, page size."""

    listing: Listing
    values: Mapping[str, tuple[str, ...]]
    sort: Column
    descending: bool
    columns: tuple[Column, ...]
    after: str | None
    size: int

    @property
    def by(self) -> str:
        return ("-" if self.descending else "") + self.sort.key

    def of(self, one: Filter) -> tuple[str, ...]:
        return self.values.get(one.key, ())

    def address(self, **changes: Sequence[str] | str | None) -> str:
        """This list's address with some of its words changed (None: left out). The place in the list goes unless asked
        for; an address without any word would open the reader's own view, so the order is written where nothing is."""
        return f"{self.listing.page}?{self.query(**changes)}"

    def query(self, **changes: Sequence[str] | str | None) -> str:
        words: dict[str, Sequence[str] | str | None] = {**self.values, **self.shape, **changes}
        pairs = [
            (name, one) for name, value in words.items() for one in ([value] if isinstance(value, str) else value or ())
        ]
        return urlencode(pairs) if pairs else urlencode({"sort": self.by})

    @property
    def shape(self) -> dict[str, str | None]:
        """Order, columns and page size, where they are not the list's own."""
        chosen = [one.key for one in self.columns]
        return {
            "sort": self.by if self.by != self.listing.order else None,
            "cols": ",".join(chosen) if chosen != default_columns(self.listing) else None,
            "size": str(self.size) if self.size != capped(None) else None,
        }

    def cursor(self, row: Any) -> str:
        """Where the next page begins, after this row."""
        return encode([getattr(row, self.sort.key), row.row_id])

    def start(self) -> tuple[Any, Any] | None:
        """Sort value and id of the row before this page. A value may be empty; anything else not ours is BadCursor."""
        if self.after is None:
            return None
        kind: Any = TYPES[self.sort.kind][0]
        value, row_id = decode(self.after, kind | None, self.listing.id_type)
        if value is None and not self.sort.nullable:
            raise BadCursor
        return value, row_id


def default_columns(listing: Listing) -> list[str]:
    return [one.key for one in listing.columns if one.shown]


def asked_for(listing: Listing, pairs: Sequence[tuple[str, str]]) -> Asked:
    """Read an address's words. Raises BadSort, BadFilter, BadLimit; columns that are no more are left out (a view that
    was saved before must still open); words of other parts of a page are not looked at."""
    words: dict[str, list[str]] = {}
    for name, value in pairs:
        if value:
            words.setdefault(name, []).append(value)
    values = {name: tuple(words[name]) for one in listing.filters for name in one.names if name in words}
    for one in listing.filters:
        check(one, values)
    values |= {name: tuple(words[name][:1]) for name in listing.also if name in words}
    order = words.get("sort", [listing.order])[-1]
    sort = next((one for one in listing.columns if one.key == order.removeprefix("-") and one.sorts), None)
    if sort is None:
        raise BadSort(sort=order[:LONGEST])
    wanted = {key for one in words.get("cols", ()) for key in one.split(",")}
    columns = tuple(one for one in listing.columns if (one.key in wanted if wanted else one.shown))
    size = words.get("size", ["0"])[-1]
    if not size.isascii() or not size.isdecimal():
        raise BadFilter(errors=[FieldError("size", "field.bad", {"why": size[:LONGEST]})])
    return Asked(
        listing=listing,
        values=values,
        sort=sort,
        descending=order.startswith("-"),
        columns=columns or tuple(one for one in listing.columns if one.shown),
        after=words.get("after", [None])[-1],
        size=capped(min(int(size[:9]), 10**6) or None),
    )


def asked_in(listing: Listing, query: str) -> Asked:
    """The same from a stored query."""
    return asked_for(listing, parse_qsl(query))


def check(one: Filter, values: Mapping[str, tuple[str, ...]]) -> None:
    for name in one.names:
        for value in values.get(name, ()):
            right = len(value) <= LONGEST and (one.kind != "choice" or value in one.words)
            if one.kind == "dates":
                right = day_of(value) is not None
            if not right:
                raise BadFilter(errors=[FieldError(name, "field.bad", {"why": value[:LONGEST]})])


def day_of(value: str) -> date | None:
    """A day as `2026-10-31`, within the years that are counted with."""
    try:
        day = date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        return None
    return day if day and EARLIEST <= day.year <= LATEST else None


def everything(asked: Asked) -> Asked:
    """The same list from its first row."""
    return replace(asked, after=None)
