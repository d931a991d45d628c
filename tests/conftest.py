"""The tests' ground: one real PostgreSQL a run, a migrated template cloned per worker, one app, one stepped clock."""

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import hypothesis
import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts import service as accounts
from app.accounts.rules import Role, duty_actor
from app.accounts.schemas import KeyIn
from app.core.clock import SteppedClock
from app.core.db import begin, make_engine
from app.core.embedded import embedded
from app.core.migrate import migrate_sync
from app.core.settings import Settings
from app.main import create_app
from tests.peers.request_tracker import SERVER as REQUEST_TRACKER

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
OPTIONS = ("-c fsync=off", "-c synchronous_commit=off", "-c full_page_writes=off", "-c max_connections=200")
MIGRATIONS = Path(__file__).parent.parent / "migrations" / "versions"
RUN_URL = "SPARELANE_TEST_CLUSTER"
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # a busy machine is no finding
hypothesis.settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """The controller (or a run without workers) starts the cluster and migrates the template, outside any loop."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = tempfile.TemporaryDirectory(prefix="sl-")
    running = embedded(Path(folder.name) / "pg", *OPTIONS)
    url = running.__enter__()
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(lambda: running.__exit__(None, None, None))
    os.environ[RUN_URL] = url
    _sql(url, f'CREATE DATABASE "{template()}"')
    migrate_sync(database(url, template()))


def template() -> str:
    """The template's name follows the migrations' content."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(MIGRATIONS.glob("*.py"))))
    return f"t_{digest.hexdigest()[:12]}"


def database(url: str, name: str) -> str:
    return url.replace("@/postgres?", f"@/{name}?")


def _sql(url: str, statement: str) -> None:
    import asyncio

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


@pytest.fixture(scope="session")
def cluster_url() -> str:
    return os.environ[RUN_URL]


@pytest.fixture(scope="session")
def clone(cluster_url: str) -> Callable[[str], str]:
    """Make a fresh migrated database by name; gives its owner's URL."""

    def make(name: str) -> str:
        _sql(cluster_url, f'CREATE DATABASE "{name}" TEMPLATE "{template()}" STRATEGY FILE_COPY')
        return database(cluster_url, name)

    return make


@pytest.fixture(scope="session")
def database_url(clone: Callable[[str], str], worker_id: str) -> str:
    """This worker's database."""
    return clone(f"w_{worker_id}_{os.getpid()}")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture(scope="session")
def _clock() -> SteppedClock:
    return SteppedClock(START)


@pytest.fixture
def clock(_clock: SteppedClock) -> SteppedClock:
    """The app's clock, at the same start in every test."""
    _clock.set(START)
    return _clock


@pytest.fixture(scope="session")
async def app(database_url: str, _clock: SteppedClock, anyio_backend: Any) -> AsyncIterator[Litestar]:
    """The application on this worker's database."""
    built = create_app(
        Settings(pool_size="20", egress_allow="127.0.0.0/8", key_rate="10000"), database_url, clock=_clock
    )
    async with built.lifespan():
        yield built


@pytest.fixture(scope="session")
async def engine(database_url: str, anyio_backend: Any) -> AsyncIterator[AsyncEngine]:
    """An engine with the app's rights on this worker's database."""
    made = make_engine(database_url, pool_size=40)
    yield made
    await made.dispose()


@pytest.fixture
async def db(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that is undone at the end."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()


AsRole = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def as_role(app: Litestar, engine: AsyncEngine, clock: SteppedClock) -> AsyncIterator[AsRole]:
    """Make a client with a key of a role and scope: `await as_role("warehouse", places=["YC-WH"])`."""
    clients: list[httpx.AsyncClient] = []

    async def make(role: Role, **scope: list[str] | None) -> httpx.AsyncClient:
        async with begin(engine) as connection:
            made = await accounts.create_key(
                connection, actor=duty_actor("tests"), new=KeyIn(name=f"{role} in tests", role=role, **scope), now=START
            )
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://sparelane.test",
            headers={"Authorization": f"Bearer {made.key}"},
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
async def api(as_role: AsRole) -> httpx.AsyncClient:
    """An admin's client."""
    return await as_role("admin")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which real ticketing systems are not here, so that nobody takes silence for a pass."""
    here = Path(__file__).parent.parent
    python = Path(os.environ.get("HELPDESK_PYTHON", here / ".venv" / "peer-helpdesk" / "bin" / "python"))
    absent = [] if python.exists() else ["django-helpdesk (python3 bootstrap.py test installs it)"]
    absent += [] if REQUEST_TRACKER.exists() else ["Request Tracker 5 (it does so as root on Debian and Ubuntu)"]
    return [f"left out, not installed: {', '.join(absent)}"] if absent else []
