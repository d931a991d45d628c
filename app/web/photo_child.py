"""The child that opens one picture from outside: looks for codes in it, or makes it a small still. Knows nothing else.

A question is the task's letter and the file's bytes; an answer is `+` and the result, or `-` and why there is none.
"""

import json
from collections.abc import Iterator
from io import BytesIO

import zxingcpp
from PIL import Image, ImageFilter, ImageOps

from app.web.child import serve

MEMORY = 640 * 1024 * 1024
CPU_S = 12
FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = {"JPEG": 64_000_000, "MPO": 64_000_000, "PNG": 24_000_000, "WEBP": 24_000_000}
"""A JPEG, or several in one file as some phones write (MPO), is decoded at a fraction of its size, others whole."""
ENOUGH_SIDE, MOST_SIDE, SMALL_SIDE = 2_400, 4_200, 1_600
BARS = "Code128,Code39,Code93,EAN13,EAN8,UPCA,ITF14,DataBar,DataBarExp"
MATRICES = "QRCode,MicroQRCode,DataMatrix,Aztec,PDF417"
TURNS = (15, -15, 30, -30, 45)
STILL_SIDE = 1_600
QUALITY = 84


class Refused(Exception):
    """Why there is no answer: `unreadable` or `too_large`."""


def answer(question: bytes) -> bytes:
    """One picture, one answer."""
    task, raw = question[:1], question[1:]
    try:
        return b"+" + (still(raw) if task == b"s" else json.dumps(codes(raw)).encode())
    except Refused as why:
        return b"-" + str(why).encode()


def opened(raw: bytes, side: int) -> Image.Image:
    """The picture, upright, no side longer than about `side` where that can be had without decoding all of it."""
    Image.MAX_IMAGE_PIXELS = None  # judged here, by format, before a pixel is decoded
    try:
        image = Image.open(BytesIO(raw), formats=FORMATS)
        if image.width * image.height > MOST_PIXELS[image.format or ""]:
            raise Refused("too_large")
        image.draft("RGB", (side, side))
        image.load()
        return ImageOps.exif_transpose(image)
    except Refused:
        raise
    except (OSError, SyntaxError, ValueError, KeyError, EOFError) as broken:
        raise Refused("unreadable") from broken


def codes(raw: bytes) -> list[tuple[str, str]]:
    """Each code in the picture as its kind and what a scanner would have sent for it, the likeliest first."""
    bars = zxingcpp.barcode_formats_from_str(BARS)
    all_kinds = zxingcpp.barcode_formats_from_str(f"{BARS},{MATRICES}")
    found: dict[tuple[str, str], None] = {}
    for view, turned in views(opened(raw, ENOUGH_SIDE)):
        kinds = bars if turned else all_kinds
        for one in zxingcpp.read_barcodes(view, kinds, text_mode=zxingcpp.TextMode.Plain):
            text = (
                one.symbology_identifier + one.bytes.decode("latin-1") if one.content_type.name == "GS1" else one.text
            )
            found[str(one.format), text] = None
        if found:
            break
    return list(found)


def views(image: Image.Image) -> Iterator[tuple[Image.Image, bool]]:
    """The picture as gray, then in ways that help where that shows nothing, each with whether it is turned: bars are
    found only where they lie level. Then even light, calmer, sharper, larger."""
    gray = on_white(image).convert("L")
    gray.thumbnail((MOST_SIDE, MOST_SIDE))
    small = gray.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE))
    yield gray, False
    yield small, False
    for view in (small, gray):
        for angle in TURNS:
            yield view.rotate(angle, resample=Image.Resampling.BILINEAR, expand=True, fillcolor=128), True
    yield ImageOps.autocontrast(gray, cutoff=2), False
    yield small.filter(ImageFilter.MedianFilter(3)), False
    yield small.filter(ImageFilter.UnsharpMask(radius=3, percent=250)), False
    if max(gray.size) <= SMALL_SIDE:
        yield gray.resize((gray.width * 2, gray.height * 2)), False


def on_white(image: Image.Image) -> Image.Image:
    """The picture without transparency."""
    if image.mode in ("RGB", "L"):
        return image
    clear = image.convert("RGBA")
    ground = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(ground, clear).convert("RGB")


def still(raw: bytes) -> bytes:
    """A JPEG of at most 1600 pixels a side, upright, with nothing in it but the picture."""
    image = on_white(opened(raw, STILL_SIDE)).convert("RGB")
    image.thumbnail((STILL_SIDE, STILL_SIDE), Image.Resampling.LANCZOS)
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    target = BytesIO()
    bare.save(target, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return target.getvalue()


if __name__ == "__main__":
    serve(answer, memory=MEMORY, cpu_s=CPU_S)
