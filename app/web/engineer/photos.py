"""Doors to a request's photos: kept as we drew them anew, shown under a policy of their own, taken away by a mark."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, WAREHOUSE, Role
from app.core.db import reading
from app.core.types import Wire
from app.fulfillment.queries.photos import photo
from app.fulfillment.service import picturing
from app.web import addresses
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.photo import still
from app.web.render import Words, see_other, toast
from app.web.sessions import SignedIn

SEES: tuple[Role, ...] = (ENGINEER, DISPATCHER, FINANCE, ADMIN, WAREHOUSE)
TAKES: tuple[Role, ...] = (ENGINEER, DISPATCHER, ADMIN, WAREHOUSE)
UPLOAD = 40 * 1024 * 1024
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Disposition": "inline",
}


class Kept(Wire):
    """What became of the photos of one form."""

    ids: list[str]


async def keep_photos(call: Call, form: Form, request_id: str, line: str | None = None) -> int:
    """Draw each picture anew, outside any transaction, then keep them; the same picture twice is one."""
    drawn = [await still(await one.read()) for one in form.files.get("photos", ())]
    if not drawn:
        return 0

    async def keep(db: Any) -> Kept:
        ids = []
        for content in drawn:
            kept = await picturing.add_photo(
                db,
                actor=call.actor,
                request_id=request_id,
                line=line,
                media_type="image/jpeg",
                content=content,
                now=call.now,
            )
            ids += [kept] if kept else []
        return Kept(ids=ids)

    claimed, call.claim = call.claim, None  # a picture is its own key: its digest
    try:
        return len((await call.act(keep, Kept)).ids)
    finally:
        call.claim = claimed


@post("/requests/{request_id:str}/photos", opt=signed_in(*TAKES), include_in_schema=False, request_max_body_size=UPLOAD)
async def add_photos(
    request: Request[Any, Any, Any],
    request_id: FromPath[str],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
) -> Response[Any]:
    """Photos of the failure or the work."""
    count, say = await keep_photos(call, form, request_id, form.text("line")), Words(call.language)
    words = say("{count} photos kept", count=count) if count else say("These photos were here already.")
    return (
        toast(request, words)
        if "hx-request" in request.headers
        else see_other(addresses.request(request_id), say=words)
    )


@post("/requests/{request_id:str}/photos/{photo_id:str}/remove", opt=signed_in(*TAKES), include_in_schema=False)
async def remove_photo(
    request: Request[Any, Any, Any], request_id: FromPath[str], photo_id: FromPath[str], call: NamedDependency[Call]
) -> Response[Any]:
    """Take one away."""

    async def remove(db: Any) -> Kept:
        await picturing.remove_photo(db, actor=call.actor, request_id=request_id, photo_id=photo_id, now=call.now)
        return Kept(ids=[photo_id])

    await call.act(remove, Kept)
    say = Words(call.language)
    words = say("Photo removed.")
    return (
        toast(request, words)
        if "hx-request" in request.headers
        else see_other(addresses.request(request_id), say=words)
    )


@get("/requests/{request_id:str}/photos/{photo_id:str}/photo.jpg", opt=signed_in(*SEES), include_in_schema=False)
async def show_photo(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], request_id: FromPath[str], photo_id: FromPath[str]
) -> Response[bytes]:
    """The picture itself: never kept by a browser, and no page."""
    async with reading(request.app.state.engine) as db:
        row = await photo(db, actor=who.actor, request_id=request_id, photo_id=photo_id)
    return Response(bytes(row.content), media_type=row.media_type, headers=HEADERS)


HANDLERS = [add_photos, remove_photo, show_photo]
