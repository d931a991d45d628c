"""Codes to be scanned, drawn: QR, Code 128, Data Matrix and their GS1 forms, as SVG for pages and for paper.

A symbol knows its modules only; how large one is, is the paper's business. Widths and heights are in modules and hold
the quiet zone that the symbology asks for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import zxingcpp

from app.core.errors import Unprocessable
from app.web.gs1 import is_gtin, readings

Kind = Literal["qr", "code128", "data_matrix"]
FORMATS = {
    "qr": zxingcpp.BarcodeFormat.QRCode,
    "code128": zxingcpp.BarcodeFormat.Code128,
    "data_matrix": zxingcpp.BarcodeFormat.DataMatrix,
}
QUIET: dict[Kind, int] = {"qr": 4, "code128": 10, "data_matrix": 2}
LONGEST: dict[Kind, int] = {"qr": 500, "code128": 80, "data_matrix": 500}
BAR_SHARE = 0.16
"""Height of a Code 128's bars as a share of its width, where nobody says otherwise: 15 % is the least GS1 asks."""


class NotDrawable(Unprocessable):
    """No such code can hold this text."""

    code = "web.code_not_drawable"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A drawn code. `rows` are its modules without the quiet zone, dark ones true; bars have one row, `height` tall."""

    kind: Kind
    text: str
    rows: tuple[tuple[bool, ...], ...]
    height: int

    @property
    def width(self) -> int:
        """All of it in modules, quiet zone on both sides."""
        return len(self.rows[0]) + 2 * QUIET[self.kind]

    @property
    def tall(self) -> int:
        """All of it in modules, quiet zone above and below; bars need none there."""
        return self.height if self.kind == "code128" else self.height + 2 * QUIET[self.kind]

    def svg(self, label: str = "") -> str:
        """An SVG without style, script or reference, so that any policy lets it show. `label` is what it is, in words:
        without it the picture says nothing to those who cannot see it, and is left out for them."""
        said = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="barcode is-{self.kind}" {said} '
            f'viewBox="0 0 {self.width} {self.tall}" shape-rendering="crispEdges">'
            f'<path fill="#fff" d="M0 0h{self.width}v{self.tall}H0z"/>'
            f'<path fill="#000" d="{"".join(self._runs())}"/></svg>'
        )

    def _runs(self) -> Iterator[str]:
        quiet = QUIET[self.kind]
        top, high = (0, self.height) if self.kind == "code128" else (quiet, 1)
        for y, row in enumerate(self.rows):
            x = 0
            while x < len(row):
                start = x
                while x < len(row) and row[x] == row[start]:
                    x += 1
                if row[start]:
                    yield f"M{start + quiet} {y + top}h{x - start}v{high}h-{x - start}z"


def qr(text: str, *, ec_level: Literal["L", "M", "Q", "H"] = "M") -> Symbol:
    """A QR code of any text, `ec_level` of its modules restorable. NotDrawable if it is too long."""
    return _drawn("qr", text, ec_level=ec_level)


def code128(text: str, *, height: int | None = None) -> Symbol:
    """Bars for a code of plain ASCII; `height` in modules. NotDrawable otherwise, as for Chinese."""
    if not (text.isascii() and text.isprintable()):
        raise NotDrawable(text=text[:40], kind="Code 128")
    return _drawn("code128", text, height=height)


def data_matrix(text: str) -> Symbol:
    """A Data Matrix of any text, for the smallest labels."""
    return _drawn("data_matrix", text)


def gs1(elements: Sequence[tuple[str, str]], *, kind: Literal["code128", "data_matrix"] = "data_matrix") -> Symbol:
    """Application identifiers and their values, `[("240", "PSU-12V-5A"), ("21", "0042")]`, as GS1 DataMatrix or
    GS1-128. NotDrawable where a value breaks its identifier's format (length, check digit, characters)."""
    text = "".join(f"({identifier}){value}" for identifier, value in elements)
    right = readings(text) == [dict(elements)]
    if not right or any(not is_gtin(value) for identifier, value in elements if identifier in ("01", "02")):
        raise NotDrawable(text=text[:40], kind="GS1")
    return _drawn(kind, text, is_gs1=True)


def bars_or_matrix(text: str, *, most_modules: int, height: int | None = None) -> Symbol:
    """Code 128 where it can hold the text within so many modules, else a Data Matrix, which always can."""
    try:
        bars = code128(text, height=height)
    except NotDrawable:
        return data_matrix(text)
    return bars if bars.width <= most_modules else data_matrix(text)


def _drawn(kind: Kind, text: str, *, ec_level: str = "M", is_gs1: bool = False, height: int | None = None) -> Symbol:
    if not text or len(text) > LONGEST[kind]:
        raise NotDrawable(text=text[:40], kind=kind)
    options: dict[str, Any] = {"gs1": True} if is_gs1 else {}
    options |= {"ec_level": ec_level} if kind == "qr" else {}
    options |= {"force_square": True} if kind == "data_matrix" else {}
    try:
        made = zxingcpp.create_barcode(text, FORMATS[kind], **options)
    except ValueError as wrong:
        raise NotDrawable(text=text[:40], kind=kind) from wrong
    image: Any = made.to_image(scale=1, add_quiet_zones=False)
    pixels: Any = memoryview(image).tolist()
    rows = tuple(tuple(not pixel for pixel in row) for row in pixels)
    if kind == "code128":
        return Symbol(kind, text, rows[:1], height or max(24, round(len(rows[0]) * BAR_SHARE)))
    return Symbol(kind, text, rows, len(rows))
