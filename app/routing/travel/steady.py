"""A provider that always answers in time: by roads if they can be asked and believed, else estimated (T150)."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from app.routing.travel.matrix import Matrix, Point, Row, TravelTimes, straight_m
from app.routing.travel.straight import GreatCircle

log = logging.getLogger(__name__)

LIMIT_S = 1.5
"""What a caller waits at most [house]; with the reads and writes around it, a faulty server costs under 2 s."""
FASTEST_KMH = 150.0
FAR_M = 1_000.0
SLACK_S = 30
SLOWEST_KMH, DETOUR_S = 3.0, 6 * 3600


class Resting(Exception):
    """The server failed several times in a row and is left alone for a while."""


class Breaker:
    """Counts failures in a row; after `most` of them nobody asks for `rest_s`, then one question tries again."""

    def __init__(self, *, most: int = 3, rest_s: float = 30.0, time: Callable[[], float] | None = None) -> None:
        self._most, self._rest_s, self._time = most, rest_s, time
        self._failures = 0
        self._until = 0.0

    def rests(self) -> bool:
        """Whether nobody should ask now. The first to find the rest over takes the one try."""
        if self._failures < self._most:
            return False
        if self._now() < self._until:
            return True
        self._until = self._now() + self._rest_s
        return False

    def met(self) -> None:
        """An answer came that can be believed."""
        self._failures = 0

    def failed(self) -> None:
        """No answer, or one that cannot be true."""
        self._failures += 1
        self._until = self._now() + self._rest_s

    def _now(self) -> float:
        return self._time() if self._time else asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Steady:
    """A provider that always answers: the primary's matrix within `limit_s`, else the fallback's (T150).

    The primary may be slow, down or wrong; the answer's `estimated` says which one it is. Pairs for which the primary
    found no road hold the fallback's times and stay named in `unknown`.
    """

    primary: TravelTimes
    fallback: GreatCircle = field(default_factory=GreatCircle)
    limit_s: float = LIMIT_S
    breaker: Breaker = field(default_factory=Breaker)

    async def matrix(self, points: Sequence[Point]) -> Matrix:
        """All pairs, by roads if possible; raises ValueError only for impossible coordinates (T152)."""
        estimate = self.fallback.estimate(points)
        try:
            if self.breaker.rests():
                raise Resting("it failed lately")
            async with asyncio.timeout(self.limit_s):
                found = await self.primary.matrix(points)
            wrong = implausible(found, points)
        except Resting:
            return estimate
        except Exception as failed:  # whatever a transport raises: a plan must not be lost for it
            wrong = f"{type(failed).__name__} {failed}"
        if wrong == "no_roads":  # points outside the server's map are no fault of the server
            self.breaker.met()
            log.info("travel times are estimated: no roads between %s points", len(points))
            return estimate
        if wrong is not None:
            self.breaker.failed()
            log.warning("travel times are estimated: the answer is %s", wrong)
            return estimate
        self.breaker.met()
        return filled(found, estimate)


def filled(found: Matrix, estimate: Matrix) -> Matrix:
    """The found matrix with the estimate's times where no road was found."""
    if not found.unknown:
        return found
    rows = [list(row) for row in found.seconds]
    for a, b in found.unknown:
        rows[a][b] = estimate.seconds[a][b]
    return replace(found, seconds=tuple(tuple(row) for row in rows), metres=())


def implausible(matrix: Matrix, points: Sequence[Point]) -> str | None:
    """Why an answer of a road server cannot be true (T150), or None.

    `shape`, `no_roads` (not one pair was found), `negative`, `all_zero` (from swapped coordinates), `too_fast`: compared
    with the great circle, nobody drives faster than 150 km/h in a straight line. There and back may differ. `too_slow`: half
    of the pairs take six hours more than walking in a straight line would, as when seconds are milliseconds.
    """
    size = len(points)
    if not _square(matrix.seconds, size) or (matrix.metres and not _square(matrix.metres, size)):
        return "shape"
    if size < 2:
        return None
    seconds = np.array(matrix.seconds, dtype=np.int64).reshape(size, size)
    known = np.ones((size, size), dtype=bool)
    if matrix.unknown:
        known[tuple(np.array(sorted(matrix.unknown)).T)] = False
        if not (known & ~np.eye(size, dtype=bool)).any():
            return "no_roads"
    if (seconds[known] < 0).any():
        return "negative"
    straight = straight_m(points)
    far = known & (straight > FAR_M)
    if far.any() and not seconds[far].any():
        return "all_zero"
    if (straight[far] > (seconds[far] + SLACK_S) * (FASTEST_KMH / 3.6)).any():
        return "too_fast"
    slow = seconds[far] > straight[far] / (SLOWEST_KMH / 3.6) + DETOUR_S
    return "too_slow" if slow.any() and 2 * slow.sum() >= slow.size else None


def _square(rows: tuple[Row, ...], size: int) -> bool:
    return len(rows) == size and all(len(row) == size for row in rows)
