"""Photos: codes are found in bad ones, stills keep nothing but the picture, and hostile files end with their child."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from app.web import barcodes, photo
from app.web.photo import Found
from app.web.scanned import understand
from tests.web.photographs import photograph, picture, saved

pytestmark = pytest.mark.anyio
LINK = "https://sparelane.example/r/req_0199a1b2c3d4e5f60718293a4b5c6d7e"
QR, BARS = barcodes.qr(LINK), barcodes.code128("PSU-12V-5A")
GS1 = barcodes.gs1([("240", "PSU-12V-5A"), ("21", "0042")])


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (photograph(QR), "JPEG"),
        (photograph(QR, scale=5, turned=-40, noise=40, blur=1.6), "JPEG"),
        (photograph(QR, turned=90), "PNG"),
        (photograph(QR, turned=180), "WEBP"),
        (photograph(barcodes.qr(LINK, ec_level="Q"), scale=4, noise=16), "JPEG"),
        (picture(QR, 1), "PNG"),
    ],
)
async def test_a_matrix_is_found_in_a_bad_photo(image, kind):
    assert await photo.codes_in(saved(image, kind)) == (Found("QR Code", LINK),)


@pytest.mark.parametrize("turned", [0, 4, 17, -29, 43, 90])
async def test_bars_are_found_however_they_lie(turned):
    assert await photo.codes_in(saved(photograph(BARS, scale=6, turned=turned))) == (Found("Code 128", "PSU-12V-5A"),)


async def test_all_codes_of_a_photo_are_found_and_understood():
    found = await photo.codes_in(saved(photograph(QR, GS1, scale=7)))
    said = {(scan.request, scan.part, scan.serial) for scan in (understand(one.code) for one in found)}
    assert said == {("req_0199a1b2c3d4e5f60718293a4b5c6d7e", None, None), (None, "PSU-12V-5A", "0042")}


async def test_several_pictures_in_one_file_are_a_photo_like_any():
    raw = saved(photograph(QR), "MPO", save_all=True, append_images=[Image.new("RGB", (40, 40))])
    assert [one.code for one in await photo.codes_in(raw)] == [LINK]


async def test_light_codes_on_dark_and_transparent_ones_are_found():
    inverted = Image.eval(picture(QR, 6), lambda light: 255 - light)
    clear = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    clear.paste(picture(QR, 6).convert("RGBA"), (60, 60))
    for image in (inverted, clear):
        assert [one.code for one in await photo.codes_in(saved(image, "PNG"))] == [LINK]


async def test_a_photo_without_a_code_says_so():
    with pytest.raises(photo.NoCodeInPhoto):
        await photo.codes_in(saved(Image.new("RGB", (1200, 900), "gray")))


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that claims, and would unpack to, a great many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes(8_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("work", [photo.codes_in, photo.still])
@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        (b"", photo.PhotoUnreadable),
        (b"not a picture", photo.PhotoUnreadable),
        (saved(photograph(QR))[:9000], photo.PhotoUnreadable),
        (saved(Image.new("RGB", (9, 9)), "GIF"), photo.PhotoUnreadable),
        (saved(Image.new("RGB", (9, 9)), "TIFF"), photo.PhotoUnreadable),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", photo.PhotoUnreadable),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", photo.PhotoUnreadable),
        (bomb(60_000, 60_000), photo.PhotoTooLarge),
        (bomb(2_147_483_647, 2_147_483_647), photo.PhotoTooLarge),
        (bytes(photo.MOST_BYTES + 1), photo.PhotoTooLarge),
    ],
    ids=["empty", "text", "cut off", "gif", "tiff", "postscript", "svg", "bomb", "larger bomb", "bytes"],
)
async def test_T129_what_is_no_sound_photo_is_refused(work, raw, refusal):
    with pytest.raises(refusal):
        await work(raw)


async def test_a_still_is_upright_small_and_bare():
    shot = Image.new("RGB", (2400, 1200), "white")
    shot.paste("black", (0, 0, 1200, 1200))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Phone of somebody"
    exif.get_ifd(0x8825)[2] = (38.0, 29.0, 13.0)
    raw = saved(shot, exif=exif, comment=b"secret")
    kept = Image.open(BytesIO(await photo.still(raw)))
    assert (kept.format, kept.size) == ("JPEG", (800, 1600))
    assert kept.getpixel((400, 100))[0] < 40 < 200 < kept.getpixel((400, 1500))[0]
    assert (dict(kept.getexif()), kept.info.get("comment")) == ({}, None)
    assert b"Phone" in raw
    assert b"Phone" not in await photo.still(raw)


async def test_a_still_of_a_small_picture_is_not_blown_up():
    kept = Image.open(BytesIO(await photo.still(saved(Image.new("RGBA", (64, 48), (0, 0, 0, 0)), "PNG"))))
    assert (kept.size, kept.getpixel((1, 1))) == ((64, 48), (255, 255, 255))
