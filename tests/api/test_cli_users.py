"""People from the command line, and the demo's people: one-time passwords that open, passwords that stay the demo's."""

import asyncio
import json
import os
import stat

import pytest
from sqlalchemy import text

from app.accounts import queries, service
from app.accounts.rules import PERSON_ROLES, Actor, duty_actor, hashed
from app.cli.demo_users import demo_users
from app.cli.serve import UNKNOWN, WayIn, welcome
from app.core.db import begin, make_engine, reading
from app.core.settings import Settings
from tests.api.test_cli_commands import fresh_url, here, plain_environment, sparelane  # noqa: F401 - fixtures
from tests.builders import unique
from tests.conftest import START
from tests.web.visitors import sign_in_as, visitor

TESTS = duty_actor("tests")


@pytest.fixture
def login():
    return unique("li").lower()


@pytest.mark.anyio
async def test_a_person_made_beside_the_running_service_signs_in_and_chooses_a_password(app, database_url, login):
    made = sparelane(
        "users", "create", "--login", login.upper(), "--name", "李师傅", "--role", "warehouse", "--place", "YC-WH",
        url=database_url,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    password = made.stdout.strip()
    assert made.stdout == f"{password}\n"
    browser = visitor(app)
    assert (await sign_in_as(browser, login, password)).status_code == 303
    assert (await browser.get("/")).headers["Location"] == "/account/password"
    listed = sparelane("users", "list", url=database_url)
    assert any(line.split()[:3] == [login, "warehouse", "one-time"] for line in listed.stdout.splitlines())
    assert password not in listed.stdout
    assert sparelane("users", "disable", login, url=database_url).returncode == 0
    assert (await browser.get("/account/password")).status_code == 303
    assert (await sign_in_as(visitor(app), login, password)).status_code == 401
    assert sparelane("users", "enable", login, url=database_url).stdout == f"{login} may sign in.\n"
    again = sparelane("users", "reset-password", login, url=database_url).stdout.strip()
    assert (await sign_in_as(visitor(app), login, password)).status_code == 401
    assert (await sign_in_as(visitor(app), login, again)).status_code == 303


def test_what_cannot_be_done_is_said(here, fresh_url, login):
    words = ("--name", "x", "--role", "admin")
    assert here("users", "create", "--login", login, *words, url=fresh_url).returncode == 0
    taken = here("users", "create", "--login", login.upper(), *words, url=fresh_url)
    assert (taken.returncode, taken.stdout) == (1, "")
    assert f"Another person has the user name {login.upper()}" in taken.stderr
    blank = here("users", "create", "--login", "two words", *words, url=fresh_url)
    assert (blank.returncode, "login" in blank.stderr) == (2, True)
    last = here("users", "disable", login, url=fresh_url)
    assert (last.returncode, "the last administrator" in last.stderr) == (1, True)
    nobody = here("users", "reset-password", "nobody", url=fresh_url)
    assert (nobody.returncode, nobody.stderr) == (1, "There is no such user.\n")


@pytest.fixture
async def engine_of_its_own(clone):
    engine = make_engine(await asyncio.to_thread(clone, unique("demo")), pool_size=4)
    yield engine
    await engine.dispose()


@pytest.mark.anyio
async def test_the_demo_s_people_keep_their_passwords_over_restarts(engine_of_its_own, tmp_path):
    engine = engine_of_its_own
    first = await demo_users(engine, folder=tmp_path, now=START)
    second = await demo_users(engine, folder=tmp_path, now=START)
    assert first == second
    assert set(first) == set(PERSON_ROLES)
    kept = tmp_path / "demo-users.json"
    assert json.loads(kept.read_text()) == first
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600
    async with reading(engine) as db:
        people = (await queries.users(db, actor=TESTS, cursor=None, limit=None)).items
        kept_hashes = (await db.execute(text("SELECT password_hash FROM user_account"))).scalars().all()
    assert {(one.login, one.role, one.must_change, one.places) for one in people} == {
        (role, role, False, None) for role in PERSON_ROLES
    }
    assert not any(password in str(kept_hashes) for password in first.values())


@pytest.mark.anyio
async def test_what_people_changed_is_left_as_it_is(engine_of_its_own, tmp_path):
    engine = engine_of_its_own
    first = await demo_users(engine, folder=tmp_path, now=START)
    async with begin(engine) as db:
        admin = await queries.user_by_login(db, actor=TESTS, login="admin")
        mine = Actor(id=admin.id, name=admin.name, role=admin.role)
        await service.set_password(db, actor=mine, new=hashed("only I know this one"), now=START)
        finance = await queries.user_by_login(db, actor=TESTS, login="finance")
        await service.disable_user(db, actor=TESTS, user_id=finance.id, expected_version=None, now=START)
    again = await demo_users(engine, folder=tmp_path, now=START)
    assert again == first | {"admin": None, "finance": None}
    (tmp_path / "demo-users.json").unlink()
    lost = await demo_users(engine, folder=tmp_path, now=START)
    assert set(lost.values()) == {None}


def test_the_start_says_who_can_sign_in():
    shown = welcome(Settings(), WayIn({"warehouse": "k7mq-2hnd-x9tp-4rwe", "admin": None}, {"admin": "sl_1_2"}))
    assert "  warehouse    k7mq-2hnd-x9tp-4rwe\n" in shown
    assert f"  admin        {UNKNOWN}\n" in shown
    assert "  admin        sl_1_2\n" in shown
    assert "sign in" not in welcome(Settings(), None).lower()
