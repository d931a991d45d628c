"""An administrator connects a ticketing system in the browser: the address to post to, a payload tried, what came in."""

import json

import pytest

from app.integrations.jobs.act import act_on_receipts
from tests.builders import unique
from tests.cast import a_world
from tests.web.draft_cast import a_desk
from tests.web.test_admin_pages import posted
from tests.web.visitors import user_signed_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(app, engine):
    return await user_signed_in(app, engine, "admin")


async def test_a_system_is_connected_and_its_secret_is_shown_no_more(browser, api):
    code, secret = unique("desk").lower(), "canary-" + unique("secret")
    fields = {"code": code, "name": "Service desk", "provider": "zammad", "language": "zh-CN", "verify_secret": secret}
    made = await posted(browser, "/admin/connections/new", **fields)
    assert (made.status_code, made.headers["location"]) == (303, f"/admin/connections/{code}")
    page = (await browser.get(f"/admin/connections/{code}")).text
    assert f"/hooks/{code}" in page
    listed = (await browser.get("/admin/connections")).text
    assert f"/admin/connections/{code}" in listed
    assert secret not in page + listed
    assert (await api.get(f"/v1/connections/{code}")).json()["verify_secrets"] == 1


async def test_a_wrong_field_is_said_beside_it_and_nothing_is_made(browser, api):
    code = unique("desk").lower()
    fields = {"code": code, "name": "Desk", "provider": "generic", "language": "en", "verify_secret": "short"}
    again = await posted(browser, "/admin/connections/new", **fields)
    assert (again.status_code, 'id="wrong-verify_secret"' in again.text) == (422, True)
    inside = fields | {"verify_secret": "", "base_url": "http://169.254.169.254/latest"}
    assert (await posted(browser, "/admin/connections/new", **inside)).status_code == 422
    assert (await api.get(f"/v1/connections/{code}")).status_code == 404


async def test_a_payload_is_tried_and_what_came_in_is_listed_with_its_outcome(browser, api, engine, clock):
    world = await a_world(api)
    code = await a_desk(world)
    path = f"/admin/connections/{code}"
    told = {"number": "T-77", "title": "no picture", "status": "open", "serial": world.serial}
    tried = await posted(browser, f"{path}/try", path, payload=json.dumps(told))
    assert (tried.status_code, world.serial in tried.text) == (200, True)
    assert "no JSON object" in (await posted(browser, f"{path}/try", path, payload="[")).text
    assert (await api.get("/v1/tickets", params={"connection": code})).json()["items"] == []
    await api.post(f"/hooks/{code}", json=told)
    await act_on_receipts(engine, clock.now())
    assert "T-77" in (await browser.get(path)).text
    off = await posted(browser, f"{path}/switch", path, state="disabled")
    assert off.status_code == 303
    assert (await api.post(f"/hooks/{code}", json=told)).status_code == 404
