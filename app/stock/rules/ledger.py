"""The double-entry ledger's arithmetic (S2): keys, layers, what pieces carry in value, how a chain is numbered.

Every piece leaves one place and enters another; a layer is a lot, a serial or a cost layer with its own value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from app.core.money import share

NO_CURRENCY = "XXX"
"""ISO 4217: no currency is involved, as pieces at no value have none."""


class Virtual(StrEnum):
    """Places without shelves (S1): they have no balance row, the ledger alone says what they hold."""

    SUPPLIER = "@supplier"
    ADJUSTMENT = "@adjustment"
    TRANSIT = "@transit"
    QUARANTINE = "@quarantine"
    REPAIR = "@repair"
    SCRAP = "@scrap"
    LOST = "@lost"
    CUSTOMER = "@customer"


class Condition(StrEnum):
    NEW = "new"
    REFURBISHED = "refurbished"
    DEFECTIVE = "defective"


class Why(StrEnum):
    """The reasons a movement can have; free words go into its note."""

    RECEIPT = "receipt"
    REPORTED = "reported"
    ISSUE = "issue"
    RETURN_UNUSED = "return_unused"
    RETURN_DEFECTIVE = "return_defective"
    LOST = "lost"
    SHIP = "ship"
    ARRIVE = "arrive"
    WRITE_OFF = "write_off"
    COUNT = "count"
    ADJUSTMENT = "adjustment"
    EXPIRED = "expired"
    LOAN = "loan"
    LOAN_BACK = "loan_back"
    REVALUE = "revalue"
    CORRECTION = "correction"


class Key(NamedTuple):
    """What one balance counts. Sorting keys is the one order in which their rows are locked (no deadlocks)."""

    place: str
    part: str
    condition: str = Condition.NEW
    genuine: bool = True


@dataclass(frozen=True, slots=True)
class Layer:
    """Pieces with one origin and one cost: quantity and value of all, and of those that are held.

    `value_minor` is the value of `quantity` pieces in minor units of `currency`; `reserved_minor` the part of it that
    holds have bound, so that a promised price is exactly the price at issue (P5).
    """

    id: int
    key: Key
    quantity: int
    value_minor: int
    currency: str
    received_at: datetime
    reserved: int = 0
    reserved_minor: int = 0
    lot: str | None = None
    serial: str | None = None
    expires_on: date | None = None
    rates: Mapping[str, str] = field(default_factory=dict)
    bin: str | None = None

    @property
    def free(self) -> int:
        return self.quantity - self.reserved

    @property
    def free_minor(self) -> int:
        return self.value_minor - self.reserved_minor


def value_between(layer: Layer, start: int, stop: int) -> int:
    """What the free pieces number `start` to `stop` (half-open) carry, in minor units.

    Differences of running shares: however the free pieces are cut, the cuts add up to the free value (P5).
    """
    before = share(layer.free_minor, layer.free, start) if start else 0
    return share(layer.free_minor, layer.free, stop) - before


def without_free(layer: Layer, quantity: int) -> tuple[Layer, int]:
    """Take free pieces out of a layer; gives the layer left and the value they carry away."""
    value = value_between(layer, 0, quantity)
    return replace(layer, quantity=layer.quantity - quantity, value_minor=layer.value_minor - value), value


def without_held(layer: Layer, quantity: int, value_minor: int) -> Layer:
    """Take pieces out that a hold had bound at `value_minor`: they leave with exactly that."""
    return replace(
        layer,
        quantity=layer.quantity - quantity,
        value_minor=layer.value_minor - value_minor,
        reserved=layer.reserved - quantity,
        reserved_minor=layer.reserved_minor - value_minor,
    )


def with_held(layer: Layer, quantity: int, value_minor: int) -> Layer:
    """Put pieces back and hold them in one go, at exactly the value they left with: nobody else sees them free."""
    return replace(
        with_free(layer, quantity, value_minor),
        reserved=layer.reserved + quantity,
        reserved_minor=layer.reserved_minor + value_minor,
    )


def with_free(layer: Layer, quantity: int, value_minor: int) -> Layer:
    """Put pieces back with the value they left with (IS15, T26)."""
    return replace(layer, quantity=layer.quantity + quantity, value_minor=layer.value_minor + value_minor)


def cuts(value_minor: int, quantity: int, pieces: Iterable[int]) -> list[int]:
    """Cut a value of `quantity` pieces into successive `pieces`; all of them together carry all of it."""
    taken, spent, values = 0, 0, []
    for count in pieces:
        taken += count
        upto = share(value_minor, quantity, taken)
        values.append(upto - spent)
        spent = upto
    return values


class Link(NamedTuple):
    """A movement's place in the chain of its key (IS4): its ledger number and the on hand after it."""

    number: int
    balance_after: int


def chain(number: int, on_hand: int, deltas: Iterable[int]) -> list[Link]:
    """Number movements of one key on from the last ledger number and on hand; never below zero (ValueError)."""
    links: list[Link] = []
    for delta in deltas:
        number, on_hand = number + 1, on_hand + delta
        if on_hand < 0:
            raise ValueError("a place cannot hold less than nothing")
        links.append(Link(number, on_hand))
    return links
