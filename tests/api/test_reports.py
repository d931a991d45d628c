"""The report on commitments (C8): the API against a plain recount of what happened, month by the site's calendar, scope."""

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest

from app.core.errors import BadRequest
from app.fulfillment.queries.report import before, month_of
from tests.builders import unique
from tests.cast import World, a_world, made

pytestmark = pytest.mark.anyio
REPORT = "/v1/reports/commitments"


async def report(api, **asked) -> list[dict]:
    answer = await api.get(REPORT, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def fit(world: World, request: str, line: str, **body) -> None:
    lines = {"lines": [{"id": line}]}
    courier = next(
        one["code"]
        for one in (await world.api.get("/v1/couriers", params={"limit": 200})).json()["items"]
        if one["place"] == world.local
    )
    await world.do(request, "pick", **lines)
    await world.do(request, "dispatch", courier=courier, **lines)
    await world.do(request, "deliver", **lines)
    await world.do(request, "fit", **lines)


async def national(world: World, clock, minutes: int) -> str:
    """A request served by the branch and handed to a carrier after so many minutes."""
    request = await world.ask(
        device_serial=await world.device(), lines=[{"part_number": world.fan, "quantity": 1, "position": "fan"}]
    )
    await world.do(request["id"], "pick")
    clock.step(timedelta(minutes=minutes))
    await world.do(request["id"], "dispatch", carrier="SF", waybill=unique("SF"))
    return request["id"]


async def local(world: World, clock, *, fitted: int | None = None, canceled: int | None = None, **more) -> dict:
    """A two-hour request fitted or called off after so many minutes."""
    request = await world.ask(**({"device_serial": await world.device()} | more))
    line = request["lines"][0]["id"]
    clock.step(timedelta(minutes=fitted or canceled or 0))
    if fitted is not None:
        await fit(world, request["id"], line)
    elif canceled is not None:
        await world.do(request["id"], "cancel", reason="ticket closed")
    return request


async def test_C8_a_month_counts_what_was_promised_kept_missed_and_called_off(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 9)
    await world.receive(world.fan, 9, place=world.branch)
    await local(world, clock, fitted=30)
    await local(world, clock, fitted=150)
    await local(world, clock, canceled=20)
    await local(world, clock, canceled=130)
    await national(world, clock, 60)
    await national(world, clock, 490)
    clock.step(timedelta(hours=3))
    await local(world, clock)
    (month,) = await report(api, contract=world.contract)
    assert (month["month"], month["group"], month["lines"]) == ("2026-11", None, 7)
    assert (month["two_hour_promised"], month["two_hour_met"], month["two_hour_hit_rate"]) == (3, 1, 33.3)
    assert (month["two_hour_coverable"], month["two_hour_covered"], month["two_hour_coverage"]) == (5, 1, 20.0)
    assert (month["national_promised"], month["national_met"], month["commitments_met"]) == (2, 1, 40.0)
    assert (month["missed"], month["canceled"], month["open"]) == (3, 1, 1)


async def test_C8_random_journeys_are_counted_like_a_plain_recount(api, clock):
    world, chance = await a_world(api), random.Random(8)
    await world.receive(world.psu, 30)
    expected: Counter[str] = Counter()
    for _ in range(8):
        minutes = chance.choice([10, 60, 119, 121, 240])
        kind = chance.choice(["fitted", "fitted", "canceled"])
        await local(world, clock, **{kind: minutes}, priority=chance.choice(["general", "severe", "emergency"]))
        expected["lines"] += 1
        expected["met"] += kind == "fitted" and minutes <= 120
        expected["called_off"] += kind == "canceled" and minutes <= 120
        expected["missed"] += minutes > 120
    (month,) = await report(api, contract=world.contract)
    judged = expected["met"] + expected["missed"]
    assert [month[name] for name in ("lines", "two_hour_promised", "two_hour_met", "missed", "canceled")] == [
        expected["lines"], judged, expected["met"], expected["missed"], expected["called_off"],
    ]  # fmt: skip
    assert month["two_hour_hit_rate"] == month["two_hour_coverage"] == round(100 * expected["met"] / judged, 1)
    for by in ("contract", "area", "part", "priority"):
        groups = await report(api, contract=world.contract, by=by)
        for name in ("lines", "two_hour_met", "missed", "canceled"):
            assert sum(one[name] for one in groups) == month[name]
    clocks = Counter[str]()
    for one in (await api.get("/v1/part-requests", params={"area": world.area, "limit": 200})).json()["items"]:
        clocks += Counter(each["state"] for each in one["clocks"] if each["name"] == "local")
    assert (clocks["met"], clocks["breached"], clocks["canceled"]) == (
        month["two_hour_met"],
        month["missed"],
        month["canceled"],
    )


async def test_C8_the_month_is_that_of_the_sites_calendar_and_months_page_by_keyset(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 9)
    starts = ("2026-11-30T15:59:00+00:00", "2026-11-30T16:01:00+00:00", "2027-03-31T15:30:00+00:00")
    for start in starts:
        clock.set(datetime.fromisoformat(start))
        failure = {"occurred_at": start, "cause": "defect", "system_stopped": True}
        await local(world, clock, fitted=10, failure=failure)
    whole = await report(api, contract=world.contract)
    assert [(one["month"], one["lines"]) for one in whole] == [("2027-03", 1), ("2026-12", 1), ("2026-11", 1)]
    pages, cursor = [], {}
    while cursor is not None:
        answer = (await api.get(REPORT, params={"contract": world.contract, "limit": 2, **cursor})).json()
        pages += answer["items"]
        cursor = {"cursor": answer["next"]} if answer["next"] else None
    assert pages == whole
    limited = await report(api, contract=world.contract, first_month="2026-12", last_month="2027-01")
    assert [one["month"] for one in limited] == ["2026-12"]


async def test_C8_a_miss_says_why_and_a_lost_line_that_was_sourced_anew_counts_once(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    await world.receive(world.psu, 1, place=world.branch)
    request = await world.ask()
    await world.do(request["id"], "pick")
    await world.do(request["id"], "lost")
    clock.step(timedelta(hours=3))
    (month,) = await report(api, contract=world.contract)
    assert (month["lines"], month["two_hour_promised"], month["missed"]) == (1, 1, 1)
    answer = await api.get(
        f"{REPORT}/misses", params={"month": "2026-11", "contract": world.contract}, headers={"Accept-Language": "zh"}
    )
    (item,) = answer.json()["items"]
    assert (item["miss"]["request"], item["miss"]["why"], item["miss"]["late_s"]) == (
        request["id"],
        "late.not_picked",
        3600,
    )
    assert item["text"] == "到期时还没有拣货。"


async def test_C8_misses_page_by_keyset_each_once(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 9)
    for _ in range(5):
        await local(world, clock)
        clock.step(timedelta(minutes=1))
    clock.step(timedelta(hours=3))
    found, cursor = [], {}
    while cursor is not None:
        answer = (
            await api.get(
                f"{REPORT}/misses", params={"month": "2026-11", "contract": world.contract, "limit": 2, **cursor}
            )
        ).json()
        found += [one["miss"]["line"] for one in answer["items"]]
        cursor = {"cursor": answer["next"]} if answer["next"] else None
    assert len(found) == len(set(found)) == 5


async def test_C8_a_position_that_fails_again_within_90_days_is_named_beside_its_repair(api, clock):
    world = await a_world(api)
    await world.receive(world.psu, 9)
    first = await local(world, clock, fitted=10, device_serial=world.serial)
    await world.do(first["id"], "confirm", operation_normal=True)
    requests = []
    for days in (90, 91):
        clock.step(timedelta(days=days))
        failure = {
            "occurred_at": (clock.now() - timedelta(minutes=5)).isoformat(),
            "cause": "defect",
            "system_stopped": True,
        }
        again = await local(world, clock, fitted=10, device_serial=world.serial, failure=failure)
        await world.do(again["id"], "confirm", operation_normal=True)
        requests.append(again["id"])
    months = await report(api, contract=world.contract)
    assert sum(one["failed_again"] for one in months) == 1
    (month,) = [one["month"] for one in months if one["failed_again"]]
    (again,) = (await api.get(f"{REPORT}/misses", params={"month": month, "contract": world.contract})).json()[
        "failed_again"
    ]
    assert (again["request"], again["earlier_request"], again["position"], again["days"]) == (
        requests[0],
        first["id"],
        "psu",
        89,
    )


async def test_another_customers_lines_are_in_no_figure(api, as_role, clock):
    world, other = await a_world(api), await a_world(api)
    for one in (world, other):
        await one.receive(one.psu, 2)
        await local(one, clock, fitted=10)
    scoped = await as_role("finance", customers=[world.customer])
    by_area = await as_role("dispatcher", areas=[world.area])
    for client in (scoped, by_area):
        assert sum(one["lines"] for one in await report(client)) == 1
        assert await report(client, contract=other.contract) == []
        assert {one["group"] for one in await report(client, by="contract")} == {world.contract}
    assert (await (await as_role("warehouse")).get(REPORT)).status_code == 403


@pytest.mark.parametrize(
    "query", ["by=customer", "first_month=2026-13", "last_month=2026", "cursor=forged", "cursor=WzFd", "limit=0"]
)
async def test_T47_what_a_report_cannot_mean_is_400(api, query):
    await made(api, "/v1/customers", {"code": unique("C"), "name": "one"})
    assert (await api.get(f"{REPORT}?{query}")).status_code == 400


def test_months_are_counted_by_the_calendar():
    assert [str(before(month_of("2026-01"), months)) for months in (1, 12, -1, -12)] == [
        "2025-12-01", "2025-01-01", "2026-02-01", "2027-01-01",
    ]  # fmt: skip
    with pytest.raises(BadRequest):
        month_of("2026-1")
