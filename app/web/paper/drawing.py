"""What papers draw: codes in whole printer dots, and the picture of a warranty laid out along its days. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from app.web import barcodes
from app.web.barcodes import Symbol
from app.web.paper.values import Bar, Timeline, TimelineRow
from app.web.render import Words

DOT_MM = 0.125
"""One dot of a printer of 203 dpi; a module is a whole number of them."""
MOST_TICKS = 9
LIGHTEST = 2
DATE_SHARE = 0.125
"""The width of a date, of the picture's."""
DAY = timedelta(days=1)


def in_dots(symbol: Symbol, *, most_mm: float, most_dots: int = 4) -> dict[str, Any]:
    """A symbol for paper, as large as fits into `most_mm`, its modules whole dots; two at least, or no scanner reads it."""
    dots = max(2, min(most_dots, int(most_mm / DOT_MM / symbol.width)))
    return {
        "svg": symbol.svg(),
        "width": symbol.width * dots * DOT_MM,
        "height": symbol.tall * dots * DOT_MM,
    }


def link_code(link: str, *, most_mm: float = 22.5) -> dict[str, Any]:
    """A link as QR code."""
    return in_dots(barcodes.qr(link), most_mm=most_mm)


def bars(code: str, *, most_mm: float, height_mm: float) -> dict[str, Any]:
    """A short code as bars of a height; as Data Matrix where bars cannot hold it or would be too wide."""
    most = int(most_mm / DOT_MM / 2)
    symbol = barcodes.bars_or_matrix(code, most_modules=most)
    if symbol.kind == "data_matrix":
        return in_dots(symbol, most_mm=height_mm)
    drawn = in_dots(symbol, most_mm=most_mm, most_dots=3)
    module = drawn["width"] / symbol.width
    taller = barcodes.code128(code, height=max(1, round(height_mm / module)))
    return drawn | {"svg": taller.svg(), "height": taller.tall * module}


class Stretch:
    """The days a picture shows; `x` places the start of a day between 0 and 1."""

    def __init__(self, first: date, last: date) -> None:
        margin = timedelta(days=max(20, (last - first).days // 30))
        self.first, self.last = first - margin, last + margin

    def x(self, day: date) -> float:
        whole = (self.last - self.first).days + 1
        return round(min(max((day - self.first).days / whole, 0.0), 1.0), 5)


def picture(timeline: Timeline, say: Words) -> dict[str, Any]:
    """The timeline as typst draws it: everything placed, everything said."""
    rows = (timeline.device, *timeline.positions)
    days = [day for row in rows for bar in row.bars for day in (bar.first, bar.last)]
    days += [timeline.today, *([timeline.failed_on] if timeline.failed_on else [])]
    stretch = Stretch(min(days), max(days))
    payers = list(dict.fromkeys(bar.payer for row in rows for bar in row.bars if bar.payer is not None))
    tones = {payer: min(at, LIGHTEST) for at, payer in enumerate(payers)}
    return {
        "device": _row(timeline.device, stretch, tones, say),
        "positions": [_row(row, stretch, tones, say, timeline.device) for row in timeline.positions],
        "ticks": [{"x": stretch.x(day), "words": str(day.year)} for day in _years(stretch)],
        "uprights": list(_uprights(timeline, stretch, say)),
        "legend": list(_legend(rows, tones, say)),
    }


def _row(
    row: TimelineRow, stretch: Stretch, tones: Mapping[str, int], say: Words, device: TimelineRow | None = None
) -> dict[str, Any]:
    """A row; days that the device's own row tells already are not told again."""
    return {
        "name": row.name,
        "part": row.part,
        "key": row.key,
        "bars": [_bar(bar, stretch, tones, say) for bar in row.bars],
        "dates": [] if device is not None and row.bars == device.bars else list(_dates(row, stretch)),
    }


def _bar(bar: Bar, stretch: Stretch, tones: Mapping[str, int], say: Words) -> dict[str, Any]:
    x = stretch.x(bar.first)
    return {
        "x": x,
        "width": round(stretch.x(bar.last + DAY) - x, 5),
        "kind": bar.kind,
        "tone": tones.get(bar.payer or "", 0),
        "words": _said_in(bar, say),
    }


def _said_in(bar: Bar, say: Words) -> list[str]:
    """What a bar says, the longest first: the first that has room stands in it."""
    payer = [bar.payer] if bar.payer is not None else []
    anew = [say("runs anew")] if bar.kind == "restart" else []
    return ([" · ".join(anew + payer)] if anew and payer else []) + anew + payer


def _dates(row: TimelineRow, stretch: Stretch) -> Iterator[dict[str, Any]]:
    """The days that matter under a bar: where cover ends, then where it began anew; what would crowd is left out."""
    ends = sorted(
        {bar.last for bar in row.bars if not any(one.first <= bar.last + DAY <= one.last for one in row.bars)}
    )
    marked = [(stretch.x(day + DAY), day, "end") for day in ends]
    anew = [bar for bar in row.bars if bar.kind == "restart"]
    starts = {bar.first for bar in anew} - {bar.last + DAY for bar in anew}
    marked += [(stretch.x(day), day, "start") for day in sorted(starts)]
    taken: list[tuple[float, float]] = []
    for x, day, side in marked:
        left = max(0.0, x - DATE_SHARE) if side == "end" else min(x, 1 - DATE_SHARE)
        if all(left >= end or left + DATE_SHARE <= start for start, end in taken):
            taken.append((left, left + DATE_SHARE))
            yield {"x": round(left, 5), "words": day.isoformat(), "side": side}


def _years(stretch: Stretch) -> Iterator[date]:
    """The first days of years, every so many that they do not crowd."""
    first, last = stretch.first.year + 1, stretch.last.year
    step = max(1, -(-(last - first + 1) // MOST_TICKS))
    for year in range(first, last + 1, step):
        yield date(year, 1, 1)


def _uprights(timeline: Timeline, stretch: Stretch, say: Words) -> Iterator[dict[str, Any]]:
    if timeline.failed_on is not None:
        words = say("failure {on}", on=timeline.failed_on.isoformat())
        yield {"x": stretch.x(timeline.failed_on), "words": words, "dash": "solid"}
    words = say("today {on}", on=timeline.today.isoformat())
    yield {"x": stretch.x(timeline.today), "words": words, "dash": "dashed"}


def _legend(rows: tuple[TimelineRow, ...], tones: Mapping[str, int], say: Words) -> Iterator[dict[str, Any]]:
    """Each ground that occurs, told once."""
    kinds = {bar.kind for row in rows for bar in row.bars}
    for payer, tone in tones.items():
        yield {"kind": "base", "tone": tone, "words": payer}
    if "extension" in kinds:
        yield {"kind": "extension", "tone": LIGHTEST, "words": say("extended")}
    if "restart" in kinds:
        yield {"kind": "restart", "tone": 0, "words": say("runs anew from the confirmation")}
