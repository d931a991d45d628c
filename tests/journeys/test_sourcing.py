"""Which stock keeps which promise: splits, tickets, lists, substitutes and carriers, where they get in each other's way."""

import pytest

from tests.builders import unique
from tests.cast import YINCHUAN, a_world, made

pytestmark = pytest.mark.anyio


async def test_a_split_line_of_a_ticket_is_no_duplicate_of_itself(api):
    world = await a_world(api)
    await world.receive(world.fan, 2)
    await world.receive(world.fan, 5, place=world.branch)
    ticket = {"system": "helpdesk", "number": unique("T")}
    split = await world.ask(lines=[{"part_number": world.fan, "quantity": 3}], ticket=ticket)
    assert [(one["quantity"], one["source"], one["commitment"]["kind"]) for one in split["lines"]] == [
        (2, world.local, "local"), (1, world.branch, "national"),
    ]  # fmt: skip
    again = await api.post(
        "/v1/part-requests", json=world.request(lines=[{"part_number": world.fan, "quantity": 1}], ticket=ticket)
    )
    assert (again.status_code, again.json()["code"]) == (409, "ticket.duplicate")


async def test_a_listed_part_that_is_short_locally_comes_late_from_elsewhere(api):
    world = await a_world(api)
    await world.receive(world.fan, 1)
    await world.receive(world.fan, 5, place=world.branch)
    listed = await api.put(
        f"/v1/contracts/{world.contract}/assortment", json={"valid_from": "2026-01-01", "parts": [world.fan]}
    )
    assert listed.status_code == 200
    request = await world.ask(lines=[{"part_number": world.fan, "quantity": 3}])
    assert {one["commitment"]["kind"] for one in request["lines"]} == {"local"}
    assert sum(one["quantity"] for one in request["lines"]) == 3


async def test_a_substitute_promised_to_one_line_is_not_promised_to_the_next(api):
    world = await a_world(api)
    better = unique("PSU-B")
    await made(api, "/v1/parts", {"number": better, "name": "better", "tracking": "none"})
    await made(api, "/v1/substitutions", {"from_part": world.psu, "to_part": better, "kind": "supersedes"})
    await world.receive(better, 1)
    await world.receive(world.psu, 5, place=world.branch)
    lines = [{"part_number": world.psu, "quantity": 1}, {"part_number": better, "quantity": 1}]
    request = await world.ask(lines=lines)
    assert len(request["lines"]) == 2
    assert {one["supplied_part_number"] for one in request["lines"]} == {world.psu, better}


async def test_the_carrier_that_keeps_the_hand_over_goes_before_the_faster_one(api):
    world = await a_world(api)
    await world.receive(world.psu, 1, place=world.branch)
    air = {
        "carrier": "AIR",
        "from_place": world.branch,
        "to_area": world.area,
        "cutoffs": ["20:00"],
        "transit_hours": 1,
    }
    await made(api, "/v1/lanes", air)
    line = (await world.ask())["lines"][0]
    assert (line["carrier"], line["handover_at"]) == ("SF", "2026-11-22T04:00:00Z")


async def test_what_a_piece_was_bought_for_never_decides_where_it_comes_from(api):
    world = await a_world(api)
    far = unique("FAR")
    await made(api, "/v1/places", {
        "code": far, "name": far, "kind": "own", "latitude": 38.60, "longitude": 106.10, "timezone": "Asia/Shanghai",
        "area": world.area, "preparation_minutes": 10,
    })  # fmt: skip
    await world.receive(world.psu, 1)
    await world.receive(world.psu, 1, place=far, unit_cost={"amount": "1.00", "currency": "CNY"})
    assert (await world.ask())["lines"][0]["source"] == world.local


async def test_an_opened_box_runs_on_the_emergencys_clocks(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    failure = {
        "occurred_at": "2026-11-22T09:10:00+08:00",
        "cause": "customer",
        "system_stopped": False,
        "found_on": "opening",
    }
    request = await world.ask(failure=failure, priority="general")
    due = {one["name"]: one["due_at"] for one in request["clocks"]}
    assert (request["price"]["amount"], due["depart"]) == ("0.00", "2026-11-22T02:10:00Z")


async def test_nothing_is_learned_of_a_strangers_tickets(api, as_role):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    ticket = {"system": "helpdesk", "number": unique("T")}
    await world.ask(ticket=ticket)
    stranger = await as_role("integration", customers=["someone-else"])
    hidden = await stranger.post("/v1/part-requests", json=world.request(ticket=ticket))
    assert (hidden.status_code, hidden.json()["code"]) == (404, "device.not_found")


async def test_a_request_of_many_lines_comes_from_the_fewest_places_that_keep_its_promise(api):
    """Two places hold a half each; every part lies nearer somewhere else: more places than a scan can try through."""
    world = await a_world(api)
    parts = [unique(f"KIT{number}") for number in range(18)]
    for part in parts:
        await made(api, "/v1/parts", {"number": part, "name": part, "tracking": "none", "fitting_minutes": 5})
    positions = [{"position": f"p{at}", "part_number": part, "key": False} for at, part in enumerate(parts)]
    rack = unique("RACK")
    await made(api, "/v1/models", {"code": rack, "name": "rack", "positions": positions})
    serial = unique("SN")
    await made(api, "/v1/devices", world.device_body(serial) | {"model": rack})
    halves, others = [unique("HALF") for _ in range(2)], [unique("NEAR") for _ in range(8)]
    held = {half: parts[at::2] for at, half in enumerate(halves)}
    held |= {near: parts[at : at + 4] + parts[at + 8 : at + 11] for at, near in enumerate(others)}
    for place, listed in held.items():
        further = 0.02 if place in halves else 0.0
        await made(api, "/v1/places", {
            "code": place, "name": place, "kind": "own", "latitude": YINCHUAN[0] + further, "longitude": YINCHUAN[1],
            "timezone": "Asia/Shanghai", "area": world.area,
        })  # fmt: skip
        lines = [
            {"part_number": part, "quantity": 1, "unit_cost": {"amount": "10.00", "currency": "CNY"}} for part in listed
        ]
        await made(api, "/v1/receipts", {"place": place, "reference": unique("PO"), "lines": lines})
    request = await world.ask(device_serial=serial, lines=[{"part_number": part, "quantity": 1} for part in parts])
    assert {one["source"] for one in request["lines"]} == set(halves)
