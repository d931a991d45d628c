"""The warehouse's stock at its handheld: receive by scan, look up by part, bin and lot, put away, and take back."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.builders import unique
from tests.cast import made
from tests.web.browsing import DESKTOP, PHONE, Site, contrasts, findings, fits, sign_in
from tests.web.test_warehouse_picking import books, handheld, scan, through_api


@pytest.fixture(scope="module")
def depot(site) -> dict[str, str]:
    """The local warehouse with bins, and a purchase that finance recorded."""

    async def build(api, world) -> dict[str, str]:
        drive, battery, reference = unique("HDD"), unique("BAT"), unique("PO")
        await made(api, "/v1/parts", {"number": drive, "name": "硬盘 4T", "tracking": "serial"})
        await made(api, "/v1/parts", {"number": battery, "name": "蓄电池", "tracking": "lot"})
        for code in ("A-01-1", "A-01-2"):
            await made(api, "/v1/bins", {"place": world.local, "code": code})
        lines = [
            {"part_number": part, "quantity": 10, "unit_cost": {"amount": "77.70", "currency": "CNY"}}
            for part in (drive, battery, world.fan)
        ]
        await made(api, "/v1/purchases", {"place": world.local, "reference": reference, "lines": lines})
        return {"drive": drive, "battery": battery, "fan": world.fan, "psu": world.psu, "order": reference}

    return through_api(site, build)


def lies(site: Site, part: str) -> tuple[int, list[str]]:
    """How many are on hand at the local warehouse, and in which bins."""

    async def read(api, world) -> tuple[int, list[str]]:
        items = (await api.get("/v1/stock", params={"part": part, "place": world.local})).json()["items"]
        return sum(one["on_hand"] for one in items), [code for one in items for code in one["bins"]]

    return through_api(site, read)


def lines(page: Page) -> Any:
    return page.locator(".coming > li")


@pytest.mark.parametrize(("language", "received"), [("en", "4 pieces received."), ("zh-CN", "已收货 4 件。")])
def test_a_delivery_is_scanned_and_booked_as_one_receipt(visit, site, depot, language, received):
    serials = [unique("S") for _ in range(2)]
    before, _ = lies(site, depot["fan"])
    seen = handheld(visit, site, language)
    page = seen.page
    page.goto(site.base + "/receiving")
    page.locator("#reference").fill(depot["order"])
    scan(page, depot["drive"])
    expect(lines(page)).to_have_count(1)
    for serial in serials:
        scan(page, serial)
    expect(page.locator("[data-pieces]").first).to_contain_text(serials[1])
    scan(page, "A-01-1")
    expect(page.locator("[data-bin]").first).to_have_value("A-01-1")
    scan(page, depot["fan"])
    expect(lines(page)).to_have_count(2)
    page.locator("[data-quantity]").first.fill("3")
    page.locator("[data-quantity]").first.press("Tab")
    page.locator("#receive [data-undo]").click()
    expect(page.locator("[data-count]").first).to_have_text("×1")
    page.locator("[data-quantity]").first.fill("2")
    page.locator("[data-quantity]").first.press("Tab")
    page.reload()
    expect(lines(page)).to_have_count(2)
    page.locator("[data-save]").click()
    expect(page.locator(".toast").last).to_contain_text(received)
    expect(page).to_have_url(re.compile("/receiving/rcp_"))
    assert lies(site, depot["drive"])[1] == ["A-01-1"]
    assert lies(site, depot["fan"])[0] == before + 2
    assert "77.70" not in page.content()
    assert books(site) == []
    assert seen.complaints == []


def test_a_receipt_is_undone_while_nothing_of_it_is_used(visit, site, depot):
    page = handheld(visit, site).page
    before = lies(site, depot["battery"])
    page.goto(site.base + "/receiving")
    page.locator("#reference").fill(depot["order"])
    scan(page, f"(240){depot['battery']}(10)L-7")
    expect(page.locator("[data-lot]").first).to_have_value("L-7")
    page.locator("[data-save]").click()
    page.get_by_role("button", name="Undo this receipt").click()
    expect(page.locator(".banner")).to_contain_text("undone")
    assert lies(site, depot["battery"]) == before
    assert books(site) == []


def test_a_part_that_nobody_ordered_is_refused_and_the_list_stays(visit, site, depot):
    page = handheld(visit, site).page
    page.goto(site.base + "/receiving")
    page.locator("#reference").fill(unique("PO"))
    scan(page, depot["psu"])
    page.locator("[data-save]").click()
    expect(page.locator(".toast.is-late")).to_contain_text(depot["psu"])
    expect(lines(page)).to_have_count(1)
    scan(page, "nothing-of-the-kind")
    expect(page.locator("#receive [data-wrong]")).to_contain_text("nothing-of-the-kind")
    expect(page.locator("html")).to_have_attribute("data-sounded", "wrong")


def test_a_receipt_without_connection_is_kept_and_sent_once(visit, site, depot):
    before, _ = lies(site, depot["fan"])
    page = handheld(visit, site).page
    page.goto(site.base + "/receiving")
    page.locator("#reference").fill(depot["order"])
    scan(page, depot["fan"])
    expect(lines(page)).to_have_count(1)
    page.context.set_offline(True)
    page.locator("[data-save]").click()
    expect(page.locator("#queued b")).to_have_text("1")
    expect(lines(page)).to_have_count(0)
    page.context.set_offline(False)
    expect(page.locator("#queued")).to_be_hidden(timeout=15_000)
    assert lies(site, depot["fan"])[0] == before + 1
    assert books(site) == []


def test_pieces_are_put_into_a_bin_by_scanning_them_there(visit, site, depot):
    page = handheld(visit, site, "zh-CN").page
    page.goto(f"{site.base}/stock/bins/{site.world.local}/A-01-2")
    scan(page, depot["psu"])
    expect(page.locator(".toast").last).to_contain_text("已放入 A-01-2")
    expect(page.locator(".lies")).to_contain_text(depot["psu"])
    assert lies(site, depot["psu"])[1] == ["A-01-2"]
    scan(page, "nothing-of-the-kind")
    expect(page.locator(".toast.is-late")).to_contain_text("nothing-of-the-kind")
    page.get_by_role("button", name=f"取出 {depot['psu']}").click()
    expect(page.locator(".empty")).to_be_visible()
    assert lies(site, depot["psu"])[1] == []
    assert books(site) == []


def test_stock_is_found_by_part_by_bin_and_by_lot(visit, site, depot):
    async def stocked(api, world) -> None:
        await world.receive(depot["battery"], 5, lot="L-99", bin="A-01-1", expires_on="2028-01-31")

    through_api(site, stocked)
    page = handheld(visit, site).page
    page.goto(site.base + "/stock")
    page.locator("#q").fill("L-99")
    page.locator("#q").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text(depot["battery"])
    page.get_by_role("link", name="By lot and serial").click()
    expect(page.locator("tbody")).to_contain_text("2028-01-31")
    page.goto(f"{site.base}/stock?by=bin&q=A-01-1")
    expect(page.locator("tbody")).to_contain_text(depot["battery"])
    page.goto(f"{site.base}/stock/parts/{depot['battery']}?lot=L-99")
    expect(page.locator("tr.pointed")).to_contain_text("L-99")
    expect(page.locator("main")).to_contain_text("goods in")


def test_other_places_have_no_stock_pages(visit, site, depot):
    seen = visit("en", DESKTOP)
    page = sign_in(seen, site, site.key("warehouse", places=[site.world.branch]))
    assert page.goto(f"{site.base}/stock/bins/{site.world.local}/A-01-1").status == 404
    assert page.goto(f"{site.base}/receiving?place={site.world.local}").status == 404
    page.goto(f"{site.base}/stock/parts/{depot['psu']}")
    expect(page.locator("dd").first).to_have_text("0")
    expect(page.locator("main")).to_contain_text(f"Free elsewhere{site.world.local}")


@pytest.mark.parametrize(
    ("language", "size", "scheme"), [("zh-CN", PHONE, "dark"), ("en", DESKTOP, "light")], ids=["phone", "desktop"]
)
def test_the_pages_of_stock_can_be_read_by_everybody(visit, site, depot, language, size, scheme):
    seen = visit(language, size, color_scheme=scheme)
    page = sign_in(seen, site, site.key("warehouse", places=[site.world.local]))
    page.goto(site.base + "/receiving")
    scan(page, depot["battery"])
    expect(lines(page)).to_have_count(1)
    assert (fits(page), contrasts(page), findings(page)) == (True, [], [])
    for path in ("/stock", "/stock?by=bin", "/stock?by=lot", f"/stock/parts/{depot['psu']}"):
        page.goto(site.base + path)
        assert (fits(page), contrasts(page), findings(page)) == (True, [], []), path
    assert seen.complaints == []
