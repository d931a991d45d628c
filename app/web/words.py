"""The words for codes that pages show, and how instants and spans are written. English is the message id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.fulfillment.rules.clocks import ClockName, Priority
from app.web.render import Words
from app.web.views import Standing

STANDING: Mapping[Standing, str] = {"ok": "in time", "risk": "at risk", "late": "late", "paused": "on hold"}
PRIORITY: Mapping[Priority, str] = {"general": "general", "severe": "severe", "emergency": "emergency"}
STEP: Mapping[str, str] = {
    "waiting": "waits for stock",
    "accepted": "to pick",
    "awaiting_consent": "awaits consent to the price",
    "picked": "picked",
    "packed": "packed",
    "dispatched": "on the way",
    "delivered": "delivered",
    "fitted": "fitted, to confirm",
}
PROMISE: Mapping[ClockName, str] = {
    "answer": "answered by {at}",
    "depart": "set out by {at}",
    "on_site": "on site by {at}",
    "done": "running by {at}",
    "local": "fitted by {at}",
    "national": "dispatched by {at}",
}
CLOCK: Mapping[ClockName, str] = {
    "answer": "answer",
    "depart": "departure",
    "on_site": "arrival",
    "done": "running again",
    "local": "fitting",
    "national": "hand-over to a carrier",
}
HOLD: Mapping[str, str] = {
    "site_access": "waits for access to the site",
    "price_consent": "waits for consent to the price",
    "customer_appointment": "waits for the customer's appointment",
    "customer_information": "waits for the customer's information",
}
ROLE: Mapping[str, str] = {
    "admin": "administrator",
    "dispatcher": "dispatcher",
    "warehouse": "warehouse",
    "engineer": "engineer",
    "finance": "finance",
    "integration": "integration",
}
LEVEL: Mapping[str, str] = {
    "warn_50": "half of its time is gone",
    "warn_80": "four fifths of its time are gone",
    "breach": "missed",
    "called": "managers called",
}
"""What is told of a clock that runs out, or of a person who was called."""
TABLES = (STANDING, PRIORITY, STEP, PROMISE, CLOCK, HOLD, ROLE, LEVEL)


def clock_time(instant: datetime, zone: str, now: datetime, say: Words) -> str:
    """An instant on a site's wall clock: `14:05`; with its day where that is not today there."""
    there = ZoneInfo(zone)
    local, today = instant.astimezone(there), now.astimezone(there).date()
    wall = f"{local:%H:%M}"
    if local.date() == today:
        return wall
    if local.date() == today + timedelta(days=1):
        return say("tomorrow {at}", at=wall)
    return f"{local:%m-%d} {wall}" if local.year == today.year else f"{local:%Y-%m-%d} {wall}"


def span(seconds: int, say: Words) -> str:
    """A span as hours and minutes, `1:12`; the seconds of a minute that has begun do not count. Days in words."""
    minutes = abs(seconds) // 60
    if minutes >= 48 * 60:
        return say("{days} d {hours} h", days=minutes // 1440, hours=minutes % 1440 // 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def ms(instant: datetime) -> int:
    """Milliseconds since 1970, as scripts count."""
    return int(instant.timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every part of the board is told: the moment, the words, the names, and what the plan says of each line."""

    now: datetime
    say: Words
    couriers: Mapping[str, str]
    colors: Mapping[str, int]
    labels: Mapping[str, str]
    finishes: Mapping[str, datetime]
    drivers: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)

    def at(self, instant: datetime, zone: str) -> str:
        return clock_time(instant, zone, self.now, self.say)

    def span(self, seconds: float) -> str:
        return span(int(seconds), self.say)

    def over(self, seconds: float) -> str:
        """A span that is too much, a minute that has begun counted whole: nothing is `0:00` late."""
        return span(-(-int(abs(seconds)) // 60) * 60, self.say)
