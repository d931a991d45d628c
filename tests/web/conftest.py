"""What tests in a browser are given: a server with a world of its own for each module, one Chromium, fresh visits."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from app.core.clock import SteppedClock
from app.core.settings import Settings
from app.main import create_app
from bootstrap import find_chromium
from tests.cast import World, a_world
from tests.conftest import START
from tests.web.browsing import ARGUMENTS, DESKTOP, Server, Site, Visit, client, elsewhere, new_key

_numbers = count(1)
VIEWER = ("chrome://", "chrome-extension://")
"""Where the browser keeps what it shows PDFs with: inside itself."""


@pytest.fixture(scope="module")
def site(clone: Callable[[str], str], worker_id: str) -> Iterator[Site]:
    with ThreadPoolExecutor(1) as pool:
        url = pool.submit(clone, f"browser_{worker_id}_{os.getpid()}_{next(_numbers)}").result()
    clock = SteppedClock(START)
    app = create_app(Settings(pool_size="10"), url, clock=clock)
    server = Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.up.wait(30)
        base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        admin = elsewhere(new_key(url, "admin"))

        async def built() -> World:
            async with client(base, admin) as api:
                world = await a_world(api)
                await world.receive(world.psu, 50)
                return world

        made = Site(base=base, url=url, clock=clock, world=elsewhere(built()), admin=admin)
        made.ask()
        made.ask(priority="general")
        assert made.plan() == 1
        yield made
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        pytest.fail("No Chromium: install one (Debian: apt-get install chromium fonts-noto-cjk) or set CHROMIUM.")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Visit]]:
    """Open a fresh browser context, gone after the test."""
    yield from _visits(browser, site)


@pytest.fixture(scope="module")
def stay(browser: Browser, site: Site) -> Iterator[Callable[..., Visit]]:
    """Open a browser context for all tests of a module."""
    yield from _visits(browser, site)


def _visits(browser: Browser, site: Site) -> Iterator[Callable[..., Visit]]:
    contexts, visits = [], []

    def make(language: str = "en", size: Any = DESKTOP, **options: Any) -> Visit:
        context = browser.new_context(locale=language, viewport=size, **options)
        contexts.append(context)
        seen = Visit(context.new_page(), [], [])
        visits.append(seen)
        context.on("request", lambda request: seen.asked_for.append(request.url))
        seen.page.on("console", lambda said: seen.complaints.append(said.text) if said.type == "error" else None)
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        return seen

    yield make
    for context in contexts:
        context.close()
    for seen in visits:
        assert [url for url in seen.asked_for if not url.startswith((site.base + "/", *VIEWER))] == []
