"""A dispatcher at work in a real browser: a miss, its fixes and their price, pins, frozen routes, managers, what changed."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.builders import unique
from tests.cast import AIRPORT, XIAN, a_world, made
from tests.web.browsing import DESKTOP, PHONE, client, contrasts, elsewhere, findings, fits, sign_in


def opened(visit, site, area=None, **how):
    """The board of one area, by default of the world with one request that a far place would bring too late."""
    area, seen = area or site.world.area, visit(**how)
    page = sign_in(seen, site, site.key("dispatcher", areas=[area]))
    page.goto(f"{site.base}/board?area={area}")
    expect(page.locator("html")).to_have_attribute("data-shown", "1")
    return page


@pytest.fixture(scope="module")
def late(site):
    """A request from the far end of the country, and the part in local stock a moment later."""

    async def run():
        async with client(site.base, site.admin) as api:
            site.world.api = api
            part, far = site.world.fan, unique("FAR")
            place = {"code": far, "name": far, "kind": "own", "latitude": XIAN[0], "longitude": XIAN[1],
                     "timezone": "Asia/Shanghai", "area": site.world.area}  # fmt: skip
            await made(api, "/v1/places", place)
            await site.world.receive(part, 3, place=far)
            lines = [{"part_number": part, "quantity": 1}]
            asked = await site.world.ask(device_serial=await site.world.device(), lines=lines)
            # a line that is pinned stays where it is: else the plan itself would fetch it from the nearer shelf
            pin = {"line": asked["lines"][0]["id"], "courier": site.world.courier}
            await made(api, "/v1/plan/pins", pin)
            await site.world.receive(part, 3)
            return asked

    asked = elsewhere(run())
    site.plan()
    return asked


@pytest.mark.parametrize(
    ("language", "act", "fix", "done"),
    [("zh-CN", "处理", "改由", "已改由"), ("en", "Act", "Take it from", "gives it now")],
)
def test_a_miss_is_fixed_with_one_button(visit, site, late, language, act, fix, done):
    page = opened(visit, site, language=language)
    row = page.locator(f"#row-{late['id']}")
    expect(row).to_have_attribute("data-standing", "risk")
    row.get_by_role("button", name=act).click()
    first = page.locator("#panel .fix").first
    expect(first).to_contain_text(fix)
    expect(first.locator(".mark.is-ok")).to_be_visible()
    assert findings(page) == []
    first.get_by_role("button").click()
    expect(page.locator(".toast")).to_contain_text(done)
    expect(page.locator("#panel")).to_be_hidden()
    # and back again by hand, so that the other language finds the same miss
    back = {"place": late["lines"][0]["source"]}
    elsewhere(source(site, late["id"], back))
    site.plan()


def test_a_late_line_gets_the_piece_of_a_lower_priority_once_it_is_approved(visit, site):
    async def run():
        async with client(site.base, site.admin) as api:
            world = await a_world(api)
            far = unique("FAR")
            place = {"code": far, "name": far, "kind": "own", "latitude": XIAN[0], "longitude": XIAN[1],
                     "timezone": "Asia/Shanghai", "area": world.area}  # fmt: skip
            await made(api, "/v1/places", place)
            await world.receive(world.psu, 1)
            held = await world.ask(priority="general", device_serial=await world.device())
            await world.receive(world.psu, 1, place=far)
            return world, held, await world.ask(priority="emergency")

    world, held, late = elsewhere(run())
    page = opened(visit, site, area=world.area)
    page.locator(f"#row-{late['id']} button", has_text="Act").click()
    fix = page.locator("#panel .fix", has_text="Take the piece at")
    expect(fix).to_contain_text("makes R-")
    assert findings(page) == []
    fix.get_by_role("button").click()
    expect(page.locator("#panel")).to_be_visible()  # not without the approval
    fix.get_by_role("checkbox").check()
    fix.get_by_role("button").click()
    expect(page.locator(".toast").last).to_contain_text("both are told")
    assert {one["id"]: source_of(site, one) for one in (held, late)}[late["id"]] == world.local


def source_of(site, request):
    async def run():
        async with client(site.base, site.admin) as api:
            return (await api.get(f"/v1/part-requests/{request['id']}")).json()["lines"][0]["source"]

    return elsewhere(run())


async def source(site, request, body):
    async with client(site.base, site.admin) as api:
        await made(api, f"/v1/part-requests/{request}/source", body, 200)


def test_a_line_is_pinned_and_released(visit, site):
    asked = site.ask(priority="general")
    site.plan()
    page = opened(visit, site)
    page.locator(f"#row-{asked['id']} button", has_text="Act").click()
    page.locator("#panel summary", has_text="Pin to a courier").click()
    page.locator("#panel select[name=courier]").select_option(index=1)
    page.locator("#panel button", has_text="What would that be?").click()
    expect(page.locator("#panel [role=status]")).to_contain_text("would be in time. Missed in all:")
    page.locator("#panel button", has_text="Pin").click()
    expect(page.locator(".toast").last).to_contain_text("Pinned")
    page.locator(f"#row-{asked['id']} button", has_text="Act").click()
    expect(page.locator("#panel")).to_contain_text("Pinned to courier")
    page.locator("#panel button", has_text="Release").click()
    expect(page.locator(".toast").last).to_contain_text("Released")


def test_routes_are_frozen_and_released_and_a_plan_is_asked_for(visit, site):
    page = opened(visit, site)
    page.get_by_role("button", name="Freeze routes").click()
    expect(page.locator(".toast").last).to_contain_text("stay as they are")
    expect(page.locator("#summary")).to_contain_text("routes stand still", timeout=10_000)
    page.get_by_role("button", name="Let routes change").click()
    expect(page.locator("#summary")).not_to_contain_text("routes stand still", timeout=10_000)
    page.get_by_role("button", name="Plan anew").click()
    expect(page.locator(".toast").last).to_contain_text("new plan")


def test_managers_are_called_and_the_escalations_show_it_without_loading_anew(visit, site):
    asked = site.ask(priority="general")
    board, escalations = opened(visit, site), opened(visit, site)
    escalations.goto(site.base + "/escalations")
    before = escalations.locator("#escalations tbody tr").count()
    board.locator(f"#row-{asked['id']} button", has_text="Act").click()
    board.locator("#panel summary", has_text="Call the managers").click()
    board.locator("#panel textarea[name=reason]").fill("no courier until noon")
    board.locator("#panel button", has_text="Call the managers").click()
    expect(board.locator(".toast").last).to_contain_text("both managers")
    expect(escalations.locator("#escalations tbody tr")).to_have_count(before + 1, timeout=10_000)
    expect(escalations.locator("#escalations tbody tr").first).to_contain_text("no courier until noon")


def test_an_agreed_plan_stays_with_the_request(visit, site):
    asked = site.ask(priority="general")
    page = opened(visit, site)
    page.locator(f"#row-{asked['id']} button", has_text="Act").click()
    page.locator("#panel summary", has_text="Plan agreed").click()
    page.locator("#panel textarea[name=plan]").fill("a loaner by 11:00")
    page.locator("#panel input[name=agreed_by]").fill("the duty manager")
    page.locator("#panel button", has_text="Record the plan").click()
    expect(page.locator(".toast").last).to_contain_text("recorded")
    page.locator(f"#row-{asked['id']} button", has_text="Act").click()
    expect(page.locator("#panel")).to_contain_text("a loaner by 11:00")


def test_what_a_plan_changed_is_told_line_by_line(visit, site):
    site.plan()
    asked = site.ask(priority="emergency")
    site.plan()
    page = opened(visit, site)
    page.get_by_role("link", name="What changed").click()
    row = page.locator("tbody tr", has_text=asked["id"][-5:].upper())
    expect(row).to_contain_text("new in the plan")
    expect(row).to_contain_text("courier")


@pytest.mark.parametrize(
    ("size", "scheme", "language"), [(PHONE, "dark", "zh-CN"), (DESKTOP, "light", "en"), (PHONE, "light", "en")]
)
def test_the_panel_fits_and_can_be_read(visit, site, late, size, scheme, language):
    page = opened(visit, site, size=size, color_scheme=scheme, language=language)
    page.locator(f"#row-{late['id']} .tags button").click()
    expect(page.locator("#panel .fix").first).to_be_visible()
    assert fits(page)
    assert (findings(page), contrasts(page)) == ([], [])


def test_a_breach_is_told_to_the_managers(visit, site):
    site.clock.step(timedelta(minutes=30))
    asked = site.ask(failure={"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "defect", "system_stopped": True},
                     received_at="2026-11-22T10:02:00+08:00")  # fmt: skip
    site.escalate()
    page = opened(visit, site, language="zh-CN")
    page.goto(site.base + "/escalations?show=breaches")
    row = page.locator("tbody tr", has_text=asked["id"][-5:].upper()).first
    expect(row).to_contain_text("部门经理、总经理")
    expect(row.locator(".mark.is-late")).to_have_text("已误时")


@pytest.mark.parametrize(
    ("language", "shut", "fix", "done"),
    [("zh-CN", "才开门", "开门", "临时开门"), ("en", "is closed until", "opened by", "open for once")],
)
def test_a_closed_place_is_opened_for_once_with_one_button(visit, site, language, shut, fix, done):
    world, asked, opens = elsewhere(behind_a_door(site))
    page = opened(visit, site, area=world.area, language=language)
    row = page.locator(f"#row-{asked['id']}")
    expect(row).to_have_attribute("data-standing", "risk")
    expect(row).to_contain_text(shut)
    expect(row).to_contain_text(f"{opens:%H}:00")
    row.locator("button").last.click()
    first = page.locator("#panel .fix").first
    expect(first).to_contain_text(fix)
    first.get_by_role("button").click()
    expect(page.locator(".toast")).to_contain_text(done)
    site.plan()
    expect(row).to_have_attribute("data-standing", "ok", timeout=10_000)


async def behind_a_door(site):
    """A world of its own whose only power supply lies in a place that is closed until tomorrow."""
    async with client(site.base, site.admin) as api:
        world = await a_world(api)
        shut = unique("SHUT")
        opens = (site.clock.now() + timedelta(hours=20)).astimezone(ZoneInfo("Asia/Shanghai"))
        place = {"code": shut, "name": shut, "kind": "own", "latitude": AIRPORT[0], "longitude": AIRPORT[1],
                 "timezone": "Asia/Shanghai", "area": world.area,
                 "opening_hours": {f"{opens:%a}".lower(): [[f"{opens:%H:00}", "24:00"]]}}  # fmt: skip
        await made(api, "/v1/places", place)
        await world.receive(world.psu, 1, place=shut)
        failure = {"occurred_at": site.clock.now().isoformat(), "cause": "defect", "system_stopped": True}
        return world, await world.ask(failure=failure), opens
