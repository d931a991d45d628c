"""Signing in by name and password: the same words whatever is wrong, counted tries, TLS or this machine, one-time passwords."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from app.cli.serve import configuration
from app.core.db import begin
from app.core.settings import Settings
from app.web.cookies import loopback
from app.web.sessions import COOKIE
from tests.web.visitors import (
    PASSWORD,
    a_person,
    key_of,
    own_address,
    person_signed_in,
    sign_in,
    sign_in_as,
    token_in,
    user_signed_in,
    visitor,
)

pytestmark = pytest.mark.anyio
TLS = "https://sparelane.test"


async def test_a_name_and_password_open_the_role_s_work(app, engine):
    browser = await user_signed_in(app, engine, "warehouse")
    assert (await browser.get("/")).headers["Location"] == "/picking"
    assert (await browser.get("/board")).status_code == 200
    assert (await browser.get("/")).status_code == 303


@pytest.mark.parametrize("written", [str.upper, str.title, lambda login: f" {login} "])
async def test_a_login_may_be_written_in_any_case(app, engine, written):
    person = await a_person(engine)
    assert (await sign_in_as(visitor(app), written(person.login))).status_code == 303


async def test_what_is_recorded_names_the_person(app, engine):
    person = await a_person(engine)
    browser = await person_signed_in(app, person)
    await browser.get("/language/zh-CN")
    async with engine.connect() as db:
        actor = await db.scalar(
            text("SELECT actor FROM event WHERE type = 'user.language_chosen' AND subject = :id"), {"id": person.id}
        )
    assert actor == person.id


async def test_whatever_is_wrong_gets_the_same_words(app, engine, api):
    """Unknown, wrong, locked out and without a password alike."""
    known, locked = await a_person(engine), await a_person(engine)
    bare = (await api.post("/v1/users", json={"login": f"{known.login}-bare", "name": "x", "role": "finance"})).json()
    await api.post(f"/v1/users/{locked.id}/disable")
    tries = [
        (known.login, "wrong wrong wrong"),
        (known.login, ""),
        (f"{known.login}-nobody", PASSWORD),
        (locked.login, PASSWORD),
        (bare["login"], PASSWORD),
        (bare["login"], ""),
        ("", PASSWORD),
        ("nul\x00", PASSWORD),
        ("half \ud83d".encode("utf-8", "replace").decode(), PASSWORD),
        (known.login, "x" * 5000),
    ]
    shown = [await sign_in_as(visitor(app), *one) for one in tries]
    assert {one.status_code for one in shown} == {401}
    assert len({re.sub(r'value="[^"]*"| autofocus', "", one.text) for one in shown}) == 1
    assert "This user name and password do not fit" in shown[0].text
    assert not any(COOKIE in cookie for one in shown for cookie in one.headers.get_list("set-cookie"))


async def test_the_typed_name_stays_in_its_field_and_is_escaped(app):
    shown = await sign_in_as(visitor(app), '"><script>x', PASSWORD)
    assert 'value="&#34;&gt;&lt;script&gt;x"' in shown.text


async def failures(browser: httpx.AsyncClient, login: str, count: int) -> list[int]:
    token = token_in((await browser.get("/")).text)
    form = {"token": token, "login": login, "password": "wrong wrong wrong"}
    return [(await browser.post("/sign-in", data=form)).status_code for _ in range(count)]


async def test_ten_failures_close_the_door_for_a_while_even_to_the_right_password(app, engine, clock):
    person, address = await a_person(engine), own_address()
    browser = visitor(app, address=address)
    assert await failures(browser, person.login, 10) == [401] * 10
    clock.step(timedelta(minutes=3))
    refused = await sign_in_as(browser, person.login)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "720")
    assert "Try again in 12 min." in refused.text
    assert (await sign_in_as(visitor(app), person.login)).status_code == 303
    other = await a_person(engine)
    assert (await sign_in_as(visitor(app, address=address), other.login)).status_code == 303
    clock.step(timedelta(minutes=12))
    assert (await sign_in_as(browser, person.login)).status_code == 303


async def test_fifty_failures_close_it_to_an_address_whoever_is_tried(app, engine, as_role):
    person, key, address = await a_person(engine), key_of(await as_role("dispatcher")), own_address()
    browser = visitor(app, address=address)
    token = token_in((await browser.get("/")).text)
    for number in range(50):
        bad = await browser.post("/sign-in", data={"token": token, "key": f"sl_{number:012}_x"})
        assert bad.status_code == 401
    assert (await sign_in_as(browser, person.login)).status_code == 429
    refused = await sign_in(browser, key)
    assert (refused.status_code, "Try again in 15 min." in refused.text) == (429, True)
    assert (await sign_in(visitor(app), key)).status_code == 303


@pytest.mark.parametrize("proxies", ["", "10.9.9.9"])
async def test_T128_a_forwarded_address_from_anyone_changes_nothing(app, engine, proxies):
    person, address = await a_person(engine), own_address()
    config = configuration(Settings(trusted_proxies=proxies), app)
    config.load()
    statuses = []
    for number in range(11):
        browser = visitor(config.loaded_app, address=address, **{"X-Forwarded-For": f"192.0.2.{number}"})
        statuses.append((await sign_in_as(browser, person.login, "wrong wrong wrong")).status_code)
    assert statuses == [401] * 10 + [429]


async def test_T128_a_named_proxy_tells_the_true_address(app, engine):
    person, proxy = await a_person(engine), own_address()
    config = configuration(Settings(trusted_proxies=proxy), app)
    config.load()

    async def status(client, claimed):
        heard = {"X-Forwarded-For": f"{claimed}, {client}", "X-Forwarded-Proto": "https"}
        browser = visitor(config.loaded_app, base=TLS, address=proxy, **heard)
        return (await sign_in_as(browser, person.login, "wrong wrong wrong")).status_code

    assert [await status("192.0.2.50", f"198.51.100.{number}") for number in range(11)] == [401] * 10 + [429]
    assert await status("192.0.2.51", "198.51.100.1") == 401


async def test_T144_many_at_once_are_judged_or_asked_to_wait(app, engine):
    person = await a_person(engine)
    browsers = [visitor(app) for _ in range(12)]
    answers = await asyncio.gather(*(sign_in_as(one, person.login) for one in browsers))
    assert {one.status_code for one in answers} <= {303, 429}
    assert 303 in {one.status_code for one in answers}


async def test_T140_a_session_from_before_is_replaced_and_a_session_from_after_is_refused(app, engine):
    person = await a_person(engine)
    planted = visitor(app)
    planted.cookies.set(COOKIE, f"{'x' * 43}.{'0' * 64}", domain="sparelane.test", path="/")
    assert (await sign_in_as(planted, person.login)).status_code == 303
    first = planted.cookies.get(COOKIE, path="/", domain="sparelane.test")
    assert not first.startswith("x" * 43)
    browser = await person_signed_in(app, person)
    kept = browser.cookies[COOKIE]
    token = token_in((await browser.get("/account")).text)
    assert (await browser.post("/sign-out", data={"token": token})).status_code == 303
    thief = visitor(app)
    thief.cookies.set(COOKIE, kept, domain="sparelane.test")
    assert (await thief.get("/account")).status_code == 303


async def test_a_sign_in_left_open_in_another_tab_stays_good(app, engine):
    person = await a_person(engine)
    browser = visitor(app)
    first = token_in((await browser.get("/")).text)
    await browser.get("/")
    form = {"token": first, "login": person.login, "password": PASSWORD}
    assert (await browser.post("/sign-in", data=form)).status_code == 303


async def test_T140_signing_in_again_ends_the_session_there_was(app, engine):
    person = await a_person(engine)
    browser = visitor(app)
    token = token_in((await browser.get("/")).text)
    form = browser.cookies["sparelane_form"]
    assert (await sign_in_as(browser, person.login)).status_code == 303
    before = browser.cookies[COOKIE]
    browser.cookies.set("sparelane_form", form, domain="sparelane.test", path="/")
    again = await browser.post("/sign-in", data={"token": token, "login": person.login, "password": PASSWORD})
    assert again.status_code == 303
    thief = visitor(app)
    thief.cookies.set(COOKIE, before, domain="sparelane.test")
    assert (await thief.get("/account")).status_code == 303
    assert (await browser.get("/account")).status_code == 200


async def test_T141_a_form_posted_as_plain_text_is_refused(app, engine):
    browser = await user_signed_in(app, engine)
    for path in ("/sign-out", "/account/sessions/end-others", "/account/password"):
        answer = await browser.post(path, content="token=x", headers={"Content-Type": "text/plain"})
        assert answer.status_code == 403
    assert (await browser.get("/account")).status_code == 200


async def test_T139_whoever_is_locked_out_or_gets_another_role_meets_it_at_the_next_request(app, engine, api):
    person = await a_person(engine)
    browser = await person_signed_in(app, person)
    assert (await browser.get("/board")).status_code == 200
    await api.patch(f"/v1/users/{person.id}", json={"role": "finance"})
    refused = await browser.get("/board")
    assert (refused.status_code, "finance" in refused.text) == (403, True)
    await api.patch(f"/v1/users/{person.id}", json={"role": "dispatcher"})
    assert (await browser.get("/board")).status_code == 200
    await api.post(f"/v1/users/{person.id}/disable")
    assert (await browser.get("/board")).status_code == 303
    await api.post(f"/v1/users/{person.id}/enable")
    assert (await browser.get("/board")).status_code == 303
    assert (await sign_in_as(visitor(app), person.login)).status_code == 303


async def test_T139_a_narrowed_scope_holds_at_the_next_request(app, engine, api):
    person = await a_person(engine)
    browser = await person_signed_in(app, person)
    assert "all areas" in (await browser.get("/account")).text
    await api.patch(f"/v1/users/{person.id}", json={"areas": ["NOWHERE"]})
    shown = (await browser.get("/account")).text
    assert ("all areas" in shown, "NOWHERE" in shown) == (False, True)


async def test_over_tls_cookies_belong_to_this_host_and_travel_over_tls_alone(app, engine):
    browser = visitor(app, base=TLS, address="192.0.2.7")
    answer = await sign_in_as(browser, (await a_person(engine)).login)
    cookies = answer.headers.get_list("set-cookie")
    assert [one.partition("=")[0] for one in cookies] == ["__Host-sparelane_session", "__Host-sparelane_form"]
    assert all({"Secure", "Path=/", "HttpOnly"} <= set(one.split("; ")) for one in cookies)
    assert not any("Domain" in one for one in cookies)
    assert (await browser.get("/account")).status_code == 200
    chosen = (await browser.get("/language/en")).headers["set-cookie"]
    assert chosen.startswith("__Host-sparelane_language=en")
    plain = visitor(app, base=TLS)
    plain.cookies.set(COOKIE, browser.cookies[f"__Host-{COOKIE}"], domain="sparelane.test")
    assert (await plain.get("/account")).status_code == 303


async def test_over_plain_http_from_elsewhere_nobody_signs_in_and_the_page_says_why(app, engine):
    person = await a_person(engine)
    browser = visitor(app, address="192.0.2.7")
    front = await browser.get("/")
    posted = await browser.post("/sign-in", data={"token": "x", "login": person.login, "password": PASSWORD})
    for answer in (front, posted):
        assert answer.status_code == 403
        assert "Signing in needs TLS" in answer.text
        assert "192.0.2.7" in answer.text
        assert 'name="password"' not in answer.text
    stolen = (await person_signed_in(app, person)).cookies[COOKIE]
    browser.cookies.set(COOKIE, stolen, domain="sparelane.test")
    assert (await browser.get("/account")).status_code == 303


async def test_a_proxy_that_is_not_named_is_found_out(app):
    shown = await visitor(app, **{"X-Forwarded-Proto": "https"}).get("/")
    assert (shown.status_code, "SPARELANE_TRUSTED_PROXIES" in shown.text) == (403, True)


async def test_plain_http_can_be_allowed_on_purpose(app, engine, monkeypatch):
    monkeypatch.setattr(app.state, "settings", Settings(plain_http="allow"))
    browser = visitor(app, address="192.0.2.7")
    assert (await sign_in_as(browser, (await a_person(engine)).login)).status_code == 303
    assert (await browser.get("/account")).status_code == 200


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True), ("127.8.9.10", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.168.1.5", False),
        ("::ffff:192.168.1.5", False), ("fe80::1", False), ("localhost", False), ("", False), (None, False),
    ],
)  # fmt: skip
def test_this_machine_is_known_by_its_address(address, here):
    assert loopback(address) is here


async def test_a_hash_by_older_parameters_is_made_anew_when_its_password_is_proven(app, engine):
    from pwdlib.hashers.argon2 import Argon2Hasher

    person = await a_person(engine)
    older = Argon2Hasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    async with begin(engine) as db:
        await db.execute(
            text("UPDATE user_account SET password_hash = :older WHERE id = :id"), {"older": older, "id": person.id}
        )
    browser = await person_signed_in(app, person)
    async with engine.connect() as db:
        kept = await db.scalar(text("SELECT password_hash FROM user_account WHERE id = :id"), {"id": person.id})
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert (await browser.get("/account")).status_code == 200
    assert (await sign_in_as(visitor(app), person.login)).status_code == 303
