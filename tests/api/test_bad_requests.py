"""Bad input to the main job: each a problem with a code and, where there is one, a field; never a 500, nothing written."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.db import reading
from tests.cast import World, a_world

pytestmark = pytest.mark.anyio

FAILURE = {"occurred_at": "2026-11-22T09:10:00+08:00", "cause": "defect", "system_stopped": True}


@pytest.fixture
async def world(api) -> World:
    world = await a_world(api)
    await world.receive(world.psu, 5)
    return world


async def written(engine, world: World) -> tuple[int, ...]:
    """How many rows anything of this world has."""
    async with reading(engine) as db:
        counts = [
            await db.scalar(text("SELECT count(*) FROM part_request WHERE customer = :c"), {"c": world.customer}),
            await db.scalar(text("SELECT count(*) FROM reservation WHERE part = :p"), {"p": world.psu}),
            await db.scalar(text("SELECT count(*) FROM verdict WHERE customer = :c"), {"c": world.customer}),
            await db.scalar(text("SELECT count(*) FROM event WHERE customer = :c"), {"c": world.customer}),
        ]
    return tuple(int(one or 0) for one in counts)


def line(**changes):
    return lambda world: {"lines": [{"part_number": world.psu, "quantity": 1, **changes}]}


def failure(**changes):
    return lambda _: {"failure": FAILURE | changes}


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        (lambda w: {"device_serial": "no-such-serial"}, 404, "device.not_found", None),
        (lambda w: {"lines": [{"part_number": "no-such-part", "quantity": 1}]}, 422, "part.unknown", None),
        (lambda w: {"lines": [{"part_number": w.model + "-X", "quantity": 1}]}, 422, "part.unknown", None),
        (line(position="lens"), 422, "position.unknown", None),
        (line(quantity=2, position="psu"), 422, "position.takes_one", "lines.0.quantity"),
        (line(quantity=0), 422, "fields.bad", "lines.0.quantity"),
        (line(quantity=-1), 422, "fields.bad", "lines.0.quantity"),
        (line(quantity=10**18), 422, "fields.bad", "lines.0.quantity"),
        (line(quantity=10**40), 422, "fields.bad", "lines.0.quantity"),
        (line(quantity=1.5), 422, "fields.bad", "lines.0.quantity"),
        (line(quantity="1"), 422, "fields.bad", "lines.0.quantity"),
        (line(price="0.00"), 422, "fields.bad", "lines.0.price"),
        (lambda w: {"status": "confirmed"}, 422, "fields.bad", "status"),
        (lambda w: {"lines": []}, 422, "fields.bad", "lines"),
        (lambda w: {"priority": "urgent"}, 422, "fields.bad", "priority"),
        (lambda w: {"device_serial": "a\x00b"}, 422, "fields.bad", "device_serial"),
        (failure(description="a\x00b"), 422, "fields.bad", "failure.description"),
        (failure(occurred_at="2026-11-22T09:10:00"), 422, "fields.bad", "failure.occurred_at"),
        (failure(occurred_at="2026-11-22T10:00:01+08:00"), 422, "failure.in_the_future", "failure.occurred_at"),
        (failure(occurred_at="2024-01-01T00:00:00Z"), 422, "failure.before_delivery", None),
        (failure(cause="magic"), 422, "fields.bad", "failure.cause"),
        (failure(system_stopped="yes"), 422, "fields.bad", "failure.system_stopped"),
        (lambda w: {"received_at": "2026-11-22T02:00:01Z"}, 422, "failure.in_the_future", "received_at"),
        (lambda w: {"device_serial": None}, 422, "device.needs_site_and_model", "device_serial"),
        (lambda w: {"device_serial": None, "site": "nowhere", "model": w.model}, 404, "device.not_found", None),
    ],
)
async def test_bad_values_are_refused_by_name(world, engine, change, status, code, field):
    before = await written(engine, world)
    answer = await world.api.post("/v1/part-requests", json=world.request(**change(world)))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"] != problem["code"]
    if field is not None:
        assert field in {one["field"] for one in problem["errors"]}
    assert await written(engine, world) == before


async def test_a_part_of_another_device_is_refused(world, engine):
    other = await a_world(world.api)
    before = await written(engine, world)
    answer = await world.api.post(
        "/v1/part-requests", json=world.request(lines=[{"part_number": other.psu, "quantity": 1}])
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "part.not_of_device")
    assert await written(engine, world) == before


async def test_too_little_stock_says_what_is_free_where(world, engine):
    await world.receive(world.fan, 2)
    lines = [{"part_number": world.fan, "quantity": 3}]
    before = await written(engine, world)
    answer = await world.api.post("/v1/part-requests", json=world.request(lines=lines))
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["facts"]["available"]) == (409, "stock.insufficient", 2)
    assert problem["facts"]["free"] == [{"place": world.local, "part_number": world.fan, "free": 2}]
    assert await written(engine, world) == before


async def test_two_lines_of_one_part_are_summed(world, engine):
    await world.receive(world.fan, 1)
    lines = [{"part_number": world.fan, "quantity": 1}, {"part_number": world.fan, "quantity": 1}]
    answer = await world.api.post("/v1/part-requests", json=world.request(lines=lines))
    assert (answer.status_code, answer.json()["code"]) == (409, "stock.insufficient")


async def test_a_ticket_is_not_served_twice_unless_asked_to(world):
    ticket = {"system": "helpdesk", "number": "4711"}
    first = await world.ask(ticket=ticket)
    again = await world.api.post("/v1/part-requests", json=world.request(ticket=ticket))
    assert (again.status_code, again.json()["code"]) == (409, "ticket.duplicate")
    assert again.json()["facts"]["request"] == first["id"]
    assert (await world.ask(ticket=ticket, additional=True))["id"] != first["id"]
    await world.do(first["id"], "cancel")
    assert (await world.ask(ticket=ticket))["state"] == "accepted"


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b'{"device_serial": ', "application/json", 400, "body.broken"),
        (b"\xff\xfe\x00", "application/json", 400, "body.broken"),
        (b'{"lines": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400, "body.broken"),
        (b'{"device_serial": NaN}', "application/json", 400, "body.broken"),
        (b'{"device_serial": "' + b"x" * 11_000_000 + b'"}', "application/json", 413, "body.too_large"),
        (b"{}", "text/plain", 415, "body.not_json"),
        (b"", "application/json", 400, "body.broken"),
    ],
)
async def test_bad_bodies_are_refused(world, engine, body, kind, status, code):
    before = await written(engine, world)
    answer = await world.api.post("/v1/part-requests", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await written(engine, world) == before


async def test_depth_that_one_python_reads_and_another_does_not_is_refused_by_both(world, engine):
    before = await written(engine, world)
    body = b'{"lines": ' + b"[" * 3000 + b"]" * 3000 + b"}"
    answer = await world.api.post("/v1/part-requests", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["code"] in ("body.broken", "fields.bad")
    assert await written(engine, world) == before


async def test_keys_that_do_not_count_or_may_not(world, engine, as_role, clock):
    before = await written(engine, world)
    ends = (clock.now() + timedelta(minutes=1)).isoformat()
    made = (await world.api.post("/v1/keys", json={"name": "x", "role": "engineer", "expires_at": ends})).json()["key"]
    clock.step(timedelta(minutes=2))
    wrong = [{"Authorization": "Bearer sl_0_0"}, {"Authorization": ""}, {"Authorization": f"Bearer {made}"}]
    for headers in wrong:
        answer = await world.api.post("/v1/part-requests", json=world.request(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "key.bad")
    finance, stranger = await as_role("finance"), await as_role("engineer", customers=["someone-else"])
    assert (await finance.post("/v1/part-requests", json=world.request())).status_code == 403
    hidden = await stranger.post("/v1/part-requests", json=world.request())
    assert (hidden.status_code, hidden.json()["code"]) == (404, "device.not_found")
    assert await written(engine, world) == before


async def test_a_stranger_sees_no_request_of_others(world, as_role):
    request = (await world.ask())["id"]
    stranger = await as_role("dispatcher", customers=["someone-else"])
    elsewhere = await as_role("warehouse", places=["elsewhere"])
    for client in (stranger, elsewhere):
        hidden = await client.get(f"/v1/part-requests/{request}")
        missing = await client.get("/v1/part-requests/req_00000000000000000000000000000000")
        assert (
            (hidden.status_code, hidden.json()["code"])
            == (missing.status_code, missing.json()["code"])
            == (404, "request.not_found")
        )
        assert (await client.get("/v1/part-requests")).json()["items"] == []


async def test_who_sees_which_price(world, as_role):
    request = (await world.ask(failure=FAILURE | {"cause": "customer"}))["id"]
    seen = {}
    for role in ("engineer", "finance", "warehouse"):
        client = await as_role(role, customers=[world.customer])
        shown = (await client.get(f"/v1/part-requests/{request}")).json()
        seen[role] = (shown["price"] and shown["price"]["amount"], shown["lines"][0]["cost"])
        assert "98.50" not in str(shown) or role != "warehouse"
    assert seen == {"engineer": ("98.50", None), "finance": ("98.50", "98.50"), "warehouse": (None, None)}


async def test_the_same_key_gives_the_same_answer_and_one_request(world):
    headers = {"Idempotency-Key": "one-and-only"}
    body = json.dumps(world.request()).encode()
    headers["Content-Type"] = "application/json"
    first = await world.api.post("/v1/part-requests", content=body, headers=headers)
    again = await world.api.post("/v1/part-requests", content=body, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert len((await world.api.get("/v1/part-requests", params={"area": world.area})).json()["items"]) == 1
