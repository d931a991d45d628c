"""Giving verdicts and revising them: stored once with everything they rest on, replaced only by naming the old (W12)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor, duty_actor
from app.core.db import attempt
from app.core.errors import Conflict, Reason, Refusal, Unprocessable
from app.core.events import Event, announce
from app.core.http import constraint_of
from app.core.ids import new_id
from app.warranty import queries
from app.warranty.models import Verdict as VerdictRow
from app.warranty.queries.facts import ALL, by_serials, calendar_for, calendars
from app.warranty.rules.events import Cause, Replacement, effective
from app.warranty.rules.events import Event as Occurred
from app.warranty.rules.inputs import Change, VerdictInputs
from app.warranty.rules.verdict import RULE_VERSION, Verdict, canonical, changes, decide_verdict, outcome
from app.warranty.rules.verdict import refused_because as refused_failure
from app.warranty.schemas import EventIn
from app.warranty.service.history import UNSETTLED_FOR, append_event

BASIS = text("""
    SELECT i.id, i.version, i.terms FROM installation i WHERE i.id = ANY(CAST(:ids AS text[])) ORDER BY i.id FOR SHARE
""").columns(terms=JSONB)
OPEN_VERDICTS = text("""
    SELECT v.id FROM verdict v WHERE v.cause = 'undetermined' AND v.given_at <= :before
    AND NOT EXISTS (SELECT FROM verdict n WHERE n.supersedes = v.id) ORDER BY v.given_at LIMIT 200
""")
ONE_SETTLER = text("SELECT pg_try_advisory_xact_lock(7205759403792840)")


class FailureBeforeDelivery(Unprocessable):
    """The device had not been delivered when it is said to have failed."""

    code = "failure.before_delivery"


class FailureBeforeInstallation(Unprocessable):
    """The serial was not there yet when it is said to have failed."""

    code = "failure.before_installation"


class FailedDeviceReplaced(Conflict):
    """Another serial stood there when it is said to have failed."""

    code = "failure.device_replaced"


class VerdictSuperseded(Conflict):
    """A newer verdict exists already."""

    code = "verdict.superseded"


REFUSALS: dict[str, type[Refusal]] = {
    one.code: one for one in (FailureBeforeDelivery, FailureBeforeInstallation, FailedDeviceReplaced)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A stored verdict: its id, the typed decision, and its outcome as JSON values."""

    id: str
    verdict: Verdict
    outcome: Mapping[str, Any]
    supersedes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a verdict would become by what is known now; `changes` is empty when it stands."""

    verdict_id: str
    customer: str
    subject: str | None
    inputs: VerdictInputs
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    changes: tuple[Change, ...]


def judge(inputs: VerdictInputs) -> Verdict:
    """Decide, or raise why no verdict can be given (W1, W13): pure, for previews and promises."""
    refused: Reason | None = refused_failure(inputs) if inputs.serial_known else None
    if refused is not None:
        facts: dict[str, Any] = dict(refused.facts)
        raise REFUSALS[refused.code](**facts)
    return decide_verdict(inputs)


async def give_verdict(
    db: AsyncConnection,
    *,
    actor: Actor,
    inputs: VerdictInputs,
    customer: str,
    now: datetime,
    subject: str | None = None,
    supersedes: str | None = None,
) -> Given:
    """Judge and store, with inputs, hash and versions; announces `verdict.given`. `subject` names a request line."""
    verdict = judge(inputs)
    plain = outcome(verdict, inputs)
    known = inputs.serial_known
    row = {
        "id": new_id("ver", now),
        "installation": inputs.candidates[0].installation_id if known else None,
        "device_serial": inputs.candidates[0].serial if known else None,
        "customer": customer,
        "subject": subject,
        "cause": inputs.failure.cause,
        "inputs": inputs.plain(),
        "outcome": plain,
        "outcome_hash": sha256(canonical(plain)).hexdigest(),
        "rule_version": RULE_VERSION,
        "calendar_version": inputs.calendar_version,
        "supersedes": supersedes,
        "given_at": now,
        "given_by": actor.id,
    }
    try:
        await db.execute(insert(VerdictRow), row)
    except IntegrityError as broken:
        if constraint_of(broken) == "verdict_superseded_once":
            raise VerdictSuperseded(id=supersedes) from broken
        raise
    told = {name: plain[name] for name in ("covered", "payer", "price_rule", "provisional", "coverage", "reasons")}
    event = Event(
        type="verdict.given",
        subject=str(row["id"]),
        customer=customer,
        data={**told, "subject": subject, "supersedes": supersedes},
    )
    await announce(db, event, by=actor, now=now)
    return Given(id=str(row["id"]), verdict=verdict, outcome=plain, supersedes=supersedes)


async def basis_unchanged(db: AsyncConnection, *, inputs: VerdictInputs) -> bool:
    """Whether what a verdict rests on still stands: latest events, frozen terms, calendar. Holds them till commit."""
    basis = inputs.basis
    rows = (await db.execute(BASIS, {"ids": sorted(basis["events"])})).all()
    terms = [one.installation.terms for one in inputs.candidates]
    now_known = await calendars(db, terms=terms)
    calendar = calendar_for(terms[0], now_known)
    present = {
        "events": {row.id: row.version for row in rows},
        "terms": {row.id: row.terms for row in rows},
        "calendar": calendar.version if calendar else None,
    }
    return present == basis


async def revise(
    db: AsyncConnection,
    *,
    actor: Actor,
    verdict_id: str,
    cause: Cause | None = None,
    serial: str | None = None,
) -> Revision:
    """What a stored verdict would be by the events known now, with a settled cause or a serial read since (W12).

    Writes nothing: the amounts that change are listed from it before `supersede` makes it the current one.
    """
    row = await queries.verdict(db, actor=actor, verdict_id=verdict_id)
    if row.superseded_by is not None:
        raise VerdictSuperseded(id=verdict_id, superseded_by=row.superseded_by)
    old = VerdictInputs.of(row.inputs)
    inputs = await refreshed(db, old, cause=cause, serial=serial)
    after = outcome(judge(inputs), inputs)
    return Revision(
        verdict_id=verdict_id,
        customer=row.customer,
        subject=row.subject,
        inputs=inputs,
        before=row.outcome,
        after=after,
        changes=changes(row.outcome, after),
    )


async def refreshed(
    db: AsyncConnection, old: VerdictInputs, *, cause: Cause | None, serial: str | None
) -> VerdictInputs:
    """The same question on today's facts."""
    serials = [serial] if serial is not None else [one.serial for one in old.candidates]
    found = await by_serials(db, scope=ALL, serials=serials)
    if not found:
        raise queries.NoSuchDevice(serial=serial)
    terms = [one.candidate.installation.terms for one in found]
    failure = old.failure
    if cause is not None and cause != failure.cause:
        failure = replace(failure, cause=cause, settled_from=failure.settled_from or failure.cause)
    return replace(
        old,
        failure=failure,
        candidates=tuple(one.candidate for one in found),
        calendar=calendar_for(terms[0], await calendars(db, terms=terms)),
        serial_known=old.serial_known or serial is not None,
    )


async def supersede(db: AsyncConnection, *, actor: Actor, revision: Revision, now: datetime) -> Given:
    """Make a revision the current verdict; it names the old one. A cause settled in it corrects the history too."""
    given = await give_verdict(
        db,
        actor=actor,
        inputs=revision.inputs,
        customer=revision.customer,
        subject=revision.subject,
        supersedes=revision.verdict_id,
        now=now,
    )
    for serial, event in unsettled(revision.inputs):
        cause = revision.inputs.failure.cause
        settled = EventIn(type="corrected", event=event.id, reason="W7: the cause was settled", cause=cause)
        await append_event(db, actor=actor, serial=serial, new=settled, now=now)
    return given


def unsettled(inputs: VerdictInputs) -> list[tuple[str, Occurred]]:
    """Replacements after this very failure that still carry an open cause which the verdict has settled (W4, W7)."""
    if inputs.failure.cause == "undetermined" or not inputs.serial_known:
        return []
    return [
        (one.serial, event)
        for one in inputs.candidates
        for event in effective(one.events)
        if isinstance(event.what, Replacement)
        and event.what.cause == "undetermined"
        and event.what.position == inputs.position
        and event.what.failed_at == inputs.failure.occurred_at
    ]


async def settle_cause(
    db: AsyncConnection, *, actor: Actor, verdict_id: str, cause: Cause, now: datetime
) -> tuple[Given, tuple[Change, ...]]:
    """W7: a cause settled after the verdict makes a new one; gives it and the fields that changed."""
    revision = await revise(db, actor=actor, verdict_id=verdict_id, cause=cause)
    return await supersede(db, actor=actor, revision=revision, now=now), revision.changes


async def settle_open_verdicts(db: AsyncConnection, *, now: datetime) -> int:
    """W7: verdicts on an undetermined cause become `defect` after 30 days; one settler at a time, each once.

    One that was replaced meanwhile, or that no verdict can be given on any more, is left to people.
    """
    if not await db.scalar(ONE_SETTLER):
        return 0
    duty, settled = duty_actor("settle_undetermined"), 0
    for verdict_id in list((await db.execute(OPEN_VERDICTS, {"before": now - UNSETTLED_FOR})).scalars()):
        try:
            async with attempt(db):
                await settle_cause(db, actor=duty, verdict_id=verdict_id, cause="defect", now=now)
        except Refusal:
            continue
        settled += 1
    return settled
