"""How often one key may call: a bucket of calls that fills evenly, so that a burst is allowed and a flood is not."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

BURST_S = 5
"""A full bucket holds what flows in during so many seconds."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many calls are left, and as of when."""

    left: float
    at: datetime


@dataclass(frozen=True, slots=True)
class TooOften:
    """The bucket is empty: after so many seconds there is a call again."""

    wait_s: int


def draw(bucket: Bucket | None, *, rate: float, now: datetime) -> Bucket | TooOften:
    """One call taken from a bucket that gains `rate` calls a second; a key met first has a full one."""
    full = rate * BURST_S
    gained = full if bucket is None else max((now - bucket.at).total_seconds(), 0) * rate
    left = min((bucket.left if bucket else 0) + gained, full)
    if left < 1:
        return TooOften(wait_s=ceil((1 - left) / rate))
    return Bucket(left - 1, now)
