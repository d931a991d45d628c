"""The warehouse's papers, opened: what they say, what their codes lead to, and who gets none."""

import pypdfium2
import pytest
import zxingcpp

from tests.builders import unique
from tests.cast import World, a_world, made
from tests.web.visitors import signed_in

pytestmark = pytest.mark.anyio


def text_of(raw: bytes) -> str:
    document = pypdfium2.PdfDocument(raw)
    return " ".join("".join(page.get_textpage().get_text_range() for page in document).split())


def codes_on(raw: bytes) -> set[str]:
    """Every code on the paper, decoded from what a printer of 203 dpi would print."""
    return {
        found.text
        for page in pypdfium2.PdfDocument(raw)
        for found in zxingcpp.read_barcodes(page.render(scale=203 / 72 * 2).to_pil())
    }


async def a_pick(api) -> tuple[World, str, str]:
    """A world with a serial part in a bin, and a request for it."""
    world, serial = await a_world(api), unique("S")
    await made(api, "/v1/bins", {"place": world.local, "code": "A-03-4"})
    drive = unique("HDD")
    await made(api, "/v1/parts", {"number": drive, "name": "硬盘 4T", "tracking": "serial"})
    world.model = unique("NVR")
    positions = [{"position": "psu", "part_number": world.psu, "key": True}]
    positions += [{"position": "disk", "part_number": drive, "key": False}]
    await made(api, "/v1/models", {"code": world.model, "name": "Recorder", "positions": positions})
    await world.receive(drive, 1, serials=[serial], bin="A-03-4")
    lines = [{"part_number": drive, "quantity": 1, "position": "disk"}]
    request = await world.ask(device_serial=await world.device(), lines=lines)
    return world, request["id"], serial


@pytest.mark.parametrize(("language", "title"), [("zh-CN", "拣货单"), ("en", "Pick list")])
async def test_a_pick_list_says_what_to_take_from_where(app, api, as_role, language, title):
    world, request, serial = await a_pick(api)
    browser = await signed_in(app, await as_role("warehouse", places=[world.local]), **{"Accept-Language": language})
    for address in ("/picking/list.pdf", f"/picking/list.pdf?only={request}"):
        answer = await browser.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        words = text_of(answer.content)
        assert [one for one in (title, "A-03-4", serial, "机场北") if one not in words] == []
        assert {f"http://sparelane.test/r/{request}", f"P-{request[-5:].upper()}"} <= codes_on(answer.content)


async def test_a_label_decodes_back_and_says_the_warranty_s_end(app, api, as_role):
    world, request, serial = await a_pick(api)
    browser = await signed_in(app, await as_role("warehouse", places=[world.local]), **{"Accept-Language": "zh-CN"})
    answer = await browser.get(f"/picking/{request}/labels.pdf")
    words = text_of(answer.content)
    assert [one for one in (serial, "机场北", "质保至 2028-03-01") if one not in words] == []
    assert codes_on(answer.content) == {f"http://sparelane.test/r/{request}", serial}


async def test_a_dispatch_note_names_pieces_and_whither_without_a_price(app, api, as_role):
    world, request, serial = await a_pick(api)
    await world.do(request, "pick")
    browser = await signed_in(app, await as_role("warehouse", places=[world.local]), **{"Accept-Language": "zh-CN"})
    words = text_of((await browser.get(f"/picking/{request}/note.pdf")).content)
    assert [one for one in ("发货单", serial, "机场北", world.customer) if one not in words] == []
    assert "98.50" not in words
    assert "CNY" not in words


async def test_what_was_received_gets_labels_that_lead_to_it(app, api, as_role):
    world, serials = await a_world(api), [unique("S") for _ in range(2)]
    drive = unique("HDD")
    await made(api, "/v1/parts", {"number": drive, "name": "硬盘 4T", "tracking": "serial"})
    line = {"part_number": drive, "quantity": 2, "serials": serials, "unit_cost": {"amount": "5", "currency": "CNY"}}
    receipt = await made(api, "/v1/receipts", {"place": world.local, "reference": unique("PO"), "lines": [line]})
    browser = await signed_in(app, await as_role("warehouse", places=[world.local]))
    answer = await browser.get(f"/receiving/{receipt['id']}/labels.pdf")
    assert len(pypdfium2.PdfDocument(answer.content)) == 2
    links = {f"http://sparelane.test/stock/parts/{drive}?serial={serial}" for serial in serials}
    assert codes_on(answer.content) == {*links, *serials}


async def test_papers_of_other_places_do_not_exist(app, api, as_role):
    world, request, _ = await a_pick(api)
    browser = await signed_in(app, await as_role("warehouse", places=[world.branch]))
    for address in (
        f"/picking/{request}/note.pdf",
        f"/picking/{request}/labels.pdf",
        f"/picking/list.pdf?only={request}",
        "/receiving/rcp_none/labels.pdf",
    ):
        assert (await browser.get(address)).status_code == 404, address
