"""Doors to a verdict's revision (W12): what a later fact would change is listed first, then accepted."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, FINANCE
from app.billing.schemas import RevisionOut
from app.fulfillment.service import revising

MAY = (ADMIN, DISPATCHER, FINANCE)


@get("/v1/verdicts/{verdict_id:str}/revision", opt=allow(*MAY))
async def show_revision(verdict_id: FromPath[str], call: NamedDependency[Call]) -> RevisionOut:
    """What the verdict would be by the events known now, and the amounts that would change. Writes nothing."""
    return await call.read(lambda db: revising.revision_of(db, actor=call.actor, verdict_id=verdict_id))


@post("/v1/verdicts/{verdict_id:str}/revision", opt=allow(*MAY))
async def accept_revision(verdict_id: FromPath[str], call: NamedDependency[Call]) -> Response[RevisionOut]:
    """Make the revision the verdict in force: it names the old one, and lines that turned to covered are freed."""
    return await call.write(
        201, lambda db: revising.accept_revision(db, actor=call.actor, verdict_id=verdict_id, now=call.now)
    )


HANDLERS = [show_revision, accept_revision]
