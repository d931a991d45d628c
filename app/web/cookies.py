"""Cookies of the pages: how they are named and set, and over which connections a sign-in may travel at all."""

import ipaddress
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie

AnyRequest = Request[Any, Any, Any]


def named(request: AnyRequest, name: str) -> str:
    """The cookie's name: over TLS with the mark by which browsers take it from this very host alone, and over TLS."""
    return f"__Host-{name}" if over_tls(request) else name


def cookie_of(request: AnyRequest, name: str) -> str | None:
    """What the browser sends under a name."""
    return request.cookies.get(named(request, name))


def cookie(request: AnyRequest, name: str, value: str, *, max_age: int, same_site: Any = "strict") -> Cookie:
    """A cookie that scripts cannot read, and that travels over TLS alone where the page came over TLS."""
    return Cookie(
        named(request, name),
        value=value,
        path="/",
        max_age=max_age,
        httponly=True,
        samesite=same_site,
        secure=over_tls(request),
    )


def over_tls(request: AnyRequest) -> bool:
    """Whether the page came over TLS: to us, or to a proxy that the settings name."""
    return request.url.scheme == "https"


def may_sign_in(request: AnyRequest) -> bool:
    """Whether this connection may carry a password or a session: over TLS, from this very machine, or by setting.

    A proxy that speaks TLS but is not named in the settings counts as none, and is found out by what it adds.
    """
    if over_tls(request) or request.app.state.settings.plain_http == "allow":
        return True
    return "x-forwarded-proto" not in request.headers and loopback(client_address(request))


def client_address(request: AnyRequest) -> str | None:
    """The true address: the peer's, or what a proxy that the settings name says of it."""
    return request.client.host if request.client else None


def loopback(address: str | None) -> bool:
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    return known.is_loopback or bool(isinstance(known, ipaddress.IPv6Address) and _mapped_loopback(known))


def _mapped_loopback(address: ipaddress.IPv6Address) -> bool:
    return address.ipv4_mapped is not None and address.ipv4_mapped.is_loopback
