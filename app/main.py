"""Builds the application: collects every wing's doors, maps every failure, and opens the engine for its lifetime."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import structlog
from litestar import Litestar, Request, Response, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from sqlalchemy import text

from app.accounts import api as accounts_api
from app.accounts.guards import PUBLIC, admit, provide_call
from app.billing import api as billing_api
from app.core.address import allowed_methods
from app.core.clock import Clock, SystemClock
from app.core.db import make_engine, reading
from app.core.egress import egress_of
from app.core.errors import Refusal
from app.core.etags import Answer
from app.core.http import Unavailable, on_exception, on_refusal
from app.core.migrate import newest
from app.core.openapi import description
from app.core.settings import Settings
from app.fulfillment.api import HANDLERS as FULFILLMENT
from app.integrations.api import HANDLERS as INTEGRATIONS
from app.network import api as network_api
from app.routing.solver.child import Solver
from app.routing.travel.chosen import Travel
from app.stock import api as stock_api
from app.warranty import api as warranty_api
from app.web import reference
from app.web.frame import on_unrouted
from app.web.setup import pages

log = structlog.get_logger("main")
BODY_LIMIT = 10 * 1024 * 1024


@get("/health", opt=PUBLIC, include_in_schema=False)
async def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/ready", opt=PUBLIC, include_in_schema=False)
async def ready(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """The database answers, with the schema this code needs."""
    async with reading(request.app.state.engine) as db:
        revision = await db.scalar(text("SELECT version_num FROM alembic_version"))
    if revision != newest():
        raise Unavailable(retry_after_s=5)
    return Response({"status": "ready"})


CALLS = [
    health,
    ready,
    *accounts_api.HANDLERS,
    *network_api.HANDLERS,
    *warranty_api.HANDLERS,
    *stock_api.HANDLERS,
    *billing_api.HANDLERS,
    *FULFILLMENT,
    *INTEGRATIONS,
]


def create_app(
    settings: Settings,
    database_url: str,
    *,
    clock: Clock | None = None,
    wake: Callable[[], None] | None = None,
    travel: Travel | None = None,
) -> Litestar:
    """The ASGI application on one database. Tests and the demo day hand in a stepped clock.

    `travel` is the process's source of road times where a worker shares it; else the application opens its own.
    """

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        app.state.engine = make_engine(database_url, pool_size=int(settings.pool_size), house=settings.house)
        app.state.clock = clock or SystemClock()
        app.state.settings = settings
        app.state.egress = egress_of(settings.egress_allow)
        app.state.wake = wake or _nobody
        app.state.running = set()
        try:
            async with (
                nullcontext(travel) if travel else Travel(settings.travel, settings.data) as app.state.travel,
                Solver() as app.state.solver,
            ):
                yield
        finally:
            await app.state.engine.dispose()

    return Litestar(
        response_class=Answer,
        route_handlers=[allowed_methods(CALLS), *CALLS, *reference.HANDLERS, pages()],
        guards=[admit],
        dependencies={"call": Provide(provide_call)},
        exception_handlers={
            Refusal: on_refusal,
            HTTPException: on_unrouted,
            Exception: on_exception,
        },
        lifespan=[lifespan],
        openapi_config=description(),
        request_max_body_size=BODY_LIMIT,
        logging_config=None,  # the entrance configures logging; the default would replace it
        debug=False,
    )


def _nobody() -> None:
    """Without a worker in this process there is nobody to wake; the timers sweep anyway."""
