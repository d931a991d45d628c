"""The finished values of the dispatch board: what its templates show, word for word. No question, no decision here."""

from dataclasses import dataclass
from typing import Literal

Standing = Literal["ok", "risk", "late", "paused"]
STANDINGS: tuple[Standing, ...] = ("late", "risk", "ok", "paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An instant that a clock rests on."""

    word: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """A promise and its clock. `left` and `share` (percent of the time still left) are as of the page; a script ticks
    on from `due_ms` unless the clock stands still. `spare` is the plan's slack in words."""

    standing: Standing
    word: str
    promise: str
    left: str
    share: int
    due_ms: int
    started_ms: int
    ticking: bool
    spare: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideClock:
    """Another clock of the request that runs or ran out, in a few words."""

    standing: Standing
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One open request on the board."""

    id: str
    label: str
    priority: str
    priority_word: str
    part_number: str
    part_name: str
    quantity: int
    more_lines: int
    site: str
    customer: str
    source: str
    carrier: str
    color: int | None
    step: str
    clock: ClockView
    sides: tuple[SideClock, ...]
    why: tuple[str, ...]
    """Why the plan will miss it, and what would help."""
    address: str | None = None
    panel: str | None = None
    """Where to act on it, for those who may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stop on a lane: `x` and `width` in percent of the timeline."""

    kind: Literal["pickup", "drop"]
    x: float
    width: float
    number: int | None
    label: str
    standing: Standing
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A drive on a lane, in percent of the timeline."""

    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One courier's work."""

    courier: str
    name: str
    color: int
    note: str
    blocks: tuple[Block, ...]
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """An hour on the timeline."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The couriers' lanes over one stretch of time, and who has nothing to do."""

    ticks: tuple[Tick, ...]
    now_x: float
    lanes: tuple[Lane, ...]
    idle: tuple[str, ...]
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaChip:
    """An area to look at alone."""

    code: str | None
    name: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many requests stand so."""

    standing: Standing
    word: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOffRow:
    """A partner who was asked to confirm what it reports, with the link to pass on."""

    id: str
    place: str
    part_number: str
    quantity: int
    request: str
    label: str
    answer_by: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The whole board."""

    area: str | None
    now: str
    now_ms: int
    counts: tuple[Count, ...]
    areas: tuple[AreaChip, ...]
    rows: tuple[RequestRow, ...]
    considered: int
    """How many requests the board looked at; `rows` may be fewer."""
    total: int
    missed: int
    timeline: Timeline
    map_json: str
    zones: tuple[str, ...]
    estimated: bool
    couriers: int
    steers: bool = False
    """Whether the reader may steer the plan."""
    frozen: str | None = None
    """Areas whose routes stand still."""
    call_offs: tuple[CallOffRow, ...] = ()
    """Partners whose answer is waited for; only for those who steer."""
