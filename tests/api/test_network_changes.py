"""Changing what is set up: each change at the version that is meant, told with what was before, and plans hear of it."""

import pytest
from sqlalchemy import text

from app.core.db import reading
from tests.builders import unique
from tests.cast import a_world, made

pytestmark = pytest.mark.anyio


async def events_of(engine, subject):
    statement = text("SELECT type, data, before_hash, after_hash FROM event WHERE subject = :subject ORDER BY seq")
    async with reading(engine) as db:
        return (await db.execute(statement, {"subject": subject})).all()


async def dirty(engine, area):
    async with reading(engine) as db:
        return await db.scalar(
            text("SELECT count(*) FROM region_dirty WHERE region = :area AND why = 'network'"), {"area": area}
        )


async def test_a_place_keeps_what_is_left_out_and_its_event_says_what_it_was(api, engine):
    world = await a_world(api)
    hours = {"mon": [["08:30", "18:00"]]}
    changed = await api.patch(f"/v1/places/{world.local}", json={"opening_hours": hours, "preparation_minutes": 25})
    assert changed.status_code == 200, changed.text
    shown = changed.json()
    assert (shown["opening_hours"], shown["preparation_minutes"], shown["name"]) == (hours, 25, world.local)
    assert shown["version"] == 2
    first, second = await events_of(engine, world.local)
    assert (first.type, first.before_hash) == ("place.created", None)
    assert (second.type, second.data["preparation_minutes"]) == ("place.changed", 25)
    assert second.before_hash != second.after_hash
    assert await dirty(engine, world.area) == 1


@pytest.mark.parametrize("path", ["places/{local}", "areas/{area}", "sites/{site}", "parts/{psu}", "models/{model}"])
async def test_a_stale_version_changes_nothing_and_the_same_again_is_no_change(api, engine, path):
    world = await a_world(api)
    address = "/v1/" + path.format(**vars(world))
    before = (await api.get(address)).json()
    subject = address.rsplit("/", 1)[1]
    stale = await api.patch(address, json={"name": "other"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version.stale")
    count = len(await events_of(engine, subject))
    same = await api.patch(address, json={"name": before["name"]}, headers={"If-Match": f'"{before["version"]}"'})
    assert (same.json(), len(await events_of(engine, subject))) == (before, count)
    other = await api.patch(address, json={"name": "other"}, headers={"If-Match": f'"{before["version"]}"'})
    assert (other.json()["name"], other.json()["version"]) == ("other", before["version"] + 1)


async def test_an_areas_sources_are_the_list_that_is_sent(api, engine):
    world = await a_world(api)
    both = await api.patch(f"/v1/areas/{world.area}", json={"sources": [world.branch, world.local, world.branch]})
    assert both.json()["sources"] == sorted([world.branch, world.local])
    assert (await api.patch(f"/v1/areas/{world.area}", json={"sources": []})).json()["sources"] == []
    unknown = await api.patch(f"/v1/areas/{world.area}", json={"sources": ["NOWHERE"]})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "place.not_found")
    assert await dirty(engine, world.area) == 2


async def test_couriers_and_lanes_change_and_bad_hours_are_refused(api, engine):
    world = await a_world(api)
    address = f"/v1/couriers/{world.courier}"
    shift = {"sat": [["09:00", "12:00"]]}
    assert (await api.patch(address, json={"shift": shift, "skills": ["ladder"]})).json()["shift"] == shift
    overlap = {"mon": [["08:00", "12:00"], ["11:00", "13:00"]]}
    assert (await api.patch(address, json={"shift": overlap})).json()["code"] == "network.bad_hours"
    lane = f"/v1/lanes/SF/{world.branch}/{world.area}"
    changed = (await api.patch(lane, json={"cutoffs": ["21:00", "09:30"], "cost": "12"})).json()
    assert (changed["cutoffs"], changed["cost"], changed["version"]) == (["09:30", "21:00"], "12.00", 2)
    assert (await api.patch(lane, json={"cost": "12.00"})).json()["version"] == 2
    assert (await api.patch(f"/v1/lanes/NONE/{world.branch}/{world.area}", json={})).status_code == 404
    assert (await events_of(engine, f"SF {world.branch} {world.area}"))[-1].type == "lane.changed"


async def test_W1_a_changed_model_leaves_registered_devices_as_they_are(api):
    world = await a_world(api)
    lamp = unique("LAMP")
    await made(api, "/v1/parts", {"number": lamp, "name": "lamp", "tracking": "none"})
    positions = [{"position": "lamp", "part_number": lamp, "key": True}]
    changed = (await api.patch(f"/v1/models/{world.model}", json={"positions": positions})).json()
    assert [one["position"] for one in changed["positions"]] == ["unit", "lamp"]
    old = (await api.get(f"/v1/devices/{world.serial}")).json()["positions"]
    assert sorted(one["position"] for one in old) == ["fan", "psu", "unit"]
    fresh = (await api.get(f"/v1/devices/{await world.device()}")).json()["positions"]
    assert sorted(one["position"] for one in fresh) == ["lamp", "unit"]
    twice = await api.patch(f"/v1/models/{world.model}", json={"positions": positions * 2})
    assert (twice.status_code, twice.json()["code"]) == (422, "model.position_twice")
    unknown = await api.patch(
        f"/v1/models/{world.model}", json={"positions": [{"position": "x", "part_number": "NONE", "key": False}]}
    )
    assert (unknown.status_code, unknown.json()["code"]) == (422, "network.unknown_reference")


async def test_a_site_finds_its_area_and_a_customer_its_engineer(api, engine):
    world = await a_world(api)
    area = unique("AREA")
    moved = await api.patch(f"/v1/sites/{world.site}", json={"area": area, "address": "北门"})
    assert (moved.json()["area"], moved.json()["address"]) == (area, "北门")
    assert (await api.patch(f"/v1/sites/{world.site}", json={"area": None})).json()["area"] is None
    assert (await api.get(f"/v1/areas/{area}")).status_code == 200
    named = await api.patch(f"/v1/customers/{world.customer}", json={"engineer": "li.na"})
    assert (named.json()["engineer"], named.json()["name"]) == ("li.na", world.customer)


async def test_what_is_out_of_scope_is_not_there(api, as_role):
    world = await a_world(api)
    narrow = await as_role("admin", places=["ELSEWHERE"], areas=["ELSEWHERE"], customers=["ELSEWHERE"])
    for path in (f"places/{world.local}", f"areas/{world.area}", f"sites/{world.site}", f"customers/{world.customer}"):
        assert (await narrow.patch(f"/v1/{path}", json={"name": "mine"})).status_code == 404, path
    assert (await narrow.patch(f"/v1/lanes/SF/{world.branch}/{world.area}", json={"cost": "1"})).status_code == 404
