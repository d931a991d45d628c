"""The finished values of the warehouse's pages. No question, no decision here."""

from dataclasses import dataclass
from typing import Literal

from app.web.views import ClockView

Step = Literal["pick", "pack", "hand_over", "done"]
STEPS: tuple[Step, ...] = ("pick", "pack", "hand_over")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePart:
    """What a row asks for: a part, how many, and where they lie."""

    number: str
    name: str
    quantity: int
    bins: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """What one request wants from one place."""

    id: str
    request: str
    place: str
    place_name: str
    label: str
    site: str
    customer: str
    priority: str
    priority_word: str
    parts: tuple[QueuePart, ...]
    way: str
    step: Step
    step_word: str
    clock: ClockView
    at_it: str | None
    """Who is at it just now, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One thing to look at alone."""

    words: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The whole queue."""

    rows: tuple[QueueRow, ...]
    shown: int
    places: tuple[Chip, ...]
    steps: tuple[Chip, ...]
    address: str
    live: str
    all_address: str
    paper: str
    now_ms: int
    zones: tuple[str, ...]
    several: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PickLine:
    """One line that a place gives, as its screen shows it. `plan` is what the device checks against, as JSON."""

    id: str
    n: int
    part: str
    name: str
    quantity: int
    bins: tuple[str, ...]
    pieces: tuple[str, ...]
    tracking: str
    state: str
    step: Step
    step_word: str
    said: str | None
    """What was done last, by whom and when."""
    undone: bool
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """Somebody to hand over to."""

    code: str
    name: str
    planned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One request at one warehouse."""

    id: str
    label: str
    site: str
    address: str | None
    customer: str
    priority: str
    priority_word: str
    places: str
    step: Step
    clock: ClockView
    way: str
    way_kind: Literal["courier", "carrier"]
    lines: tuple[PickLine, ...]
    couriers: tuple[Courier, ...]
    carriers: tuple[str, ...]
    carrier: str | None
    at_it: str | None
    by_others: str | None
    held_up: str | None
    now_ms: int
    sum: str
