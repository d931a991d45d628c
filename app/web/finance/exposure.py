"""Exposure: what is under warranty, when it ends and who pays until then, added up, drawn, and device by device."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.core.db import reading
from app.core.errors import FieldError
from app.warranty.queries.exposure import EXPOSED, Ending, endings
from app.web.charts import Chart, Drawn, Series, drawn
from app.web.finance.words import MONEY_ROLES, PAYER
from app.web.frame import signed_in
from app.web.render import Words, language_of
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.tables.asked import BadFilter, day_of

BY = ("quarter", "customer", "contract", "payer")
KIND = {"device": "device", "part": "key part"}
RESTARTED = {"yes": "restarted", "no": "not restarted"}
QUARTERS = 16
NAME = """CASE CAST(:by AS text) WHEN 'customer' THEN x.customer WHEN 'contract' THEN x.contract WHEN 'payer' THEN x.payer
    ELSE to_char(x.last_day, 'YYYY-"Q"Q') END"""
PAYERS = ", ".join(f"count(*) FILTER (WHERE x.payer = '{one}') AS {one}" for one in PAYER)

EXPOSURE = Listing(
    page="/finance/exposure",
    title="What ends when",
    source=f"""(SELECT {NAME} AS name, count(*) FILTER (WHERE x.kind = 'device') AS devices,
        count(*) FILTER (WHERE x.kind = 'part') AS parts, count(*) FILTER (WHERE x.restarted) AS restarted, {PAYERS},
        min(x.last_day) AS first_end, max(x.last_day) AS last_end FROM {EXPOSED} GROUP BY 1) t""",
    where="true",
    id="t.name",
    order="name",
    empty="Nothing is under warranty on this day. Devices stand here from their delivery until their cover ends.",
    also=("by", "on"),
    facts={
        "search": "CASE WHEN CAST(:by AS text) IN ('customer', 'contract') THEN t.name ELSE '' END",
        "of_payer": "CASE WHEN CAST(:by AS text) = 'payer' THEN t.name ELSE '' END",
        "day": "coalesce(to_char(CAST(:on AS date), 'YYYY-MM-DD'), '')",
    },
    columns=(
        Column(
            key="name",
            label="Quarter, customer, contract or payer",
            sql="t.name",
            kind="state",
            words=PAYER,
            nullable=False,
            href="/finance/exposure/devices?search={search}&payer={of_payer}&ends_from={first_end}&ends_to={last_end}&on={day}",
        ),
        Column(key="devices", label="Devices", sql="t.devices", kind="quantity", sums=True, nullable=False),
        Column(key="parts", label="Key parts", sql="t.parts", kind="quantity", sums=True, nullable=False),
        Column(
            key="restarted", label="Held by a restart", sql="t.restarted", kind="quantity", sums=True, nullable=False
        ),
        *(
            Column(key=one, label=words, sql=f"t.{one}", kind="quantity", sums=True, nullable=False)
            for one, words in PAYER.items()
        ),
        Column(key="first_end", label="First end", sql="t.first_end", kind="date", nullable=False),
        Column(key="last_end", label="Last end", sql="t.last_end", kind="date", nullable=False),
    ),
    filters=(Filter(key="search_name", label="Quarter, customer, contract or payer", kind="search", sql="t.name"),),
)

RESTART_SQL = "CASE WHEN x.restarted THEN 'yes' ELSE 'no' END"
DEVICES = Listing(
    page="/finance/exposure/devices",
    title="Devices and key parts under warranty",
    source=EXPOSED,
    where="true",
    id="x.id",
    order="last_day",
    empty="Nothing is under warranty on this day. Devices stand here from their delivery until their cover ends.",
    also=("on",),
    columns=(
        Column(key="serial", label="Device", sql="x.serial", kind="code", href="/devices/{serial}", nullable=False),
        Column(key="kind", label="Kind", sql="x.kind", kind="state", words=KIND, nullable=False),
        Column(key="position", label="Position", sql="x.position", nullable=False),
        Column(key="part", label="Part", sql="x.part_number", kind="code"),
        Column(key="model", label="Model", sql="x.model", shown=False, nullable=False),
        Column(key="customer", label="Customer", sql="x.customer", kind="code", nullable=False),
        Column(key="contract", label="Contract", sql="x.contract", nullable=False),
        Column(key="site", label="Site", sql="x.site", shown=False, nullable=False),
        Column(key="last_day", label="Covered until", sql="x.last_day", kind="date"),
        Column(key="payer", label="Payer now", sql="x.payer", kind="state", words=PAYER),
        Column(key="layer_ends", label="Payer pays until", sql="x.layer_ends", kind="date"),
        Column(key="restarted", label="Restart", sql=RESTART_SQL, kind="state", words=RESTARTED, nullable=False),
    ),
    filters=(
        Filter(
            key="search",
            label="Device, customer, contract, model, part or site",
            kind="search",
            sql="concat_ws(' ', x.serial, x.customer, x.contract, x.model, x.part_number, x.site)",
        ),
        Filter(key="kind", label="Kind", kind="choice", sql="x.kind", words=KIND),
        Filter(key="payer", label="Payer now", kind="choice", sql="x.payer", words=PAYER),
        Filter(key="restarted", label="Restart", kind="choice", sql=RESTART_SQL, words=RESTARTED),
        Filter(key="ends", label="Covered until", kind="dates", sql="x.last_day"),
    ),
)


def asked_day(request: Request[Any, Any, Any], on: str | None, by: str | None = None) -> dict[str, Any]:
    """The day and the grouping as binds; what is neither is refused."""
    day = day_of(on) if on else None
    if (on and day is None) or (by and by not in BY):
        raise BadFilter(
            errors=[FieldError("on" if on and day is None else "by", "field.bad", {"why": str(on or by)[:60]})]
        )
    return {"on": day, "now": request.app.state.clock.now(), "by": by or "quarter"}


@get("/finance/exposure", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_exposure(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    by: FromQuery[str | None] = None,
    on: FromQuery[str | None] = None,
) -> Response[Any]:
    """What ends when, as a chart and as a list."""
    binds, say = asked_day(request, on, by), Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        found = await endings(db, actor=who.actor, on=binds["on"], now=binds["now"])
    day = binds["on"] or binds["now"].date()
    chart = chart_of(found, say)
    covered = {"devices": f"{sum(one.devices for one in found):,}", "parts": f"{sum(one.parts for one in found):,}"}
    soon = [one for one in found if one.quarter <= day]
    more = {
        "chart": chart,
        "covered": covered,
        "ending": f"{sum(one.devices for one in soon):,}",
        "day": day.isoformat(),
    }
    return await table_page(request, who, EXPOSURE, "finance/exposure.html", binds=binds, by=binds["by"], **more)


@get(["/finance/exposure.csv", "/finance/exposure.xlsx"], opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def export_exposure(
    request: Request[Any, Any, Any],
    who: NamedDependency[SignedIn],
    by: FromQuery[str | None] = None,
    on: FromQuery[str | None] = None,
) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, EXPOSURE, binds=asked_day(request, on, by))


@get("/finance/exposure/devices", opt=signed_in(*MONEY_ROLES), include_in_schema=False)
async def show_devices(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], on: FromQuery[str | None] = None
) -> Response[Any]:
    """Device by device, part by part."""
    binds = asked_day(request, on)
    return await table_page(request, who, DEVICES, "finance/devices.html", binds=binds)


@get(
    ["/finance/exposure/devices.csv", "/finance/exposure/devices.xlsx"],
    opt=signed_in(*MONEY_ROLES),
    include_in_schema=False,
)
async def export_devices(
    request: Request[Any, Any, Any], who: NamedDependency[SignedIn], on: FromQuery[str | None] = None
) -> Response[Any]:
    """The same as a file."""
    return await exported(request, who, DEVICES, binds=asked_day(request, on))


def chart_of(found: Sequence[Ending], say: Words) -> Drawn | None:
    """The next quarters; what ends later is one bar more."""
    if not found:
        return None
    shown, later = found[:QUARTERS], found[QUARTERS:]
    rows = [(quarter_name(one.quarter), one.devices, one.parts) for one in shown]
    if later:
        rows.append((say("ends later"), sum(one.devices for one in later), sum(one.parts for one in later)))
    series = (
        Series(name=say("Devices"), values=tuple(devices for _, devices, _ in rows)),
        Series(name=say("Key parts"), values=tuple(parts for _, _, parts in rows)),
    )
    labels = tuple(name for name, _, _ in rows)
    return drawn(Chart(title=say("Covers that end, by quarter"), labels=labels, series=series))


def quarter_name(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


HANDLERS = [show_exposure, export_exposure, show_devices, export_devices]
