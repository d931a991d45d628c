"""What would bring a line sooner, and what clashes for one that is missed: values, as they are told and kept."""

from dataclasses import dataclass
from datetime import datetime

from app.core.errors import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Giving:
    """Another line that would give its pieces up (S3b), how much after its own due it would come then, None: nobody can
    say; `waits`: nothing is free for it."""

    line: str
    late_s: int | None
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to do, and the values it is done with."""

    kind: str
    reason: Reason
    place: str | None = None
    part_number: str | None = None
    courier: str | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    gives: Giving | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Changes that together bring a line sooner. `eta` is when its promise would be met (fitted, or handed over), `late_s`
    how much after due. `cost_minor` is what it takes more than the plan; `weight` ranks: it counts purchase
    prices too. `zone` is the site's, in which times are told."""

    line: str
    changes: tuple[Change, ...]
    zone: str | None = None
    eta: datetime | None = None
    late_s: int | None = None
    gained_s: int | None = None
    more_drive_s: int | None = None
    cost_minor: int = 0
    weight: int = 0
    harmed: tuple[str, ...] = ()
    needs_customer: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(one.kind for one in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Of one missed line: which facts clash and what would help. `zone` is the site's, in which its times are told.

    `clash` is empty where nobody could be asked; `smallest` false: a smaller set of facts might clash too.
    """

    line: str
    zone: str
    clash: tuple[Reason, ...] = ()
    smallest: bool = True
    fixes: tuple[Fix, ...] = ()
