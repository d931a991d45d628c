"""What could be promised: one read of everything free of some parts, with the pieces in picking order (R1, P5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.money import share
from app.stock.queries.holds import rates_of
from app.stock.queries.levels import RATES, Level, level_of
from app.stock.queries.lookups import LatestCost, latest_costs

# The free layers of each balance in picking order, as parallel arrays: one row a balance, whatever it holds.
OFFERS = text(f"""
    SELECT b.place, b.part, b.condition, b.genuine, b.on_hand, b.reserved, p.stock, p.kind, f.*,
        v.base_stock, v.lead_time_hours, {RATES}, current_setting('sparelane.miss_minor', true) AS miss_minor
    FROM stock_balance b JOIN place p ON p.code = b.place
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
        FROM (SELECT * FROM stock_layer s
              WHERE s.place = b.place AND s.part = b.part AND s.condition = b.condition AND s.genuine = b.genuine
                AND s.quantity > s.reserved
              ORDER BY s.expires_on, s.received_at, s.id LIMIT :most) l
    ) f
    WHERE b.part = ANY(CAST(:parts AS text[])) AND b.condition = :condition AND b.genuine
      AND b.on_hand > b.reserved
    ORDER BY b.part, b.place
""")


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

    def cost_minor(self, quantity: int) -> int:
        """What `quantity` pieces cost together, for `Demand.expected_minor`."""
        return sum(one.value_minor for one in self.slices(quantity))


async def offers(
    db: AsyncConnection, *, parts: Sequence[str], condition: str = "new", quantity: int = 1_000
) -> list[Offer]:
    """Every place with free, genuine pieces of these parts, one read; out-of-stock places are not in it.

    At most `quantity` layers a place are read, which is enough to quote that many pieces exactly.
    """
    asked = {"parts": sorted(set(parts)), "condition": condition, "most": quantity}
    found = []
    for row in await db.execute(OFFERS, asked):
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
