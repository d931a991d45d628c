"""A large matrix from a server that answers only small ones: which blocks to ask for, and how they make one matrix."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

from app.routing.travel.matrix import Matrix, Pair, Point
from app.routing.travel.source import NotUnderstood

SNAP_M = 1_000.0
"""A point farther than this from any road a server knows has no way by road: else it would be moved to one."""


@dataclass(frozen=True, slots=True)
class Block:
    """Seconds and metres from some points (rows) to some (columns); None where the server found no road."""

    seconds: Sequence[Sequence[float | None]]
    metres: Sequence[Sequence[float | None]]


Ask = Callable[[Sequence[Point], Sequence[Point]], Awaitable[Block]]


async def matrix_of(points: Sequence[Point], ask: Ask, *, side: int) -> Matrix:
    """The whole matrix, asked in blocks of at most `side` rows and columns, one after the other."""
    size = len(points)
    seconds = [[0] * size for _ in points]
    metres = [[0] * size for _ in points]
    unknown: set[Pair] = set()
    for top in range(0, size, side):
        for left in range(0, size, side):
            rows, columns = points[top : top + side], points[left : left + side]
            block = await ask(rows, columns)
            for name, cells in (("seconds", block.seconds), ("metres", block.metres)):
                if len(cells) != len(rows) or any(len(row) != len(columns) for row in cells):
                    raise NotUnderstood(f"{name} of another shape")
            for a in range(len(rows)):
                for b in range(len(columns)):
                    took, far = block.seconds[a][b], block.metres[a][b]
                    if took is None:
                        unknown.add((top + a, left + b))
                    else:
                        seconds[top + a][left + b] = ceil(took)
                        metres[top + a][left + b] = round(far or 0)
    for at in range(size):
        seconds[at][at] = metres[at][at] = 0
    unknown = {(a, b) for a, b in unknown if a != b}
    return Matrix(
        tuple(tuple(row) for row in seconds),
        tuple(tuple(row) for row in metres),
        estimated=False,
        unknown=frozenset(unknown),
    )


def numbers(rows: Any) -> list[list[float | None]]:
    """A table of an answer as rows of numbers or None; NotUnderstood if it is anything else."""
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise NotUnderstood("no table")
    return [[number(cell) for cell in row] for row in rows]


def number(cell: Any) -> float | None:
    """A cell as a number, or None for null."""
    if cell is None:
        return None
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not isfinite(cell) or abs(cell) > 1e9:
        raise NotUnderstood("a cell is no number")
    return float(cell)
