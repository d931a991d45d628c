"""Why a promise will be missed, which facts clash, and that every change offered for it keeps it."""

from collections.abc import AsyncIterator

import pytest

from app.fulfillment.jobs import explain_plans, plan_dirty
from app.routing.solver.child import Solver
from tests.builders import unique
from tests.cast import AIRPORT, XIAN, World, a_world, made
from tests.journeys.own_database import app, database_url, engine  # noqa: F401 - fixtures
from tests.journeys.test_plan import plan_of
from tests.journeys.test_steering import NIGHT, fixes_of

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def solver(anyio_backend: object) -> AsyncIterator[Solver]:
    async with Solver() as one:
        yield one


async def explained(world: World, engine, clock, solver) -> dict:
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    while await explain_plans(engine, solver, clock.now()):
        pass  # four plans at a time
    return await plan_of(world)


async def a_place(world: World, at: tuple[float, float], **more: object) -> str:
    """One more local place, by default without the part."""
    code = unique("YC-VAN")
    body = {"code": code, "name": code, "kind": "own", "latitude": at[0], "longitude": at[1],
            "timezone": "Asia/Shanghai", "area": world.area}  # fmt: skip
    await made(world.api, "/v1/places", body | more)
    return code


def codes_of(miss: dict) -> list[str]:
    return [one["code"] for one in miss["clash"]]


async def test_nobody_on_shift_is_the_clash_and_a_shift_for_once_is_the_fix(api, as_role, engine, clock, solver):
    world = await a_world(api, shift=NIGHT)
    await world.receive(world.psu, 1)
    request = await world.ask()
    (miss,) = (await explained(world, engine, clock, solver))["missed"]
    assert codes_of(miss) == ["clash.due", "clash.begins"]
    assert miss["clash"][1]["facts"]["couriers"] == sorted(world.couriers)
    assert [one["kind"] for one in miss["fixes"]] == ["shift", "shift"]
    assert all(one["cost_minor"] > 0 and "until " in one["text"] for one in miss["fixes"])
    engineer = await as_role("engineer", areas=[world.area])
    (seen,) = (await engineer.get("/v1/plan", params={"area": world.area})).json()["items"][0]["missed"]
    assert (seen["clash"], seen["fixes"]) == (miss["clash"], [])
    live = await fixes_of(world, request)
    assert [(one["kind"], one["courier"]) for one in live][:2] == [
        (one["kind"], one["courier"]) for one in miss["fixes"]
    ]


async def test_a_far_piece_an_empty_shelf_and_a_refused_substitute_clash(api, engine, clock, solver):
    world = await a_world(api)
    other = unique("PSU-B")
    await made(api, "/v1/parts", {"number": other, "name": "替代电源", "tracking": "none"})
    await made(api, "/v1/substitutions", {"from_part": world.psu, "to_part": other, "kind": "equivalent"})
    far, near = await a_place(world, XIAN), await a_place(world, AIRPORT)
    await world.receive(world.psu, 1, place=far)
    asked = await world.ask(accept_substitutes=False)
    await world.receive(other, 1)
    (miss,) = (await explained(world, engine, clock, solver))["missed"]
    said = {one["code"]: one for one in miss["clash"]}
    assert set(said) == {"clash.nearest", "clash.due", "clash.held"}
    assert (said["clash.held"]["facts"]["place"], said["clash.nearest"]["facts"]["place"]) == (far, far)
    assert said["clash.due"]["text"] == "It is due at 12:00."
    (fix,) = miss["fixes"]
    assert (fix["kind"], fix["place"], fix["part_number"], fix["needs_customer"]) == (
        "substitute", world.local, other, True,
    )  # fmt: skip
    body = {"place": fix["place"], "part_number": other, "customer_agreed": True}
    await world.do(asked["id"], "source", **body)
    assert (await explained(world, engine, clock, solver))["missed"] == []
    assert near not in str(miss)


async def test_two_changes_can_be_needed_together(api, engine, clock, solver):
    world = await a_world(api, shift=NIGHT)
    far = await a_place(world, XIAN)
    await world.receive(world.psu, 1, place=far)
    await world.ask()
    await world.receive(world.psu, 1)
    (miss,) = (await explained(world, engine, clock, solver))["missed"]
    best = miss["fixes"][0]
    assert [one["kind"] for one in best["changes"]] == ["source", "shift"]
    assert (best["late_s"], best["changes"][0]["place"]) == (0, world.local)


async def test_a_plan_is_told_once_and_what_is_told_of_an_older_one_is_not_shown(api, engine, clock, solver):
    world = await a_world(api, shift=NIGHT)
    await world.receive(world.psu, 2)
    await world.ask()
    await explained(world, engine, clock, solver)
    assert await explain_plans(engine, solver, clock.now()) == 0
    await world.ask(device_serial=await world.device())
    await plan_dirty(engine, None, clock.now(), limit_s=1)
    missed = (await plan_of(world))["missed"]
    assert [(one["clash"], one["fixes"]) for one in missed] == [([], []), ([], [])]
    await explain_plans(engine, None, clock.now())
    missed = (await plan_of(world))["missed"]
    assert [(one["clash"], bool(one["fixes"])) for one in missed] == [([], True), ([], True)]


async def test_a_customers_dispatcher_is_told_nothing_of_others(api, as_role, engine, clock, solver):
    world = await a_world(api)
    other = await a_world(api, area=world.area, local=world.local + "-2")
    asked = []
    for one in (world, other):
        await one.receive(one.psu, 12)
        asked += [await one.ask(device_serial=await one.device(), priority="severe") for _ in range(9)]
    plan = await explained(world, engine, clock, solver)
    assert any("clash.as_urgent" in codes_of(miss) for miss in plan["missed"]), [
        (codes_of(one), one["clash"]) for one in plan["missed"]
    ]
    key = await as_role("dispatcher", customers=[world.customer])
    shown = (await key.get("/v1/plan", params={"area": world.area})).json()["items"][0]
    theirs = {one["id"] for one in asked if one["customer"] == other.customer} | {
        line["id"] for one in asked if one["customer"] == other.customer for line in one["lines"]
    }
    reasons = [reason for miss in shown["missed"] for reason in miss["clash"]]
    assert reasons
    assert not any(one in str(reasons) for one in theirs)
