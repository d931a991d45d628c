"""Facts people can read: minutes beside the seconds a rule computes with."""

from dataclasses import replace

from app.core.errors import Fact, Reason


def readable(reason: Reason) -> Reason:
    """The reason with a fact in whole minutes, rounded up, beside every fact in seconds (`late_s` → `late_min`)."""
    minutes: dict[str, Fact] = {
        f"{name[:-2]}_min": -(-value // 60)
        for name, value in reason.facts.items()
        if name.endswith("_s") and isinstance(value, int)
    }
    return replace(reason, facts={**reason.facts, **minutes}) if minutes else reason
