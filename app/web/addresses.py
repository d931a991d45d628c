"""Where everything has its page: one table of addresses, so that links, scans and codes on paper agree."""

from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request

from app.accounts.rules import Role


def device(serial: str) -> str:
    """A device's warranty."""
    return f"/devices/{_one(serial)}"


def request(request_id: str) -> str:
    """A part request and its journey."""
    return f"/requests/{_one(request_id)}"


def picking(request_id: str) -> str:
    """A request as its warehouse picks it."""
    return f"/picking/{_one(request_id)}"


def work_on(request_id: str, role: Role) -> str:
    """Where a role works on a request: the warehouse picks it, all others look at it."""
    return picking(request_id) if role == "warehouse" else request(request_id)


def verdict(verdict_id: str) -> str:
    """A stored verdict with its proof."""
    return f"/verdicts/{_one(verdict_id)}"


def verdict_paper(verdict_id: str) -> str:
    """The same on paper."""
    return f"{verdict(verdict_id)}.pdf"


def part(number: str, *, lot: str | None = None, serial: str | None = None) -> str:
    """A part's stock, with one lot or one serial pointed out."""
    pointed = {name: value for name, value in (("lot", lot), ("serial", serial)) if value is not None}
    return f"/stock/parts/{_one(number)}" + (f"?{urlencode(pointed, quote_via=quote)}" if pointed else "")


def bin(place: str, code: str) -> str:  # noqa: A001 - the warehouse's word, read as addresses.bin
    """A bin of a place and what lies in it."""
    return f"/stock/bins/{_one(place)}/{_one(code)}"


def scan(code: str) -> str:
    """Wherever a scanned code leads."""
    return f"/scan?{urlencode({'code': code}, quote_via=quote)}"


def elsewhere(url: str | None) -> str:
    """A page of another system, as that system told it; empty where it is no address of the web (`javascript:` and such)."""
    return url if url and url.startswith(("https://", "http://")) else ""


def short(request_id: str) -> str:
    """A request in few letters, for codes on paper: leads each role to its work."""
    return f"/r/{_one(request_id)}"


def absolute(asked: Request[Any, Any, Any], path: str) -> str:
    """A path as others reach it, for codes on paper: under the name by which this site was asked."""
    return str(asked.base_url).rstrip("/") + path


def _one(segment: str) -> str:
    return quote(segment, safe="")
