"""Fulfillment's background duties: escalate due clocks, presume silence to be success, end unanswered quotes, plan."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import duty_actor
from app.core.db import begin
from app.fulfillment.schemas import CancelIn
from app.fulfillment.service.escalating import escalate
from app.fulfillment.service.following import follow
from app.fulfillment.service.presuming import presume
from app.fulfillment.service.quoting import end_quote
from app.fulfillment.service.replanning import Claimed, apply, claim, let_go
from app.routing.rules.insertion import greedy
from app.routing.rules.plan import Plan
from app.routing.solver.child import NoPlan, Solver

DUE = text("""
    UPDATE request_watch SET next_look_at = NULL WHERE request IN (
        SELECT request FROM request_watch WHERE next_look_at <= :now
        ORDER BY next_look_at LIMIT 50 FOR UPDATE SKIP LOCKED
    ) RETURNING request
""")
SILENT = text("""
    SELECT DISTINCT l.request FROM request_line l
    JOIN request_step s ON s.line = l.id AND s.verb = 'fitted'
    WHERE l.state = 'fitted' AND s.occurred_at <= :before LIMIT 50
""")
UNANSWERED = text("""
    SELECT DISTINCT l.request FROM request_line l WHERE l.state = 'awaiting_consent'
      AND NOT EXISTS (SELECT FROM reservation r WHERE r.reference = l.id AND r.state = 'held') LIMIT 50
""")
PRESUMED_AFTER = timedelta(days=7)


async def escalate_due(db: AsyncConnection, now: datetime) -> int:
    """Duty: warnings at 50 % and 80 %, breaches at once, each exactly once whatever restarts (C5)."""
    told = 0
    for request in list((await db.execute(DUE, {"now": now})).scalars()):
        told += await escalate(db, actor=duty_actor("escalate"), request_id=request, now=now)
    return told


async def presume_confirmed(db: AsyncConnection, now: datetime) -> int:
    """Duty: no word for seven days after fitting counts as running, anchored at the fitting [house]."""
    found = list((await db.execute(SILENT, {"before": now - PRESUMED_AFTER})).scalars())
    for request in found:
        await presume(db, actor=duty_actor("presume"), request_id=request, now=now)
    return len(found)


async def end_unanswered_quotes(db: AsyncConnection, now: datetime) -> int:
    """Duty: lines whose hold ran out while they awaited consent are canceled (P5)."""
    found = list((await db.execute(UNANSWERED)).scalars())
    for request in found:
        body = CancelIn(reason="quote expired")
        await end_quote(db, actor=duty_actor("quotes"), request_id=request, body=body, now=now)
    return len(found)


async def follow_verdicts(db: AsyncConnection, now: datetime) -> int:
    """Duty: lines whose verdict was given anew name the new one; claims that it allows are opened (W12, P7)."""
    return await follow(db, actor=duty_actor("follow_verdicts"), now=now)


async def plan_dirty(
    engine: AsyncEngine,
    solver: Solver | None,
    now: datetime,
    *,
    limit_s: float,
    solutions: int | None = None,
    seed: int = 0,
) -> int:
    """Duty: plan the dirty regions, each read and applied in its own short transaction, solved in between.

    Without a solver, or when it fails, the greedy plan goes into force. Gives how many regions were planned.
    """
    planned = 0
    tried: set[str] = set()
    while True:
        async with begin(engine) as db:
            claimed = await claim(db, now=now)
        if claimed is None or claimed.region in tried:
            if claimed is not None:
                async with begin(engine) as db:
                    await let_go(db, claimed=claimed)
            return planned
        tried.add(claimed.region)
        try:
            plan = await _planned(claimed, solver, limit_s=limit_s, solutions=solutions, seed=seed)
            async with begin(engine) as db:
                await apply(db, claimed=claimed, plan=plan, now=now)
        except BaseException:
            async with begin(engine) as db:
                await let_go(db, claimed=claimed)
            raise
        planned += 1


async def _planned(
    claimed: Claimed, solver: Solver | None, *, limit_s: float, solutions: int | None, seed: int
) -> Plan:
    """The child's plan, which is never worse than greedy; greedy itself, off the loop's thread, if there is none."""
    problem, standing = claimed.planned.problem, claimed.planned.plan
    if solver is not None and problem.jobs:
        solved = await solver.solve(problem, standing, limit_s=limit_s, solutions=solutions, seed=seed)
        if not isinstance(solved, NoPlan):
            return solved
    return await asyncio.to_thread(greedy, problem, standing)
