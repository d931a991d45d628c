"""Doors to lists: one call that shows a page of a list, one that sends all of it as a file, and the saved views."""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ROLES
from app.core.db import begin, reading
from app.core.errors import Refusal
from app.web.forms import Form
from app.web.frame import Misunderstood, signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.sheets import Sheet
from app.web.sign_in import own_path
from app.web.tables import saved
from app.web.tables.asked import asked_for, asked_in
from app.web.tables.files import columns_of, ending_of, rows_of, sent, written
from app.web.tables.listing import Listing
from app.web.tables.shown import TableView, added_here, added_up, table_view
from app.web.tables.statement import all_rows, page_statement, sums_statements


class ViewOut(Struct):
    """What a verb on a view answers: where it is, and its name."""

    address: str
    page: str
    name: str


async def table_page(
    request: Request[Any, Any, Any],
    who: SignedIn,
    listing: Listing,
    template: str,
    *,
    binds: Mapping[str, Any] | None = None,
    **more: Any,
) -> Response[Any]:
    """A page with one list, as `table` in its template. An address without words opens the reader's own view; one with
    empty words is sent on to itself without them. `binds` are what the listing's SQL asks for beside the scope."""
    pairs = words_of(request)
    if not pairs or any(not value for _, value in pairs):
        where = await opening(request, who, listing)
        if where is not None:
            return see_other(where)
    async with reading(request.app.state.engine) as db:
        table = await shown(db, request, who, listing, binds=binds)
    return page(request, template, who=who, table=table, **more)


async def shown(
    db: AsyncConnection,
    request: Request[Any, Any, Any],
    who: SignedIn,
    listing: Listing,
    *,
    binds: Mapping[str, Any] | None = None,
) -> TableView:
    """The list that an address asks for, for pages that show more beside it."""
    asked = asked_for(listing, words_of(request))
    given = {**who.actor.scope, **(binds or {})}
    statement, own = page_statement(asked)
    rows = (await db.execute(statement, own | given)).all()
    if asked.after is None and len(rows) <= asked.size:
        sums = added_here(asked, rows)
    else:
        sums = added_up(asked, [(await db.execute(one, own | given)).all() for one, own in sums_statements(asked)])
    views = await saved.saved_views(db, actor=who.actor, page=listing.page)
    return table_view(asked, rows, sums, views, Words(language_of(request)))


async def exported(
    request: Request[Any, Any, Any],
    who: SignedIn,
    listing: Listing,
    *,
    binds: Mapping[str, Any] | None = None,
) -> Stream:
    """All rows of the list that an address asks for, as the file its path ends in: same filters, order and columns.

    The file is written first, from one statement and so one state of the database, and sent when that is done.
    """
    ending, tell = ending_of(request.url.path), Words(language_of(request))
    asked = asked_for(listing, words_of(request))
    statement, own = all_rows(asked)
    binds = {**own, **who.actor.scope, **(binds or {})}
    async with begin(request.app.state.engine) as db, db.stream(statement, binds) as found:
        rows = rows_of(aiter(found), asked, tell)
        sheet = Sheet(title=tell(listing.title), columns=columns_of(asked, tell), rows=rows)
        file = await written(sheet, ending)
    return sent(file, listing.page.strip("/").replace("/", "-"), ending)


async def opening(request: Request[Any, Any, Any], who: SignedIn, listing: Listing) -> str | None:
    """Where an address that says nothing, or says it badly, leads; None if it is good as it is."""
    pairs = words_of(request)
    if pairs:
        return asked_for(listing, pairs).address()
    async with reading(request.app.state.engine) as db:
        view = saved.default_of(await saved.saved_views(db, actor=who.actor, page=listing.page))
    try:
        return None if view is None else asked_in(listing, view.query).address()
    except Refusal:  # the list has changed since: it opens as it is, and the view can be deleted
        return None


@post("/views", opt=signed_in(*ROLES), include_in_schema=False)
async def post_view(
    request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Save what a list shows under a name."""
    where, query = form.text("page") or "", form.text("query") or ""
    plain = query.isascii() and query.isprintable() and len(query) <= saved.LONGEST_QUERY
    if not own_path(where) or "?" in where or not plain:
        raise Misunderstood

    async def verb(db: AsyncConnection) -> ViewOut:
        name = form.text("name")
        return out(await saved.save_view(db, actor=call.actor, page=where, name=name, query=query, now=call.now))

    made = await call.act(verb, ViewOut)
    say = Words(language_of(request))
    return see_other(made.address, request, say=say("The view “{name}” is saved.", name=made.name))


@post("/views/{view_id:str}/rename", opt=signed_in(*ROLES), include_in_schema=False)
async def post_rename(
    view_id: FromPath[str], request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Give a view another name."""

    async def verb(db: AsyncConnection) -> ViewOut:
        name = form.text("name")
        return out(await saved.rename_view(db, actor=call.actor, view_id=view_id, name=name, now=call.now))

    made = await call.act(verb, ViewOut)
    say = Words(language_of(request))
    return see_other(made.address, request, say=say("The view is now called “{name}”.", name=made.name))


@post("/views/{view_id:str}/delete", opt=signed_in(*ROLES), include_in_schema=False)
async def post_delete(
    view_id: FromPath[str], request: Request[Any, Any, Any], call: NamedDependency[Call]
) -> Response[Any]:
    """Forget a view; the list itself loses nothing."""

    async def verb(db: AsyncConnection) -> ViewOut:
        return out(await saved.delete_view(db, actor=call.actor, view_id=view_id, now=call.now))

    gone = await call.act(verb, ViewOut)
    say = Words(language_of(request))
    return see_other(gone.address, request, say=say("The view “{name}” is deleted.", name=gone.name))


@post("/views/{view_id:str}/default", opt=signed_in(*ROLES), include_in_schema=False)
async def post_default(
    view_id: FromPath[str], request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Let the page open with this view, or as it is."""
    on, say = form.flag("on"), Words(language_of(request))

    async def verb(db: AsyncConnection) -> ViewOut:
        return out(await saved.open_with(db, actor=call.actor, view_id=view_id, on=on, now=call.now))

    made = await call.act(verb, ViewOut)
    told = say("This page now opens with “{name}”.", name=made.name) if on else say("This page opens as it is again.")
    return see_other(made.address, request, say=told)


def words_of(request: Request[Any, Any, Any]) -> list[tuple[str, str]]:
    """The words of an address, in their order."""
    return [(name, str(value)) for name, value in request.query_params.multi_items()]


def out(view: saved.View) -> ViewOut:
    return ViewOut(address=view.address, page=view.page, name=view.name)


HANDLERS = [post_view, post_rename, post_delete, post_default]
