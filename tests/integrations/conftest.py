"""What the integrations' tests share: receivers on loopback, the way out, and duties stepped by hand."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook

from app.accounts.rules import duty_actor
from app.accounts.schemas import KeyIn
from app.accounts.service import create_key
from app.cli.check import check
from app.core.clock import SteppedClock
from app.core.db import begin, make_engine
from app.core.egress import Outgoing, egress_of
from app.core.settings import Settings
from app.integrations.jobs.act import act_on_receipts
from app.integrations.jobs.deliver import Post
from app.integrations.jobs.fan_out import fan_out_events
from app.main import create_app
from tests.builders import unique
from tests.cast import World, a_world, made
from tests.integrations.receiver import Receiver


@pytest.fixture(autouse=True)
async def _books_add_up(engine: AsyncEngine, anyio_backend: object) -> AsyncIterator[None]:
    yield
    assert await check(engine) == []


@pytest.fixture
async def world(api: httpx.AsyncClient) -> World:
    world = await a_world(api)
    await world.receive(world.psu, 50)
    return world


@pytest.fixture
async def apart(
    clone: Callable[[str], str], clock: SteppedClock, anyio_backend: object
) -> AsyncIterator[tuple[httpx.AsyncClient, AsyncEngine]]:
    """An application on a database of its own, for what would spoil the others' books: an admin's client, an engine."""
    url = await asyncio.to_thread(clone, unique("apart").lower())
    built = create_app(Settings(pool_size="5", egress_allow="127.0.0.0/8"), url, clock=clock)
    engine = make_engine(url, pool_size=10)
    async with begin(engine) as db:
        made = await create_key(db, actor=duty_actor("tests"), new=KeyIn(name="apart", role="admin"), now=clock.now())
    async with built.lifespan():
        transport = httpx.ASGITransport(app=built, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {made.key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://sparelane.test", headers=headers) as api:
            yield api, engine
    await engine.dispose()


NewReceiver = Callable[[], Awaitable[Receiver]]


@pytest.fixture
async def new_receiver(anyio_backend: object) -> AsyncIterator[NewReceiver]:
    made_here: list[Receiver] = []

    async def make() -> Receiver:
        receiver = Receiver()
        await receiver.start()
        made_here.append(receiver)
        return receiver

    yield make
    for receiver in made_here:
        await receiver.stop()


@pytest.fixture
async def receiver(new_receiver: NewReceiver) -> Receiver:
    return await new_receiver()


@dataclass
class Out:
    """The duties of the way out, stepped by hand; endpoints made here are gone at the end."""

    api: httpx.AsyncClient
    engine: AsyncEngine
    clock: SteppedClock
    post: Post

    async def endpoint(self, receiver: Receiver, world: World, **more: Any) -> dict[str, Any]:
        body = {"url": receiver.url, "customers": [world.customer]} | more
        answer = await made(more.pop("api", self.api), "/v1/webhook-endpoints", body)
        return answer["endpoint"] | {"secret": answer["secret"]}

    async def send(self, public_url: str = "") -> int:
        """Fan out and deliver what is due now."""
        await fan_out_events(self.engine, self.clock.now(), public_url=public_url)
        return await self.post.deliver(self.engine, self.clock)

    async def log(self, endpoint: dict[str, Any], **query: str) -> list[dict[str, Any]]:
        """The endpoint's deliveries, oldest first."""
        answer = await self.api.get("/v1/webhook-deliveries", params={"endpoint": endpoint["id"], **query})
        return answer.json()["items"][::-1]


@pytest.fixture
async def out(api: httpx.AsyncClient, engine: AsyncEngine, clock: SteppedClock) -> AsyncIterator[Out]:
    async with Outgoing(egress_of("127.0.0.0/8"), total_s=1.5) as outgoing:
        yield Out(api, engine, clock, Post(outgoing))
    for one in (await api.get("/v1/webhook-endpoints", params={"limit": "200"})).json()["items"]:
        assert (await api.delete(f"/v1/webhook-endpoints/{one['id']}")).status_code == 200


SECRET = "whsec_" + base64.b64encode(b"a secret of the tests' own, 32 b").decode()


@dataclass
class In:
    """A connection of the generic profile, and its sender."""

    api: httpx.AsyncClient
    engine: AsyncEngine
    clock: SteppedClock
    code: str = field(default_factory=lambda: unique("desk"))

    async def connect(self, **changes: Any) -> dict[str, Any]:
        body = {"code": self.code, "name": "Desk", "provider": "generic", "verify_secret": SECRET} | changes
        return await made(self.api, "/v1/connections", body)

    def signed(self, body: bytes, delivery: str, *, at: datetime | None = None) -> dict[str, str]:
        """The headers of a sender that follows Standard Webhooks."""
        stamp = at or self.clock.now()
        signature = Webhook(SECRET).sign(delivery, stamp, body.decode())
        return {
            "webhook-id": delivery, "webhook-timestamp": str(int(stamp.timestamp())), "webhook-signature": signature,
            "content-type": "application/json",
        }  # fmt: skip

    async def push(self, delivery: str | None = None, **ticket: Any) -> httpx.Response:
        """Send a ticket as its sender would; without a key of ours."""
        body = json.dumps(ticket).encode()
        headers = self.signed(body, delivery or unique("msg")) | {"Authorization": ""}
        return await self.api.post(f"/hooks/{self.code}", content=body, headers=headers)

    async def act(self) -> int:
        return await act_on_receipts(self.engine, self.clock.now())

    async def receipts(self) -> list[dict[str, Any]]:
        """What came in, oldest first."""
        return (await self.api.get("/v1/hook-receipts", params={"connection": self.code})).json()["items"][::-1]

    async def ticket(self, number: str) -> dict[str, Any] | None:
        answer = await self.api.get("/v1/tickets", params={"connection": self.code, "number": number})
        return next(iter(answer.json()["items"]), None)

    async def requests(self, number: str) -> list[dict[str, Any]]:
        """The requests of a ticket, newest first."""
        return (await self.api.get("/v1/part-requests", params={"ticket": f"{self.code}:{number}"})).json()["items"]


@pytest.fixture
async def desk(api: httpx.AsyncClient, engine: AsyncEngine, clock: SteppedClock) -> AsyncIterator[In]:
    sender = In(api, engine, clock)
    yield sender
    await api.patch(f"/v1/connections/{sender.code}", json={"state": "disabled"})
