"""The pages in a real browser against a real server: signing in by keyboard, a live board, nothing leaves the host."""

import asyncio
import os
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.accounts import service as accounts
from app.accounts.rules import Role, duty_actor
from app.accounts.schemas import KeyIn
from app.core.clock import SteppedClock
from app.core.db import begin, make_engine
from app.core.settings import Settings
from app.fulfillment.jobs import plan_dirty
from app.main import create_app
from bootstrap import find_chromium
from tests.cast import World, a_world
from tests.conftest import START

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Server(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.up.set()


@dataclass(kw_only=True)
class Site:
    """A running server with a database and a clock of its own, and one customer's world in it."""

    base: str
    url: str
    clock: SteppedClock
    world: World
    admin: str
    asked: list[str] = field(default_factory=list)

    def ask(self, **changes: Any) -> Any:
        """A part request through the API, for a new device."""

        async def run() -> Any:
            async with client(self.base, self.admin) as api:
                self.world.api = api
                return await self.world.ask(device_serial=await self.world.device(), **changes)

        return elsewhere(run())

    def plan(self) -> int:
        async def run() -> int:
            engine = make_engine(self.url, pool_size=2)
            try:
                return await plan_dirty(engine, None, self.clock.now(), limit_s=1)
            finally:
                await engine.dispose()

        return elsewhere(run())

    def key(self, role: Role, **scope: list[str]) -> str:
        return elsewhere(new_key(self.url, role, **scope))

    def revoke(self, key: str) -> None:
        async def run() -> None:
            async with client(self.base, self.admin) as api:
                items = (await api.get("/v1/keys", params={"limit": 200})).json()["items"]
                mine = next(one for one in items if key.startswith(f"sl_{one['prefix']}"))
                (await api.post(f"/v1/keys/{mine['id']}/revoke", json={})).raise_for_status()

        elsewhere(run())


def elsewhere(work: Coroutine[Any, Any, Any]) -> Any:
    """Run something asynchronous in a thread: Playwright keeps a loop of its own in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def client(base: str, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=30)


async def new_key(url: str, role: Role, **scope: list[str]) -> str:
    engine = make_engine(url, pool_size=2)
    try:
        async with begin(engine) as db:
            new = KeyIn(name=f"{role} in a browser", role=role, **scope)
            return (await accounts.create_key(db, actor=duty_actor("tests"), new=new, now=START)).key
    finally:
        await engine.dispose()


@pytest.fixture(scope="module")
def site(clone: Callable[[str], str], worker_id: str) -> Iterator[Site]:
    with ThreadPoolExecutor(1) as pool:
        url = pool.submit(clone, f"browser_{worker_id}_{os.getpid()}").result()
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


@dataclass
class Visit:
    """A page in a fresh browser context, with all that it asked for and complained about."""

    page: Page
    asked_for: list[str]
    complaints: list[str]


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Visit]]:
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
        assert [url for url in seen.asked_for if not url.startswith(site.base + "/")] == []


def sign_in(seen: Visit, site: Site, key: str) -> Page:
    """By keyboard alone: the field has the focus already."""
    seen.page.goto(site.base)
    expect(seen.page.locator("#key")).to_be_focused()
    seen.page.keyboard.type(key)
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url("**/board")
    return seen.page


def test_a_typed_key_opens_a_board_with_a_map_routes_and_lanes(visit, site):
    seen = visit()
    page = sign_in(seen, site, site.key("dispatcher"))
    expect(page.locator(".request")).to_have_count(2)
    expect(page.locator("#map path.route")).not_to_have_count(0)
    expect(page.locator("#map .pin.site")).to_have_count(1)
    expect(page.locator("#map .pin.place")).not_to_have_count(0)
    expect(page.locator("#map .pin.stop")).not_to_have_count(0)
    expect(page.locator("#map .leaflet-control-scale-line")).to_be_visible()
    expect(page.locator("#map .name", has_text="机场北")).to_be_visible()
    expect(page.locator(".lane .block.drop")).not_to_have_count(0)
    assert seen.complaints == []


def test_the_board_follows_what_happens_without_loading_anew(visit, site):
    seen = visit()
    page = sign_in(seen, site, site.key("dispatcher", areas=[site.world.area]))
    expect(page.locator("#offline")).to_be_hidden()
    before = page.locator(".request").count()
    page.evaluate("window.same = true")
    page.locator(".request summary").first.press("Enter")
    asked = site.ask(priority="emergency")
    expect(page.locator(f"#row-{asked['id']}")).to_be_visible(timeout=10_000)
    expect(page.locator(".request")).to_have_count(before + 1)
    expect(page.locator("#summary .total b")).to_have_text(str(before + 1))
    site.plan()
    expect(page.locator(f"#row-{asked['id']} .carrier")).to_be_visible(timeout=10_000)
    expect(page.locator(".request details[open]")).to_have_count(1)
    assert page.evaluate("window.same") is True
    assert seen.complaints == []


def test_a_clock_ticks_from_the_servers_time(visit, site):
    seen = visit()
    seen.page.clock.install()
    for part in ("**/board/live*", "**/board/stream"):
        seen.page.route(part, lambda route: route.abort())
    page = sign_in(seen, site, site.key("dispatcher"))
    left = page.locator(".request .left").first
    shown = left.text_content()
    bar = float(page.locator(".request .rest").first.get_attribute("width"))
    page.clock.run_for(120_000)
    after = left.text_content()
    passed = [int(one.split(":")[0]) * 60 + int(one.split(":")[1]) for one in (shown, after)]
    assert passed[0] - passed[1] in (2, 3)
    assert float(page.locator(".request .rest").first.get_attribute("width")) < bar


def test_a_revoked_key_closes_an_open_board(visit, site):
    seen, key = visit(), site.key("dispatcher")
    page = sign_in(seen, site, key)
    expect(page.locator(".request")).not_to_have_count(0)
    site.revoke(key)
    page.wait_for_url(site.base + "/", timeout=10_000)
    expect(page.locator("#key")).to_be_focused()


def test_a_bad_key_is_told_in_plain_words(visit, site):
    page = visit("zh-CN").page
    page.goto(site.base)
    expect(page.locator("#key")).to_be_focused()
    page.keyboard.type("sl_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("这个密钥不能用")
    expect(page.locator("#key")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    ("language", "title", "other"), [("zh-CN", "调度台", "English"), ("en", "Dispatch board", "中文")]
)
def test_the_board_speaks_both_languages_and_switches(visit, site, language, title, other):
    page = sign_in(visit(language), site, site.key("dispatcher"))
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("h1")).to_have_text(title)
    page.get_by_role("link", name=other).click()
    expect(page.locator("html")).not_to_have_attribute("lang", language)
    expect(page.locator("h1")).not_to_have_text(title)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_it_fits_the_screen_and_can_be_read(visit, site, scheme, size):
    page = sign_in(visit(size=size, color_scheme=scheme), site, site.key("dispatcher"))
    expect(page.locator(".request")).not_to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert contrasts(page) == []
    page.goto(site.base + "/components")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert contrasts(page) == []


def contrasts(page: Page) -> list[str]:
    """Texts below AA (4.5 : 1, large ones 3 : 1) against the nearest painted ground, by the WCAG formula."""
    return page.evaluate(
        """() => {
            const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
            const ground = (one) => {
                for (; one; one = one.parentElement) {
                    const found = numbers(getComputedStyle(one).backgroundColor);
                    if (found.length < 4 || found[3] > 0.99) return found;
                }
                return [255, 255, 255];
            };
            const bad = [];
            for (const one of document.querySelectorAll("main *, header *")) {
                const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
                if (!own || one.closest("svg, #map, [hidden]") || !one.getClientRects().length) continue;
                const style = getComputedStyle(one);
                const [a, b] = [light(numbers(style.color)), light(ground(one))];
                const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                const size = parseFloat(style.fontSize);
                const large = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
                const name = `${one.className || one.tagName} ${ratio.toFixed(2)} ${one.textContent.trim().slice(0, 30)}`;
                if (ratio < (large ? 3 : 4.5)) bad.push(name);
            }
            return bad;
        }"""
    )


def test_the_whole_board_can_be_reached_by_keyboard(visit, site):
    page = sign_in(visit(), site, site.key("dispatcher"))
    expect(page.locator(".request")).not_to_have_count(0)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.className || document.activeElement.tagName) + ''"))
    assert {"skip", "code", "SUMMARY", "quiet"} <= reached
    assert any("leaflet-container" in one for one in reached)


def test_paper_shows_the_list_without_the_controls(visit, site):
    page = sign_in(visit(), site, site.key("dispatcher"))
    expect(page.locator(".request")).not_to_have_count(0)
    page.emulate_media(media="print")
    expect(page.locator(".language")).to_be_hidden()
    expect(page.locator("#map .leaflet-control-zoom")).to_be_hidden()
    expect(page.locator(".request").last).to_be_visible()
    assert re.search("visible", page.locator(".list").evaluate("(one) => getComputedStyle(one).overflowY"))


def test_a_lost_connection_is_said_and_healed(visit, site):
    page = sign_in(visit(), site, site.key("dispatcher"))
    expect(page.locator(".request")).not_to_have_count(0)
    page.route("**/board/live*", lambda route: route.abort())
    site.ask(priority="general")
    expect(page.locator("#offline")).to_be_visible(timeout=10_000)
    page.unroute("**/board/live*")
    expect(page.locator("#offline")).to_be_hidden(timeout=15_000)


def test_time_passing_the_promise_turns_the_row_late(visit, site):
    site.clock.step(timedelta(hours=2, minutes=10))
    page = sign_in(visit(), site, site.key("dispatcher"))
    expect(page.locator(".request.is-late")).not_to_have_count(0)
    expect(page.locator(".count.is-late b")).not_to_have_text("0")
    expect(page.locator(".request.is-late .left").first).to_contain_text("−0:")
