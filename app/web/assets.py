"""Every file a page loads: ours from `static/`, Leaflet and htmx from their installed packages. Nothing from elsewhere.

A file's address holds a hash of its content, so that browsers may keep it for ever. The one style sheet is written in
parts, `static/style/*.css`, and served whole, in the order of their names.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OURS = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PACKAGED = {
    "lib/leaflet.css": ("js_lib_leaflet", "static/js_lib_leaflet/leaflet.css"),
    "lib/leaflet.js": ("js_lib_leaflet", "static/js_lib_leaflet/leaflet.js"),
    "lib/htmx.js": ("js_lib_htmx", "static/htmx/htmx.min.js"),
}


SHEET = "sparelane.css"


class MissingAsset(Exception):
    """A package that brings a page's script is not installed."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served, plain and compressed. Files hold no secrets, so their lengths may be seen; pages, which
    hold tokens, are sent as they are."""

    address: str
    content: bytes
    gzipped: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """All files by their plain name (`board.css`, `lib/htmx.js`), read once."""
    found = {path.name: path for path in sorted(OURS.iterdir()) if path.suffix in TYPES}
    found |= {name: packaged(package, inside) for name, (package, inside) in PACKAGED.items()}
    sheet = b"\n".join(path.read_bytes() for path in sorted((OURS / "style").glob("*.css")))
    return {SHEET: _asset(SHEET, sheet)} | {name: _asset(name, path.read_bytes()) for name, path in found.items()}


@cache
def by_address() -> dict[str, Asset]:
    return {one.address: one for one in assets().values()}


def address_of(name: str) -> str:
    """Where a page finds a file: `/static/board.1f2e3d4c5b6a.css`."""
    return assets()[name].address


def packaged(package: str, inside: str) -> Path:
    """A file of an installed package, found without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingAsset(f"{package} is not installed")
    return Path(spec.origin).parent / inside


def _asset(name: str, content: bytes) -> Asset:
    stem, _, ending = name.rpartition(".")
    digest = hashlib.sha256(content).hexdigest()[:12]
    return Asset(f"/static/{stem}.{digest}.{ending}", content, gzip.compress(content, mtime=0), TYPES[f".{ending}"])
