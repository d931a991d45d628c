"""The scan box and charts in a real browser: keyboard scanner, photo, and colors under the policy, light and dark."""

import pytest
from playwright.sync_api import expect

from app.web import addresses, barcodes
from tests.web.browsing import PHONE, client, contrasts, elsewhere, findings, fits, sign_in
from tests.web.photographs import photograph, saved


def a_request(site):
    async def ask():
        async with client(site.base, site.admin) as api:
            return (await api.get("/v1/part-requests", params={"state": "open"})).json()["items"][0]

    return elsewhere(ask())


def test_a_keyboard_scanner_types_into_the_box_and_goes_there(visit, site):
    request = a_request(site)
    page = sign_in(visit(), site, site.key("dispatcher"))
    page.keyboard.type(f"R-{request['id'][-5:].upper()}")
    page.keyboard.press("Enter")
    page.wait_for_url(site.base + addresses.request(request["id"]))


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_photo_of_a_label_goes_there_as_soon_as_it_is_taken(visit, site, language):
    request = a_request(site)
    page = sign_in(visit(language, PHONE), site, site.key("warehouse"))
    page.goto(site.base + "/scan")
    raw = saved(photograph(barcodes.qr(f"{site.base}/r/{request['id']}"), scale=7))
    page.locator("form.photo input[type=file]").set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": raw}
    )
    page.wait_for_url(site.base + addresses.picking(request["id"]))


@pytest.mark.parametrize(
    ("language", "how", "says"),
    [
        ("zh-CN", {"size": PHONE}, "没有与此条码对应的对象"),
        ("en", {"color_scheme": "dark"}, "Nothing here answers to this code"),
    ],
)
def test_a_code_that_is_nothing_is_told_readably(visit, site, language, how, says):
    seen = visit(language, **how)
    page = sign_in(seen, site, site.key("engineer"))
    page.goto(site.base + "/scan")
    seen.complaints.clear()
    page.keyboard.type("(01)09506000134353(10)AB12")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(says)
    assert (fits(page), findings(page), contrasts(page), seen.complaints) == (True, [], [], [])


def test_a_choice_is_taken_by_keyboard(visit, site):
    part = {"number": site.world.serial, "name": "camera", "tracking": "none", "fitting_minutes": 5}

    async def both():
        async with client(site.base, site.admin) as api:
            (await api.post("/v1/parts", json=part)).raise_for_status()

    elsewhere(both())
    seen = visit("en", PHONE)
    page = sign_in(seen, site, site.key("dispatcher"))
    seen.complaints.clear()
    page.goto(site.base + addresses.scan(site.world.serial))
    assert (fits(page), findings(page), contrasts(page), seen.complaints) == (True, [], [], [])
    page.locator(".found a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.startswith((site.base + "/devices/", site.base + "/stock/parts/")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_have_the_colors_of_our_sheet(visit, site, scheme):
    seen = visit(color_scheme=scheme)
    page = sign_in(seen, site, site.key("finance"))
    seen.complaints.clear()
    page.goto(site.base + "/components")
    painted = page.evaluate(
        """() => [".ch-c1 .ch-rect", ".ch-c2 .ch-rect", ".ch text"]
            .map((one) => getComputedStyle(document.querySelector(one)).fill)"""
    )
    light = ["rgb(43, 106, 153)", "rgb(152, 74, 37)", "rgb(84, 92, 100)"]
    dark = ["rgb(142, 195, 234)", "rgb(234, 171, 136)", "rgb(165, 173, 180)"]
    assert painted == {"light": light, "dark": dark}[scheme]
    assert seen.complaints == []
