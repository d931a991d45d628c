"""Logs: one line of JSON per event on standard error, readable lines on a terminal. Keys and secrets never get in."""

import logging
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
SECRET = re.compile(
    r"sl_[0-9a-f]{12}_[A-Za-z0-9_-]{8,}|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)|(?i:bearer\s+\S+)"
    r"|whsec_[A-Za-z0-9+/=]{16,}|(?<=\.)[0-9]{9,12}\.[A-Za-z0-9_-]{32,}"
)
"""API keys, users and passwords in URLs, bearer tokens, webhooks' secrets, and what signs a link for whoever has it."""
QUIET = ("/health", "/ready", "/metrics")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger("access")


def without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Cover keys, secrets and signed links, wherever in an event's texts they stand."""
    return {name: covered(value) for name, value in event.items()}


def covered(value: Any) -> Any:
    return SECRET.sub("…", value) if isinstance(value, str) else value


def configure_logs(level: str) -> None:
    """Set logging up once per process; what libraries log goes the same way."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    terminal = sys.stderr.isatty()
    shown: list[Processor] = [] if terminal else [structlog.processors.format_exc_info]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *shown,
                without_secrets,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(LEVELS[level])
    for chatty in ("alembic", "asyncio", "sqlalchemy.engine", "httpx"):
        logging.getLogger(chatty).setLevel(max(LEVELS[level], logging.WARNING))


def with_access_log(app: App) -> App:
    """An application that tells each answered request: method, path, names of the query's fields, status, time.

    Never the query's values, headers or bodies.
    """

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, noting)
        finally:
            tell(scope, status, round((time.perf_counter() - began) * 1000, 1))

    return logged


def tell(scope: Scope, status: int, took_ms: float) -> None:
    """One line of the access log; questions of health only where they fail."""
    path = str(scope["path"])
    if path in QUIET and status < 400:
        return
    state: Mapping[str, Any] = scope.get("state") or {}
    actor = state.get("actor")
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    log.info(
        "request",
        method=scope["method"],
        path=path[:500],
        query=[name[:50] for name, _ in query[:20]],
        status=status,
        took_ms=took_ms,
        request_id=state.get("request_id"),
        actor=getattr(actor, "id", None),
    )
