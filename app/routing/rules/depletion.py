"""What taking a piece from a shelf costs the next local commitment (R2, depletion), by Erlang's loss."""

from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=4096)
def erlang_loss(servers: int, load: float) -> float:
    """Erlang's loss B(k, a): the share of demand that finds none of k pieces, by the stable recursion.

    B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1)). Raises ValueError for a negative load.
    """
    if load < 0 or servers < 0:
        raise ValueError(f"no such system: {servers} pieces, load {load}")
    loss = 1.0
    for pieces in range(1, servers + 1):
        loss = load * loss / (pieces + load * loss)
    return loss


def last_piece_price(base_stock: int, on_hand: int, load: float) -> float:
    """Expected future local misses caused by taking one piece now: B(S, a) / B(n, a), n = S - x within 0..S-1.

    `base_stock` S is what the place is replenished to, `on_hand` x what it has, `load` a = demand rate x lead time.
    Without demand it is 0; without base stock nothing is planned there, so nothing is lost either: 0.
    """
    if base_stock <= 0 or load == 0:
        return 0.0
    missing = min(max(base_stock - on_hand, 0), base_stock - 1)
    return erlang_loss(base_stock, load) / erlang_loss(missing, load)


def piece_risks(base_stock: int, on_hand: int, load: float, *, most: int | None = None) -> tuple[float, ...]:
    """Expected future local misses of taking the first, second … piece on hand; the first `most` of them."""
    pieces = max(0, on_hand if most is None else min(on_hand, most))
    return tuple(last_piece_price(base_stock, on_hand - taken, load) for taken in range(pieces))


def piece_prices(risks: Iterable[float], value_minor: int) -> tuple[int, ...]:
    """Shadow prices of pieces with these risks, in minor units; `value_minor` is a miss's worth."""
    return tuple(round(value_minor * one) for one in risks)
