"""`python -m documents.sandbox.images`: inspect or draw one JPEG or PNG. `heifs` lets it do HEIC."""

import io
import struct
from typing import Any

from PIL import ExifTags, Image, ImageOps

from documents.sandbox import quality
from documents.sandbox.box import LONGEST_SIDE, PIXELS, Answer, Unscannable, fact, longest_of, serve
from documents.sandbox.watermark import as_pgm, finished, on_white

# What Pillow raises for files that are not what they say (its own suite; SyntaxError is its word for a broken PNG),
# and libheif (RuntimeError).
_BROKEN = (
    *(OSError, ValueError, SyntaxError, IndexError, KeyError, TypeError, EOFError, struct.error, OverflowError),
    RuntimeError,
)
Image.MAX_IMAGE_PIXELS = None  # we ask before anything is decoded


def work(request: dict[str, Any], data: bytes) -> Answer:
    form = {"image/jpeg": "JPEG", "image/png": "PNG", "image/heic": "HEIF"}[request["media_type"]]
    if request["act"] == "render":
        return {}, render(data, form, request["mark"], longest=longest_of(request))
    return inspect(data, form, legible=bool(request.get("legible")))


def inspect(data: bytes, form: str, *, legible: bool) -> Answer:
    """What it is and how good; with `legible`, a picture of it for whoever reads print."""
    try:
        with opened(data, form) as image:
            image.verify()
        with opened(data, form) as image:
            image.load()
            exif = image.getexif()
            facts = {
                "pages": fact(1),
                "width": fact(image.width),
                "height": fact(image.height),
                "frames": fact(getattr(image, "n_frames", 1)),
                "location_in_metadata": fact(ExifTags.IFD.GPSInfo in exif),
            }
            camera = ExifTags.Base.Make in exif or ExifTags.Base.Model in exif
            size = image.size
            # Copies of the whole picture would not fit beside it.
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            upright = on_white(ImageOps.exif_transpose(image))
            facts |= quality.facts(upright, size=size, form=form, camera=camera)
            picture = as_pgm(quality.legible(upright)) if legible else b""
    except _BROKEN as error:
        raise Unscannable("truncated" if "truncated" in str(error) else "damaged") from None
    return {"verdict": "pass", "reason": "", "facts": facts, "text": ""}, picture


def render(data: bytes, form: str, mark: str, *, longest: int) -> bytes:
    try:
        with opened(data, form) as image:
            image.draft("RGB", (longest, longest))
            image.thumbnail((longest, longest))
            return finished(ImageOps.exif_transpose(image), mark, longest=longest)
    except _BROKEN:
        raise Unscannable("damaged") from None


def opened(data: bytes, form: str) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=[form])
    if image.width * image.height > PIXELS:
        raise Unscannable("too_many_pixels")
    return image


if __name__ == "__main__":
    serve(work)
