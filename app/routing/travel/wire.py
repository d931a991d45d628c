"""Asking a road server over HTTP: bounded in time and size, retried once, and never led elsewhere."""

import hashlib
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import stamina

from app.core.egress import PinnedTransport, UrlRefused, egress_to
from app.routing.travel.source import NotUnderstood

CALL_S = 1.2
"""One attempt [house]; whoever asks sets the limit of the whole."""
MOST_BYTES = 16 * 1024 * 1024
ATTEMPTS = 2
LIMITS = httpx.Limits(max_connections=8, max_keepalive_connections=4)


class Busy(Exception):
    """The server could not answer just now (502, 503, 504, 429): worth one more try."""


class Wire:
    """One server's address and connections, to that host alone and to the very address that was judged (T142).

    Environment proxies are ignored and no redirect is followed.
    """

    def __init__(self, address: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.address = checked(address)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(CALL_S),
            follow_redirects=False,
            trust_env=False,
            transport=transport or PinnedTransport(egress_to(self.address), LIMITS),
            headers={"Accept": "application/json", "User-Agent": "sparelane"},
        )

    @property
    def digest(self) -> str:
        """Ten digits that stand for the address, so that a version tells servers apart without naming them."""
        return hashlib.sha256(self.address.encode()).hexdigest()[:10]

    async def get(self, path: str) -> Any:
        """The JSON at a path below the address."""
        return await self._asked(self._client.build_request("GET", self.address + path))

    async def post(self, path: str, body: Any) -> Any:
        """The JSON answer to a JSON question; asking changes nothing there, so it may be asked twice."""
        content = msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"}
        return await self._asked(
            self._client.build_request("POST", self.address + path, content=content, headers=headers)
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _asked(self, request: httpx.Request) -> Any:
        on = (httpx.TransportError, Busy)
        async for attempt in stamina.retry_context(on=on, attempts=ATTEMPTS, wait_initial=0.05, wait_max=0.1):
            with attempt:
                return await self._once(request)
        raise NotUnderstood("not asked")

    async def _once(self, request: httpx.Request) -> Any:
        try:
            answer = await self._client.send(request, stream=True)
        except UrlRefused as no:
            raise NotUnderstood(f"its address may not be called: {no.facts['why']}") from no
        try:
            if answer.status_code in (429, 502, 503, 504):
                raise Busy(str(answer.status_code))
            if not 200 <= answer.status_code < 300 and answer.status_code != 400:
                raise NotUnderstood(f"status {answer.status_code}")
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    raise NotUnderstood("more than 16 MB")
        finally:
            await answer.aclose()
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError as wrong:
            raise NotUnderstood("no JSON") from wrong


def checked(address: str) -> str:
    """A road server's address without a slash at its end; raises ValueError with what is wrong with it."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        raise ValueError("must start with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or password")
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be a host, a port and a path at most")
    _ = parts.port
    return address.rstrip("/")
