"""Making room for a request that would be refused or late (S3b): asked only then, read and solved outside any transaction."""

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER, Actor
from app.core.errors import Forbidden
from app.fulfillment import schemas
from app.fulfillment.service.giving_way import Contest, Picks, contest_of, fewer, misses, propose_after
from app.fulfillment.service.proposing import Giving, Proposal
from app.fulfillment.service.refusals import NotEnough
from app.routing.solver.child import Solver

STEER = (ADMIN, DISPATCHER)
LIMIT_S = 2.0
"""For each division, and in line for it; such few orders take milliseconds, the first one the child's start."""


def need_may_bump(data: schemas.RequestIn, actor: Actor) -> None:
    """Whom a request may push aside is a dispatcher's to say."""
    if data.bump and actor.role not in STEER:
        raise Forbidden(role=actor.role)


async def with_room_made(data: schemas.RequestIn, call: Call, before: Proposal | NotEnough) -> Proposal | None:
    """A better proposal for which lines of lower priority give way, losing nothing by it; else, for a dispatcher who
    approved them, those in `bump`. None: it stays as it is."""
    by_itself = await _found(data, call, before)
    if by_itself is not None or not data.bump:
        return by_itself
    return await _found(data, call, before, approved=data.bump)


async def _found(
    data: schemas.RequestIn, call: Call, before: Proposal | NotEnough, *, approved: list[str] | None = None
) -> Proposal | None:
    harming = approved is not None
    gives = await _gives(data, call, before, approved=approved, harming=harming, scoped=harming)
    if not gives:
        return None
    after = await call.read(lambda db: propose_after(db, actor=call.actor, asked=data, gives=gives, now=call.now))
    if after is None or (isinstance(before, Proposal) and after.missed >= before.missed):
        return None
    return after


async def with_offer(data: schemas.RequestIn, call: Call, refused: NotEnough) -> NotEnough:
    """The refusal, with who could give way if a dispatcher approved it and what that would do to them; who may not approve
    is told only that somebody could."""
    may = call.actor.role in STEER
    gives = await _gives(data, call, refused, approved=None, harming=True, scoped=may)
    if not gives:
        return refused
    told = [
        {
            "line": one.line,
            "request": one.request,
            "place": one.place,
            "part_number": one.part,
            "quantity": one.quantity,
            "to": None if one.to is None else one.to[0],
            "waits": one.to is None,
            "late_s": one.late_s,
        }
        for one in gives
    ]
    return refused.could_be(dispatcher_could=True, **({"could_give_way": told} if may else {}))


async def _gives(
    data: schemas.RequestIn,
    call: Call,
    before: Proposal | NotEnough,
    *,
    approved: list[str] | None,
    harming: bool,
    scoped: bool,
) -> tuple[Giving, ...] | None:
    """Who has to give way, as few as there can be."""
    solver: Solver | None = getattr(call.state, "solver", None)
    if solver is None:
        return None
    contest = await call.read(
        lambda db: contest_of(
            db,
            actor=call.actor,
            asked=data,
            before=before,
            now=call.now,
            approved=approved,
            harming=harming,
            scoped=scoped,
        )
    )
    return None if contest is None else await fewest(contest, solver)


async def fewest(contest: Contest, solver: Solver) -> tuple[Giving, ...] | None:
    """The division that R2 wants, with as few as possible who move for it where nobody loses; None where the asker wins
    nothing."""
    picks = await solver.divided(contest.orders, limit_s=LIMIT_S)
    gives = None if picks is None else contest.gives(picks)
    if not gives or picks is None or len(gives) == 1 or contest.harming:
        return gives
    for one in fewer(contest, gives):
        other: Picks | None = await solver.divided(one.orders, limit_s=LIMIT_S)
        if other is not None and misses(other) <= misses(picks) and (some := one.gives(other)):
            return some
    return gives
