"""The pages in a real browser against a real server: signing in by keyboard, a live board, nothing leaves the host."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.web.browsing import DESKTOP, PHONE, contrasts, findings, fits, sign_in, type_key


def test_a_typed_key_opens_a_board_with_a_map_routes_and_lanes(visit, site):
    seen = visit()
    page = sign_in(seen, site, site.key("dispatcher"))
    expect(page.locator(".request")).to_have_count(2)
    expect(page.locator("#map path.route")).not_to_have_count(0)
    expect(page.locator("#map .pin.site")).to_have_count(1)
    expect(page.locator("#map .pin.place")).not_to_have_count(0)
    expect(page.locator("#map .pin.stop")).not_to_have_count(0)
    expect(page.locator("#map .leaflet-control-scale-line")).to_be_visible()
    expect(page.locator("#map .name", has_text="机场北")).to_be_visible()
    expect(page.locator(".lane .block.drop")).not_to_have_count(0)
    assert seen.complaints == []


def test_the_board_follows_what_happens_without_loading_anew(visit, site):
    seen = visit()
    page = sign_in(seen, site, site.key("dispatcher", areas=[site.world.area]))
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("data-shown", re.compile(r"\d"))
    before = page.locator(".request").count()
    page.evaluate("window.same = true")
    page.locator(".request summary").first.press("Enter")
    asked = site.ask(priority="emergency")
    expect(page.locator(f"#row-{asked['id']}")).to_be_visible(timeout=10_000)
    expect(page.locator(".request")).to_have_count(before + 1)
    expect(page.locator("#summary .total b")).to_have_text(str(before + 1))
    site.plan()
    expect(page.locator(f"#row-{asked['id']} .carrier")).to_be_visible(timeout=10_000)
    expect(page.locator(".request details[open]")).to_have_count(1)
    assert page.evaluate("window.same") is True
    assert seen.complaints == []


def test_a_clock_ticks_from_the_servers_time(visit, site):
    seen = visit()
    seen.page.clock.install()
    for part in ("**/board/live*", "**/live/stream"):
        seen.page.route(part, lambda route: route.abort())
    page = sign_in(seen, site, site.key("dispatcher"))
    left = page.locator(".request .left").first
    shown = left.text_content()
    bar = float(page.locator(".request .rest").first.get_attribute("width"))
    page.clock.run_for(120_000)
    after = left.text_content()
    passed = [int(one.split(":")[0]) * 60 + int(one.split(":")[1]) for one in (shown, after)]
    assert passed[0] - passed[1] in (2, 3)
    assert float(page.locator(".request .rest").first.get_attribute("width")) < bar


def test_a_revoked_key_closes_an_open_board(visit, site):
    seen, key = visit(), site.key("dispatcher")
    page = sign_in(seen, site, key)
    expect(page.locator(".request")).not_to_have_count(0)
    site.revoke(key)
    page.wait_for_url(site.base + "/", timeout=10_000)
    expect(page.locator("#login")).to_be_focused()


def test_a_bad_key_is_told_in_plain_words(visit, site):
    page = visit("zh-CN").page
    page.goto(site.base)
    type_key(page, "sl_wrong")
    expect(page.get_by_role("alert")).to_contain_text("这个密钥不能用")
    expect(page.locator("#key")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    ("language", "title", "other"), [("zh-CN", "调度台", "English"), ("en", "Dispatch board", "中文")]
)
def test_the_board_speaks_both_languages_and_switches(visit, site, language, title, other):
    page = sign_in(visit(language), site, site.key("dispatcher"))
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("h1")).to_have_text(title)
    page.get_by_role("link", name=other).click()
    expect(page.locator("html")).not_to_have_attribute("lang", language)
    expect(page.locator("h1")).not_to_have_text(title)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_it_fits_the_screen_and_can_be_read(visit, site, scheme, size):
    page = sign_in(visit(size=size, color_scheme=scheme), site, site.key("dispatcher"))
    expect(page.locator(".request")).not_to_have_count(0)
    assert fits(page)
    assert contrasts(page) == []
    assert findings(page) == []
    page.goto(site.base + "/components")
    assert fits(page)
    assert contrasts(page) == []
    assert findings(page) == []


def test_the_whole_board_can_be_reached_by_keyboard(visit, site):
    page = sign_in(visit(), site, site.key("dispatcher"))
    expect(page.locator(".request")).not_to_have_count(0)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.className || document.activeElement.tagName) + ''"))
    assert {"skip", "code", "SUMMARY", "INPUT"} <= reached
    assert any("leaflet-container" in one for one in reached)


def test_paper_shows_the_list_without_the_controls(visit, site):
    page = sign_in(visit(), site, site.key("dispatcher"))
    expect(page.locator(".request")).not_to_have_count(0)
    page.emulate_media(media="print")
    expect(page.locator(".language")).to_be_hidden()
    expect(page.locator("#map .leaflet-control-zoom")).to_be_hidden()
    expect(page.locator(".request").last).to_be_visible()
    assert re.search("visible", page.locator(".list").evaluate("(one) => getComputedStyle(one).overflowY"))


def test_a_lost_connection_is_said_and_healed(visit, site):
    page = sign_in(visit(), site, site.key("dispatcher"))
    expect(page.locator(".request")).not_to_have_count(0)
    page.route("**/board/live*", lambda route: route.abort())
    site.ask(priority="general")
    expect(page.locator("#offline")).to_be_visible(timeout=10_000)
    page.unroute("**/board/live*")
    expect(page.locator("#offline")).to_be_hidden(timeout=15_000)


def test_time_passing_the_promise_turns_the_row_late(visit, site):
    site.clock.step(timedelta(hours=2, minutes=10))
    page = sign_in(visit(), site, site.key("dispatcher"))
    expect(page.locator(".request.is-late")).not_to_have_count(0)
    expect(page.locator(".count.is-late b")).not_to_have_text("0")
    expect(page.locator(".request.is-late .left").first).to_contain_text("−0:")
