"""Finance's journeys in a real browser, in both languages: from a serial to a credit, a claim filed, a report in a file."""

import re

import pytest
from playwright.sync_api import expect
from python_calamine import CalamineWorkbook

from tests.web.browsing import PHONE, fits, sign_in, tab_to
from tests.web.finance_cast import charged, claimed

WORDS = {
    "en": {
        "search": "Search", "credit": "Credit…", "do": "Credit it", "credited": "40.00 CNY credited to",
        "claims": "Claims on suppliers", "file": "File it…", "filed": "Filed", "now": "The claim is now: filed.",
        "export": "Export", "month": "Month", "save": "Save", "views": "My views", "saved": "is saved",
        "sort": "Sort", "columns": "Columns", "tax": "Tax", "show": "Show",
        "close": "Close…", "close_it": "Close 2026-11", "closed": "2026-11 is closed.",
    },
    "zh-CN": {
        "search": "查找", "credit": "冲销…", "do": "冲销", "credited": "冲销 40.00 CNY",
        "claims": "向原厂索赔", "file": "提交索赔…", "filed": "已提交", "now": "索赔状态：已提交",
        "export": "导出", "month": "月份", "save": "保存", "views": "我的视图", "saved": "已保存",
        "sort": "排序", "columns": "列", "tax": "税额", "show": "查看",
        "close": "关闭…", "close_it": "关闭 2026-11", "closed": "2026-11 已关闭",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_from_a_serial_to_its_verdict_its_charge_and_a_credit(visit, site, language):
    paid, words, seen = site.run(charged), WORDS[language], visit(language)
    page = sign_in(seen, site, site.key("finance"))
    expect(page).to_have_url(site.base + "/finance")
    page.get_by_role("searchbox").fill(paid["serial"])
    page.get_by_role("button", name=words["search"]).click()
    expect(page.locator(".found code").first).to_have_text(paid["serial"])
    verdict = f"/verdicts/{paid['request']['entitlement']['verdict']}"
    expect(page.locator(f'table a[href="{verdict}"]')).to_be_visible()
    page.goto(f"{site.base}/finance/charges?search={paid['serial']}")
    page.locator('tbody a[href^="/finance/charges/"]').first.click()
    page.get_by_role("button", name=words["credit"]).click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("98.50 CNY")
    dialog.locator("[name=amount]").fill("40")
    dialog.locator("[name=reason]").fill("goodwill")
    dialog.get_by_role("button", name=words["do"], exact=True).click()
    expect(page.locator(".toast")).to_contain_text(words["credited"])
    expect(page.locator(".amounts")).to_contain_text("−40.00")
    expect(page.locator(".amounts")).to_contain_text("58.50")
    assert seen.complaints == []


def test_a_charge_is_found_and_credited_by_keyboard_alone(visit, site):
    paid, words, seen = site.run(charged), WORDS["en"], visit("en")
    page = sign_in(seen, site, site.key("finance"))
    tab_to(page, page.get_by_role("link", name="Charges"), step="Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/finance/charges*")
    tab_to(page, page.get_by_role("searchbox"))
    page.keyboard.type(paid["serial"])
    page.keyboard.press("Enter")
    page.wait_for_url("**search=*")
    tab_to(page, page.locator('tbody a[href^="/finance/charges/"]').first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/finance/charges/*")
    tab_to(page, page.get_by_role("button", name=words["credit"]))
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    amount, reason = dialog.locator("[name=amount]"), dialog.locator("[name=reason]")
    for field, typed in ((amount, "40"), (reason, "goodwill")):
        if not field.evaluate("one => one === document.activeElement"):
            tab_to(page, field, within=8)
        page.keyboard.press("Control+A")
        page.keyboard.type(typed)
    tab_to(page, dialog.get_by_role("button", name=words["do"], exact=True), within=8)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(words["credited"])
    assert seen.complaints == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_from_the_costs_to_a_claim_that_is_filed(visit, site, language):
    made, words, seen = site.run(claimed), WORDS[language], visit(language, PHONE)
    page = sign_in(seen, site, site.key("finance"))
    page.goto(site.base + "/finance/costs")
    page.get_by_role("link", name=words["claims"]).click()
    page.locator("summary", has_text=words["sort"]).click()  # cards have no heads
    page.locator("details[open] a").first.click()
    page.wait_for_url("**sort=**")
    page.locator("summary", has_text=words["sort"]).click()
    expect(page.locator("details[open] a[aria-current]")).to_have_count(1)
    page.goto(f"{page.url.split('?')[0]}?search={made['serial']}")
    page.locator('tbody a[href^="/finance/costs/claims/"]').first.click()
    page.get_by_role("button", name=words["file"]).click()
    dialog = page.locator("dialog[open]")
    dialog.locator("[name=claim_number]").fill(f"OEM-{language}")
    dialog.locator("[name=due_at]").fill("2026-12-20T18:00")
    assert fits(page)
    dialog.get_by_role("button", name=words["filed"]).click()
    expect(page.locator(".toast")).to_contain_text(words["now"])
    expect(page.locator("main")).to_contain_text("2026-12-20 18:00")
    assert seen.complaints == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_report_is_exported_and_opened(visit, site, language, tmp_path):
    words, seen = WORDS[language], visit(language)
    page = sign_in(seen, site, site.key("finance"))
    page.goto(site.base + "/reports")
    expect(page.locator("h1")).to_contain_text("2026")
    page.locator("summary", has_text=words["export"]).click()
    with page.expect_download() as waiting:
        page.locator('a[href^="/reports.xlsx"]').click()
    waiting.value.save_as(tmp_path / "report.xlsx")
    rows = CalamineWorkbook.from_path(tmp_path / "report.xlsx").get_sheet_by_index(0).to_python()
    assert (rows[0][0], rows[1][0]) == (words["month"], "2026-11")
    shown = page.locator("table.list").first.locator("tbody td").first.text_content()
    assert sum(row[2] for row in rows[1:]) == int(shown)
    assert seen.complaints == []


def test_a_view_is_saved_with_its_columns_and_the_page_opens_with_it(visit, site):
    words, seen = WORDS["en"], visit("en")
    page = sign_in(seen, site, site.key("finance"))
    page.goto(site.base + "/finance/charges?kind=charge&kind=partly")
    page.locator("summary", has_text=words["columns"]).click()
    page.get_by_label(words["tax"]).uncheck()
    page.locator("details[open]").get_by_role("button", name=words["show"]).click()
    expect(page.locator("thead th", has_text=words["tax"])).to_have_count(0)
    page.locator("summary", has_text=words["views"]).click()
    page.locator("#view-name").fill("Without tax")
    page.get_by_role("button", name=words["save"], exact=True).click()
    expect(page.locator(".toast")).to_contain_text(words["saved"])
    expect(page.locator(".chip[aria-current]")).to_contain_text("Without tax")
    page.locator("summary", has_text=words["views"]).click()
    page.get_by_role("button", name="Open the page with this view").click()
    page.goto(site.base + "/finance/charges")
    expect(page).to_have_url(re.compile("kind=charge&kind=partly"))
    expect(page.locator("thead th", has_text=words["tax"])).to_have_count(0)
    assert seen.complaints == []


def test_a_month_is_closed_once_it_is_over(visit, site):
    site.run(charged)
    site.clock.set(site.clock.now().replace(month=12, day=3))
    words, seen = WORDS["zh-CN"], visit("zh-CN")
    page = sign_in(seen, site, site.key("finance"))
    page.goto(site.base + "/finance/periods")
    page.get_by_role("button", name=words["close"]).click()
    page.locator("dialog[open]").get_by_role("button", name=words["close_it"]).click()
    expect(page.locator(".toast")).to_contain_text(words["closed"])
    expect(page.get_by_role("button", name=words["close"])).to_have_count(0)
    assert seen.complaints == []
