"""The administrator's pages without a browser: who may, the password again, errors beside their fields, days worked out."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.accounts.rules import PERSON_ROLES
from app.core.db import reading
from tests.builders import unique
from tests.cast import a_world, made
from tests.conftest import START
from tests.web.visitors import PASSWORD, a_person, person_signed_in, token_in, user_signed_in

pytestmark = pytest.mark.anyio


def admin_routes(app) -> list[tuple[str, str]]:
    found = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            if route.path.startswith("/admin") and handler.opt.get("page_roles"):
                path = re.sub(r"{\w+:int}", "2026", re.sub(r"{\w+:str}", "no-such-thing", route.path))
                found += [(method, path) for method in handler.http_methods if method in ("GET", "POST")]
    return sorted(found)


async def posted(browser, path, form_at=None, **fields):
    """Send a form of the page that shows it."""
    page = (await browser.get(form_at or path)).text
    once = re.search(r'name="once" value="([^"]+)"', page)
    data = {"token": token_in(page), "once": once[1] if once else "none"} | fields
    return await browser.post(path, data=data)


@pytest.mark.parametrize("role", [one for one in PERSON_ROLES if one != "admin"])
async def test_nobody_but_an_administrator_gets_in(app, engine, role):
    browser = await user_signed_in(app, engine, role)
    token = token_in((await browser.get("/account")).text)
    routes = admin_routes(app)
    assert len(routes) > 70
    wrong = []
    for method, path in routes:
        answer = await browser.request(method, path, data={"token": token} if method == "POST" else None)
        wrong += [f"{method} {path}: {answer.status_code}"] if answer.status_code != 403 else []
    assert wrong == []


async def test_people_and_keys_ask_for_the_password_again_and_keep_what_was_typed(app, engine, clock):
    admin = await a_person(engine, "admin")
    browser = await person_signed_in(app, admin)
    page = (await browser.get("/admin/people/new")).text
    login = unique("new").lower()
    form = {"token": token_in(page), "once": unique("once"), "login": login, "name": "新人", "role": "engineer"}
    clock.set(START + timedelta(minutes=16))
    for path in ("/admin/people/new", "/admin/keys/new", f"/admin/people/{admin.id}"):
        assert "Is it still you?" in (await browser.get(path)).text, path
    stale = await browser.post("/admin/people/new", data=form)
    assert (stale.status_code, login in stale.text, "One-time password" in stale.text) == (403, True, False)
    again = {**form, "to": "/admin/people/new", "carries": "yes"}
    wrong = await browser.post("/admin/again", data=again | {"password": "not it at all"})
    assert (wrong.status_code, login in wrong.text) == (401, True)
    right = await browser.post("/admin/again", data=again | {"password": PASSWORD})
    assert (right.status_code, login in right.text, PASSWORD in right.text) == (200, True, False)
    done = await browser.post("/admin/people/new", data=form)
    assert f"<code>{login}</code>" in done.text
    assert "Is it still you?" not in (await browser.get("/admin/keys/new")).text


async def test_the_way_back_never_leads_elsewhere(app, engine):
    browser = await user_signed_in(app, engine, "admin")
    token = token_in((await browser.get("/admin/again")).text)
    for to in ("https://elsewhere.test/", "//elsewhere.test/", "/board"):
        answer = await browser.post("/admin/again", data={"token": token, "password": PASSWORD, "to": to})
        assert answer.headers["Location"] == "/admin", to


async def test_a_person_is_changed_locked_out_let_in_and_signed_out(app, engine):
    browser = await user_signed_in(app, engine, "admin")
    person = await a_person(engine, "engineer")
    path = f"/admin/people/{person.id}"
    await person_signed_in(app, person)
    shown = (await browser.get(path)).text
    assert ("last seen just now" in shown, "has a password of his or her own" in shown) == (True, True)
    version = re.search(r'name="version" value="(\d+)"', shown)[1]
    changed = await posted(browser, path, name="小马", role="dispatcher", areas_limited="yes", version=version)
    assert changed.headers["Location"] == path
    stale = await posted(browser, path, name="other", role="dispatcher", version=version)
    assert (stale.status_code, 'value="other"' in stale.text) == (412, True)
    for verb, words in (("disable", "is locked out"), ("enable", "has a password"), ("end-sessions", "Not signed in")):
        assert (await posted(browser, f"{path}/{verb}", path)).headers["Location"] == path
        assert words in (await browser.get(path)).text, verb
    given = await posted(browser, f"{path}/password", path)
    assert re.search(r"<output id=\"secret\">(\w{4}-){3}\w{4}</output>", given.text)


async def test_a_taken_login_is_said_beside_its_field_and_nothing_typed_is_lost(app, engine):
    browser = await user_signed_in(app, engine, "admin")
    person = await a_person(engine, "finance")
    refused = await posted(
        browser, "/admin/people/new", login=person.login, name="Second", role="finance", customers_limited="yes"
    )
    assert refused.status_code == 409
    assert re.search(r'<p class="wrong-text" id="wrong-login"[^>]*>[^<]+', refused.text)
    assert ('value="Second"' in refused.text, 'name="customers_limited" value="yes" checked' in refused.text) == (
        True,
        True,
    )


async def test_a_key_is_shown_once_and_revoked_with_its_consequence_said(app, engine):
    browser = await user_signed_in(app, engine, "admin")
    fields = {"name": "helpdesk", "role": "integration", "lasts": "30", "customers_limited": "yes"}
    page = await posted(browser, "/admin/keys/new", **fields)
    key = re.search(r'<output id="secret">(sl_\w{12}_[\w-]+)</output>', page.text)[1]
    number = re.search(r"/admin/keys/(key_\w+)", page.text)[1]
    detail = (await browser.get(f"/admin/keys/{number}")).text
    assert (key in detail, key[:16] in detail, "refused from this moment on" in detail) == (
        False,
        True,
        True,
    )
    assert key not in (await browser.get("/admin/keys")).text
    bearer = {"Authorization": f"Bearer {key}"}
    assert (await browser.get("/v1/me", headers=bearer)).status_code == 200
    await posted(browser, f"/admin/keys/{number}/revoke", f"/admin/keys/{number}")
    assert (await browser.get("/v1/me", headers=bearer)).status_code == 401
    assert "revoked" in (await browser.get(f"/admin/keys/{number}")).text


W2 = [
    ("2015-07-31", 36, "2015-08-01", "2018-07-31"),
    ("2024-02-29", 36, "2024-03-01", "2027-02-28"),
    ("2024-02-28", 36, "2024-02-29", "2027-02-28"),
    ("2021-02-28", 36, "2021-03-01", "2024-02-28"),
    ("2022-02-28", 24, "2022-03-01", "2024-02-28"),
    ("2022-08-31", 18, "2022-09-01", "2024-02-29"),
    ("2021-08-31", 30, "2021-09-01", "2024-02-29"),
]


async def a_contract(api, **more) -> str:
    number = unique("HT")
    await made(api, "/v1/contracts", {"number": number, "customer": unique("CUST"), "currency": "CNY", **more})
    return number


def worked(page: str) -> list[str]:
    """The large days of a comparison, in order."""
    return re.findall(r'<td class="day[^"]*">([^<]+)</td>', page)


@pytest.mark.parametrize(("accepted", "months", "first", "last"), W2)
async def test_W2_the_worked_example_says_the_days_of_the_table(app, engine, api, accepted, months, first, last):
    number = await a_contract(api, terms={"months": months})
    browser = await user_signed_in(app, engine, "admin")
    page = (await browser.get(f"/admin/contracts/{number}", params={"day": accepted})).text
    assert worked(page) == [first, last]
    assert f"Counted from {accepted}, {months} months: from {first} to {last}" in page


async def test_W2_an_amendment_is_reckoned_from_the_anchor_beside_what_stands(app, engine, api):
    number = await a_contract(api, accepted_on="2021-08-31", terms={"months": 30})
    browser = await user_signed_in(app, engine, "admin")
    path = f"/admin/contracts/{number}/amend"
    form = form_of((await browser.get(path)).text) | {"months": "36", "valid_from": "2021-01-01", "do": "show"}
    shown = await browser.post(path, data=form)
    assert worked(shown.text) == ["2021-09-01", "2021-09-01", "2024-02-29", "2024-08-31"]
    late = await browser.post(path, data=form | {"valid_from": "2022-01-01"})
    assert "is not touched" in late.text
    done = await browser.post(path, data=form | {"do": "record", "once": unique("once")})
    assert done.headers["Location"] == f"/admin/contracts/{number}"
    terms = (await api.get(f"/v1/contracts/{number}")).json()["terms"]
    assert [(one["valid_from"], one["terms"]["months"]) for one in terms] == [(None, 30), ("2021-01-01", 36)]


def form_of(page: str) -> dict[str, str]:
    """The values that a page's form would send as it stands."""
    form = page[page.index('<form class="stack fill"') :]
    form = form[: form.index("</form>")]
    fields = dict(
        re.findall(r'<input(?=[^>]*type="(?:hidden|number|date|text)")[^>]* name="(\w+)"[^>]* value="([^"]*)"', form)
    )
    fields |= dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    fields |= dict(re.findall(r'<input name="(\w+_minutes)" value="([^"]*)"', form))
    fields |= dict(re.findall(r'<select id="(\w+)".*?<option value="(\w*)" selected', form, re.S))
    fields |= dict.fromkeys(re.findall(r'<input type="checkbox" name="(\w+)" checked', form), "on")
    return fields


async def test_terms_that_make_no_sense_are_said_beside_their_field(app, engine, api):
    number = await a_contract(api)
    browser = await user_signed_in(app, engine, "admin")
    path = f"/admin/contracts/{number}/amend"
    form = form_of((await browser.get(path)).text)
    bad = await browser.post(path, data=form | {"months": "0", "tax_rate": "13%", "severe_done_minutes": "soon"})
    assert bad.status_code == 422
    for name in ("months", "tax_rate"):
        assert f'id="wrong-{name}"' in bad.text, name
    assert 'value="13%"' in bad.text


async def test_a_roll_over_names_its_rule_and_an_unpublished_year_is_not_certain(app, engine, api):
    await made(api, "/v1/calendars", {"country": "VN", "year": 2018, "published": True})
    number = await a_contract(api, terms={"holiday_rollover": True, "calendar": "VN"})
    browser = await user_signed_in(app, engine, "admin")
    page = (await browser.get(f"/admin/contracts/{number}", params={"day": "2015-07-28"})).text
    assert (worked(page)[-1], "2018-07-28" in page) == ("2018-07-30", True)
    later = (await browser.get(f"/admin/contracts/{number}", params={"day": "2016-07-30"})).text
    assert worked(later)[-1] == "2019-07-30, not certain yet"


async def test_an_acceptance_anchors_and_W12_a_correction_is_shown_before_it_is_done(app, engine, api):
    world = await a_world(api)
    await world.receive(world.psu, 5)
    job = await world.ask()
    assert job["entitlement"]["covered"] is True
    browser = await user_signed_in(app, engine, "admin")
    path = f"/admin/contracts/{world.contract}/correct"
    form = form_of((await browser.get(path)).text) | {"accepted_on": "2020-01-15", "reason": "protocol 7"}
    shown = await browser.post(path, data=form | {"do": "show"})
    assert "1 devices are reckoned anew. Of 1 verdicts in force, 1 would be others." in shown.text
    assert (worked(shown.text)[-1], "under warranty" in shown.text) == ("2023-01-15", True)
    device = f"/v1/devices/{world.serial}"
    assert (await api.get(device)).json()["accepted_on"] == "2025-03-01"
    done = await browser.post(path, data=form | {"do": "record", "once": unique("once")})
    assert done.headers["Location"] == f"/admin/contracts/{world.contract}"
    assert (await api.get(device)).json()["accepted_on"] == "2020-01-15"
    old = (await api.get(f"/v1/verdicts/{job['entitlement']['verdict']}")).json()
    new = (await api.get(f"/v1/verdicts/{old['superseded_by']}")).json()
    assert (new["supersedes"], new["covered"]) == (old["id"], False)
    again = await browser.post(path, data=form | {"do": "show", "version": ""})
    assert (again.status_code, "already" in again.text) == (409, True)


async def test_a_contract_is_made_and_accepted_on_its_page(app, engine, api):
    browser = await user_signed_in(app, engine, "admin")
    number = unique("HT")
    form = form_of((await browser.get("/admin/contracts/new")).text)
    made_it = await browser.post("/admin/contracts/new", data=form | {"number": number, "customer": unique("C")})
    path = made_it.headers["Location"]
    assert path == f"/admin/contracts/{number}"
    accepted = await posted(browser, f"{path}/accept", path, accepted_on="2026-06-30")
    assert accepted.headers["Location"] == path
    page = (await browser.get(path)).text
    assert ("accepted on 2026-06-30" in page, worked(page)) == (True, ["2026-07-01", "2029-06-30"])
    part = unique("PSU")
    await made(api, "/v1/parts", {"number": part, "name": "psu", "tracking": "none"})
    listed = await posted(browser, f"{path}/assortment", valid_from="2026-07-01", parts=f"{part}\n")
    assert listed.headers["Location"] == path
    assert part in (await browser.get(path)).text
    unknown = await posted(browser, f"{path}/assortment", valid_from="2026-07-01", parts="NONE")
    assert (unknown.status_code, "wrong-parts" in unknown.text) == (422, True)


async def test_opening_hours_are_typed_and_told(app, engine, api):
    world = await a_world(api)
    browser = await user_signed_in(app, engine, "admin")
    path = f"/admin/places/{world.local}"
    fields = {"name": "仓", "latitude": "38.48", "longitude": "106.2", "preparation_minutes": "5"}
    week = {"opening_hours_kind": "week"} | {
        f"opening_hours_{day}": ["08:30", "18:00", "", ""] for day in ("mon", "tue", "wed", "thu", "fri")
    }
    half = await posted(browser, path, **fields, opening_hours_kind="week", opening_hours_mon=["08:30", "", "", ""])
    assert (half.status_code, "without an end" in half.text) == (422, True)
    assert (await posted(browser, path, **fields, **week)).headers["Location"] == path
    page = (await browser.get(path)).text
    assert ("Mon – Fri" in page, "08:30–18:00" in page, "Sat – Sun" in page) == (True, True, True)
    assert (await api.get(f"/v1/places/{world.local}")).json()["opening_hours"]["fri"] == [["08:30", "18:00"]]
    await posted(browser, path, **fields | {"latitude": "52.5", "longitude": "13.4"}, opening_hours_kind="24x7")
    assert "outside the country" in (await browser.get(path)).text


async def test_the_audit_trail_shows_what_just_happened_and_by_whom(app, engine, api):
    world = await a_world(api)
    admin = await a_person(engine, "admin")
    browser = await person_signed_in(app, admin)
    path = f"/admin/parts/{world.psu}"
    fields = {"name": "电源", "fitting_minutes": "15", "weight_g": "300"}
    assert (await posted(browser, path, **fields)).headers["Location"] == path
    assert f"/admin/audit?subject={world.psu}" in (await browser.get(path)).text
    trail = (await browser.get("/admin/audit", params={"subject": world.psu})).text
    assert re.findall(r'data-label="What"[^>]*><span>([^<]+)', trail) == ["part changed", "part made"]
    event = (await browser.get(re.search(r"/admin/audit/evt_\w+", trail)[0])).text
    for words in ("part changed", "admin in tests", "&#34;weight_g&#34;: 300", "Before it"):
        assert words in event, words
    async with reading(engine) as db:
        row = (
            await db.execute(
                text("SELECT before_hash, after_hash FROM event WHERE subject = :part ORDER BY seq DESC LIMIT 1"),
                {"part": world.psu},
            )
        ).one()
    assert (row.before_hash in event, row.after_hash in event) == (True, True)
    narrow = await user_signed_in(app, engine, "admin", customers=[world.customer])
    hidden = (await narrow.get("/admin/audit", params={"subject": world.psu})).text
    assert re.findall(r'data-label="What"', hidden) == []


async def test_the_home_counts_what_needs_doing(app, engine, api):
    area = unique("AREA")
    await made(api, "/v1/areas", {"code": area, "name": area})
    await a_person(engine, "engineer", must_change=True)
    page = (await (await user_signed_in(app, engine, "admin")).get("/admin")).text
    for words in ("service areas have no source", "people have not chosen a password"):
        assert words in page, words
