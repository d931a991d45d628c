"""Travel times and road lines from a pluggable provider (R5): servers of roads, an embedded graph, the estimate without.

Nothing here is called inside a transaction, apart from what only computes: `GreatCircle.estimate` and `Times`.
"""

from app.routing.travel.matrix import Matrix, Point, TravelTimes, wrong_point
from app.routing.travel.steady import Breaker, Steady, implausible
from app.routing.travel.straight import GreatCircle, SpeedBand

__all__ = [
    "Breaker",
    "GreatCircle",
    "Matrix",
    "Point",
    "SpeedBand",
    "Steady",
    "TravelTimes",
    "implausible",
    "wrong_point",
]
