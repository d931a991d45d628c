"""Every journey ends with `check`: whatever it did, the books must add up."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.check import check


@pytest.fixture(autouse=True)
async def _books_add_up(engine: AsyncEngine, anyio_backend: object) -> AsyncIterator[None]:
    yield
    assert await check(engine) == []
