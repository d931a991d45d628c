"""A road grid that the tests write themselves, around the cast's warehouse and airport, as an OpenStreetMap extract."""

from pathlib import Path

import osmium
from osmium.osm.mutable import Node, Way

from tests.cast import AIRPORT, YINCHUAN

CELLS, PARTS = 10, 4
"""Blocks a side, and stretches a block is cut into."""
LAT_STEP, LON_STEP = (YINCHUAN[0] - AIRPORT[0]) / 8, (AIRPORT[1] - YINCHUAN[1]) / 8
SOUTH, WEST = AIRPORT[0] - LAT_STEP, YINCHUAN[1] - LON_STEP
SIZE = CELLS * PARTS
ISLAND = (39.2, 107.2)
"""The middle of a street that leads nowhere else."""
OFF_ROAD = (SOUTH + 0.5 * LAT_STEP, WEST + 0.5 * LON_STEP)
"""In the middle of a block, more than 500 m from any road."""

ROWS = ("primary", "residential", "secondary", "residential", "tertiary")
COLUMNS = ("secondary", "tertiary", "residential", "unclassified")


def number(row: int, column: int) -> int:
    return row * (SIZE + 1) + column + 1


def place(row: int, column: int) -> tuple[float, float]:
    """The coordinates of a crossing or a point between two, counted in stretches from the south-west."""
    return round(SOUTH + row * LAT_STEP / PARTS, 7), round(WEST + column * LON_STEP / PARTS, 7)


def write_grid(path: Path) -> Path:
    """Streets east-west and south-north: every fifth column one-way to the north, one row with a signed speed."""
    writer = osmium.SimpleWriter(str(path))
    streets = [number(row, column) for row in range(SIZE + 1) for column in range(SIZE + 1)
               if row % PARTS == 0 or column % PARTS == 0]  # fmt: skip
    for one in sorted(streets):
        row, column = divmod(one - 1, SIZE + 1)
        latitude, longitude = place(row, column)
        writer.add_node(Node(id=one, version=1, location=(longitude, latitude)))
    last = number(SIZE, SIZE)
    for at in range(2):
        writer.add_node(Node(id=last + 1 + at, version=1, location=(ISLAND[1] + at * 0.004, ISLAND[0])))
    for at in range(CELLS + 1):
        row = [number(at * PARTS, column) for column in range(SIZE + 1)]
        tags = {"highway": ROWS[at % len(ROWS)]} | ({"maxspeed": "70"} if at == 3 else {})
        writer.add_way(Way(id=100 + at, version=1, nodes=row, tags=tags))
        column = [number(row, at * PARTS) for row in range(SIZE + 1)]
        tags = {"highway": COLUMNS[at % len(COLUMNS)]} | ({"oneway": "yes"} if at % 5 == 2 else {})
        writer.add_way(Way(id=200 + at, version=1, nodes=column, tags=tags))
    writer.add_way(Way(id=300, version=1, nodes=[last + 1, last + 2], tags={"highway": "residential"}))
    writer.close()
    return path


def crossings() -> list[tuple[float, float]]:
    """Thirty-six crossings, spread over the grid."""
    return [place(row * PARTS, column * PARTS) for row in range(0, CELLS + 1, 2) for column in range(0, CELLS + 1, 2)]
