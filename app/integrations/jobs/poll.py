"""Duty: ask the ticketing systems that cannot push. What they show goes the way of a delivery, once for each edition."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.db import begin
from app.core.egress import Outgoing
from app.integrations.jobs.calls import PLAIN, credential_headers
from app.integrations.queries.connections import profile_by
from app.integrations.rules.profile import Poll, Profile, field_of, value_at
from app.integrations.service.receiving import delivery_id, keep

LEASE = timedelta(minutes=5)
OVERLAP = timedelta(minutes=2)
MOST_PAGES, MOST_READ = 50, 4 * 1024 * 1024
DUE = text("""
    UPDATE connection c SET poll_lease_until = :until, poll_fence = nextval('webhook_fence')
    FROM (SELECT code FROM connection WHERE state = 'active' AND poll_at <= :now
            AND (poll_lease_until IS NULL OR poll_lease_until <= :now)
          ORDER BY poll_at LIMIT 1 FOR UPDATE SKIP LOCKED) due
    WHERE c.code = due.code
    RETURNING c.*, (SELECT s.secret FROM connection_secret s WHERE s.connection = c.code AND s.purpose = 'write'
        AND (s.expires_at IS NULL OR s.expires_at > :now) ORDER BY s.created_at DESC, s.id DESC LIMIT 1) AS write_secret
""").columns(overrides=JSONB)
POLLED = text("""
    UPDATE connection SET poll_at = :at, poll_lease_until = NULL, poll_failure = :failure,
        poll_cursor = coalesce(:cursor, poll_cursor),
        poll_failures = CASE WHEN CAST(:failure AS text) IS NULL THEN 0 ELSE poll_failures + 1 END
    WHERE code = :code AND poll_fence = :fence
""")
log = structlog.get_logger("poll")


class CannotAsk(Exception):
    """The system did not answer as it should; the text is a short code."""


async def poll_connections(engine: AsyncEngine, outgoing: Outgoing, now: datetime) -> int:
    """Ask every connection whose turn it is. Gives how many tickets were new or changed."""
    found = 0
    while True:
        async with begin(engine) as db:
            row = (await db.execute(DUE, {"now": now, "until": now + LEASE})).one_or_none()
        if row is None:
            return found
        found += await _poll(engine, outgoing, row, now)


async def _poll(engine: AsyncEngine, outgoing: Outgoing, row: Any, now: datetime) -> int:
    profile = profile_by(row)
    if profile.poll is None or row.base_url is None:
        async with begin(engine) as db:
            await db.execute(POLLED, _told(row, None, None, None))
        return 0
    failure, count = None, 0
    try:
        count = await _ask(engine, outgoing, row, profile, profile.poll, now)
    except CannotAsk as why:
        failure = str(why)
        log.warning("a ticketing system could not be asked", connection=row.code, why=failure)
    wait = profile.poll.every_s * (1 if failure is None else 2 ** min(row.poll_failures + 1, 6))
    cursor = now.isoformat() if failure is None else None
    async with begin(engine) as db:
        await db.execute(POLLED, _told(row, now + timedelta(seconds=wait), failure, cursor))
    return count


def _told(row: Any, at: datetime | None, failure: str | None, cursor: str | None) -> dict[str, Any]:
    return {"code": row.code, "fence": row.poll_fence, "at": at, "failure": failure, "cursor": cursor}


async def _ask(engine: AsyncEngine, outgoing: Outgoing, row: Any, profile: Profile, poll: Poll, now: datetime) -> int:
    """Page by page; each page is kept before the next is asked for."""
    since = datetime.fromisoformat(row.poll_cursor) if row.poll_cursor else row.created_at
    stamp, ago = (since - OVERLAP).strftime(poll.since_format), so_long_ago(now - since + OVERLAP)
    asked = poll.path.replace("{since}", quote(stamp, safe="")).replace("{ago}", quote(ago, safe=""))
    url: str | None = row.base_url + asked
    proof = credential_headers(profile.credentials, row.write_secret)
    if proof is None:
        raise CannotAsk("no_secret")
    fresh, seen = 0, set[str]()
    while url is not None and url not in seen and len(seen) < MOST_PAGES:
        seen.add(url)
        answer = await outgoing.send("GET", url, headers=PLAIN | proof, content=None, most=MOST_READ)
        if answer.failure is not None or answer.status != 200:
            raise CannotAsk(answer.failure or f"http_{answer.status}")
        try:
            document = msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
            raise CannotAsk("not_json") from wrong
        async with begin(engine) as db:
            fresh += await _keep_all(db, row.code, profile, poll, document, now)
        url = _following(row.base_url, document, poll)
    return fresh


async def _keep_all(db: AsyncConnection, code: str, profile: Profile, poll: Poll, document: Any, now: datetime) -> int:
    """Keep each ticket of a page as a delivery; the same edition of the same ticket is known again."""
    event = next((name for name, meaning in profile.events.known.items() if meaning == "seen"), None)
    fresh = 0
    for item in _items(document, poll):
        wrapped = {poll.wrap: item} if poll.wrap else item
        body = msgspec.json.encode(wrapped, order="sorted")
        number = field_of(wrapped, profile.fields.get("number", ()))
        edition = field_of(wrapped, profile.fields.get("edition", ()))
        content = msgspec.json.encode(in_one_order(wrapped), order="sorted")
        digest = delivery_id(profile.identity, headers={}, body=content, document={})
        told = f"poll:{number}:{edition or ''}:{digest[:16]}"
        kept = await keep(
            db, connection=code, delivery=told, event=event, body=body, content_type="application/json", now=now
        )
        fresh += kept.fresh
    return fresh


def _items(document: Any, poll: Poll) -> Iterator[dict[str, Any]]:
    rows = value_at(document, poll.items) if poll.items else document
    yield from (one for one in (rows if isinstance(rows, list) else ()) if isinstance(one, dict))


def so_long_ago(span: timedelta) -> str:
    """A span as `7 minutes ago`, never shorter than it is and in three digits: four are a year to some who read it.

    Hours and days get one more, since a clock may have been put forward meanwhile.
    """
    minutes = max(1, -(-span // timedelta(minutes=1)))
    if minutes < 1000:
        return f"{minutes} minutes ago"
    hours = -(-minutes // 60) + 1
    return f"{hours} hours ago" if hours < 1000 else f"{min(999, -(-hours // 24) + 1)} days ago"


def in_one_order(document: Any) -> Any:
    """The same content in the same order, for comparing: some systems list a ticket's fields anew each time."""
    if isinstance(document, dict):
        return {name: in_one_order(one) for name, one in document.items()}
    if isinstance(document, list):
        return sorted(map(in_one_order, document), key=lambda one: msgspec.json.encode(one, order="sorted"))
    return document


def _following(base_url: str, document: Any, poll: Poll) -> str | None:
    """The next page, on the host we ask whatever name it has for itself."""
    told = value_at(document, poll.next) if poll.next else None
    if not isinstance(told, str) or not told:
        return None
    ours = urlsplit(base_url)
    try:
        return urlsplit(urljoin(base_url + "/", told))._replace(scheme=ours.scheme, netloc=ours.netloc).geturl()
    except ValueError:
        return None
