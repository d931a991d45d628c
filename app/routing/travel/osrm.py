"""Road times from a server that speaks OSRM's HTTP interface: `/table/v1/driving` and `/route/v1/driving`."""

from collections.abc import Sequence
from typing import Any

from app.routing.travel.blocks import SNAP_M, Block, matrix_of, number, numbers
from app.routing.travel.lines import decoded
from app.routing.travel.matrix import Matrix, Point, TravelTimes
from app.routing.travel.source import NotUnderstood
from app.routing.travel.wire import Wire

MOST = 100
"""Coordinates in one table: what a server allows that nobody has configured."""


class Osrm:
    """A server at an address; it does not know the time of day."""

    by_hour = False

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.version = f"osrm:{wire.digest}"

    def at(self, bucket: int) -> TravelTimes:
        return self

    async def matrix(self, points: Sequence[Point]) -> Matrix:
        """All pairs, in one question where it may be one."""
        if not points:
            return Matrix((), (), estimated=False)
        return await matrix_of(points, self._table, side=len(points) if len(points) <= MOST else MOST // 2)

    async def line(self, start: Point, end: Point) -> tuple[Point, ...] | None:
        path = f"/route/v1/driving/{coordinates([start, end])}?overview=full&geometries=polyline&steps=false"
        answer = await self._wire.get(path)
        match answer:
            case {"code": "Ok", "routes": [{"geometry": str(geometry)}, *_]}:
                return decoded(geometry)
            case {"code": "NoRoute" | "NoSegment"}:
                return None
        raise NotUnderstood(said(answer))

    async def aclose(self) -> None:
        await self._wire.aclose()

    async def _table(self, rows: Sequence[Point], columns: Sequence[Point]) -> Block:
        """One block. Points on both sides are named once."""
        same = list(rows) == list(columns)
        named = list(rows) if same else [*rows, *columns]
        choice = "" if same else f"&sources={span(0, len(rows))}&destinations={span(len(rows), len(named))}"
        answer = await self._wire.get(f"/table/v1/driving/{coordinates(named)}?annotations=duration,distance{choice}")
        if not isinstance(answer, dict) or answer.get("code") != "Ok":
            raise NotUnderstood(said(answer))
        seconds = numbers(answer.get("durations"))
        metres = numbers(answer["distances"]) if "distances" in answer else [[0.0 for _ in row] for row in seconds]
        far = [lost(answer.get(side), len(points)) for side, points in (("sources", rows), ("destinations", columns))]
        return Block([[None if a or b else cell for b, cell in zip(far[1], row, strict=False)]
                      for a, row in zip(far[0], seconds, strict=False)], metres)  # fmt: skip


def coordinates(points: Sequence[Point]) -> str:
    """Points as OSRM wants them: longitude first."""
    return ";".join(f"{longitude:.6f},{latitude:.6f}" for latitude, longitude in points)


def span(first: int, end: int) -> str:
    return ";".join(str(at) for at in range(first, end))


def lost(waypoints: Any, size: int) -> list[bool]:
    """Which points the server had to move farther than we believe; a server that does not say moves none."""
    if not isinstance(waypoints, list) or len(waypoints) != size:
        return [False] * size
    moved = [number(one.get("distance")) if isinstance(one, dict) else None for one in waypoints]
    return [far is not None and far > SNAP_M for far in moved]


def said(answer: Any) -> str:
    """What a refusing server calls its reason."""
    return f"code {str(answer.get('code'))[:40]}" if isinstance(answer, dict) else "no object"
