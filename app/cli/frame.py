"""What every command needs: the database, embedded or not, an engine on it, its schema, and progress on stderr."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.db import make_engine, reading
from app.core.migrate import migrate, newest
from app.core.settings import Settings

Commands = Any  # argparse gives its subparsers no public type
COMMAND_POOL = 4
T = TypeVar("T")


class Stop(Exception):
    """A command ends here, with a sentence for who ran it."""

    def __init__(self, words: str, code: int = 1) -> None:
        super().__init__(words)
        self.code = code


def command(commands: Commands, name: str, words: str, **more: Any) -> argparse.ArgumentParser:
    """Add a command whose sentence stands both in the list of commands and in its own help."""
    added: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words, **more)
    return added


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The owner's URL of the database: the server of DATABASE_URL, or the embedded one, used together with all others.

    Whoever leaves the embedded server last stops it.
    """
    if settings.database_url:
        yield settings.database_url
        return
    if sys.platform == "win32":
        raise Stop("The embedded database does not run on Windows. Set DATABASE_URL to a PostgreSQL 18 server.", 2)
    from app.core.embedded import embedded

    with embedded(settings.data / "pg") as url:
        yield url


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run a long-lived command on the quickest loop there is."""
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop

    return uvloop.run(main)


def on_stop_signals(stop: Callable[[], object]) -> None:
    """Call `stop` in the running loop on SIGTERM, Ctrl-C and a closed terminal."""
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError):
            loop.add_signal_handler(getattr(signal, name), stop)


@asynccontextmanager
async def engine_on(
    url: str, *, pool_size: int = COMMAND_POOL, settings: Settings | None = None
) -> AsyncIterator[AsyncEngine]:
    """An engine with the app's rights, given back at the end; with settings where choices are made on it."""
    engine = make_engine(url, pool_size=pool_size, house=settings.house if settings else None)
    try:
        yield engine
    finally:
        await engine.dispose()


async def need_schema(url: str) -> None:
    """Bring an empty database up; refuse one whose schema is not this code's, since upgrading is for its owner to say."""
    owner = make_engine(url, pool_size=1, role=None)
    try:
        async with reading(owner) as db:
            there = await db.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
            revision = await db.scalar(text("SELECT version_num FROM alembic_version")) if there else None
    finally:
        await owner.dispose()
    if revision is None:
        await migrate(url)
    elif revision != newest():
        raise Stop(
            f"The database has the schema {revision}, this code needs {newest()}. Run: python -m app migrate "
            "(or update the code, if it is the older of the two)."
        )


async def need_durability(engine: AsyncEngine) -> None:
    """Refuse a server that may lose what it has acknowledged: no promise of ours is kept on one."""
    if off := await lost_durability(engine):
        raise Stop(
            f"The database runs with {' and '.join(off)}: a power cut would lose what was promised. "
            "Turn it on, then start again."
        )


async def lost_durability(engine: AsyncEngine) -> list[str]:
    """The settings of the server, as our connections have them, by which a commit would not be on disk."""
    async with reading(engine) as db:
        names = ("fsync", "synchronous_commit", "full_page_writes")
        values = {name: await db.scalar(text("SELECT current_setting(:name)"), {"name": name}) for name in names}
    return [f"{name} = {value}" for name, value in values.items() if value == "off"]


@contextmanager
def progress() -> Iterator[Progress]:
    """A bar on standard error while something long runs; silent where nobody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        yield shown
