"""Doors to drafts: tickets that wait for a person."""

from typing import Literal

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER
from app.fulfillment.api.asking import ask
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.schemas import RequestOut
from app.integrations import schemas
from app.integrations.queries import connections as queries
from app.integrations.service import drafts as service
from app.integrations.service.refusals import DraftNotOpen

MAY = (ADMIN, DISPATCHER, ENGINEER)


@get("/v1/drafts", opt=allow(*MAY))
async def list_drafts(
    call: NamedDependency[Call],
    status: FromQuery[Literal["open", "completed", "discarded"] | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> schemas.DraftsOut:
    """Drafts, newest first."""
    return await call.read(lambda db: queries.drafts(db, actor=call.actor, state=status, cursor=cursor, limit=limit))


@get("/v1/drafts/{draft_id:str}", opt=allow(*MAY))
async def show_draft(draft_id: FromPath[str], call: NamedDependency[Call]) -> schemas.DraftOut:
    """One draft: what is known, what is missing, what stood in the way."""
    return await call.read(lambda db: queries.draft(db, actor=call.actor, draft_id=draft_id))


@post("/v1/drafts/{draft_id:str}/complete", opt=allow(*MAY))
async def complete_draft(
    draft_id: FromPath[str], data: JSONBody[schemas.CompleteIn], call: NamedDependency[Call]
) -> Response[RequestOut]:
    """Say what was missing: the ticket's request is made as of the ticket's arrival."""
    if (replayed := await call.replay()) is not None:  # a draft that this very key completed is no longer open
        return replayed
    found = await call.read(lambda db: queries.draft(db, actor=call.actor, draft_id=draft_id))
    if found.state != "open":
        raise DraftNotOpen(state=found.state, request=found.request)
    priority = await call.read(lambda db: service.priority_of(db, found=found))

    async def completed(db: AsyncConnection, loaded: Loaded) -> None:
        await service.complete(
            db,
            actor=call.actor,
            draft_id=draft_id,
            request=loaded.row.id,
            expected_version=call.if_match,
            now=call.now,
        )

    return await ask(service.asked_by(found, data, priority=priority), call, also=completed)


@post("/v1/drafts/{draft_id:str}/discard", status_code=200, opt=allow(*MAY))
async def discard_draft(
    draft_id: FromPath[str], data: JSONBody[schemas.DiscardIn], call: NamedDependency[Call]
) -> Response[schemas.DraftOut]:
    """Put a draft aside, with the reason."""
    return await call.write(
        200,
        lambda db: service.discard(
            db, actor=call.actor, draft_id=draft_id, reason=data.reason, expected_version=call.if_match, now=call.now
        ),
    )


HANDLERS = [list_drafts, show_draft, complete_draft, discard_draft]
