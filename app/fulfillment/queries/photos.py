"""A request's photos, for whoever may see the request."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import NotFound
from app.fulfillment.queries.requests import SCOPED, scope_of

LIST = text("""
    SELECT id, line, media_type, taken_by, at FROM request_photo
    WHERE request = :request AND removed_at IS NULL ORDER BY at, id
""")
ONE = text(f"""
    SELECT p.id, p.media_type, p.content FROM request_photo p JOIN part_request r ON r.id = p.request
    WHERE p.id = :id AND p.request = :request AND p.removed_at IS NULL AND {SCOPED}
""")


class NoSuchPhoto(NotFound):
    """No photo by that id of a request that this asker may see."""

    code = "photo.not_found"


async def photos(db: AsyncConnection, *, request_id: str) -> Sequence[Any]:
    """The photos of a request that was loaded in scope, oldest first, without their bytes."""
    return (await db.execute(LIST, {"request": request_id})).all()


async def photo(db: AsyncConnection, *, actor: Actor, request_id: str, photo_id: str) -> Any:
    """One photo with its bytes."""
    row = (await db.execute(ONE, {"id": photo_id, "request": request_id, **scope_of(actor)})).one_or_none()
    if row is None:
        raise NoSuchPhoto(id=photo_id)
    return row
