"""Door to what-if: changes tried on a region's plan; nothing is written, so a key for repeating does nothing."""

import asyncio
from datetime import datetime, timedelta

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER
from app.fulfillment.queries.region import TIERS
from app.fulfillment.schemas import trying as shapes
from app.fulfillment.service.trying import Outcome, Trial, compare, trial_for

TOLD_S = 60
"""A time that moves by less is not told."""


@post("/v1/plan/what-if", status_code=200, opt=allow(ADMIN, DISPATCHER))
async def what_if(data: JSONBody[shapes.WhatIfIn], call: NamedDependency[Call]) -> shapes.WhatIfOut:
    """The plan with and without some changes: what is kept and missed, who is told another time, what it costs."""
    trial = await call.read(lambda db: trial_for(db, actor=call.actor, body=data, now=call.now))
    before, after = await asyncio.to_thread(compare, trial)
    standing = trial.region.standing
    return shapes.WhatIfOut(
        region=trial.region.name,
        version=standing.version if standing else 0,
        before=side_out(before, trial),
        after=side_out(after, trial),
        changed=changed(before, after, trial),
    )


def side_out(side: Outcome, trial: Trial) -> shapes.SideOut:
    """One side by priority; lines out of the asker's scope are not counted."""
    tiers = []
    for priority, tier in TIERS.items():
        late = [late for one, (rank, late, _, _) in stands_of(side).items() if rank == tier and one in trial.visible]
        missed = [seconds for seconds in late if seconds is None or seconds > 0]
        tiers.append(
            shapes.TierOut(
                priority=priority,  # type: ignore[arg-type]
                lines=len(late),
                kept=len(late) - len(missed),
                missed=len(missed),
                late_s=sum(seconds or 0 for seconds in missed),
            )
        )
    return shapes.SideOut(tiers=tiers, drive_s=side.plan.costs.drive_s, cost_minor=side.cost_minor)


def stands_of(side: Outcome) -> dict[str, tuple[int, int | None, datetime | None, str | None]]:
    """Each line's tier, lateness, finish and courier in a plan; without a place in it the last three are None."""
    problem, plan = side.problem, side.plan
    jobs = problem.by_id()
    done = {
        jobs[stop.job].whole: (stop.leave_s, route.courier)
        for route in plan.routes
        for stop in route.stops
        if stop.kind == "drop"
    }
    found: dict[str, tuple[int, int | None, datetime | None, str | None]] = {}
    for job in problem.jobs:
        at, courier = done.get(job.whole, (None, None))
        if at is None:
            found[job.whole] = (job.tier, None, None, None)
        else:
            found[job.whole] = (job.tier, max(0, at - job.due_s), problem.start + timedelta(seconds=at), courier)
    return found


def changed(before: Outcome, after: Outcome, trial: Trial) -> list[shapes.TriedLineOut]:
    """The lines whose time or courier is another one, the asker's own."""
    old, new = stands_of(before), stands_of(after)
    found = []
    for line in sorted(old.keys() | new.keys()):
        if line not in trial.visible:
            continue
        _, late_before, eta_before, courier_before = old.get(line, (0, None, None, None))
        _, late, eta, courier = new.get(line, (0, None, None, None))
        moved = eta is None or eta_before is None or abs((eta - eta_before).total_seconds()) >= TOLD_S
        if courier == courier_before and (eta == eta_before or not moved):
            continue
        found.append(
            shapes.TriedLineOut(
                line=line, request=trial.visible[line], eta_before=eta_before, eta=eta, late_before_s=late_before,
                late_s=late, courier_before=courier_before, courier=courier,
            )
        )  # fmt: skip
    return found


HANDLERS = [what_if]
