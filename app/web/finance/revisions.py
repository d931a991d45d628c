"""Verdicts that a later fact would change (W12): the amounts are listed first, and only then is the change accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import Actor
from app.billing.schemas import RevisionOut
from app.core import keyset
from app.core.db import reading
from app.core.errors import Refusal
from app.core.i18n import term
from app.core.money import of_amount
from app.fulfillment.service.revising import accept_revision, revision_of
from app.web.finance.words import MONEY_ROLES, scoped
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.tables.shown import at, grouped

PAGE_SIZE = 20
# Verdicts in force whose device has learned since of something that reaches back to the failure: only these can come out
# differently. What the job itself did afterwards does not count.
STALE = text(f"""
    SELECT DISTINCT ON (v.id) v.id, v.given_at, v.device_serial, v.customer, r.id AS request,
        coalesce(r.ticket_number, right(r.id, 8)) AS label, s.timezone, e.recorded_at
    FROM request_line l JOIN verdict v ON v.id = l.verdict
    JOIN part_request r ON r.id = l.request JOIN site s ON s.code = r.site
    JOIN LATERAL (SELECT max(w.recorded_at) AS recorded_at FROM warranty_event w
        WHERE w.installation = v.installation AND w.recorded_at >= v.given_at
            AND (w.occurred_at <= r.failed_at OR w.type IN ('accepted', 'corrected', 'extended', 'voided'))) e
        ON e.recorded_at IS NOT NULL
    WHERE NOT EXISTS (SELECT FROM verdict n WHERE n.supersedes = v.id) AND {scoped("v.customer", "r.area")}
        AND (CAST(:before AS text) IS NULL OR v.id < :before)
    ORDER BY v.id DESC LIMIT :most
""")
FIELD = {
    "covered": "covered",
    "payer": "payer",
    "price_rule": "price rule",
    "needs_consent": "needs consent",
    "provisional": "provisional",
    "late_notice": "reported late",
    "restart_if_confirmed": "restarts when confirmed",
    "coverage.status": "warranty on the day of the failure",
    "coverage.first_day": "first day",
    "coverage.last_day": "last day",
    "coverage.restarted": "restarted",
    "coverage.on": "day of the failure",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What a line costs the customer before and after."""

    line: str
    before: str
    after: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A verdict in force that would come out differently today; `amounts` are those that change."""

    verdict: str
    given_at: str
    device: str
    customer: str
    request: str
    request_label: str
    newest: str
    turns: str
    changes: tuple[str, ...]
    amounts: tuple[Amount, ...]


@get("/finance/revisions", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_revisions(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], after: FromQuery[str | None] = None
) -> Response[str]:
    """Verdicts that what is known now would change, newest first, with the amounts that change."""
    before = keyset.decode(after, str)[0] if after else None
    say, found = Words(language_of(request)), []
    async with reading(request.app.state.engine) as db:
        binds = {**who.actor.scope, "before": before, "most": PAGE_SIZE * 5 + 1}
        rows: Sequence[Any] = (await db.execute(STALE, binds)).all()
        seen = None
        for row in rows[: PAGE_SIZE * 5]:
            seen = row
            revision = await wanted(db, who.actor, row.id)
            if revision is not None and revision.changes:
                found.append(waiting(row, revision, say))
            if len(found) == PAGE_SIZE:
                break
    more = seen is not None and seen is not rows[-1]
    following = f"/finance/revisions?after={keyset.encode([seen.id])}" if seen is not None and more else None
    return page(request, "finance/revisions.html", who=who, found=found, following=following, first=after is None)


@post("/finance/revisions/{verdict_id:str}", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def accept(
    verdict_id: FromPath[str], request: Request[Any, Any, Any], call: NamedDependency[Call]
) -> Response[Any]:
    """Make what is known now the verdict in force."""
    made = await call.act(
        lambda db: accept_revision(db, actor=call.actor, verdict_id=verdict_id, now=call.now), RevisionOut
    )
    say = Words(language_of(request))
    told = say("The new verdict is in force.") if made.verdict else say("Nothing had to change.")
    return see_other("/finance/revisions", request, say=told)


async def wanted(db: AsyncConnection, actor: Actor, verdict_id: str) -> RevisionOut | None:
    """The revision of a verdict; None where none can be given any more."""
    try:
        return await revision_of(db, actor=actor, verdict_id=verdict_id)
    except Refusal:
        return None


def waiting(row: Any, revision: RevisionOut, say: Words) -> Waiting:
    changes = [(one.field, one.before, one.after) for one in revision.changes]
    return Waiting(
        verdict=row.id,
        given_at=at(row.given_at, row.timezone),
        device=row.device_serial,
        customer=row.customer,
        request=row.request,
        request_label=row.label,
        newest=at(row.recorded_at, row.timezone),
        turns=say("would be covered") if revision.covered else say("would be at cost"),
        changes=tuple(
            f"{say(FIELD[name]) if name in FIELD else name}: {shown(before, say)} → {shown(after, say)}"
            for name, before, after in changes
        ),
        amounts=tuple(
            Amount(
                line=one.line,
                before=grouped(of_amount(one.before, one.currency).minor, one.currency),
                after=grouped(of_amount(one.after, one.currency).minor, one.currency),
                currency=one.currency,
            )
            for one in revision.amounts
            if one.before != one.after
        ),
    )


def shown(value: Any, say: Words) -> str:
    """A value of a verdict in words."""
    match value:
        case None:
            return "—"
        case bool():
            return say("yes") if value else say("no")
        case dict():
            return " · ".join(shown(one, say) for one in value.values() if one is not None)
        case list():
            return "、".join(shown(one, say) for one in value) or "—"
        case _:
            return str(term(value, say.language))


HANDLERS = [show_revisions, accept]
