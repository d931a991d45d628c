"""`serve`: migrates, refuses what is not durable, serves HTTP and runs the duties until told to stop; then all stops."""

import argparse
import asyncio
import contextlib
import gc
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import cast

import structlog
import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine

from app.accounts.rules import Role
from app.cli.demo_network import demo_keys, load_demo
from app.cli.demo_users import demo_users
from app.cli.frame import (
    Commands,
    Stop,
    command,
    database,
    engine_on,
    need_durability,
    on_stop_signals,
    progress,
    run_loop,
)
from app.core.clock import SystemClock
from app.core.egress import Outgoing, egress_of
from app.core.logs import App, configure_logs, with_access_log
from app.core.migrate import migrate
from app.core.settings import Settings
from app.integrations.jobs.deliver import Post
from app.main import create_app
from app.routing.solver.child import Solver
from app.routing.travel.chosen import Travel
from app.worker import Context, Worker

WORKER_POOL = 6
GRACE_S = 10
UNKNOWN = "(the password was changed, or the person is locked out)"
log = structlog.get_logger("serve")


def add(commands: Commands) -> None:
    words = "Serve the API and run the background duties, in the foreground, until SIGTERM or Ctrl-C."
    serve = command(commands, "serve", words)
    serve.add_argument(
        "--demo",
        action="store_true",
        help="load the demo network into an empty database, and print who can sign in",
    )
    serve.set_defaults(run=run)


def run(given: argparse.Namespace, settings: Settings) -> None:
    configure_logs(settings.log_level)
    gc.set_threshold(20_000, 20, 100)  # a request leaves no cycles: collecting seldom saved 3 to 12 % of its CPU time
    with bound(settings) as listener, database(settings) as url:
        run_loop(served(settings, url, listener, demo=given.demo))


@contextlib.contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """The socket, taken before anything else, so that a taken port is said at once. It listens once all is ready."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, int(settings.port)))
        except OSError as taken:
            raise Stop(
                f"Cannot listen on {settings.host}:{settings.port} ({taken.strerror}). Set PORT or HOST."
            ) from taken
        yield listener


class Server(uvicorn.Server):
    """Uvicorn's server, whose signals are handled by us: it would raise them again and cut our own unwinding short."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def stop(self) -> None:
        """Let what is under way finish; asked again, break it off."""
        self.force_exit = self.should_exit
        self.should_exit = True


async def served(settings: Settings, url: str, listener: socket.socket, *, demo: bool) -> None:
    """Serve until told to stop; every part is left in the reverse order of its start."""
    starting = asyncio.current_task()
    stop: list[Callable[[], object]] = [starting.cancel] if starting else []
    on_stop_signals(lambda: stop[-1]())
    await migrate(url)
    async with engine_on(url, pool_size=WORKER_POOL, settings=settings) as engine:
        await need_durability(engine)
        way_in = await demo_ready(engine, settings) if demo else None
        async with Travel(settings.travel, settings.data) as travel, working(engine, settings, travel) as wake:
            app = with_access_log(cast("App", create_app(settings, url, wake=wake, travel=travel)))
            configure_logs(settings.log_level)  # again: making the application set up logging of its own
            server = Server(configuration(settings, app), lambda: print(welcome(settings, way_in), flush=True))
            stop.append(server.stop)
            await server.serve(sockets=[listener])


@contextlib.asynccontextmanager
async def working(engine: AsyncEngine, settings: Settings, travel: Travel) -> AsyncIterator[Callable[[], None] | None]:
    """The duties beside the server, unless they run apart; gives what wakes them."""
    if settings.worker == "apart":
        yield None
        return
    async with Solver() as solver, Outgoing(egress_of(settings.egress_allow)) as outgoing:
        context = Context(engine, SystemClock(), settings, solver, travel, post=Post(outgoing))
        async with Worker(context) as worker:
            yield worker.wake


def configuration(settings: Settings, app: object) -> uvicorn.Config:
    """No forwarded header is believed unless a proxy is named; uvicorn's own logs go through ours."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=GRACE_S,
        backlog=2048,
    )


@dataclass(frozen=True, slots=True)
class WayIn:
    """Who the demo lets in: people by name and password (None: it is not the demo's any more), programs by key."""

    users: dict[str, str | None]
    keys: dict[Role, str]


async def demo_ready(engine: AsyncEngine, settings: Settings) -> WayIn:
    """The demo network, loaded on the first start, its people and its keys."""
    now, began = SystemClock().now(), time.perf_counter()
    with progress() as shown:
        rows = await load_demo(engine, currency=settings.currency, now=now, shown=shown)
    if rows is not None:
        log.info("demo network loaded", rows=rows, took_s=round(time.perf_counter() - began, 1))
    users = await demo_users(engine, folder=settings.data, now=now)
    return WayIn(users, await demo_keys(engine, folder=settings.data, now=now))


def welcome(settings: Settings, way_in: WayIn | None) -> str:
    """Where to look, and who to sign in as."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    shown = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - only shown
    lines = ["", f"Sparelane is up: http://{shown}:{settings.port}", ""]
    if way_in:
        lines += ["Sign in to the pages as one of the demo's people:", ""]
        lines += [f"  {login:<12} {password or UNKNOWN}" for login, password in way_in.users.items()]
        lines += ["", "Call the API with one of the demo's keys (Authorization: Bearer …):", ""]
        lines += [f"  {role:<12} {key}" for role, key in way_in.keys.items()]
        lines.append("")
    return "\n".join(lines)
