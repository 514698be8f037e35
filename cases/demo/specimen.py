"""Drawn papers of people who do not exist, for demo and tests: an identity card and a statement, marked SPECIMEN."""

import io
import math
import random
import unicodedata
from dataclasses import dataclass
from datetime import date

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from documents.mrz import check_digit

CARD = (1012, 638)  # ISO/IEC 7810 ID-1 at 300 dpi
TABLE = (96, 88, 76)


@dataclass(frozen=True, slots=True)
class Holder:
    surname: str
    given_name: str
    birth_date: date
    number: str = "A00K00000"
    expires: date = date(2031, 9, 2)


def _plain(text: str) -> str:
    """The font that comes with Pillow has no Turkish letters."""
    folded = unicodedata.normalize("NFKD", text.replace("ı", "i"))
    return "".join(c for c in folded if not unicodedata.combining(c))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def card_front(holder: Holder) -> Image.Image:
    card = Image.new("RGB", CARD, (233, 241, 239))
    draw = ImageDraw.Draw(card)
    _waves(draw)
    draw.rectangle((0, 0, CARD[0], 110), fill=(46, 100, 112))
    draw.text((60, 32), "ORNEK KIMLIK KARTI", fill="white", font=_font(44))
    draw.text((780, 40), "SPECIMEN", fill="white", font=_font(32))
    draw.rectangle((60, 170, 330, 500), fill=(205, 220, 220))
    draw.ellipse((140, 210, 250, 330), fill=(140, 165, 165))
    draw.pieslice((90, 340, 300, 640), 180, 360, fill=(140, 165, 165))
    draw.rectangle((60, 500, 330, 560), fill=(233, 241, 239))
    rows = [
        ("Soyadi / Surname", _plain(holder.surname).upper()),
        ("Adi / Given name", _plain(holder.given_name).upper()),
        ("Dogum tarihi / Date of birth", holder.birth_date.strftime("%d.%m.%Y")),
        ("Son gecerlilik / Valid until", holder.expires.strftime("%d.%m.%Y")),
    ]
    for row, (label, value) in enumerate(rows):
        draw.text((380, 150 + row * 100), label, fill=(70, 90, 95), font=_font(22))
        draw.text((380, 178 + row * 100), value, fill=(20, 30, 34), font=_font(40))
    draw.text((700, 578), holder.number, fill=(20, 30, 34), font=_font(34))
    return card


def card_back(holder: Holder) -> Image.Image:
    card = Image.new("RGB", CARD, (233, 241, 239))
    draw = ImageDraw.Draw(card)
    _waves(draw)
    draw.rectangle((0, 60, CARD[0], 150), fill=(60, 70, 76))
    draw.rectangle((40, 440, 972, 610), fill=(246, 250, 249))
    for row, line in enumerate(zone_of(holder)):
        for column, letter in enumerate(line):
            draw.text((92 + column * 28, 450 + row * 52), letter, fill=(30, 36, 40), font=_font(36), anchor="ma")
    return card


def zone_of(holder: Holder) -> tuple[str, str, str]:
    """The machine-readable zone of the card's back (TD1), of the issuer XXX that nobody is."""
    number = holder.number.ljust(9, "<")
    birth, expires = (f"{day:%y%m%d}" for day in (holder.birth_date, holder.expires))
    first = f"I<XXX{number}{check_digit(number)}".ljust(30, "<")
    second = f"{birth}{check_digit(birth)}<{expires}{check_digit(expires)}XXX".ljust(29, "<")
    composite = check_digit(first[5:] + second[0:7] + second[8:15] + second[18:29])
    names = f"{_plain(holder.surname)}<<{_plain(holder.given_name)}".upper().replace(" ", "<")
    return first, second + composite, names.ljust(30, "<")[:30]


def _waves(draw: ImageDraw.ImageDraw) -> None:
    for y in range(20, CARD[1], 26):
        points = [(x, y + 8 * math.sin(x / 24)) for x in range(0, CARD[0], 6)]
        draw.line(points, fill=(156, 195, 201), width=1)


def photographed(card: Image.Image, *, seed: int, blur: float = 0.0, angle: float | None = None) -> bytes:
    """The card on a table as a phone takes it: turned, noisy, with a GPS place in its EXIF. Same seed, same bytes."""
    chance = random.Random(seed)
    angle = chance.uniform(-6, 6) if angle is None else angle
    table = Image.new("RGB", (1600, 1200), TABLE)
    turned = card.convert("RGBA").rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    table.paste(turned, ((1600 - turned.width) // 2, (1200 - turned.height) // 2), turned)
    grain = Image.frombytes("L", (400, 300), chance.randbytes(400 * 300)).resize((1600, 1200)).convert("RGB")
    picture = Image.blend(table, grain, 0.06)
    if blur:
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
    exif = Image.Exif()
    exif[0x010F] = "Specimen Phone"
    exif.get_ifd(0x8825).update({1: "N", 2: (41.0, 0.0, 49.0), 3: "E", 4: (28.0, 57.0, 18.0)})
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88, exif=exif)
    return out.getvalue()


def statement(holder: Holder, *, issued: date) -> bytes:
    """A bank statement of one page as a PDF."""
    page = Image.new("RGB", (1240, 1754), "white")
    draw = ImageDraw.Draw(page)
    draw.text((100, 100), "ORNEK BANKA - SPECIMEN", fill=(30, 60, 90), font=_font(48))
    draw.text((100, 220), _plain(f"{holder.given_name} {holder.surname}"), fill="black", font=_font(34))
    draw.text((100, 270), "Ornek Mah. 1. Sok. No: 1, Istanbul", fill="black", font=_font(30))
    draw.text((100, 340), f"Duzenleme tarihi: {issued:%d.%m.%Y}", fill="black", font=_font(30))
    for row in range(18):
        draw.line((100, 440 + row * 60, 1140, 440 + row * 60), fill=(200, 205, 210), width=2)
    out = io.BytesIO()
    page.save(out, "PDF", resolution=150.0)
    return out.getvalue()
