"""Devices as people see them: looked up by a fragment, at a glance, as of a day, as known at an instant, and to whom."""

from datetime import timedelta
from urllib.parse import quote

import pypdfium2
import pytest
from playwright.sync_api import expect

from tests.builders import unique
from tests.cast import made
from tests.web.browsing import DESKTOP, PHONE, Site, sign_in
from tests.web.field import a_field, shown, with_api


def tell(site: Site, serial: str, **event) -> None:
    """An event of the device's history, a minute after the one before: what is known since when differs."""
    site.clock.step(timedelta(minutes=1))
    with_api(site, lambda world: made(world.api, f"/v1/devices/{serial}/events", event))


def an_old_camera(site: Site, **device) -> str:
    """Accepted on 2015-07-31, as in the domain's examples."""
    return with_api(site, lambda world: world.device(accepted_on="2015-07-31", delivered_on="2015-06-30", **device))


def a_restart(site: Site, serial: str, day: str) -> None:
    tell(site, serial, type="component_replaced", occurred_at=f"{day}T09:00:00+08:00", position="psu", cause="defect",
         system_stopped=True)  # fmt: skip
    tell(site, serial, type="operation_confirmed", occurred_at=f"{day}T10:00:00+08:00", position="psu")


def test_W4_W6_a_restarted_part_is_shown_to_its_own_end(visit, site):
    serial = an_old_camera(site)
    a_restart(site, serial, "2017-05-10")
    page = sign_in(visit("zh-CN"), site, site.key("finance"))
    page.goto(f"{site.base}/devices/{serial}?on=2018-08-01")
    expect(page.locator(".verdict-word").first).to_contain_text("仅收采购成本")
    psu = page.locator(".life li", has_text="psu")
    expect(psu).to_contain_text("至 2020-05-10")
    expect(psu.locator(".knob")).to_have_count(1)
    expect(psu.locator("desc")).to_contain_text("2017-05-11 – 2020-05-10")
    a_restart(site, serial, "2019-11-20")
    page.goto(f"{site.base}/devices/{serial}?on=2022-11-20")
    expect(page.locator(".life li", has_text="psu")).to_contain_text("至 2022-11-20")
    expect(page.locator(".life li", has_text="psu").locator(".knob")).to_have_count(2)


def test_W13_a_swapped_device_names_its_successor_which_names_it(visit, site):
    serial, successor = an_old_camera(site), unique("SN")
    tell(site, serial, type="device_replaced", occurred_at="2017-03-01T09:00:00+08:00", new_serial=successor,
         cause="customer", system_stopped=True)  # fmt: skip
    page = sign_in(visit(), site, site.key("dispatcher"))
    page.goto(f"{site.base}/devices/{serial}")
    expect(page.locator(".verdict-word").first).to_contain_text("Replaced")
    expect(page.get_by_role("link", name="Ask for a part")).to_have_count(0)
    page.locator(".banner a", has_text=successor).click()
    expect(page.locator("h1")).to_have_text(successor)
    expect(page.locator(".banner a", has_text=serial)).to_be_visible()
    page.goto(f"{site.base}/devices/{successor}?on=2018-07-31")
    expect(page.locator(".verdict-word").first).to_contain_text("Covered")
    page.goto(f"{site.base}/devices/{serial}/ask")
    expect(page.locator(".lead")).to_contain_text(f"ask for {successor}")


def test_W10_an_answer_as_it_was_known_before_a_correction_keeps_its_link(visit, site):
    serial = an_old_camera(site)
    before = site.clock.now()
    event = shown(site, f"/v1/devices/{serial}/events")["items"][0]["id"]
    tell(site, serial, type="corrected", event=event, on="2016-01-31", reason="the certificate says so")
    page = sign_in(visit(), site, site.key("finance"))
    page.goto(f"{site.base}/devices/{serial}?on=2018-08-01")
    expect(page.locator(".verdict-until").first).to_contain_text("to 2019-01-31")
    page.goto(f"{site.base}/devices/{serial}?on=2018-08-01&known_at={quote(before.isoformat())}")
    expect(page.locator(".verdict-until").first).to_contain_text("ended on 2018-07-31")
    expect(page.locator(".banner.is-info")).to_contain_text("As of 2018-08-01, as known at")
    page.locator(".permanent").first.click()
    expect(page.locator(".verdict-until").first).to_contain_text("ended on 2018-07-31")
    expect(page.locator(".trail")).to_contain_text("an earlier entry was wrong: the certificate says so")


def test_a_device_is_found_by_any_fragment_and_a_whole_serial_opens_it(visit, site):
    field = a_field(site)
    page = sign_in(visit(), site, site.key("dispatcher"))
    page.goto(site.base + "/devices")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("录像机 " + field.serial[3:])
    page.keyboard.press("Enter")
    expect(page.locator(".device-list a").first).to_contain_text(field.serial)
    page.locator("#q").fill(field.serial.lower())
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(field.serial)
    page.goto(site.base + "/devices?q=100%25_")
    expect(page.locator(".empty")).to_contain_text("No device matches “100%_”")


@pytest.mark.parametrize("path", ["/devices/{serial}", "/devices/{serial}/ask"])
def test_another_customers_device_does_not_exist(visit, site, path):
    field = a_field(site)
    page = sign_in(visit(size=PHONE), site, site.key("engineer", customers=["SOMEBODY-ELSE"]))
    answer = page.goto(site.base + path.format(serial=field.serial))
    assert answer.status == 404
    assert field.serial not in page.locator("main").inner_text()
    page.goto(f"{site.base}/devices?q={field.serial}")
    expect(page.locator(".empty")).to_be_visible()


def test_another_engineers_request_its_photos_and_its_steps_do_not_exist(visit, site):
    request = site.ask()["id"]
    page = sign_in(visit(size=PHONE), site, site.key("engineer"))
    assert page.goto(f"{site.base}/requests/{request}").status == 404
    assert page.goto(f"{site.base}/requests/{request}/photos/pho_x/photo.jpg").status == 404
    page.goto(site.base + "/engineer")
    token = page.locator("meta[name=form-token]").get_attribute("content")
    sent = page.request.post(
        f"{site.base}/requests/{request}/steps/note", form={"token": token, "once": unique("k"), "text": "x"}
    )
    assert sent.status == 404


def test_a_verdict_shows_its_proof_and_names_the_one_that_replaced_it(visit, site):
    undetermined = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "undetermined", "system_stopped": True}
    asked = site.ask(failure=undetermined)
    old = asked["entitlement"]["verdict"]
    site.clock.step(timedelta(minutes=1))
    with_api(site, lambda world: world.do(asked["id"], "diagnose", cause="defect"))
    page = sign_in(visit("zh-CN", DESKTOP), site, site.key("finance"))
    page.goto(f"{site.base}/verdicts/{old}")
    expect(page.locator(".verdict-word")).to_contain_text("在保")
    expect(page.locator(".verdict-why li").first).to_be_visible()
    page.locator(".banner a").click()
    expect(page.locator(".banner a", has_text=old)).to_be_visible()
    expect(page.locator(".facts")).to_contain_text(["部件缺陷"])
    expect(page.locator(".life .life-track")).to_have_count(2)


@pytest.mark.parametrize(("language", "said"), [("zh-CN", "在保"), ("en", "Covered")])
def test_a_verdict_comes_on_paper_in_the_readers_language(visit, site, language, said):
    verdict = site.ask()["entitlement"]["verdict"]
    page = sign_in(visit(language), site, site.key("engineer", customers=[site.world.customer]))
    page.goto(f"{site.base}/verdicts/{verdict}")
    address = page.get_by_role("link", name="PDF").get_attribute("href")
    answer = page.request.get(site.base + address, headers={"Accept-Language": language})
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    text = "".join(one.get_textpage().get_text_range() for one in pypdfium2.PdfDocument(answer.body()))
    assert said in text
    assert site.world.customer in text
    stranger = sign_in(visit(), site, site.key("engineer", customers=["SOMEBODY-ELSE"]))
    assert stranger.request.get(site.base + address).status == 404
