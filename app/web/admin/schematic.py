"""Drawings of a model's positions and of what may stand in for a part, as plain shapes with places on a sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from unicodedata import east_asian_width

from app.network.schemas import ModelOut, SubstitutionOut

WIDTH, BOX_WIDTH, BOX_HEIGHT, GAP = 720, 200, 56, 16
LONGEST = 27
"""Letters that fit into a box; Chinese ones count as two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A part in its place."""

    x: int
    y: int
    title: str
    number: str
    name: str
    key: bool = False
    itself: bool = False
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An arrow from a part to what may stand in for it; both ways for equals; dashed where it has ended."""

    x1: int
    y1: int
    x2: int
    y2: int
    both: bool
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Schematic:
    width: int
    height: int
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...] = ()


def cut(words: str, longest: int = LONGEST) -> str:
    """As much of some words as fits into a box."""
    width = 0
    for at, letter in enumerate(words):
        width += 2 if east_asian_width(letter) in "WF" else 1
        if width > longest:
            return words[:at].rstrip() + "…"
    return words


def schematic(model: ModelOut, names: Mapping[str, str]) -> Schematic:
    """The device as a frame, its positions as boxes within, three to a row; key ones are framed thick and starred."""
    inner = [one for one in model.positions if one.position != "unit"]
    boxes = [
        Box(
            x=32 + at % 3 * (BOX_WIDTH + GAP + 4),
            y=64 + at // 3 * (BOX_HEIGHT + GAP),
            title=cut(one.position, 14),
            number=cut(one.part_number, 14),
            name=cut(names.get(one.part_number, "")),
            key=one.key,
        )
        for at, one in enumerate(inner)
    ]
    rows = max(1, -(-len(inner) // 3))
    return Schematic(width=WIDTH, height=64 + rows * (BOX_HEIGHT + GAP) + 16, boxes=tuple(boxes))


def stand_ins(number: str, edges: Sequence[SubstitutionOut], names: Mapping[str, str], today: date) -> Schematic:
    """What a part stands in for to the left, what stands in for it to the right; equals on the right."""
    left = list(dict.fromkeys(one.from_part for one in edges if one.to_part == number and one.kind == "supersedes"))
    right = list(
        dict.fromkeys(
            one.to_part if one.from_part == number else one.from_part
            for one in edges
            if one.from_part == number or one.kind == "equivalent"
        )
    )
    rows = max(1, len(left), len(right))
    height = 24 + rows * (BOX_HEIGHT + GAP)
    middle = (height - BOX_HEIGHT) // 2
    at = {number: (260, middle)}
    for column, found in ((16, left), (504, right)):
        top = (height - len(found) * (BOX_HEIGHT + GAP) + GAP) // 2
        for row, one in enumerate(found):
            at[one] = (column, top + row * (BOX_HEIGHT + GAP))
    boxes = [
        Box(x=x, y=y, title=cut(names.get(one, one)), number=cut(one), name="", itself=one == number, href=one)
        for one, (x, y) in at.items()
    ]
    return Schematic(
        width=WIDTH, height=height, boxes=tuple(boxes), edges=tuple(_edge(one, at, today) for one in edges)
    )


def _edge(one: SubstitutionOut, at: Mapping[str, tuple[int, int]], today: date) -> Edge:
    (ax, ay), (bx, by) = at[one.from_part], at[one.to_part]
    forward = ax < bx
    return Edge(
        x1=ax + (BOX_WIDTH if forward else 0),
        y1=ay + BOX_HEIGHT // 2,
        x2=bx + (0 if forward else BOX_WIDTH),
        y2=by + BOX_HEIGHT // 2,
        both=one.kind == "equivalent",
        ended=(one.valid_to is not None and one.valid_to <= today)
        or (one.valid_from is not None and one.valid_from > today),
    )
