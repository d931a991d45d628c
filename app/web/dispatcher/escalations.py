"""Door to the escalations: every warning and breach that was told, and every call of a person, newest first (C5, C7)."""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER
from app.core import keyset
from app.fulfillment.queries.requests import SCOPED, scope_of
from app.web.board import label_of
from app.web.dispatcher.views import EscalationRow, Escalations
from app.web.frame import signed_in
from app.web.render import Words, page
from app.web.sessions import SignedIn
from app.web.views import Standing
from app.web.words import CLOCK, LEVEL, PRIORITY, clock_time

SIZE = 50
STANDS: Mapping[str, Standing] = {"warn_50": "ok", "warn_80": "risk", "breach": "late", "called": "risk"}
TOLD: Mapping[str, str] = {
    "dispatcher": "dispatcher",
    "department_manager": "department manager",
    "general_manager": "general manager",
}
STATE: Mapping[str, str] = {
    "waiting": "waits for stock",
    "accepted": "to pick",
    "awaiting_consent": "awaits consent to the price",
    "picked": "picked",
    "packed": "packed",
    "dispatched": "on the way",
    "delivered": "delivered",
    "fitted": "fitted, to confirm",
    "confirmed": "confirmed",
    "canceled": "canceled",
    "lost": "lost",
}
STEPS = text(f"""
    SELECT t.seq, t.occurred_at, t.verb, t.details, r.id, r.state, r.priority, r.ticket_number, s.name AS site_name,
        s.timezone
    FROM request_step t JOIN part_request r ON r.id = t.request JOIN site s ON s.code = r.site
    WHERE t.verb IN ('escalated', 'called') AND (CAST(:before AS bigint) IS NULL OR t.seq < CAST(:before AS bigint))
      AND (NOT CAST(:open AS boolean) OR r.state NOT IN ('confirmed', 'canceled', 'lost'))
      AND (NOT CAST(:breaches AS boolean) OR t.details ->> 'level' = 'breach' OR t.verb = 'called') AND {SCOPED}
    ORDER BY t.seq DESC LIMIT :limit
""").columns(details=JSONB)


@get("/escalations", opt=signed_in(ADMIN, DISPATCHER), include_in_schema=False)
async def show_escalations(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    call: NamedDependency[Call],
    show: FromQuery[str | None] = None,
    before: FromQuery[str | None] = None,
) -> Response[str]:
    """The page."""
    return page(request, "dispatcher/escalations.html", who=who, view=await _view(call, show, before))


@get("/escalations/live", opt=signed_in(ADMIN, DISPATCHER), include_in_schema=False)
async def live_escalations(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    call: NamedDependency[Call],
    show: FromQuery[str | None] = None,
) -> Response[str]:
    """The list anew."""
    return page(request, "dispatcher/escalations_live.html", who=who, view=await _view(call, show, None))


async def _view(call: Call, show: str | None, before: str | None) -> Escalations:
    after = keyset.decode(before, int)[0] if before else None
    shown = show if show in ("open", "breaches", "all") else "open"
    binds = {"before": after, "open": shown != "all", "breaches": shown == "breaches", "limit": SIZE + 1}

    async def ask(db: AsyncConnection) -> list[Any]:
        return list((await db.execute(STEPS, {**scope_of(call.actor), **binds})).all())

    rows = await call.read(ask)
    more = len(rows) > SIZE
    say = Words(call.language)
    return Escalations(
        rows=tuple(_row(one, call, say) for one in rows[:SIZE]),
        older=keyset.encode([rows[SIZE - 1].seq]) if more else None,
        show=shown,
    )


def _row(one: Any, call: Call, say: Words) -> EscalationRow:
    level = "called" if one.verb == "called" else str(one.details["level"])
    clock = one.details.get("clock")
    told = [say(TOLD[name]) for name in one.details.get("told", ())]
    return EscalationRow(
        seq=one.seq,
        at=clock_time(one.occurred_at, one.timezone, call.now, say),
        label=label_of(one),
        address=f"/requests/{one.id}",
        site=one.site_name,
        what=say(CLOCK[clock]) if clock in CLOCK else str(one.details.get("reason") or "—"),
        level=say(LEVEL[level]),
        standing=STANDS[level],
        told=("、" if call.language == "zh-CN" else ", ").join(told),
        state=say(STATE[one.state]),
        priority_word=say(PRIORITY[one.priority]),
    )


HANDLERS = [show_escalations, live_escalations]
