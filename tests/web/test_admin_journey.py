"""An administrator's whole job in a real browser, in both languages: people, files, contracts, models, calendars, keys."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.web.render import Words
from tests.builders import unique
from tests.web.admin_cast import asked
from tests.web.browsing import DESKTOP, PHONE, Site, client, contrasts, elsewhere, findings, fits, sign_in, sign_in_as

BOTH = pytest.mark.parametrize("language", ["zh-CN", "en"])
PASSWORD = "three white herons over the dam"


def administrator(visit, site: Site, language: str, size=DESKTOP) -> tuple[Page, Words]:
    """Signed in, with the words of that language."""
    return sign_in(visit(language, size), site, site.key("admin")), Words(language)


def press(page: Page, words: str) -> None:
    page.locator("main").get_by_role("button", name=words, exact=True).click()


def answer(site: Site, path: str, key: str) -> int:
    """The status that this key's call is answered with."""

    async def call() -> int:
        async with client(site.base, key) as api:
            return (await api.get(path)).status_code

    return elsewhere(call())


@BOTH
def test_a_person_is_made_signs_in_once_with_what_was_shown_and_sees_the_scope_alone(visit, site, language):
    """From the form to the first day at work, and the history of it."""
    page, say = administrator(visit, site, language)
    login, elsewhere_too = unique("wang").lower(), unique("AREA")
    elsewhere(asked(site, "POST", "/v1/areas", code=elsewhere_too, name=elsewhere_too, sources=[]))
    page.goto(site.base + "/admin/people/new")
    page.get_by_label(say("Name"), exact=True).fill("王芳")
    page.get_by_label(say("User name")).fill(login)
    page.locator("label.role", has=page.locator('input[value="dispatcher"]')).click()
    areas = page.locator("fieldset.scope", has=page.locator('[name="areas_limited"]'))
    areas.get_by_text(say("only these")).click()
    areas.locator(f'input[value="{site.world.area}"]').check()
    press(page, say("Make this person"))
    expect(page.locator("h1")).to_have_text(say("One-time password for {name}", name="王芳"))
    once = page.locator("#secret").inner_text()
    assert (fits(page), contrasts(page), findings(page)) == (True, [], [])
    person = sign_in_as(visit(language, PHONE), site, login, once)
    expect(person.locator("h1")).to_have_text(say("Choose a password"))
    person.locator("#new").fill(PASSWORD)
    person.locator("#again").fill(PASSWORD)
    press(person, say("Choose a password"))
    person.wait_for_url("**/board")
    expect(person.locator(f'.areas a[href*="{elsewhere_too}"]')).to_have_count(0)
    person.goto(site.base + "/requests")
    expect(person.locator("tbody tr")).not_to_have_count(0)
    assert person.goto(site.base + "/admin/people").status == 403
    page.reload()
    expect(page.locator("#secret")).to_have_count(0)
    assert person.goto(site.base + "/board").status == 200
    page.get_by_role("link", name=say("History")).click()
    expect(page.locator("tbody tr")).not_to_have_count(0)


@BOTH
def test_a_file_is_tried_out_mended_with_its_failed_rows_and_loaded(visit, site, language, tmp_path: Path):
    """Nothing is written before it is asked for; then all of it, once."""
    page, say = administrator(visit, site, language)
    good, bad = unique("PART"), unique("PART")
    file = tmp_path / "parts.csv"
    file.write_text(f"number,name,tracking\n{good},电源,none\n{bad},风扇,sometimes\n")
    page.goto(site.base + "/admin/imports")
    page.locator("#kind").select_option("parts")
    page.locator("#file").set_input_files(file)
    press(page, say("Try it out"))
    expect(page.locator(".bad-rows tbody tr")).to_have_count(1)
    expect(page.locator("#run h2").first).to_have_text(
        say("{failed} of {rows} rows are bad: nothing is loaded", failed=1, rows=2)
    )
    assert (fits(page), contrasts(page), findings(page)) == (True, [], [])
    with page.expect_download() as download:
        page.get_by_role("link", name=say("Failed rows as CSV")).click()
    mended = tmp_path / "mended.csv"
    mended.write_text(download.value.path().read_text("utf-8-sig").replace("sometimes", "none"))
    page.locator("#mended").set_input_files(mended)
    press(page, say("Try the mended file out"))
    press(page, say("Load {rows} rows", rows=2))
    expect(page.locator("#run h2").last).to_have_text(say("Loaded"))
    keys = site.key("admin")
    assert {answer(site, f"/v1/parts/{one}", keys) for one in (good, bad)} == {200}


@BOTH
def test_a_contract_shows_its_dates_worked_out_before_and_after_it_is_accepted(visit, site, language):
    """The letter's terms are filled in; the days are on the screen at once."""
    page, say = administrator(visit, site, language)
    number = unique("HT")
    page.goto(site.base + "/admin/contracts/new")
    page.locator("#number").fill(number)
    page.locator("#customer").fill(unique("C"))
    press(page, say("Make this contract"))
    page.wait_for_url(f"**/admin/contracts/{number}")
    trial = page.locator('input[type="date"]').first
    trial.fill("2024-02-29")
    trial.press("Enter")
    expect(page.locator(".example").first).to_contain_text("2024-03-01")
    expect(page.locator(".example").first).to_contain_text("2027-02-28")
    assert (fits(page), contrasts(page), findings(page)) == (True, [], [])


@BOTH
def test_a_model_gets_its_positions_and_their_picture(visit, site, language):
    page, say = administrator(visit, site, language)
    code = unique("CAM")
    page.goto(site.base + "/admin/models/new")
    page.locator("#code").fill(code)
    page.locator("#name").fill("球机 dome camera")
    for at, (position, part) in enumerate((("psu", site.world.psu), ("fan", site.world.fan))):
        page.locator('[name="position"]').nth(at).fill(position)
        page.locator('[name="part_number"]').nth(at).fill(part)
    page.locator('[name="key"]').first.check()
    press(page, say("Make this model"))
    page.wait_for_url(f"**/admin/models/{code}")
    expect(page.locator(".schematic")).to_contain_text("psu")
    expect(page.locator(".schematic")).to_contain_text(site.world.fan)


@BOTH
def test_a_years_days_off_are_shown_before_they_are_recorded(visit, site, language):
    year = {"zh-CN": "2024", "en": "2025"}[language]
    page, say = administrator(visit, site, language)
    page.goto(site.base + "/admin/calendars")
    page.locator("#country").select_option("CN")
    page.locator("#first").fill(year)
    page.locator("#last").fill(year)
    press(page, say("Show what would change"))
    expect(page.locator("h1")).to_have_text(say("What importing {country} would change", country="CN"))
    expect(page.locator("main")).to_contain_text(f"{year}-10-01")
    press(page, say("Record these years"))
    page.goto(f"{site.base}/admin/calendars/CN/{year}")
    expect(page.locator(".month .off")).not_to_have_count(0)
    expect(page.locator(".month .worked")).not_to_have_count(0)


@BOTH
def test_a_key_is_shown_once_works_and_is_refused_from_the_moment_it_is_revoked(visit, site, language):
    page, say = administrator(visit, site, language)
    page.goto(site.base + "/admin/keys/new")
    page.get_by_label(say("Name"), exact=True).fill("helpdesk")
    page.locator("label.role", has=page.locator('input[value="integration"]')).click()
    press(page, say("Make this key"))
    key = page.locator("#secret").inner_text()
    assert answer(site, "/v1/me", key) == 200
    page.get_by_role("link", name=say("It is in its place")).click()
    expect(page.locator("main")).not_to_contain_text(key)
    press(page, say("Revoke…"))
    page.get_by_role("dialog").get_by_role("button", name=say("Revoke it")).click()
    expect(page.get_by_role("button", name=say("Revoke…"))).to_have_count(0)
    assert answer(site, "/v1/me", key) == 401
