"""What is held: reservations with the layer they are bound to, as small frozen facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.stock.rules.ledger import Key


@dataclass(frozen=True, slots=True)
class Reserved:
    """Pieces of one layer bound to a reference (a request line's id), and what they cost, to the minor unit (P5).

    `value_minor` is for the whole `quantity`, in minor units of `currency`; `rates` are the receipt's stored rates.
    `provisional`: the stock is reported by a partner or supplier and not yet confirmed.
    """

    id: str
    reference: str
    place: str
    part: str
    condition: str
    genuine: bool
    layer: int
    quantity: int
    value_minor: int
    currency: str
    state: str
    provisional: bool
    awaiting_consent: bool
    expires_at: datetime | None
    lot: str | None = None
    serial: str | None = None
    expires_on: date | None = None
    rates: Mapping[str, str] = field(default_factory=dict)
    returned: int = 0
    returned_minor: int = 0
    lost: int = 0
    lost_minor: int = 0
    bin: str | None = None

    @property
    def key(self) -> Key:
        return Key(self.place, self.part, self.condition, self.genuine)

    @property
    def out(self) -> int:
        """Issued pieces that neither came back nor were lost."""
        return self.quantity - self.returned - self.lost

    @classmethod
    def of(cls, row: Any) -> "Reserved":
        values = {name: getattr(row, name) for name in cls.__dataclass_fields__}
        return cls(**values | {"rates": rates_of(row.rates)})


def rates_of(raw: Any) -> dict[str, str]:
    """A layer's stored rates, whichever way the driver gives JSON."""
    return msgspec.json.decode(raw, type=dict[str, str]) if isinstance(raw, str | bytes) else dict(raw)


COLUMNS = """r.id, r.reference, r.place, r.part, r.condition, r.genuine, r.layer, r.quantity, r.value_minor, r.currency,
    r.state, r.provisional, r.awaiting_consent, r.expires_at, l.lot, l.serial, l.expires_on, l.rates,
    r.returned, r.returned_minor, r.lost, r.lost_minor, l.bin"""
BY_REFERENCE = text(f"""
    SELECT {COLUMNS} FROM reservation r JOIN stock_layer l ON l.id = r.layer
    WHERE r.reference = ANY(CAST(:references AS text[])) ORDER BY r.id
""")
BY_ID = text(f"""
    SELECT {COLUMNS} FROM reservation r JOIN stock_layer l ON l.id = r.layer
    WHERE r.id = ANY(CAST(:ids AS text[])) ORDER BY r.id
""")
LOCKED = text(f"""
    SELECT {COLUMNS} FROM reservation r JOIN stock_layer l ON l.id = r.layer
    WHERE r.reference = ANY(CAST(:references AS text[])) ORDER BY r.id FOR UPDATE OF r
""")
HELD_AT = text(f"""
    SELECT {COLUMNS} FROM reservation r JOIN stock_layer l ON l.id = r.layer
    WHERE r.state = 'held' AND r.place = :place AND r.part = :part AND r.condition = :condition AND r.genuine = :genuine
    ORDER BY r.id
""")


async def reservations(db: AsyncConnection, *, references: Sequence[str]) -> list[Reserved]:
    """Everything ever held for these references, in any state, by id."""
    return [Reserved.of(row) for row in await db.execute(BY_REFERENCE, {"references": list(references)})]


async def reservations_by_id(db: AsyncConnection, *, ids: Sequence[str]) -> list[Reserved]:
    return [Reserved.of(row) for row in await db.execute(BY_ID, {"ids": list(ids)})]


async def locked_reservations(db: AsyncConnection, *, references: Sequence[str]) -> list[Reserved]:
    """The same with their rows locked in id order: whoever ends a hold comes through here or through one UPDATE."""
    return [Reserved.of(row) for row in await db.execute(LOCKED, {"references": list(references)})]


async def holds_at(db: AsyncConnection, *, key: Key) -> list[Reserved]:
    """Holds open on one balance."""
    return [Reserved.of(row) for row in await db.execute(HELD_AT, key._asdict())]
