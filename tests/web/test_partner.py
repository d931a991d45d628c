"""A partner answers a call-off on whatever it has in its hand, and the dispatcher's board has the link to pass on."""

import pytest
from playwright.sync_api import expect

from tests.builders import unique
from tests.cast import XIAN, made
from tests.web.browsing import DESKTOP, PHONE, contrasts, findings, fits, sign_in


@pytest.fixture
def question(site):
    """A request that only a partner's reported stock can serve."""

    async def asked(world):
        partner, part = unique("PT"), world.fan
        await made(world.api, "/v1/places", {
            "code": partner, "name": "西安代理 Xi'an dealer", "kind": "partner", "latitude": XIAN[0], "longitude": XIAN[1],
            "timezone": "Asia/Shanghai", "stock": "reported",
        })  # fmt: skip
        await world.receive(part, 1, place=partner)
        request = await world.ask(device_serial=await world.device(), lines=[{"part_number": part, "quantity": 1}])
        found = await world.api.get("/v1/call-offs", params={"request": request["id"]})
        return found.json()["items"][0]

    return site.run(asked)


@pytest.mark.parametrize(
    ("how", "waits", "button", "thanks"),
    [
        ({"language": "zh-CN", "size": PHONE, "color_scheme": "light"}, "待您答复", "确认：现在可供", "已确认"),
        ({"language": "en", "size": DESKTOP, "color_scheme": "dark"}, "waits for your answer", "Decline", "declined"),
    ],
    ids=["phone", "desktop"],
)
def test_a_partner_answers_without_signing_in(visit, site, question, how, waits, button, thanks):
    seen = visit(**how)
    page = seen.page
    page.goto(site.base + question["link"])
    expect(page.locator("main .mark")).to_contain_text(waits)
    assert (fits(page), contrasts(page), findings(page)) == (True, [], [])
    page.get_by_role("button", name=button).click()
    expect(page.locator("main .mark")).to_contain_text(thanks)
    assert page.locator("main form").count() == 0
    assert seen.complaints == []
    assert all(one.startswith(site.base) for one in seen.asked_for)


def test_the_board_has_the_link_to_pass_on(visit, site, question):
    seen = visit(language="zh-CN", size=PHONE)
    page = sign_in(seen, site, site.key("dispatcher"))
    page.goto(f"{site.base}/board")
    row = page.locator(f"#call-off-{question['id']}")
    expect(row).to_contain_text("西安代理")
    assert row.get_by_role("button").get_attribute("data-copy") == site.base + question["link"]
    assert (fits(page), findings(page)) == (True, [])
