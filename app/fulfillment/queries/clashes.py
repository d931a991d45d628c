"""What was told of the lines that plans in force will miss, and which plans nobody has explained yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Reason
from app.fulfillment.queries.requests import SCOPED, scope_of
from app.fulfillment.rules.fixes import Change, Fix, Told

TOLD = text("""
    SELECT c.line, CAST(c.told AS text) AS told FROM plan_clash c JOIN region_plan p USING (region, version)
    WHERE p.region = ANY(CAST(:regions AS text[])) ORDER BY c.line
""")
TOLD_LINES = text("""
    SELECT c.line, CAST(c.told AS text) AS told FROM plan_clash c JOIN region_plan p USING (region, version)
    WHERE c.line = ANY(CAST(:lines AS text[])) ORDER BY c.line
""")
UNEXPLAINED = text("""
    SELECT region, version FROM region_plan p WHERE plan IS NOT NULL AND explained < version
      AND (NOT CAST(:settled AS boolean) OR improved >= version
           AND NOT EXISTS (SELECT FROM region_dirty d WHERE d.region = p.region))
    ORDER BY planned_at, region LIMIT :most
""")
STANDS = text("""
    SELECT EXISTS (SELECT FROM region_plan WHERE region = :region AND version = :version) AND NOT EXISTS (
        SELECT FROM region_dirty WHERE region = :region)
""")
LINE_REQUESTS = text(f"""
    SELECT l.id, l.request FROM request_line l JOIN part_request r ON r.id = l.request
    WHERE l.id = ANY(CAST(:lines AS text[])) AND {SCOPED}
""")


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A plan in force whose misses nobody has explained."""

    region: str
    version: int


async def told_in(db: AsyncConnection, *, regions: Sequence[str]) -> Mapping[str, Told]:
    """By line, what was told of the misses of the plans in force."""
    return {row.line: _told(row.told) for row in await db.execute(TOLD, {"regions": list(regions)})}


async def told_of(db: AsyncConnection, *, lines: Sequence[str]) -> Mapping[str, Told]:
    """The same for some lines."""
    return {row.line: _told(row.told) for row in await db.execute(TOLD_LINES, {"lines": list(lines)})}


async def unexplained(db: AsyncConnection, *, most: int, settled: bool) -> list[Unexplained]:
    """Plans in force to explain, the oldest first; with `settled` only those that the search has seen and that nothing has
    happened to."""
    rows = await db.execute(UNEXPLAINED, {"most": most, "settled": settled})
    return [Unexplained(row.region, row.version) for row in rows]


async def stands(db: AsyncConnection, *, of: Unexplained) -> bool:
    """Whether a plan is still in force and will stay so for the moment."""
    return bool(await db.scalar(STANDS, {"region": of.region, "version": of.version}))


async def requests_of(db: AsyncConnection, *, actor: Actor, lines: Sequence[str]) -> Mapping[str, str]:
    """The request of each line that this actor may see."""
    rows = await db.execute(LINE_REQUESTS, {"lines": list(lines), **scope_of(actor)}) if lines else ()
    return {row.id: row.request for row in rows}


def _told(raw: str) -> Told:
    """What KEEP wrote, as values again."""
    value = msgspec.json.decode(raw)
    clash = tuple(Reason(**one) for one in value["clash"])
    return Told(**{**value, "clash": clash, "fixes": tuple(map(_fix, value["fixes"]))})


def _fix(raw: Mapping[str, Any]) -> Fix:
    changes = tuple(map(_change, raw["changes"]))
    return Fix(**{**raw, "changes": changes, "eta": _instant(raw["eta"]), "harmed": tuple(raw["harmed"])})


def _change(raw: Mapping[str, Any]) -> Change:
    times = {name: _instant(raw[name]) for name in ("begins_at", "ends_at")}
    return Change(**{**raw, **times, "reason": Reason(**raw["reason"])})


def _instant(raw: str | None) -> datetime | None:
    return None if raw is None else datetime.fromisoformat(raw)
