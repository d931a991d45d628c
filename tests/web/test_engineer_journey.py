"""An engineer with a phone: from the scan of a device to its running again, with wrong pieces, lost connections, no serial."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.web.browsing import PHONE, Site, sign_in
from tests.web.field import Field, a_field, do, faults, send_off, shown

WORDS = {
    "en": {
        "ask": "Ask for a part", "commit": "Ask for the part", "promise": "fitted by", "free": "Free",
        "on the way": "on the way", "answer": "Answer", "depart": "Set out", "arrive": "Arrived", "fit": "Fitted",
        "confirm": "Does it run?", "runs": "Yes, it runs", "running": "running again", "wrong": "was not the piece issued",
        "covered": "Covered",
    },
    "zh-CN": {
        "ask": "申请备件", "commit": "申请备件", "promise": "前更换", "free": "免费",
        "on the way": "在途", "answer": "响应", "depart": "出发", "arrive": "到达现场", "fit": "已更换",
        "confirm": "运行正常吗？", "runs": "是，正常", "running": "恢复运行", "wrong": "不是为此行发出的备件",
        "covered": "在保",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _books_add_up(site: Site) -> Iterator[None]:
    yield
    assert faults(site) == []


def engineer(visit, site: Site, language: str = "en") -> Page:
    return sign_in(visit(language, PHONE), site, site.key("engineer"))


def asked(page: Page, site: Site, field: Field, language: str = "en") -> str:
    """Ask for the board on the page; gives the request's id."""
    page.goto(f"{site.base}/devices/{field.serial}/ask")
    choose(page)
    expect(page.locator("#promise .promised .big")).to_contain_text(WORDS[language]["promise"])
    page.get_by_role("button", name=WORDS[language]["commit"]).click()
    page.wait_for_url(re.compile(r"/requests/req_\w+$"))
    return page.url.rpartition("/")[2]


def choose(page: Page, priority: str = "severe") -> None:
    page.locator("[data-pick=board]").click()
    page.locator("label", has=page.locator("input[name=system_stopped][value=yes]")).click()
    page.locator("label.level", has=page.locator(f"input[value={priority}]")).click()


def press(page: Page, verb: str) -> None:
    """Open a step's dialog."""
    page.locator(f"#doing [data-dialog='do-{verb}']").click()
    expect(page.locator(f"#do-{verb}")).to_be_visible()


def record(page: Page, verb: str) -> None:
    page.locator(f"#do-{verb} .actions .main").click()


def step(page: Page, verb: str) -> None:
    press(page, verb)
    record(page, verb)
    expect(page.locator(f"#do-{verb}")).to_be_hidden()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_from_the_scan_of_a_device_to_its_running_again(visit, site, language):
    field, words = a_field(site), WORDS[language]
    page = engineer(visit, site, language)
    page.locator(".bigscan input").fill(field.serial)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(field.serial)
    expect(page.locator(".verdict-word").first).to_contain_text(words["covered"])
    page.get_by_role("link", name=words["ask"]).click()
    request = asked(page, site, field, language)
    expect(page.locator("#promised .big")).to_have_text(words["free"])
    step(page, "answer")
    expect(page.locator("#trail li")).to_have_count(2)
    piece = send_off(site, request)
    expect(page.locator(".toast", has_text=words["on the way"])).to_be_visible(timeout=10_000)
    expect(page.locator("#stages [aria-current]")).to_contain_text(words["on the way"])
    step(page, "depart")
    step(page, "arrive")
    press(page, "fit")
    page.locator("#do-fit [name=removed_serial]").fill("OLD-1")
    page.keyboard.press("Enter")
    expect(page.locator("#do-fit [name=fitted_serial]")).to_be_focused()
    page.keyboard.type(next(one for one in field.pieces if one != piece))
    record(page, "fit")
    expect(page.locator("#do-fit .dialog-said")).to_contain_text(words["wrong"])
    expect(page.locator("html")).to_have_attribute("data-sounded", "wrong")
    page.locator("#do-fit [name=fitted_serial]").fill(piece)
    record(page, "fit")
    expect(page.locator("#do-fit")).to_be_hidden()
    press(page, "confirm")
    page.get_by_text(words["runs"]).click()
    record(page, "confirm")
    expect(page.locator("#standing .big")).to_have_text(words["running"])
    line = shown(site, f"/v1/part-requests/{request}")["lines"][0]
    assert (line["state"], line["fitted_serial"], line["removed_serial"]) == ("confirmed", piece, "OLD-1")
    page.goto(f"{site.base}/devices/{field.serial}")
    expect(page.locator(".life .knob").first).to_be_visible()


def test_a_piece_given_out_is_fitted_by_scanning_it_anywhere_on_the_page(visit, site):
    field = a_field(site)
    page = engineer(visit, site)
    request = asked(page, site, field)
    piece = send_off(site, request)
    expect(page.locator("#stages [aria-current]")).to_contain_text("on the way", timeout=10_000)
    page.keyboard.press("F2")
    page.keyboard.type(piece)
    page.keyboard.press("Enter")
    expect(page.locator("#do-fit [name=fitted_serial]")).to_have_value(piece)
    record(page, "fit")
    expect(page.locator("#stages [aria-current]")).to_contain_text("fitted")


def test_a_page_renewed_while_a_button_is_pressed_does_not_take_the_click_away(visit, site):
    page = engineer(visit, site)
    asked(page, site, a_field(site))
    button = page.locator("#doing [data-dialog='do-answer']")
    button.evaluate("one => one.dataset.mark = 'the same'")
    button.hover()
    page.mouse.down()
    with page.expect_response("**/requests/*/live"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('live-changed'))")
    expect(page.locator(".htmx-request")).to_have_count(0)
    page.mouse.up()
    expect(page.locator("#do-answer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#doing [data-mark]")).to_have_count(0, timeout=10_000)


def test_a_deadline_counts_down_without_being_asked(visit, site):
    seen = visit("en", PHONE)
    page = sign_in(seen, site, site.key("engineer"))
    asked(page, site, a_field(site))
    for part in ("**/requests/*/live", "**/live/stream"):
        page.route(part, lambda route: route.abort())
    page.clock.install()
    page.reload()
    left = page.locator(".lead-clock .left")
    before = left.text_content()
    page.clock.run_for(180_000)
    minutes = [int(one.split(":")[0]) * 60 + int(one.split(":")[1]) for one in (before, left.text_content())]
    assert minutes[0] - minutes[1] in (3, 4)


def test_a_change_of_state_is_told_on_the_list_too(visit, site):
    page = engineer(visit, site)
    request = asked(page, site, a_field(site))
    page.goto(site.base + "/engineer")
    expect(page.locator(f"#mine-{request} .due")).to_be_visible()
    page.evaluate("window.same = true")
    do(site, request, "answer", method="on_site")
    expect(page.locator(f"#mine-{request} .due")).to_have_count(0, timeout=10_000)
    send_off(site, request)
    expect(page.locator(".toast", has_text="on the way")).to_be_visible(timeout=10_000)
    assert page.evaluate("window.same") is True


def test_a_step_recorded_without_connection_is_sent_once_and_counts_from_when_it_was_pressed(visit, site):
    page = engineer(visit, site)
    request = asked(page, site, a_field(site))
    page.route("**/steps/depart", lambda route: route.abort())
    press(page, "depart")
    record(page, "depart")
    expect(page.locator("#do-depart")).to_be_hidden()
    expect(page.locator("#queued b")).to_have_text("1")
    assert "departed" not in steps_of(site, request)
    page.unroute("**/steps/depart")
    expect(page.locator("#queued")).to_be_hidden(timeout=15_000)
    expect(page.locator("#trail")).to_contain_text("set out", timeout=10_000)
    assert steps_of(site, request).count("departed") == 1


def steps_of(site: Site, request: str) -> list[str]:
    return [one["verb"] for one in shown(site, f"/v1/part-requests/{request}/steps")["items"]]


def test_an_unreadable_serial_is_asked_for_by_site_and_model_and_read_at_the_fitting(visit, site):
    field = a_field(site)
    page = engineer(visit, site)
    page.get_by_role("link", name="Serial not readable").click()
    page.locator("#site").select_option(site.world.site)
    page.locator(f"label:has(input[value='{field.model}'])").click()
    page.get_by_role("button", name="Continue").click()
    choose(page, "emergency")
    expect(page.locator("#promise .verdict-mark")).to_contain_text("Covered")
    page.get_by_role("button", name="Ask for the part").click()
    page.wait_for_url(re.compile(r"/requests/req_\w+$"))
    request = page.url.rpartition("/")[2]
    piece = send_off(site, request)
    expect(page.locator("#stages [aria-current]")).to_contain_text("on the way", timeout=10_000)
    press(page, "fit")
    page.locator("#do-fit [name=fitted_serial]").fill(piece)
    page.locator("#do-fit [name=device_serial]").fill(field.serial)
    record(page, "fit")
    expect(page.locator("#do-fit")).to_be_hidden()
    page.reload()
    expect(page.locator("a.serial")).to_have_text(field.serial)


def test_the_part_at_cost_waits_for_the_customers_word(visit, site):
    field = a_field(site, accepted_on="2020-01-31", delivered_on="2020-01-15")
    page = engineer(visit, site)
    request = asked(page, site, field)
    expect(page.locator("#promised .verdict-word")).to_contain_text("At cost")
    expect(page.locator("#promised .big")).to_have_text("98.50 CNY")
    press(page, "consent")
    expect(page.locator("#do-consent")).to_contain_text("98.50 CNY is charged to")
    expect(page.locator("#do-consent a")).to_have_attribute("href", f"/finance/quotes/{request}.pdf")
    page.locator("#do-consent label", has=page.locator("input[value=true]")).click()
    record(page, "consent")
    expect(page.locator("#trail")).to_contain_text("customer agreed to the price")
    assert shown(site, f"/v1/part-requests/{request}")["state"] == "accepted"


def test_too_little_stock_is_told_in_plain_words_and_an_open_request_is_pointed_out(visit, site):
    field = a_field(site)
    page = engineer(visit, site)
    first = asked(page, site, field)
    page.goto(f"{site.base}/devices/{field.serial}/ask")
    choose(page)
    expect(page.locator("#promise .banner a")).to_have_attribute("href", f"/requests/{first}")
    page.locator("label.parts, .parts label", has_text="the whole device").click()
    expect(page.locator("#promise [data-refused]")).to_contain_text("nowhere to be had now: 0 free, 1 needed")


def test_a_photo_is_kept_shown_and_taken_away(visit, site, tmp_path):
    page = engineer(visit, site)
    asked(page, site, a_field(site))
    picture = tmp_path / "label.png"
    picture.write_bytes(page.screenshot())
    page.locator("#doing [data-dialog=do-photo]").click()
    page.locator("#do-photo input[type=file]").set_input_files(picture)
    record(page, "photo")
    shot = page.locator("#photos img")
    expect(shot).to_have_count(1, timeout=10_000)
    answer = page.request.get(site.base + shot.get_attribute("src"))
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert "sandbox" in answer.headers["content-security-policy"]
    page.locator("#photos form button").click()
    expect(page.locator("#photos img")).to_have_count(0, timeout=10_000)


def test_a_hold_with_its_reason_stops_the_clock_and_a_note_stays_with_the_request(visit, site):
    page = engineer(visit, site, "zh-CN")
    request = asked(page, site, a_field(site), "zh-CN")
    page.locator("#doing summary").click()
    press(page, "note")
    page.locator("#do-note textarea").fill("门卫换岗，十分钟后进场")
    record(page, "note")
    expect(page.locator("#trail")).to_contain_text("门卫换岗", timeout=10_000)
    page.locator("#doing summary").click()
    press(page, "hold")
    page.locator("#do-hold label", has=page.locator("input[value=site_access]")).click()
    record(page, "hold")
    expect(page.locator(".lead-clock")).to_contain_text("等待进场", timeout=10_000)
    assert shown(site, f"/v1/part-requests/{request}")["on_hold"] == "site_access"
