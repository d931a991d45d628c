"""What if: changes tried on the plan, the answer beside the plan as it stands, and nothing that stays behind."""

import pytest
from sqlalchemy import text

from app.core.db import reading
from app.fulfillment.jobs import explain_plans, plan_dirty
from tests.builders import unique
from tests.cast import AIRPORT, XIAN, World, a_world, made
from tests.journeys.own_database import app, database_url, engine  # noqa: F401 - fixtures
from tests.journeys.test_plan import plan_of
from tests.journeys.test_steering import NIGHT, second_source
from tests.journeys.test_why import a_place

pytestmark = pytest.mark.anyio


async def tried(world: World, *changes: dict, area: str | None = None) -> dict:
    return await made(world.api, "/v1/plan/what-if", {"area": area or world.area, "changes": list(changes)}, 200)


def missed(side: dict) -> int:
    return sum(one["missed"] for one in side["tiers"])


async def late_world(api, engine, clock, *, shift: object = "24x7", driving: bool = True) -> tuple[World, str, str]:
    """A line whose only piece lies far away, by default with somebody on the way there; gives the line and the place."""
    world = await a_world(api, shift=shift)
    far = await a_place(world, XIAN)
    await world.receive(world.psu, 1, place=far)
    line = (await world.ask())["lines"][0]["id"]
    if driving:
        await plan_dirty(engine, None, clock.now(), limit_s=1)
    return world, line, far


async def contents(engine) -> dict[str, tuple[int, int]]:
    """Every table's rows, counted and hashed."""
    async with reading(engine) as db:
        tables = (await db.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))).scalars().all()
        found = {}
        for name in tables:
            row = (await db.execute(text(f'SELECT count(*), sum(hashtext(t::text)) FROM "{name}" t'))).one()
            found[name] = (row[0], row[1])
    return found


async def test_a_courier_less_and_one_more_are_told_and_nothing_is_written(api, engine, clock):
    world = await a_world(api)
    await world.receive(world.psu, 8)
    asked = [(await world.ask(device_serial=await world.device()))["lines"][0]["id"] for _ in range(4)]
    before = await contents(engine)
    plain = await tried(world, {"kind": "stock", "place": world.local, "part_number": world.fan, "quantity": 1})
    less = await tried(world, {"kind": "remove_courier", "courier": world.courier})
    more = await tried(world, {"kind": "add_courier", "place": world.local})
    assert await contents(engine) == before
    assert (plain["changed"], plain["before"]) == ([], plain["after"])
    assert less["before"] == more["before"] == plain["before"]
    assert missed(less["after"]) > missed(less["before"]) >= missed(more["after"])
    assert {one["line"] for one in less["changed"]} <= set(asked)
    assert more["after"]["cost_minor"] > more["after"]["drive_s"]
    assert [one["lines"] for one in less["after"]["tiers"]] == [0, 4, 0]


@pytest.mark.parametrize("shift", ["24x7", NIGHT])
async def test_every_fix_that_is_told_keeps_the_promise_when_it_is_tried(api, engine, clock, shift):
    world, line, _ = await late_world(api, engine, clock, shift=shift)
    other = unique("PSU-B")
    await made(api, "/v1/parts", {"number": other, "name": "替代电源", "tracking": "none"})
    await made(api, "/v1/substitutions", {"from_part": world.psu, "to_part": other, "kind": "equivalent"})
    opens = {"mon": [["09:00", "18:00"]]}
    shut = await a_place(world, AIRPORT, opening_hours=opens)
    await world.receive(other, 1)
    await world.receive(world.psu, 1, place=shut)
    while await explain_plans(engine, None, clock.now()):
        pass  # four plans at a time
    (miss,) = (await plan_of(world))["missed"]
    good = [one for one in miss["fixes"] if one["late_s"] == 0]
    kinds = {change["kind"] for one in good for change in one["changes"]}
    assert {"source", "substitute", "open"} <= kinds
    assert ("shift" in kinds) == (shift == NIGHT)
    for fix in good:
        after = await tried(world, *[_as_tried(line, change) for change in fix["changes"]])
        assert (missed(after["before"]), missed(after["after"])) == (1, 0), fix
        assert [(one["line"], one["late_s"]) for one in after["changed"]] == [(line, 0)]


def _as_tried(line: str, change: dict) -> dict:
    kind = "source" if change["kind"] == "substitute" else change["kind"]
    names = ("place", "part_number", "courier", "begins_at", "ends_at")
    return {"kind": kind, "line": line} | {name: change[name] for name in names if change[name] is not None}


async def test_places_and_stock_decide_where_a_line_comes_from(api, engine, clock):
    world, line, far = await late_world(api, engine, clock, driving=False)
    stock = {"kind": "stock", "place": world.local, "part_number": world.psu, "quantity": 1}
    assert missed((await tried(world, stock))["after"]) == 0
    near = await second_source(world, world.psu, 1)
    assert missed((await tried(world, {"kind": "forbid", "place": far}))["after"]) == 0
    barred = await tried(world, {"kind": "forbid", "place": far}, {"kind": "forbid", "place": near})
    assert [(one["eta"], one["courier"]) for one in barred["changed"]] == [(None, None)]
    assert missed(barred["after"]) == 1
    urgent = await tried(world, {"kind": "priority", "line": line, "priority": "emergency"})
    assert [one["lines"] for one in urgent["after"]["tiers"]] == [1, 0, 0]


async def test_a_line_that_leaves_a_shelf_leaves_its_piece_to_the_next(api, engine, clock):
    world, first, far = await late_world(api, engine, clock, driving=False)
    near = await second_source(world, world.psu, 1)
    held = {"kind": "source", "line": first, "place": near}
    second = (await world.ask(device_serial=await world.device()))["lines"][0]["id"]
    taken = await api.post("/v1/plan/what-if", json={"area": world.area, "changes": [held]})
    assert (taken.status_code, taken.json()["code"]) == (409, "source.nothing_there"), "the second line holds it"
    there = {"kind": "stock", "place": world.local, "part_number": world.psu, "quantity": 1}
    swap = [
        there,
        {"kind": "source", "line": second, "place": world.local},
        {"kind": "source", "line": first, "place": near},
        {"kind": "source", "line": second, "place": far},
    ]
    await tried(world, *swap)
    again = await api.post(
        "/v1/plan/what-if",
        json={"area": world.area, "changes": [*swap, {"kind": "source", "line": first, "place": far}]},
    )
    assert (again.status_code, again.json()["code"]) == (409, "source.nothing_there")


async def test_what_cannot_be_tried_is_refused_by_name(api, as_role, engine, clock):
    world, line, _ = await late_world(api, engine, clock)
    refused = [
        ({"kind": "shift", "courier": world.courier}, 422, "plan.change_incomplete"),
        ({"kind": "pin", "line": line, "courier": "NOBODY"}, 404, "courier.not_found"),
        ({"kind": "priority", "line": "nothing", "priority": "severe"}, 404, "line.not_found"),
        ({"kind": "forbid", "place": "NOWHERE"}, 404, "place.not_found"),
        ({"kind": "source", "line": line, "place": world.local}, 409, "source.nothing_there"),
        ({"kind": "source", "line": line, "place": await _source_of(api, line)}, 409, "source.nothing_there"),
        ({"kind": "stock", "place": world.local, "part_number": "NO-PART", "quantity": 1}, 404, "part.not_found"),
        (
            {"kind": "shift", "courier": world.courier, "ends_at": "2026-11-20T00:00:00Z"},
            422,
            "plan.shift_out_of_order",
        ),
        ({"kind": "remove_courier", "courier": await _under_way(world)}, 409, "plan.leg_started"),
    ]
    for change, status, code in refused:
        answer = await api.post("/v1/plan/what-if", json={"area": world.area, "changes": [change]})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    incomplete = await api.post("/v1/plan/what-if", json={"area": world.area, "changes": [refused[0][0]]})
    assert [one["field"] for one in incomplete.json()["errors"]] == ["changes.0.ends_at"]


async def _source_of(api, line: str) -> str:
    found = (await api.get("/v1/part-requests", params={"limit": 200})).json()["items"]
    return next(each["source"] for one in found for each in one["lines"] if each["id"] == line)


async def _under_way(world: World) -> str:
    return next(route["courier"] for route in (await plan_of(world))["routes"] if route["stops"])


async def test_a_trial_keeps_to_the_askers_scope(api, as_role, engine, clock):
    world, line, _ = await late_world(api, engine, clock)
    other = await a_world(api, area=world.area, local=world.local + "-2")
    await other.receive(other.psu, 1)
    await other.ask()
    stranger = await as_role("dispatcher", areas=[unique("ELSEWHERE")])
    body = {"area": world.area, "changes": [{"kind": "add_courier", "place": world.local}]}
    assert (await stranger.post("/v1/plan/what-if", json=body)).status_code == 404
    theirs = await as_role("dispatcher", customers=[other.customer])
    seen = (await theirs.post("/v1/plan/what-if", json=body)).json()
    assert [one["lines"] for one in seen["after"]["tiers"]] == [0, 1, 0]
    hidden = body | {"changes": [{"kind": "priority", "line": line, "priority": "general"}]}
    assert (await theirs.post("/v1/plan/what-if", json=hidden)).status_code == 404
    engineer = await as_role("engineer")
    assert (await engineer.post("/v1/plan/what-if", json=body)).status_code == 403
