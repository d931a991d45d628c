"""Texts, made at the door: a code and its facts become a sentence in the asker's language.

Each wing keeps its sentences in `app/locales/<language>/<wing>.po`; the message id is the code of a reason or refusal.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import get_timezone_name
from babel.messages.pofile import read_po

Language = Literal["en", "zh-CN"]
LANGUAGES: tuple[Language, ...] = ("en", "zh-CN")
LOCALES = Path(__file__).parent.parent / "locales"
FOLDERS: Mapping[Language, str] = {"en": "en", "zh-CN": "zh_CN"}


class _Facts(dict[str, Any]):
    """Facts for a sentence; a fact that is missing shows as its name, since a text must never fail."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


@cache
def catalog(language: Language) -> Mapping[str, str]:
    """Every message of a language, from all wings."""
    messages: dict[str, str] = {}
    for path in sorted((LOCALES / FOLDERS[language]).glob("*.po")):
        with path.open("rb") as source:
            messages |= {str(one.id): str(one.string) for one in read_po(source) if one.id and one.string}
    return messages


TERMS = frozenset(
    (
        "payer",
        "cause",
        "status",
        "state",
        "verb",
        "allowed",
        "reason",
        "priority",
        "before",
        "kind",
        "role",
        "condition",
    )
)
"""Facts whose values are the product's own words (`oem_service`, `dispatched`): told in the asker's language."""


ZONES = frozenset(("zone", "zones", "timezone"))
"""Facts that name a time zone as computers do (`Asia/Shanghai`)."""
SEASONS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
"""Two days half a year apart: a zone whose distance from UTC differs between them has summer time."""
SEA_LEVEL = ("UTC", "Etc/UTC", "GMT", "Etc/GMT")
"""Zones that are no place's."""
HOURS_FROM_MIN = 120
"""Fewer minutes than this are told as minutes [house]."""


def text(code: str, facts: Mapping[str, Any], language: Language) -> str:
    """The sentence for a code; the code itself where no sentence is known (a test fails on that)."""
    pattern = catalog(language).get(code)
    if pattern is None:
        return code
    told = {name: _told(name, value, language) for name, value in facts.items()}
    if code.endswith(".not_found") and len(told) == 1:  # what is not there is its key, whatever the fact is called
        told.setdefault("key", *told.values())
    return pattern.format_map(_Facts({name: _shown(value, language) for name, value in told.items()}))


def _told(name: str, value: Any, language: Language) -> Any:
    """A fact as its name says it is meant: a term in words, many minutes (`…_min`, with "min" behind) as hours and minutes."""
    if name in TERMS:
        return term(value, language)
    if name in ZONES:
        return (
            [zone_words(one, language) for one in value]
            if isinstance(value, list | tuple)
            else zone_words(value, language)
        )
    if name.endswith("_min") and type(value) is int and value >= HOURS_FROM_MIN:
        return f"{value // 60} {'小时' if language == 'zh-CN' else 'h'} {value % 60}"
    return value


def zone_words(zone: Any, language: Language) -> Any:
    """What people call a time zone, `China Time (UTC+8)`; the distance only where no summer time changes it. Anything that
    is no zone's name stays as it is."""
    return _zone_words(zone, language) if isinstance(zone, str) and zone in available_timezones() else zone


@cache
def _zone_words(zone: str, language: Language) -> str:
    minutes = {
        int(offset.total_seconds()) // 60
        for day in SEASONS
        if (offset := day.astimezone(ZoneInfo(zone)).utcoffset()) is not None
    }
    hours, rest = divmod(abs(min(minutes)), 60)
    distance = (
        f"UTC{'-' if min(minutes) < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "") if minutes != {0} else "UTC"
    )
    if zone in SEA_LEVEL:
        return distance
    name = get_timezone_name(zone, width="long", locale=FOLDERS[language], zone_variant="generic")
    if len(minutes) > 1:
        return name
    return f"{name}（{distance}）" if language == "zh-CN" else f"{name} ({distance})"


def term(value: Any, language: Language) -> Any:
    """One of the product's own words in a language; anything else as it is."""
    if isinstance(value, list | tuple):
        return [term(one, language) for one in value]
    return catalog(language).get(f"term.{value}", value) if isinstance(value, str) else value


def _shown(value: Any, language: Language) -> Any:
    match value:
        case None:
            return "—"
        case bool():
            return {"en": ("no", "yes"), "zh-CN": ("否", "是")}[language][value]
        case list() | tuple():
            return ("、" if language == "zh-CN" else ", ").join(str(one) for one in value)
        case _:
            return value


def chosen_language(accept_language: str | None) -> Language:
    """The language of an Accept-Language header (RFC 9110): the best-liked one we speak, else English."""
    liked: list[tuple[float, int, Language]] = []
    for at, part in enumerate((accept_language or "")[:500].split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            quality = 0.0
        tag = tag.lower()
        if quality > 0 and tag.split("-")[0] in ("zh", "en"):
            liked.append((-quality, at, "zh-CN" if tag.startswith("zh") else "en"))
    return min(liked)[2] if liked else "en"
