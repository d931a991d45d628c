"""A verdict that was given anew while the part was under way: the line names it, and what can be claimed is claimed."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.billing.service import open_line_claims

SUPERSEDED = text("""
    SELECT l.id AS line, v.id AS verdict, v.outcome, v.cause, r.device_serial, r.failed_at
    FROM request_line l JOIN verdict v ON v.supersedes = l.verdict JOIN part_request r ON r.id = l.request
    ORDER BY l.id LIMIT 200
""").columns(outcome=JSONB)
NAME = text("UPDATE request_line SET verdict = :verdict WHERE id = :line")


async def follow(db: AsyncConnection, *, actor: Actor, now: datetime) -> int:
    """Name the newest verdict on its lines and open the claims a settled cause allows (W7, P7). Gives how many lines.

    Price and commitment stay: they were promised on the verdict of that day (W7, P5).
    """
    rows = (await db.execute(SUPERSEDED)).all()
    for row in rows:
        await db.execute(NAME, {"line": row.line, "verdict": row.verdict})
        await claim(db, actor=actor, row=row, now=now)
    return len(rows)


async def claim(db: AsyncConnection, *, actor: Actor, row: Any, now: datetime) -> None:
    """Claim what the OEM bears for a line, now that its cause is settled as covered."""
    if row.outcome["covered"] and row.cause != "undetermined":
        evidence = {
            "device_serial": row.device_serial,
            "cause": row.cause,
            "failed_at": row.failed_at,
            "verdict": row.verdict,
        }
        await open_line_claims(db, actor=actor, line=row.line, evidence=evidence, now=now)
