"""The scan box: each code leads each role to its page, within its scope; what is several or nothing says so."""

import html
import re

import pytest
from PIL import Image

from app.core.settings import Settings
from app.main import create_app
from app.web import addresses, barcodes
from app.web.finding import likeliest, wanted_of
from app.web.scan import MAY_OPEN
from app.web.scanned import understand
from tests.builders import unique
from tests.cast import a_world
from tests.web.photographs import photograph, picture, saved
from tests.web.visitors import signed_in, token_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(api):
    """A customer's world with a lot, serials, and a request that was picked and fitted."""
    made = await a_world(api)
    await made.receive(made.psu, 5)
    return made


async def visitor_of(app, as_role, role, **scope):
    return await signed_in(app, await as_role(role, **scope), **{"Accept-Language": "en"})


async def led(browser, code: str) -> str:
    """Where a scan leads, or the heading of the page that says why it does not."""
    answer = await browser.get("/scan", params={"code": code})
    if answer.status_code == 303:
        return answer.headers["location"]
    return html.unescape(re.search(r"<h1>(.*?)</h1>", answer.text)[1])


NOTHING, WHICH = "Nothing here answers to this code", "Which one do you mean?"


async def test_a_device_leads_to_its_warranty_and_the_warehouse_to_what_is_asked_for_it(app, as_role, world):
    request = await world.ask()
    engineer = await visitor_of(app, as_role, "engineer", customers=[world.customer])
    warehouse = await visitor_of(app, as_role, "warehouse", places=[world.local])
    for code in (world.serial, world.serial.lower(), f" {world.serial}\r", f"http://x.example/devices/{world.serial}"):
        assert await led(engineer, code) == addresses.device(world.serial)
        assert await led(warehouse, code) == addresses.picking(request["id"])


async def test_a_part_a_lot_and_a_piece_lead_to_their_stock(app, as_role, api, world):
    lot, serial, tracked, lots = unique("L"), unique("PS"), unique("BRD"), unique("OIL")
    for number, tracking in ((tracked, "serial"), (lots, "lot")):
        await api.post("/v1/parts", json={"number": number, "name": "主板", "tracking": tracking, "fitting_minutes": 5})
    await world.receive(tracked, 1, serials=[serial])
    await world.receive(lots, 3, lot=lot)
    browser = await visitor_of(app, as_role, "warehouse", places=[world.local])
    assert await led(browser, world.psu) == addresses.part(world.psu)
    assert await led(browser, lot) == addresses.part(lots, lot=lot)
    assert await led(browser, serial) == addresses.part(tracked, serial=serial)
    assert await led(browser, f"]d2240{tracked}\x1d21{serial}") == addresses.part(tracked, serial=serial)
    assert await led(browser, f"(240){tracked}(21){serial}") == addresses.part(tracked, serial=serial)
    assert await led(browser, f"(240){lots}(10){lot}") == addresses.part(lots, lot=lot)
    assert await led(browser, f"(240){lots}(10)UNHEARD") == addresses.part(lots)
    assert await led(browser, f"http://x.example{addresses.part(lots, lot=lot)}") == addresses.part(lots, lot=lot)


async def test_a_lot_that_two_parts_share_is_the_named_parts(app, as_role, api, world):
    lot, first, second = unique("L"), unique("OIL"), unique("GREASE")
    for number in (first, second):
        await api.post("/v1/parts", json={"number": number, "name": "油", "tracking": "lot", "fitting_minutes": 5})
        await world.receive(number, 1, lot=lot)
    browser = await visitor_of(app, as_role, "warehouse", places=[world.local])
    assert await led(browser, f"(240){second}(10){lot}") == addresses.part(second, lot=lot)
    assert await led(browser, f"(240)MAKERS-OWN(10){lot}") == WHICH
    assert await led(browser, lot) == WHICH


async def test_a_bin_leads_to_what_lies_in_it_and_is_a_choice_where_several_places_have_it(app, as_role, api, world):
    code = unique("A-03")
    for place in (world.local, world.branch):
        (await api.post("/v1/bins", json={"place": place, "code": code})).raise_for_status()
    clerk, dispatcher = (
        await visitor_of(app, as_role, "warehouse", places=[world.local]),
        await visitor_of(app, as_role, "dispatcher"),
    )
    assert await led(clerk, code) == addresses.bin(world.local, code)
    assert await led(dispatcher, code) == WHICH
    assert await led(dispatcher, f"https://x.example{addresses.bin(world.branch, code)}") == addresses.bin(
        world.branch, code
    )
    assert await led(clerk, f"https://x.example{addresses.bin(world.branch, code)}") == NOTHING


async def test_a_trade_item_number_may_be_a_part_number(app, as_role, api, world):
    body = {"number": "4006381333931", "name": "marker", "tracking": "none", "fitting_minutes": 5}
    await api.post("/v1/parts", json=body)
    browser = await visitor_of(app, as_role, "dispatcher")
    for code in ("4006381333931", "]E04006381333931", "(01)04006381333931(10)X", "0104006381333931" + "10X"):
        assert await led(browser, code) == addresses.part("4006381333931")


@pytest.mark.parametrize(
    ("role", "work"),
    [
        ("warehouse", addresses.picking),
        ("engineer", addresses.request),
        ("dispatcher", addresses.request),
        ("finance", addresses.request),
    ],
)
async def test_a_request_leads_each_role_to_its_work(app, as_role, world, role, work):
    request = await world.ask(ticket={"system": "helpdesk", "number": (ticket := unique("HD"))})
    scope = {"places": [world.local]} if role == "warehouse" else {"customers": [world.customer]}
    browser = await visitor_of(app, as_role, role, **scope)
    there = work(request["id"])
    for code in (request["id"], ticket, f"R-{request['id'][-5:].upper()}", f"https://x.example/r/{request['id']}"):
        assert await led(browser, code) == there
    assert (await browser.get(addresses.short(request["id"]))).headers["location"] == there


async def test_a_pick_lists_code_leads_to_the_pick(app, as_role, world):
    request = await world.ask()
    dispatcher = await visitor_of(app, as_role, "dispatcher", areas=[world.area])
    engineer = await visitor_of(app, as_role, "engineer", areas=[world.area])
    for code in (f"P-{request['id'][-5:].upper()}", f"http://x.example/picking/{request['id']}"):
        assert await led(dispatcher, code) == addresses.picking(request["id"])
        assert await led(engineer, code) == addresses.request(request["id"])


async def test_a_verdict_leads_to_its_proof(app, as_role, world):
    verdict = (await world.ask())["entitlement"]["verdict"]
    finance = await visitor_of(app, as_role, "finance")
    warehouse = await visitor_of(app, as_role, "warehouse", places=[world.local])
    assert await led(finance, f"http://x.example/verdicts/{verdict}.pdf") == addresses.verdict(verdict)
    assert await led(warehouse, verdict) == NOTHING


async def test_the_old_part_leads_to_the_request_that_took_it_out(app, as_role, world):
    request = await world.ask()
    removed, fitted = unique("OLD"), unique("NEW")
    for verb, body in (("pick", {}), ("pack", {}), ("dispatch", {"carrier": "SF", "waybill": "SF1"}), ("deliver", {}),
                       ("fit", {"fitted_serial": fitted, "removed_serial": removed, "old_part": "return"})):  # fmt: skip
        await world.do(request["id"], verb, **body)
    browser = await visitor_of(app, as_role, "warehouse", places=[world.local])
    assert await led(browser, removed) == addresses.picking(request["id"])
    assert await led(browser, fitted) == addresses.picking(request["id"])


async def test_a_piece_that_was_issued_leads_to_its_request(app, as_role, api, world):
    serial, number = unique("PS"), unique("BRD")
    await api.post("/v1/parts", json={"number": number, "name": "主板", "tracking": "serial", "fitting_minutes": 5})
    await world.receive(number, 1, serials=[serial])
    positions = [{"position": "board", "part_number": number, "key": True}]
    await api.post("/v1/models", json={"code": (model := unique("NVR")), "name": "recorder", "positions": positions})
    lines = [{"part_number": number, "quantity": 1, "position": "board"}]
    request = await world.ask(device_serial=await world.device(model=model), lines=lines)
    clerk = await visitor_of(app, as_role, "warehouse", places=[world.local])
    engineer = await visitor_of(app, as_role, "engineer", customers=[world.customer])
    assert await led(clerk, serial) == addresses.part(number, serial=serial)
    await world.do(request["id"], "pick")
    assert await led(clerk, serial) == addresses.picking(request["id"])
    assert await led(engineer, serial) == addresses.request(request["id"])


async def test_what_a_role_has_no_page_for_is_told_all_the_same(app, as_role, world):
    engineer = await visitor_of(app, as_role, "engineer", customers=[world.customer])
    clerk = await visitor_of(app, as_role, "warehouse", places=[world.local])
    for browser, code, says in ((engineer, world.psu, "A part."), (clerk, world.serial, "A device, for which nothing")):
        answer = (await browser.get("/scan", params={"code": code})).text
        assert "There is no page of it for you" in answer
        assert says in answer
        assert code in answer


async def test_T135_what_is_out_of_scope_is_answered_like_what_does_not_exist(app, as_role, world):
    request = await world.ask(ticket={"system": "helpdesk", "number": (ticket := unique("HD"))})
    verdict, end = request["entitlement"]["verdict"], request["id"][-5:]
    twins = {
        world.serial: unique("SN"),
        ticket: unique("HD"),
        request["id"]: f"req_{'0' * 27}{end}",
        verdict: f"ver_{'0' * 32}",
        f"R-{end}": "R-00000",
    }
    elsewhere = {"customers": [unique("C")], "areas": [unique("A")], "places": [unique("P")]}
    for role in ("engineer", "dispatcher", "finance", "warehouse"):
        browser = await visitor_of(app, as_role, role, **elsewhere)
        for code, twin in twins.items():
            assert await told(browser, code) == await told(browser, twin), (role, code)


async def told(browser, code: str) -> str:
    """The page that a scan gets, without the code itself and what is new on every page."""
    answer = await browser.get("/scan", params={"code": code})
    assert NOTHING in answer.text
    return re.sub(r'"[\w=-]{20,}"', "", answer.text.replace(code, "").replace(code[-5:], ""))


async def test_what_is_several_things_is_a_choice(app, as_role, api, world):
    name = unique("BOTH")
    await world.device(serial=name)
    await api.post("/v1/parts", json={"number": name, "name": "camera", "tracking": "none", "fitting_minutes": 5})
    browser = await visitor_of(app, as_role, "dispatcher")
    answer = await browser.get("/scan", params={"code": name})
    assert answer.status_code == 200
    assert WHICH in answer.text
    assert set(re.findall(r'class="card" href="([^"]+)"', answer.text)) == {
        addresses.device(name),
        addresses.part(name),
    }
    assert await led(browser, world.psu.lower()) == addresses.part(world.psu)


async def test_a_piece_that_became_a_device_is_the_device(app, as_role, api, world):
    serial, camera = unique("CAM"), unique("CAMPART")
    await api.post("/v1/parts", json={"number": camera, "name": "camera", "tracking": "serial", "fitting_minutes": 5})
    await world.receive(camera, 1, serials=[serial])
    dispatcher = await visitor_of(app, as_role, "dispatcher")
    assert await led(dispatcher, serial) == addresses.part(camera, serial=serial)
    await world.device(serial=serial)
    assert await led(dispatcher, serial) == WHICH
    line = {"part_number": camera, "change": -1, "serials": [serial]}
    gone = await api.post("/v1/adjustments", json={"place": world.local, "reason": "installed", "lines": [line]})
    assert gone.status_code == 201
    assert await led(dispatcher, serial) == addresses.device(serial)


@pytest.mark.parametrize("code", ["no-such-thing", "'; DROP TABLE part; --", "<script>alert(1)</script>", "%", "电源"])
async def test_what_is_nothing_says_what_was_tried_and_what_to_do(app, as_role, code):
    browser = await visitor_of(app, as_role, "warehouse")
    answer = await browser.get("/scan", params={"code": code})
    assert answer.status_code == 200
    assert NOTHING in answer.text
    assert "It was looked up as" in answer.text
    assert "<script>alert" not in answer.text


async def test_a_misread_number_is_told_from_an_unknown_one(app, as_role):
    browser = await visitor_of(app, as_role, "warehouse")
    misread = (await browser.get("/scan", params={"code": "(01)09506000134353(10)AB12"})).text
    assert "Its check digit is wrong" in misread
    assert "AB12" in misread


async def test_an_empty_box_says_what_it_understands(app, as_role):
    browser = await visitor_of(app, as_role, "engineer")
    for path in ("/scan", "/scan?code=%20%0d"):
        answer = await browser.get(path)
        assert (answer.status_code, "are understood" in answer.text) == (200, True)
    assert (await browser.get("/scan/photo")).headers["location"] == "/scan"


async def sent(browser, image: bytes | None, *, name="photo.jpg"):
    token = token_in((await browser.get("/scan")).text)
    files = {"photo": (name, image, "image/jpeg")} if image is not None else {}
    return await browser.post("/scan/photo", data={"token": token}, files=files)


async def test_a_photo_of_a_label_leads_where_its_codes_lead(app, as_role, world):
    request = await world.ask()
    browser = await visitor_of(app, as_role, "warehouse", places=[world.local])
    label = barcodes.qr(f"https://x.example/r/{request['id']}")
    answer = await sent(browser, saved(photograph(label, scale=7)))
    assert (answer.status_code, answer.headers["location"]) == (303, addresses.picking(request["id"]))


async def test_a_photo_of_two_things_is_a_choice(app, as_role, world):
    browser = await visitor_of(app, as_role, "dispatcher")
    both = Image.new("L", (900, 500), 255)
    both.paste(picture(barcodes.data_matrix(world.serial), 6), (20, 20))
    both.paste(picture(barcodes.data_matrix(world.psu), 6), (400, 20))
    answer = await sent(browser, saved(both, "PNG"))
    assert set(re.findall(r'class="card" href="([^"]+)"', answer.text)) == {
        addresses.device(world.serial),
        addresses.part(world.psu),
    }


@pytest.mark.parametrize(
    ("image", "status", "says"),
    [
        (None, 422, "cannot be opened as a photo"),
        (b"not a picture", 422, "cannot be opened as a photo"),
        (saved(Image.new("RGB", (300, 300), "gray")), 422, "No code was found in this photo"),
        (b"\xff\xd8" + bytes(10_500_000), 413, "This photo is too large"),
        (b"\xff\xd8" + bytes(12_000_000), 413, "This photo is too large"),
    ],
    ids=["none", "text", "no code", "large", "larger"],
)
async def test_a_photo_that_says_nothing_is_refused_in_words(app, as_role, image, status, says):
    answer = await sent(await visitor_of(app, as_role, "engineer"), image)
    assert (answer.status_code, says in answer.text) == (status, True)


async def test_T141_a_photo_from_another_site_is_refused(app, as_role):
    browser = await visitor_of(app, as_role, "engineer")
    answer = await browser.post("/scan/photo", files={"photo": ("a.jpg", b"x", "image/jpeg")})
    assert answer.status_code == 403


def test_names_that_came_as_they_are_count_before_folded_ones():
    scan = understand("abc")
    assert wanted_of(scan)[0].order == ("abc", "ABC")
    assert likeliest([], scan.tries) == ()


def test_codes_lead_only_where_their_role_may_go():
    ways = {
        "/devices/{serial:str}": "device",
        "/stock/parts/{number:str}": "part",
        "/stock/bins/{place:str}/{bin:str}": "bin",
        "/requests/{request_id:str}": "request",
        "/verdicts/{verdict_id:str}": "verdict",
    }
    app = create_app(Settings(), "postgresql://nobody@/nowhere")
    closed = [
        (route.path, MAY_OPEN[ways[route.path]] - {"integration"} - handler.opt["page_roles"])
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if route.path in ways and "GET" in handler.http_methods
    ]
    assert [one for one in closed if one[1]] == []
