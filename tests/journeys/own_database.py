"""Fixtures of a module that needs a database to itself: duties that take the oldest work of all find nobody else's."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import SteppedClock
from app.core.db import make_engine
from app.core.settings import Settings
from app.main import create_app
from tests.builders import unique


@pytest.fixture(scope="module")
def database_url(clone: Callable[[str], str]) -> str:
    return clone(unique("own").lower())


@pytest.fixture(scope="module")
async def app(database_url: str, _clock: SteppedClock, anyio_backend: Any) -> AsyncIterator[Litestar]:
    built = create_app(Settings(key_rate="10000"), database_url, clock=_clock)
    async with built.lifespan():
        yield built


@pytest.fixture(scope="module")
async def engine(database_url: str, anyio_backend: Any) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database_url, pool_size=5)
    yield made
    await made.dispose()
