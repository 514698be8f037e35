"""Who looks, when, and the view's id, drawn into the picture: below it in full, across it faintly."""

import io
import unicodedata

from PIL import Image, ImageDraw, ImageFont

from documents.sandbox.box import LONGEST_SIDE

_SPECIAL = str.maketrans(
    {"ı": "i", "ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "AE"}
)


def ascii_form(text: str) -> str:
    """The letters that the built-in font has; a name in another script is left to the e-mail address beside it."""
    plain = unicodedata.normalize("NFKD", text.translate(_SPECIAL))
    return " ".join("".join(c for c in plain if " " <= c <= "~").split())


def finished(picture: Image.Image, mark: str, *, longest: int = LONGEST_SIDE) -> bytes:
    """The picture, scaled down, on white, without metadata, marked, as JPEG."""
    picture.thumbnail((longest, longest))
    page = on_white(picture)
    text = ascii_form(mark)
    _across(page, text)
    out = io.BytesIO()
    _below(page, text).save(out, "JPEG", quality=88)
    return out.getvalue()


def on_white(picture: Image.Image) -> Image.Image:
    """The picture in red, green and blue, white where one sees through it."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    return picture.convert("RGB")


def as_pgm(grey: Image.Image) -> bytes:
    """A picture in grey as it is handed to whoever reads print: the plainest format there is."""
    grey.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    grey.save(out, "PPM")
    return out.getvalue()


def _across(page: Image.Image, text: str) -> None:
    font = ImageFont.load_default(max(14, page.width // 45))
    _, _, width, height = font.getbbox(text)
    tile = Image.new("L", (int(width) + 40, int(height) * 6), 0)
    ImageDraw.Draw(tile).text((20, 0), text, fill=34, font=font)
    layer = Image.new("L", (page.width * 2, page.height * 2), 0)
    for row, y in enumerate(range(0, layer.height, tile.height)):
        for x in range(-(row % 2) * tile.width // 2, layer.width, tile.width):
            layer.paste(tile, (x, y))
    turned = layer.rotate(20)
    left, top = page.width // 2, page.height // 2
    page.paste("black", (0, 0), turned.crop((left, top, left + page.width, top + page.height)))


def _below(page: Image.Image, text: str) -> Image.Image:
    size = max(10, min(max(28, page.width // 50), page.width * 2 // max(len(text), 1)))
    font = ImageFont.load_default(size)
    band = size * 2
    framed = Image.new("RGB", (page.width, page.height + band), "black")
    framed.paste(page, (0, 0))
    ImageDraw.Draw(framed).text((size // 2, page.height + size // 3), text, fill="white", font=font)
    return framed
