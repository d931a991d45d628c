"""What the administrator's pages are shown with: one of each thing that an address may name, made when it is asked for."""

from typing import Any

from sqlalchemy import text

from app.accounts.rules import duty_actor
from app.core.db import begin, make_engine
from app.integrations.imports import runs
from tests.builders import unique
from tests.conftest import START
from tests.web.browsing import Site, client, elsewhere


async def asked(site: Site, method: str, path: str, **body: Any) -> Any:
    async with client(site.base, site.admin) as api:
        answer = await api.request(method, path, json=body or None)
        answer.raise_for_status()
        return answer.json()


def a_user(site: Site) -> str:
    body = {"login": unique("user").lower(), "name": "李娜", "role": "dispatcher", "areas": [site.world.area]}
    return elsewhere(asked(site, "POST", "/v1/users", **body))["id"]


def a_key(site: Site) -> str:
    made = elsewhere(asked(site, "POST", "/v1/keys", name="helpdesk", role="integration"))
    return made["details"]["id"]


def an_endpoint(site: Site) -> str:
    """A webhook that is told two kinds of events; nothing listens there."""
    body = {"url": "https://93.184.216.34/sparelane", "description": "集成平台", "customers": [site.world.customer],
            "event_types": ["part_request.accepted", "part_request.confirmed"]}  # fmt: skip
    return elsewhere(asked(site, "POST", "/v1/webhook-endpoints", **body))["endpoint"]["id"]


def a_delivery(site: Site) -> str:
    """A test that waits for its first try."""
    return elsewhere(asked(site, "POST", f"/v1/webhook-endpoints/{an_endpoint(site)}/ping"))["delivery"]


def a_courier(site: Site) -> str:
    return site.world.courier


def a_year(site: Site) -> str:
    body = {"country": "CN", "year": 2026, "published": True, "working_days_off": ["2026-10-01"]}
    elsewhere(asked(site, "POST", "/v1/calendars", **body, make_up_days=["2026-10-10"]))
    return "2026"


def an_import(site: Site) -> str:
    """A file that was looked at, with a bad row."""

    async def run() -> str:
        engine = make_engine(site.url, pool_size=2)
        raw = b"number,name,tracking\nA,a,none\nB,b,no"
        bad = [runs.Bad(3, "tracking", "imports.not_one_of", {"given": "no"})]
        try:
            async with begin(engine) as db:
                made = await runs.begin_run(
                    db, actor=duty_actor("tests"), kind="parts", file_name="parts.csv", raw=raw, content=raw, now=START
                )
                await runs.end_check(db, run_id=made.id, rows=2, bad=bad, would={}, now=START)
            return made.id
        finally:
            await engine.dispose()

    return elsewhere(run())


def an_event(site: Site) -> str:
    async def run() -> str:
        engine = make_engine(site.url, pool_size=2)
        try:
            async with begin(engine) as db:
                return str(
                    await db.scalar(text("SELECT id FROM event WHERE type = 'place.created' ORDER BY seq LIMIT 1"))
                )
        finally:
            await engine.dispose()

    return elsewhere(run())
