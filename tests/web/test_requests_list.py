"""The list of requests, every entry of the navigation, and what a mistyped address shows."""

import csv
import io

import pytest

from app.web.nav import WORK
from tests.cast import a_world
from tests.web.visitors import signed_in, visitor

pytestmark = pytest.mark.anyio
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(("role", "address"), [(role, one) for role, work in WORK.items() for one in work])
async def test_every_entry_of_the_navigation_leads_to_a_page(app, as_role, role, address):
    browser = await signed_in(app, await as_role(role), **BROWSER)
    page = await browser.get(address)
    assert page.status_code == 200
    assert f'href="{address}"' in page.text


async def test_requests_are_found_by_ticket_and_told_with_their_promise(app, api, as_role):
    world = await a_world(api)
    await world.receive(world.psu, 3)
    open_one = await world.ask()
    done = await world.ask(device_serial=await world.device())
    await world.do(done["id"], "cancel", reason="repaired without")
    browser = await signed_in(app, await as_role("dispatcher", areas=[world.area]))
    both = (await browser.get("/requests?sort=-asked_at")).text
    assert both.count('<tr id="row-') == 2
    found = (await browser.get(f"/requests?search={open_one['id']}")).text
    assert (f"/requests/{open_one['id']}" in found, f"/requests/{done['id']}" in found) == (True, False)
    ended = (await browser.get("/requests?promise=ended")).text
    assert (f"/requests/{open_one['id']}" in ended, f"/requests/{done['id']}" in ended) == (False, True)
    file = (await browser.get("/requests.csv?state=accepted&cols=number,part")).content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(file)))[1:] == [[world.psu, open_one["id"]]]


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://desk.example.com/7", True),
        ("javascript:alert(1)", False),
        (" javascript:x", False),
        ("//desk/7", False),
    ],
)
async def test_a_ticket_leads_to_the_web_or_nowhere(app, api, as_role, url, linked):
    world = await a_world(api)
    await world.receive(world.psu, 1)
    request = await world.ask(ticket={"system": "desk", "number": "T-0007", "url": url})
    browser = await signed_in(app, await as_role("dispatcher", areas=[world.area]))
    shown = (await browser.get(f"/requests/{request['id']}")).text
    assert "T-0007" in shown
    assert (f'href="{url}"' in shown) is linked
    assert "javascript:" not in shown


async def test_an_engineer_sees_his_or_her_own_requests_alone(app, api, as_role):
    world = await a_world(api)
    await world.receive(world.psu, 3)
    others = await world.ask()
    engineer = await as_role("engineer")
    browser = await signed_in(app, engineer)
    mine = await engineer.post("/v1/part-requests", json=world.request(device_serial=await world.device()))
    shown = (await browser.get("/requests?sort=-asked_at")).text
    assert (mine.json()["id"] in shown, others["id"] in shown) == (True, False)


async def test_a_mistyped_address_shows_a_page_to_people_and_a_problem_to_programs(app, as_role):
    browser = await signed_in(app, await as_role("dispatcher"))
    page = await browser.get("/bord", headers=BROWSER)
    program = await browser.get("/bord", headers={"Accept": "application/json"})
    call = await browser.get("/v1/bord", headers=BROWSER)
    assert (page.status_code, "<h1>" in page.text) == (404, True)
    for entry in WORK["dispatcher"]:
        assert f'href="{entry}"' in page.text
    assert (program.status_code, program.json()["code"]) == (404, "not_found")
    assert (call.status_code, call.json()["code"]) == (404, "not_found")


async def test_a_mistyped_address_shows_no_navigation_to_strangers(app):
    page = await visitor(app).get("/bord", headers=BROWSER)
    assert page.status_code == 404
    assert 'href="/board"' not in page.text
