"""Photos of a request: kept beside its steps, and taken away again by whoever took them or steers the work."""

import hashlib
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ADMIN, DISPATCHER, Actor
from app.core.errors import Conflict, Forbidden, Unprocessable
from app.core.ids import new_id
from app.fulfillment.queries.photos import NoSuchPhoto
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.service.records import NewStep, move
from app.fulfillment.service.refusals import NoSuchLine

MOST = 24
"""Photos of one request [house]."""
LIMIT_BYTES = 1024 * 1024
KEEP = text("""
    INSERT INTO request_photo (id, request, line, media_type, digest, content, taken_by, at)
    VALUES (:id, :request, :line, :media_type, :digest, :content, :taken_by, :now)
    ON CONFLICT (request, digest) DO NOTHING RETURNING id
""")
COUNT = text("SELECT count(*) FROM request_photo WHERE request = :request AND removed_at IS NULL")
OF = text("SELECT id, taken_by FROM request_photo WHERE id = :id AND request = :request AND removed_at IS NULL")
REMOVE = text("UPDATE request_photo SET removed_at = :now, removed_by = :by WHERE id = :id")


class PhotoTooLarge(Unprocessable):
    """A picture over a megabyte, even drawn anew."""

    code = "photo.too_large"


class TooManyPhotos(Conflict):
    """A request has room for so many."""

    code = "photo.too_many"


class NotYourPhoto(Forbidden):
    """Only who took a photo, or a dispatcher, takes it away."""

    code = "photo.not_yours"


async def add_photo(
    db: AsyncConnection,
    *,
    actor: Actor,
    request_id: str,
    line: str | None,
    media_type: str,
    content: bytes,
    now: datetime,
) -> str | None:
    """Keep a picture that was drawn anew. The same picture twice is one; None says that it was there already."""
    loaded = await load(db, actor=actor, request_id=request_id, lock=True)
    if line is not None and line not in {one.id for one in loaded.lines}:
        raise NoSuchLine(line=line)
    if len(content) > LIMIT_BYTES:
        raise PhotoTooLarge(limit_mb=1)
    if (await db.scalar(COUNT, {"request": request_id}) or 0) >= MOST:
        raise TooManyPhotos(limit=MOST)
    row = {
        "id": new_id("pho", now),
        "request": request_id,
        "line": line,
        "media_type": media_type,
        "digest": hashlib.sha256(content).hexdigest(),
        "content": content,
        "taken_by": actor.id,
        "now": now,
    }
    kept: str | None = await db.scalar(KEEP, row)
    if kept is not None:
        await _told(db, actor, loaded, "photographed", kept, now)
    return kept


async def remove_photo(db: AsyncConnection, *, actor: Actor, request_id: str, photo_id: str, now: datetime) -> None:
    """Take a photo out of sight; that it was there, and who took it away, stays."""
    loaded = await load(db, actor=actor, request_id=request_id, lock=True)
    row = (await db.execute(OF, {"id": photo_id, "request": request_id})).one_or_none()
    if row is None:
        raise NoSuchPhoto(id=photo_id)
    if row.taken_by != actor.id and actor.role not in (DISPATCHER, ADMIN):
        raise NotYourPhoto(id=photo_id)
    await db.execute(REMOVE, {"id": photo_id, "now": now, "by": actor.id})
    await _told(db, actor, loaded, "photo_removed", photo_id, now)


async def _told(db: AsyncConnection, actor: Actor, loaded: Loaded, verb: str, photo: str, now: datetime) -> None:
    details = {"photo": photo}
    await move(
        db,
        actor=actor,
        loaded=loaded,
        states={},
        steps=[NewStep(verb=verb, details=details)],
        event=verb,
        occurred_at=now,
        now=now,
        data=details,
        replan=False,
    )
