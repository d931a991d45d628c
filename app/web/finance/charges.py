"""Charges and credits, quotes and consent, accounting months: the lists, and closing a month."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import Call
from app.billing import service
from app.billing.schemas import PeriodOut
from app.web.finance.words import CHARGE, MONEY_ROLES, scoped
from app.web.frame import signed_in
from app.web.render import Words, language_of, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page

JOB = "LEFT JOIN part_request r ON r.id = {row}.request LEFT JOIN site s ON s.code = r.site"
STATE = """CASE WHEN c.reverses IS NOT NULL THEN 'credit' WHEN coalesce(back.minor, 0) = 0 THEN 'charge'
    WHEN back.minor < c.gross_minor THEN 'partly' ELSE 'credited' END"""
TICKET = "coalesce(r.ticket_number, right({row}.request, 8))"

CHARGES = Listing(
    page="/finance/charges",
    title="Charges and credits",
    source=f"""charge c {JOB.format(row="c")} LEFT JOIN LATERAL (
        SELECT -sum(x.gross_minor) AS minor FROM charge x WHERE x.reverses = c.id) back ON c.reverses IS NULL""",
    where=scoped("c.customer", "c.area"),
    id="c.id",
    order="-made_at",
    empty="Nothing was charged yet. A charge is made when pieces that a customer pays for are picked.",
    facts={"currency": "c.currency", "zone": "s.timezone", "request_id": "c.request", "verdict_id": "c.verdict"},
    columns=(
        Column(key="made_at", label="Made", sql="c.made_at", kind="instant", nullable=False),
        Column(key="kind", label="Kind", sql=STATE, kind="state", words=CHARGE, href="/finance/charges/{number}"),
        Column(key="customer", label="Customer", sql="c.customer", kind="code", nullable=False),
        Column(key="contract", label="Contract", sql="c.contract"),
        Column(key="request", label="Request", sql=TICKET.format(row="c"), kind="link", href="/requests/{request_id}"),
        Column(key="device", label="Device", sql="c.device_serial", kind="code", href="/devices/{device}"),
        Column(key="part", label="Part", sql="c.part", kind="code", nullable=False),
        Column(key="quantity", label="Quantity", sql="c.quantity", kind="quantity", nullable=False, shown=False),
        Column(key="net", label="Net", sql="c.net_minor", kind="money", sums=True, nullable=False),
        Column(key="tax", label="Tax", sql="c.tax_minor", kind="money", sums=True, nullable=False),
        Column(key="gross", label="Gross", sql="c.gross_minor", kind="money", sums=True, nullable=False),
        Column(key="cost", label="What it cost us", sql="c.cost_minor", kind="money", sums=True, shown=False),
        Column(key="period", label="Month", sql="to_char(c.period, 'YYYY-MM')", nullable=False),
        Column(key="reason", label="Reason", sql="c.reason", shown=False),
        Column(key="verdict", label="Verdict", sql="right(c.verdict, 8)", href="/verdicts/{verdict_id}", shown=False),
        Column(
            key="number", label="Charge number", sql="c.id", kind="code", href="/finance/charges/{number}", shown=False
        ),
    ),
    filters=(
        Filter(
            key="search",
            label="Customer, contract, request, ticket, device, part or charge",
            kind="search",
            sql="concat_ws(' ', c.id, c.customer, c.contract, c.request, r.ticket_number, c.device_serial, c.part)",
        ),
        Filter(key="kind", label="Kind", kind="choice", sql=STATE, words=CHARGE),
        Filter(key="customer", label="Customer", kind="is", sql="c.customer"),
        Filter(key="contract", label="Contract", kind="is", sql="c.contract"),
        Filter(
            key="made",
            label="Made",
            kind="dates",
            sql="CAST(c.made_at AT TIME ZONE coalesce(s.timezone, 'UTC') AS date)",
        ),
        Filter(key="month", label="Booked in the months", kind="dates", sql="c.period"),
    ),
)

QUOTE = {
    "asked": "awaits consent",
    "agreed": "agreed, not picked yet",
    "charged": "charged",
    "ended": "not agreed, or given up",
}
QUOTE_STATE = """CASE WHEN l.state = 'awaiting_consent' THEN 'asked' WHEN l.state IN ('canceled', 'lost') THEN 'ended'
    WHEN EXISTS (SELECT FROM charge c WHERE c.line = l.id AND c.reverses IS NULL) THEN 'charged' ELSE 'agreed' END"""
UNTIL = "(SELECT min(h.expires_at) FROM reservation h WHERE h.reference = l.id AND h.state = 'held')"
QUOTES = Listing(
    page="/finance/quotes",
    title="Quotes and consent",
    source="request_line l JOIN part_request r ON r.id = l.request JOIN site s ON s.code = r.site",
    where=f"l.gross_minor > 0 AND {scoped('r.customer', 'r.area')}",
    id="l.id",
    order="-quoted_at",
    empty="No price was quoted yet. A quote is made when a part is asked for that the warranty does not cover.",
    facts={"currency": "r.currency", "zone": "s.timezone", "request_id": "r.id", "verdict_id": "l.verdict"},
    columns=(
        Column(key="quoted_at", label="Quoted", sql="l.committed_at", kind="instant", nullable=False),
        Column(
            key="state",
            label="State",
            sql=QUOTE_STATE,
            kind="state",
            words=QUOTE,
            standing={"asked": "paused", "charged": "ok"},
            nullable=False,
        ),
        Column(key="until", label="Holds until", sql=UNTIL, kind="instant"),
        Column(key="customer", label="Customer", sql="r.customer", kind="code", nullable=False),
        Column(key="contract", label="Contract", sql="r.contract", nullable=False),
        Column(
            key="request",
            label="Request",
            sql="coalesce(r.ticket_number, right(r.id, 8))",
            kind="link",
            href="/requests/{request_id}",
        ),
        Column(key="device", label="Device", sql="r.device_serial", kind="code", href="/devices/{device}"),
        Column(key="part", label="Part", sql="l.supplied_part_number", kind="code", nullable=False),
        Column(key="quantity", label="Quantity", sql="l.quantity", kind="quantity", sums=True, nullable=False),
        Column(key="gross", label="Gross", sql="l.gross_minor", kind="money", sums=True, nullable=False),
        Column(key="verdict", label="Verdict", sql="right(l.verdict, 8)", href="/verdicts/{verdict_id}", shown=False),
    ),
    filters=(
        Filter(
            key="search",
            label="Customer, contract, request, ticket, device or part",
            kind="search",
            sql="concat_ws(' ', r.customer, r.contract, r.id, r.ticket_number, r.device_serial, l.supplied_part_number)",
        ),
        Filter(key="state", label="State", kind="choice", sql=QUOTE_STATE, words=QUOTE),
        Filter(key="quoted", label="Quoted", kind="dates", sql="CAST(l.committed_at AT TIME ZONE s.timezone AS date)"),
    ),
)

PERIOD = {"open": "still open", "over": "over, can be closed", "closed": "month closed"}
PERIOD_STATE = """CASE WHEN b.period IS NOT NULL THEN 'closed'
    WHEN m.period < date_trunc('month', CAST(:today AS date)) THEN 'over' ELSE 'open' END"""
MONTHS = f"""(
    SELECT period, currency, sum(net) AS net, sum(tax) AS tax, sum(gross) AS gross, sum(borne) AS borne FROM (
        SELECT c.period, c.currency, c.net_minor AS net, c.tax_minor AS tax, c.gross_minor AS gross, 0 AS borne
        FROM charge c WHERE {scoped("c.customer", "c.area")}
        UNION ALL
        SELECT b.period, b.currency, 0, 0, 0, b.amount_minor
        FROM borne_cost b LEFT JOIN part_request r ON r.id = b.request WHERE {scoped("b.customer", "r.area")}
    ) e GROUP BY 1, 2
) m LEFT JOIN billing_period b ON b.period = m.period"""
PERIODS = Listing(
    page="/finance/periods",
    title="Accounting months",
    source=MONTHS,
    where="true",
    id="to_char(m.period, 'YYYY-MM-') || m.currency",
    order="-month",
    empty="No month has entries yet. A month begins with its first charge or cost.",
    facts={"currency": "m.currency"},
    columns=(
        Column(
            key="month",
            label="Month",
            sql="to_char(m.period, 'YYYY-MM')",
            nullable=False,
            href="/finance/charges?month_from={month}-01",
        ),
        Column(
            key="state",
            label="State",
            sql=PERIOD_STATE,
            kind="state",
            words=PERIOD,
            standing={"closed": "ok"},
            nullable=False,
        ),
        Column(key="net", label="Charged, net", sql="CAST(m.net AS bigint)", kind="money", sums=True),
        Column(key="tax", label="Tax", sql="CAST(m.tax AS bigint)", kind="money", sums=True),
        Column(key="gross", label="Charged, gross", sql="CAST(m.gross AS bigint)", kind="money", sums=True),
        Column(key="borne", label="Borne by payers", sql="CAST(m.borne AS bigint)", kind="money", sums=True),
        Column(key="closed_at", label="Closed at", sql="b.closed_at", kind="instant"),
        Column(key="closed_by", label="Closed by", sql="b.closed_by", shown=False),
    ),
    filters=(
        Filter(key="state", label="State", kind="choice", sql=PERIOD_STATE, words=PERIOD),
        Filter(key="month", label="Month", kind="dates", sql="m.period"),
    ),
)


@get("/finance/charges", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_charges(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """Charges and credits, newest first."""
    return await table_page(request, who, CHARGES, "finance/charges.html", tab="charges")


@get(["/finance/charges.csv", "/finance/charges.xlsx"], opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def export_charges(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, CHARGES)


@get("/finance/quotes", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_quotes(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """What was quoted, and whether the customer agreed."""
    return await table_page(request, who, QUOTES, "finance/charges.html", tab="quotes")


@get(["/finance/quotes.csv", "/finance/quotes.xlsx"], opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def export_quotes(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, QUOTES)


@get("/finance/periods", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_periods(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """Accounting months, open and closed, and what they add up to."""
    today = request.app.state.clock.now().date()
    return await table_page(request, who, PERIODS, "finance/charges.html", binds={"today": today}, tab="periods")


@get(["/finance/periods.csv", "/finance/periods.xlsx"], opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def export_periods(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, PERIODS, binds={"today": request.app.state.clock.now().date()})


@post("/finance/periods/{month:str}/close", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def close_month(
    month: FromPath[str], request: Request[Any, Any, Any], call: NamedDependency[Call]
) -> Response[Any]:
    """Close a month that is over."""
    closed = await call.act(
        lambda db: service.close_period(db, actor=call.actor, period=month, now=call.now), PeriodOut
    )
    say = Words(language_of(request))
    return see_other("/finance/periods", request, say=say("{month} is closed.", month=closed.period))


HANDLERS = [show_charges, export_charges, show_quotes, export_quotes, show_periods, export_periods, close_month]
