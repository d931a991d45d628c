"""A real server on a port of its own, and real browsers that look at it: what every test in a browser stands on."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Locator, Page, expect

from app.accounts import service as accounts
from app.accounts.rules import Role, duty_actor
from app.accounts.schemas import KeyIn
from app.core.clock import SteppedClock
from app.core.db import begin, make_engine
from app.fulfillment.jobs import escalate_due, plan_dirty
from tests.cast import World, made
from tests.conftest import START
from tests.web.visitors import id_of_key

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

    def made(self, path: str, body: dict[str, Any]) -> Any:
        """Anything else through the API, as an admin."""

        async def run() -> Any:
            async with client(self.base, self.admin) as api:
                return await made(api, path, body)

        return elsewhere(run())

    def run(self, story: Callable[[World], Coroutine[Any, Any, Any]]) -> Any:
        """Something that happens in this world, through the API."""

        async def told() -> Any:
            async with client(self.base, self.admin) as api:
                self.world.api = api
                return await story(self.world)

        return elsewhere(told())

    def plan(self) -> int:
        async def run() -> int:
            engine = make_engine(self.url, pool_size=2)
            try:
                return await plan_dirty(engine, None, self.clock.now(), limit_s=1)
            finally:
                await engine.dispose()

        return elsewhere(run())

    def escalate(self) -> int:
        async def run() -> int:
            engine = make_engine(self.url, pool_size=2)
            try:
                async with begin(engine) as db:
                    return await escalate_due(db, self.clock.now())
            finally:
                await engine.dispose()

        return elsewhere(run())

    def key(self, role: Role, **scope: list[str]) -> str:
        return elsewhere(new_key(self.url, role, **scope))

    def revoke(self, key: str) -> None:
        async def run() -> None:
            async with client(self.base, self.admin) as api:
                (await api.post(f"/v1/keys/{await id_of_key(api, key)}/revoke", json={})).raise_for_status()

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


@dataclass
class Visit:
    """A page in a fresh browser context, with all that it asked for and complained about."""

    page: Page
    asked_for: list[str]
    complaints: list[str]


def sign_in(seen: Visit, site: Site, key: str) -> Page:
    """With a key, by keyboard alone: three steps from the field that has the focus to the other way in."""
    seen.page.goto(site.base)
    type_key(seen.page, key)
    seen.page.wait_for_url(lambda url: url != site.base + "/")
    return seen.page


def type_key(page: Page, key: str) -> None:
    """Open the form for keys and send it."""
    expect(page.locator("#login")).to_be_focused()
    for pressed in ("Tab", "Tab", "Tab", "Enter", "Tab"):
        page.keyboard.press(pressed)
    expect(page.locator("#key")).to_be_focused()
    page.keyboard.type(key)
    page.keyboard.press("Enter")


def sign_in_as(seen: Visit, site: Site, login: str, password: str) -> Page:
    """By name and password, by keyboard alone: the field has the focus already."""
    seen.page.goto(site.base)
    expect(seen.page.locator("#login")).to_be_focused()
    for pressed in (login, password):
        seen.page.keyboard.type(pressed)
        seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(lambda url: url not in (site.base + "/", site.base + "/sign-in"))
    return seen.page


def tab_to(page: Page, target: Locator, *, within: int = 40, step: str = "Tab") -> None:
    """Go to something by the Tab key alone, as somebody without a mouse does; what has the focus on the way is seen."""
    expect(target).to_be_visible()
    for _ in range(within):
        page.keyboard.press(step)
        here, seen = target.evaluate(
            "one => [one === document.activeElement, document.activeElement.matches('body, :focus-visible')]"
        )
        assert seen
        if here:
            return
    raise AssertionError(f"{within} steps did not lead to {target}")


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


def findings(page: Page) -> list[str]:
    """Serious and critical accessibility findings of axe-core, each with where it was found."""
    page.evaluate(AXE_FILE_PATH.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['html'][:120]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def fits(page: Page) -> bool:
    """Whether nothing makes the page wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
