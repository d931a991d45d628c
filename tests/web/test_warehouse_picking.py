"""The warehouse at its handheld: queue, scans, packing, hand-over; wrong scans, two at one queue, lost connections."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.cli.check import check
from app.core.db import make_engine
from tests.builders import unique
from tests.cast import made
from tests.web.browsing import DESKTOP, PHONE, Site, client, contrasts, elsewhere, findings, fits, sign_in

LANGUAGES = {"en": ("That is", "Packed", "Handed over"), "zh-CN": ("这是", "已包装", "已交接")}


def through_api(site: Site, work: Any) -> Any:
    async def run() -> Any:
        async with client(site.base, site.admin) as api:
            site.world.api = api
            return await work(api, site.world)

    return elsewhere(run())


@pytest.fixture(scope="module")
def shelf(site) -> dict[str, str]:
    """The local warehouse with two bins: the part wanted in one, another part in the other."""

    async def build(api, world) -> dict[str, str]:
        drive = unique("HDD")
        await made(api, "/v1/parts", {"number": drive, "name": "硬盘 4T", "tracking": "serial"})
        positions = [{"position": "psu", "part_number": world.psu, "key": True}]
        positions += [{"position": "disk", "part_number": drive, "key": False}]
        world.model = unique("NVR")
        await made(api, "/v1/models", {"code": world.model, "name": "Recorder", "positions": positions})
        for code in ("A-03-2", "A-03-4", "B-01-1"):
            await made(api, "/v1/bins", {"place": world.local, "code": code})
        put = {"place": world.local, "bin": "A-03-4", "lines": [{"part_number": world.psu}]}
        await made(api, "/v1/bins/put-away", put)
        await world.receive(world.fan, 5, bin="A-03-2")
        serials = [unique("S") for _ in range(6)]
        await world.receive(drive, 6, serials=serials, bin="B-01-1")
        return {"part": world.psu, "other": world.fan, "drive": drive, "courier": world.courier}

    return through_api(site, build)


def asked(site: Site, **changes: Any) -> dict[str, Any]:
    """A request for a new device, planned."""
    request = site.ask(**changes)
    site.plan()
    return request


def state(site: Site, request: str) -> str:
    async def read(api, _) -> str:
        return (await api.get(f"/v1/part-requests/{request}")).json()["state"]

    return through_api(site, read)


def balance(site: Site, part: str) -> tuple[int, int]:
    async def read(api, world) -> tuple[int, int]:
        items = (await api.get("/v1/stock", params={"part": part, "place": world.local})).json()["items"]
        return items[0]["on_hand"], items[0]["reserved"]

    return through_api(site, read)


def books(site: Site) -> list[str]:
    async def run() -> list[str]:
        engine = make_engine(site.url, pool_size=2)
        try:
            return await check(engine)
        finally:
            await engine.dispose()

    return elsewhere(run())


def handheld(visit: Any, site: Site, language: str = "en", **options: Any) -> Any:
    """Somebody of the local warehouse, signed in at a handheld."""
    seen = visit(language, PHONE, **options)
    sign_in(seen, site, site.key("warehouse", places=[site.world.local]))
    return seen


def scan(page: Page, code: str) -> None:
    """As a wedge scanner types, with Enter at the end."""
    page.locator("#scan").fill(code)
    page.locator("#scan").press("Enter")


def target(page: Page) -> Any:
    return page.locator("[data-line]:visible [data-target]")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_part_goes_from_the_queue_to_the_courier_by_scans_alone(visit, site, shelf, language):
    request = asked(site)
    _, packed, handed = LANGUAGES[language]
    seen = handheld(visit, site, language)
    page = seen.page
    expect(page).to_have_url(site.base + "/picking")
    row = page.locator(f"#pick-{request['id']}-{site.world.local}")
    expect(row).to_contain_text("A-03-4")
    expect(row).to_contain_text(shelf["part"])
    row.click()
    expect(target(page)).to_have_text("A-03-4")
    scan(page, "A-03-4")
    expect(target(page)).to_have_text(shelf["part"])
    scan(page, shelf["part"])
    expect(page.locator("[data-panel=pack]")).to_be_visible()
    assert state(site, request["id"]) == "picked"
    scan(page, shelf["part"])
    expect(page.locator("[data-panel=hand_over]")).to_be_visible()
    expect(page.locator(".toast").last).to_contain_text(packed)
    assert state(site, request["id"]) == "packed"
    assert f"{site.base}/picking/{request['id']}/labels.pdf" in seen.asked_for
    scan(page, shelf["courier"])
    expect(page).to_have_url(site.base + "/picking")
    expect(page.locator(".toast").last).to_contain_text(handed)
    assert state(site, request["id"]) == "dispatched"
    assert books(site) == []
    assert seen.complaints == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_wrong_bin_and_a_wrong_part_are_told_and_change_nothing(visit, site, shelf, language):
    request = asked(site)
    before = balance(site, shelf["part"])
    that_is, *_ = LANGUAGES[language]
    page = handheld(visit, site, language).page
    page.goto(f"{site.base}/picking/{request['id']}")
    wrong = page.locator("[data-line]:visible [data-wrong]")
    scan(page, "A-03-2")
    expect(wrong).to_contain_text("A-03-2")
    expect(wrong).to_contain_text("A-03-4")
    expect(page.locator("html")).to_have_attribute("data-sounded", "wrong")
    expect(target(page)).to_have_text("A-03-4")
    scan(page, "A-03-4")
    expect(page.locator("html")).to_have_attribute("data-sounded", "ok")
    expect(wrong).to_be_hidden()
    scan(page, shelf["other"])
    expect(wrong).to_contain_text(f"{that_is} {shelf['other']}" if language == "en" else f"这是 {shelf['other']}")
    expect(wrong).to_contain_text("A-03-2")
    expect(wrong).to_contain_text("A-03-4")
    expect(page.locator("html")).to_have_attribute("data-sounded", "wrong")
    assert (state(site, request["id"]), balance(site, shelf["part"])) == ("accepted", before)


def test_serials_are_each_counted_once_and_a_step_is_undone(visit, site, shelf):
    drive = [{"part_number": shelf["drive"], "quantity": 2, "position": None}]
    request = asked(site, lines=drive)
    held = request["lines"][0]["serial"].split(", ")
    page = handheld(visit, site).page
    page.goto(f"{site.base}/picking/{request['id']}")
    scan(page, "B-01-1")
    taken = page.locator("[data-line]:visible [data-taken] li")
    scan(page, held[0])
    expect(taken).to_have_count(2)
    page.evaluate(
        "code => document.dispatchEvent(new CustomEvent('scanned', {detail: {code}, cancelable: true}))", held[0]
    )
    expect(page.locator("[data-line]:visible [data-wrong]")).to_contain_text(held[0])
    expect(taken).to_have_count(2)
    page.locator("[data-line]:visible [data-undo]").click()
    expect(taken).to_have_count(1)
    page.reload()
    expect(taken).to_have_count(1)
    scan(page, f"(240){shelf['drive']}(21){held[1]}")
    expect(taken).to_have_count(2)
    scan(page, held[0])
    expect(page.locator("[data-panel=pack]")).to_be_visible()
    assert state(site, request["id"]) == "picked"
    assert books(site) == []


def test_a_finished_pick_is_undone_and_picked_again(visit, site, shelf):
    request = asked(site)
    before = balance(site, shelf["part"])
    page = handheld(visit, site, "zh-CN").page
    page.goto(f"{site.base}/picking/{request['id']}")
    scan(page, "A-03-4")
    scan(page, shelf["part"])
    expect(page.locator("[data-panel=pack]")).to_be_visible()
    page.get_by_role("button", name="撤销拣货").click()
    expect(target(page)).to_have_text("A-03-4")
    assert (state(site, request["id"]), balance(site, shelf["part"])) == ("accepted", before)
    scan(page, "A-03-4")
    scan(page, shelf["part"])
    expect(page.locator("[data-panel=pack]")).to_be_visible()
    assert books(site) == []


def test_two_at_one_queue_see_each_other_and_one_picks(visit, site, shelf):
    request = asked(site)
    first, second = handheld(visit, site).page, handheld(visit, site, "zh-CN").page
    first.goto(f"{site.base}/picking/{request['id']}")
    expect(first.locator("#pick[data-step=pick]")).to_be_attached()
    expect(second.locator(f"#pick-{request['id']}-{site.world.local} .at-it")).to_contain_text("正在拣")
    second.goto(f"{site.base}/picking/{request['id']}")
    expect(second.locator("#at-it")).to_be_visible()
    scan(second, "A-03-4")
    scan(first, "A-03-4")
    scan(first, shelf["part"])
    expect(first.locator("[data-panel=pack]")).to_be_visible()
    expect(second.locator("#by-others")).to_contain_text("已拣")
    expect(second.locator(".toast")).to_contain_text("已拣")
    expect(second.locator("[data-panel=pack]")).to_be_visible()
    assert state(site, request["id"]) == "picked"
    assert books(site) == []


def test_whoever_is_late_is_told_who_was_first(visit, site, shelf):
    request = asked(site)
    late = handheld(visit, site)
    page = late.page
    page.route("**/live**", lambda route: route.abort())
    page.goto(f"{site.base}/picking/{request['id']}")
    scan(page, "A-03-4")

    async def pick(api, world) -> Any:
        return await world.do(request["id"], "pick")

    through_api(site, pick)
    scan(page, shelf["part"])
    expect(page.locator(".toast.is-late").last).to_contain_text("has picked this already")
    expect(page.locator("html")).to_have_attribute("data-sounded", "wrong")
    assert books(site) == []


def test_a_pick_without_connection_is_kept_and_sent_once(visit, site, shelf):
    request = asked(site)
    before = balance(site, shelf["part"])
    page = handheld(visit, site).page
    page.goto(f"{site.base}/picking/{request['id']}")
    scan(page, "A-03-4")
    page.context.set_offline(True)
    scan(page, shelf["part"])
    expect(page.locator("#queued")).to_be_visible()
    expect(page.locator("#queued b")).to_have_text("1")
    expect(page.locator(".toast").last).to_contain_text("Kept on this device")
    expect(page.locator("[data-panel=pack]")).to_be_visible()
    page.locator("[data-panel=pack] [data-go]").click()
    expect(page.locator("#queued b")).to_have_text("2")
    assert state(site, request["id"]) == "accepted"
    page.context.set_offline(False)
    expect(page.locator("#queued")).to_be_hidden(timeout=15_000)
    expect(page.locator("#pick[data-step=hand_over]")).to_be_attached()
    assert (state(site, request["id"]), balance(site, shelf["part"])) == ("packed", (before[0] - 1, before[1] - 1))
    assert books(site) == []


def test_a_carrier_takes_it_with_its_waybill(visit, site, shelf):
    request = asked(site)
    page = handheld(visit, site).page

    async def to_packed(api, world) -> None:
        await world.do(request["id"], "pick")
        await world.do(request["id"], "pack")

    through_api(site, to_packed)
    page.goto(f"{site.base}/picking/{request['id']}")
    page.get_by_text("carrier", exact=True).click()
    page.locator("#carrier").fill("SF")
    scan(page, "SF1234567890")
    expect(page).to_have_url(site.base + "/picking")
    assert state(site, request["id"]) == "dispatched"


def test_other_places_do_not_exist_and_no_price_is_shown(visit, site, shelf):
    request = asked(site)
    seen = visit("en", DESKTOP)
    page = sign_in(seen, site, site.key("warehouse", places=[site.world.branch]))
    expect(page.locator(".empty")).to_be_visible()
    assert page.goto(f"{site.base}/picking/{request['id']}").status == 404
    mine = handheld(visit, site).page
    mine.goto(f"{site.base}/picking/{request['id']}")
    assert "98.50" not in mine.content()
    assert "CNY" not in mine.content()


@pytest.mark.parametrize(
    ("language", "size", "scheme"), [("zh-CN", PHONE, "dark"), ("en", DESKTOP, "light")], ids=["phone", "desktop"]
)
def test_the_pages_of_a_pick_can_be_read_by_everybody(visit, site, shelf, language, size, scheme):
    request = asked(site, priority="emergency")
    seen = visit(language, size, color_scheme=scheme)
    page = sign_in(seen, site, site.key("warehouse", places=[site.world.local]))
    for path in ("/picking", f"/picking/{request['id']}"):
        page.goto(site.base + path)
        assert (fits(page), contrasts(page), findings(page)) == (True, [], []), path
    targets = page.locator("[data-line]:visible .actions button:visible")
    assert [one for one in targets.evaluate_all("all => all.map((one) => one.offsetHeight)") if one < 48] == []
    assert seen.complaints == []
