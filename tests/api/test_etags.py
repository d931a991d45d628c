"""Entity tags: a thing that did not change is not sent again, and one that did is not overwritten."""

import inspect
import re
from datetime import timedelta

import pytest

from app.core.etags import entity_tag
from app.main import CALLS
from tests.builders import unique
from tests.cast import World, a_world, made

pytestmark = pytest.mark.anyio


@pytest.fixture
async def area(api) -> str:
    code = unique("AREA")
    await made(api, "/v1/areas", {"code": code, "name": "before"})
    return f"/v1/areas/{code}"


@pytest.fixture
async def world(api) -> World:
    world = await a_world(api)
    await world.receive(world.psu, 5)
    return world


async def test_what_did_not_change_is_not_sent_again(api, area):
    first = await api.get(area)
    tag = first.headers["etag"]
    assert re.fullmatch(rf'"{first.json()["version"]}-[0-9a-f]{{16}}"', tag)
    assert first.headers["vary"] == "Authorization, Accept-Language"
    assert "private" in first.headers["cache-control"]
    for said in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await api.get(area, headers={"If-None-Match": said})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in again.headers or "content-length" not in again.headers
    for said in ('"other"', tag.strip('"'), '"1"', ""):
        assert (await api.get(area, headers={"If-None-Match": said})).json() == first.json()


async def test_a_change_is_told_with_the_tag_of_what_it_left(api, area):
    before = (await api.get(area)).headers["etag"]
    changed = await api.patch(area, json={"name": "after"}, headers={"If-Match": before})
    assert changed.status_code == 200
    shown = await api.get(area, headers={"If-None-Match": before})
    assert (shown.status_code, shown.json()["name"]) == (200, "after")
    assert shown.headers["etag"] == changed.headers["etag"] != before


@pytest.mark.parametrize(
    "said", ["*", "{v}", '"{v}"', 'W/"{v}"', "{tag}", "W/{tag}", '"7", "{v}"', '7,{v} , "x"', '"{v}-0123456789abcdef"']
)
async def test_a_change_on_what_was_seen_is_made(api, area, said):
    seen = await api.get(area)
    said = said.format(v=seen.json()["version"], tag=seen.headers["etag"])
    assert (await api.patch(area, json={"name": "after"}, headers={"If-Match": said})).status_code == 200


@pytest.mark.parametrize("said", ["7", '"7"', '"7", "8"', '"x"', '"7-0123456789abcdef"', '"1-x"', '""'])
async def test_T48_a_change_on_anything_else_is_refused_with_the_present_version(api, area, said):
    refused = await api.patch(area, json={"name": "after"}, headers={"If-Match": said})
    assert (refused.status_code, refused.json()["code"]) == (412, "version.stale")
    assert refused.json()["facts"]["current"] == (await api.get(area)).json()["version"]
    assert (await api.get(area)).json()["name"] == "before"


@pytest.mark.parametrize("said", ["one", "1 2", '"1', "1,", "-1", "1.0", '"1" "2"'])
async def test_what_is_no_tag_is_refused(api, area, said):
    refused = await api.patch(area, json={"name": "after"}, headers={"If-Match": said})
    assert (refused.status_code, refused.json()["code"]) == (400, "parameters.bad")


async def test_a_version_is_never_left_out_of_account(api):
    code = unique("AREA")
    refused = await api.post("/v1/areas", json={"code": code, "name": "new"}, headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["code"]) == (400, "version.not_here")
    assert (await api.get(f"/v1/areas/{code}")).status_code == 404


async def test_a_verdict_never_changes_and_neither_does_its_tag(world):
    request = await world.ask()
    path = f"/v1/verdicts/{request['entitlement']['verdict']}"
    tag = (await world.api.get(path)).headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{16}"', tag)
    await world.do(request["id"], "pick", scanned=world.psu)
    assert (await world.api.get(path, headers={"If-None-Match": tag})).status_code == 304


async def test_each_language_and_each_asker_has_tags_of_its_own(world, as_role):
    path = f"/v1/part-requests/{(await world.ask())['id']}"
    shelf = await as_role("warehouse", places=[world.local])
    answers = [
        await world.api.get(path, headers={"Accept-Language": "en"}),
        await world.api.get(path, headers={"Accept-Language": "zh-CN"}),
        await shelf.get(path, headers={"Accept-Language": "en"}),
    ]
    tags = {one.headers["etag"] for one in answers}
    assert (len(tags), {tag.partition("-")[0] for tag in tags}) == (3, {'"1'})


async def test_time_that_passes_is_no_change_and_a_missed_clock_is_one(world, clock):
    path = f"/v1/part-requests/{(await world.ask())['id']}"
    first = await world.api.get(path)
    clock.step(timedelta(seconds=30))
    later = await world.api.get(path)
    assert later.json()["clocks"][0]["seconds_left"] == first.json()["clocks"][0]["seconds_left"] - 30
    assert later.headers["etag"] == first.headers["etag"]
    picked = await world.do(path.rpartition("/")[2], "pick", scanned=world.psu)
    now = await world.api.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (now.status_code, now.json()["version"]) == (200, picked["version"])


def test_only_what_runs_down_by_itself_is_left_out_of_a_tag():
    assert entity_tag(b'{"seconds_left":5,"due":1}', 2) == entity_tag(b'{"seconds_left":-17,"due":1}', 2)
    assert entity_tag(b'{"seconds_left":5,"due":1}', 2) != entity_tag(b'{"seconds_left":5,"due":2}', 2)
    assert entity_tag(b"{}", 2) != entity_tag(b"{}", 3)


async def test_an_answer_given_again_has_the_same_tag(api):
    code, key = unique("AREA"), {"Idempotency-Key": unique("key")}
    first, again = [await api.post("/v1/areas", json={"code": code, "name": "x"}, headers=key) for _ in range(2)]
    assert again.headers["idempotent-replayed"] == "true"
    assert first.headers["etag"] == again.headers["etag"] == (await api.get(f"/v1/areas/{code}")).headers["etag"]


async def test_tags_and_versions_are_described_where_they_are(api, app):
    document = (await api.get("/schema/openapi.json")).json()
    described = {
        one["operationId"]: {each["name"] for each in one["parameters"]} | set(one["responses"])
        for item in document["paths"].values()
        for one in item.values()
    }
    single = {name for name, found in described.items() if "If-None-Match" in found}
    assert {name for name, found in described.items() if "304" in found} == single
    assert {"show_request", "get_verdict", "show_part", "get_device", "show_charge"} <= single
    assert not {"list_requests", "list_parts"} & single
    honoring = {
        handler.fn.__name__
        for handler in CALLS
        if "call.if_match" in inspect.getsource(handler.fn) or "run_verb(" in inspect.getsource(handler.fn)
    }
    assert {name for name, found in described.items() if "If-Match" in found} == honoring
