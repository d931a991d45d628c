"""Checking and cutting the lines that people send: wrong ones are all named, then pieces are chosen for the rest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from app.core.errors import FieldError
from app.core.money import exponent, rounded
from app.stock.rules.availability import Pick, Short, choose_layers
from app.stock.rules.ledger import Key, Layer
from app.stock.schemas import CostIn
from app.stock.service.refusals import BadLines, InTheFuture, OutOfStock, SerialInUse

MOST_MINOR = 10**15


class Pieces(Protocol):
    """What every kind of line says about the pieces it means."""

    @property
    def part_number(self) -> str: ...
    @property
    def serials(self) -> list[str] | None: ...
    @property
    def lot(self) -> str | None: ...
    @property
    def condition(self) -> str: ...
    @property
    def genuine(self) -> bool: ...


def happened(occurred_at: datetime | None, now: datetime) -> datetime:
    """When it happened, in UTC: now, or an instant before it; later is refused."""
    if occurred_at is not None and occurred_at > now:
        raise InTheFuture(occurred_at=occurred_at.isoformat())
    return (occurred_at or now).astimezone(UTC)


def key_at(place: str, line: Pieces) -> Key:
    return Key(place, line.part_number, line.condition, line.genuine)


def check_lines(
    lines: Sequence[Pieces], quantities: Sequence[int], tracking: Mapping[str, str], *, entering: bool
) -> None:
    """Refuse unknown parts, serials that do not match the quantity, and, for pieces that enter, missing identities.

    Raises BadLines with every wrong line, or SerialInUse for a serial named twice.
    """
    errors: list[FieldError] = []
    for at, (line, quantity) in enumerate(zip(lines, quantities, strict=True)):
        kind = tracking.get(line.part_number)
        if kind is None:
            errors.append(FieldError(f"lines.{at}.part_number", "part.unknown", {"part_number": line.part_number}))
        elif kind == "serial" and line.serials is None and entering:
            errors.append(FieldError(f"lines.{at}.serials", "line.serials_needed", {"part_number": line.part_number}))
        elif line.serials is not None and kind != "serial":
            errors.append(FieldError(f"lines.{at}.serials", "line.not_by_serial", {"part_number": line.part_number}))
        elif line.serials is not None and len(line.serials) != quantity:
            facts = {"serials": len(line.serials), "quantity": quantity}
            errors.append(FieldError(f"lines.{at}.serials", "line.serials_count", facts))
        elif kind == "lot" and line.lot is None and entering:
            errors.append(FieldError(f"lines.{at}.lot", "line.lot_needed", {"part_number": line.part_number}))
    if errors:
        raise BadLines(errors=errors)
    counts = Counter(serial for line in lines for serial in line.serials or ())
    twice = sorted(serial for serial, times in counts.items() if times > 1)
    if twice:
        raise SerialInUse(serial=twice[0], serials=twice)


def line_value(cost: CostIn, quantity: int, at: int) -> int:
    """What a line's pieces cost together in minor units, rounded half-up once; absurd sums are refused by name."""
    value = rounded(Decimal(cost.amount).scaleb(exponent(cost.currency)) * quantity)
    if value > MOST_MINOR:
        raise BadLines(errors=[FieldError(f"lines.{at}.unit_cost", "line.too_dear", {"amount": cost.amount})])
    return value


def choose_pieces(layers: Iterable[Layer], line: Pieces, quantity: int, key: Key) -> list[Pick]:
    """The free pieces a line means: the serials or the lot it names, else those picked first. Raises OutOfStock."""
    there = list(layers)
    if line.serials is not None:
        there = [layer for layer in there if layer.serial in line.serials]
        missing = sorted(set(line.serials) - {layer.serial for layer in there if layer.free})
        if missing:
            raise SerialInUse(serial=missing[0], serials=missing)
    elif line.lot is not None:
        there = [layer for layer in there if layer.lot == line.lot]
    outcome = choose_layers(there, [quantity])
    if isinstance(outcome, Short):
        raise OutOfStock(available=outcome.available, requested=quantity, part_number=key.part, place=key.place)
    return list(outcome.all)
