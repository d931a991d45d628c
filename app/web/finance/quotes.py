"""A request's price on paper, for the customer to agree to: what each line not covered costs, and why."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE
from app.billing.rules.pricing import CONSENT_LASTS
from app.core.db import reading
from app.core.errors import NotFound
from app.core.i18n import text as told
from app.core.money import Money
from app.fulfillment.queries.requests import Loaded, load
from app.web import addresses, paper
from app.web.frame import signed_in
from app.web.render import HEADERS, Words, language_of
from app.web.sessions import SignedIn
from app.web.verdict import readable

GONE = ("canceled", "lost")
NAMES = text("""
    SELECT s.name AS site, s.address, s.timezone, c.name AS customer, c.contact,
        (SELECT jsonb_object_agg(p.number, p.name) FROM part p WHERE p.number = ANY(CAST(:parts AS text[]))) AS parts
    FROM site s JOIN customer c ON c.code = s.customer WHERE s.code = :site
""")


class NoQuote(NotFound):
    """Nothing of that request costs the customer anything, or there is no such request for this asker."""

    code = "web.quote_not_found"


@get("/finance/quotes/{request_pdf:str}", opt=signed_in(ADMIN, FINANCE, DISPATCHER, ENGINEER), include_in_schema=False)
async def quotation_paper(
    request_pdf: FromPath[str], request: Request[Any, Any, Any], who: NamedDependency[SignedIn]
) -> Response[bytes]:
    """The quotation of a request: `/finance/quotes/req_….pdf`."""
    request_id, now = request_pdf.removesuffix(".pdf"), request.app.state.clock.now()
    if request_id == request_pdf:
        raise NoQuote(request=request_pdf)
    async with reading(request.app.state.engine) as db:
        loaded = await load(db, actor=who.actor, request_id=request_id)
        names = await names_of(db, loaded)
    made = quotation(loaded, names, request, now)
    content = await paper.quotation(made, Words(language_of(request)))
    headers = {key: value for key, value in HEADERS.items() if key != "Content-Security-Policy"}
    name = f"quotation-{request_id[-8:]}.pdf"
    headers["Content-Disposition"] = f'inline; filename="{name}"'
    return Response(content, media_type="application/pdf", headers=headers)


async def names_of(db: AsyncConnection, loaded: Loaded) -> Any:
    parts = [line.supplied_part_number for line in loaded.lines]
    return (await db.execute(NAMES, {"site": loaded.row.site, "parts": parts})).one()


def quotation(loaded: Loaded, names: Any, request: Request[Any, Any, Any], now: datetime) -> paper.Quotation:
    """The lines that cost something and still count; NoQuote without any."""
    row, say = loaded.row, Words(language_of(request))
    lines = [line for line in loaded.lines if line.gross_minor and line.state not in GONE]
    if not lines:
        raise NoQuote(request=row.id)
    sums = {name: Money(sum(getattr(line, f"{name}_minor") for line in lines), row.currency) for name in AMOUNTS}
    ends = [
        one.expires_at
        for line in lines
        for one in loaded.reserved.get(line.id, ())
        if one.expires_at and one.state == "held"
    ]
    rates = sorted({Decimal(line.price_terms.get("tax_rate", "0")) for line in lines})
    return paper.Quotation(
        head=paper.letterhead(request.app.state.settings),
        label=row.ticket_number or f"R-{row.id[-5:].upper()}",
        link=addresses.absolute(request, addresses.short(row.id)),
        to=paper.Party(name=names.site, customer=names.customer, address=names.address, contact=names.contact),
        lines=tuple(quoted(line, names.parts or {}, row.currency, say) for line in lines),
        net=sums["net"],
        tax=sums["tax"],
        gross=sums["gross"],
        tax_rate=" / ".join(f"{float(100 * rate):g} %" for rate in rates),
        why=tuple(why(loaded, lines, say)),
        valid_until=min(ends, default=min(line.committed_at for line in lines) + CONSENT_LASTS),
        made_at=now,
        zone=names.timezone,
        device=row.device_serial,
        model=row.model,
        contract=row.contract,
        provisional=say("Some of the stock is another's and still to be confirmed; a higher price would be asked anew.")
        if any(line.provisional for line in lines)
        else None,
    )


AMOUNTS = ("net", "tax", "gross")


def quoted(line: Any, names: dict[str, str], currency: str, say: Words) -> paper.QuotedLine:
    substitute = line.supplied_part_number != line.part_number
    return paper.QuotedLine(
        part_number=line.supplied_part_number,
        part_name=names.get(line.supplied_part_number, ""),
        quantity=line.quantity,
        net=Money(line.net_minor, currency),
        tax=Money(line.tax_minor, currency),
        gross=Money(line.gross_minor, currency),
        note=say("in place of {part}", part=line.part_number) if substitute else None,
    )


def why(loaded: Loaded, lines: list[Any], say: Words) -> list[str]:
    """The reasons of the verdicts that the price rests on, each once, in the reader's language."""
    reasons = [one for line in lines for one in loaded.verdicts[line.verdict]["reasons"]]
    return list(dict.fromkeys(told(one["code"], readable(one["facts"]), say.language) for one in reasons))


HANDLERS = [quotation_paper]
