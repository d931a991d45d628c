"""An administrator makes a webhook in the browser, sees what it was told, and mends it: secret, off, on, sent again."""

import re
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from app.core.egress import Outgoing, egress_of
from app.integrations.jobs.deliver import Post
from tests.builders import unique
from tests.integrations.receiver import Receiver, says
from tests.web.test_admin_pages import posted
from tests.web.visitors import user_signed_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(app, engine):
    return await user_signed_in(app, engine, "admin")


@pytest.fixture
async def receiver(anyio_backend):
    made = Receiver()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def send(engine, clock):
    async with Outgoing(egress_of("127.0.0.0/8"), total_s=1.5) as outgoing:
        post = Post(outgoing)

        async def deliver() -> int:
            return await post.deliver(engine, clock)

        yield deliver


@pytest.fixture
async def hook(browser, api, receiver):
    """A webhook of a customer that nobody else has; its page and its secret."""
    fields = {
        "url": receiver.url, "description": "集成平台", "language": "en", "event_types_limited": "yes",
        "event_types": "part_request.accepted", "customers_limited": "yes", "customers": unique("CUST"),
    }  # fmt: skip
    made = await posted(browser, "/admin/webhooks/new", **fields)
    assert made.status_code == 200, made.text
    path = re.search(r"/admin/webhooks/whe_\w+", made.text)[0]
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", made.text)[0]
    yield path, secret
    await api.delete(f"/v1/webhook-endpoints/{path.rpartition('/')[2]}")


def signed_by(secret, got) -> bool:
    """Whether a signature of what was sent is this secret's."""
    stamp = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    mine = Webhook(secret).sign(got.headers["webhook-id"], stamp, got.body.decode())
    return mine in got.headers["webhook-signature"].split()


async def act(browser, path, verb, **fields):
    page = (await browser.get(path)).text
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    return await posted(browser, f"{path}/{verb}", path, version=version, **fields)


async def test_its_secret_is_shown_once_and_signs_the_test_that_the_log_shows(browser, hook, receiver, send):
    path, secret = hook
    sent = await posted(browser, f"{path}/test", path)
    await send()
    (got,) = receiver.got
    assert signed_by(secret, got)
    delivery = (await browser.get(sent.headers["location"])).text
    assert all(
        words in delivery for words in ("delivered", "<code>204</code>", "webhook.ping", got.headers["webhook-id"])
    )
    number = path.rpartition("/")[2]
    log = (await browser.get(f"/admin/webhook-deliveries?endpoint={number}&state=delivered&type=webhook.ping")).text
    assert sent.headers["location"] in log
    assert "Nothing fits" in (await browser.get(f"/admin/webhook-deliveries?endpoint={number}&state=dead")).text
    shown = (await browser.get(path)).text
    assert (number in (await browser.get("/admin/webhooks")).text, "healthy" in shown) == (True, True)
    assert secret not in shown + delivery + log


async def test_a_delivery_is_sent_again_with_its_id_and_a_span_of_them(browser, hook, receiver, send):
    path, _ = hook
    sent = (await posted(browser, f"{path}/test", path)).headers["location"]
    await send()
    await posted(browser, f"{sent}/replay", sent)
    await send()
    await posted(browser, f"{path}/replay", path, since="2026-11-22T01:00", states="delivered")
    await send()
    assert len(receiver.got) == 3
    assert len({one.headers["webhook-id"] for one in receiver.got}) == 1
    wrong = await posted(browser, f"{path}/replay", path, since="")
    assert (wrong.status_code, 'id="wrong-since"' in wrong.text, 'id="wrong-states"' in wrong.text) == (422, True, True)


async def test_one_that_answers_410_is_shown_as_gone_and_is_sent_what_was_kept_when_switched_on(
    browser, hook, receiver, send
):
    path, _ = hook
    receiver.answers = [says(410)]
    await posted(browser, f"{path}/test", path)
    await send()
    assert "it answered 410, gone" in (await browser.get(path)).text
    assert path in (await browser.get("/admin/webhooks?state=gone")).text
    assert "webhooks fail or were given up" in (await browser.get("/admin")).text
    await act(browser, path, "switch", to="on", replay="on")
    await send()
    assert len(receiver.got) == 2
    assert "healthy" in (await browser.get(path)).text


async def test_one_that_fails_says_since_when_and_can_be_tried_now(browser, hook, receiver, send):
    path, _ = hook
    receiver.answers = [says(500)]
    await posted(browser, f"{path}/test", path)
    await send()
    page = (await browser.get(path)).text
    number = path.rpartition("/")[2]
    log = (await browser.get(f"/admin/webhook-deliveries?endpoint={number}")).text
    assert re.search(r'data-label="Last answer"><span>500</span>', log)
    assert ("failing, tried again" in page, "Failing since" in page, "Try now" in page) == (True, True, True)
    await act(browser, path, "switch", to="on")
    await send()
    assert "healthy" in (await browser.get(path)).text
    off = await act(browser, path, "switch", to="off")
    assert off.status_code == 303
    assert "switched off" in (await browser.get(path)).text


async def test_the_log_says_why_where_there_was_no_answer(browser, hook, receiver, send):
    path, _ = hook
    await receiver.stop()
    await posted(browser, f"{path}/test", path)
    await send()
    log = (await browser.get(f"/admin/webhook-deliveries?endpoint={path.rpartition('/')[2]}")).text
    assert re.search(r'data-label="Last answer"><span>no connection</span>', log)


async def test_a_new_secret_signs_beside_the_old_one_or_alone(browser, hook, receiver, send):
    path, old = hook
    beside = re.search(r"whsec_[A-Za-z0-9+/=]+", (await act(browser, path, "rotate")).text)[0]
    await posted(browser, f"{path}/test", path)
    await send()
    alone = re.search(r"whsec_[A-Za-z0-9+/=]+", (await act(browser, path, "rotate", at_once="on")).text)[0]
    await posted(browser, f"{path}/test", path)
    await send()
    assert [signed_by(one, receiver.got[0]) for one in (old, beside, alone)] == [True, True, False]
    assert [signed_by(one, receiver.got[1]) for one in (old, beside, alone)] == [False, False, True]


async def test_it_is_changed_and_deleted_and_a_wrong_field_is_said_beside_it(browser, hook, receiver, api):
    path, _ = hook
    number = path.rpartition("/")[2]
    inside = await posted(browser, "/admin/webhooks/new", url="http://169.254.169.254/latest", language="en")
    assert (inside.status_code, 'id="wrong-url"' in inside.text) == (422, True)
    none = await posted(browser, "/admin/webhooks/new", url=receiver.url, language="en", event_types_limited="yes")
    assert none.status_code == 422
    changed = await act(browser, path, "edit", url=receiver.url, language="zh-CN", description="")
    assert changed.status_code == 303
    shown = (await api.get(f"/v1/webhook-endpoints/{number}")).json()
    assert (shown["event_types"], shown["description"], shown["language"]) == (None, None, "zh-CN")
    stale = await posted(browser, f"{path}/edit", path, version="1", url=receiver.url, language="en")
    assert stale.status_code == 412
    assert (await act(browser, path, "delete")).headers["location"] == "/admin/webhooks"
    assert (await browser.get(path)).status_code == 404
