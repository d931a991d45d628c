"""Pictures of codes for tests: drawn exactly, or photographed badly: askew, in bad light, noisy, blurred."""

from io import BytesIO
from typing import Any

from PIL import Image, ImageChops, ImageFilter

from app.web.barcodes import QUIET, Symbol


def picture(symbol: Symbol, scale: int) -> Image.Image:
    """The symbol with its quiet zone, each module `scale` pixels."""
    drawn = Image.new("L", (len(symbol.rows[0]), len(symbol.rows)))
    drawn.putdata([0 if dark else 255 for row in symbol.rows for dark in row])
    inner = drawn.resize((len(symbol.rows[0]) * scale, symbol.height * scale), Image.Resampling.NEAREST)
    whole = Image.new("L", (symbol.width * scale, symbol.tall * scale), 255)
    top = (symbol.tall - symbol.height) // 2
    whole.paste(inner, (QUIET[symbol.kind] * scale, top * scale))
    return whole


def photograph(
    *symbols: Symbol, scale: int = 8, turned: float = 11, noise: float = 24, blur: float = 1.2
) -> Image.Image:
    """A phone's picture of labels on a gray shelf."""
    ground = Image.new("L", (2000, 2600), 110)
    y = 500
    for symbol in symbols:
        one = picture(symbol, scale)
        ground.paste(one, (300, y))
        y += one.height + 150
    askew = (1.06, 0.08, -120, 0.04, 1.05, -90, 2e-5, 3e-5)
    skewed = ground.transform(ground.size, Image.Transform.PERSPECTIVE, askew, Image.Resampling.BICUBIC, fillcolor=90)
    dim = skewed.rotate(turned, Image.Resampling.BILINEAR, fillcolor=90).point(lambda light: 45 + light * 0.6)
    noisy = ImageChops.add(dim, Image.effect_noise(dim.size, noise), 1, -128)
    return noisy.filter(ImageFilter.GaussianBlur(blur)).convert("RGB")


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    target = BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()
