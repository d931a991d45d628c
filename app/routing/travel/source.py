"""What every provider of road times offers beside a matrix: its version, whether the hour matters, lines to draw."""

from typing import Protocol

from app.routing.travel.matrix import Point, TravelTimes


class NotUnderstood(Exception):
    """A road server answered something that is no answer: another status, no JSON, a shape of its own."""


class RoadSource(Protocol):
    """Times and lines along roads. Times kept in the database belong to one `version`."""

    @property
    def version(self) -> str:
        """Names what its times rest on; another version's times are never mixed with them."""
        ...

    @property
    def by_hour(self) -> bool:
        """Whether its times differ with the time of day."""
        ...

    def at(self, bucket: int) -> TravelTimes:
        """Its times in a part of the day (`hours`); the same at any time where `by_hour` is false."""
        ...

    async def line(self, start: Point, end: Point) -> tuple[Point, ...] | None:
        """The way on the map; None where there is no road. Raises what its transport raises."""
        ...

    async def aclose(self) -> None:
        """Give connections back."""
        ...
