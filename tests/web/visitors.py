"""A browser without a browser: signs in with the key of a client, and reads what pages show."""

import html
import json
import re
from typing import Any

import httpx
from litestar import Litestar


def visitor(app: Litestar, *, base: str = "http://sparelane.test", **headers: str) -> httpx.AsyncClient:
    """Nobody yet: cookies are kept, redirects are not followed."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base, headers=headers)


def key_of(client: httpx.AsyncClient) -> str:
    return client.headers["Authorization"].partition(" ")[2]


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


def rows(page: str) -> list[str]:
    """The ids of the requests on a board, in order."""
    return re.findall(r'id="row-(req_\w+)"', page)


def map_facts(page: str) -> dict[str, Any]:
    return json.loads(html.unescape(re.search(r'data-map="([^"]*)"', page)[1]))
