"""Choosing a scope: all of a kind, or some of its customers, areas and places, as far as the chooser sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import SCOPES, Actor
from app.web.admin.filled import Filled
from app.web.forms import Form
from app.web.render import Words
from app.web.scopes import ALL, KIND

MOST = 2000
CHOICES = text("""
    (SELECT 'customers' AS kind, code, name FROM customer
        WHERE CAST(:scope_customers AS text[]) IS NULL OR code = ANY(CAST(:scope_customers AS text[])) LIMIT :most)
    UNION ALL (SELECT 'areas', code, name FROM area
        WHERE CAST(:scope_areas AS text[]) IS NULL OR code = ANY(CAST(:scope_areas AS text[])) LIMIT :most)
    UNION ALL (SELECT 'places', code, name FROM place
        WHERE CAST(:scope_places AS text[]) IS NULL OR code = ANY(CAST(:scope_places AS text[])) LIMIT :most)
    ORDER BY 1, 3, 2
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeField:
    """One kind of limit as a field: `all` is offered only to whoever sees all. Chosen codes that are no more stay."""

    kind: str
    label: str
    all_words: str | None
    limited: bool
    members: tuple[tuple[str, str, bool], ...]
    wrong: str


async def scope_fields(db: AsyncConnection, *, actor: Actor, filled: Filled, say: Words) -> tuple[ScopeField, ...]:
    """The three fields, as they are filled in."""
    names: dict[str, dict[str, str]] = {kind: {} for kind in SCOPES}
    for row in await db.execute(CHOICES, {**actor.scope, "most": MOST}):
        names[row.kind][row.code] = row.name
    made = []
    for kind in SCOPES:
        chosen, sees_all = filled.all(kind), getattr(actor, kind) is None
        known = names[kind] | {code: names[kind].get(code, code) for code in chosen}
        members = tuple((code, name, code in chosen) for code, name in known.items())
        made.append(
            ScopeField(
                kind=kind,
                label=say(KIND[kind]),
                all_words=say(ALL[kind]) if sees_all else None,
                limited=not sees_all or filled.has(f"{kind}_limited", "yes"),
                members=members,
                wrong=filled.wrong.get(kind, ""),
            )
        )
    return tuple(made)


def scope_in(form: Form) -> dict[str, list[str] | None]:
    """The scope that a form says: None is all."""
    return {kind: form.texts(kind) if form.text(f"{kind}_limited") == "yes" else None for kind in SCOPES}


def scope_values(of: Any) -> Mapping[str, Any]:
    """A scope that stands, as the fields' values."""
    values: dict[str, Any] = {}
    for kind in SCOPES:
        codes = getattr(of, kind)
        values |= {kind: codes or [], f"{kind}_limited": None if codes is None else "yes"}
    return values
