"""What somebody sees, in words: the customers, areas and places of a scope by their names."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import SCOPES, Actor
from app.web.render import Words

KIND: Mapping[str, str] = {"customers": "Customers", "areas": "Areas", "places": "Places"}
ALL: Mapping[str, str] = {"customers": "all customers", "areas": "all areas", "places": "all places"}
NAMES = text("""
    SELECT 'customers' AS kind, code, name FROM customer WHERE code = ANY(CAST(:scope_customers AS text[]))
    UNION ALL SELECT 'areas', code, name FROM area WHERE code = ANY(CAST(:scope_areas AS text[]))
    UNION ALL SELECT 'places', code, name FROM place WHERE code = ANY(CAST(:scope_places AS text[]))
""")


@dataclass(frozen=True, slots=True)
class ScopeView:
    """One kind of limit, `Areas`, and what lies within it, each as name and code; or words where there is no list."""

    kind: str
    words: str
    members: tuple[tuple[str, str], ...]


async def scope_in_words(db: AsyncConnection, *, actor: Actor, say: Words) -> tuple[ScopeView, ...]:
    """The three limits of a scope. A code that nothing is called by yet stands for itself."""
    names = {(row.kind, row.code): row.name for row in await db.execute(NAMES, actor.scope)}
    made = []
    for kind in SCOPES:
        codes: frozenset[str] | None = getattr(actor, kind)
        words = say(ALL[kind]) if codes is None else "" if codes else say("none")
        members = tuple((names.get((kind, code), code), code) for code in sorted(codes or ()))
        made.append(ScopeView(say(KIND[kind]), words, members))
    return tuple(made)
