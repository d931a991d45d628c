"""Doors to devices: looking one up, and the warranty of one at a glance, as of a day and as known at an instant."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, Actor, Role
from app.core.db import reading
from app.core.errors import FieldError
from app.core.http import BadParameters
from app.warranty import queries as warranty
from app.warranty.queries.lives import life
from app.web.engineer import queries
from app.web.engineer.device_view import DeviceView, device_rows, device_view
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn

DEVICE_ROLES: tuple[Role, ...] = (ENGINEER, DISPATCHER, FINANCE, ADMIN)
A_PAGE, A_FEW = 30, 8


@get("/devices", opt=signed_in(*DEVICE_ROLES), include_in_schema=False)
async def find_devices(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    q: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[Any]:
    """Look a device up by any fragment; a whole serial goes straight to its page."""
    state, say = request.app.state, Words(language_of(request))
    now, sought = state.clock.now(), (q or "").strip()[:100]
    following, recent = None, True
    async with reading(state.engine) as db:
        if sought:
            made = await queries.look_up(db, actor=who.actor, sought=sought, cursor=cursor, limit=A_PAGE, now=now)
            exact = [row.serial for row in made.rows if row.serial.lower() == sought.lower()]
            if exact and cursor is None:
                return see_other(f"/devices/{exact[0]}")
            rows, following = made.rows, made.following
        else:
            rows = await queries.lately(db, actor=who.actor, limit=A_FEW, now=now)
            recent = bool(rows)
            rows = rows or await queries.some_devices(db, actor=who.actor, limit=A_FEW, now=now)
    shown = device_rows(rows, say)
    return page(request, "engineer/devices.html", who=who, rows=shown, q=sought, following=following, recent=recent)


@get("/devices/{serial:str}", opt=signed_in(*DEVICE_ROLES), include_in_schema=False)
async def show_device(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    serial: FromPath[str],
    on: FromQuery[str | None] = None,
    known_at: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """One device. An instant without an offset is meant on the site's clock."""
    view = await device_shown(request, who.actor, serial, on=on, known_at=known_at, cursor=cursor)
    return page(request, "engineer/device.html", who=who, view=view)


async def device_shown(
    request: Request[Any, Any, Any],
    actor: Actor,
    serial: str,
    *,
    on: str | None,
    known_at: str | None,
    cursor: str | None,
) -> DeviceView:
    """Read all that the page shows."""
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        device = await warranty.device(db, actor=actor, serial=serial)
        where = await queries.where_it_is(db, site=device.site)
        day, instant = _day(on), _instant(known_at, where.timezone)
        found = await life(db, actor=actor, serial=serial, on=day, known_at=instant, now=now)
        history = await warranty.events(db, actor=actor, serial=serial, cursor=cursor, limit=200)
        requests = await queries.requests_of(db, actor=actor, installation=found.facts.installation)
        numbers = {one.part_number for one in found.warranty.components}
        names = await queries.part_names(db, numbers | {one.part_number for one in found.lifetimes})
        people = await queries.people(db, {one.actor for one in history.items})
        model = await queries.model_name(db, model=device.model)
    return device_view(
        found,
        device,
        where=where,
        model_name=model,
        history=history.items,
        older=history.next,
        requests=requests,
        names=names,
        people=people,
        asked=(day is not None and day != found.today) or instant is not None,
        role=actor.role,
        now=now,
        say=say,
    )


def _day(given: str | None) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as wrong:
        raise BadParameters(errors=[FieldError("on", "field.bad", {"why": str(given)})]) from wrong


def _instant(given: str | None, zone: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(given.replace(" ", "+")) if given else None
    except ValueError as wrong:
        raise BadParameters(errors=[FieldError("known_at", "field.bad", {"why": str(given)})]) from wrong
    return found.replace(tzinfo=ZoneInfo(zone)) if found is not None and found.tzinfo is None else found


HANDLERS = [find_devices, show_device]
