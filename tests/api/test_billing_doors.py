"""Finance's doors: charges and credits, claims and their verbs, and what each role may see of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.billing import service as billing
from app.billing.rules.pricing import Payer, PriceTerms
from app.core.db import begin
from app.stock import service as stock
from tests.builders import unique
from tests.races.shelves import ACTOR, NOW, Shelf, shelf_on

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
PAID = PriceTerms(covered=False, currency="CNY", tax_rate="0.13")
COVERED = PriceTerms(covered=True, currency="CNY", payer=Payer.OEM)


@dataclass(frozen=True, slots=True)
class Story:
    """A customer with a shelf to be served from."""

    shelf: Shelf
    customer: str

    async def billed(self, terms: PriceTerms) -> billing.Billed:
        """One piece held, issued and billed."""
        part = await self.shelf.stocked(1)
        job = billing.Job(request=unique("req"), line=unique("line"), customer=self.customer)
        await self.shelf.hold(self.shelf.demand(part, 1, job.line))
        async with begin(self.shelf.engine) as db:
            pieces = await stock.issue(db, actor=ACTOR, reference=job.line, now=NOW)
            return await billing.charge_issue(db, actor=ACTOR, job=job, pieces=pieces, terms=terms, now=NOW)


@pytest.fixture
async def story(api: httpx.AsyncClient, engine: AsyncEngine) -> Story:
    customer = unique("CU")
    answer = await api.post("/v1/customers", json={"code": customer, "name": "A customer"})
    assert answer.status_code == 201
    return Story(await shelf_on(engine), customer)


async def charges(client: httpx.AsyncClient, customer: str) -> list[Json]:
    answer = await client.get("/v1/charges", params={"customer": customer})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_P6_a_charge_shows_net_tax_and_gross(api: httpx.AsyncClient, story: Story) -> None:
    billed = await story.billed(PAID)
    (charge,) = await charges(api, story.customer)
    assert charge["id"] == billed.charge
    assert charge["price"] == {"amount": "11.30", "currency": "CNY", "net": "10.00", "tax": "1.30"}
    assert charge["cost"] == {"amount": "10.00", "currency": "CNY"}
    assert [(one["rule"], one["code"]) for one in charge["reasons"]] == [("P2", "price.cost_only"), ("P2", "price.tax")]
    one = await api.get(f"/v1/charges/{billed.charge}", headers={"Accept-Language": "zh-CN"})
    assert one.json()["reasons"][0]["text"] == "质保期外只收采购成本费 10.00 CNY，免收服务、人工及运输费用。"


async def test_T124_credits_stay_within_the_charge(api: httpx.AsyncClient, story: Story) -> None:
    path = f"/v1/charges/{(await story.billed(PAID)).charge}/reverse"
    some = {"reason": "goodwill", "amount": {"amount": "5.00", "currency": "CNY"}}
    first = await api.post(path, json=some)
    assert (first.status_code, first.json()["price"]["amount"]) == (200, "-5.00")
    much = await api.post(path, json=some | {"amount": {"amount": "6.31", "currency": "CNY"}})
    assert (much.status_code, much.json()["code"], much.json()["facts"]["open"]) == (
        409,
        "charge.over_credited",
        "6.30",
    )
    rest = await api.post(path, json={"reason": "goodwill"})
    assert rest.json()["price"] == {"amount": "-6.30", "currency": "CNY", "net": "-5.58", "tax": "-0.72"}
    assert (await api.post(path, json={"reason": "again"})).json()["code"] == "charge.over_credited"
    credit = await api.post(f"/v1/charges/{first.json()['id']}/reverse", json={"reason": "no"})
    assert (credit.status_code, credit.json()["code"]) == (409, "charge.is_credit")
    rows = await charges(api, story.customer)
    assert sum(float(row["price"]["amount"]) for row in rows) == 0


@pytest.mark.parametrize(
    ("amount", "status", "code"),
    [
        ({"amount": "5.00", "currency": "USD"}, 422, "currency.mismatch"),
        ({"amount": "5.001", "currency": "CNY"}, 422, "amount.bad"),
        ({"amount": "0.00", "currency": "CNY"}, 422, "amount.bad"),
        ({"amount": "-5.00", "currency": "CNY"}, 422, "fields.bad"),
        ({"amount": "NaN", "currency": "CNY"}, 422, "fields.bad"),
    ],
)
async def test_T125_a_credit_is_a_plain_amount_in_the_charge_s_currency(
    api: httpx.AsyncClient, story: Story, amount: Json, status: int, code: str
) -> None:
    path = f"/v1/charges/{(await story.billed(PAID)).charge}/reverse"
    answer = await api.post(path, json={"reason": "goodwill", "amount": amount})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(await charges(api, story.customer)) == 1


async def test_who_sees_which_money(api: httpx.AsyncClient, story: Story, as_role: Any) -> None:
    billed = await story.billed(PAID)
    for role, sees_cost in (("finance", True), ("engineer", False), ("integration", False), ("dispatcher", False)):
        (charge,) = await charges(await as_role(role), story.customer)
        assert (charge["price"]["amount"], charge["cost"] is not None) == ("11.30", sees_cost)
    warehouse = await as_role("warehouse")
    assert (await warehouse.get("/v1/charges")).status_code == 403
    engineer = await as_role("engineer")
    for path in ("/v1/recoveries", "/v1/borne-costs", "/v1/reports/recoveries"):
        assert (await engineer.get(path)).status_code == 403
    assert (await engineer.post(f"/v1/charges/{billed.charge}/reverse", json={"reason": "no"})).status_code == 403


async def test_T135_a_stranger_s_charge_does_not_exist(api: httpx.AsyncClient, story: Story, as_role: Any) -> None:
    billed, claimed = await story.billed(PAID), await story.billed(COVERED)
    stranger = await as_role("finance", customers=["SOMEONE-ELSE"])
    assert await charges(stranger, story.customer) == []
    theirs = await stranger.get(f"/v1/charges/{billed.charge}")
    missing = await stranger.get("/v1/charges/chg_none")
    assert (theirs.status_code, theirs.json()["detail"]) == (404, missing.json()["detail"])
    reverse = await stranger.post(f"/v1/charges/{billed.charge}/reverse", json={"reason": "no"})
    assert reverse.status_code == 404
    claim = f"/v1/recoveries/{claimed.recoveries[0]}"
    assert (await stranger.get(claim)).status_code == 404
    assert (await stranger.post(f"{claim}/file", json={})).status_code == 404


async def test_P7_a_claim_goes_its_way(api: httpx.AsyncClient, story: Story) -> None:
    path = f"/v1/recoveries/{(await story.billed(COVERED)).recoveries[0]}"
    opened = (await api.get(path)).json()
    assert (opened["state"], opened["payer"], opened["amount"]["amount"]) == ("open", "oem", "10.00")
    early = await api.post(f"{path}/accept", json={})
    assert (early.status_code, early.json()["facts"]["allowed"]) == (409, ["file", "expire"])
    stale = await api.post(f"{path}/file", json={}, headers={"If-Match": "9"})
    assert stale.status_code == 412
    filed = await api.post(f"{path}/file", json={"claim_number": "OEM-7"}, headers={"If-Match": "1"})
    assert (filed.json()["state"], filed.json()["claim_number"], filed.json()["version"]) == ("filed", "OEM-7", 2)
    assert (await api.post(f"{path}/accept", json={})).json()["state"] == "accepted"
    for body, code in (
        ({}, "recovery.settled_with_nothing"),
        ({"amount": {"amount": "10.01", "currency": "CNY"}}, "recovery.too_much"),
        ({"amount": {"amount": "1.00", "currency": "USD"}}, "currency.mismatch"),
    ):
        answer = await api.post(f"{path}/settle", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    settled = (await api.post(f"{path}/settle", json={"in_kind": "two new supplies"})).json()
    assert (settled["state"], settled["recovered"]["amount"]) == ("settled", "10.00")
    borne = (await api.get("/v1/borne-costs", params={"request": settled["request"]})).json()["items"]
    assert [(one["payer"], one["amount"]["amount"]) for one in borne] == [("oem", "10.00")]


async def test_P7_a_rejection_moves_the_cost_to_us_and_into_the_report(api: httpx.AsyncClient, story: Story) -> None:
    claim = (await story.billed(COVERED)).recoveries[0]
    await api.post(f"/v1/recoveries/{claim}/file", json={})
    rejected = (await api.post(f"/v1/recoveries/{claim}/reject", json={"reason": "misuse"})).json()
    assert (rejected["state"], rejected["reason"]) == ("rejected", "misuse")
    borne = (await api.get("/v1/borne-costs", params={"request": rejected["request"]})).json()["items"]
    assert sorted((one["payer"], one["amount"]["amount"]) for one in borne) == [
        ("oem", "-10.00"),
        ("oem", "10.00"),
        ("vendor", "10.00"),
    ]
    report = (await api.get("/v1/reports/recoveries")).json()["items"]
    leaks = [row for row in report if (row["payer"], row["state"], row["currency"]) == ("oem", "rejected", "CNY")]
    assert [row["leaked"] == row["amount"] for row in leaks] == [True]
    listed = (await api.get("/v1/recoveries", params={"state": "rejected", "limit": 1})).json()
    assert [row["state"] for row in listed["items"]] == ["rejected"]


async def test_IM7_T126_what_comes_late_is_booked_in_the_next_open_month(
    api: httpx.AsyncClient, story: Story, engine: AsyncEngine, as_role
) -> None:
    assert (await api.post("/v1/periods/2026-11/close")).json()["code"] == "period.still_runs"
    assert (await api.post("/v1/periods/2026-13/close")).json()["code"] == "period.bad"
    narrow = await as_role("finance", customers=["SOMEBODY"])
    refused = await narrow.post("/v1/periods/2019-10/close")
    assert (refused.status_code, refused.json()["code"]) == (403, "period.everybodys")
    first = await api.post("/v1/periods/2019-10/close")
    assert (first.status_code, (await api.post("/v1/periods/2019-10/close")).json()) == (200, first.json())
    part, line = await story.shelf.stocked(1), unique("line")
    job = billing.Job(request=unique("req"), line=line, customer=story.customer)
    await story.shelf.hold(story.shelf.demand(part, 1, line))
    picked_at = datetime(2019, 10, 31, 23, tzinfo=UTC)
    async with begin(engine) as db:
        pieces = await stock.issue(db, actor=ACTOR, reference=line, now=NOW, occurred_at=picked_at)
        await billing.charge_issue(db, actor=ACTOR, job=job, pieces=pieces, terms=PAID, now=NOW, occurred_at=picked_at)
    (charge,) = await charges(api, story.customer)
    assert (charge["period"], charge["made_at"]) == ("2019-11", "2019-10-31T23:00:00Z")
    months = {one["period"]: one for one in (await api.get("/v1/periods")).json()["items"]}
    assert months["2019-11"]["closed_at"] is None
    assert months["2019-10"]["closed_at"] is not None
    assert months["2019-10"]["sums"] == []


async def test_IM7_a_month_with_entries_is_closed_too_and_shows_each_asker_his_own(
    api: httpx.AsyncClient, as_role: Any, story: Story, engine: AsyncEngine
) -> None:
    part, line = await story.shelf.stocked(1), unique("line")
    job = billing.Job(request=unique("req"), line=line, customer=story.customer)
    await story.shelf.hold(story.shelf.demand(part, 1, line))
    picked_at = datetime(2018, 5, 3, tzinfo=UTC)
    async with begin(engine) as db:
        pieces = await stock.issue(db, actor=ACTOR, reference=line, now=NOW, occurred_at=picked_at)
        await billing.charge_issue(db, actor=ACTOR, job=job, pieces=pieces, terms=PAID, now=NOW, occurred_at=picked_at)
    closed = (await api.post("/v1/periods/2018-05/close")).json()
    assert (closed["closed_at"] is not None, closed["sums"][0]["gross"]) == (True, "11.30")
    assert (await api.post("/v1/periods/2018-05/close")).json() == closed
    for customers, sums in (([story.customer], closed["sums"]), ([unique("CU")], [])):
        scoped = await as_role("finance", customers=customers)
        months = {one["period"]: one for one in (await scoped.get("/v1/periods")).json()["items"]}
        assert months["2018-05"]["sums"] == sums


async def test_the_lines_add_up_to_what_finance_sees(api: httpx.AsyncClient, story: Story) -> None:
    before = await month(api)
    await story.billed(PAID)
    await story.billed(COVERED)
    after = await month(api)
    assert {name: after[name] - before[name] for name in after} == {
        "net": 1000,
        "tax": 130,
        "gross": 1130,
        "borne": 1000,
    }


async def month(api: httpx.AsyncClient) -> dict[str, int]:
    """This month's sums in minor units of CNY."""
    for one in (await api.get("/v1/periods")).json()["items"]:
        for row in one["sums"]:
            if (one["period"], row["currency"]) == ("2026-11", "CNY"):
                return {name: round(float(row[name]) * 100) for name in ("net", "tax", "gross", "borne")}
    return {"net": 0, "tax": 0, "gross": 0, "borne": 0}
