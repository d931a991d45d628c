"""A model drawn as labeled boxes: the device as the frame, its positions inside, key parts starred. No photo is needed."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, PAD, GAP, HIGH, HEAD = 360, 12, 8, 44, 34
ACROSS = 2
LETTERS = 19
"""About how many Latin letters a box has room for; a Chinese one takes two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place that can fail, with what sits there now."""

    name: str
    part_number: str
    words: str
    key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A position as drawn, in pixels of the picture."""

    position: str
    x: int
    y: int
    width: int
    words: str
    key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Schematic:
    """The drawing: the frame is the whole device, `title` its model."""

    title: str
    width: int
    height: int
    boxes: tuple[Box, ...]


def schematic(model: str, positions: Sequence[Position]) -> Schematic:
    """Boxes two across in the order of the positions, key parts first."""
    width = (WIDTH - 2 * PAD - (ACROSS - 1) * GAP) // ACROSS
    boxes = tuple(
        Box(
            position=one.name,
            x=PAD + at % ACROSS * (width + GAP),
            y=HEAD + at // ACROSS * (HIGH + GAP),
            width=width,
            words=fitted(one.words, LETTERS - 2 * one.key),
            key=one.key,
        )
        for at, one in enumerate(positions)
    )
    rows = -(-len(boxes) // ACROSS)
    return Schematic(title=fitted(model, 48), width=WIDTH, height=HEAD + rows * (HIGH + GAP) + PAD - GAP, boxes=boxes)


def fitted(words: str, letters: int) -> str:
    """As much of a text as has room, with a mark where it was cut."""
    taken = ""
    for one in words:
        letters -= 2 if ord(one) > 0x2E80 else 1
        if letters < 0:
            return taken.rstrip() + "…"
        taken += one
    return taken
