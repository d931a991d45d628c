"""Look up by serial, customer, contract, request, ticket or charge: what it is, its verdicts, and where the money went."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy import text

from app.core.db import reading
from app.fulfillment.queries.requests import SCOPED, scope_of
from app.web.finance.words import CHARGE, CLAIM, CLAIM_STANDING, COVERED, MONEY_ROLES, PAYER, scoped
from app.web.finance.words import CUSTOMERS as CUSTOMERS_SCOPE
from app.web.frame import signed_in
from app.web.render import Words, language_of
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.tables.shown import grouped
from app.web.views import Standing

MOST = 6
STATUS = {
    "expired": "warranty over",
    "not_started": "not accepted yet",
    "void": "warranty void",
    "replaced": "replaced by another device",
}
PAID = ", ".join(f"sum(b.amount_minor) FILTER (WHERE b.payer = '{one}') AS {one}" for one in PAYER)
# A line's borne cost stays in the currency it was paid in: a row for each, of which the first shows the price.
SOURCE = f"""request_line l JOIN part_request r ON r.id = l.request JOIN site s ON s.code = r.site
    LEFT JOIN LATERAL (SELECT b.currency, {PAID}, row_number() OVER (ORDER BY b.currency) AS n
        FROM borne_cost b WHERE b.line = l.id GROUP BY b.currency) b ON true"""
CLAIM_SQL = "(SELECT c.state FROM recovery c WHERE c.line = l.id ORDER BY c.opened_at DESC LIMIT 1)"
CHARGED = """(SELECT sum(c.gross_minor) FROM charge c WHERE c.line = l.id)"""
COVERED_SQL = "CASE WHEN l.covered THEN 'covered' ELSE 'cost' END"
LOOKED = """concat_ws(' ', r.device_serial, r.customer, r.contract, r.id, r.ticket_number, l.supplied_part_number,
    (SELECT string_agg(c.id, ' ') FROM charge c WHERE c.line = l.id))"""

JOBS = Listing(
    page="/finance",
    title="Look up",
    source=SOURCE,
    where=SCOPED,
    id="l.id || coalesce('/' || b.currency, '')",
    order="-accepted_at",
    empty="No part was asked for yet. Each job stands here with its verdict and its money once it is accepted.",
    facts={
        "currency": "r.currency",
        "borne_currency": "coalesce(b.currency, r.currency)",
        "zone": "s.timezone",
        "request_id": "r.id",
        "verdict_id": "l.verdict",
    },
    columns=(
        Column(key="accepted_at", label="Accepted at", sql="r.accepted_at", kind="instant", nullable=False),
        Column(
            key="request",
            label="Request",
            sql="coalesce(r.ticket_number, right(r.id, 8))",
            kind="link",
            href="/requests/{request_id}",
        ),
        Column(key="device", label="Device", sql="r.device_serial", kind="code", href="/devices/{device}"),
        Column(key="customer", label="Customer", sql="r.customer", kind="code", nullable=False),
        Column(key="contract", label="Contract", sql="r.contract", shown=False, nullable=False),
        Column(key="part", label="Part", sql="l.supplied_part_number", kind="code", nullable=False),
        Column(
            key="verdict",
            label="Verdict",
            sql=COVERED_SQL,
            kind="state",
            words=COVERED,
            standing={"covered": "ok"},
            nullable=False,
            href="/verdicts/{verdict_id}",
        ),
        Column(key="payer", label="Payer", sql="l.payer", kind="state", words=PAYER),
        Column(
            key="price",
            label="Customer's price",
            sql="CASE WHEN coalesce(b.n, 1) = 1 THEN l.gross_minor END",
            kind="money",
            sums=True,
        ),
        Column(
            key="charged",
            label="Charged",
            sql=f"CAST(CASE WHEN coalesce(b.n, 1) = 1 THEN coalesce({CHARGED}, 0) END AS bigint)",
            kind="money",
            sums=True,
        ),
        *(
            Column(
                key=one,
                label=f"Borne: {words}",
                sql=f"CAST(b.{one} AS bigint)",
                kind="money",
                currency="borne_currency",
                sums=True,
            )
            for one, words in PAYER.items()
        ),
        Column(
            key="claim",
            label="Claim",
            sql=CLAIM_SQL,
            kind="state",
            words=CLAIM,
            standing=CLAIM_STANDING,
            href="/finance/costs/claims?search={request_id}",
        ),
    ),
    filters=(
        Filter(
            key="search", label="Serial, customer, contract, request, ticket, part or charge", kind="search", sql=LOOKED
        ),
        Filter(key="verdict", label="Verdict", kind="choice", sql=COVERED_SQL, words=COVERED),
        Filter(key="payer", label="Payer", kind="choice", sql="l.payer", words=PAYER),
        Filter(key="claim", label="Claim", kind="choice", sql=CLAIM_SQL, words=CLAIM),
        Filter(key="customer", label="Customer", kind="is", sql="r.customer"),
        Filter(key="contract", label="Contract", kind="is", sql="r.contract"),
        Filter(
            key="accepted", label="Accepted at", kind="dates", sql="CAST(r.accepted_at AT TIME ZONE s.timezone AS date)"
        ),
    ),
)

HAS_SITE = """(CAST(:scope_areas AS text[]) IS NULL
        OR EXISTS (SELECT FROM site z WHERE z.customer = {column} AND z.area = ANY(CAST(:scope_areas AS text[]))))"""
DEVICES = text(f"""
    SELECT d.serial, i.model, i.customer, i.contract, s.name AS site, d.replaced_on, u.status, u.last_day, u.payer
    FROM device d JOIN installation i ON i.id = d.installation JOIN site s ON s.code = i.site
    LEFT JOIN coverage u ON u.installation = i.id AND u.position = 'unit'
        AND u.valid @> CAST(CAST(:now AS timestamptz) AT TIME ZONE s.timezone AS date)
    WHERE strpos(lower(d.serial), lower(:looked)) > 0 AND {scoped("i.customer", "s.area")}
    ORDER BY length(d.serial), d.serial LIMIT :most
""")
CUSTOMERS = text(f"""
    SELECT c.code, c.name, (SELECT count(*) FROM installation i WHERE i.customer = c.code) AS devices
    FROM customer c WHERE strpos(lower(c.code || ' ' || c.name), lower(:looked)) > 0
        AND {CUSTOMERS_SCOPE.format(column="c.code")} AND {HAS_SITE.format(column="c.code")}
    ORDER BY length(c.code), c.code LIMIT :most
""")
CONTRACTS = text(f"""
    SELECT c.number, c.customer, c.accepted_on, (SELECT count(*) FROM installation i WHERE i.contract = c.number) AS devices
    FROM contract c WHERE strpos(lower(c.number), lower(:looked)) > 0
        AND {CUSTOMERS_SCOPE.format(column="c.customer")} AND {HAS_SITE.format(column="c.customer")}
    ORDER BY length(c.number), c.number LIMIT :most
""")
CHARGES = text(f"""
    SELECT c.id, c.customer, c.part, c.gross_minor, c.currency, c.reverses FROM charge c
    WHERE strpos(c.id, lower(:looked)) > 0 AND {scoped("c.customer", "c.area")} ORDER BY c.id DESC LIMIT :most
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that was found: what it is, what it says in short, and where it is."""

    name: str
    words: str
    href: str
    standing: Standing | None = None
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What was found of one kind."""

    title: str
    hits: tuple[Hit, ...]


@get("/finance", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def look_up(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], search: FromQuery[str | None] = None
) -> Response[Any]:
    """One box for everything; the jobs that belong to it below, with verdict and money."""
    found = await hits(request, who, (search or "").strip()[:200]) if search else ()
    binds = scope_of(who.actor)
    return await table_page(request, who, JOBS, "finance/lookup.html", binds=binds, found=found, looked=search or "")


@get(["/finance.csv", "/finance.xlsx"], opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def export_jobs(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, JOBS, binds=scope_of(who.actor))


async def hits(request: Request[Any, Any, Any], who: SignedIn, looked: str) -> Sequence[Hits]:
    """What carries this name, kind by kind."""
    if not looked:
        return ()
    say = Words(language_of(request))
    binds = {**who.actor.scope, "looked": looked, "most": MOST, "now": request.app.state.clock.now()}
    async with reading(request.app.state.engine) as db:
        devices = (await db.execute(DEVICES, binds)).all()
        customers = (await db.execute(CUSTOMERS, binds)).all()
        contracts = (await db.execute(CONTRACTS, binds)).all()
        charges = (await db.execute(CHARGES, binds)).all()
    found = (
        Hits(title=say("Devices"), hits=tuple(device_hit(one, say) for one in devices)),
        Hits(title=say("Customers"), hits=tuple(customer_hit(one, say) for one in customers)),
        Hits(title=say("Contracts"), hits=tuple(contract_hit(one, say) for one in contracts)),
        Hits(title=say("Charges and credits"), hits=tuple(charge_hit(one, say) for one in charges)),
    )
    return [one for one in found if one.hits]


def device_hit(row: Any, say: Words) -> Hit:
    """A device with its warranty today."""
    status = "replaced" if row.replaced_on else row.status or "not_started"
    covered = status == "covered"
    state = say("covered until {day}", day=row.last_day) if covered else say(STATUS[status])
    standings: dict[str, Standing] = {"covered": "ok", "expired": "late", "void": "late"}
    return Hit(
        name=row.serial,
        words=f"{row.model} · {row.site} · {row.customer} · {row.contract}",
        href=f"/devices/{quote(row.serial, safe='')}",
        standing=standings.get(status),
        state=state,
    )


def customer_hit(row: Any, say: Words) -> Hit:
    words = say("{name}, {count} devices", name=row.name, count=row.devices)
    return Hit(name=row.code, words=words, href=f"/finance?customer={quote(row.code, safe='')}")


def contract_hit(row: Any, say: Words) -> Hit:
    words = say("{name}, {count} devices", name=row.customer, count=row.devices)
    state = say("accepted {day}", day=row.accepted_on) if row.accepted_on else say("not accepted yet")
    return Hit(name=row.number, words=words, href=f"/finance?contract={quote(row.number, safe='')}", state=state)


def charge_hit(row: Any, say: Words) -> Hit:
    kind = say(CHARGE["credit" if row.reverses else "charge"])
    amount = f"{grouped(row.gross_minor, row.currency)} {row.currency}"
    return Hit(name=row.id, words=f"{kind} · {row.customer} · {row.part} · {amount}", href=f"/finance/charges/{row.id}")


HANDLERS = [look_up, export_jobs]
