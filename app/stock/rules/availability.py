"""Which pieces serve a demand (S3, S4, P2): earliest expiry, then oldest, never by price. And what a scan proves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate

from app.stock.rules.ledger import Layer, value_between


@dataclass(frozen=True, slots=True)
class Pick:
    """Pieces of one layer and the value they carry, in minor units of the layer's currency."""

    layer: Layer
    quantity: int
    value_minor: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """Enough: the pieces for each demand, in the order the demands were given."""

    picks: tuple[tuple[Pick, ...], ...]

    @property
    def all(self) -> tuple[Pick, ...]:
        return tuple(pick for picks in self.picks for pick in picks)


@dataclass(frozen=True, slots=True)
class Short:
    """Not enough: the free quantity that was seen, less than the sum asked (IS10)."""

    available: int


def picking_order(layers: Iterable[Layer]) -> list[Layer]:
    """Earliest expiry first, what never expires last; then oldest; then as received (P2). Price plays no part."""

    def rank(layer: Layer) -> tuple[bool, date, datetime, int]:
        return layer.expires_on is None, layer.expires_on or date.max, layer.received_at, layer.id

    return sorted((layer for layer in layers if layer.free > 0), key=rank)


def choose_layers(layers: Iterable[Layer], demands: Sequence[int]) -> Chosen | Short:
    """Give each demand its pieces in picking order. Acceptance rests on the sum alone (IS8), all or nothing (IS7)."""
    order = picking_order(layers)
    free = sum(layer.free for layer in order)
    if free < sum(demands):
        return Short(available=free)
    spans = list(zip(order, accumulate(layer.free for layer in order), strict=True))
    ends = accumulate(demands)
    return Chosen(tuple(_between(spans, end - asked, end) for asked, end in zip(demands, ends, strict=True)))


def _between(spans: list[tuple[Layer, int]], start: int, stop: int) -> tuple[Pick, ...]:
    """The pieces number `start` to `stop` of all free ones in order; `spans` pairs a layer with where it ends."""
    picks = []
    for layer, end in spans:
        begin = end - layer.free
        low, high = max(start, begin), min(stop, end)
        if low < high:
            picks.append(Pick(layer, high - low, value_between(layer, low - begin, high - begin)))
    return tuple(picks)


@dataclass(frozen=True, slots=True)
class Held:
    """A hold as the pick sees it: the layer bound, its quantity and bound value."""

    reservation_id: str
    layer: Layer
    quantity: int
    value_minor: int


@dataclass(frozen=True, slots=True)
class Matched:
    """Every hold with the layer whose pieces are in the hand: its own, or an equal free one."""

    layers: dict[str, Layer]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A scan that proves the wrong piece, and the codes that would have been right."""

    scanned: str
    expected: tuple[str, ...]
    because: str


def code_of(layer: Layer) -> str:
    """What a scanner reads on a piece of this layer: its serial, else its lot, else its part number."""
    return layer.serial or layer.lot or layer.key.part


def match_scans(held: Sequence[Held], scanned: Sequence[str], free: Iterable[Layer]) -> Matched | Mismatch:
    """Fit what was scanned to what was promised (S6).

    A scan of a bound piece settles its hold; any other scan must be a free layer of the same part that carries the same
    value, and takes over a hold not yet settled. For lots and untracked parts one scan settles all holds it names.
    """
    open_holds = list(held)
    layers: dict[str, Layer] = {}
    strangers: list[str] = []
    expected = tuple(sorted({code_of(hold.layer) for hold in held}))
    seen: set[str] = set()
    for code in scanned:
        own = [hold for hold in open_holds if code_of(hold.layer) == code]
        repeated = code in seen and any(hold.layer.serial == code for hold in held)
        if repeated:
            return Mismatch(code, expected, "scan.twice")
        if not own and code not in seen:
            strangers.append(code)
        for hold in own:
            layers[hold.reservation_id] = hold.layer
            open_holds.remove(hold)
        seen.add(code)
    return _swapped(open_holds, strangers, layers, expected, list(free))


def _swapped(
    open_holds: list[Held], strangers: list[str], layers: dict[str, Layer], expected: tuple[str, ...], free: list[Layer]
) -> Matched | Mismatch:
    for code in strangers:
        candidates = [layer for layer in picking_order(free) if code_of(layer) == code]
        if not candidates:
            return Mismatch(code, expected, "scan.unexpected")
        fits = [(hold, layer) for hold in open_holds for layer in candidates if equal_price(hold, layer)]
        if not fits:
            return Mismatch(code, expected, "scan.other_price" if open_holds else "scan.too_many")
        hold, layer = fits[0]
        layers[hold.reservation_id] = layer
        open_holds.remove(hold)
        free.remove(layer)
    if open_holds:
        return Mismatch("", tuple(sorted({code_of(hold.layer) for hold in open_holds})), "scan.missing")
    return Matched(layers)


def equal_price(hold: Held, layer: Layer) -> bool:
    """A free layer may stand in for a bound one when it has the pieces and its cost is the same to the minor unit."""
    return (
        layer.free >= hold.quantity
        and layer.currency == hold.layer.currency
        and layer.rates == hold.layer.rates
        and value_between(layer, 0, hold.quantity) == hold.value_minor
    )
