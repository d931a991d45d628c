"""How speeds change with the time of day: a small table of factors per part of the day and class of road [house].

A part of the day ("bucket") is a whole number; 0 is also what a provider uses that does not know the time of day.
"""

from datetime import datetime
from typing import Final

MOTORWAY, MAIN, TOWN, LOCAL = range(4)
"""Classes of road: motorways; trunk and primary; secondary and tertiary; all other."""

FREE, MORNING, DAY, EVENING = range(4)
"""Parts of the day. Weekends are `DAY` from 9 to 19 and `FREE` around it."""
BUCKETS: Final = (FREE, MORNING, DAY, EVENING)

FACTORS: Final = {
    FREE: (1.00, 1.00, 1.00, 1.00),
    MORNING: (0.85, 0.75, 0.70, 0.85),
    DAY: (0.95, 0.90, 0.90, 0.95),
    EVENING: (0.80, 0.70, 0.70, 0.85),
}
"""Share of the free speed, by class of road in the order above."""

FACTORS_VERSION = 1
"""Raised when the table changes: times kept under the old one are asked anew."""


def bucket_of(local: datetime) -> int:
    """The part of the day of a local time: 7-9 morning, 9-16 day, 16-19 evening, else free."""
    if local.weekday() >= 5:
        return DAY if 9 <= local.hour < 19 else FREE
    if 7 <= local.hour < 9:
        return MORNING
    if 9 <= local.hour < 16:
        return DAY
    return EVENING if 16 <= local.hour < 19 else FREE
