"""Bins and purchases: where pieces lie, put away and told; goods received at the cost that finance recorded."""

import pytest

from app.cli.check import check
from tests.builders import unique
from tests.cast import YINCHUAN, made

pytestmark = pytest.mark.anyio


async def a_place(api) -> str:
    code = unique("WH")
    body = {"code": code, "name": code, "kind": "own", "latitude": YINCHUAN[0], "longitude": YINCHUAN[1]}
    await made(api, "/v1/places", body | {"timezone": "Asia/Shanghai"})
    return code


async def a_part(api, tracking: str = "none") -> str:
    number = unique("PSU")
    await made(api, "/v1/parts", {"number": number, "name": "电源", "tracking": tracking})
    return number


def line(part: str, quantity: int = 2, **more) -> dict:
    return {"part_number": part, "quantity": quantity, "unit_cost": {"amount": "10.00", "currency": "CNY"}} | more


async def received(api, place: str, *lines: dict, status: int = 201):
    return await made(api, "/v1/receipts", {"place": place, "reference": unique("PO"), "lines": list(lines)}, status)


async def bins_of(api, place: str) -> list[tuple[str, int, int]]:
    items = (await api.get("/v1/bins", params={"place": place})).json()["items"]
    return [(one["code"], one["parts"], one["on_hand"]) for one in items]


async def test_what_is_received_into_a_bin_lies_there(api, engine):
    place, part = await a_place(api), await a_part(api)
    await made(api, "/v1/bins", {"place": place, "code": "A-03-2", "note": "left of the door"})
    answer = await received(api, place, line(part, bin="A-03-2"))
    assert answer["lines"][0]["bin"] == "A-03-2"
    assert await bins_of(api, place) == [("A-03-2", 1, 2)]
    stock = (await api.get("/v1/stock", params={"place": place})).json()["items"]
    assert [(one["part_number"], one["bins"]) for one in stock] == [(part, ["A-03-2"])]
    assert await check(engine) == []


async def test_a_bin_is_named_once_and_only_known_ones_take_pieces(api):
    place, part = await a_place(api), await a_part(api)
    await made(api, "/v1/bins", {"place": place, "code": "A-01-1"})
    again = await api.post("/v1/bins", json={"place": place, "code": "A-01-1"})
    assert (again.status_code, again.json()["code"]) == (409, "bin.already_there")
    nowhere = await received(api, place, line(part, bin="Z-99-9"), status=422)
    assert [(one["field"], one["code"]) for one in nowhere["errors"]] == [("lines.0.bin", "bin.unknown")]
    assert (await api.get("/v1/stock", params={"place": place})).json()["items"] == []


async def test_pieces_are_put_away_by_serial_by_lot_or_out_of_a_bin(api, engine):
    place, serials = await a_place(api), [unique("S") for _ in range(3)]
    drive, battery = await a_part(api, "serial"), await a_part(api, "lot")
    for code in ("A-01-1", "A-01-2"):
        await made(api, "/v1/bins", {"place": place, "code": code})
    await received(api, place, line(drive, 3, serials=serials, bin="A-01-1"), line(battery, 4, lot="L1"))

    async def put(bin, *lines) -> list[tuple]:
        answer = await made(api, "/v1/bins/put-away", {"place": place, "bin": bin, "lines": list(lines)})
        return [(one["part_number"], one["quantity"], one["from_bin"]) for one in answer["lines"]]

    assert await put("A-01-2", {"part_number": drive, "serials": serials[:1]}) == [(drive, 1, "A-01-1")]
    assert await put("A-01-2", {"part_number": battery, "only_unplaced": True}) == [(battery, 4, None)]
    assert await bins_of(api, place) == [("A-01-1", 1, 2), ("A-01-2", 2, 5)]
    assert len(await put("A-01-2", {"part_number": drive, "from_bin": "A-01-1"})) == 2
    assert await put(None, {"part_number": battery, "lot": "L1"}) == [(battery, 4, "A-01-2")]
    assert await bins_of(api, place) == [("A-01-1", 0, 0), ("A-01-2", 1, 3)]
    assert await check(engine) == []


async def test_nothing_is_put_away_that_is_not_there(api):
    place, part = await a_place(api), await a_part(api)
    await made(api, "/v1/bins", {"place": place, "code": "A-01-1"})
    body = {"place": place, "bin": "A-01-1", "lines": [{"part_number": part}]}
    nothing = await made(api, "/v1/bins/put-away", body, 409)
    assert nothing["code"] == "bin.nothing_there"
    elsewhere = await made(api, "/v1/bins/put-away", body | {"bin": "B-01-1"}, 404)
    assert elsewhere["code"] == "bin.not_found"


async def test_a_bin_does_not_travel_with_its_pieces(api, engine):
    place, other, part = await a_place(api), await a_place(api), await a_part(api)
    await made(api, "/v1/bins", {"place": place, "code": "A-01-1"})
    await received(api, place, line(part, bin="A-01-1"))
    sent = {"from_place": place, "to_place": other, "lines": [{"part_number": part, "quantity": 1}]}
    transfer = await made(api, "/v1/transfers", sent)
    await made(api, f"/v1/transfers/{transfer['id']}/receive", {}, 200)
    stock = (await api.get("/v1/stock", params={"part": part})).json()["items"]
    assert {one["place"]: one["bins"] for one in stock} == {place: ["A-01-1"], other: []}
    assert await check(engine) == []


async def test_the_warehouse_sees_bins_of_its_own_places_alone(api, as_role):
    mine, other, part = await a_place(api), await a_place(api), await a_part(api)
    for place in (mine, other):
        await made(api, "/v1/bins", {"place": place, "code": "A-01-1"})
        await received(api, place, line(part))
    warehouse = await as_role("warehouse", places=[mine])
    items = (await warehouse.get("/v1/bins", params={"limit": 200})).json()["items"]
    assert {one["place"] for one in items} == {mine}
    body = {"place": other, "bin": "A-01-1", "lines": [{"part_number": part}]}
    assert (await warehouse.post("/v1/bins/put-away", json=body)).status_code == 404
    assert (await warehouse.post("/v1/bins", json={"place": other, "code": "B-01-1"})).status_code == 404


async def test_goods_are_received_at_the_cost_that_was_recorded_by_who_sees_none(api, as_role, engine):
    place, part, reference = await a_place(api), await a_part(api), unique("PO")
    ordered = {"part_number": part, "quantity": 10, "unit_cost": {"amount": "12.50", "currency": "CNY"}}
    await made(api, "/v1/purchases", {"place": place, "reference": reference, "lines": [ordered]})
    warehouse = await as_role("warehouse", places=[place])
    seen = (await warehouse.get("/v1/purchases", params={"place": place})).json()["items"]
    assert [(one["part_number"], one["quantity"], one["unit_cost"]) for one in seen] == [(part, 10, None)]
    receipt = {"place": place, "reference": reference, "lines": [{"part_number": part, "quantity": 4}]}
    got = await made(warehouse, "/v1/receipts", receipt)
    assert got["lines"][0]["value"] is None
    worth = (await api.get("/v1/stock", params={"place": place})).json()["items"][0]["value"]
    assert worth == [{"amount": "50.00", "currency": "CNY"}]
    left = (await api.get("/v1/purchases", params={"reference": reference})).json()["items"]
    assert [(one["quantity"], one["received"]) for one in left] == [(10, 4)]
    assert await check(engine) == []


async def test_no_cost_is_made_up(api):
    place, part = await a_place(api), await a_part(api)
    await received(api, place, line(part))
    unknown = {"place": place, "reference": unique("PO"), "lines": [{"part_number": part, "quantity": 1}]}
    refused = await made(api, "/v1/receipts", unknown, 422)
    assert [(one["field"], one["code"]) for one in refused["errors"]] == [
        ("lines.0.unit_cost", "purchase.cost_unknown")
    ]
