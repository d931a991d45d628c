"""Claims on those who pay for covered parts: the list, ageing and leak, one claim with its evidence, and its steps."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call
from app.billing import queries, service
from app.billing.rules.recovery import MOVES, State, Verb
from app.billing.schemas import AcceptIn, FileIn, MoneyIn, RecoveryOut, RejectIn, SettleIn
from app.core.db import reading
from app.core.i18n import term
from app.core.money import of_amount
from app.web.finance.charge import amount_of
from app.web.finance.words import CLAIM, CLAIM_STANDING, MONEY_ROLES, PAYER, scoped
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.tables.shown import at, grouped, zone_name
from app.web.views import Standing

AGE_DAYS = (
    "CAST(floor(extract(epoch FROM coalesce(c.settled_at, CAST(:now AS timestamptz)) - c.opened_at) / 86400) AS bigint)"
)
AGE = {"month": "up to 30 days", "two": "31 to 60 days", "three": "61 to 90 days", "old": "over 90 days"}
AGE_SQL = f"""CASE WHEN {AGE_DAYS} <= 30 THEN 'month' WHEN {AGE_DAYS} <= 60 THEN 'two'
    WHEN {AGE_DAYS} <= 90 THEN 'three' ELSE 'old' END"""
LEAKED = "CASE WHEN c.state IN ('rejected', 'expired', 'settled') THEN c.amount_minor - c.recovered_minor ELSE 0 END"
CLAIMS = Listing(
    page="/finance/costs/claims",
    title="Claims on suppliers",
    source="recovery c LEFT JOIN part_request r ON r.id = c.request LEFT JOIN site s ON s.code = r.site",
    where=scoped("c.customer", "r.area"),
    id="c.id",
    order="due_at",
    empty="Nothing is claimed. Each part replaced free under an OEM's warranty opens a claim here, once its cause is settled.",
    facts={"currency": "c.currency", "zone": "s.timezone", "request_id": "c.request"},
    columns=(
        Column(
            key="state",
            label="State",
            sql="c.state",
            kind="state",
            words=CLAIM,
            standing=CLAIM_STANDING,
            nullable=False,
            href="/finance/costs/claims/{number}",
        ),
        Column(key="payer", label="Payer", sql="c.payer", kind="state", words=PAYER, nullable=False),
        Column(key="customer", label="Customer", sql="c.customer", kind="code", nullable=False),
        Column(key="contract", label="Contract", sql="c.contract", shown=False),
        Column(
            key="request",
            label="Request",
            sql="coalesce(r.ticket_number, right(c.request, 8))",
            kind="link",
            href="/requests/{request_id}",
        ),
        Column(key="device", label="Device", sql="c.device_serial", kind="code", href="/devices/{device}"),
        Column(key="claim", label="Their number", sql="c.claim_number"),
        Column(key="opened_at", label="Opened", sql="c.opened_at", kind="instant", nullable=False),
        Column(key="age", label="Days old", sql=AGE_DAYS, kind="quantity", nullable=False),
        Column(key="due_at", label="Answer due", sql="c.due_at", kind="instant"),
        Column(key="amount", label="Claimed", sql="c.amount_minor", kind="money", sums=True, nullable=False),
        Column(key="recovered", label="Recovered", sql="c.recovered_minor", kind="money", sums=True, nullable=False),
        Column(key="leaked", label="Lost to us", sql=LEAKED, kind="money", sums=True, nullable=False),
        Column(key="reason", label="Reason", sql="c.reason", shown=False),
        Column(key="number", label="Number", sql="c.id", kind="code", shown=False),
    ),
    filters=(
        Filter(
            key="search",
            label="Customer, contract, request, ticket, device or their number",
            kind="search",
            sql="concat_ws(' ', c.id, c.customer, c.contract, c.request, r.ticket_number, c.device_serial, c.claim_number)",
        ),
        Filter(key="state", label="State", kind="choice", sql="c.state", words=CLAIM),
        Filter(key="payer", label="Payer", kind="choice", sql="c.payer", words=PAYER),
        Filter(key="age", label="Age", kind="choice", sql=AGE_SQL, words=AGE),
        Filter(
            key="opened",
            label="Opened",
            kind="dates",
            sql="CAST(c.opened_at AT TIME ZONE coalesce(s.timezone, 'UTC') AS date)",
        ),
    ),
)
AGEING = text(f"""
    SELECT c.payer, c.currency, {AGE_SQL} AS age, count(*) AS claims, sum(c.amount_minor) AS amount
    FROM recovery c LEFT JOIN part_request r ON r.id = c.request
    WHERE c.state IN ('open', 'filed', 'accepted') AND {scoped("c.customer", "r.area")}
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")
OUTCOME = text(f"""
    SELECT c.payer, c.currency, sum(c.amount_minor) AS amount, sum(c.recovered_minor) AS recovered, sum({LEAKED}) AS leaked
    FROM recovery c LEFT JOIN part_request r ON r.id = c.request
    WHERE c.state IN ('rejected', 'expired', 'settled') AND {scoped("c.customer", "r.area")}
    GROUP BY 1, 2 ORDER BY 1, 2
""")
PLACE = text("""
    SELECT s.timezone, coalesce(r.ticket_number, right(r.id, 8)) AS label, l.part_number, l.fitted_serial, l.removed_serial,
        l.old_part
    FROM part_request r JOIN site s ON s.code = r.site LEFT JOIN request_line l ON l.id = :line WHERE r.id = :request
""")
EVIDENCE = {
    "device_serial": "Device",
    "cause": "Cause",
    "failed_at": "Failed",
    "verdict": "Verdict",
    "description": "What failed",
    "position": "Position",
    "part_number": "Part",
    "supplied": "Supplied",
    "fitted_serial": "New serial",
    "removed_serial": "Old serial",
    "old_part": "Old part",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """What one payer owes us by age, a text for each age of AGE."""

    payer: str
    currency: str
    texts: tuple[str, ...]
    total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What ended claims on one payer brought, and what was lost to us."""

    payer: str
    currency: str
    claimed: str
    recovered: str
    leaked: str
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimView:
    """One claim as its page shows it; `may` are the steps its state allows."""

    id: str
    state: str
    standing: Standing | None
    payer: str
    customer: str
    contract: str | None
    request: str
    request_label: str
    device: str | None
    amount: str
    recovered: str
    lost: str
    currency: str
    open_amount: str
    claim_number: str | None
    reason: str | None
    in_kind: str | None
    age_days: int
    steps: tuple[tuple[str, str], ...]
    zone: str
    zone_id: str
    evidence: tuple[tuple[str, str, str | None], ...]
    may: tuple[str, ...]
    version: int


@get("/finance/costs/claims", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_claims(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """Claims, with their ageing and leak above."""
    now, say = request.app.state.clock.now(), Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        ageing = (await db.execute(AGEING, {**who.actor.scope, "now": now})).all()
        outcome = (await db.execute(OUTCOME, {**who.actor.scope, "now": now})).all()
    more = {"ageing": aged(ageing, say), "ages": [say(AGE[one]) for one in AGE], "leaks": leaks(outcome, say)}
    return await table_page(request, who, CLAIMS, "finance/claims.html", binds={"now": now}, **more)


@get(["/finance/costs/claims.csv", "/finance/costs/claims.xlsx"], opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def export_claims(request: Request[Any, Any, Any], who: NamedDependency[SignedIn]) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, CLAIMS, binds={"now": request.app.state.clock.now()})


@get("/finance/costs/claims/{claim_id:str}", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_claim(
    claim_id: FromPath[str],
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    call: NamedDependency[Call],
) -> Response[str]:
    """One claim with its evidence."""

    async def ask(db: AsyncConnection) -> tuple[RecoveryOut, Any]:
        found = await queries.recovery(db, actor=call.actor, recovery_id=claim_id, now=call.now)
        return found, (await db.execute(PLACE, {"request": found.request, "line": found.line})).one_or_none()

    found, where = await call.read(ask)
    return page(request, "finance/claim.html", who=who, claim=claim_view(found, where, Words(language_of(request))))


Step = Callable[[AsyncConnection], Coroutine[Any, Any, RecoveryOut]]


async def stepped(claim_id: str, request: Request[Any, Any, Any], call: Call, step: Step) -> Response[Any]:
    """Run one step of a claim, and say how it stands now."""
    now_stands = await call.act(step, RecoveryOut)
    say = Words(language_of(request))
    return see_other(
        f"/finance/costs/claims/{claim_id}",
        request,
        say=say("The claim is now: {words}.", words=say(CLAIM[now_stands.state])),
    )


@post("/finance/costs/claims/{claim_id:str}/file", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def file_claim(
    claim_id: FromPath[str], request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """It was sent to its payer."""
    filed = form.into(FileIn, due_at=form.instant("due_at", form.text("zone") or "UTC"))
    return await stepped(
        claim_id,
        request,
        call,
        lambda db: service.file_recovery(db, **asked(claim_id, call, form), filed=filed),
    )


@post("/finance/costs/claims/{claim_id:str}/accept", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def accept_claim(
    claim_id: FromPath[str], request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Its payer agrees to pay."""
    return await stepped(
        claim_id,
        request,
        call,
        lambda db: service.accept_recovery(db, **asked(claim_id, call, form), accepted=AcceptIn()),
    )


@post("/finance/costs/claims/{claim_id:str}/reject", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def reject_claim(
    claim_id: FromPath[str], request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Its payer refuses; the cost moves to us."""
    rejected = form.into(RejectIn)
    return await stepped(
        claim_id,
        request,
        call,
        lambda db: service.reject_recovery(db, **asked(claim_id, call, form), rejected=rejected),
    )


@post("/finance/costs/claims/{claim_id:str}/settle", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def settle_claim(
    claim_id: FromPath[str], request: Request[Any, Any, Any], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Money came, or a replacement; what is missing moves to us."""
    kind, amount = form.text("in_kind"), form.text("amount")

    async def step(db: AsyncConnection) -> RecoveryOut:
        found = await queries.recovery(db, actor=call.actor, recovery_id=claim_id, now=call.now)
        currency = found.amount.currency
        money = MoneyIn(amount=amount_of(amount, currency, least=0).amount, currency=currency) if amount else None
        settled = SettleIn(amount=None if kind else money, in_kind=kind)
        return await service.settle_recovery(db, **asked(claim_id, call, form), settled=settled)

    return await stepped(claim_id, request, call, step)


def asked(claim_id: str, call: Call, form: Form) -> dict[str, Any]:
    """What each step is told: made against the version that was on the page, so that nobody overtakes another."""
    version = form.text("version")
    seen = int(version) if version and version.isascii() and version.isdecimal() and len(version) < 18 else None
    return {"actor": call.actor, "recovery_id": claim_id, "if_match": seen, "now": call.now}


def aged(rows: Any, say: Words) -> tuple[Aged, ...]:
    groups: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        groups.setdefault((row.payer, row.currency), {})[row.age] = int(row.amount)
    return tuple(
        Aged(
            payer=say(PAYER[payer]),
            currency=currency,
            texts=tuple(grouped(sums.get(age, 0), currency) for age in AGE),
            total=grouped(sum(sums.values()), currency),
        )
        for (payer, currency), sums in groups.items()
    )


def leaks(rows: Any, say: Words) -> tuple[Leak, ...]:
    return tuple(
        Leak(
            payer=say(PAYER[row.payer]),
            currency=row.currency,
            claimed=grouped(int(row.amount), row.currency),
            recovered=grouped(int(row.recovered), row.currency),
            leaked=grouped(int(row.leaked), row.currency),
            share=round(100 * int(row.leaked) / int(row.amount)) if row.amount else 0,
        )
        for row in rows
    )


def claim_view(found: RecoveryOut, where: Any, say: Words) -> ClaimView:
    zone = where.timezone if where else "UTC"
    amount, got = (of_amount(one.amount, one.currency) for one in (found.amount, found.recovered))
    ended = found.state in ("rejected", "expired", "settled")
    dates = {
        say("Opened"): found.opened_at,
        say("Filed"): found.filed_at,
        say("Decided"): found.decided_at,
        say("Settled"): found.settled_at,
        say("Answer due"): found.due_at,
    }
    return ClaimView(
        id=found.id,
        state=say(CLAIM[found.state]),
        standing=CLAIM_STANDING.get(found.state),
        payer=say(PAYER[found.payer]),
        customer=found.customer,
        contract=found.contract,
        request=found.request,
        request_label=where.label if where else found.request,
        device=found.device_serial,
        amount=grouped(amount.minor, amount.currency),
        recovered=grouped(got.minor, got.currency),
        lost=grouped(amount.minor - got.minor, amount.currency) if ended else "",
        currency=amount.currency,
        open_amount=amount.amount,
        claim_number=found.claim_number,
        reason=found.reason,
        in_kind=found.in_kind,
        age_days=found.age_days,
        steps=tuple((name, at(instant, zone)) for name, instant in dates.items() if instant is not None),
        zone=zone_name(found.opened_at, zone),
        zone_id=zone,
        evidence=tuple(evidence({**found.evidence, **on_the_line(where)}, zone, say)),
        version=found.version,
        may=tuple(verb for (state, verb) in MOVES if state == State(found.state) and verb != Verb.EXPIRE),
    )


def on_the_line(where: Any) -> dict[str, Any]:
    """What became of the new and the old part, as the job's line knows it by now."""
    names = ("part_number", "fitted_serial", "removed_serial", "old_part")
    return {} if where is None else {name: getattr(where, name) for name in names}


def evidence(facts: Mapping[str, Any], zone: str, say: Words) -> list[tuple[str, str, str | None]]:
    """What the claim rests on: label, value, link."""
    links = {"device_serial": "/devices/", "verdict": "/verdicts/"}
    found = []
    for name, value in facts.items():
        if value is None or name not in EVIDENCE:
            continue
        words = term(value, say.language)
        shown = "、".join(words) if isinstance(words, list) else str(words)
        if name.endswith("_at"):
            instant = datetime.fromisoformat(str(value))
            shown = f"{at(instant, zone)} {zone_name(instant, zone)}"
        if name == "verdict":
            shown = say("The verdict with its proof")
        found.append((say(EVIDENCE[name]), shown, links[name] + str(value) if name in links else None))
    return found


HANDLERS = [show_claims, export_claims, show_claim, file_claim, accept_claim, reject_claim, settle_claim]
