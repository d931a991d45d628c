"""Calls to addresses that somebody configured: resolved, judged, pinned, capped, never redirected (T142, H10).

Nothing else may call out to a configured URL. What is inside the company is refused unless a setting names it; the road
server's own setting names its host.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType

import certifi
import httpx

from app.core.errors import FieldError, Unprocessable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

TOTAL_S = 15.0
MOST_READ = 64 * 1024
LONGEST, LONGEST_ASKED = 2000, 16_000
"""Characters of a URL that somebody configured; of one that we make below an address of the operator's."""
SHAPE = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>[/?][\x21\x24-\x5b\x5d-\x7e]*)?",
    re.ASCII,
)
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
"""The underscore too: names inside a company and of a composed set of containers have it, and resolvers take it."""
REFUSED = tuple(
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20", "5f00::/16",
    )
)  # fmt: skip
"""The IANA special registries: not for strangers' data, whatever Python's release thinks of them."""
GLOBAL_V6 = ipaddress.ip_network("2000::/3")
METADATA = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fd00:ec2::/32"))
"""Where clouds keep their credentials: only a network named in the setting opens these, never a host's name."""


class UrlRefused(Unprocessable):
    """The URL is not one we call: `why` says which rule it breaks (a code under `egress.`)."""

    code = "url.refused"


def refused(why: str) -> UrlRefused:
    """The refusal with its sentence: shape, host, port, scheme, unresolved or address."""
    return UrlRefused(why=why, errors=[FieldError("url", f"url.{why}")])


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: the host in lower case without its last dot, the port made plain."""

    scheme: str
    host: str
    port: int
    literal: Address | None


def read_url(url: str, longest: int = LONGEST) -> Target:
    """Take a URL apart by one strict shape, so that no two parsers can read it differently. Raises UrlRefused."""
    found = SHAPE.fullmatch(url) if len(url) <= longest else None
    if found is None:
        raise refused("shape")
    scheme, host = found["scheme"], found["host"].lower()
    port = int(found["port"] or (443 if scheme == "https" else 80))
    if not 0 < port < 65536:
        raise refused("port")
    if host.startswith("["):
        try:
            return Target(scheme, host[1:-1], port, ipaddress.IPv6Address(host[1:-1]))
        except ValueError as wrong:
            raise refused("host") from wrong
    name = host.removesuffix(".")
    try:
        return Target(scheme, name, port, ipaddress.IPv4Address(name))
    except ValueError:
        pass
    if not is_name(name):
        raise refused("host")
    return Target(scheme, name, port, None)


def is_name(host: str) -> bool:
    """Whether this is a host's name, in lower case: what ends in a number is an address in disguise."""
    labels = host.split(".")
    return all(LABEL.fullmatch(one) for one in labels) and not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1])


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where it is only another spelling."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address is anybody's on the Internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address not in GLOBAL_V6 or address.scope_id is not None:
            return False
        if (int(address) >> 32) & 0xFFFFFFFF in (0x5EFE, 0x2005EFE):  # ISATAP: an IPv4 address in its tail
            return False
    return not any(address in one for one in REFUSED if one.version == address.version)


def is_metadata(address: Address) -> bool:
    """Whether a cloud answers there with the machine's credentials."""
    return any(address in one for one in METADATA if one.version == address.version)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the setting opens besides the Internet: hosts by name, networks by their addresses."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def network(self, address: Address) -> bool:
        return any(address in one for one in self.networks if one.version == address.version)

    def admits(self, host: str, address: Address) -> bool:
        """Whether this address may be called under this name."""
        if self.network(address) or is_public(address):
            return True
        return host in self.hosts and not is_metadata(address)

    def inside(self, host: str, address: Address) -> bool:
        """Whether the setting names it, which also allows plain HTTP."""
        return self.network(address) or host in self.hosts


def read_allowed(setting: str) -> Allowed:
    """`helpdesk.internal, 10.20.0.0/16` as hosts and networks. ValueError names what is neither."""
    hosts, networks = set(), []
    for one in (part.strip().lower() for part in setting.split(",")):
        try:
            networks.append(ipaddress.ip_network(one))
        except ValueError as wrong:
            if one and not is_name(one):
                raise ValueError(f"{one!r} is neither a host's name nor a network such as 10.20.0.0/16") from wrong
            hosts |= {one} - {""}
    return Allowed(frozenset(hosts), tuple(networks))


class SystemResolver:
    """The machine's resolver in threads of its own: a name server that hangs must not hold up anything else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        def ask() -> list[str]:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return list(dict.fromkeys(str(one[4][0]) for one in found))

        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)


@dataclass(frozen=True, slots=True)
class Egress:
    """The judge: which URLs may be called, and at which addresses."""

    allowed: Allowed = field(default_factory=Allowed)
    resolve: Resolver = field(default_factory=SystemResolver)
    longest: int = LONGEST

    async def addresses(self, url: str) -> tuple[Target, list[Address]]:
        """The URL's target and where it may be called, now. One bad address among several refuses all (rebinding)."""
        target = read_url(url, self.longest)
        if target.literal is not None:
            found: list[Address] = [target.literal]
        else:
            try:
                found = [ipaddress.ip_address(one) for one in await self.resolve(target.host, target.port)]
            except (OSError, UnicodeError, ValueError) as wrong:
                raise refused("unresolved") from wrong
        if not found:
            raise refused("unresolved")
        plain = [unwrapped(one) for one in found]
        if not all(self.allowed.admits(target.host, one) for one in plain):
            raise refused("address")
        if target.scheme == "http" and not all(self.allowed.inside(target.host, one) for one in plain):
            raise refused("scheme")
        return target, plain

    async def check(self, url: str) -> None:
        """Refuse a URL that may not be called, before it is kept (UrlRefused)."""
        try:
            async with asyncio.timeout(TOTAL_S / 3):
                await self.addresses(url)
        except TimeoutError as late:
            raise refused("unresolved") from late


def egress_of(setting: str) -> Egress:
    """The judge for a setting."""
    return Egress(read_allowed(setting))


def egress_to(address: str) -> Egress:
    """The judge for one server that the operator's own setting names, also inside the company and by plain HTTP: that host
    and no other, and never where clouds keep their credentials. Raises UrlRefused."""
    target = read_url(address)
    if target.literal is not None and is_metadata(unwrapped(target.literal)):
        raise refused("address")
    return Egress(Allowed(frozenset((target.host,))), longest=LONGEST_ASKED)


def trusted_roots() -> ssl.SSLContext:
    """The machine's certificate authorities, a company's own among them, and the public ones."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class PinnedTransport(httpx.AsyncBaseTransport):
    """Connects to the very address that was judged; name and certificate stay the host's.

    Connections are not kept: they are pooled by address, and one host's must not serve another's. Whoever calls one host
    alone may give other `limits`.
    """

    def __init__(self, egress: Egress, limits: httpx.Limits | None = None) -> None:
        self._egress = egress
        self._inner = httpx.AsyncHTTPTransport(
            verify=trusted_roots(),
            trust_env=False,
            limits=limits or httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target, addresses = await self._egress.addresses(str(request.url))
        if target.literal is None:
            request.extensions = {**request.extensions, "sni_hostname": target.host}
        for at, address in enumerate(addresses):
            request.url = request.url.copy_with(host=str(address))
            try:
                return await self._inner.handle_async_request(request)
            except httpx.ConnectError:
                if at == len(addresses) - 1:
                    raise
        raise refused("unresolved")

    async def aclose(self) -> None:
        await self._inner.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one call: a status with what was read of the body, or a failure's code; and how long it took."""

    status: int | None = None
    failure: str | None = None
    retry_after: str | None = None
    body: bytes = b""
    took_ms: int = 0


class Outgoing:
    """The one client that calls out. `async with` opens it; `send` never raises for what a receiver does."""

    def __init__(self, egress: Egress, *, total_s: float = TOTAL_S) -> None:
        self.egress = egress
        self._total_s = total_s
        self._client = httpx.AsyncClient(
            transport=PinnedTransport(egress), timeout=httpx.Timeout(total_s), follow_redirects=False, trust_env=False
        )

    async def __aenter__(self) -> "Outgoing":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, most: int = MOST_READ
    ) -> Answer:
        """One call, 15 s in all however the answer drips, at most `most` bytes of it read."""
        began = time.perf_counter()
        status, retry_after, failure, body = None, None, None, b""
        try:
            async with asyncio.timeout(self._total_s):
                asked = self._client.stream(method, url, headers=dict(headers), content=content)
                async with asked as response:
                    status, retry_after = response.status_code, response.headers.get("retry-after")
                    async for piece in response.aiter_raw(8192):
                        body += piece
                        if len(body) > most:
                            failure = "answer_too_long"
                            break
        except TimeoutError:
            failure = "timeout"
        except httpx.TimeoutException:
            failure = "timeout"
        except UrlRefused as no:
            failure = f"refused_{no.facts['why']}"
        except httpx.HTTPError as broken:
            failure = "connection" if status is None else "broken_answer"
            del broken  # its text may repeat what a stranger sent
        except (httpx.InvalidURL, ValueError, OSError):
            failure = "connection"
        took = round((time.perf_counter() - began) * 1000)
        return Answer(status=status, failure=failure, retry_after=retry_after, body=body[:most], took_ms=took)
