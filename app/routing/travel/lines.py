"""Road lines: encoding them as short text (the polyline format, 5 decimals) and drawing them with fewer points."""

from collections.abc import Sequence

import numpy as np

from app.routing.travel.matrix import Point

MOST_POINTS = 80
TOLERANCE_M = 15.0
METRES_PER_DEGREE = 111_195.0


def encoded(points: Sequence[Point], decimals: int = 5) -> str:
    """Points as text: differences, five bits a character (the algorithm of the polyline format)."""
    scale, out = 10**decimals, []
    before = (0, 0)
    for point in points:
        now = (round(point[0] * scale), round(point[1] * scale))
        for was, value in zip(before, now, strict=True):
            left = (value - was) << 1
            left = ~left if left < 0 else left
            while left >= 0x20:
                out.append(chr((0x20 | (left & 0x1F)) + 63))
                left >>= 5
            out.append(chr(left + 63))
        before = now
    return "".join(out)


def decoded(line: str, decimals: int = 5) -> tuple[Point, ...]:
    """Inverse of `encoded`; raises ValueError on anything else."""
    scale, points, values = 10**decimals, [], [0, 0]
    at, axis = 0, 0
    while at < len(line):
        value = shift = 0
        while True:
            if at >= len(line) or not 63 <= ord(line[at]) <= 126 or shift > 45:
                raise ValueError("not a polyline")
            bits = ord(line[at]) - 63
            at += 1
            value |= (bits & 0x1F) << shift
            shift += 5
            if bits < 0x20:
                break
        values[axis] += ~(value >> 1) if value & 1 else value >> 1
        axis = 1 - axis
        if axis == 0:
            points.append((values[0] / scale, values[1] / scale))
    if axis:
        raise ValueError("not a polyline")
    return tuple(points)


def simplified(points: Sequence[Point], *, most: int = MOST_POINTS, tolerance_m: float = TOLERANCE_M) -> list[Point]:
    """The line with fewer points: none dropped lies farther than the tolerance from it (Douglas and Peucker 1973).

    The tolerance doubles until at most `most` points are left.
    """
    found = list(points)
    while True:
        found = _thinned(found, tolerance_m)
        if len(found) <= max(most, 2):
            return found
        tolerance_m *= 2


def _thinned(points: Sequence[Point], tolerance_m: float) -> list[Point]:
    if len(points) < 3:
        return list(points)
    flat = np.array(points, dtype=np.float64) * METRES_PER_DEGREE
    flat[:, 1] *= np.cos(np.radians(points[0][0]))
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        away = _distances(flat[first + 1 : last], flat[first], flat[last])
        worst = int(away.argmax())
        if away[worst] > tolerance_m:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return [point for point, kept in zip(points, keep, strict=True) if kept]


def _distances(
    inner: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    start: np.ndarray[tuple[int], np.dtype[np.float64]],
    end: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Metres from each inner point to the stretch from start to end."""
    way = end - start
    length = float(way @ way)
    share = np.clip((inner - start) @ way / length, 0, 1) if length else np.zeros(len(inner))
    nearest = start + share[:, None] * way
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = np.hypot(*(inner - nearest).T)
    return found
