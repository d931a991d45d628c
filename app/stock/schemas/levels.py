"""Stock levels on the wire: what a place is kept at of a part, and how fast it is asked for."""

from typing import Annotated

from msgspec import Meta

from app.core.types import Code, Wire

PerDay = Annotated[float, Meta(ge=0, le=10_000)]


class StockLevelIn(Wire):
    """What a place is kept at of a part. Pieces asked for in a day, by priority; all three left out: as seen lately."""

    place: Code
    part_number: Code
    base_stock: Annotated[int, Meta(ge=0, le=1_000)]
    lead_time_hours: Annotated[int, Meta(ge=1, le=8_760)]
    emergency_per_day: PerDay | None = None
    severe_per_day: PerDay | None = None
    general_per_day: PerDay | None = None


class StockLevelOut(Wire):
    """A level as it counts: `estimated` rates are those of the last 90 days. `free` is what is there to promise now."""

    place: str
    part_number: str
    base_stock: int
    lead_time_hours: int
    emergency_per_day: float
    severe_per_day: float
    general_per_day: float
    estimated: bool
    free: int
    version: int


class StockLevelsOut(Wire):
    items: list[StockLevelOut]
    next: str | None
