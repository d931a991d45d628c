"""What may stand in for what (S5): supersession one way and transitive, equivalence both ways, dated, per model."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.core.errors import Reason


class Kind(StrEnum):
    SUPERSEDES = "supersedes"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True, slots=True)
class Link:
    """`to_part` may stand in for `from_part`, from `valid_from` until before `valid_to`; for one model or for all."""

    from_part: str
    to_part: str
    kind: str
    model: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    def holds(self, *, on: date, model: str | None) -> bool:
        """Half-open in time; a link of one model serves only that model."""
        dated = (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)
        return dated and (self.model is None or self.model == model)


@dataclass(frozen=True, slots=True)
class Substitute:
    """A part that may be supplied, and the parts that lead to it from the asked one (which is not in the path)."""

    part: str
    path: tuple[str, ...]

    @property
    def reason(self) -> Reason:
        return Reason("S5", "substitute.allowed", {"part_number": self.part, "path": list(self.path)})


def substitutes(part: str, links: Iterable[Link], *, on: date, model: str | None = None) -> list[Substitute]:
    """All parts that may stand in for `part` on a date, nearest first, then by number; never the part itself."""
    steps: dict[str, set[str]] = {}
    for link in links:
        if link.holds(on=on, model=model):
            for start, end in _directions(link):
                steps.setdefault(start, set()).add(end)
    found: list[Substitute] = []
    seen, queue = {part}, deque([Substitute(part, ())])
    while queue:
        here = queue.popleft()
        for step in sorted(steps.get(here.part, set()) - seen):
            seen.add(step)
            found.append(Substitute(step, (*here.path, step)))
            queue.append(found[-1])
    return found


def _directions(link: Link) -> Iterator[tuple[str, str]]:
    yield link.from_part, link.to_part
    if link.kind == Kind.EQUIVALENT:
        yield link.to_part, link.from_part
