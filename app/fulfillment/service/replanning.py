"""Planning a region anew: claimed under a lease, solved outside any transaction, applied only where still valid (R4)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import duty_actor
from app.core.events import Event, announce_all
from app.core.ids import new_id
from app.fulfillment.queries.elsewhere import Shelves, shelves_elsewhere
from app.fulfillment.queries.planning import Planning, planning
from app.fulfillment.queries.region import Region, region_of_area
from app.fulfillment.service.moving import Move
from app.fulfillment.service.records import mark_dirty
from app.routing.models import PlanHistory
from app.routing.rules import making as makings
from app.routing.rules import plan as plans
from app.routing.rules import problem as problems
from app.routing.rules.making import Making, without
from app.routing.rules.moving import Moved
from app.routing.rules.plan import Plan
from app.routing.rules.problem import Problem
from app.routing.rules.standing import adopted

LEASE = timedelta(seconds=60)
TELL_AFTER = timedelta(minutes=5)
AS_PLANNED = ("answered", "departed", "arrived", "dispatched", "delivered", "fitted", "confirmed")
"""Marks of what a plan expects to happen: by themselves they call for no other plan."""
DIRTY = text("""
    SELECT d.region, max(d.seq) AS seq, bool_or(d.why <> ALL(CAST(:as_planned AS text[]))) AS news FROM region_dirty d
    LEFT JOIN region_plan p ON p.region = d.region
    WHERE (p.lease_until IS NULL OR p.lease_until < :now) AND d.region <> ALL(CAST(:but AS text[]))
    GROUP BY d.region ORDER BY min(d.seq) LIMIT 1
""")
CLAIM = text("""
    INSERT INTO region_plan AS p (region, fence, lease_until) VALUES (:region, 1, :until)
    ON CONFLICT (region) DO UPDATE SET fence = p.fence + 1, lease_until = :until
    WHERE p.lease_until IS NULL OR p.lease_until < :now
    RETURNING fence
""")
CLEAN = text("DELETE FROM region_dirty WHERE region = :region AND seq <= :seq")
APPLY = text("""
    UPDATE region_plan SET version = version + 1, planned_at = :now, problem = CAST(:problem AS jsonb),
        plan = CAST(:plan AS jsonb), lease_until = NULL,
        improved = CASE WHEN CAST(:as_planned AS boolean) AND improved = version THEN version + 1 ELSE improved END
    WHERE region = :region AND fence = :fence RETURNING version
""")
UNIMPROVED = text("""
    SELECT region, version FROM region_plan p WHERE plan IS NOT NULL AND improved < version
      AND (lease_until IS NULL OR lease_until < :now) AND NOT EXISTS (SELECT FROM region_dirty d WHERE d.region = p.region)
    ORDER BY planned_at, region LIMIT :most
""")
IMPROVED = text("""
    UPDATE region_plan SET improved = greatest(improved, CAST(:version AS bigint)), lease_until = NULL
    WHERE region = :region AND fence = :fence
""")
LET_GO = text("UPDATE region_plan SET lease_until = NULL WHERE region = :region AND fence = :fence")
LOCK_LINES = text("""
    SELECT l.id, l.state, l.courier, l.eta, l.request, r.customer, r.area, r.version, l.source
    FROM request_line l JOIN part_request r ON r.id = l.request
    WHERE l.id = ANY(CAST(:ids AS text[])) ORDER BY l.id FOR UPDATE OF l
""")
SET_ETA = text("""
    UPDATE request_line SET eta = CAST(:eta AS timestamptz),
        mode = CASE WHEN mode IS NULL AND CAST(:eta AS timestamptz) IS NOT NULL THEN 'courier' ELSE mode END
    WHERE id = :id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A region under this worker's lease, and what was read of it.

    `news`: something happened that no plan expects.
    """

    region: str
    fence: int
    seen: int
    news: bool
    facts: Region
    planned: Planning
    shelves: Shelves

    @property
    def goes_to_plan(self) -> bool:
        """Whether all went as the plan in force says: what is left of it serves everyone and misses nothing more."""
        left, standing = self.planned.plan, self.facts.standing
        if self.news or standing is None or len(left.finishes()) < len(self.planned.problem.jobs):
            return False
        return left.costs.misses <= standing.plan.costs.misses


@dataclass(frozen=True, slots=True)
class Dirty:
    """A region that wants planning, the newest mark seen, and whether there is news in the marks."""

    region: str
    seen: int
    news: bool


async def next_dirty(db: AsyncConnection, *, but: Collection[str], now: datetime) -> Dirty | None:
    """The region that has waited longest and that nobody plans just now, apart from those tried already."""
    binds = {"now": now, "as_planned": list(AS_PLANNED), "but": sorted(but)}
    row = (await db.execute(DIRTY, binds)).one_or_none()
    return None if row is None else Dirty(row.region, row.seq, row.news)


async def claim(db: AsyncConnection, *, dirty: Dirty, now: datetime) -> Claimed | None:
    """Take a region's lease and read it; None if another worker was quicker."""
    fence = await db.scalar(CLAIM, {"region": dirty.region, "until": now + LEASE, "now": now})
    if fence is None:
        return None
    shelves = await shelves_elsewhere(db, region=dirty.region)
    also = shelves.locations
    points = [(one.latitude, one.longitude) for one in also]
    facts = await region_of_area(db, area=dirty.region, now=now, also=points)
    return Claimed(
        region=dirty.region,
        fence=int(fence),
        seen=dirty.seen,
        news=dirty.news,
        facts=facts,
        planned=planning(facts, now=now, also=also),
        shelves=shelves,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What was found for a claimed region: the problem as it is answered, its plan, lines that come from another shelf in
    it, and how it came about."""

    problem: Problem
    plan: Plan
    making: Making
    moved: tuple[Moved, ...] = ()


def moves_of(claimed: Claimed, found: Planned) -> list[Move]:
    """The holds that have to move before the plan can go into force, in the order of their requests."""
    lines = {line.id: line for line in claimed.facts.lines}
    finishes, jobs = found.plan.finishes(), found.problem.by_id()
    moves = [
        Move(
            line=one.job,
            request=lines[one.job].request,
            before=lines[one.job].place,
            place=claimed.shelves.place_of(one.job, one.shelf),
            eta=found.problem.start + timedelta(seconds=finishes[one.job]),
            late_before_s=one.late_before_s,
            late_s=max(0, finishes[one.job] - jobs[one.job].due_s),
        )
        for one in found.moved
        if one.job in finishes
    ]
    return sorted(moves, key=lambda one: (one.request, one.line))


async def apply(
    db: AsyncConnection, *, claimed: Claimed, found: Planned, places: Mapping[str, str], now: datetime
) -> int:
    """Put a plan in force, unless another worker took the region over (fence). Gives how many lines were told anew.

    `places` are the lines whose hold was moved for it, and where to; the others must lie where they lay.
    What changed since the plan was read (a line picked up, canceled, taken elsewhere) is left out of it again: the
    standing plan is what `adopted` keeps under the facts of now, and the next plan follows from the marks they left.
    """
    problem, plan, making = found.problem, found.plan, found.making
    ids = [job.id for job in problem.jobs]
    rows = {row.id: row for row in await db.execute(LOCK_LINES, {"ids": ids})}
    wanted = {one.job: claimed.shelves.place_of(one.job, one.shelf) for one in found.moved}
    unchanged = {
        line.id
        for line in claimed.facts.lines
        if line.id in rows
        and _same(line, rows[line.id])
        and rows[line.id].source == places.get(line.id, line.place) == wanted.get(line.id, line.place)
    }
    if len(unchanged) < len(ids):
        gone = set(ids) - unchanged
        problem, making = without(problem, gone), making.left(gone)
        plan = adopted(plan, problem)
    version = await db.scalar(
        APPLY,
        {
            "region": claimed.region,
            "fence": claimed.fence,
            "now": now,
            "as_planned": claimed.goes_to_plan,
            "problem": _json(problems.to_json(problem)),
            "plan": _json(plans.to_json(plan)),
        },
    )
    if version is None:
        if places:  # the holds have moved, the plan in force does not know it
            await mark_dirty(db, area=claimed.region, why="resourced", now=now)
        return 0
    row = {
        "id": new_id("plan", now),
        "region": claimed.region,
        "version": version,
        "planned_at": now,
        "problem": problems.to_json(problem),
        "plan": plans.to_json(plan),
        "making": makings.to_json(making, problem),
    }
    await db.execute(insert(PlanHistory), row)
    await db.execute(CLEAN, {"region": claimed.region, "seq": claimed.seen})
    return await _tell(db, problem, plan, rows, now)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _same(line: Any, row: Any) -> bool:
    return row is not None and row.state == line.state and row.courier == line.courier


async def _tell(db: AsyncConnection, problem: Problem, plan: Plan, rows: dict[str, Any], now: datetime) -> int:
    """Write the ETAs; a request whose ETA moved by more than five minutes is told so, once a plan."""
    finishes = plan.finishes()
    events, changes = [], []
    for job in problem.jobs:
        row, finish = rows[job.id], finishes.get(job.id)
        eta = None if finish is None else problem.start + timedelta(seconds=finish)
        if eta == row.eta:
            continue
        changes.append({"id": job.id, "eta": eta})
        if row.eta is None or eta is None or abs(eta - row.eta) > TELL_AFTER:
            told = {"line": job.id, "eta": eta, "before": row.eta}
            events.append(
                Event(
                    type="part_request.replanned",
                    subject=row.request,
                    version=row.version,
                    customer=row.customer,
                    area=row.area,
                    place=row.source,
                    data=told,
                )
            )
    if changes:
        await db.execute(SET_ETA, changes)
    await announce_all(db, events, by=duty_actor("plan"), now=now)
    return len(events)


@dataclass(frozen=True, slots=True)
class Unimproved:
    """A plan in force that was found at once and that no search has looked at."""

    region: str
    version: int


async def unimproved(db: AsyncConnection, *, now: datetime, most: int) -> list[Unimproved]:
    """Plans that a search may improve, the oldest first; none of a region that something just happened in."""
    rows = await db.execute(UNIMPROVED, {"now": now, "most": most})
    return [Unimproved(row.region, row.version) for row in rows]


async def looked_at(db: AsyncConnection, *, claimed: Claimed, version: int) -> None:
    """The search has seen the plan of this version and given what it could; the region is free again."""
    await db.execute(IMPROVED, {"region": claimed.region, "fence": claimed.fence, "version": version})


async def let_go(db: AsyncConnection, *, claimed: Claimed) -> None:
    """Give the region back unplanned: its marks stay, the next round tries again."""
    await db.execute(LET_GO, {"region": claimed.region, "fence": claimed.fence})
