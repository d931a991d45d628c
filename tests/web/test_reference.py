"""The API's reference in a real browser: drawn from our own files, under a policy without exceptions."""

from playwright.sync_api import expect

from tests.web.browsing import PHONE


def test_the_reference_shows_every_call_and_nothing_leaves_the_host(visit, site):
    for size in (None, PHONE):
        seen = visit(**({"size": size} if size else {}))
        page = seen.page
        page.goto(f"{site.base}/docs")
        expect(page.locator(".info .title")).to_contain_text("Sparelane", timeout=30_000)
        expect(page.locator("#operations-tag-part-requests")).to_be_visible()
        page.locator("#operations-tag-part-requests").click()
        expect(page.locator("[id$='create_request']").first).to_be_visible()
        assert [one for one in seen.asked_for if not one.startswith((site.base, "data:"))] == []
        assert seen.complaints == []
