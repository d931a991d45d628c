"""The warehouse's work through its doors: receipts, transfers, counts, adjustments, returns, loans, and who sees what."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.builders import unique

pytestmark = pytest.mark.anyio
Json = dict[str, Any]


async def made(api: httpx.AsyncClient, path: str, body: Json, status: int = 201) -> Json:
    answer = await api.post(path, json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def place(api: httpx.AsyncClient, **more: Any) -> str:
    code = unique("WH")
    fixed = {"name": code, "kind": "own", "latitude": 30.7, "longitude": 111.3, "timezone": "Asia/Shanghai"}
    await made(api, "/v1/places", {"code": code} | fixed | more)
    return code


async def part(api: httpx.AsyncClient, tracking: str = "none") -> str:
    number = unique("PSU")
    await made(api, "/v1/parts", {"number": number, "name": "Power supply", "tracking": tracking})
    return number


def line(part_number: str, quantity: int, amount: str = "10.00", **more: Any) -> Json:
    return {"part_number": part_number, "quantity": quantity, "unit_cost": {"amount": amount, "currency": "CNY"}} | more


def receipt(at: str, *lines: Json) -> Json:
    return {"place": at, "reference": "PO-1", "lines": list(lines)}


async def stock(api: httpx.AsyncClient, at: str, number: str) -> list[tuple[str, int, int, int]]:
    answer = await api.get("/v1/stock", params={"place": at, "part": number})
    return [(row["condition"], row["on_hand"], row["reserved"], row["available"]) for row in answer.json()["items"]]


async def refused(api: httpx.AsyncClient, path: str, body: Json, status: int, code: str) -> Json:
    answer = await api.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return dict(answer.json())


async def test_S6_a_receipt_becomes_stock(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api)
    answer = await made(api, "/v1/receipts", receipt(at, line(number, 5), line(number, 2, "12.50")))
    assert [one["value"] for one in answer["lines"]] == [
        {"amount": "50.00", "currency": "CNY"},
        {"amount": "25.00", "currency": "CNY"},
    ]
    assert await stock(api, at, number) == [("new", 7, 0, 7)]
    row = (await api.get("/v1/stock", params={"place": at})).json()["items"][0]
    assert row["value"] == [{"amount": "75.00", "currency": "CNY"}]


async def test_T26_a_cost_finer_than_the_coin_is_rounded_once(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api, "serial")
    serials = [unique("SN") for _ in range(3)]
    answer = await made(api, "/v1/receipts", receipt(at, line(number, 3, "0.3333", serials=serials)))
    assert answer["lines"][0]["value"]["amount"] == "1.00"
    moved = (await api.get("/v1/stock/movements", params={"part": number})).json()["items"]
    assert sorted(one["value"]["amount"] for one in moved) == ["0.33", "0.33", "0.34"]


async def test_a_receipt_names_every_wrong_line_and_books_none(api: httpx.AsyncClient) -> None:
    at, number, by_serial, by_lot = await place(api), await part(api), await part(api, "serial"), await part(api, "lot")
    lines = [
        line(number, 1),
        line("NO-SUCH-PART", 1),
        line(by_serial, 2, serials=["only-one"]),
        line(by_serial, 1),
        line(by_lot, 1),
        line(number, 1, serials=["S"]),
    ]
    problem = await refused(api, "/v1/receipts", receipt(at, *lines), 422, "lines.bad")
    assert [(one["field"], one["code"]) for one in problem["errors"]] == [
        ("lines.1.part_number", "part.unknown"),
        ("lines.2.serials", "line.serials_count"),
        ("lines.3.serials", "line.serials_needed"),
        ("lines.4.lot", "line.lot_needed"),
        ("lines.5.serials", "line.not_by_serial"),
    ]
    assert await stock(api, at, number) == []


@pytest.mark.parametrize("quantity", [0, -1, 0.15, 10**18, "x"])
async def test_T27_quantities_are_whole_pieces(api: httpx.AsyncClient, quantity: Any) -> None:
    body = receipt(await place(api), line(await part(api), quantity))
    assert (await api.post("/v1/receipts", json=body)).status_code == 422


@pytest.mark.parametrize("amount", ["NaN", "-1", "1e9", "Infinity", "1.1234567", ""])
async def test_T84_costs_are_plain_decimals(api: httpx.AsyncClient, amount: str) -> None:
    body = receipt(await place(api), line(await part(api), 1, amount))
    assert (await api.post("/v1/receipts", json=body)).status_code == 422


async def test_T24_a_serial_is_in_one_place(api: httpx.AsyncClient) -> None:
    at, number, serial = await place(api), await part(api, "serial"), unique("SN")
    twice = receipt(at, line(number, 2, serials=[serial, serial]))
    await refused(api, "/v1/receipts", twice, 409, "serial.in_use")
    await made(api, "/v1/receipts", receipt(at, line(number, 1, serials=[serial])))
    again = receipt(await place(api), line(number, 1, serials=[serial]))
    problem = await refused(api, "/v1/receipts", again, 409, "serial.in_use")
    assert problem["facts"]["serial"] == serial
    assert await stock(api, at, number) == [("new", 1, 0, 1)]


async def test_T37_a_receipt_under_a_key_is_booked_once(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api)
    body, key = receipt(at, line(number, 5)), {"Idempotency-Key": unique("key")}
    first, again = [await api.post("/v1/receipts", json=body, headers=key) for _ in range(2)]
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await stock(api, at, number) == [("new", 5, 0, 5)]


async def test_T21_a_backdated_receipt_is_older_and_the_future_is_refused(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api)
    old = receipt(at, line(number, 1)) | {"occurred_at": "2026-11-01T08:00:00+08:00"}
    assert (await made(api, "/v1/receipts", old))["received_at"] == "2026-11-01T00:00:00Z"
    later = receipt(at, line(number, 1)) | {"occurred_at": "2026-12-01T08:00:00+08:00"}
    await refused(api, "/v1/receipts", later, 422, "occurred_at.future")


async def test_T136_another_warehouse_does_not_exist(api: httpx.AsyncClient, as_role: Any) -> None:
    mine, other, number = await place(api), await place(api), await part(api)
    await made(api, "/v1/receipts", receipt(other, line(number, 5)))
    staff = await as_role("warehouse", places=[mine])
    missing = await refused(staff, "/v1/receipts", receipt("NO-SUCH", line(number, 1)), 404, "place.not_found")
    theirs = await refused(staff, "/v1/receipts", receipt(other, line(number, 1)), 404, "place.not_found")
    assert missing["detail"] == theirs["detail"]
    counted = {"place": other, "lines": [{"part_number": number, "expected": 5, "counted": 4}]}
    await refused(staff, "/v1/counts", counted, 404, "place.not_found")
    move = {"from_place": other, "to_place": mine, "lines": [{"part_number": number, "quantity": 1}]}
    await refused(staff, "/v1/transfers", move, 404, "place.not_found")
    assert await stock(staff, other, number) == []
    assert (await staff.get("/v1/stock/movements", params={"part": number})).json()["items"] == []


async def test_cost_is_for_finance_and_admin_alone(api: httpx.AsyncClient, as_role: Any) -> None:
    at, number = await place(api), await part(api)
    await made(api, "/v1/receipts", receipt(at, line(number, 5)))
    for role, sees in (("finance", True), ("warehouse", False), ("dispatcher", False)):
        client = await as_role(role)
        row = (await client.get("/v1/stock", params={"part": number})).json()["items"][0]
        movement = (await client.get("/v1/stock/movements", params={"part": number})).json()["items"][0]
        assert (row["value"] is not None, movement["value"] is not None) == (sees, sees)
    engineer = await as_role("engineer")
    assert (await engineer.post("/v1/receipts", json=receipt(at, line(number, 1)))).status_code == 403
    assert (await engineer.get("/v1/stock/movements")).status_code == 403


async def test_lists_go_page_by_page(api: httpx.AsyncClient) -> None:
    at, numbers = await place(api), sorted([await part(api) for _ in range(3)])
    await made(api, "/v1/receipts", receipt(at, *(line(number, 1) for number in numbers)))
    seen, cursor = [], None
    for _ in range(3):
        params = {"place": at, "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/v1/stock", params=params)).json()
        seen += [row["part_number"] for row in page["items"]]
        cursor = page["next"]
    assert (seen, cursor) == (numbers, None)
    assert (await api.get("/v1/stock", params={"cursor": "forged"})).status_code == 400
    first = (await api.get("/v1/stock/movements", params={"place": at, "limit": 2})).json()
    rest = (await api.get("/v1/stock/movements", params={"place": at, "cursor": first["next"]})).json()
    assert len({one["id"] for one in first["items"] + rest["items"]}) == 3
    assert rest["next"] is None


def transfer(start: str, end: str, *lines: Json) -> Json:
    return {"from_place": start, "to_place": end, "lines": list(lines)}


async def test_T36_ten_shipped_nine_arrive(api: httpx.AsyncClient) -> None:
    start, end, number = await place(api), await place(api), await part(api)
    await made(api, "/v1/receipts", receipt(start, line(number, 10, "3.33")))
    shipped = await made(api, "/v1/transfers", transfer(start, end, {"part_number": number, "quantity": 10}))
    assert await stock(api, start, number) == [("new", 0, 0, 0)]
    path = f"/v1/transfers/{shipped['id']}"
    nine = await made(api, f"{path}/receive", {"lines": [{"line": 0, "quantity": 9}]}, 200)
    assert (nine["state"], nine["lines"][0]["in_transit"]) == ("in_transit", 1)
    more = {"lines": [{"line": 0, "quantity": 9}]}
    await refused(api, f"{path}/receive", more, 409, "transfer.more_than_shipped")
    lost = await made(api, f"{path}/write-off", {"reason": "lost by the carrier"}, 200)
    assert (lost["state"], lost["lines"][0]["written_off"]) == ("done", 1)
    again = await made(api, f"{path}/receive", {}, 200)
    assert again == lost
    assert await stock(api, end, number) == [("new", 9, 0, 9)]
    values = {
        row["place"]: row["value"] for row in (await api.get("/v1/stock", params={"part": number})).json()["items"]
    }
    assert values == {start: [], end: [{"amount": "29.97", "currency": "CNY"}]}


async def test_a_transfer_keeps_serials_and_age(api: httpx.AsyncClient) -> None:
    start, end, number = await place(api), await place(api), await part(api, "serial")
    serials = [unique("SN") for _ in range(3)]
    await made(api, "/v1/receipts", receipt(start, line(number, 3, serials=serials)))
    asked = {"part_number": number, "quantity": 2, "serials": serials[1:]}
    shipped = await made(api, "/v1/transfers", transfer(start, end, asked))
    await refused(api, "/v1/transfers", transfer(start, end, asked), 409, "serial.in_use")
    arrived = {"lines": [{"line": 0, "serials": [serials[2]]}]}
    answer = await made(api, f"/v1/transfers/{shipped['id']}/receive", arrived, 200)
    assert {one["serial"]: one["in_transit"] for one in answer["lines"]} == {serials[1]: 1, serials[2]: 0}
    assert await stock(api, end, number) == [("new", 1, 0, 1)]


async def test_a_transfer_takes_no_more_than_is_free(api: httpx.AsyncClient) -> None:
    start, end, number = await place(api), await place(api), await part(api)
    await made(api, "/v1/receipts", receipt(start, line(number, 2)))
    short = transfer(start, end, {"part_number": number, "quantity": 2}, {"part_number": number, "quantity": 1})
    problem = await refused(api, "/v1/transfers", short, 409, "stock.insufficient")
    assert problem["facts"]["available"] == 0
    same = transfer(start, start, {"part_number": number, "quantity": 1})
    assert (await refused(api, "/v1/transfers", same, 422, "lines.bad"))["errors"][0]["code"] == "transfer.same_place"
    met = await asyncio.gather(
        *(
            api.post("/v1/transfers", json=transfer(start, end, {"part_number": number, "quantity": 2}))
            for _ in range(4)
        )
    )
    assert sorted(one.status_code for one in met) == [201, 409, 409, 409]


def counted(at: str, number: str, expected: int, found: int, **more: Any) -> Json:
    return {"place": at, "lines": [{"part_number": number, "expected": expected, "counted": found} | more]}


async def test_T28_IS14_a_count_stands_on_the_present_number(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api)
    await made(api, "/v1/receipts", receipt(at, line(number, 5, "3.33")))
    problem = await refused(api, "/v1/counts", counted(at, number, 4, 3), 409, "stock.changed")
    assert problem["facts"]["on_hand"] == 5
    less = await made(api, "/v1/counts", counted(at, number, 5, 3))
    assert less["lines"][0]["difference"] == -2
    more = await made(api, "/v1/counts", counted(at, number, 3, 4))
    assert more["lines"][0]["difference"] == 1
    assert await stock(api, at, number) == [("new", 4, 0, 4)]
    row = (await api.get("/v1/stock", params={"part": number})).json()["items"][0]
    assert row["value"] == [{"amount": "13.32", "currency": "CNY"}]


async def test_a_count_of_serials_names_them(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api, "serial")
    kept, gone, found = (unique("SN") for _ in range(3))
    await made(api, "/v1/receipts", receipt(at, line(number, 2, serials=[kept, gone])))
    bare = await refused(api, "/v1/counts", counted(at, number, 2, 1), 422, "lines.bad")
    assert bare["errors"][0]["code"] == "line.serials_needed"
    await made(api, "/v1/counts", counted(at, number, 2, 2, serials=[kept, found]))
    moved = (await api.get("/v1/stock/movements", params={"serial": gone})).json()["items"]
    assert [(one["why"], one["to_place"]) for one in moved] == [("count", "@adjustment"), ("receipt", at)]
    assert await stock(api, at, number) == [("new", 2, 0, 2)]


async def test_found_pieces_of_a_part_never_bought_need_a_cost(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api)
    problem = await refused(api, "/v1/counts", counted(at, number, 0, 2), 422, "lines.bad")
    assert problem["errors"][0]["code"] == "line.cost_needed"
    cost = {"amount": "7.00", "currency": "CNY"}
    await made(api, "/v1/counts", counted(at, number, 0, 2, unit_cost=cost))
    assert await stock(api, at, number) == [("new", 2, 0, 2)]


async def test_an_adjustment_goes_where_it_says(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api)
    await made(api, "/v1/receipts", receipt(at, line(number, 5)))
    scrapped = {"place": at, "reason": "fell down", "counterpart": "scrap"}
    await made(api, "/v1/adjustments", scrapped | {"lines": [{"part_number": number, "change": -2}]})
    newest = (await api.get("/v1/stock/movements", params={"part": number})).json()["items"][0]
    assert (newest["to_place"], newest["quantity"], newest["note"]) == ("@scrap", 2, "fell down")
    nothing = scrapped | {"lines": [{"part_number": number, "change": 0}]}
    assert (await refused(api, "/v1/adjustments", nothing, 422, "lines.bad"))["errors"][0]["code"] == "line.no_change"
    much = scrapped | {"lines": [{"part_number": number, "change": -9}]}
    await refused(api, "/v1/adjustments", much, 409, "stock.insufficient")


async def test_T25_a_removed_part_comes_back_once(api: httpx.AsyncClient) -> None:
    at, number, serial = await place(api), await part(api, "serial"), unique("SN")
    body = {"place": at, "lines": [{"part_number": number, "serials": [serial]}]}
    await made(api, "/v1/returns", body)
    await refused(api, "/v1/returns", body, 409, "serial.in_use")
    assert await stock(api, at, number) == [("defective", 1, 0, 1)]


async def test_C7_a_loan_is_tracked_until_it_is_back(api: httpx.AsyncClient) -> None:
    at, number, customer = await place(api), await part(api), unique("CU")
    await made(api, "/v1/customers", {"code": customer, "name": "A customer"})
    await made(api, "/v1/receipts", receipt(at, line(number, 1, condition="refurbished")))
    body = {"place": at, "customer": customer, "part_number": number}
    lent = await made(api, "/v1/loans", body)
    await refused(api, "/v1/loans", body, 409, "stock.insufficient")
    open_ones = (await api.get("/v1/loans", params={"open": "true"})).json()["items"]
    assert lent["id"] in [one["id"] for one in open_ones]
    back = {"place": at, "condition": "defective"}
    first = await made(api, f"/v1/loans/{lent['id']}/return", back, 200)
    assert await made(api, f"/v1/loans/{lent['id']}/return", back, 200) == first
    other = {"place": at, "condition": "new"}
    await refused(api, f"/v1/loans/{lent['id']}/return", other, 409, "loan.already_back")
    assert await stock(api, at, number) == [("defective", 1, 0, 1), ("refurbished", 0, 0, 0)]
    unknown = body | {"customer": "NO-SUCH"}
    await refused(api, "/v1/loans", unknown, 404, "customer.not_found")


async def test_refusals_speak_chinese(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api)
    body = transfer(at, await place(api), {"part_number": number, "quantity": 3})
    answer = await api.post("/v1/transfers", json=body, headers={"Accept-Language": "zh-CN"})
    assert answer.json()["detail"] == f"{at} 的备件 {number} 可用数量只有 0 件，需要 3 件。"


async def test_IS1_nothing_comes_back_from_repair_that_did_not_go(api: httpx.AsyncClient) -> None:
    at, number = await place(api), await part(api, "serial")
    good, bad = unique("SN"), unique("SN")
    await made(api, "/v1/receipts", receipt(at, line(number, 1, serials=[good])))
    await made(api, "/v1/returns", {"place": at, "lines": [{"part_number": number, "serials": [bad]}]})
    out = {"part_number": number, "change": -1, "serials": [bad], "condition": "defective"}
    repair = {"place": at, "reason": "board repaired", "counterpart": "repair"}
    back = {"part_number": number, "change": 1, "serials": [bad], "condition": "refurbished"}
    problem = await refused(api, "/v1/adjustments", repair | {"lines": [back]}, 409, "stock.insufficient")
    assert problem["facts"]["place"] == "@repair"
    await made(api, "/v1/adjustments", repair | {"lines": [out]})
    other = back | {"serials": [good]}
    await refused(api, "/v1/adjustments", repair | {"lines": [other]}, 409, "serial.in_use")
    await made(api, "/v1/adjustments", repair | {"lines": [back]})
    assert await stock(api, at, number) == [("defective", 0, 0, 0), ("new", 1, 0, 1), ("refurbished", 1, 0, 1)]


async def test_T19_IS12_a_wrong_receipt_is_taken_back_by_reversing_entries(
    api: httpx.AsyncClient, as_role: Any
) -> None:
    at, number, by_serial, serial = await place(api), await part(api), await part(api, "serial"), unique("SN")
    body = receipt(at, line(number, 3, "0.3333"), line(by_serial, 1, serials=[serial]))
    first = await made(api, "/v1/receipts", body)
    path = f"/v1/receipts/{first['id']}/cancel"
    stranger = await as_role("warehouse", places=["ELSEWHERE"])
    await refused(stranger, path, {"reason": "wrong"}, 404, "receipt.not_found")
    met = await asyncio.gather(*(api.post(path, json={"reason": "wrong delivery"}) for _ in range(4)))
    assert {one.status_code for one in met} == {200}
    assert len({tuple(one.json()["movements"]) for one in met}) == 1
    assert await stock(api, at, number) == [("new", 0, 0, 0)]
    moved = (await api.get("/v1/stock/movements", params={"reference": first["id"], "part": number})).json()["items"]
    assert [(one["why"], one["corrects"], one["value"]["amount"]) for one in moved] == [
        ("correction", moved[1]["id"], "1.00"),
        ("receipt", None, "1.00"),
    ]
    again = await made(api, "/v1/receipts", body)
    move = transfer(at, await place(api), {"part_number": number, "quantity": 1})
    await made(api, "/v1/transfers", move)
    problem = await refused(api, f"/v1/receipts/{again['id']}/cancel", {"reason": "wrong"}, 409, "receipt.used")
    assert problem["facts"]["parts"] == [number]
