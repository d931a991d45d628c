"""One's account: what one sees, the language that follows one, the choice of a password, and sessions elsewhere."""

import re

import pytest
from sqlalchemy import text

from app.web.browsers import browser_named
from app.web.sessions import COOKIE
from tests.cast import a_world
from tests.web.visitors import (
    PASSWORD,
    a_person,
    person_signed_in,
    sign_in_as,
    signed_in,
    token_in,
    user_signed_in,
    visitor,
)

pytestmark = pytest.mark.anyio
NEW = "quite another sentence"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"


async def change(browser, **fields):
    token = token_in((await browser.get("/account/password")).text)
    form = {"token": token, "current": PASSWORD, "new": NEW, "again": NEW} | fields
    return await browser.post("/account/password", data=form)


async def test_the_account_tells_who_one_is_and_what_one_sees(app, engine, api):
    world = await a_world(api)
    person = await a_person(engine, "warehouse", places=[world.local, "GONE"], areas=[world.area])
    shown = (await (await person_signed_in(app, person)).get("/account")).text
    for words in (
        person.login,
        "warehouse",
        "all customers",
        world.local,
        "GONE",
        world.area,
        "Where you are signed in",
    ):
        assert words in shown


async def test_a_key_has_an_account_page_without_password(app, as_role):
    browser = await signed_in(app, await as_role("dispatcher"))
    shown = (await browser.get("/account")).text
    assert ("signed in with a key" in shown, "Change the password" in shown) == (True, False)
    assert (await browser.get("/account/password")).headers["Location"] == "/account"
    token = token_in(shown)
    answer = await browser.post("/account/password", data={"token": token, "new": NEW, "again": NEW})
    assert answer.status_code == 404


async def test_a_chosen_language_follows_the_person_into_every_browser(app, engine):
    person = await a_person(engine)
    english = {"Accept-Language": "en"}
    first, second = await person_signed_in(app, person, **english), await person_signed_in(app, person, **english)
    assert '<html lang="en">' in (await second.get("/account")).text
    await first.get("/language/zh-CN", params={"back": "/account"})
    assert '<html lang="zh-CN">' in (await second.get("/account")).text
    third = visitor(app, **english)
    await third.get("/language/en")
    assert '<html lang="en">' in (await third.get("/")).text
    await sign_in_as(third, person.login)
    assert '<html lang="zh-CN">' in (await third.get("/account")).text
    stranger = await user_signed_in(app, engine)
    assert '<html lang="en">' in (await stranger.get("/account")).text


async def test_a_key_s_language_is_kept_by_the_browser_alone(app, as_role):
    client = await as_role("dispatcher")
    first, second = await signed_in(app, client), await signed_in(app, client)
    await first.get("/language/zh-CN")
    assert '<html lang="zh-CN">' in (await first.get("/account")).text
    assert '<html lang="en">' in (await second.get("/account")).text


async def test_a_new_password_opens_and_the_old_one_does_not(app, engine):
    person = await a_person(engine)
    browser = await person_signed_in(app, person)
    answer = await change(browser)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    shown = await browser.get("/account")
    assert (shown.status_code, "Your password is changed" in shown.text) == (200, True)
    assert (await sign_in_as(visitor(app), person.login)).status_code == 401
    assert (await sign_in_as(visitor(app), person.login, NEW)).status_code == 303


async def test_a_new_password_ends_all_sessions_but_a_fresh_one_here(app, engine):
    person = await a_person(engine)
    browser, elsewhere = await person_signed_in(app, person), await person_signed_in(app, person)
    before = browser.cookies[COOKIE]
    assert (await change(browser)).status_code == 303
    assert browser.cookies[COOKIE] != before
    assert (await browser.get("/account")).status_code == 200
    assert (await elsewhere.get("/account")).status_code == 303
    thief = visitor(app)
    thief.cookies.set(COOKIE, before, domain="sparelane.test")
    assert (await thief.get("/account")).status_code == 303


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"current": "wrong wrong wrong"}, "This is not the present password."),
        ({"current": ""}, "This is not the present password."),
        ({"again": "something else here"}, "The two do not agree."),
        ({"new": PASSWORD, "again": PASSWORD}, "This is the present password."),
        ({"new": "short", "again": "short"}, "At least 10 characters."),
        ({"new": "", "again": ""}, "At least 10 characters."),
        ({"new": "password123", "again": "password123"}, "Too easy to guess"),
        ({"new": "x1" * 200, "again": "x1" * 200}, "At most 200 characters."),
    ],
)
async def test_a_password_that_is_not_taken_is_explained(app, engine, fields, says):
    person = await a_person(engine)
    browser = await person_signed_in(app, person)
    answer = await change(browser, **fields)
    assert (answer.status_code, says in answer.text, 'aria-invalid="true"' in answer.text) == (422, True, True)
    assert not any(typed and typed in answer.text for typed in fields.values())
    assert (await sign_in_as(visitor(app), person.login)).status_code == 303


async def test_the_login_is_no_password(app, engine):
    person = await a_person(engine, "dispatcher")
    browser = await person_signed_in(app, person)
    answer = await change(browser, new=person.login.upper(), again=person.login.upper())
    assert (answer.status_code, "The user name is no password." in answer.text) == (422, True)


async def test_the_present_password_cannot_be_guessed_from_a_session_either(app, engine):
    browser = await user_signed_in(app, engine)
    statuses = [(await change(browser, current=f"wrong wrong {number}")).status_code for number in range(10)]
    assert statuses == [422] * 10
    closed = await change(browser)
    assert (closed.status_code, closed.headers["Retry-After"], "Try again in 15 min." in closed.text) == (
        429, "900", True,
    )  # fmt: skip


async def test_a_one_time_password_leads_to_a_choice_before_anything_else(app, engine):
    person = await a_person(engine, "warehouse", must_change=True)
    browser = await person_signed_in(app, person)
    for path in ("/", "/account", "/board", "/live/stream"):
        answer = await browser.get(path)
        assert answer.status_code in (303, 401)
    assert (await browser.get("/")).headers["Location"] == "/account/password"
    part = await browser.get("/board/live", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/")
    page = await browser.get("/account/password")
    assert ("one-time password" in page.text, 'name="current"' in page.text) == (True, False)
    same = await change(browser, new=PASSWORD, again=PASSWORD)
    assert (same.status_code, "This is the present password." in same.text) == (422, True)
    assert (await change(browser)).headers["Location"] == "/"
    assert (await browser.get("/")).headers["Location"] == "/picking"
    again = await person_signed_in_with(app, person, NEW)
    assert (await again.get("/account")).status_code == 200


async def person_signed_in_with(app, person, password):
    browser = visitor(app)
    assert (await sign_in_as(browser, person.login, password)).status_code == 303
    return browser


async def test_a_reset_password_ends_what_was_open_and_opens_once_more(app, engine, api):
    person = await a_person(engine)
    browser = await person_signed_in(app, person)
    given = (await api.post(f"/v1/users/{person.id}/password-reset")).json()["one_time_password"]
    assert (await browser.get("/account")).status_code == 303
    assert (await sign_in_as(visitor(app), person.login)).status_code == 401
    again = await person_signed_in_with(app, person, given)
    assert (await again.get("/")).headers["Location"] == "/account/password"


async def test_a_password_reset_meanwhile_is_not_overwritten(app, engine, api):
    person = await a_person(engine, must_change=True)
    browser = await person_signed_in(app, person)
    token = token_in((await browser.get("/account/password")).text)
    await api.post(f"/v1/users/{person.id}/password-reset")
    late = await browser.post("/account/password", data={"token": token, "new": NEW, "again": NEW})
    assert (late.status_code, late.headers["Location"]) == (303, "/")
    assert (await sign_in_as(visitor(app), person.login, NEW)).status_code == 401


def marks(page: str) -> dict[str, str]:
    """The sessions on the page: browser and mark."""
    return dict(re.findall(r"<li>\s*<div><b>([^<]*)</b>.*?name=\"session\" value=\"(\w+)\"", page, re.S))


async def test_a_session_is_ended_from_another_browser(app, engine):
    person = await a_person(engine)
    desk = await person_signed_in(app, person)
    phone = await person_signed_in(app, person, **{"User-Agent": PHONE})
    shown = (await desk.get("/account")).text
    assert set(marks(shown)) == {"unknown browser", "Chrome · Android"}
    answer = await desk.post(
        "/account/sessions/end", data={"token": token_in(shown), "session": marks(shown)["Chrome · Android"]}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert (await phone.get("/account")).status_code == 303
    assert set(marks((await desk.get("/account")).text)) == {"unknown browser"}


async def test_all_others_are_ended_and_this_one_stays(app, engine):
    person = await a_person(engine)
    browsers = [await person_signed_in(app, person) for _ in range(3)]
    token = token_in((await browsers[0].get("/account")).text)
    assert (await browsers[0].post("/account/sessions/end-others", data={"token": token})).status_code == 303
    assert [(await one.get("/account")).status_code for one in browsers] == [200, 303, 303]


async def test_ending_this_session_is_signing_out(app, engine):
    browser = await user_signed_in(app, engine)
    shown = (await browser.get("/account")).text
    ended = await browser.post(
        "/account/sessions/end", data={"token": token_in(shown), "session": next(iter(marks(shown).values()))}
    )
    assert (ended.headers["Location"], (await browser.get("/account")).status_code) == ("/", 303)


async def test_nobody_ends_another_s_session(app, engine):
    victim, other = await user_signed_in(app, engine), await user_signed_in(app, engine)
    mark = next(iter(marks((await victim.get("/account")).text).values()))
    token = token_in((await other.get("/account")).text)
    await other.post("/account/sessions/end", data={"token": token, "session": mark})
    await other.post("/account/sessions/end-others", data={"token": token})
    assert (await victim.get("/account")).status_code == 200


async def test_an_admin_ends_a_person_s_sessions(app, engine, api):
    person = await a_person(engine)
    browsers = [await person_signed_in(app, person) for _ in range(2)]
    assert (await api.post(f"/v1/users/{person.id}/end-sessions")).status_code == 200
    assert [(await one.get("/account")).status_code for one in browsers] == [303, 303]
    assert (await sign_in_as(visitor(app), person.login)).status_code == 303


async def test_a_session_stands_on_a_person_or_a_key_never_on_both_or_none(engine):
    for api_key, user, epoch in (("key_x", "usr_x", 1), (None, None, None)):
        async with engine.connect() as db:
            with pytest.raises(Exception, match="web_session_stands_on_one"):
                await db.execute(
                    text("""INSERT INTO web_session (id_hash, api_key, user_account, epoch, created_at, last_seen_at,
                            expires_at) VALUES ('x', :key, :user, :epoch, now(), now(), now() + interval '1 hour')"""),
                    {"key": api_key, "user": user, "epoch": epoch},
                )


@pytest.mark.parametrize(
    ("user_agent", "named"),
    [
        (PHONE, "Chrome · Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
         "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
         "Safari · iPhone"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 MicroMessenger/8.0", "WeChat · iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Linux"),
        ("python-httpx/0.28", ""),
        (None, ""),
    ],
)  # fmt: skip
def test_a_browser_is_called_what_people_call_it(user_agent, named):
    assert browser_named(user_agent) == named
