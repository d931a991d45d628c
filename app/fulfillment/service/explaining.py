"""Explaining a plan in force: for each line it will miss which facts clash and what would help, told once a plan.

Read in short transactions, asked of the solving child in none, written in one that looks whether the plan still stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import duty_actor
from app.fulfillment.queries.clashes import Unexplained, requests_of
from app.fulfillment.queries.planning import planning
from app.fulfillment.queries.region import region_of_area
from app.fulfillment.queries.requests import load
from app.fulfillment.rules.fixes import Told
from app.fulfillment.service.clashing import Case
from app.fulfillment.service.fixing import case_for, fixes_of, waits
from app.fulfillment.service.reasoning import clash_reasons
from app.routing.rules.clash import Breaks, Clash, minimal

ACTOR = duty_actor("explain")
MOST_MISSES = 8
"""Of one plan, the most urgent ones [house]: a day on which more are missed has one reason, and it is not any line's."""
EXPLAINED = text("""
    UPDATE region_plan SET explained = :version WHERE region = :region AND version = :version AND explained < :version
    RETURNING version
""")
FORGET = text("DELETE FROM plan_clash WHERE region = :region")
KEEP = text(
    "INSERT INTO plan_clash (region, version, line, told) VALUES (:region, :version, :line, CAST(:told AS jsonb))"
)


@dataclass(frozen=True, slots=True)
class Miss:
    """One missed line's case, and what each of its ways breaks."""

    case: Case
    sets: tuple[Breaks, ...]


async def missed_lines(db: AsyncConnection, *, of: Unexplained, now: datetime) -> list[tuple[str, str]]:
    """The lines that the plan will miss as of now and their requests, the most urgent first."""
    planned = planning(await region_of_area(db, area=of.region, now=now), now=now)
    finishes = planned.plan.finishes()
    late = [job for job in planned.problem.jobs if finishes.get(job.id, planned.problem.horizon_s + 1) > job.due_s]
    late = sorted(late, key=lambda job: (job.tier, job.due_s, job.id))[:MOST_MISSES]
    requests = await requests_of(db, actor=ACTOR, lines=[job.id for job in late])
    return [(job.id, requests[job.id]) for job in late]


async def miss_of(db: AsyncConnection, *, line: str, request: str, now: datetime) -> Miss | None:
    """One line with every way to bring it; None if it is brought by now."""
    loaded = await load(db, actor=ACTOR, request_id=request)
    mine = next(one for one in loaded.lines if one.id == line)
    if not waits(mine):
        return None
    case = await case_for(db, actor=ACTOR, loaded=loaded, line=mine, now=now)
    return Miss(case, minimal(way.breaks for way in case.ways))


def told(miss: Miss, clash: Clash | None) -> Told:
    """One miss explained; without an answer of the child by its fixes alone."""
    case = miss.case
    return Told(
        line=case.line.id,
        zone=case.facts.setting.timezone,
        clash=() if clash is None else tuple(clash_reasons(case, clash)),
        smallest=clash is None or clash.smallest,
        fixes=tuple(fixes_of(case)),
    )


async def keep(db: AsyncConnection, *, of: Unexplained, told: Sequence[Told]) -> bool:
    """Write what was told, unless another plan is in force by now or another worker was quicker."""
    binds = {"region": of.region, "version": of.version}
    if await db.scalar(EXPLAINED, binds) is None:
        return False
    await db.execute(FORGET, binds)
    if told:
        rows = [{**binds, "line": one.line, "told": msgspec.json.encode(one).decode()} for one in told]
        await db.execute(KEEP, rows)
    return True
