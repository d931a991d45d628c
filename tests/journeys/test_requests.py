"""Asking for parts: verdict, price, commitment, source and hold of each line, and every refusal."""

import pytest

from tests.cast import a_world

pytestmark = pytest.mark.anyio


async def test_a_covered_part_in_local_stock_is_promised_within_two_hours_for_free(api):
    world = await a_world(api)
    await world.receive(world.psu, 3)
    request = await world.ask()
    assert (request["state"], request["entitlement"]["covered"], request["entitlement"]["payer"]) == (
        "accepted",
        True,
        "oem",
    )
    assert request["price"] == {"amount": "0.00", "currency": "CNY", "net": "0.00", "tax": "0.00"}
    line = request["lines"][0]
    assert (line["source"], line["mode"], line["commitment"]["kind"]) == (world.local, "courier", "local")
    assert line["commitment"]["due_at"] == "2026-11-22T04:00:00Z"
    assert line["eta"] < line["commitment"]["due_at"]
    assert {clock["name"] for clock in request["clocks"]} == {"answer", "depart", "on_site", "done", "local"}
    stock = (await api.get("/v1/stock", params={"part": world.psu})).json()["items"]
    assert [(one["place"], one["on_hand"], one["reserved"], one["available"]) for one in stock] == [
        (world.local, 3, 1, 2)
    ]


async def test_a_part_without_local_stock_goes_by_the_next_carrier(api):
    world = await a_world(api)
    await world.receive(world.psu, 1, place=world.branch)
    line = (await world.ask())["lines"][0]
    assert (line["source"], line["mode"], line["commitment"]["kind"], line["carrier"]) == (
        world.branch,
        "lane",
        "national",
        "SF",
    )
    assert line["commitment"]["due_at"] == "2026-11-22T10:00:00Z"
    assert line["handover_at"] == "2026-11-22T04:00:00Z"


async def test_a_promise_holds_nothing(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    promised = (await api.post("/v1/promises", json=world.request())).json()
    assert (promised["id"], promised["lines"][0]["id"], promised["lines"][0]["source"]) == (None, None, world.local)
    assert (await api.get("/v1/stock", params={"part": world.psu})).json()["items"][0]["reserved"] == 0
