"""An application on a database of its own, for tests that fill it with anything or need names that others have too."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
from litestar import Litestar

from app.accounts import service as accounts
from app.accounts.rules import Role, duty_actor
from app.accounts.schemas import KeyIn
from app.core.clock import SteppedClock
from app.core.db import begin
from app.core.settings import Settings
from app.main import create_app
from tests.conftest import START

Client = Callable[..., Awaitable[httpx.AsyncClient]]


@asynccontextmanager
async def own_app(url: str) -> AsyncIterator[tuple[Litestar, Client]]:
    """The application, and a way to make clients: `await client("integration", customers=["YC"])`."""
    app = create_app(Settings(key_rate="60000", egress_allow="127.0.0.0/8"), url, clock=SteppedClock(START))

    async def client(role: Role, **scope: list[str] | None) -> httpx.AsyncClient:
        new = KeyIn(name=f"{role} in tests", role=role, **scope)
        async with begin(app.state.engine) as db:
            made = await accounts.create_key(db, actor=duty_actor("tests"), new=new, now=START)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://sparelane.test",
            headers={"Authorization": f"Bearer {made.key}"},
        )

    async with app.lifespan():
        yield app, client
