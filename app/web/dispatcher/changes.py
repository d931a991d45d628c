"""Door to what the newest plan changed against the one before, line by line."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER
from app.fulfillment.queries.steering import plan_changes, region_name
from app.fulfillment.schemas.steering import MovedStop, PlanChangesOut
from app.web.board import label_of
from app.web.dispatcher.views import Change, Changes
from app.web.frame import signed_in
from app.web.queries import BoardFacts, board_facts
from app.web.render import Words, page
from app.web.sessions import SignedIn
from app.web.words import clock_time, span


@get("/board/changes", opt=signed_in(ADMIN, DISPATCHER), include_in_schema=False)
async def show_changes(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    call: NamedDependency[Call],
    area: FromQuery[str | None] = None,
) -> Response[str]:
    """Each region's newest plan beside the one before; one area's where one is chosen."""

    async def ask(db: AsyncConnection) -> tuple[BoardFacts, list[PlanChangesOut]]:
        chosen = await region_name(db, actor=call.actor, area=area) if area else None
        facts = await board_facts(db, actor=call.actor, area=area or None, now=call.now)
        found = []
        for plan in facts.plans:
            if chosen is None or plan.region == chosen:
                found.append(await plan_changes(db, region=plan.region, visible=plan.visible))
        return facts, [one for one in found if one is not None]

    facts, found = await call.read(ask)
    views = [changes_of(one, facts, call) for one in found]
    return page(request, "dispatcher/changes.html", who=who, plans=views, area=area or "")


def changes_of(found: PlanChangesOut, facts: BoardFacts, call: Call) -> Changes:
    """Two plans of one region as rows and a sentence."""
    say = Words(call.language)
    names = {one.code: one.name for one in facts.couriers}
    rows = {one.row.id: one.row for one in facts.requests}
    zone = facts.couriers[0].timezone if facts.couriers else "UTC"
    area = next((one.name for one in facts.areas if one.code == found.region), found.region)
    at = clock_time(found.planned_at, zone, call.now, say) if found.planned_at else "—"
    if found.before_at is None:
        sentence = say("The first plan, made {at}.", at=at)
    else:
        before = clock_time(found.before_at, zone, call.now, say)
        sentence = say("The plan of {at} beside that of {before}: {count} changed.", at=at, before=before,
                       count=len(found.items))  # fmt: skip
    driving = say("{hours} of driving", hours=span(found.drive_s, say))
    if found.drive_before_s is not None:
        driving = say("{hours} of driving, {before} before", hours=span(found.drive_s, say),
                      before=span(found.drive_before_s, say))  # fmt: skip
    return Changes(
        region=found.region,
        area_name=str(area),
        sentence=sentence,
        rows=tuple(_change(one, rows[one.request], names, call, say) for one in found.items if one.request in rows),
        driving=driving,
    )


def _change(one: MovedStop, row: Any, names: dict[str, str], call: Call, say: Words) -> Change:
    def told(courier: str | None, eta: Any) -> str:
        if courier is None or eta is None:
            return say("not planned")
        return f"{names.get(courier, courier)} · {clock_time(eta, row.timezone, call.now, say)}"

    later = one.eta is None or (one.eta_before is not None and one.eta > one.eta_before)
    words = say("new in the plan") if one.eta_before is None else say("sooner")
    if one.eta is None:
        words = say("left out")
    elif one.eta_before is not None and later:
        words = say("later")
    return Change(
        label=label_of(row),
        address=f"/requests/{row.id}",
        site=row.site_name,
        before=told(one.courier_before, one.eta_before),
        after=told(one.courier, one.eta),
        standing="risk" if later else "ok",
        words=words,
    )


HANDLERS = [show_changes]
