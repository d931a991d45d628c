"""Promises and plans on road times: from a real server, from the graph, and whatever a server does to us (T150, T142)."""

import asyncio
import html
import json
import re

import pytest
from sqlalchemy import text

from app.core.db import begin, reading
from app.fulfillment.jobs import plan_dirty
from app.fulfillment.queries.region import region_of_area
from app.routing.jobs import AHEAD_LIMIT_S, Ahead, draw_lines, forget_travel, learn
from app.routing.queries import KEPT, road_lines
from app.routing.service import put_in_force
from app.routing.travel.chosen import Travel
from app.routing.travel.known import key_of
from app.routing.travel.lines import decoded, encoded
from app.routing.travel.steady import LIMIT_S
from app.routing.travel.valhalla import Valhalla
from app.routing.travel.wire import Wire
from app.worker import DUTIES, step
from tests.cast import AIRPORT, YINCHUAN, a_world
from tests.conftest import START
from tests.travel.roadside import JSON, hangs, roadside, says, table_of
from tests.web.visitors import signed_in

pytestmark = pytest.mark.anyio
TIMES = text("SELECT origin, target, bucket, seconds FROM travel_time ORDER BY 1, 2")
WAITING = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()
""")


async def in_force(one):
    """The duty's first run: nobody has a courier yet, so it asks for nothing."""
    return await one.context.ahead.run(one.engine, one.context.travel, START)


async def kept(one):
    async with reading(one.engine) as db:
        return {(row.origin, row.target): row.seconds for row in await db.execute(TIMES)}


async def plan_of(one, world):
    await plan_dirty(one.engine, None, START, limit_s=1)
    return (await world.api.get("/v1/plan", params={"area": world.area})).json()["items"][0]


async def test_R5_a_promise_asks_the_server_for_ways_nobody_knows(house, server):
    async with house(f"osrm:{server.url}") as one:
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        assert await kept(one) == {}
        asked = await world.ask()
        said = await one.context.travel.matrix([YINCHUAN, AIRPORT], 0)
        assert await kept(one) == {
            (key_of(YINCHUAN), key_of(AIRPORT)): said.seconds[0][1],
            (key_of(AIRPORT), key_of(YINCHUAN)): said.seconds[1][0],
        }
        plan = await plan_of(one, world)
        assert not plan["estimated"]
        assert [stop["line"] for route in plan["routes"] for stop in route["stops"]] == [asked["lines"][0]["id"]] * 2
        pickup, drop = plan["routes"][0]["stops"] or plan["routes"][1]["stops"]
        async with reading(one.engine) as db:
            facts = await region_of_area(db, area=world.area, now=START)
        assert facts.travel.matrix([YINCHUAN, AIRPORT]).seconds == said.seconds
        assert drop["arrive_at"] > pickup["leave_at"]
        assert asked["lines"][0]["eta"] == drop["leave_at"]


async def test_R5_the_duty_asks_ahead_and_the_region_is_planned_anew(house, server):
    async with house(f"osrm:{server.url}") as one:
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        await world.ask()
        assert (await plan_of(one, world))["estimated"]
        assert await in_force(one) == 1
        assert len(await kept(one)) == 2
        assert not (await plan_of(one, world))["estimated"]
        assert await in_force(one) == 0


async def test_R5_the_graph_is_built_at_the_start_and_its_times_differ_by_the_hour(house, extract, monkeypatch):
    monkeypatch.delenv("SPARELANE_TEST_CLUSTER")  # it is built by a command, which refuses what is no setting
    async with house(f"roads:{extract}") as one:
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        await world.ask()
        assert not (await plan_of(one, world))["estimated"]
        await one.context.ahead.run(one.engine, one.context.travel, START.replace(day=23, hour=0))
        async with reading(one.engine) as db:
            found = {row.bucket: row.seconds for row in await db.execute(TIMES) if row.origin == key_of(AIRPORT)}
        assert len(found) == 2
        assert len(set(found.values())) == 2


async def test_R5_straight_is_the_default_and_ends_a_source_in_force(house, server):
    async with house("straight") as one:
        async with begin(one.engine) as db:
            await put_in_force(db, version="osrm:before", by_hour=False, now=START)
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        await in_force(one)
        await world.ask()
        assert (await plan_of(one, world))["estimated"]
        assert await kept(one) == {}


async def test_R5_another_process_s_source_is_read_and_not_asked(house, server):
    async with house("straight") as one, Travel(f"osrm:{server.url}", one.context.settings.data) as worker:
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        assert await Ahead().run(one.engine, worker, START) == 1
        await world.ask()
        assert not (await plan_of(one, world))["estimated"]


async def test_R5_nobody_waits_for_the_server_in_a_transaction(house):
    waiting = []
    times = table_of(lambda a, b: 3600 * (a != b))
    engine = []

    async def look(target, body):
        async with reading(engine[0]) as db:
            waiting.append(await db.scalar(WAITING))
        return await times(target, body)

    async with roadside(look) as seen, house(f"osrm:{seen.url}") as one:
        engine.append(one.engine)
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        await world.ask()
        await step(one.context, [duty for duty in DUTIES if duty.name in ("plan", "learn_ahead", "draw_lines")])
    assert len(waiting) >= 2
    assert set(waiting) == {0}


FAULTS = {
    "slow": hangs,
    "html": says(200, b"<html>It works</html>", **{"Content-Type": "text/html"}),
    "broken": says(500, b"{}"),
    "refuses": says(400, b'{"code": "InvalidUrl"}'),
    "nulls": table_of(lambda a, b: None),
    "zeros": table_of(lambda a, b: 0),
    "negative": table_of(lambda a, b: -5),
    "too_fast": table_of(lambda a, b: 60),
    "huge": table_of(lambda a, b: 1e300),
    "in_milliseconds": table_of(lambda a, b: 3_600_000 * (a != b)),
    "texts": table_of(lambda a, b: "soon"),
    "empty": says(200, b'{"code": "Ok", "durations": [], "distances": []}', **JSON),
    "endless": says(200, b"[" * (17 * 1024 * 1024), **JSON),
    "leads_elsewhere": says(302, b"", Location="/table/v1/driving/elsewhere"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_T150_a_request_is_accepted_whatever_the_server_does(house, fault):
    async with roadside(FAULTS[fault]) as seen, house(f"osrm:{seen.url}") as one:
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        asked = await world.ask()  # a server that never answers shows that nobody waits for it
        assert asked["state"] == "accepted"
        assert 1 <= len(seen.asked) <= 2
        assert not [target for target in seen.asked if "elsewhere" in target]
        assert (await plan_of(one, world))["estimated"]
        assert await kept(one) == {}


async def test_T150_a_server_that_is_not_there_costs_no_request(house):
    async with roadside(hangs) as gone:
        pass
    async with house(f"valhalla:{gone.url}") as one:
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        assert (await world.ask())["state"] == "accepted"


def test_T150_the_limits_add_up():
    assert LIMIT_S <= 1.5
    assert AHEAD_LIMIT_S > LIMIT_S


async def test_T150_a_server_that_keeps_failing_is_not_asked_by_every_promise(house):
    async with roadside(FAULTS["broken"]) as seen, house(f"osrm:{seen.url}") as one:
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 9)
        for _ in range(6):
            assert (await world.ask(device_serial=await world.device()))["state"] == "accepted"
        assert len(seen.asked) == 3


async def test_T150_a_busy_server_is_asked_once_more(house):
    busy = [says(503, b""), table_of(lambda a, b: 3600 * (a != b))]

    async def once_busy(target, body):
        return await busy.pop(0)(target, body)

    async with roadside(once_busy) as seen, house(f"osrm:{seen.url}") as one:
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        await world.ask()
        assert len(seen.asked) == 2
        assert set((await kept(one)).values()) == {3600}


def valhalla(target):
    """Valhalla's answers as its server gave them, cut to what matters."""
    cells = [[{"from_index": a, "to_index": b, "time": 2400 * (a != b), "distance": 21.5 * (a != b)} for b in (0, 1)]
             for a in (0, 1)]  # fmt: skip
    shape = encoded([YINCHUAN, (38.4, 106.23), AIRPORT], 6)
    return {
        "/sources_to_targets": {"sources_to_targets": cells, "units": "kilometers", "algorithm": "costmatrix"},
        "/route": {"trip": {"legs": [{"shape": shape, "summary": {"time": 2400}}], "status": 0}},
    }[target]


async def test_R5_a_valhalla_server_serves_as_well(house):
    async def answer(target, body):
        return 200, JSON, json.dumps(valhalla(target)).encode()

    async with roadside(answer) as seen, house(f"valhalla:{seen.url}") as one:
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        await world.ask()
        assert set((await kept(one)).values()) == {2400}
        await plan_of(one, world)
        assert await draw_lines(one.engine, one.context.travel, START) == 1
        async with reading(one.engine) as db:
            lines = await road_lines(db, points=[YINCHUAN, AIRPORT], now=START)
        assert decoded(lines.between(YINCHUAN, AIRPORT)) == (YINCHUAN, (38.4, 106.23), AIRPORT)
        assert lines.between(AIRPORT, YINCHUAN) is None


async def test_R5_one_bad_place_does_not_cost_valhalla_s_other_answers():
    bad = {"lat": 10.0, "lon": 10.0}

    async def picky(target, body):
        asked = json.loads(body)
        rows, columns = asked["sources"], asked["targets"]
        cells = [[{"time": 2400 * (a != b), "distance": 9} for b in columns] for a in rows]
        answers = {True: (400, {"error_code": 171}), False: (200, {"sources_to_targets": cells})}
        status, said = answers[bad in rows + columns]
        return status, JSON, json.dumps(said).encode()

    async with roadside(picky) as seen:
        source = Valhalla(Wire(seen.url))
        found = await source.matrix([YINCHUAN, AIRPORT, (10.0, 10.0)])
        await source.aclose()
    assert found.unknown == {(0, 2), (1, 2), (2, 0), (2, 1)}
    assert found.seconds[0][1] == 2400


async def test_R5_ways_are_drawn_on_the_map_along_roads(house, server):
    async with house(f"osrm:{server.url}") as one:
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 5)
        await world.ask()
        await plan_of(one, world)
        assert await draw_lines(one.engine, one.context.travel, START) == 1
        assert await draw_lines(one.engine, one.context.travel, START) == 0
        async with reading(one.engine) as db:
            lines = await road_lines(db, points=[YINCHUAN, AIRPORT], now=START)
        drawn = decoded(lines.between(YINCHUAN, AIRPORT))
        assert drawn[0] == pytest.approx(YINCHUAN, abs=1e-4)
        assert drawn[-1] == pytest.approx(AIRPORT, abs=1e-4)
        assert len(drawn) > 2
        browser = await signed_in(one.app, one.api)
        shown = html.unescape(re.search(r'data-map="([^"]*)"', (await browser.get("/board")).text)[1])
        driven = [route for route in json.loads(shown)["routes"] if route["stops"]]
        assert [len(route["path"]) - 1 for route in driven] == [len(route["roads"]) for route in driven]
        assert [route["roads"][-1] for route in driven] == [lines.between(YINCHUAN, AIRPORT)]


async def test_R5_old_times_are_forgotten_and_asked_anew(house, server):
    async with house(f"osrm:{server.url}") as one:
        await a_world(one.api)
        await in_force(one)
        later = START + KEPT
        async with begin(one.engine) as db:
            assert await forget_travel(db, later) == 2
        assert await Ahead().run(one.engine, one.context.travel, later) == 1
        assert len(await kept(one)) == 2


async def test_R5_many_promises_at_once_learn_the_same_ways(house, server):
    async with house(f"osrm:{server.url}") as one:
        await in_force(one)
        world = await a_world(one.api)
        await world.receive(world.psu, 9)
        serials = [await world.device() for _ in range(6)]
        made = await asyncio.gather(*(world.ask(device_serial=serial) for serial in serials))
        assert [one["state"] for one in made] == ["accepted"] * 6
        assert len(await kept(one)) == 2


async def test_R5_nothing_is_learned_without_a_source(house):
    async with house("straight") as one:
        assert not await learn(one.engine, one.context.travel, None, now=START)
        assert await draw_lines(one.engine, one.context.travel, START) == 0
