"""What the pages about a device and its requests read beside the wings' own questions: look-up, names, what is open."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core import keyset
from app.fulfillment.queries.requests import SCOPED, scope_of

DEVICE_SCOPED = """
    (CAST(:scope_customers AS text[]) IS NULL OR i.customer = ANY(CAST(:scope_customers AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR s.area = ANY(CAST(:scope_areas AS text[])))
"""
FOUND = """
    SELECT d.serial, i.model, m.name AS model_name, s.code AS site, s.name AS site_name, c.name AS customer_name,
        i.contract, d.replaced_on,
        CASE WHEN d.replaced_on <= t.today THEN 'replaced' WHEN d.installed_on > t.today THEN 'not_started'
            ELSE u.status END AS status, u.first_day, u.last_day, u.payer, t.today
    FROM device d JOIN installation i ON i.id = d.installation JOIN site s ON s.code = i.site
    JOIN customer c ON c.code = i.customer JOIN model m ON m.code = i.model
    CROSS JOIN LATERAL (SELECT (CAST(:now AS timestamptz) AT TIME ZONE s.timezone)::date AS today) t
    LEFT JOIN coverage u ON u.installation = i.id AND u.position = 'unit' AND u.valid @> t.today
"""
# The first word finds by the index of serials, or by the few sites, customers and models that match; others narrow.
LOOK_UP = text(f"""
    WITH hit AS (
        SELECT serial FROM device WHERE serial ILIKE :first
        UNION
        SELECT x.serial FROM device x JOIN installation y ON y.id = x.installation
        WHERE y.site IN (SELECT code FROM site WHERE code ILIKE :first OR name ILIKE :first)
           OR y.customer IN (SELECT code FROM customer WHERE code ILIKE :first OR name ILIKE :first)
           OR y.model IN (SELECT code FROM model WHERE code ILIKE :first OR name ILIKE :first)
           OR y.contract ILIKE :first
    )
    {FOUND} JOIN hit h ON h.serial = d.serial
    WHERE {DEVICE_SCOPED}
    AND concat_ws(' ', d.serial, s.code, s.name, c.code, c.name, m.code, m.name, i.contract)
        ILIKE ALL(CAST(:others AS text[]))
    AND (CAST(:after AS text) IS NULL OR d.serial > CAST(:after AS text)) ORDER BY d.serial LIMIT :limit
""")
LATELY = text(f"""
    WITH recent AS (
        SELECT r.device_serial AS serial, max(r.id) AS latest FROM part_request r
        WHERE r.device_serial IS NOT NULL AND {SCOPED} GROUP BY 1 ORDER BY 2 DESC LIMIT :limit
    )
    {FOUND} JOIN recent h ON h.serial = d.serial WHERE {DEVICE_SCOPED} ORDER BY h.latest DESC
""")
ANY_DEVICES = text(f"{FOUND} WHERE {DEVICE_SCOPED} ORDER BY d.serial LIMIT :limit")
OF_INSTALLATION = text(f"""
    SELECT r.id, r.state, r.priority, r.received_at, r.ticket_number, r.created_by,
        ARRAY(SELECT l.position FROM request_line l WHERE l.request = r.id AND l.position IS NOT NULL
            AND l.state NOT IN ('canceled', 'lost') ORDER BY l.n) AS positions,
        ARRAY(SELECT p.name || ' ×' || l.quantity FROM request_line l JOIN part p ON p.number = l.supplied_part_number
            WHERE l.request = r.id ORDER BY l.n) AS parts
    FROM part_request r WHERE r.installation = :installation AND {SCOPED} ORDER BY r.id DESC LIMIT 50
""")
OPEN_AT = text(f"""
    SELECT DISTINCT r.id, r.received_at, r.ticket_number FROM part_request r JOIN request_line l ON l.request = r.id
    WHERE (r.installation = :installation OR (r.installation IS NULL AND r.site = :site AND r.model = :model))
      AND l.position = :position AND l.state NOT IN ('confirmed', 'canceled', 'lost') AND {SCOPED}
    ORDER BY r.id DESC LIMIT 5
""")
WHERE_IT_IS = text("""
    SELECT s.name AS site_name, s.address, s.timezone, s.area, c.name AS customer_name, c.contact
    FROM site s JOIN customer c ON c.code = s.customer WHERE s.code = :site
""")
MODEL_NAME = text("SELECT name FROM model WHERE code = :model")
SITES = text("""
    SELECT s.code, s.name, c.name AS customer_name FROM site s JOIN customer c ON c.code = s.customer
    WHERE (CAST(:scope_customers AS text[]) IS NULL OR s.customer = ANY(CAST(:scope_customers AS text[])))
      AND (CAST(:scope_areas AS text[]) IS NULL OR s.area = ANY(CAST(:scope_areas AS text[])))
    ORDER BY c.name, s.name LIMIT 1000
""")
MODELS_AT = text(f"""
    SELECT DISTINCT m.code, m.name FROM installation i JOIN site s ON s.code = i.site JOIN model m ON m.code = i.model
    WHERE i.site = :site AND {DEVICE_SCOPED} ORDER BY m.name
""")
LINES_OF_REQUEST = text(f"""
    SELECT l.request, l.position, l.supplied_part_number, l.quantity, l.net_minor, l.tax_minor, l.gross_minor, l.state,
        r.currency, r.ticket_number
    FROM request_line l JOIN part_request r ON r.id = l.request WHERE r.id = :request AND {SCOPED} ORDER BY l.n
""")
PARTS = text("SELECT number, name FROM part WHERE number = ANY(CAST(:keys AS text[]))")
PLACES = text("""
    SELECT code, name FROM place WHERE code = ANY(CAST(:keys AS text[]))
    UNION ALL SELECT code, name FROM area WHERE code = ANY(CAST(:keys AS text[]))
""")
COURIERS = text("SELECT code, name FROM courier WHERE code = ANY(CAST(:keys AS text[]))")
PEOPLE = text("""
    SELECT id, name FROM api_key WHERE id = ANY(CAST(:keys AS text[]))
    UNION ALL SELECT id, name FROM user_account WHERE id = ANY(CAST(:keys AS text[]))
""")
INSTALLED = text("""
    SELECT m.name AS model_name, s.name AS site_name, c.name AS customer_name, i.contract
    FROM installation i JOIN model m ON m.code = i.model JOIN site s ON s.code = i.site
    JOIN customer c ON c.code = i.customer WHERE i.id = :installation
""")
WORDS_MOST = 5


@dataclass(frozen=True, slots=True)
class DevicePage:
    """Devices found, and the cursor of the next page."""

    rows: tuple[Any, ...]
    following: str | None


async def look_up(
    db: AsyncConnection, *, actor: Actor, sought: str, cursor: str | None, limit: int, now: datetime
) -> DevicePage:
    """Devices by fragments of serial, site, customer, model or contract; every word must be found."""
    words = [f"%{_literal(one)}%" for one in sought.split()[:WORDS_MOST]]
    after = keyset.decode(cursor, str)[0] if cursor else None
    binds = {"first": words[0], "others": words[1:], "after": after, "limit": limit + 1, "now": now}
    rows = (await db.execute(LOOK_UP, {**actor.scope, **binds})).all()
    more = len(rows) > limit
    return DevicePage(tuple(rows[:limit]), keyset.encode([rows[limit - 1].serial]) if more else None)


def _literal(word: str) -> str:
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


async def lately(db: AsyncConnection, *, actor: Actor, limit: int, now: datetime) -> tuple[Any, ...]:
    """Devices that parts were asked for lately, as far as this asker sees the requests."""
    return tuple((await db.execute(LATELY, {**scope_of(actor), "limit": limit, "now": now})).all())


async def some_devices(db: AsyncConnection, *, actor: Actor, limit: int, now: datetime) -> tuple[Any, ...]:
    """The first devices in scope, for somebody who has asked for nothing yet."""
    return tuple((await db.execute(ANY_DEVICES, {**actor.scope, "limit": limit, "now": now})).all())


async def requests_of(db: AsyncConnection, *, actor: Actor, installation: str) -> tuple[Any, ...]:
    """A device's requests, its predecessors' included, newest first."""
    return tuple((await db.execute(OF_INSTALLATION, {**scope_of(actor), "installation": installation})).all())


async def open_at(
    db: AsyncConnection, *, actor: Actor, installation: str | None, site: str, model: str, position: str
) -> tuple[Any, ...]:
    """Open requests for the same position: the page warns of them, nothing refuses."""
    binds = {"installation": installation, "site": site, "model": model, "position": position}
    return tuple((await db.execute(OPEN_AT, {**scope_of(actor), **binds})).all())


async def lines_of_request(db: AsyncConnection, *, actor: Actor, request: str) -> tuple[Any, ...]:
    """A request's lines with their amounts; none where the request is not this asker's to see."""
    return tuple((await db.execute(LINES_OF_REQUEST, {**scope_of(actor), "request": request})).all())


async def where_it_is(db: AsyncConnection, *, site: str) -> Any:
    """A site and its customer, for people."""
    return (await db.execute(WHERE_IT_IS, {"site": site})).one()


async def installed(db: AsyncConnection, *, installation: str) -> Any:
    """What stands where, under which contract, for people; of a verdict that was read in scope."""
    return (await db.execute(INSTALLED, {"installation": installation})).one()


async def model_name(db: AsyncConnection, *, model: str) -> str:
    return str(await db.scalar(MODEL_NAME, {"model": model}) or model)


async def sites(db: AsyncConnection, *, actor: Actor) -> tuple[Any, ...]:
    """Sites to choose from where a serial cannot be read."""
    return tuple((await db.execute(SITES, actor.scope)).all())


async def models_at(db: AsyncConnection, *, actor: Actor, site: str) -> tuple[Any, ...]:
    """The models that stand at a site."""
    return tuple((await db.execute(MODELS_AT, {**actor.scope, "site": site})).all())


async def part_names(db: AsyncConnection, numbers: Iterable[str]) -> Mapping[str, str]:
    return await _names(db, PARTS, numbers, "number")


async def place_names(db: AsyncConnection, codes: Iterable[str | None]) -> Mapping[str, str]:
    """Places and areas by their codes, as reasons name both."""
    return await _names(db, PLACES, codes, "code")


async def courier_names(db: AsyncConnection, codes: Iterable[str | None]) -> Mapping[str, str]:
    return await _names(db, COURIERS, codes, "code")


async def people(db: AsyncConnection, ids: Iterable[str]) -> Mapping[str, str]:
    """Who is behind the ids that steps and events carry; what a duty did, the product did."""
    found = await _names(db, PEOPLE, ids, "id")
    return {one: found.get(one, "Sparelane" if one.startswith("duty:") else one) for one in ids}


async def _names(db: AsyncConnection, statement: Any, keys: Iterable[str | None], column: str) -> dict[str, str]:
    wanted = sorted({one for one in keys if one})
    if not wanted:
        return {}
    return {getattr(row, column): row.name for row in await db.execute(statement, {"keys": wanted})}
