"""A browser without a browser: signs in as a person or with the key of a client, and reads what pages show."""

import html
import json
import re
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

import httpx
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from app.accounts import service as accounts
from app.accounts.rules import Actor, HashedPassword, PersonRole, duty_actor, hashed
from app.accounts.schemas import UserIn
from app.core.db import begin
from tests.builders import unique
from tests.conftest import START

PASSWORD = "four words apart together"
_numbers = count(1)


def own_address() -> str:
    """A loopback address that no other visitor has: failures to sign in are counted by address."""
    number = next(_numbers)
    return f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def visitor(
    app: Any, *, base: str = "http://sparelane.test", address: str | None = None, **headers: str
) -> httpx.AsyncClient:
    """Nobody yet: cookies are kept, redirects are not followed."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address or own_address(), 4711))
    return httpx.AsyncClient(transport=transport, base_url=base, headers=headers)


def key_of(client: httpx.AsyncClient) -> str:
    return client.headers["Authorization"].partition(" ")[2]


async def id_of_key(api: httpx.AsyncClient, key: str) -> str:
    """The id of a key, found through every page of the list: other tests make keys too."""
    cursor: str | None = None
    while True:
        page = (await api.get("/v1/keys", params={"limit": 200, **({"cursor": cursor} if cursor else {})})).json()
        found = [one["id"] for one in page["items"] if key.startswith(f"sl_{one['prefix']}")]
        cursor = page["next"]
        if found or cursor is None:
            return found[0]


def token_in(page: str) -> str:
    return re.search(r'name="token" value="(\w+)"', page)[1]


async def sign_in(browser: httpx.AsyncClient, key: str) -> httpx.Response:
    """Fill in the form of the front page."""
    token = token_in((await browser.get("/")).text)
    return await browser.post("/sign-in", data={"token": token, "key": key})


async def signed_in(app: Litestar, client: httpx.AsyncClient, **headers: str) -> httpx.AsyncClient:
    browser = visitor(app, **headers)
    assert (await sign_in(browser, key_of(client))).status_code == 303
    return browser


@cache
def the_password() -> HashedPassword:
    """The password of everybody in tests, hashed once: that takes a tenth of a second."""
    return hashed(PASSWORD)


@dataclass(frozen=True)
class Person:
    """Somebody with an account and `PASSWORD`."""

    id: str
    login: str
    role: PersonRole


async def a_person(
    engine: AsyncEngine, role: PersonRole = "dispatcher", *, must_change: bool = False, **scope: list[str] | None
) -> Person:
    """A person whom no other test knows; `must_change`: PASSWORD is a one-time password."""
    login, tests = unique(role).lower(), duty_actor("tests")
    async with begin(engine) as db:
        new = UserIn(login=login, name=f"{role} in tests", role=role, **scope)
        user = await accounts.create_user(db, actor=tests, new=new, now=START)
        if must_change:
            await accounts.reset_password(
                db, actor=tests, user_id=user.id, one_time=the_password(), expected_version=None, now=START
            )
        else:
            itself = Actor(id=user.id, name=user.name, role=role)
            await accounts.set_password(db, actor=itself, new=the_password(), now=START)
    return Person(user.id, login, role)


async def sign_in_as(browser: httpx.AsyncClient, login: str, password: str = PASSWORD) -> httpx.Response:
    """Fill in name and password on the front page."""
    token = token_in((await browser.get("/")).text)
    return await browser.post("/sign-in", data={"token": token, "login": login, "password": password})


async def person_signed_in(app: Litestar, person: Person, **headers: str) -> httpx.AsyncClient:
    browser = visitor(app, **headers)
    assert (await sign_in_as(browser, person.login)).status_code == 303
    return browser


async def user_signed_in(
    app: Litestar, engine: AsyncEngine, role: PersonRole = "dispatcher", **scope: list[str] | None
) -> httpx.AsyncClient:
    """A fresh person of a role and scope, signed in by name and password."""
    return await person_signed_in(app, await a_person(engine, role, **scope))


def rows(page: str) -> list[str]:
    """The ids of the requests on a board, in order."""
    return re.findall(r'id="row-(req_\w+)"', page)


def map_facts(page: str) -> dict[str, Any]:
    return json.loads(html.unescape(re.search(r'data-map="([^"]*)"', page)[1]))
