"""One real OSRM server and one road graph a worker, on the grid of `tests.travel.grid`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from app.accounts import service as accounts
from app.accounts.rules import duty_actor
from app.accounts.schemas import KeyIn
from app.cli.check import check
from app.core.clock import SteppedClock
from app.core.db import begin
from app.core.settings import Settings
from app.main import create_app
from app.routing.travel.graph import build, digest_of
from app.routing.travel.roads import RoadGraph
from app.worker import Context
from tests.builders import unique
from tests.conftest import START
from tests.travel.grid import write_grid
from tools.osrm import Served, osrm


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_grid(tmp_path_factory.mktemp("grid") / "grid.osm.pbf")


@pytest.fixture(scope="session")
def server(extract: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with osrm(extract, tmp_path_factory.mktemp("osrm"), most_table=100) as served:
        yield served


@pytest.fixture(scope="session")
def roads(extract: Path) -> RoadGraph:
    return RoadGraph(build(extract, digest_of(extract)))


class House:
    """An application with a source of road times, on a database of its own, and an admin's client."""

    def __init__(self, app: Litestar, api: httpx.AsyncClient, clock: SteppedClock) -> None:
        self.app, self.api = app, api
        self.engine: AsyncEngine = app.state.engine
        self.context = Context(self.engine, clock, app.state.settings, None, app.state.travel)


Settled = Callable[[str], Any]


@pytest.fixture
def house(clone: Callable[[str], str], clock: SteppedClock, tmp_path: Path) -> Settled:
    """`async with house("osrm:http://…") as one:`; the books are checked at its end."""

    url = clone(unique("travel").lower())

    @asynccontextmanager
    async def open_house(setting: str) -> AsyncIterator[House]:
        built = create_app(Settings(travel=setting, data_dir=str(tmp_path)), url, clock=clock)
        async with built.lifespan():
            async with begin(built.state.engine) as db:
                key = await accounts.create_key(
                    db, actor=duty_actor("tests"), new=KeyIn(name="admin", role="admin"), now=START
                )
            await built.state.travel.loaded()
            transport = httpx.ASGITransport(app=built, raise_app_exceptions=False)
            headers = {"Authorization": f"Bearer {key.key}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://sparelane.test", headers=headers) as api:
                yield House(built, api, clock)
            assert await check(built.state.engine) == []

    return open_house


__all__ = ["Awaitable", "House"]
