"""Fulfillment's background duties: escalate due clocks, presume silence to be success, end unanswered quotes, plan."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import duty_actor
from app.core.db import attempt, begin, reading
from app.core.errors import Refusal
from app.fulfillment.queries.clashes import Unexplained, stands, unexplained
from app.fulfillment.queries.planning import planning
from app.fulfillment.queries.region import region_of_area
from app.fulfillment.schemas import CancelIn
from app.fulfillment.service.answering_call_offs import expire_call_off, try_unconfirmed
from app.fulfillment.service.escalating import escalate
from app.fulfillment.service.explaining import Miss, keep, miss_of, missed_lines, told
from app.fulfillment.service.following import follow
from app.fulfillment.service.losing import source_again
from app.fulfillment.service.moving import move_source
from app.fulfillment.service.presuming import presume
from app.fulfillment.service.quoting import end_quote
from app.fulfillment.service.replanning import (
    Claimed,
    Dirty,
    Planned,
    Unimproved,
    apply,
    claim,
    let_go,
    looked_at,
    moves_of,
    next_dirty,
    unimproved,
)
from app.fulfillment.service.waiting import shelves_for
from app.routing.rules.clash import Clash
from app.routing.rules.insertion import greedy
from app.routing.rules.making import Making
from app.routing.rules.moving import MOST_TRIES, Moved, left_after, move_sources
from app.routing.rules.plan import Plan
from app.routing.rules.problem import Problem
from app.routing.solver.child import NoPlan, Solver
from app.stock.service import note_demand

DUE = text("SELECT request FROM request_watch WHERE next_look_at <= :now ORDER BY next_look_at LIMIT 200")
SILENT = text("""
    SELECT l.request FROM request_line l JOIN part_request r ON r.id = l.request
    WHERE l.state = 'fitted' AND r.device_serial IS NOT NULL
      AND NOT EXISTS (SELECT FROM request_step s WHERE s.request = r.id AND (s.line = l.id OR s.line IS NULL)
                      AND s.verb IN ('fitted', 'not_normal', 'diagnosed', 'noted') AND s.occurred_at > :before)
      AND (SELECT s.verb FROM request_step s WHERE s.line = l.id AND s.verb IN ('fitted', 'not_normal')
           ORDER BY s.occurred_at DESC, s.seq DESC LIMIT 1) = 'fitted'
    GROUP BY l.request ORDER BY l.request LIMIT 200
""")
SUPERSEDED = text("""
    SELECT DISTINCT l.request FROM request_line l JOIN verdict v ON v.supersedes = l.verdict ORDER BY 1 LIMIT 200
""")
UNSOURCED = text("""
    SELECT l.request FROM request_line l WHERE l.state = 'lost'
      AND NOT EXISTS (SELECT FROM request_line n WHERE n.replaces = l.id)
    UNION SELECT l.request FROM request_line l WHERE l.state = 'waiting' ORDER BY 1 LIMIT 200
""")
CALL_OFFS_DUE = text("""
    SELECT id FROM call_off WHERE state = 'open' AND answer_due_at <= :now ORDER BY answer_due_at LIMIT 100
""")
UNCONFIRMED = text("""
    SELECT DISTINCT l.request FROM request_line l
    WHERE l.confirmed = false AND l.mode IS NULL AND l.state IN ('accepted', 'awaiting_consent')
      AND NOT EXISTS (SELECT FROM call_off c WHERE c.line = l.id AND c.state = 'open') ORDER BY 1 LIMIT 100
""")
UNANSWERED = text("""
    SELECT DISTINCT l.request FROM request_line l WHERE l.state = 'awaiting_consent'
      AND NOT EXISTS (SELECT FROM reservation r WHERE r.reference = l.id AND r.state = 'held') LIMIT 50
""")
DEMAND = text("""
    SELECT l.source AS place, l.supplied_part_number AS part,
        sum(l.quantity) FILTER (WHERE r.asked_priority = 'emergency') AS emergency,
        sum(l.quantity) FILTER (WHERE r.asked_priority = 'severe') AS severe,
        sum(l.quantity) FILTER (WHERE r.asked_priority = 'general') AS general
    FROM request_line l JOIN part_request r ON r.id = l.request
    WHERE r.accepted_at > :since AND l.kind = 'local' AND l.replaces IS NULL
      AND EXISTS (SELECT FROM stock_level v WHERE v.place = l.source AND v.part = l.supplied_part_number
                  AND v.emergency_per_day IS NULL)
    GROUP BY 1, 2
""")
SEEN_DAYS = 90
PRESUMED_AFTER = timedelta(days=7)
MOST_ROUNDS = 2
"""Of moving lines to other sources and routing anew; a third hardly ever finds anything."""
QUICK_TRIES = 8
"""Of other shelves, in one round, where an event waits for its plan [house]: eight milliseconds each."""
MOST_EXPLAINED, MOST_IMPROVED = 4, 2
EXPLAIN_S, EXPLAIN_WALL_S = 1.0, 10.0
log = structlog.get_logger("duties")


async def escalate_due(db: AsyncConnection, now: datetime) -> int:
    """Duty: warnings at 50 % and 80 %, breaches at once, each exactly once whatever restarts (C5)."""
    actor = duty_actor("escalate")
    return await _each(db, DUE, {"now": now}, lambda one: escalate(db, actor=actor, request_id=one, now=now))


async def presume_confirmed(db: AsyncConnection, now: datetime) -> int:
    """Duty: no word for seven days after fitting counts as running, anchored at the fitting [house]."""
    actor = duty_actor("presume")
    before = {"before": now - PRESUMED_AFTER}
    return await _each(db, SILENT, before, lambda one: presume(db, actor=actor, request_id=one, now=now))


async def end_unanswered_quotes(db: AsyncConnection, now: datetime) -> int:
    """Duty: lines whose hold ran out while they awaited consent are canceled (P5)."""
    actor, body = duty_actor("quotes"), CancelIn(reason="quote expired")
    return await _each(db, UNANSWERED, {}, lambda one: end_quote(db, actor=actor, request_id=one, body=body, now=now))


async def follow_verdicts(db: AsyncConnection, now: datetime) -> int:
    """Duty: lines whose verdict was given anew follow it (W12, P7)."""
    actor = duty_actor("follow_verdicts")
    return await _each(db, SUPERSEDED, {}, lambda one: follow(db, actor=actor, request_id=one, now=now))


async def source_lost(db: AsyncConnection, now: datetime) -> int:
    """Duty: lines that were lost, or gave way, when nothing was free are sourced as soon as something is, the most urgent
    before others (S6b, S3b, R2)."""
    actor = duty_actor("source_lost")
    requests = list((await db.execute(UNSOURCED)).scalars())
    found = await shelves_for(db, actor=actor, requests=requests, now=now)

    async def again(request: str) -> None:
        await source_again(db, actor=actor, request_id=request, shelves=found[request], now=now)

    await _one_by_one(db, sorted(found), again)
    return len(requests)


async def expire_call_offs(db: AsyncConnection, now: datetime) -> int:
    """Duty: a partner who did not answer in time has said no; the next source is asked at once (R1)."""
    actor = duty_actor("call_offs")
    binds = {"now": now}
    return await _each(db, CALL_OFFS_DUE, binds, lambda one: expire_call_off(db, actor=actor, call_off_id=one, now=now))


async def source_unconfirmed(db: AsyncConnection, now: datetime) -> int:
    """Duty: lines that every partner declined when nothing else was free are sourced as soon as something is (C7)."""
    actor = duty_actor("call_offs")
    return await _each(db, UNCONFIRMED, {}, lambda one: try_unconfirmed(db, actor=actor, request_id=one, now=now))


async def note_local_demand(db: AsyncConnection, now: datetime) -> int:
    """Duty: what the last 90 days asked of each shelf whose demand nobody set; the price of its pieces rests on it (R2)."""
    rows = await db.execute(DEMAND, {"since": now - timedelta(days=SEEN_DAYS)})
    seen = [
        (row.place, row.part, *((pieces or 0) / SEEN_DAYS for pieces in (row.emergency, row.severe, row.general)))
        for row in rows
    ]
    return await note_demand(db, seen=[(place, part, float(e), float(s), float(g)) for place, part, e, s, g in seen])


async def _each(
    db: AsyncConnection, which: TextClause, binds: dict[str, Any], verb: Callable[[str], Awaitable[Any]]
) -> int:
    """A verb for each request found."""
    found = sorted((await db.execute(which, binds)).scalars())
    await _one_by_one(db, found, verb)
    return len(found)


async def _one_by_one(db: AsyncConnection, requests: Sequence[str], verb: Callable[[str], Awaitable[Any]]) -> None:
    """In the order of their ids; one that fails is told and undone, and stops no other."""
    for request in requests:
        try:
            async with attempt(db):
                await verb(request)
        except Refusal as refused:
            log.warning("a duty was refused", request=request, code=refused.code)


async def plan_dirty(
    engine: AsyncEngine,
    solver: Solver | None,
    now: datetime,
    *,
    limit_s: float,
    solutions: int | None = None,
    seed: int = 0,
    most: int | None = None,
) -> int:
    """Duty: plan the dirty regions, each read and applied in its own short transaction, solved in between.

    Without a solver, or when it fails, the greedy plan goes into force. Gives how many regions were planned, `most` at
    once.
    """
    planned = 0
    tried: set[str] = set()
    while most is None or len(tried) < most:
        async with begin(engine) as db:
            dirty = await next_dirty(db, but=tried, now=now)
        if dirty is None:
            break
        tried.add(dirty.region)
        try:
            planned += await _plan(engine, solver, dirty, now, limit_s=limit_s, solutions=solutions, seed=seed)
        except Exception:  # one region's bad facts must not leave the others without a plan
            log.exception("a region could not be planned", region=dirty.region)
    return planned


async def improve_plans(engine: AsyncEngine, solver: Solver, now: Callable[[], datetime], *, limit_s: float) -> int:
    """Duty: search for better plans than those that were found at once. Gives how many came into force.

    The search holds no lease, so that whatever happens meanwhile is planned at once; what it found is then fitted to the
    facts of that moment, lines that gain by it come from elsewhere, and it goes into force if it is better than what stands.
    """
    async with reading(engine) as db:
        plans = await unimproved(db, now=now(), most=MOST_IMPROVED)
    done = 0
    for one in plans:
        async with reading(engine) as db:
            facts = await region_of_area(db, area=one.region, now=(began := now()))
        planned = planning(facts, now=began)
        better: Plan | None = None
        if planned.problem.jobs and not facts.frozen:
            answer = await solver.solve(planned.problem, planned.plan, limit_s=limit_s)
            better = None if isinstance(answer, NoPlan) else answer
        making = None if better is None else Making(problem=planned.problem, standing=planned.plan).searched(better)
        done += await _put_better(engine, one, better, making, now())
    return done


async def _put_better(
    engine: AsyncEngine, of: Unimproved, better: Plan | None, making: Making | None, now: datetime
) -> bool:
    """Put what a search found in force, fitted to the facts of now, if it is better than what stands."""
    async with begin(engine) as db:
        claimed = await claim(db, dirty=Dirty(of.region, 0, True), now=now)
    if claimed is None:
        return False
    try:
        problem, standing = claimed.planned.problem, claimed.planned.plan
        fitted, made = standing, Making(problem=problem, standing=standing)
        if better is not None and making is not None:
            fitted, made = await asyncio.to_thread(greedy, problem, better), making.inserted(problem)
        ways = claimed.shelves.ways(problem)
        problem, fitted, moved = await asyncio.to_thread(move_sources, problem, fitted, ways, most=MOST_TRIES)
        made = made.moved(ways, MOST_TRIES) if moved else made
        gains = bool(moved) or fitted.costs.score < standing.costs.score
        found = Planned(problem=problem, plan=fitted, making=made, moved=moved)
        places = await _move_holds(engine, claimed, found, now)
        async with begin(engine) as db:
            if gains:
                await apply(db, claimed=claimed, found=found, places=places, now=now)
            searched = of.version + gains if claimed.planned.version == of.version else of.version
            await looked_at(db, claimed=claimed, version=searched)
    except BaseException:
        async with begin(engine) as db:
            await let_go(db, claimed=claimed)
        raise
    return gains


async def explain_plans(engine: AsyncEngine, solver: Solver | None, now: datetime, *, settled: bool = False) -> int:
    """Duty: say for each miss of a plan in force which facts clash and what would help. Gives how many plans were told.

    Read and written in short transactions; the child is asked in none, and without one only fixes are told. With
    `settled` it waits until the search has seen a plan, and leaves one that something happens to.
    """
    async with reading(engine) as db:
        plans = await unexplained(db, most=MOST_EXPLAINED, settled=settled)
    done = 0
    for one in plans:
        found = await _misses(engine, one, now, settled=settled)
        if found is None:
            continue
        clashes: list[Clash | None] = [None] * len(found)
        if solver is not None and found:
            answer = await solver.clashes([miss.sets for miss in found], limit_s=EXPLAIN_S, wall_s=EXPLAIN_WALL_S)
            if isinstance(answer, NoPlan):
                log.warning("misses were not explained", region=one.region, code=answer.why.code)
            else:
                clashes = answer
        texts = [told(miss, clash) for miss, clash in zip(found, clashes, strict=True)]
        async with begin(engine) as db:
            done += await keep(db, of=one, told=texts)
    return done


async def _misses(engine: AsyncEngine, of: Unexplained, now: datetime, *, settled: bool) -> list[Miss] | None:
    """The misses of a plan, line by line; None once the plan no longer stands."""
    async with reading(engine) as db:
        lines = await missed_lines(db, of=of, now=now)
    found = []
    for line, request in lines:
        async with reading(engine) as db:
            if settled and not await stands(db, of=of):
                return None
            miss = await miss_of(db, line=line, request=request, now=now)
        found += [] if miss is None else [miss]
    return found


async def _plan(
    engine: AsyncEngine,
    solver: Solver | None,
    dirty: Dirty,
    now: datetime,
    *,
    limit_s: float,
    solutions: int | None,
    seed: int,
) -> bool:
    """Plan one region under its lease; False if another worker has it."""
    async with begin(engine) as db:
        claimed = await claim(db, dirty=dirty, now=now)
    if claimed is None:
        return False
    try:
        found = await _planned(claimed, solver, limit_s=limit_s, solutions=solutions, seed=seed)
        places = await _move_holds(engine, claimed, found, now)
        async with begin(engine) as db:
            await apply(db, claimed=claimed, found=found, places=places, now=now)
    except BaseException:
        async with begin(engine) as db:
            await let_go(db, claimed=claimed)
        raise
    return True


async def _move_holds(engine: AsyncEngine, claimed: Claimed, found: Planned, now: datetime) -> dict[str, str]:
    """The holds that the plan wants elsewhere, each in a transaction of its own; gives those that did move.

    A line that was touched meanwhile stays where it is and is left out of the plan; the next one follows at once.
    """
    places: dict[str, str] = {}
    for one in moves_of(claimed, found):
        try:
            async with begin(engine) as db:
                if await move_source(db, wanted=one, now=now):
                    places[one.line] = one.place
        except Refusal as refused:
            log.warning("a line could not move", line=one.line, code=refused.code)
    return places


async def _planned(
    claimed: Claimed, solver: Solver | None, *, limit_s: float, solutions: int | None, seed: int
) -> Planned:
    """Routes, then sources, then routes again until nothing is gained (R1, R2).

    Nobody looks for another plan while all goes to plan: what is left of it is only timed anew.
    """
    problem, plan = claimed.planned.problem, claimed.planned.plan
    making = Making(problem=problem, standing=plan)
    if claimed.goes_to_plan:
        return Planned(problem=problem, plan=plan, making=making)
    if claimed.facts.frozen:  # routes stand still: what is new is added where it harms nobody, nothing is moved
        plan = await asyncio.to_thread(greedy, problem, plan)
        return Planned(problem=problem, plan=plan, making=making.inserted())
    moved: dict[str, Moved] = {}
    tries, rounds = (QUICK_TRIES, 1) if solver is None else (MOST_TRIES, MOST_ROUNDS)
    plan, making = await _routed(problem, plan, making, solver, limit_s=limit_s, solutions=solutions, seed=seed)
    for _ in range(rounds):
        ways = left_after(claimed.shelves.ways(problem), moved.values(), problem)
        problem, plan, gained = await asyncio.to_thread(move_sources, problem, plan, ways, most=tries)
        if not gained:
            break
        moved |= {one.job: one for one in gained}
        making = making.moved(ways, tries)
        plan, making = await _routed(problem, plan, making, solver, limit_s=limit_s, solutions=solutions, seed=seed)
    return Planned(problem=problem, plan=plan, making=making, moved=tuple(moved.values()))


async def _routed(
    problem: Problem,
    standing: Plan,
    making: Making,
    solver: Solver | None,
    *,
    limit_s: float,
    solutions: int | None,
    seed: int,
) -> tuple[Plan, Making]:
    """The child's plan, which is never worse than greedy; greedy itself, off the loop's thread, if there is none."""
    if solver is not None and problem.jobs:
        solved = await solver.solve(problem, standing, limit_s=limit_s, solutions=solutions, seed=seed)
        if not isinstance(solved, NoPlan):
            return solved, making.searched(solved)
    return await asyncio.to_thread(greedy, problem, standing), making.inserted()
