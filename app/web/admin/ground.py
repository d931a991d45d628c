"""What the network's pages share: choices of places and areas, a small map of one spot, and what is odd about it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.network.rules.boxes import doubt_of
from app.web.admin.words import DOUBT
from app.web.render import Words

ZONES = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "UTC")
AREAS = text("""
    SELECT code, name FROM area
    WHERE CAST(:scope_areas AS text[]) IS NULL OR code = ANY(CAST(:scope_areas AS text[])) ORDER BY name, code LIMIT 2000
""")
PLACES = text("""
    SELECT code, name FROM place
    WHERE CAST(:scope_places AS text[]) IS NULL OR code = ANY(CAST(:scope_places AS text[]))
    ORDER BY name, code LIMIT 2000
""")
CUSTOMERS = text("""
    SELECT code, name FROM customer
    WHERE CAST(:scope_customers AS text[]) IS NULL OR code = ANY(CAST(:scope_customers AS text[]))
    ORDER BY name, code LIMIT 2000
""")
PARTS = text("SELECT number AS code, name FROM part ORDER BY number LIMIT 5000")
Choices = tuple[tuple[str, str], ...]


async def choices(db: AsyncConnection, actor: Actor, statement: Any) -> Choices:
    """Code and name of each thing that may be chosen."""
    rows = await db.execute(statement, actor.scope if ":scope" in statement.text else {})
    return tuple((row.code, named(row.name, row.code)) for row in rows)


def named(name: str, code: str) -> str:
    return name if name == code else f"{name} · {code}"


def spot(name: str, kind: str, latitude: float, longitude: float, around: Sequence[Any] = ()) -> str:
    """One spot and what lies around it, as the map draws it."""
    shown = {
        "places": [{"name": name, "kind": kind, "at": (latitude, longitude)}]
        + [{"name": one.name, "kind": one.kind, "at": (one.latitude, one.longitude)} for one in around],
        "sites": [],
        "routes": [],
        "areas": [],
        "focus": ((latitude - 0.06, longitude - 0.1), (latitude + 0.06, longitude + 0.1)),
    }
    return msgspec.json.encode(shown).decode()


def doubt_in_words(latitude: float, longitude: float, zone: str, say: Words) -> str | None:
    """A warning about coordinates that look wrong."""
    found = doubt_of(latitude, longitude, zone)
    return None if found is None else say(DOUBT[found])
