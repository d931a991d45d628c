"""Finance's pages: one box finds everything, sums are the API's and the export's, verbs say what they did, scope holds."""

import csv
import html
import io
import re
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook

from app.accounts.rules import duty_actor
from app.core.db import reading
from app.warranty.queries.exposure import endings
from tests.cast import a_world
from tests.web.finance_cast import charged, claimed, corrected, fitted
from tests.web.test_paper_pdf import text_of
from tests.web.visitors import signed_in, token_in

pytestmark = pytest.mark.anyio
_numbers = count(1)
LISTS = (
    "/finance", "/finance/charges", "/finance/quotes", "/finance/periods", "/finance/costs", "/finance/costs/entries",
    "/finance/costs/claims", "/finance/exposure", "/finance/exposure/devices",
)  # fmt: skip


@pytest.fixture
async def world(api):
    made = await a_world(api)
    await made.receive(made.psu, 20)
    return made


@pytest.fixture
async def finance(app, as_role, world):
    """Finance of this world's customer alone."""
    return await signed_in(app, await as_role("finance", customers=[world.customer]))


async def post(browser, path: str, page: str = "/components", once: str | None = None, **fields):
    token = token_in((await browser.get(page)).text)
    return await browser.post(
        path, data={"token": token, "once": once or f"once-{next(_numbers)}-{id(browser)}", **fields}
    )


async def rows_of(browser, address: str) -> list[dict[str, str]]:
    """A CSV export as it is opened."""
    answer = await browser.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def shown(page: str) -> list[list[str]]:
    """The cells of a list's rows, as texts."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [
            " ".join(html.unescape(re.sub(r"<[^>]*>", " ", cell)).split())
            for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
        ]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.S)
    ]


async def test_one_box_finds_a_device_a_customer_a_contract_a_ticket_and_a_charge(world, finance):
    paid, free = await charged(world), await claimed(world)
    charge, serial = paid["charge"]["id"], paid["serial"]
    ticket = paid["request"]["ticket"]["number"]
    for looked in (serial, charge, ticket, paid["request"]["id"]):
        page = (await finance.get("/finance", params={"search": looked})).text
        assert f'href="/verdicts/{paid["request"]["entitlement"]["verdict"]}"' in page
        assert [row[-1] for row in shown(page)] == ["—"]
        assert "At cost" in page
        assert "98.50" in page
    assert f'href="/devices/{serial}"' in (await finance.get("/finance", params={"search": serial})).text
    assert f'href="/finance/charges/{charge}"' in (await finance.get("/finance", params={"search": charge})).text
    for looked in (world.customer.lower(), world.contract):
        page = (await finance.get("/finance", params={"search": looked})).text
        assert len(shown(page)) == 2
    page = (await finance.get("/finance", params={"search": free["serial"]})).text
    assert "to file" in page
    assert "118.50" in page
    assert "is called “100%_”" in (await finance.get("/finance", params={"search": "100%_"})).text


async def test_charges_add_up_alike_on_the_page_in_the_api_and_in_the_export(world, finance):
    for _ in range(3):
        await charged(world)
    items = (await world.api.get("/v1/charges", params={"customer": world.customer})).json()["items"]
    total = sum(Decimal(one["price"]["amount"]) for one in items)
    page = (await finance.get("/finance/charges", params={"cols": "number,gross", "sort": "number"})).text
    rows = await rows_of(finance, "/finance/charges.csv?cols=number,gross&sort=number")
    assert sum(Decimal(one["Gross"]) for one in rows) == total == Decimal("295.50")
    assert f"<b>{total}</b>" in page
    assert (
        [row[1] for row in shown(page)] == [one["Charge number"] for one in rows] == sorted(one["id"] for one in items)
    )
    assert {one["Gross · currency"] for one in rows} == {"CNY"}


@pytest.mark.parametrize(
    "query", ["", "sort=-amount", "sort=kind&payer=vendor", "kind=transport&sort=-number", "search=T-"]
)
async def test_an_export_is_exactly_what_is_shown(world, finance, query):
    for _ in range(2):
        await claimed(world)
    await charged(world)
    address = f"cols=kind,payer,number&size=2&{query}"
    seen, where = [], f"/finance/costs/entries?{address}"
    while where:
        page = (await finance.get(where)).text
        seen += shown(page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        where = html.unescape(following[1]) if following else None
    rows = await rows_of(finance, f"/finance/costs/entries.csv?{address}")
    assert seen == [[one["Kind"], one["Payer"], one["Number"]] for one in rows]
    book = await finance.get(f"/finance/costs/entries.xlsx?{address}")
    cells = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert cells[1:] == [list(one.values()) for one in rows]


async def test_a_charge_is_credited_once_with_its_reason_and_never_beyond(world, finance, as_role, app):
    paid = await charged(world)
    where = f"/finance/charges/{paid['charge']['id']}"
    page = (await finance.get(where)).text
    assert "is credited up to 98.50 CNY" in page
    first = await post(finance, f"{where}/reverse", where, once="the-same-key", amount="40.00", reason="goodwill")
    again = await post(finance, f"{where}/reverse", where, once="the-same-key", amount="40.00", reason="goodwill")
    assert (first.status_code, again.status_code) == (303, 303)
    assert f"40.00 CNY credited to {world.customer}." in (await finance.get(where)).text
    assert "is credited up to 58.50 CNY" in (await finance.get(where)).text
    refused = await post(finance, f"{where}/reverse", where, amount="58.51", reason="too much")
    assert refused.status_code == 409
    assert "58.50" in refused.text
    for amount in ("0", "-1", "1.001", "NaN", "1e5000000", "word"):
        assert (await post(finance, f"{where}/reverse", where, amount=amount, reason="x")).status_code == 422
    assert (await post(finance, f"{where}/reverse", where, amount="1.00")).status_code == 422
    rest = await post(finance, f"{where}/reverse", where, amount="58.50", reason="all of it")
    assert rest.status_code == 303
    assert "Credit this charge" not in (await finance.get(where)).text
    items = (await world.api.get("/v1/charges", params={"request": paid["request"]["id"]})).json()["items"]
    assert sum(Decimal(one["price"]["amount"]) for one in items) == 0
    for role in ("dispatcher", "warehouse", "engineer"):
        assert (await (await signed_in(app, await as_role(role))).get(where)).status_code == 403


async def test_a_claim_is_filed_accepted_and_settled_and_what_is_missing_is_ours(world, finance):
    claim = (await claimed(world))["claim"]
    where = f"/finance/costs/claims/{claim['id']}"
    page = (await finance.get(where)).text
    assert "Evidence" in page
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    filed = await post(
        finance,
        f"{where}/file",
        where,
        version=version,
        claim_number="OEM-1",
        due_at="2026-12-01T10:00",
        zone="Asia/Shanghai",
    )
    assert filed.status_code == 303
    stored = (await world.api.get(f"/v1/recoveries/{claim['id']}")).json()
    assert (stored["state"], stored["claim_number"], stored["due_at"]) == ("filed", "OEM-1", "2026-12-01T02:00:00Z")
    assert (await post(finance, f"{where}/accept", where, version=version)).status_code == 412
    assert (await post(finance, f"{where}/settle", where, amount="10")).status_code == 409
    assert (await post(finance, f"{where}/accept", where)).status_code == 303
    assert (await post(finance, f"{where}/settle", where, amount="98.51")).status_code == 422
    assert (await post(finance, f"{where}/settle", where)).status_code == 422
    assert (await post(finance, f"{where}/settle", where, amount="80")).status_code == 303
    page = (await finance.get("/finance/costs/claims")).text
    assert "18.50" in page
    sums = await rows_of(finance, "/finance/costs.csv?by=customer")
    assert {one["Payer"]: one["Total"] for one in sums} == {"OEM warranty": "100.00", "ourselves": "18.50"}
    borne = (await world.api.get("/v1/borne-costs", params={"request": claim["request"]})).json()["items"]
    assert sum(Decimal(one["amount"]["amount"]) for one in borne) == sum(Decimal(one["Total"]) for one in sums)


async def test_a_rejected_claim_needs_a_reason_and_leaks(world, finance):
    claim = (await claimed(world))["claim"]
    where = f"/finance/costs/claims/{claim['id']}"
    assert (await post(finance, f"{where}/file", where)).status_code == 303
    assert (await post(finance, f"{where}/reject", where)).status_code == 422
    assert (await post(finance, f"{where}/reject", where, reason="wear")).status_code == 303
    (row,) = await rows_of(finance, "/finance/costs/claims.csv?state=rejected")
    assert (row["Lost to us"], row["State"]) == ("98.50", "rejected")
    assert ">100</td>" in (await finance.get("/finance/costs/claims")).text


async def test_a_month_is_closed_when_it_is_over_and_takes_no_more(world, app, as_role, clock):
    finance = await signed_in(app, await as_role("finance"))
    await charged(world)
    assert "Close 2026-11" not in (await finance.get("/finance/periods")).text
    assert (await post(finance, "/finance/periods/2031-11/close", "/finance/periods")).status_code == 409
    assert (await post(finance, "/finance/periods/nonsense/close", "/finance/periods")).status_code == 422


async def test_quotes_say_who_still_has_to_agree(world, finance):
    serial = await world.device(delivered_on="2018-01-01", accepted_on="2018-02-01")
    asked = await world.ask(device_serial=serial)
    (row,) = await rows_of(finance, "/finance/quotes.csv")
    assert (row["State"], row["Gross"], row["Device"]) == ("awaits consent", "98.50", serial)
    answer = await finance.get(f"/finance/quotes/{asked['id']}.pdf", headers={"Accept-Language": "zh-CN"})
    words = text_of(pypdfium2.PdfDocument(answer.content))
    assert [one for one in ("98.50", "报价单", "2026-11-22 09:10", serial) if one not in words] == []
    assert "+00:00" not in words
    await world.do(asked["id"], "consent", agreed=True)
    assert [one["State"] for one in await rows_of(finance, "/finance/quotes.csv")] == ["agreed, not picked yet"]
    await world.do(asked["id"], "pick")
    assert [one["State"] for one in await rows_of(finance, "/finance/quotes.csv")] == ["charged"]


async def test_exposure_counts_each_device_and_key_part_where_its_warranty_ends(world, finance, engine, clock):
    await world.device(accepted_on="2018-02-01", delivered_on="2018-01-01")
    await world.device(accepted_on="2025-06-30")
    asked = await world.ask()
    await fitted(world, asked["id"])
    clock.step(timedelta(minutes=5))
    await world.do(asked["id"], "confirm", operation_normal=True)
    expected = []
    for one in (await world.api.get("/v1/devices", params={"customer": world.customer})).json()["items"]:
        answer = (await world.api.get(f"/v1/devices/{one['serial']}/warranty")).json()
        things = [("unit", answer["device"])] + [
            (each["position"], each) for each in answer["components"] if each["key"]
        ]
        expected += [
            (one["serial"], name, each["last_day"], each["payer"])
            for name, each in things
            if each["status"] == "covered"
        ]
    rows = await rows_of(finance, "/finance/exposure/devices.csv?cols=serial,position,last_day,payer,restarted")
    words = {"oem": "OEM warranty", "oem_service": "OEM service we bought", "vendor": "ourselves"}
    assert sorted((one["Device"], one["Position"], one["Covered until"], one["Payer now"]) for one in rows) == sorted(
        (serial, position, last_day, words[payer]) for serial, position, last_day, payer in expected
    )
    assert [one["Position"] for one in rows if one["Restart"] == "restarted"] == ["psu"]
    for by in ("quarter", "customer", "contract", "payer"):
        groups = await rows_of(finance, f"/finance/exposure.csv?by={by}")
        assert sum(int(one["Devices"]) + int(one["Key parts"]) for one in groups) == len(expected)
    actor = duty_actor("tests")
    async with reading(engine) as db:
        everyone = await endings(db, actor=actor, on=None, now=clock.now())
    assert sum(one.devices for one in everyone) >= 2
    assert (await finance.get("/finance/exposure?by=password")).status_code == 400
    assert (await finance.get("/finance/exposure?on=0000-00-00")).status_code == 400


async def test_W12_the_amounts_that_a_later_fact_changes_are_listed_before_it_is_accepted(world, finance):
    paid = await charged(world)
    assert "Nothing to revise" in (await finance.get("/finance/revisions")).text
    await corrected(world, paid["serial"])
    page = (await finance.get("/finance/revisions")).text
    assert "would be covered" in page
    assert re.search(r"98\.50 CNY</td><td class=\"money\"><b>0\.00</b> CNY", page)
    verdict = paid["request"]["entitlement"]["verdict"]
    assert (await post(finance, f"/finance/revisions/{verdict}", "/finance/revisions")).status_code == 303
    assert "The new verdict is in force." in (await finance.get("/finance/revisions")).text
    assert "Nothing to revise" in (await finance.get("/finance/revisions")).text
    items = (await world.api.get("/v1/charges", params={"request": paid["request"]["id"]})).json()["items"]
    assert sum(Decimal(one["price"]["amount"]) for one in items) == 0


async def test_another_customers_rows_are_in_no_list_no_sum_and_no_file(api, world, finance):
    other = await a_world(api)
    await other.receive(other.psu, 5)
    theirs, their_claim = await charged(other), await claimed(other)
    await charged(world)
    await claimed(world)
    for page in LISTS:
        for address in (page, f"{page}?search={other.customer}", f"{page}.csv"):
            text = (await finance.get(address)).text
            assert other.contract not in text.replace(f"search={other.customer}", "")
            assert theirs["serial"] not in text
    (month,) = await rows_of(finance, "/finance/periods.csv")
    assert (month["Charged, gross"], month["Borne by payers"]) == ("98.50", "118.50")
    for path in (f"charges/{theirs['charge']['id']}", f"costs/claims/{their_claim['claim']['id']}"):
        assert (await finance.get(f"/finance/{path}")).status_code == 404
    for path in (f"charges/{theirs['charge']['id']}/reverse", f"costs/claims/{their_claim['claim']['id']}/file"):
        assert (await post(finance, f"/finance/{path}", reason="x")).status_code == 404


async def test_the_report_is_the_same_on_its_page_in_the_api_and_as_a_file(world, finance, clock):
    await claimed(world)
    await charged(world)
    clock.step(timedelta(hours=3))
    params = {"contract": world.contract, "by": "part"}
    (item,) = (await world.api.get("/v1/reports/commitments", params=params)).json()["items"]
    (row,) = await rows_of(finance, f"/reports.csv?contract={world.contract}&by=part")
    assert (row["Month"], row["Part"], int(row["not kept"])) == (item["month"], item["group"], item["missed"])
    assert (row["2-hour hit rate"], row["2-hour coverage"]) == (
        str(item["two_hour_hit_rate"]),
        str(item["two_hour_coverage"]),
    )
    page = (await finance.get(f"/reports?contract={world.contract}&by=part")).text
    assert "Did we keep our promises in November 2026?" in page
    assert f"0 of {item['two_hour_promised']} promises were kept" in page
    late = await rows_of(finance, f"/reports/misses.csv?month=2026-11&contract={world.contract}")
    assert {one["Reason"] for one in late} == {"It had been picked, but not sent off, when it fell due."}
    assert len(late) == item["missed"]
    for bad in ("month=2026-13", "by=customer", "priority=high", "cursor=forged"):
        assert (await finance.get(f"/reports?{bad}")).status_code == 400


async def test_each_table_of_the_report_sorts_and_its_file_keeps_the_order(world, finance, clock):
    """Both ways, whatever is sorted by; a page and its file agree, and links to the rest of the page keep the order."""
    for priority in ("severe", "general", "emergency"):
        await world.ask(device_serial=await world.device(), priority=priority)
        clock.step(timedelta(minutes=7))
    clock.step(timedelta(hours=9))
    mine = f"contract={world.contract}&month=2026-11&by=priority"
    for order, expected in (
        ("group", ["general", "severe", "emergency"]),
        ("-group", ["emergency", "severe", "general"]),
    ):
        address = f"/reports?{mine}&sort_groups={order}"
        page = (await finance.get(address)).text
        table = page[page.index('id="groups"') : page.index('id="misses"')]
        assert re.findall(r'<th scope="row"[^>]*>(\w+)</th>', table) == expected
        (row_heads,) = re.findall(r'<th scope="col" class="text" aria-sort="(\w+)">', table)
        assert row_heads == ("descending" if order.startswith("-") else "ascending")
        file = await rows_of(finance, address.replace("/reports?", "/reports/groups.csv?"))
        assert [one["Priority"] for one in file] == expected
    for key, name in (("due_at", "Due"), ("late_s", "Seconds late"), ("part_number", "Part"), ("customer", "Customer")):
        found = {}
        for order in (key, f"-{key}"):
            address = f"/reports?{mine}&sort_misses={order}"
            file = await rows_of(finance, address.replace("/reports?", "/reports/misses.csv?"))
            page = (await finance.get(address)).text
            table = page[page.index('id="misses"') : page.index('id="again"')]
            assert re.findall(r'href="/requests/(req_\w+)"', table) == [one["Request"] for one in file]
            found[order] = [(one[name], one["Request"]) for one in file]
        assert len(found[key]) > 1
        assert found[f"-{key}"] == list(reversed(found[key]))
    months = await rows_of(finance, f"/reports/months.csv?contract={world.contract}&sort_months=missed")
    assert [one["Month"] for one in months] == ["2026-11"]
    assert await rows_of(finance, f"/reports/again.csv?{mine}") == []
    for bad in ("sort_misses=secret", "sort_months=group", "sort_groups=--group", "sort_again=", "after=forged"):
        assert (await finance.get(f"/reports?{mine}&{bad}")).status_code == (200 if bad == "sort_again=" else 400)


async def test_the_report_opens_with_the_view_that_was_saved_for_it(world, finance):
    await charged(world)
    query = f"by=part&contract={world.contract}"
    token = token_in((await finance.get("/reports?by=part")).text)
    form = {"token": token, "once": f"once-{next(_numbers)}-{id(finance)}", "name": "by part", "page": "/reports"}
    kept = await finance.post("/views", data=form | {"query": query})
    assert (kept.status_code, kept.headers["Location"]) == (303, f"/reports?{query}")
    shown = (await finance.get(f"/reports?{query}")).text
    view = re.search(r'action="/views/(\w+)/default"', shown)[1]
    assert f'href="/reports?by=part&amp;contract={world.contract}" aria-current="true"' in shown
    await post(finance, f"/views/{view}/default", on="1")
    opened = await finance.get("/reports")
    assert (opened.status_code, opened.headers["Location"]) == (303, f"/reports?{query}")


async def test_costs_and_claims_stay_within_the_areas_of_who_asks(world, as_role):
    claim = (await claimed(world))["claim"]
    paths = ("/v1/recoveries", "/v1/borne-costs")
    found = {}
    for area in (world.area, "ELSEWHERE"):
        scoped = await as_role("finance", areas=[area])
        asked = [(await scoped.get(path, params={"request": claim["request"]})).json()["items"] for path in paths]
        found[area] = ([bool(one) for one in asked], (await scoped.get(f"/v1/recoveries/{claim['id']}")).status_code)
    assert found == {world.area: ([True, True], 200), "ELSEWHERE": ([False, False], 404)}
