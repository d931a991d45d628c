"""Signing in by name, one's account and the choice of a password in a real browser: by keyboard, readable, in two languages."""

import pytest
from playwright.sync_api import expect

from app.core.db import make_engine
from tests.web.browsing import DESKTOP, PHONE, contrasts, elsewhere, findings, fits, sign_in_as
from tests.web.visitors import PASSWORD, Person, a_person


def person(site, role="warehouse", **more) -> Person:
    """A person of the site."""

    async def run() -> Person:
        engine = make_engine(site.url, pool_size=2)
        try:
            return await a_person(engine, role, **more)
        finally:
            await engine.dispose()

    return elsewhere(run())


def test_a_name_and_a_password_are_typed_and_work_begins(visit, site):
    seen = visit()
    page = sign_in_as(seen, site, person(site, "dispatcher").login, PASSWORD)
    expect(page.locator("h1")).to_have_text("Dispatch board")
    assert seen.complaints == []


def test_a_wrong_password_is_told_and_only_it_is_typed_again(visit, site):
    someone = person(site, "dispatcher")
    page = visit("zh-CN").page
    page.goto(site.base)
    page.keyboard.type(someone.login)
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不对")
    expect(page.locator("#login")).to_have_value(someone.login)
    expect(page.locator("#password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/board")


def test_a_one_time_password_is_changed_and_work_begins(visit, site):
    seen = visit("zh-CN", PHONE)
    page = sign_in_as(seen, site, person(site, "dispatcher", must_change=True).login, PASSWORD)
    expect(page.locator("h1")).to_have_text("设置密码")
    expect(page.locator("#new")).to_be_focused()
    page.keyboard.type("银川机场北侧的白猫三只")
    page.keyboard.press("Tab")
    page.keyboard.type("银川机场北侧的白猫三只")
    page.keyboard.press("Enter")
    page.wait_for_url("**/board")
    expect(page.locator("#toasts")).to_contain_text("密码已修改")


def test_a_phone_is_signed_out_from_the_desk(visit, site):
    someone = person(site, "dispatcher")
    phone = sign_in_as(visit(size=PHONE), site, someone.login, PASSWORD)
    desk = sign_in_as(visit(), site, someone.login, PASSWORD)
    desk.locator(".who > summary").click()
    desk.get_by_role("link", name="Your account").click()
    expect(desk.locator(".sessions li")).to_have_count(2)
    desk.get_by_role("button", name="End all other sessions").click()
    expect(desk.locator(".sessions li")).to_have_count(1)
    expect(desk.locator("#toasts")).to_contain_text("All other sessions are ended.")
    phone.goto(site.base + "/account")
    expect(phone.locator("#login")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("language", "size"), [("zh-CN", PHONE), ("en", DESKTOP)], ids=["phone", "desktop"])
def test_they_can_be_read_by_everybody(visit, site, language, size, scheme):
    seen = visit(language, size, color_scheme=scheme)
    seen.page.goto(site.base)
    seen.page.locator(".other-way summary").click()
    looked_at(seen.page)
    page = sign_in_as(seen, site, person(site, "dispatcher").login, PASSWORD)
    for path in ("/account", "/account/password"):
        page.goto(site.base + path)
        looked_at(page)
    for field in ("#current", "#new", "#again"):
        page.locator(field).fill("short")
    page.keyboard.press("Enter")
    expect(page.locator(".wrong-text")).to_have_count(1)
    looked_at(page)


def looked_at(page) -> None:
    assert fits(page)
    assert contrasts(page) == []
    assert findings(page) == []
