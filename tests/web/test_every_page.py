"""Every page that people can open, found in the application itself: readable, reachable, in one language, and light."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from litestar import Litestar
from playwright.sync_api import Page

from app.core.i18n import catalog
from app.core.settings import Settings
from app.main import create_app
from tests.builders import unique
from tests.web import admin_cast
from tests.web.browsing import DESKTOP, PHONE, Site, Visit, contrasts, findings, fits, sign_in
from tests.web.draft_cast import a_desk, drafted_at
from tests.web.finance_cast import charged, claimed

FIRST_LOAD = 300 * 1024
NOT_PAGES = ("/r/", "/finance/quotes/", "/live/stream", "/worker.js", "/static/", "/language/")
"""What is answered to a page, not opened by a person."""
FRAGMENT = re.compile(r"/(live|part|panel)$|\.(pdf|csv|xlsx|jpg)$")

SAMPLES: dict[str, Callable[[Site], str]] = {
    "number": lambda site: site.world.psu,
    "request_id": lambda site: site.ask()["id"],
    "serial": lambda site: site.ask()["device_serial"],
    "verdict_id": lambda site: site.ask()["entitlement"]["verdict"],
    "place": lambda site: site.world.local,
    "bin": lambda site: site.made("/v1/bins", {"place": site.world.local, "code": unique("A")})["code"],
    "receipt_id": lambda site: a_receipt(site),
    "charge_id": lambda site: site.run(charged)["charge"]["id"],
    "claim_id": lambda site: site.run(claimed)["claim"]["id"],
    "area": lambda site: site.world.area,
    "carrier": lambda site: "SF",
    "contract": lambda site: site.world.contract,
    "delivery_id": admin_cast.a_delivery,
    "endpoint_id": admin_cast.an_endpoint,
    "country": lambda site: "CN",
    "courier": admin_cast.a_courier,
    "connection": lambda site: site.run(a_desk),
    "draft_id": lambda site: a_draft(site),
    "event_id": admin_cast.an_event,
    "from_place": lambda site: site.world.branch,
    "import_id": admin_cast.an_import,
    "key_id": admin_cast.a_key,
    "model": lambda site: site.world.model,
    "part": lambda site: site.world.psu,
    "site": lambda site: site.world.site,
    "to_area": lambda site: site.world.area,
    "user_id": admin_cast.a_user,
    "year": admin_cast.a_year,
}
"""What to put in place of a path's parameters, by their name."""


def a_receipt(site: Site) -> str:
    line = {"part_number": site.world.fan, "quantity": 1, "unit_cost": {"amount": "9.50", "currency": "CNY"}}
    body = {"place": site.world.local, "reference": unique("PO"), "lines": [line]}
    return site.made("/v1/receipts", body)["id"]


def a_draft(site: Site) -> str:
    return site.run(lambda world: drafted_at(site.url, world, site.clock.now()))["id"]


def pages() -> list[tuple[str, str]]:
    """Each page's path with a role that may open it."""
    app: Litestar = create_app(Settings(), "postgresql://nobody@/nowhere")
    found = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            roles = handler.opt.get("page_roles")
            skipped = FRAGMENT.search(route.path) or route.path.startswith(NOT_PAGES)
            if roles and "GET" in handler.http_methods and not skipped:
                found.append((route.path, "admin" if "admin" in roles else sorted(roles)[0]))
    return sorted(found)


def address(path: str, site: Site) -> str:
    return re.sub(r"{(\w+):\w+}", lambda part: SAMPLES[part[1]](site), path)


@pytest.fixture(scope="module")
def signed_in(stay: Callable[..., Visit], site: Site) -> Callable[..., Visit]:
    """Somebody of a role, signed in once for all pages."""
    found: dict[tuple[Any, ...], Visit] = {}

    def visit_of(role: Any, how: dict[str, Any]) -> Visit:
        who = (role, how["language"])
        if who not in found:
            found[who] = stay(**how)
            sign_in(found[who], site, site.key(role))
        return found[who]

    return visit_of


@pytest.mark.parametrize(("path", "role"), pages())
@pytest.mark.parametrize(
    "how",
    [
        {"language": "zh-CN", "size": PHONE, "color_scheme": "light"},
        {"language": "en", "size": DESKTOP, "color_scheme": "dark"},
    ],
    ids=["phone", "desktop"],
)
def test_a_page_can_be_read_by_everybody(signed_in, site, path, role, how):
    seen = signed_in(role, how)
    page = seen.page
    seen.complaints.clear()
    answer = page.goto(site.base + address(path, site))
    assert answer.status == 200, path
    assert fits(page)
    assert findings(page) == []
    assert contrasts(page) == []
    assert untranslated(page, how["language"]) == []
    assert page.title().endswith("Sparelane")
    assert page.locator("h1").count() == 1
    assert weight(page) < FIRST_LOAD
    assert page.evaluate(NAVIGATION_ON_TOP)
    assert seen.complaints == []


NAVIGATION_ON_TOP = """() => [...document.querySelectorAll("nav.work a")].every((one) => {
    const box = one.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2
    return x > innerWidth || one.contains(document.elementFromPoint(x, y))
})"""
"""Nothing lies over the entries of the navigation."""


def untranslated(page: Page, language: str) -> list[str]:
    """Texts on a page that are a sentence of the other language."""
    mine, other = catalog(language), catalog("en" if language == "zh-CN" else "zh-CN")
    foreign = {words for code, words in other.items() if words != mine[code]} - set(mine.values())
    shown = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((one) => !one.closest("script, [lang]:not(html)"))
            .flatMap((one) => [...one.childNodes]).filter((node) => node.nodeType === 3)
            .map((node) => node.textContent.trim()).filter(Boolean)"""
    )
    return [one for one in dict.fromkeys(shown) if html.unescape(one) in foreign]


def weight(page: Page) -> int:
    """Bytes of the page and all it loaded, as they crossed the wire."""
    return page.evaluate(
        """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
            .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
    )
