"""What-if on the wire: changes that are only tried, and the plan with and without them."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from app.core.types import Code, Instant, Quantity, Wire
from app.fulfillment.rules.clocks import Priority

Kind = Literal[
    "shift",
    "add_courier",
    "remove_courier",
    "pin",
    "source",
    "open",
    "forbid",
    "allow",
    "substitute",
    "priority",
    "stock",
]


class TriedIn(Wire):
    """One change. `shift`: `courier` drives until `ends_at` (from `begins_at`, else now) · `add_courier`: one more starts
    from `place` · `remove_courier` · `pin`: only `courier` brings `line` · `source`: `line` comes from `place` (as
    `part_number`) · `open`: `place` opens at `begins_at`, else now · `forbid`, `allow`: nothing more is fetched at `place`,
    or it may give too though it does not serve the area · `substitute`: the asker of `line` accepts one · `priority` of
    `line` · `stock`: so many more of `part_number` at `place`.
    """

    kind: Kind
    line: Code | None = None
    courier: Code | None = None
    place: Code | None = None
    part_number: Code | None = None
    priority: Priority | None = None
    quantity: Quantity | None = None
    begins_at: Instant | None = None
    ends_at: Instant | None = None


class WhatIfIn(Wire):
    """Changes that are tried together on the plan of the area's region."""

    area: Code
    changes: Annotated[list[TriedIn], Meta(min_length=1, max_length=20)]


class TierOut(Wire):
    """The planned lines of one priority: how many keep their promise, and how late the others are together."""

    priority: Priority
    lines: int
    kept: int
    missed: int
    late_s: int


class SideOut(Wire):
    """The plan on one side of the comparison. `cost_minor` is driving and shifts for once, of the whole region."""

    tiers: list[TierOut]
    drive_s: int
    cost_minor: int


class TriedLineOut(Wire):
    """One line that the changes touch: when it would be done, and how late, before and after; null is not at all."""

    line: str
    request: str
    eta_before: datetime | None
    eta: datetime | None
    late_before_s: int | None
    late_s: int | None
    courier_before: str | None
    courier: str | None


class WhatIfOut(Wire):
    """The plan without and with the changes, found alike. Nothing is written, nothing is held."""

    region: str
    version: int
    before: SideOut
    after: SideOut
    changed: list[TriedLineOut]
