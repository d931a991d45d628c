"""Road times from a server that speaks Valhalla's HTTP interface: `/sources_to_targets` and `/route`."""

from collections.abc import Sequence
from typing import Any

from app.routing.travel.blocks import Block, matrix_of, number, numbers
from app.routing.travel.lines import decoded
from app.routing.travel.matrix import Matrix, Point, TravelTimes
from app.routing.travel.source import NotUnderstood
from app.routing.travel.wire import Wire

SIDE = 50
"""Rows and columns in one question: 2,500 pairs are what a server allows that nobody has configured."""
NO_WAY = (154, 170, 171, 442)
"""Valhalla's codes for places too far apart, not connected, without a road near, or without a path between them."""


class Valhalla:
    """A server at an address, asked for a car at no particular time."""

    by_hour = False

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.version = f"valhalla:{wire.digest}"

    def at(self, bucket: int) -> TravelTimes:
        return self

    async def matrix(self, points: Sequence[Point]) -> Matrix:
        """All pairs."""
        return await matrix_of(points, self._table, side=SIDE)

    async def line(self, start: Point, end: Point) -> tuple[Point, ...] | None:
        body = {"locations": places([start, end]), "costing": "auto", "directions_type": "none"}
        answer = await self._wire.post("/route", body)
        match answer:
            case {"trip": {"legs": [{"shape": str(shape)}]}}:
                return decoded(shape, 6)
            case {"error_code": code} if code in NO_WAY:
                return None
        raise NotUnderstood(said(answer))

    async def aclose(self) -> None:
        await self._wire.aclose()

    async def _table(self, rows: Sequence[Point], columns: Sequence[Point]) -> Block:
        body = {"sources": places(rows), "targets": places(columns), "costing": "auto", "units": "kilometers"}
        answer = await self._wire.post("/sources_to_targets", body)
        match answer:
            case {"sources_to_targets": {"durations": durations, "distances": distances}}:
                return Block(numbers(durations), _metres(numbers(distances)))
            case {"sources_to_targets": list(cells)} if all(isinstance(row, list) for row in cells):
                return Block(_column(cells, "time"), _metres(_column(cells, "distance")))
            case {"error_code": code} if code in NO_WAY:
                return await self._halved(rows, columns)
        raise NotUnderstood(said(answer))

    async def _halved(self, rows: Sequence[Point], columns: Sequence[Point]) -> Block:
        """One bad place makes the server refuse all: halves tell which it is, and a pair alone has no way."""
        if len(rows) == len(columns) == 1:
            return Block([[None]], [[None]])
        middle = (len(rows) + 1) // 2, (len(columns) + 1) // 2
        if len(rows) >= len(columns):
            above, below = await self._table(rows[: middle[0]], columns), await self._table(rows[middle[0] :], columns)
            return Block([*above.seconds, *below.seconds], [*above.metres, *below.metres])
        left, right = await self._table(rows, columns[: middle[1]]), await self._table(rows, columns[middle[1] :])
        return Block(
            [[*a, *b] for a, b in zip(left.seconds, right.seconds, strict=True)],
            [[*a, *b] for a, b in zip(left.metres, right.metres, strict=True)],
        )


def places(points: Sequence[Point]) -> list[dict[str, float]]:
    return [{"lat": round(latitude, 6), "lon": round(longitude, 6)} for latitude, longitude in points]


def _column(cells: list[list[Any]], name: str) -> list[list[float | None]]:
    if not all(isinstance(cell, dict) for row in cells for cell in row):
        raise NotUnderstood("no table")
    return [[number(cell.get(name)) for cell in row] for row in cells]


def _metres(kilometres: list[list[float | None]]) -> list[list[float | None]]:
    return [[None if cell is None else cell * 1000 for cell in row] for row in kilometres]


def said(answer: Any) -> str:
    """What a refusing server calls its reason."""
    return f"error {str(answer.get('error_code'))[:20]}" if isinstance(answer, dict) else "no object"
