"""People over the API: made, changed, locked out; scopes that nobody widens, and an admin that is always left."""

import asyncio
import threading

import pytest
from sqlalchemy import text

from app.accounts import queries, service
from app.accounts.guards import Locksmith
from app.accounts.jobs import forget_tries
from app.accounts.rules import WINDOW, duty_actor
from app.accounts.schemas import UserChange, UserIn
from app.core.db import begin, make_engine, reading
from tests.builders import unique
from tests.cast import made
from tests.conftest import START

pytestmark = pytest.mark.anyio
TESTS = duty_actor("tests")


def body(**changes):
    return {"login": unique("ma"), "name": "马师傅", "role": "warehouse", "places": ["YC-WH"]} | changes


async def events_of(engine, subject):
    async with reading(engine) as db:
        rows = await db.execute(
            text("SELECT type, actor, data FROM event WHERE subject = :subject ORDER BY seq"), {"subject": subject}
        )
        return [(row.type, row.actor, row.data) for row in rows]


async def test_a_person_is_made_without_a_password(api):
    new = body()
    user = await made(api, "/v1/users", new)
    assert user == (await api.get(f"/v1/users/{user['id']}")).json()
    assert user["id"].startswith("usr_")
    assert (user["login"], user["has_password"], user["must_change"]) == (new["login"].lower(), False, False)
    assert (user["places"], user["customers"], user["language"], user["disabled_at"]) == (["YC-WH"], None, None, None)


async def test_making_one_twice_under_a_key_makes_one(api):
    new, key = body(), {"Idempotency-Key": unique("once")}
    first = await api.post("/v1/users", json=new, headers=key)
    second = await api.post("/v1/users", json=new, headers=key)
    assert (first.status_code, second.status_code, first.json()["id"]) == (201, 201, second.json()["id"])


async def test_a_login_is_taken_however_it_is_written(api):
    new = body()
    await made(api, "/v1/users", new)
    for login in (new["login"], new["login"].upper(), new["login"].replace("ma", "ｍａ")):
        answer = await api.post("/v1/users", json=body(login=login))
        assert (answer.status_code, answer.json()["code"]) == (409, "user.login_taken")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "integration"}, "role"),
        ({"role": "king"}, "role"),
        ({"login": "with blank"}, "login"),
        ({"login": ""}, "login"),
        ({"name": ""}, "name"),
        ({"password": "four words apart"}, "password"),
        ({"places": "YC-WH"}, "places"),
    ],
)
async def test_what_does_not_fit_is_named(api, change, field):
    answer = await api.post("/v1/users", json=body(**change))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_only_what_is_given_changes_and_null_is_everything(api, engine):
    user = await made(api, "/v1/users", body(areas=["YC"]))
    path = f"/v1/users/{user['id']}"
    renamed = (await api.patch(path, json={"name": "马经理", "role": "dispatcher"})).json()
    assert (renamed["name"], renamed["role"], renamed["places"], renamed["version"]) == (
        "马经理", "dispatcher", ["YC-WH"], 2,
    )  # fmt: skip
    wide = (await api.patch(path, json={"places": None})).json()
    assert (wide["places"], wide["areas"], wide["name"]) == (None, ["YC"], "马经理")
    same = (await api.patch(path, json={"areas": ["YC"]})).json()
    assert same["version"] == wide["version"]
    assert [kind for kind, *_ in await events_of(engine, user["id"])] == [
        "user.created",
        "user.changed",
        "user.changed",
    ]


async def test_a_change_to_another_version_is_refused(api):
    user = await made(api, "/v1/users", body())
    path, stale = f"/v1/users/{user['id']}", {"If-Match": "7"}
    answers = [await api.patch(path, json={"name": "x"}, headers=stale)]
    answers += [
        await api.post(f"{path}/{verb}", headers=stale)
        for verb in ("disable", "enable", "password-reset", "end-sessions")
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(412, "version.stale")}


async def test_a_one_time_password_is_shown_once_and_never_kept(api, engine):
    user = await made(api, "/v1/users", body())
    path = f"/v1/users/{user['id']}/password-reset"
    refused = await api.post(path, headers={"Idempotency-Key": "x"})
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency.not_here")
    given = (await api.post(path)).json()
    assert (given["details"]["has_password"], given["details"]["must_change"]) == (True, True)
    shown = (await api.get(f"/v1/users/{user['id']}")).text
    async with reading(engine) as db:
        kept = await db.scalar(text("SELECT password_hash FROM user_account WHERE id = :id"), {"id": user["id"]})
    assert kept.startswith("$argon2id$")
    assert given["one_time_password"] not in shown + kept + str(await events_of(engine, user["id"]))
    assert kept not in shown + str(await events_of(engine, user["id"]))


async def test_locking_out_twice_has_one_effect_and_all_is_audited(api, engine):
    me = (await api.get("/v1/me")).json()["id"]
    user = await made(api, "/v1/users", body())
    for verb in ("disable", "disable", "enable", "enable", "end-sessions", "password-reset"):
        assert (await api.post(f"/v1/users/{user['id']}/{verb}")).status_code == 200
    told = await events_of(engine, user["id"])
    assert [kind for kind, *_ in told] == [
        "user.created", "user.disabled", "user.enabled", "user.sessions_ended", "user.password_reset",
    ]  # fmt: skip
    assert {actor for _, actor, _ in told} == {me}


async def test_nobody_gives_a_scope_wider_than_the_own(as_role, api):
    narrow = await as_role("admin", places=["YC-WH", "YC-VAN"])
    for wide in ({"places": None}, {"places": ["XA-WH"]}, {"places": ["YC-WH", "XA-WH"]}):
        answer = await narrow.post("/v1/users", json=body(**wide))
        assert (answer.status_code, answer.json()["code"]) == (403, "user.wider_than_giver")
        assert [one["field"] for one in answer.json()["errors"]] == ["places"]
    user = await made(narrow, "/v1/users", body())
    answer = await narrow.patch(f"/v1/users/{user['id']}", json={"places": None})
    assert (answer.status_code, answer.json()["code"]) == (403, "user.wider_than_giver")
    assert (await narrow.patch(f"/v1/users/{user['id']}", json={"places": ["YC-VAN"]})).status_code == 200


async def test_whoever_sees_more_cannot_be_reached_by_whoever_sees_less(as_role, api):
    """Else a password reset would be a way to everything."""
    narrow = await as_role("admin", places=["YC-WH"])
    wide = await made(api, "/v1/users", body(role="admin", places=None))
    path = f"/v1/users/{wide['id']}"
    answers = [await narrow.get(path), await narrow.patch(path, json={"name": "x"})]
    answers += [await narrow.post(f"{path}/{verb}") for verb in ("disable", "enable", "password-reset", "end-sessions")]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "user.not_found")}
    assert wide["id"] not in (await narrow.get("/v1/users", params={"limit": 200})).text


async def test_pages_of_people_follow_each_other_without_gap(api, as_role):
    place = unique("P")
    mine = await as_role("admin", places=[place])
    for _ in range(5):
        await made(mine, "/v1/users", body(places=[place]))
    whole = [one["id"] for one in (await mine.get("/v1/users")).json()["items"]]
    first = (await mine.get("/v1/users", params={"limit": 2})).json()
    second = (await mine.get("/v1/users", params={"limit": 2, "cursor": first["next"]})).json()
    third = (await mine.get("/v1/users", params={"limit": 2, "cursor": second["next"]})).json()
    assert [one["id"] for one in first["items"] + second["items"] + third["items"]] == whole
    assert (len(whole), third["next"]) == (5, None)


@pytest.fixture
async def own_engine(clone):
    """A database without people."""
    engine = make_engine(await asyncio.to_thread(clone, unique("people")), pool_size=4)
    yield engine
    await engine.dispose()


async def an_admin(engine, login):
    async with begin(engine) as db:
        new = UserIn(login=login, name=login, role="admin")
        return await service.create_user(db, actor=TESTS, new=new, now=START)


async def test_the_last_admin_stays(own_engine):
    one, other = await an_admin(own_engine, "one"), await an_admin(own_engine, "other")
    async with begin(own_engine) as db:
        await service.disable_user(db, actor=TESTS, user_id=other.id, expected_version=None, now=START)
    with pytest.raises(service.LastAdmin):
        async with begin(own_engine) as db:
            await service.disable_user(db, actor=TESTS, user_id=one.id, expected_version=None, now=START)
    with pytest.raises(service.LastAdmin):
        async with begin(own_engine) as db:
            await service.change_user(
                db, actor=TESTS, user_id=one.id, change=UserChange(role="finance"), expected_version=None, now=START
            )
    async with begin(own_engine) as db:
        renamed = await service.change_user(
            db, actor=TESTS, user_id=one.id, change=UserChange(name="One"), expected_version=None, now=START
        )
        demoted = await service.change_user(
            db, actor=TESTS, user_id=other.id, change=UserChange(role="finance"), expected_version=None, now=START
        )
    assert (renamed.name, demoted.role) == ("One", "finance")


async def test_of_two_admins_who_lock_each_other_out_at_once_one_stays(own_engine):
    people = [await an_admin(own_engine, f"admin-{number}") for number in range(2)]

    async def disable(user):
        async with begin(own_engine) as db:
            await service.disable_user(db, actor=TESTS, user_id=user.id, expected_version=None, now=START)

    ended = await asyncio.gather(*(disable(one) for one in people), return_exceptions=True)
    assert sorted(type(one) for one in ended if one) == [service.LastAdmin]
    async with reading(own_engine) as db:
        assert len(await queries.enabled_admins(db)) == 1


async def test_tries_are_forgotten_once_they_count_no_more(own_engine):
    async with begin(own_engine) as db:
        number = await service.begin_try(db, address="192.0.2.7", login="ma", now=START)
        await service.settle_try(db, number=number, right=False)
    async with begin(own_engine) as db:
        assert await forget_tries(db, START + WINDOW) == 0
        assert await forget_tries(db, START + WINDOW * 1.01) == 1


async def test_a_try_that_was_never_judged_does_not_count(own_engine):
    async with begin(own_engine) as db:
        for _ in range(30):
            number = await service.begin_try(db, address="192.0.2.7", login="ma", now=START)
            await service.settle_try(db, number=number, right=None)


async def test_a_right_try_clears_the_failures_of_that_login_alone(own_engine):
    async def tried(login, right):
        async with begin(own_engine) as db:
            number = await service.begin_try(db, address="192.0.2.7", login=login, now=START)
            await service.settle_try(db, number=number, right=right)

    for _ in range(9):
        await tried("ma", False)
        await tried("li", False)
    await tried("ma", True)
    for _ in range(10):
        await tried("ma", False)
    await tried("li", False)
    for login in ("ma", "li"):
        with pytest.raises(service.TooManyTries) as refused:
            await tried(login, True)
        assert refused.value.retry_after_s == WINDOW.total_seconds()


async def test_T144_two_passwords_are_worked_on_at_once_and_the_rest_wait():
    smith, started, gate = Locksmith(), threading.Semaphore(0), threading.Event()
    smith.WAITS_S = 60
    running: list[int] = []

    def work(number):
        running.append(number)
        most = len(running)
        started.release()
        assert gate.wait(30)
        running.remove(number)
        return most

    tasks = [asyncio.create_task(smith.do(work, number)) for number in range(50)]
    for _ in range(2):
        assert await asyncio.to_thread(started.acquire, timeout=30)
    assert len(running) == 2
    gate.set()
    assert max(await asyncio.gather(*tasks)) == 2


async def test_T144_whoever_would_wait_too_long_is_asked_to_come_again():
    smith, gate = Locksmith(), threading.Event()
    held = [asyncio.create_task(smith.do(gate.wait, 30)) for _ in range(2)]
    await asyncio.sleep(0)
    smith.WAITS_S = 0.01
    with pytest.raises(service.TooManyTries):
        await smith.do(int)
    smith.WAITS_S, smith.MOST_WAITING = 60, 0
    with pytest.raises(service.TooManyTries):
        await smith.do(int)
    gate.set()
    assert await asyncio.gather(*held) == [True, True]
    assert await smith.do(int) == 0
