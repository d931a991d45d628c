"""A ticket without a serial: its link opens a page, the device is named, the promise seen, and the request is the ticket's."""

import re

import pytest
from playwright.sync_api import expect

from tests.cast import a_world
from tests.web.browsing import PHONE, sign_in
from tests.web.draft_cast import drafted, drafted_at
from tests.web.field import a_field, faults
from tests.web.visitors import sign_in as enter
from tests.web.visitors import token_in, visitor

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(api):
    return await a_world(api)


@pytest.fixture
async def engineer(app, as_role):
    async with visitor(app) as browser:
        await enter(browser, (await as_role("engineer")).headers["Authorization"].partition(" ")[2])
        yield browser


async def test_a_draft_is_listed_shown_and_put_aside_with_a_reason(engineer, world, engine, clock):
    draft = await drafted(world, engine, clock.now())
    listed = (await engineer.get("/drafts")).text
    assert f"/drafts/{draft['id']}" in listed
    shown = (await engineer.get(f"/drafts/{draft['id']}")).text
    assert draft["number"] in shown
    assert f'href="https://desk.example.com/{draft["number"]}"' in shown
    form = {
        "token": token_in(shown),
        "once": "draft-aside-0001",
        "reason": "not ours",
        "version": str(draft["version"]),
    }
    done = await engineer.post(f"/drafts/{draft['id']}/discard", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/drafts")
    now = (await world.api.get(f"/v1/drafts/{draft['id']}")).json()
    assert (now["state"], now["reason"]) == ("discarded", "not ours")
    assert f"/drafts/{draft['id']}" not in (await engineer.get("/drafts")).text


async def test_a_serial_goes_straight_on_to_asking_and_a_wrong_one_says_so(engineer, world, engine, clock):
    draft = await drafted(world, engine, clock.now())
    there = await engineer.get(f"/drafts/{draft['id']}", params={"serial": world.serial})
    assert (there.status_code, there.headers["location"]) == (303, f"/devices/{world.serial}/ask?draft={draft['id']}")
    asked = (await engineer.get(there.headers["location"])).text
    assert f'name="draft" value="{draft["id"]}"' in asked
    wrong = await engineer.get(f"/drafts/{draft['id']}", params={"serial": "NOBODY-1"})
    assert 'aria-invalid="true"' in wrong.text


async def test_what_is_asked_for_a_draft_is_its_ticket_s_once(engineer, world, engine, clock):
    await world.receive(world.psu, 3)
    draft = await drafted(world, engine, clock.now())
    path = f"/devices/{world.serial}/ask?draft={draft['id']}"
    form = {
        "token": token_in((await engineer.get(path)).text), "once": "draft-asked-0001", "draft": draft["id"],
        "device_serial": world.serial, "position": "psu", "system_stopped": "yes", "priority": "severe",
    }  # fmt: skip
    done = await engineer.post("/ask", data=form)
    assert done.status_code == 303
    made = (await world.api.get(f"/v1/part-requests/{done.headers['location'].rpartition('/')[2]}")).json()
    assert (made["ticket"]["system"], made["ticket"]["number"]) == (draft["connection"], draft["number"])
    now = (await world.api.get(f"/v1/drafts/{draft['id']}")).json()
    assert (now["state"], now["request"]) == ("completed", made["id"])
    again = await engineer.post("/ask", data=form | {"once": "draft-asked-0002"})
    assert again.status_code == 409
    assert (await engineer.get(path)).status_code == 409


async def test_a_stranger_s_draft_does_not_exist(app, as_role, world, engine, clock):
    draft = await drafted(world, engine, clock.now())
    key = (await as_role("engineer", customers=["NOBODY"])).headers["Authorization"].partition(" ")[2]
    async with visitor(app) as browser:
        await enter(browser, key)
        assert (await browser.get(f"/drafts/{draft['id']}")).status_code == 404


def test_on_a_phone_a_ticket_s_link_becomes_a_request_with_its_promise(visit, site):
    field = a_field(site)
    draft = site.run(lambda world: drafted_at(site.url, world, site.clock.now()))
    page = sign_in(visit("zh-CN", PHONE), site, site.key("engineer"))
    page.goto(f"{site.base}/drafts/{draft['id']}")
    page.locator("#serial").fill(field.serial)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/ask\?draft="))
    page.locator("[data-pick=board]").click()
    page.locator("label", has=page.locator("input[name=system_stopped][value=yes]")).click()
    page.locator("label.level", has=page.locator("input[value=severe]")).click()
    expect(page.locator("#promise .promised .big")).to_contain_text("前更换")
    page.locator(".ask-promise .actions .main").click()
    page.wait_for_url(re.compile(r"/requests/req_\w+$"))
    assert draft["id"] not in page.goto(f"{site.base}/drafts").text()
    assert faults(site) == []
