"""What a reader asks of the report on commitments, read from the address and written back into it: filters, what a month
is split by, and the order of each of its tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request

from app.core.errors import FieldError
from app.fulfillment.queries import report
from app.fulfillment.queries.report import AgainOut, Asked, Dimension, MissOut, TallyOut
from app.web.render import Words
from app.web.tables.asked import BadFilter
from app.web.tables.computed import Order, Sorting, Value, head, order_in
from app.web.tables.listing import Kind
from app.web.tables.shown import Head
from app.web.words import PRIORITY

PAGE = "/reports"
FILTERS = ("contract", "area", "part", "priority")
TALLIES = {
    "lines": "Request lines",
    "two_hour_hit_rate": "2-hour hit rate",
    "two_hour_coverage": "2-hour coverage",
    "national": "dispatched within 8 hours",
    "missed": "not kept",
    "failed_again": "failed again",
    "escalated": "told to the managers",
    "canceled": "called off",
    "open": "not due yet",
}
LATE = {
    "request": "Request",
    "customer": "Customer",
    "device_serial": "Device",
    "part_number": "Part",
    "priority": "Priority",
    "kind": "Promise",
    "due_at": "Due",
    "late_s": "Late",
    "why": "Reason",
}
AGAIN = {
    "request": "Request",
    "device_serial": "Device",
    "position": "Position",
    "part_number": "Part",
    "failed_at": "Failed",
    "days": "Days after",
    "earlier_request": "Repair before",
}
ORDERS = {
    "sort_months": (("month", *TALLIES), "-month"),
    "sort_groups": (("group", *TALLIES), "group"),
    "sort_misses": (tuple(LATE), "due_at"),
    "sort_again": (tuple(AGAIN), "-failed_at"),
}
"""The report's tables by the word that sorts each in an address: its columns, and the order it has unasked."""
KINDS: Mapping[str, Kind] = {
    "device_serial": "code",
    "part_number": "code",
    "due_at": "instant",
    "failed_at": "instant",
    "late_s": "quantity",
    "days": "quantity",
    **dict.fromkeys(TALLIES, "quantity"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The report as it is asked for; `month` as `2026-10`, empty: the newest with a line."""

    asked: Asked
    by: Dimension
    month: str
    orders: Mapping[str, Order]

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name, value in self.asked.binds.items() if value}

    @property
    def sorts(self) -> dict[str, str]:
        """The order of each table that has not its own."""
        return {name: one.by for name, one in self.orders.items() if one.by != ORDERS[name][1]}

    def query(self, **changes: str | None) -> str:
        """The address's words with some changed (None: left out); a saved view keeps them without the month."""
        words = {"by": self.by, **self.filters, **self.sorts, **changes}
        return urlencode({name: value for name, value in words.items() if value})

    def address(self, **changes: str | None) -> str:
        return f"{PAGE}?{self.query(**{'month': self.month, **changes})}"

    def heads(self, name: str, labels: Mapping[str, str]) -> tuple[Head, ...]:
        """The heads of a table, each with the address that sorts by it."""
        where = name.removeprefix("sort_")

        def sorted_by(order: str) -> str:
            return f"{self.address(**{name: order})}#{where}"

        return tuple(
            head(key, label, KINDS.get(key, "text"), self.orders[name], sorted_by) for key, label in labels.items()
        )


def shown_by(request: Request[Any, Any, Any]) -> Shown:
    """Read an address. Raises BadFilter, BadSort, BadMonth."""
    params = request.query_params
    given = {name: params.get(name) or None for name in FILTERS}
    by, month = params.get("by") or "contract", params.get("month") or ""
    found = next((one for one in report.DIMENSIONS if one == by), None)
    if found is None or (given["priority"] is not None and given["priority"] not in PRIORITY):
        raise BadFilter(errors=[FieldError("by" if found is None else "priority", "field.bad", {"why": str(by)[:60]})])
    if month:
        report.month_of(month)
    orders = {name: order_in(params.get(name), keys, default) for name, (keys, default) in ORDERS.items()}
    return Shown(asked=Asked(**given), by=found, month=month, orders=orders)


def tally_value(one: TallyOut, key: str) -> Value:
    if key == "national":
        return one.national_met / one.national_promised if one.national_promised else None
    return getattr(one, key)  # type: ignore[no-any-return]


def by_priority(one: TallyOut, key: str) -> Value:
    """The same where the groups are priorities: the least pressing first."""
    return rank(one.group) if key == "group" else tally_value(one, key)


def miss_value(one: MissOut, key: str) -> Value:
    match key:
        case "request":
            return one.ticket or one.request[-8:]
        case "priority":
            return rank(one.priority)
        case "due_at":
            return int(one.due_at.timestamp() * 1000)
        case _:
            return getattr(one, key)  # type: ignore[no-any-return]


def again_value(one: AgainOut, key: str) -> Value:
    match key:
        case "request":
            return one.ticket or one.request[-8:]
        case "earlier_request":
            return one.earlier_ticket or one.earlier_request[-8:]
        case "failed_at":
            return int(one.failed_at.timestamp() * 1000)
        case _:
            return getattr(one, key)  # type: ignore[no-any-return]


def rank(priority: str | None) -> int | None:
    return next((place for place, one in enumerate(PRIORITY) if one == priority), None)


def group_sorting(by: Dimension) -> Sorting[TallyOut]:
    return Sorting(value=by_priority if by == "priority" else tally_value, identity=lambda one: one.group or "")


MONTHS: Sorting[TallyOut] = Sorting(value=tally_value, identity=lambda one: one.month)
MISSES: Sorting[MissOut] = Sorting(value=miss_value, identity=lambda one: one.line)
REPEATED: Sorting[AgainOut] = Sorting(value=again_value, identity=lambda one: f"{one.line} {one.earlier_request}")


def labels_of(say: Words, first: tuple[str, str] | None = None) -> dict[str, str]:
    """A table of figures by its columns' keys, the column of names first."""
    return dict([first] if first else []) | {key: say(TALLIES[key]) for key in TALLIES}


def late_labels(say: Words) -> dict[str, str]:
    return {key: say(LATE[key]) for key in LATE}


def again_labels(say: Words) -> dict[str, str]:
    return {key: say(AGAIN[key]) for key in AGAIN}
