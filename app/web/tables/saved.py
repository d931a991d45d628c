"""Views that a reader saved: what the address of a list says, under a name of his own. Nobody sees another's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Conflict, NotFound, Unprocessable
from app.core.events import Event, announce
from app.core.ids import new_id

MOST = 50
LONGEST_NAME, LONGEST_QUERY = 60, 4000

OF_PAGE = text("""
    SELECT id, name, query, is_default FROM saved_view WHERE owner = :owner AND page = :page ORDER BY name
""")
ONE = text("SELECT id, page, name, query, is_default FROM saved_view WHERE id = :id AND owner = :owner")
COUNT = text("SELECT count(*) FROM saved_view WHERE owner = :owner AND page = :page AND name <> :name")
SAVE = text("""
    INSERT INTO saved_view (id, owner, page, name, query, created_at) VALUES (:id, :owner, :page, :name, :query, :now)
    ON CONFLICT (owner, page, name) DO UPDATE SET query = excluded.query RETURNING id
""")
RENAME = text("""
    UPDATE saved_view SET name = :name WHERE id = :id AND NOT EXISTS (
        SELECT FROM saved_view o WHERE o.owner = :owner AND o.page = :page AND o.name = :name AND o.id <> :id)
""")
DELETE = text("DELETE FROM saved_view WHERE id = :id")
NO_DEFAULT = text("UPDATE saved_view SET is_default = false WHERE owner = :owner AND page = :page AND is_default")
DEFAULT = text("UPDATE saved_view SET is_default = true WHERE id = :id")
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('saved_view ' || :owner, 0))")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A saved view of one list."""

    id: str
    name: str
    query: str
    is_default: bool
    page: str = ""

    @property
    def address(self) -> str:
        return f"{self.page}?{self.query}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """A page's saved views beside what it shows now, for the menu of them."""

    page: str
    query: str
    views: tuple[View, ...]

    @property
    def view(self) -> View | None:
        """The one that is open."""
        return next((one for one in self.views if one.query == self.query), None)


class NoSuchView(NotFound):
    """No saved view by that id of this reader."""

    code = "web.view_not_found"


class NameTaken(Conflict):
    """The reader has another view by that name on this page."""

    code = "web.view_name_taken"


class TooManyViews(Conflict):
    """A page keeps so many views of one reader, no more."""

    code = "web.view_too_many"


class BadName(Unprocessable):
    """A view's name is 1 to 60 printable characters."""

    code = "web.view_bad_name"


async def saved_views(db: AsyncConnection, *, actor: Actor, page: str) -> list[View]:
    rows = await db.execute(OF_PAGE, {"owner": actor.id, "page": page})
    return [View(id=row.id, name=row.name, query=row.query, is_default=row.is_default, page=page) for row in rows]


async def saved_view(db: AsyncConnection, *, actor: Actor, view_id: str) -> View:
    """One of this reader's views, or NoSuchView."""
    row = (await db.execute(ONE, {"id": view_id, "owner": actor.id})).one_or_none()
    if row is None:
        raise NoSuchView(id=view_id)
    return View(id=row.id, name=row.name, query=row.query, is_default=row.is_default, page=row.page)


async def save_view(
    db: AsyncConnection, *, actor: Actor, page: str, name: str | None, query: str, now: datetime
) -> View:
    """Keep a query under a name; the same name again takes the new query. Raises BadName, TooManyViews."""
    name = good_name(name)
    await db.execute(ONE_AT_A_TIME, {"owner": actor.id})
    if int(await db.scalar(COUNT, {"owner": actor.id, "page": page, "name": name}) or 0) >= MOST:
        raise TooManyViews(most=MOST)
    row = {"id": new_id("view", now), "owner": actor.id, "page": page, "name": name, "query": query, "now": now}
    view_id = str(await db.scalar(SAVE, row))
    await told(db, "view.saved", view_id, actor=actor, now=now, page=page, name=name, query=query)
    return await saved_view(db, actor=actor, view_id=view_id)


async def rename_view(db: AsyncConnection, *, actor: Actor, view_id: str, name: str | None, now: datetime) -> View:
    """Raises NoSuchView, BadName, NameTaken."""
    view, name = await saved_view(db, actor=actor, view_id=view_id), good_name(name)
    await db.execute(ONE_AT_A_TIME, {"owner": actor.id})
    changed = await db.execute(RENAME, {"id": view_id, "owner": actor.id, "page": view.page, "name": name})
    if not changed.rowcount:
        raise NameTaken(name=name)
    await told(db, "view.renamed", view_id, actor=actor, now=now, page=view.page, name=name)
    return await saved_view(db, actor=actor, view_id=view_id)


async def delete_view(db: AsyncConnection, *, actor: Actor, view_id: str, now: datetime) -> View:
    """Forget a view; gives what it was. Raises NoSuchView."""
    view = await saved_view(db, actor=actor, view_id=view_id)
    await db.execute(DELETE, {"id": view_id})
    await told(db, "view.deleted", view_id, actor=actor, now=now, page=view.page, name=view.name, query=view.query)
    return view


async def open_with(db: AsyncConnection, *, actor: Actor, view_id: str, on: bool, now: datetime) -> View:
    """Let the page open with this view, or with none. Raises NoSuchView."""
    view = await saved_view(db, actor=actor, view_id=view_id)
    await db.execute(ONE_AT_A_TIME, {"owner": actor.id})
    await db.execute(NO_DEFAULT, {"owner": actor.id, "page": view.page})
    if on:
        await db.execute(DEFAULT, {"id": view_id})
    await told(db, "view.chosen", view_id, actor=actor, now=now, page=view.page, name=view.name, opens=on)
    return await saved_view(db, actor=actor, view_id=view_id)


def default_of(views: Sequence[View]) -> View | None:
    return next((one for one in views if one.is_default), None)


def good_name(name: str | None) -> str:
    name = (name or "").strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadName(most=LONGEST_NAME)
    return name


async def told(
    db: AsyncConnection, kind: str, view_id: str, *, actor: Actor, now: datetime, **facts: str | bool
) -> None:
    await announce(db, Event(type=kind, subject=view_id, data=facts), by=actor, now=now)
