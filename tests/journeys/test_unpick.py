"""A pick undone: the pieces lie where they lay, held as they were; the books say so; and a pick by many scans."""

import asyncio
from collections import Counter

import pytest

from tests.builders import unique
from tests.cast import World, a_world, made
from tests.journeys.test_journey import courier_of, stock_of

pytestmark = pytest.mark.anyio
BY_CUSTOMER = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "customer", "system_stopped": True}


async def charged(api, request: str) -> list[str]:
    items = (await api.get("/v1/charges", params={"request": request})).json()["items"]
    return sorted(one["price"]["amount"] for one in items)


async def borne(api, request: str) -> float:
    items = (await api.get("/v1/borne-costs", params={"request": request})).json()["items"]
    return sum(float(one["amount"]["amount"]) for one in items)


async def a_serial_world(api, count: int) -> tuple[World, list[str]]:
    """A world whose fan is a part by serial, with so many in stock."""
    world, serials = await a_world(api), [unique("S") for _ in range(count)]
    drive = unique("HDD")
    await made(api, "/v1/parts", {"number": drive, "name": "硬盘", "tracking": "serial"})
    positions = [{"position": "psu", "part_number": world.psu, "key": True}]
    positions += [{"position": "disk", "part_number": drive, "key": False}]
    world.model, world.fan = unique("NVR"), drive
    await made(api, "/v1/models", {"code": world.model, "name": "Recorder", "positions": positions})
    world.serial = await world.device()
    await world.receive(drive, count, serials=serials)
    return world, serials


async def test_an_undone_pick_is_held_again_and_nets_to_nothing(api):
    world = await a_world(api)
    await world.receive(world.psu, 2)
    request = (await world.ask())["id"]
    await world.do(request, "pick", scanned=world.psu)
    assert await stock_of(world, world.psu) == [(world.local, 1, 0)]
    undone = await world.do(request, "unpick", note="wrong shelf")
    assert (undone["state"], undone["price"]["amount"]) == ("accepted", "0.00")
    assert await stock_of(world, world.psu) == [(world.local, 2, 1)]
    assert await borne(api, request) == 0


async def test_what_was_charged_is_credited_and_charged_anew_by_the_next_pick(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask(failure=BY_CUSTOMER))["id"]
    await world.do(request, "consent", agreed=True)
    for _ in range(2):
        await world.do(request, "pick")
        await world.do(request, "unpick")
    assert await charged(api, request) == ["-98.50", "-98.50", "98.50", "98.50"]
    picked = await world.do(request, "pick")
    assert picked["price"]["amount"] == "98.50"
    assert await charged(api, request) == ["-98.50", "-98.50", "98.50", "98.50", "98.50"]
    assert await stock_of(world, world.psu) == [(world.local, 0, 0)]


async def test_the_last_piece_stays_held_while_others_ask_for_it(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    await world.do(request, "pick")
    other = world.request(device_serial=await world.device())
    answers = await asyncio.gather(
        api.post(f"/v1/part-requests/{request}/unpick", json={}),
        *(api.post("/v1/part-requests", json=other | {"ticket": None}) for _ in range(4)),
    )
    assert Counter(one.status_code for one in answers) == {200: 1, 409: 4}
    assert await stock_of(world, world.psu) == [(world.local, 1, 1)]


async def test_what_is_packed_is_not_unpicked(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    early = await api.post(f"/v1/part-requests/{request}/unpick", json={})
    assert (early.status_code, early.json()["code"]) == (409, "state.not_allowed")
    await world.do(request, "pick")
    await world.do(request, "pack")
    late = await api.post(f"/v1/part-requests/{request}/unpick", json={})
    assert (late.status_code, late.json()["code"]) == (409, "state.not_allowed")


async def test_packing_and_undoing_at_once_is_one_of_the_two(api):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask())["id"]
    for _ in range(5):
        await world.do(request, "pick")
        answers = await asyncio.gather(
            api.post(f"/v1/part-requests/{request}/pack", json={}),
            api.post(f"/v1/part-requests/{request}/unpick", json={}),
        )
        assert sorted(one.status_code for one in answers) == [200, 409]
        state = (await api.get(f"/v1/part-requests/{request}")).json()["state"]
        expected = {"packed": (world.local, 0, 0), "accepted": (world.local, 1, 1)}[state]
        assert await stock_of(world, world.psu) == [expected]
        await world.do(request, "cancel")
        request = (await world.ask(device_serial=await world.device()))["id"]


async def test_all_serials_of_a_line_are_picked_at_once_and_another_after_an_undo(api):
    world, serials = await a_serial_world(api, 3)
    request = await world.ask(lines=[{"part_number": world.fan, "quantity": 2}])
    short = await api.post(f"/v1/part-requests/{request['id']}/pick", json={"pieces": serials[:1]})
    assert (short.status_code, short.json()["code"]) == (409, "scan.wrong")
    picked = await world.do(request["id"], "pick", pieces=serials[:2])
    assert picked["state"] == "picked"
    await world.do(request["id"], "unpick")
    again = await world.do(request["id"], "pick", pieces=[serials[2], serials[0]])
    assert set(again["lines"][0]["serial"].split(", ")) == {serials[0], serials[2]}
    await world.do(request["id"], "dispatch", courier=await courier_of(world))
    other = await api.post(f"/v1/part-requests/{request['id']}/fit", json={"fitted_serial": serials[1]})
    assert other.status_code == 409
    assert (await world.do(request["id"], "fit", fitted_serial=serials[2]))["state"] == "fitted"


async def test_a_piece_from_another_bin_is_refused_and_nothing_changes(api):
    world = await a_world(api)
    for code in ("A-03-2", "A-03-4"):
        await made(api, "/v1/bins", {"place": world.local, "code": code})
    await world.receive(world.psu, 1, bin="A-03-4")
    request = (await world.ask())["id"]
    wrong = await api.post(f"/v1/part-requests/{request}/pick", json={"pieces": [world.psu], "bins": ["A-03-2"]})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "scan.wrong_bin")
    assert wrong.json()["facts"] == {"scanned": "A-03-2", "expected": ["A-03-4"]}
    assert await stock_of(world, world.psu) == [(world.local, 1, 1)]
    picked = await world.do(request, "pick", pieces=[world.psu], bins=["A-03-4"])
    assert picked["state"] == "picked"


async def test_the_warehouse_undoes_its_own_picks_and_no_others(api, as_role):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = (await world.ask(failure=BY_CUSTOMER))["id"]
    await world.do(request, "consent", agreed=True)
    mine, other = await as_role("warehouse", places=[world.local]), await as_role("warehouse", places=[world.branch])
    assert (await mine.post(f"/v1/part-requests/{request}/pick", json={})).status_code == 200
    assert (await other.post(f"/v1/part-requests/{request}/unpick", json={})).status_code == 404
    undone = await mine.post(f"/v1/part-requests/{request}/unpick", json={})
    assert (undone.status_code, undone.json()["state"], undone.json()["price"]) == (200, "accepted", None)


async def test_a_line_of_which_a_piece_was_picked_comes_from_nowhere_else_anymore(api):
    world, serials = await a_serial_world(api, 2)
    request = await world.ask(lines=[{"part_number": world.fan, "quantity": 2}])
    await world.do(request["id"], "pick", scanned=serials[0])
    await world.receive(world.fan, 2, place=world.branch, serials=[unique("S"), unique("S")])
    moved = await api.post(f"/v1/part-requests/{request['id']}/source", json={"place": world.branch})
    assert (moved.status_code, moved.json()["code"]) == (409, "state.not_allowed")
    picked = await world.do(request["id"], "pick", scanned=serials[1])
    assert (picked["state"], picked["lines"][0]["source"]) == ("picked", world.local)
