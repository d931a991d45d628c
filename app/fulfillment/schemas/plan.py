"""Plans on the wire: routes with their stops, what will be missed and why."""

from datetime import datetime
from typing import Literal

from app.core.http import ReasonOut
from app.core.types import Wire
from app.fulfillment.schemas.steering import FixOut


class StopOut(Wire):
    """One stop of a route."""

    kind: Literal["pickup", "drop"]
    line: str
    request: str | None
    location: str
    latitude: float
    longitude: float
    arrive_at: datetime
    start_at: datetime
    leave_at: datetime
    slack_s: int | None


class RouteOut(Wire):
    courier: str
    available_at: datetime
    start: str
    latitude: float
    longitude: float
    drive_s: int
    carrying: list[str]
    stops: list[StopOut]


class MissOut(Wire):
    """A line that the plan will miss, by how much, and why.

    `reasons` is what binds as of now. `clash` is the smallest set of facts that leave no way, `fixes` the changes that would
    help, the cheapest first: both as told once for this version of the plan, empty until then.
    """

    line: str
    request: str | None
    due_at: datetime
    eta: datetime | None
    late_s: int | None
    reasons: list[ReasonOut]
    clash: list[ReasonOut]
    fixes: list[FixOut]


class PlanOut(Wire):
    """The plan in force of a region."""

    region: str
    version: int
    planned_at: datetime | None
    estimated: bool
    routes: list[RouteOut]
    missed: list[MissOut]
    waiting: list[str]


class PlansOut(Wire):
    items: list[PlanOut]
