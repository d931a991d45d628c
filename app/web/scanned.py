"""What a scanner, a photo or a hand put into the scan box, understood: a GS1 string, a code of our own, or plain text.

Pure rules. What they find is what a code says of itself; whether there is such a thing is looked up in finding.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from app.web.gs1 import GS, Elements, day_of, is_gtin, readings

LONGEST = 512
SYMBOLOGY = re.compile(r"\](?P<letter>[A-Za-z])(?P<modifier>[0-9A-Za-z])")
ELEMENT_STRINGS = frozenset(("C1", "d2", "Q3", "e0", "J1"))
TRADE_ITEMS = frozenset(("E0", "E4", "I1"))
ID = re.compile(r"(?P<kind>req|ver)_[0-9a-f]{32}\Z", re.IGNORECASE)
LABEL = re.compile(r"(?P<letter>[RP])-?(?P<end>[0-9A-F]{5})\Z", re.IGNORECASE)
UNSEEN = dict.fromkeys([*range(0x20), 0x7F, *range(0x200B, 0x2010), 0x2060, 0xFEFF])
KEPT = {ord(GS)}
FOLDED = {0xFF01 + at: 0x21 + at for at in range(94)} | {0x3000: 0x20, 0x3001: ord("/"), 0x3002: ord("."), 0xA0: 0x20}
"""Full-width characters of a Chinese input method, which a keyboard scanner types through, as what was meant."""

Kind = Literal["text", "gs1", "trade_item", "own"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was scanned. `raw` is what came, `text` what one would have typed; the rest is what the code says of itself.

    `request_end` are the last five digits of a request's id, as on its label. `to_pick`: it is a pick list's code.
    `faults` are identifiers whose values cannot be right. `others` are further readings, where separators were lost.
    """

    raw: str
    text: str
    kind: Kind = "text"
    symbology: str | None = None
    gtin: str | None = None
    part: str | None = None
    lot: str | None = None
    serial: str | None = None
    quantity: int | None = None
    made_on: date | None = None
    expires_on: date | None = None
    device: str | None = None
    request: str | None = None
    request_end: str | None = None
    to_pick: bool = False
    verdict: str | None = None
    place: str | None = None
    bin: str | None = None
    faults: tuple[str, ...] = ()
    others: tuple["Scan", ...] = ()

    @property
    def tries(self) -> tuple[str, ...]:
        """The text as a name, the likeliest first: as it came, as folded, and in either case."""
        as_it_came = self.raw.translate(UNSEEN).strip()
        return tuple(dict.fromkeys(one for one in (as_it_came, self.text, self.text.upper(), self.text.lower()) if one))


def understand(raw: str) -> Scan:
    """What a scan says. Never fails: what is nothing else is plain text."""
    raw = raw[:LONGEST]
    plain = raw.translate(UNSEEN | {one: one for one in KEPT}).translate(FOLDED)
    text = plain.strip(" " + GS)
    symbology = None
    if (prefix := SYMBOLOGY.match(text)) is not None:
        symbology = prefix["letter"] + prefix["modifier"]
        text = text[prefix.end() :].strip(" ")
    scan = Scan(raw=raw, text=text.replace(GS, ""), symbology=symbology)
    if symbology in TRADE_ITEMS:
        return _trade_item(scan, text)
    marked = symbology in ELEMENT_STRINGS or plain.strip(" ").startswith(GS) or GS in text
    if found := _element_string(scan, text, marked=marked):
        return found
    return _own(scan, text) or _trade_item(scan, text)


def _trade_item(scan: Scan, text: str) -> Scan:
    """A bare trade item number, as retail bars carry it; with a wrong check digit it is just digits."""
    if not is_gtin(text):
        return scan
    return replace(scan, kind="trade_item", gtin=text.zfill(14))


def _element_string(scan: Scan, text: str, *, marked: bool) -> Scan | None:
    """A GS1 string: known by its symbology, separator or brackets, or, without any, by a right trade item number first.

    What is not marked so may as well be a serial that looks like one: it stays to be tried as text first.
    """
    if not (marked or text.startswith("(") or (text.startswith("01") and len(text) > 16 and is_gtin(text[2:16]))):
        return None
    found = [_said(scan, each) for each in readings(text)]
    if not found:
        return None
    return replace(found[0], others=tuple(found[1:]))


def _said(scan: Scan, elements: Elements) -> Scan:
    gtin = elements.get("01") or elements.get("02")
    faults = ["01"] if gtin is not None and not is_gtin(gtin) else []
    days = {identifier: day_of(elements[identifier]) for identifier in ("11", "17") if identifier in elements}
    faults += [identifier for identifier, day in days.items() if day is None]
    count = elements.get("37") or elements.get("30")
    return replace(
        scan,
        kind="gs1",
        gtin=None if "01" in faults else gtin,
        part=elements.get("240") or elements.get("241"),
        lot=elements.get("10"),
        serial=elements.get("21"),
        quantity=int(count) if count else None,
        made_on=days.get("11"),
        expires_on=days.get("17"),
        faults=tuple(faults),
    )


def _own(scan: Scan, text: str) -> Scan | None:
    """A code that this house prints: an id, a label, or the address of a page."""
    if (own := ID.match(text)) is not None:
        named = "request" if own["kind"].lower() == "req" else "verdict"
        return replace(scan, kind="own", **{named: text.lower()})  # type: ignore[arg-type]
    if (label := LABEL.match(text)) is not None:
        pick = label["letter"].upper() == "P"
        return replace(scan, kind="own", request_end=label["end"].lower(), to_pick=pick)
    return _address(scan, text)


def _address(scan: Scan, text: str) -> Scan | None:
    """The address of one of our pages, whatever the host was called when the code was printed, or a GS1 Digital Link."""
    if not text[:8].lower().startswith(("https://", "http://", "/")):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    steps = [unquote(one) for one in parts.path.split("/") if one]
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if steps == ["scan"] and "code" in asked and not asked["code"].startswith(("http", "/")):
        return replace(understand(asked["code"]), raw=scan.raw)
    if said := dict(_page(steps, asked)):
        return replace(scan, kind="own", **said)  # type: ignore[arg-type]
    if "01" in steps and parts.netloc:
        return _digital_link(scan, steps[steps.index("01") :])
    return None


def _page(steps: list[str], asked: dict[str, str]) -> Iterator[tuple[str, object]]:
    match steps:
        case ["r" | "requests", request] if ID.match(request):
            yield "request", request.lower()
        case ["picking", request] if ID.match(request):
            yield from (("request", request.lower()), ("to_pick", True))
        case ["verdicts", verdict] if ID.match(verdict.removesuffix(".pdf")):
            yield "verdict", verdict.removesuffix(".pdf").lower()
        case ["devices", serial]:
            yield "device", serial
        case ["stock", "parts", number]:
            yield "part", number
            yield from ((name, asked[name]) for name in ("lot", "serial") if name in asked)
        case ["stock", "bins", place, code]:
            yield from (("place", place), ("bin", code))


def _digital_link(scan: Scan, steps: list[str]) -> Scan | None:
    """A GS1 Digital Link: identifiers and values as steps of any host's path."""
    pairs = dict(zip(steps[::2], steps[1::2], strict=False))
    found = readings("".join(f"({identifier}){value}" for identifier, value in pairs.items()))
    return _said(scan, found[0]) if found else None
