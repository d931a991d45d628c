"""How papers write money and instants, and the words that stand on every one of them."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.core.money import Money
from app.core.settings import Settings
from app.web.paper.values import Letterhead
from app.web.render import Words


def letterhead(settings: Settings) -> Letterhead:
    """Who sends the papers of this installation."""
    name, *lines = [part for one in re.split("[;；]", settings.company) if (part := one.strip())] or ["Sparelane"]
    return Letterhead(name, tuple(lines))


def amount(money: Money) -> str:
    """`1,280.00`, where the currency stands in the table's head."""
    whole, point, part = money.amount.partition(".")
    sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{part}"


def money(one: Money) -> str:
    """`1,280.00 CNY`."""
    return f"{amount(one)} {one.currency}"


def wall_time(instant: datetime, zone: str) -> str:
    """An instant on a zone's wall clock, `2026-11-22 15:30`."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def frame(title: str, head: Letterhead, made_at: datetime, zone: str, say: Words) -> dict[str, Any]:
    """What the frame of a page needs: language, who sends it, when it was made, how pages are counted."""
    chinese = say.language == "zh-CN"
    return {
        "language": "zh" if chinese else "en",
        "region": "cn" if chinese else "us",
        "head": {"name": head.name, "lines": list(head.lines)},
        "made": say("Made {at}, times of {zone}", at=wall_time(made_at, zone), zone=zone),
        "words": {"title": title, "page": say("Page {page} of {pages}")},
    }
