"""Door to the administrator's home: what needs doing, each with where to do it, then everything that is set up here."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from sqlalchemy import text

from app.accounts.rules import ADMIN
from app.core.db import reading
from app.integrations.queries.endpoints import OWN, owner_of
from app.network.rules.boxes import doubt_of
from app.web.admin.keys import SOON
from app.web.frame import signed_in
from app.web.render import Words, language_of, page
from app.web.sessions import SignedIn
from app.web.views import Standing

AnyRequest = Request[Any, Any, Any]
OF_CUSTOMER = "(CAST(:scope_customers AS text[]) IS NULL OR {} = ANY(CAST(:scope_customers AS text[])))"
OF_AREA = "(CAST(:scope_areas AS text[]) IS NULL OR {} = ANY(CAST(:scope_areas AS text[])))"
COUNTS = text(f"""
    SELECT
        (SELECT count(*) FROM user_account WHERE disabled_at IS NULL AND (password_hash IS NULL OR must_change))
            AS no_password,
        (SELECT count(*) FROM api_key WHERE revoked_at IS NULL AND expires_at > :now AND expires_at <= :soon) AS keys_end,
        (SELECT count(*) FROM contract c WHERE accepted_on IS NULL AND {OF_CUSTOMER.format("c.customer")}
            AND EXISTS (SELECT FROM installation i WHERE i.contract = c.number)) AS open_contracts,
        (SELECT count(*) FROM site s WHERE area IS NULL AND {OF_CUSTOMER.format("s.customer")}) AS sites_nowhere,
        (SELECT count(*) FROM area a WHERE {OF_AREA.format("a.code")}
            AND NOT EXISTS (SELECT FROM area_source s WHERE s.area = a.code)) AS areas_no_source,
        (SELECT count(*) FROM area a WHERE {OF_AREA.format("a.code")}
            AND EXISTS (SELECT FROM area_source s WHERE s.area = a.code)
            AND NOT EXISTS (SELECT FROM courier c WHERE c.area = a.code)) AS areas_no_courier,
        (SELECT count(*) FROM (SELECT DISTINCT ON (country, year) published, year FROM calendar_version
            ORDER BY country, year, version DESC) y WHERE NOT published AND year <= :year + 1) AS years_open,
        (SELECT count(*) FROM import_run WHERE (state = 'refused' OR failed > 0) AND state <> 'loaded'
            AND created_at > :week_ago) AS imports_failed,
        (SELECT count(*) FROM webhook_endpoint e WHERE {OWN} AND (state = 'active' AND failing_since IS NOT NULL
            OR state = 'disabled' AND disabled_reason IN ('gone', 'failing', 'key_ended'))) AS hooks_failing,
        (SELECT count(*) FROM stock_balance WHERE reserved > on_hand OR reserved < 0) AS oversold
""")
SPOTS = text("""
    SELECT latitude, longitude, timezone FROM place
    UNION ALL SELECT latitude, longitude, timezone FROM site LIMIT 20000
""")


@dataclass(frozen=True, slots=True)
class Todo:
    """Something to do: how many, what it is and why it matters, and where it is done."""

    many: int
    words: str
    why: str
    href: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Section:
    address: str
    name: str
    words: str


LATE: Standing = "late"
RISK: Standing = "risk"


def todos(row: Any, doubts: int, say: Words) -> tuple[Todo, ...]:
    """What is not zero, the gravest first."""
    found = (*broken(row, say), *gaps(row, doubts, say), *waiting(row, say))
    return tuple(Todo(*one) for one in found if one[0])


def broken(row: Any, say: Words) -> tuple[tuple[int, str, str, str, Standing], ...]:
    """What is wrong already."""
    return (
        (
            row.oversold,
            say("shelves hold less than is promised from them"),
            say("Run “check” on the server at once; this must never be."),
            "/stock",
            LATE,
        ),
        (
            row.imports_failed,
            say("files could not be loaded"),
            say("Sent within the last week and still waiting to be mended."),
            "/admin/imports",
            RISK,
        ),
        (
            row.hooks_failing,
            say("webhooks fail or were given up"),
            say("Programs that rely on them do not hear what happens."),
            "/admin/webhooks?state=failing&state=gone&state=gave_up&state=key_ended",
            RISK,
        ),
    )


def gaps(row: Any, doubts: int, say: Words) -> tuple[tuple[int, str, str, str, Standing], ...]:
    """What is missing in the network."""
    return (
        (
            row.areas_no_source,
            say("service areas have no source"),
            say("Nothing is promised within 2 hours there."),
            "/admin/areas?lacks=sources",
            RISK,
        ),
        (
            row.areas_no_courier,
            say("service areas have no courier"),
            say("Their 2-hour promises go by carrier and are missed."),
            "/admin/areas?lacks=couriers",
            RISK,
        ),
        (
            row.sites_nowhere,
            say("sites lie in no area"),
            say("Only carriers reach them."),
            "/admin/sites?placed=none",
            RISK,
        ),
        (
            doubts,
            say("places or sites lie outside the country of their time zone"),
            say("Latitude and longitude are often swapped; routes to them are nonsense."),
            "/admin/sites",
            RISK,
        ),
    )


def waiting(row: Any, say: Words) -> tuple[tuple[int, str, str, str, Standing], ...]:
    """What waits for somebody."""
    return (
        (
            row.open_contracts,
            say("contracts with devices are not accepted yet"),
            say("Their warranty has not begun; every fault is ours until then."),
            "/admin/contracts?state=open",
            RISK,
        ),
        (
            row.years_open,
            say("calendar years are not published"),
            say("Last days that roll over stay provisional until they are."),
            "/admin/calendars",
            RISK,
        ),
        (
            row.no_password,
            say("people have not chosen a password"),
            say("They cannot work yet, or their one-time password lies about."),
            "/admin/people?state=none&state=once",
            RISK,
        ),
        (
            row.keys_end,
            say("keys end within two weeks"),
            say("Programs that use them will be refused."),
            "/admin/keys?state=soon",
            RISK,
        ),
    )


def sections(say: Words) -> tuple[Section, ...]:
    return (
        Section("/admin/people", say("People"), say("Who may sign in, as what, and what they see.")),
        Section("/admin/keys", say("API keys"), say("What programs call us with.")),
        Section("/admin/places", say("Places"), say("Where parts lie, when they are open.")),
        Section("/admin/areas", say("Service areas"), say("Which places serve what within 2 hours.")),
        Section("/admin/sites", say("Sites"), say("Where devices stand, in which area.")),
        Section("/admin/couriers", say("Couriers"), say("Who drives, in which shift.")),
        Section("/admin/lanes", say("Carrier lanes"), say("Carriers, their cut-offs and hours.")),
        Section("/admin/contracts", say("Contracts"), say("Terms in words, worked examples, acceptance.")),
        Section("/admin/calendars", say("Calendars"), say("Days off and weekends worked.")),
        Section("/admin/models", say("Models"), say("Positions and key parts.")),
        Section("/admin/parts", say("Parts"), say("How pieces are counted, what stands in.")),
        Section("/admin/imports", say("Imports"), say("CSV and Excel files, tried out first.")),
        Section("/admin/connections", say("Ticketing systems"), say("Whose tickets become requests.")),
        Section("/admin/webhooks", say("Webhooks"), say("Which programs are told what happens.")),
        Section("/admin/webhook-deliveries", say("Delivery log"), say("What they were told, and every try.")),
        Section("/admin/audit", say("Audit trail"), say("Who did what, when, sealed.")),
    )


@get("/admin", opt=signed_in(ADMIN), include_in_schema=False)
async def show_home(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """What needs doing."""
    say, now = Words(language_of(request)), request.app.state.clock.now()
    binds = {"now": now, "soon": now + SOON, "year": now.year, "week_ago": now - SOON / 2, "owner": owner_of(who.actor)}
    binds |= who.actor.scope
    async with reading(request.app.state.engine) as db:
        row = (await db.execute(COUNTS, binds)).one()
        spots = (await db.execute(SPOTS)).all()
    doubts = sum(doubt_of(one.latitude, one.longitude, one.timezone) is not None for one in spots)
    return page(request, "admin/home.html", who=who, todos=todos(row, doubts, say), parts=sections(say))


HANDLERS = [show_home]
