"""What a list is: its columns, its filters and where its rows come from, as plain values that cannot be wrong at run time.

An author's SQL stands only here, in `sql`, `source` and `where`; what people send is never part of a statement.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from app.web.views import Standing

Kind = Literal["text", "code", "date", "instant", "money", "quantity", "state", "link"]
FilterKind = Literal["search", "is", "choice", "dates"]
NUMBERS: tuple[Kind, ...] = ("money", "quantity")
TYPES: Mapping[Kind, tuple[type, str]] = {
    "text": (str, "text"),
    "code": (str, "text"),
    "date": (date, "date"),
    "instant": (datetime, "timestamptz"),
    "money": (int, "bigint"),
    "quantity": (int, "bigint"),
    "state": (str, "text"),
    "link": (str, "text"),
}
"""How a kind's values come back out of a cursor, and what they are bound as."""
OWN_WORDS = frozenset(("sort", "cols", "after", "size"))
"""Names in an address that every list keeps for itself."""
BESIDE: Mapping[Kind, str] = {"money": "currency", "instant": "zone"}
"""What a file says in a column of its own beside a column of a kind."""


class WrongListing(ValueError):
    """A list that was declared wrongly; found when its module is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `sql` is its expression over the list's source; `label` is an English sentence (a message id).

    money: whole minor units, its currency in the fact that `currency` names. state: codes told by `words`, marked by
    `standing`. instant: told in the zone that the fact `zone` names (UTC without one). `href` is an address of ours in which
    `{name}` stands for another column or fact; no link where that is empty. `sums` adds the column up below the rows.
    A column that is never NULL says `nullable=False`, so that an index can page through it.
    """

    key: str
    label: str
    sql: str
    kind: Kind = "text"
    words: Mapping[str, str] | None = None
    standing: Mapping[str, Standing] | None = None
    href: str | None = None
    currency: str = "currency"
    sums: bool = False
    sorts: bool = True
    nullable: bool = True
    shown: bool = True
    """Whether it is shown until the reader chooses columns."""

    @property
    def is_number(self) -> bool:
        return self.kind in NUMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter over an expression: `search` (contains, in any case), `is` (exactly), `choice` (one or several of
    `words`), `dates` (from a day to a day, both within; `sql` is a date)."""

    key: str
    label: str
    kind: FilterKind
    sql: str
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Its names in an address."""
        return (f"{self.key}_from", f"{self.key}_to") if self.kind == "dates" else (self.key,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list that people filter, sort, save, print and export. `page` is its address and the name its views are kept
    under; exports lie beside it (`/finance/charges.csv`).

    `source` is what follows FROM, `where` what always holds: the asker's scope stands there, by the binds of
    `actor.scope` and of `binds` given at the door. `id` is an expression that no two rows share; it breaks ties.
    `facts` are further expressions that rows carry for links, currencies and zones. `order` is a column's key, with a
    `-` before it for descending. `also` are names in the address that the page itself reads: they are kept in every
    link. `empty` says what would fill the list.
    """

    page: str
    title: str
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...]
    source: str
    where: str
    id: str
    order: str
    empty: str
    facts: Mapping[str, str] = field(default_factory=dict)
    id_type: type = str
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [one.key for one in self.columns] + list(self.facts)
        asked = [name for one in self.filters for name in one.names] + list(self.also)
        for name in (*names, *asked):
            if not re.fullmatch(r"[a-z][a-z_]*", name):
                raise WrongListing(f"{self.page}: {name} is no name")
        if len({*names}) < len(names) or len({*asked} - OWN_WORDS) < len(asked):
            raise WrongListing(f"{self.page}: a name stands for two things")
        if not self.column(self.order.removeprefix("-")).sorts:
            raise WrongListing(f"{self.page}: {self.order} does not sort")
        if any(one.kind == "money" and one.currency not in names for one in self.columns):
            raise WrongListing(f"{self.page}: money needs its currency")

    def column(self, key: str) -> Column:
        found = next((one for one in self.columns if one.key == key), None)
        if found is None:
            raise WrongListing(f"{self.page} has no column {key}")
        return found

    def sql_of(self, name: str) -> str:
        """The expression of a fact or column."""
        return self.facts.get(name) or self.column(name).sql

    def messages(self) -> Iterator[str]:
        """Every message id that the list shows."""
        yield from (self.title, self.empty, *BESIDE.values())
        for column in self.columns:
            yield column.label
            yield from (column.words or {}).values()
        for one in self.filters:
            yield one.label
            yield from one.words.values()
