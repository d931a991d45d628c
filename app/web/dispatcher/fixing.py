"""Doors to the fixes of one request: what would help, at what price, each as a button; nothing is held by looking."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.accounts.rules import ADMIN, DISPATCHER
from app.core.errors import Reason
from app.core.i18n import Language, text
from app.fulfillment.api.why import seen_by
from app.fulfillment.queries.clashes import told_of
from app.fulfillment.queries.requests import load
from app.fulfillment.queries.steering import pins
from app.fulfillment.rules.fixes import Change, Fix, Told
from app.fulfillment.rules.states import ENDED
from app.fulfillment.service.fixing import fixes
from app.web.board import board, by_name, label_of, names_of
from app.web.dispatcher.views import ChangeRow, FixPanel, FixRow, LineFixes
from app.web.frame import signed_in
from app.web.queries import BoardFacts, board_facts
from app.web.render import Words, page
from app.web.sessions import SignedIn
from app.web.views import RequestRow, Standing
from app.web.words import PRIORITY, STANDING, clock_time, span

STEER = (ADMIN, DISPATCHER)
OPENS = ("clash.nearest", "clash.no_way", "clash.nothing")
"""Reasons that begin a clash; the others are the facts of it."""


@get("/board/requests/{request_id:str}/panel", opt=signed_in(*STEER), include_in_schema=False)
async def show_panel(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    call: NamedDependency[Call],
    request_id: FromPath[str],
) -> Response[str]:
    """The part of the board that opens over it for one request."""

    async def ask(db: AsyncConnection) -> tuple[BoardFacts, list[Fix], Mapping[str, str], Mapping[str, Told]]:
        found = await fixes(db, actor=call.actor, request_id=request_id, now=call.now)
        told = await told_of(db, lines=sorted({one.line for one in found}))
        area = await area_of(db, call, request_id)
        return await board_facts(db, actor=call.actor, area=area, now=call.now), found, await pins(db), told

    facts, found, pinned, told = await call.read(ask)
    currency = request.app.state.settings.currency
    panel = panel_of(facts, request_id, found, pinned, told, call=call, currency=currency)
    return page(request, "dispatcher/panel.html", who=who, panel=panel)


async def area_of(db: AsyncConnection, call: Call, request_id: str) -> str | None:
    """The area a request lies in, so that the board is read for it alone."""
    area = (await load(db, actor=call.actor, request_id=request_id)).row.area
    return None if area is None else str(area)


def panel_of(
    facts: BoardFacts,
    request_id: str,
    found: list[Fix],
    pinned: Mapping[str, str],
    told: Mapping[str, Told],
    *,
    call: Call,
    currency: str,
) -> FixPanel | None:
    """The request as the board has it, with its fixes; None once it is no longer open."""
    mine = next((one for one in facts.requests if one.row.id == request_id), None)
    if mine is None:
        return None
    area, only = mine.row.area, request_id
    shown = board(facts, actor=call.actor, area=area, now=call.now, language=call.language, only=only)
    row = shown.rows[0]
    labels = {line.id: label_of(one.row) for one in facts.requests for line in one.lines}
    words = FixWords(call.language, call.now, mine.row.timezone, names_of(facts), labels, currency)
    couriers = tuple((one.code, one.name) for one in facts.couriers)
    steps = {step.verb: step.details for step in mine.steps}
    return FixPanel(
        request=request_id,
        label=row.label,
        site=row.site,
        customer=row.customer,
        priority_word=words.say(PRIORITY[mine.row.priority]),
        why=row.why,
        lines=tuple(
            _line(line, row, found, pinned, told.get(line.id), couriers, words)
            for line in mine.seen
            if line.state not in ENDED
        ),
        plan_agreed=(steps.get("plan_agreed") or {}).get("plan"),
        called="called" in steps,
    )


class FixWords:
    """How fixes are told: the language, the moment, the site's zone, names, requests' labels, the company's currency."""

    def __init__(
        self,
        language: Language,
        now: datetime,
        zone: str,
        names: Mapping[str, str],
        labels: Mapping[str, str],
        currency: str,
    ) -> None:
        self.say, self.language, self.now, self.zone = Words(language), language, now, zone
        self.names, self.labels, self.currency = names, labels, currency

    def outcome(self, fix: Fix) -> tuple[str, Standing]:
        """When the promise would be met, and how that stands against its due."""
        if fix.eta is None or fix.late_s is None:
            return "", "paused"
        at = clock_time(fix.eta, self.zone, self.now, self.say)
        if fix.late_s:
            return self.say("done {at}, still {late} late", at=at, late=span(fix.late_s + 59, self.say)), "late"
        return self.say("done {at}, in time", at=at), "ok"

    def costs(self, fix: Fix) -> tuple[str, ...]:
        """What the change takes, and from whom."""
        found = []
        if fix.gained_s:
            found.append(self.say("{span} sooner", span=span(fix.gained_s, self.say)))
        if fix.more_drive_s is not None and fix.more_drive_s >= 60:
            found.append(self.say("{minutes} min more driving", minutes=fix.more_drive_s // 60))
        if fix.cost_minor >= 100:
            found.append(
                self.say(
                    "costs about {amount} {currency} more", amount=f"{fix.cost_minor / 100:.0f}", currency=self.currency
                )
            )
        if fix.harmed:
            jobs = list(dict.fromkeys(self.labels.get(job) or self.say("another job") for job in fix.harmed))
            found.append(self.say("makes {jobs} late", jobs=jobs))
        return tuple(found)

    def sentence(self, reason: Reason) -> str:
        """A reason with people by their names, other lines by their requests, and times on the site's clock."""
        facts = by_name(seen_by(reason, self.labels.get).facts, self.names)
        for name in [one for one in facts if one.endswith("_at")]:
            told = facts[name]
            facts[name] = [self.at(one) for one in told] if isinstance(told, list) else self.at(told)
        return text(reason.code, facts, self.language)

    def at(self, told: Any) -> Any:
        """An instant of a reason on the site's clock, with its day where that is not today."""
        return (
            clock_time(datetime.fromisoformat(told), self.zone, self.now, self.say) if isinstance(told, str) else told
        )


def _line(
    line: Any,
    row: RequestRow,
    found: list[Fix],
    pinned: Mapping[str, str],
    told: Told | None,
    couriers: tuple[tuple[str, str], ...],
    words: FixWords,
) -> LineFixes:
    standing, clash = row.clock.standing, () if told is None else told.clash
    return LineFixes(
        line=line.id,
        part_number=line.supplied_part_number,
        part_name=line.part_name,
        standing=standing,
        stands=f"{words.say(STANDING[standing])} · {row.clock.promise} · {row.clock.spare}",
        clash_words=" ".join(words.sentence(one) for one in clash if one.code in OPENS),
        clash=tuple(words.sentence(one) for one in clash if one.code not in OPENS),
        fixes=tuple(_row(one, row.id, words) for one in found if one.line == line.id and one.kinds != ("call",)),
        pinned=words.names.get(pinned[line.id], pinned[line.id]) if line.id in pinned else None,
        couriers=couriers if line.mode in ("courier", None) else (),
    )


def _row(fix: Fix, request: str, words: FixWords) -> FixRow:
    outcome, standing = words.outcome(fix)
    return FixRow(
        changes=tuple(_change(one, fix.line, request, words) for one in fix.changes),
        outcome=outcome,
        standing=standing,
        costs=words.costs(fix),
        needs_customer=fix.needs_customer,
        needs_approval=any(one.gives is not None for one in fix.changes),
    )


def _change(change: Change, line: str, request: str, words: FixWords) -> ChangeRow:
    """A change as a form."""
    source = f"/board/requests/{request}/source"
    address = {
        "source": source,
        "substitute": source,
        "bump": f"/board/requests/{request}/bump",
        "pin": "/board/pins",
        "shift": "/board/shifts",
        "open": "/board/openings",
    }.get(change.kind)
    sent = {
        "line": line,
        "from": change.gives.line if change.gives is not None else None,
        "place": change.place,
        "part_number": change.part_number,
        "courier": change.courier,
        "begins_at": change.begins_at.isoformat() if change.begins_at else None,
        "ends_at": change.ends_at.isoformat() if change.ends_at else None,
    }
    return ChangeRow(
        words=words.sentence(change.reason),
        address=address,
        fields=tuple((name, value) for name, value in sent.items() if value is not None),
    )


HANDLERS = [show_panel]
