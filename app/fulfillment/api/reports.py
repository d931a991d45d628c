"""Doors to the report on commitments (C8): kept by month, and the late ones with their reasons."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, FINANCE
from app.core.errors import FieldError
from app.core.http import BadParameters
from app.core.i18n import text
from app.core.types import Wire
from app.fulfillment.queries import report
from app.fulfillment.queries.report import AgainOut, Asked, CommitmentsOut, Dimension, MissOut

MAY = (ADMIN, FINANCE, DISPATCHER)


class LateOut(Wire):
    """A missed commitment with the reason in the asker's language."""

    miss: MissOut
    text: str


class MissesOut(Wire):
    """The misses of a month in the order they fell due, and its positions that failed again."""

    items: list[LateOut]
    failed_again: list[AgainOut]
    next: str | None


def dimension(by: str | None) -> Dimension | None:
    """What a month is split by; BadParameters for anything else."""
    found = next((one for one in report.DIMENSIONS if one == by), None)
    if by is not None and found is None:
        raise BadParameters(errors=[FieldError("by", "field.bad", {"why": by[:60]})])
    return found


@get("/v1/reports/commitments", opt=allow(*MAY))
async def report_commitments(
    call: NamedDependency[Call],
    by: FromQuery[str | None] = None,
    customer: FromQuery[str | None] = None,
    contract: FromQuery[str | None] = None,
    area: FromQuery[str | None] = None,
    part: FromQuery[str | None] = None,
    priority: FromQuery[str | None] = None,
    first_month: FromQuery[str | None] = None,
    last_month: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> CommitmentsOut:
    """Commitments kept by month of acceptance (the site's calendar), newest first; `by` splits each month."""
    asked = Asked(customer=customer, contract=contract, area=area, part=part, priority=priority)
    split = dimension(by)
    first = report.month_of(first_month) if first_month else None
    last = report.month_of(last_month) if last_month else None

    async def ask(db: AsyncConnection) -> CommitmentsOut:
        return await report.commitments(
            db,
            actor=call.actor,
            asked=asked,
            now=call.now,
            by=split,
            first=first,
            last=last,
            cursor=cursor,
            limit=limit,
        )

    return await call.read(ask)


@get("/v1/reports/commitments/misses", opt=allow(*MAY))
async def report_misses(
    call: NamedDependency[Call],
    month: FromQuery[str | None] = None,
    customer: FromQuery[str | None] = None,
    contract: FromQuery[str | None] = None,
    area: FromQuery[str | None] = None,
    part: FromQuery[str | None] = None,
    priority: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> MissesOut:
    """Missed commitments of a month (default: this one), each with its reason, and positions that failed again."""
    asked = Asked(customer=customer, contract=contract, area=area, part=part, priority=priority)
    chosen = report.month_of(month) if month else report.newest_month(call.now)

    async def ask(db: AsyncConnection) -> MissesOut:
        found, following = await report.misses(
            db, actor=call.actor, asked=asked, month=chosen, now=call.now, cursor=cursor, limit=limit
        )
        again = await report.failed_again(db, actor=call.actor, asked=asked, month=chosen, now=call.now)
        items = [LateOut(miss=one, text=text(one.why, one.why_facts, call.language)) for one in found]
        return MissesOut(items=items, failed_again=again, next=following)

    return await call.read(ask)


HANDLERS = [report_commitments, report_misses]
