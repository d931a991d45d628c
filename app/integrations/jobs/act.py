"""Duty: act on what came in. A ticket's request is decided outside any transaction and accepted in a short one, in which
the delivery is settled too, so that a crash between leaves nothing half done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.guards import Call
from app.accounts.rules import Actor
from app.core.db import begin
from app.core.errors import Refusal
from app.core.http import database_mood
from app.core.types import wrong_fields
from app.fulfillment.api.asking import ask
from app.fulfillment.queries.requests import Loaded, load
from app.fulfillment.schemas import RequestIn
from app.fulfillment.service.refusals import DuplicateTicket
from app.integrations.queries.connections import connection_actor, profile_by
from app.integrations.rules.profile import Profile
from app.integrations.rules.tickets import Known, NotATicket, event_of, read_ticket, request_fields
from app.integrations.service.receiving import LeaseLost, claim_receipt, put_off, settle_receipt
from app.integrations.service.tickets import Done, Wanted, end_draft, link, locked, note, put_draft, take_in
from app.routing.solver.child import Solver

log = structlog.get_logger("hooks")
MOST_TRIES = 12
PLAIN = (str, int, bool, type(None))


class ServedMeanwhile(Exception):
    """Another delivery gave the ticket its request: look again. Never shown."""


@dataclass(frozen=True, slots=True)
class Means:
    """What asking needs beside the database: who divides shelves among competing lines; None where nobody does."""

    solver: Solver | None


async def act_on_receipts(engine: AsyncEngine, now: datetime, *, solver: Solver | None = None) -> int:
    """Act on everything that waits, oldest first. Gives how many deliveries were looked at."""
    means = Means(solver)
    tried: list[str] = []
    while True:
        async with begin(engine) as db:
            row = await claim_receipt(db, but=tried, now=now)
        if row is None:
            return len(tried)
        tried.append(row.id)
        try:
            await _act(engine, means, row, now)
        except LeaseLost:
            log.info("another worker has it", receipt=row.id)
        except Exception as broken:
            mood = isinstance(broken, Refusal) and broken.status >= 500
            if not mood and database_mood(broken) is None:
                log.exception("a delivery could not be acted on", receipt=row.id)
            await _put_off(engine, row, now)


async def _put_off(engine: AsyncEngine, row: Any, now: datetime) -> None:
    async with begin(engine) as db:
        if row.tries >= MOST_TRIES:
            await settle_receipt(db, row=row, state="failed", outcome="gave_up", now=now)
        else:
            await put_off(db, row=row, outcome="later", now=now)


async def _act(engine: AsyncEngine, means: Means, row: Any, now: datetime) -> None:
    profile = profile_by(row)
    try:
        document = msgspec.json.decode(bytes(row.body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return await _settled(engine, row, "failed", "not_json", now)
    seen = read_ticket(profile, document, event=row.event or event_of(profile, document, {}))
    if isinstance(seen, NotATicket):
        return await _settled(engine, row, "ignored", seen.why, now)
    actor = connection_actor(row, request_id=row.id)
    while True:
        async with begin(engine) as db:
            found = await take_in(db, actor=actor, connection=row.code, seen=seen, received_at=row.received_at, now=now)
            if isinstance(found, Done):
                state = "ignored" if found.ignored else "done"
                await settle_receipt(
                    db, row=row, state=state, outcome=found.outcome, facts=found.facts, ticket=seen.number, now=now
                )
                return None
        try:
            return await _request(engine, means, row, profile, actor, found, now)
        except ServedMeanwhile:
            continue


async def _settled(engine: AsyncEngine, row: Any, state: str, outcome: str, now: datetime) -> None:
    async with begin(engine) as db:
        await settle_receipt(db, row=row, state=state, outcome=outcome, now=now)


async def _request(
    engine: AsyncEngine, means: Means, row: Any, profile: Profile, actor: Actor, wanted: Wanted, now: datetime
) -> None:
    """Make the request; what stands in its way becomes a draft for a person."""
    fields = request_fields(profile, wanted.known, system=row.code, received_at=min(row.received_at, now))
    try:
        asked = msgspec.convert(fields, RequestIn)
    except msgspec.ValidationError:
        wrong = [path for path, _ in wrong_fields(msgspec.to_builtins(fields), RequestIn)]
        return await _draft(engine, row, actor, wanted.known, {"code": "fields.bad", "facts": {"fields": wrong}}, now)
    call = Call(
        engine=engine, actor=actor, now=now, language=row.language, matching=None, claim=None, wake=_nobody, state=means
    )

    async def linked(db: AsyncConnection, loaded: Loaded) -> None:
        await _linked(db, row, actor, loaded.row.id, asked, now)

    try:
        await ask(asked, call, also=linked)
    except DuplicateTicket as known:
        await _adopt(engine, row, actor, str(known.facts["request"]), asked, now)
    except Refusal as refused:
        if refused.status >= 500:
            raise
        facts = {name: value for name, value in refused.facts.items() if isinstance(value, PLAIN)}
        await _draft(engine, row, actor, wanted.known, {"code": refused.code, "facts": facts}, now)


async def _linked(db: AsyncConnection, row: Any, actor: Actor, request: str, asked: RequestIn, now: datetime) -> None:
    """In the transaction that accepts: ticket, draft and delivery get their ends too."""
    number = asked.ticket.number if asked.ticket else ""
    ticket = await locked(db, connection=row.code, number=number, now=now)
    if ticket.request is not None or ticket.status != "open":
        raise ServedMeanwhile
    await link(db, connection=row.code, number=number, request=request)
    await end_draft(db, actor=actor, connection=row.code, number=number, request=request, reason=None, now=now)
    await settle_receipt(
        db, row=row, state="done", outcome="requested", facts={"request": request}, ticket=number, now=now
    )


async def _adopt(engine: AsyncEngine, row: Any, actor: Actor, request: str, asked: RequestIn, now: datetime) -> None:
    """The ticket's request was made through another door: it is this ticket's, if it may be seen."""
    async with begin(engine) as db:
        await load(db, actor=actor, request_id=request)
        await _linked(db, row, actor, request, asked, now)


async def _draft(
    engine: AsyncEngine, row: Any, actor: Actor, known: Known, problem: Mapping[str, Any], now: datetime
) -> None:
    number = known.known["number"]
    async with begin(engine) as db:
        ticket = await locked(db, connection=row.code, number=number, now=now)
        if ticket.request is not None:
            raise ServedMeanwhile
        made = await put_draft(
            db, actor=actor, connection=row.code, known=known, missing=(), problem=problem,
            received_at=row.received_at, now=now,
        )  # fmt: skip
        facts = {"draft": made, "problem": problem["code"]}
        done = Done("drafted", facts)
        await note(db, connection=row.code, number=number, done=done)
        await settle_receipt(db, row=row, state="done", outcome=done.outcome, facts=facts, ticket=number, now=now)


def _nobody() -> None:
    """The duty wakes nobody: the worker looks for what follows by itself."""
