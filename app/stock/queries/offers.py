"""What could be promised: one read of everything free of some parts, with the pieces in picking order (R1, P5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.money import share
from app.stock.queries.holds import rates_of
from app.stock.queries.levels import RATES, Level, level_of
from app.stock.queries.lookups import LatestCost, latest_costs

# The free layers of each balance in picking order, as parallel arrays: one row a balance, whatever it holds.
_OFFERS = """
    SELECT b.place, b.part, b.condition, b.genuine, b.on_hand, b.reserved, p.stock, p.kind, f.*,
        v.base_stock, v.lead_time_hours, {rates}, current_setting('sparelane.miss_minor', true) AS miss_minor
    FROM {balance} b JOIN place p ON p.code = b.place
    LEFT JOIN stock_level v ON v.place = b.place AND v.part = b.part AND p.stock = 'ours'
    CROSS JOIN LATERAL (
        SELECT array_agg(l.id ORDER BY l.expires_on, l.received_at, l.id) AS ids,
               array_agg(l.quantity - l.reserved ORDER BY l.expires_on, l.received_at, l.id) AS free,
               array_agg(l.value_minor - l.reserved_minor ORDER BY l.expires_on, l.received_at, l.id) AS values,
               array_agg(l.currency ORDER BY l.expires_on, l.received_at, l.id) AS currencies,
               array_agg(l.lot ORDER BY l.expires_on, l.received_at, l.id) AS lots,
               array_agg(l.serial ORDER BY l.expires_on, l.received_at, l.id) AS serials,
               array_agg(l.expires_on ORDER BY l.expires_on, l.received_at, l.id) AS expiries,
               array_agg(l.rates::text ORDER BY l.expires_on, l.received_at, l.id) AS rates
        FROM (SELECT * FROM {layer} s
              WHERE s.place = b.place AND s.part = b.part AND s.condition = b.condition AND s.genuine = b.genuine
                AND s.quantity > s.reserved
              ORDER BY s.expires_on, s.received_at, s.id LIMIT :most) l
    ) f
    WHERE b.part = ANY(CAST(:parts AS text[])) AND b.condition = :condition AND b.genuine
      AND b.on_hand > b.reserved
    ORDER BY b.part, b.place
"""


OFFERS = text(_OFFERS.format(balance="stock_balance", layer="stock_layer", rates=RATES))
# The same as if the holds of some lines had ended: what would be free on each shelf, and in which layers.
FREED = "v.reference = ANY(CAST(:freed AS text[])) AND v.state = 'held'"
OFFERS_FREED = text(
    _OFFERS.format(
        balance=f"""(SELECT t.place, t.part, t.condition, t.genuine, t.on_hand, t.reserved - coalesce((
            SELECT sum(v.quantity)::bigint FROM reservation v WHERE {FREED} AND v.place = t.place AND v.part = t.part
              AND v.condition = t.condition AND v.genuine = t.genuine), 0) AS reserved FROM stock_balance t)""",
        layer=f"""(SELECT t.id, t.place, t.part, t.condition, t.genuine, t.quantity,
            t.reserved - coalesce(w.quantity, 0) AS reserved, t.value_minor,
            t.reserved_minor - coalesce(w.value_minor, 0) AS reserved_minor, t.currency, t.lot, t.serial,
            t.expires_on, t.received_at, t.rates
            FROM stock_layer t CROSS JOIN LATERAL (
                SELECT sum(v.quantity)::bigint AS quantity, sum(v.value_minor)::bigint AS value_minor
                FROM reservation v WHERE {FREED} AND v.layer = t.id) w)""",
        rates=RATES,
    )
)


@dataclass(frozen=True, slots=True)
class OfferLayer:
    """Free pieces of one lot, serial or cost layer: `free_minor` is what all of them cost, in minor units."""

    id: int
    free: int
    free_minor: int
    currency: str
    lot: str | None = None
    serial: str | None = None
    expires_on: date | None = None
    rates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slice:
    """Pieces of one layer and their exact cost: what a reservation made now would bind."""

    layer: OfferLayer
    quantity: int
    value_minor: int

    @property
    def currency(self) -> str:
        return self.layer.currency

    @property
    def rates(self) -> Mapping[str, str]:
        return self.layer.rates


def _taken(layers: Sequence[OfferLayer], quantity: int) -> Iterator[tuple[OfferLayer, int]]:
    """How many pieces each layer gives, in order."""
    for layer in layers:
        gone = min(quantity, layer.free)
        quantity -= gone
        yield layer, gone


@dataclass(frozen=True, slots=True)
class Offer:
    """What one place could give of one part. `ours` is False for reported stock, whose price is provisional (P5).

    `layers` are in picking order and hold at least as many pieces as were asked for. `expected_at` is always None:
    receipts to come are not modeled. `level` is what a piece taken here costs the next local promise; None: nothing.
    """

    place: str
    part: str
    ours: bool
    place_kind: str
    on_hand: int
    reserved: int
    layers: tuple[OfferLayer, ...]
    expected_at: date | None = None
    level: Level | None = None

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved

    def slices(self, quantity: int) -> tuple[Slice, ...]:
        """The pieces that `quantity` would bind, in order, each with its exact cost; ValueError if less is free."""
        taken: list[Slice] = []
        for layer in self.layers:
            pieces = min(quantity, layer.free)
            if pieces:
                taken.append(Slice(layer, pieces, share(layer.free_minor, layer.free, pieces)))
                quantity -= pieces
        if quantity:
            raise ValueError("less is free than asked")
        return tuple(taken)

    def less(self, quantity: int) -> "Offer":
        """What is left once others have taken so many pieces, the first in order."""
        layers = []
        for layer, gone in _taken(self.layers, quantity):
            left = layer.free - gone
            if left:
                value = layer.free_minor - (share(layer.free_minor, layer.free, gone) if gone else 0)
                layers.append(replace(layer, free=left, free_minor=value))
        return replace(self, reserved=self.reserved + quantity, layers=tuple(layers))

    def cost_minor(self, quantity: int) -> int:
        """What `quantity` pieces cost together, for `Demand.expected_minor`."""
        return sum(one.value_minor for one in self.slices(quantity))


async def offers(
    db: AsyncConnection,
    *,
    parts: Sequence[str],
    condition: str = "new",
    quantity: int = 1_000,
    freed: Sequence[str] = (),
) -> list[Offer]:
    """Every place with free, genuine pieces of these parts, one read; out-of-stock places are not in it.

    At most `quantity` layers a place are read, which is enough to quote that many pieces exactly. What the references in
    `freed` hold counts as free.
    """
    asked: dict[str, Any] = {"parts": sorted(set(parts)), "condition": condition, "most": quantity}
    statement = OFFERS
    if freed:
        statement, asked = OFFERS_FREED, asked | {"freed": sorted(freed)}
    found = []
    for row in await db.execute(statement, asked):
        columns = zip(
            row.ids, row.free, row.values, row.currencies, row.lots, row.serials, row.expiries, row.rates, strict=True
        )
        layers = tuple(
            OfferLayer(number, free, value, currency, lot, serial, expires_on, rates_of(rates))
            for number, free, value, currency, lot, serial, expires_on, rates in columns
        )
        offer = Offer(
            row.place, row.part, row.stock == "ours", row.kind, row.on_hand, row.reserved, layers,
            level=level_of(row, row.miss_minor),
        )  # fmt: skip
        found.append(offer)
    return found


__all__ = ["LatestCost", "Level", "Offer", "OfferLayer", "Slice", "latest_costs", "offers"]
