"""What jobs cost the company, by who pays for it: added up by month, contract or customer, and entry by entry."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.core.errors import FieldError
from app.web.finance.words import COST, MONEY_ROLES, PAYER, scoped
from app.web.frame import signed_in
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.tables.asked import BadFilter

BY = {"month": "By month", "contract": "By contract", "customer": "By customer"}
GROUP = """CASE CAST(:by AS text) WHEN 'contract' THEN coalesce(b.contract, '') WHEN 'customer' THEN b.customer
    ELSE to_char(b.period, 'YYYY-MM') END"""
KINDS = ", ".join(f"sum(b.amount_minor) FILTER (WHERE b.kind = '{kind}') AS {kind}" for kind in COST)
BORNE = "borne_cost b LEFT JOIN part_request r ON r.id = b.request"

COSTS = Listing(
    page="/finance/costs",
    title="Cost borne, by payer",
    source=f"""(SELECT {GROUP} AS name, b.payer, b.currency, sum(b.amount_minor) AS total, {KINDS}
        FROM {BORNE} WHERE {scoped("b.customer", "r.area")} GROUP BY 1, 2, 3) t""",
    where="true",
    id="t.name || '|' || t.payer || '|' || t.currency",
    order="-name",
    empty="No cost was borne yet. What a covered part cost, and its transport and work, stands here once it is picked.",
    facts={"currency": "t.currency", "payer_code": "t.payer"},
    also=("by",),
    columns=(
        Column(
            key="name",
            label="Month, contract or customer",
            sql="t.name",
            nullable=False,
            href="/finance/costs/entries?search={name}&payer={payer_code}",
        ),
        Column(key="payer", label="Payer", sql="t.payer", kind="state", words=PAYER, nullable=False),
        Column(key="total", label="Total", sql="CAST(t.total AS bigint)", kind="money", sums=True),
        *(
            Column(key=kind, label=words, sql=f"CAST(coalesce(t.{kind}, 0) AS bigint)", kind="money", sums=True)
            for kind, words in COST.items()
        ),
    ),
    filters=(
        Filter(key="search", label="Month, contract or customer", kind="search", sql="t.name"),
        Filter(key="payer", label="Payer", kind="choice", sql="t.payer", words=PAYER),
    ),
)

SIGN = {"cost": "cost", "back": "cost taken back"}
SIGN_SQL = "CASE WHEN b.reverses IS NULL THEN 'cost' ELSE 'back' END"
ENTRIES = Listing(
    page="/finance/costs/entries",
    title="Cost entries",
    source=f"{BORNE} LEFT JOIN site s ON s.code = r.site",
    where=scoped("b.customer", "r.area"),
    id="b.id",
    order="-occurred_at",
    empty="No cost was borne yet. What a covered part cost, and its transport and work, stands here once it is picked.",
    facts={"currency": "b.currency", "zone": "s.timezone", "request_id": "b.request", "verdict_id": "b.verdict"},
    columns=(
        Column(key="occurred_at", label="Time", sql="b.occurred_at", kind="instant", nullable=False),
        Column(key="sign", label="Entry", sql=SIGN_SQL, kind="state", words=SIGN, nullable=False),
        Column(key="kind", label="Kind", sql="b.kind", kind="state", words=COST, nullable=False),
        Column(key="payer", label="Payer", sql="b.payer", kind="state", words=PAYER, nullable=False),
        Column(key="customer", label="Customer", sql="b.customer", kind="code", nullable=False),
        Column(key="contract", label="Contract", sql="b.contract"),
        Column(
            key="request",
            label="Request",
            sql="coalesce(r.ticket_number, right(b.request, 8))",
            kind="link",
            href="/requests/{request_id}",
        ),
        Column(key="device", label="Device", sql="b.device_serial", kind="code", href="/devices/{device}"),
        Column(key="amount", label="Amount", sql="b.amount_minor", kind="money", sums=True, nullable=False),
        Column(key="period", label="Month", sql="to_char(b.period, 'YYYY-MM')", nullable=False),
        Column(key="note", label="Note", sql="b.note", shown=False),
        Column(key="verdict", label="Verdict", sql="right(b.verdict, 8)", href="/verdicts/{verdict_id}", shown=False),
        Column(key="number", label="Number", sql="b.id", kind="code", shown=False),
    ),
    filters=(
        Filter(
            key="search",
            label="Month, customer, contract, request, ticket or device",
            kind="search",
            sql="""concat_ws(' ', to_char(b.period, 'YYYY-MM'), b.customer, b.contract, b.request, r.ticket_number,
                b.device_serial)""",
        ),
        Filter(key="payer", label="Payer", kind="choice", sql="b.payer", words=PAYER),
        Filter(key="kind", label="Kind", kind="choice", sql="b.kind", words=COST),
        Filter(key="sign", label="Entry", kind="choice", sql=SIGN_SQL, words=SIGN),
        Filter(key="customer", label="Customer", kind="is", sql="b.customer"),
        Filter(key="contract", label="Contract", kind="is", sql="b.contract"),
        Filter(key="month", label="Booked in the months", kind="dates", sql="b.period"),
    ),
)


def grouped_by(by: str | None) -> dict[str, Any]:
    """What costs are added up by, as a bind; an unknown word is refused."""
    if by is not None and by not in BY:
        raise BadFilter(errors=[FieldError("by", "field.bad", {"why": by[:60]})])
    return {"by": by or "month"}


@get("/finance/costs", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_costs(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], by: FromQuery[str | None] = None
) -> Response[Any]:
    """Cost borne by payer, added up by month, contract or customer."""
    binds = grouped_by(by or None)
    return await table_page(request, who, COSTS, "finance/costs.html", binds=binds, tab="sums", by=binds["by"])


@get(["/finance/costs.csv", "/finance/costs.xlsx"], opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def export_costs(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], by: FromQuery[str | None] = None
) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, COSTS, binds=grouped_by(by or None))


@get("/finance/costs/entries", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_entries(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """Every cost, and what was taken back of it."""
    return await table_page(request, who, ENTRIES, "finance/costs.html", tab="entries", by=None)


@get(
    ["/finance/costs/entries.csv", "/finance/costs/entries.xlsx"], opt=signed_in(*MONEY_ROLES), include_in_schema=False
)
async def export_entries(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, ENTRIES)


HANDLERS = [show_costs, export_costs, show_entries, export_entries]
