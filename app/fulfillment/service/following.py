"""A verdict that was given anew while the part was under way: what it frees is freed, what it lets us claim is claimed."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.rules.pricing import Payer, PriceTerms
from app.billing.service import open_line_claims, reverse_line
from app.billing.service.costs import charge_issue
from app.fulfillment.rules.states import State
from app.fulfillment.schemas import StepIn
from app.fulfillment.service.frame import Frame, open_frame
from app.fulfillment.service.records import NewStep, move
from app.stock.service import consent as keep_holds

NEWER = text("""
    SELECT l.id AS line, v.id AS verdict, v.outcome ->> 'covered' = 'true' AS covered, v.outcome ->> 'payer' AS payer, v.cause
    FROM request_line l JOIN verdict v ON v.supersedes = l.verdict WHERE l.request = :request ORDER BY l.n
""")
NAME = text("UPDATE request_line SET verdict = :verdict WHERE id = :line")
FREE = text("""
    UPDATE request_line SET covered = true, payer = :payer, net_minor = 0, tax_minor = 0, gross_minor = 0,
        price_terms = CAST(:terms AS jsonb) WHERE id = :line
""")


async def follow(db: AsyncConnection, *, actor: Actor, request_id: str, now: datetime) -> int:
    """Name the newest verdict on a request's lines. Gives how many.

    A verdict that turned to covered frees its line: no consent is waited for, what was charged is taken back (P1, W7,
    T122). One that turned the other way changes no price: what was promised stays (W7, P5).
    """
    rows = (await db.execute(NEWER, {"request": request_id})).all()
    if not rows:
        return 0
    frame = await open_frame(db, actor=actor, request_id=request_id, body=StepIn(), expected_version=None, now=now)
    lines = {line.id: line for line in frame.loaded.lines}
    states: dict[str, State] = {}
    steps: list[NewStep] = []
    for row in rows:
        line = lines[row.line]
        await db.execute(NAME, {"line": row.line, "verdict": row.verdict})
        if row.covered and not line.covered and line.state not in (State.CANCELED.value, State.LOST.value):
            await _free(frame, line, row)
            steps.append(NewStep(verb="repriced", line=line.id, details={"verdict": row.verdict, "covered": True}))
            if line.state == State.AWAITING_CONSENT.value:
                await keep_holds(db, references=[line.id])
                states[line.id] = State.ACCEPTED
                steps.append(NewStep(verb="resumed", line=line.id))
        if row.covered and row.cause != "undetermined":
            await _claim(frame, line, row)
    if steps:
        await move(
            db, actor=actor, loaded=frame.loaded, states=states, steps=steps, event="repriced", occurred_at=now, now=now
        )
    return len(rows)


async def _free(frame: Frame, line: Any, row: Any) -> None:
    """Price the line anew at nothing; what was issued and charged is credited and borne by the cover's payer."""
    terms = msgspec.convert(line.price_terms, PriceTerms)
    free = PriceTerms(covered=True, currency=terms.currency, payer=Payer(row.payer), tax_rate=terms.tax_rate)
    values = {"line": line.id, "payer": row.payer, "terms": msgspec.json.encode(msgspec.to_builtins(free)).decode()}
    await frame.db.execute(FREE, values)
    pieces = [one for one in frame.loaded.reserved.get(line.id, ()) if one.state == "issued" and one.out]
    if pieces:
        await reverse_line(frame.db, actor=frame.actor, line=line.id, reason="covered after all", now=frame.now)
        await charge_issue(
            frame.db,
            actor=frame.actor,
            job=frame.job(line),
            pieces=pieces,
            terms=free,
            source=f"{line.id}:{row.verdict}",
            verdict_id=row.verdict,
            cause_settled=row.cause != "undetermined",
            evidence={"verdict": row.verdict, "device_serial": frame.loaded.row.device_serial, "cause": row.cause},
            now=frame.now,
        )


async def _claim(frame: Frame, line: Any, row: Any) -> None:
    """Claim what the OEM bears for a line, now that its cause is settled as covered (P7)."""
    request = frame.loaded.row
    evidence = {
        "device_serial": request.device_serial,
        "cause": row.cause,
        "failed_at": request.failed_at,
        "verdict": row.verdict,
    }
    await open_line_claims(frame.db, actor=frame.actor, line=line.id, evidence=evidence, now=frame.now)
