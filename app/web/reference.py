"""The API's reference as a page: Swagger UI from its installed package, served by us, with nothing from elsewhere."""

from functools import cache
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from app.accounts.guards import PUBLIC
from app.core.errors import NotFound
from app.web.assets import MissingAsset, address_of, packaged

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
PACKAGED = ("swagger-ui.css", "swagger-ui-bundle.js")
START = b"""window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "/schema/openapi.json", dom_id: "#reference", deepLinking: true, validatorUrl: null, docExpansion: "none",
    defaultModelsExpandDepth: 0, displayRequestDuration: true,
  });
});
"""
PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sparelane API</title>
<link rel="icon" href="ICON" type="image/svg+xml">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="reference"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""


class NoSuchFile(NotFound):
    """The reference has no such file."""

    code = "not_found"


@cache
def folder() -> Path:
    """Where the installed package keeps its files: in a folder that names its version."""
    inside = packaged("swagger_ui_bundle", "vendor")
    found = sorted(inside.glob("swagger-ui-*"))
    if not found:
        raise MissingAsset("swagger_ui_bundle holds no swagger-ui")
    return found[-1]


@cache
def file(name: str) -> bytes:
    """One file of the reference."""
    if name == "start.js":
        return START
    if name not in PACKAGED:
        raise NoSuchFile
    return (folder() / name).read_bytes()


@get("/docs", opt=PUBLIC, include_in_schema=False)
async def show_reference() -> Response[bytes]:
    """Every call, to read and to try with a key of one's own."""
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    return Response(
        PAGE.replace(b"ICON", address_of("mark.svg").encode()), media_type="text/html; charset=utf-8", headers=headers
    )


@get("/docs/{name:str}", opt=PUBLIC, include_in_schema=False)
async def reference_file(name: FromPath[str]) -> Response[bytes]:
    """A script or a style sheet of the reference."""
    content = file(name)
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=TYPES[Path(name).suffix], headers=headers)


HANDLERS = [show_reference, reference_file]
