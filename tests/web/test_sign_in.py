"""Signing in and out: sessions that stand on a key and end with it, forms of our own alone, two languages."""

import re
from datetime import timedelta

import pytest

from app.web.sessions import COOKIE
from tests.web.visitors import id_of_key, key_of, sign_in, signed_in, token_in, visitor

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("accepted", "language", "says"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.5", "zh-CN", "备件按承诺送到"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en", "The right part"),
        ("fr", "en", "The right part"),
    ],
)
async def test_the_front_page_speaks_the_browsers_language(app, accepted, language, says):
    shown = await visitor(app, **{"Accept-Language": accepted}).get("/")
    assert (shown.status_code, f'<html lang="{language}">' in shown.text, says in shown.text) == (200, True, True)


async def test_a_chosen_language_wins_and_stays(app):
    browser = visitor(app, **{"Accept-Language": "en"})
    chosen = await browser.get("/language/zh-CN", params={"back": "/board?area=YC"})
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/board?area=YC")
    assert '<html lang="zh-CN">' in (await browser.get("/")).text
    assert (await browser.get("/language/tlh")).status_code == 404


@pytest.mark.parametrize("back", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "x"])
async def test_the_language_switch_leads_nowhere_else(app, back):
    assert (await visitor(app).get("/language/en", params={"back": back})).headers["Location"] == "/"


async def test_a_good_key_opens_the_board(app, as_role):
    browser = visitor(app)
    answer = await sign_in(browser, key_of(await as_role("dispatcher")))
    cookie = answer.headers.get_list("set-cookie")[0]
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert cookie.startswith(COOKIE)
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert (await browser.get("/")).headers["Location"] == "/board"
    assert (await browser.get("/board")).status_code == 200


async def test_over_tls_the_cookie_travels_over_tls_alone(app, as_role):
    browser = visitor(app, base="https://sparelane.test")
    answer = await sign_in(browser, key_of(await as_role("dispatcher")))
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


async def test_every_bad_key_gets_the_same_words(app, api, as_role, clock):
    revoked, expired = await as_role("dispatcher"), await as_role("dispatcher")
    await api.post(f"/v1/keys/{await id_of_key(api, key_of(revoked))}/revoke", json={})
    good = key_of(expired)
    bad = [
        key_of(revoked),
        good[:-1] + ("x" if good[-1] != "x" else "y"),
        "sl_000000000000_x",
        "hello",
        "",
        "sl_\x00",
        "密钥",
    ]
    shown = [await sign_in(visitor(app), key) for key in bad]
    bodies = {re.sub(r'value="\w+"', "", one.text) for one in shown}
    assert {one.status_code for one in shown} == {401}
    assert len(bodies) == 1
    assert "mistyped, expired or revoked" in bodies.pop()
    assert not any(COOKIE in cookie for one in shown for cookie in one.headers.get_list("set-cookie"))


async def test_a_form_from_elsewhere_is_refused(app, as_role):
    key = key_of(await as_role("dispatcher"))
    browser = visitor(app)
    token = token_in((await browser.get("/")).text)
    elsewhere = {"Origin": "https://elsewhere.example"}
    attempts = [
        await browser.post("/sign-in", data={"key": key}),
        await browser.post("/sign-in", data={"key": key, "token": token}, headers=elsewhere),
        await visitor(app).post("/sign-in", data={"key": key, "token": token}),
    ]
    assert [one.status_code for one in attempts] == [403, 403, 403]
    assert "Open the page again" in attempts[0].text
    assert (await browser.get("/board")).status_code == 303
    own = await browser.post("/sign-in", data={"key": key, "token": token}, headers={"Origin": "http://sparelane.test"})
    assert own.status_code == 303


async def test_a_revoked_key_ends_its_session_at_once(app, api, as_role):
    client = await as_role("dispatcher")
    browser = await signed_in(app, client)
    await api.post(f"/v1/keys/{await id_of_key(api, key_of(client))}/revoke", json={})
    page = await browser.get("/board")
    part = await browser.get("/board/live", headers={"HX-Request": "true"})
    stream = await browser.get("/live/stream")
    assert (page.status_code, page.headers["Location"]) == (303, "/")
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/")
    assert stream.status_code == 401


async def test_signing_out_ends_the_session_on_the_server(app, as_role):
    browser = await signed_in(app, await as_role("warehouse"))
    kept = browser.cookies[COOKIE]
    token = token_in((await browser.get("/board")).text)
    assert (await browser.post("/sign-out", data={"token": "0" * 64})).status_code == 403
    assert (await browser.get("/board")).status_code == 200
    assert (await browser.post("/sign-out", data={"token": token})).status_code == 303
    thief = visitor(app)
    thief.cookies.set(COOKIE, kept, domain="sparelane.test")
    assert (await thief.get("/board")).status_code == 303


async def test_a_session_ends_after_twelve_hours(app, as_role, clock):
    browser = await signed_in(app, await as_role("dispatcher"))
    clock.step(timedelta(hours=11, minutes=59))
    assert (await browser.get("/board")).status_code == 200
    clock.step(timedelta(minutes=1))
    assert (await browser.get("/board")).status_code == 303


async def test_a_cookie_we_did_not_sign_opens_nothing(app, as_role):
    browser = await signed_in(app, await as_role("dispatcher"))
    session, _, mark = browser.cookies[COOKIE].partition(".")
    for forged in (session, f"{session}.{'0' * 64}", f"x{session}.{mark}", f"{session}.{mark}x"):
        thief = visitor(app)
        thief.cookies.set(COOKIE, forged, domain="sparelane.test")
        assert (await thief.get("/board")).status_code == 303


async def test_each_sign_in_has_an_id_of_its_own(app, as_role):
    client = await as_role("dispatcher")
    first, second = await signed_in(app, client), await signed_in(app, client)
    assert first.cookies[COOKIE] != second.cookies[COOKIE]


async def test_whoever_has_no_pages_is_told_so(app, as_role):
    browser = await signed_in(app, await as_role("integration"))
    assert "works with the API" in (await browser.get("/")).text
    refused = await browser.get("/board")
    assert (refused.status_code, "integration" in refused.text) == (403, True)
    assert (await browser.get("/components")).status_code == 200


async def test_the_address_of_the_form_leads_to_the_front_page(app):
    answer = await visitor(app).get("/sign-in")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
