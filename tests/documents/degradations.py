"""Papers photographed well and badly, each labelled with its fault: what the measurements are measured with.

`python3 dev.py manage shell -c "from tests.documents import degradations; degradations.write()"` writes
docs/reference/image-quality.md anew, where tesseract is installed. The same seeds make the same pictures.
"""

import io
import random
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from cases.demo.specimen import CARD, Holder, card_back, card_front, photographed
from documents import reading
from documents.processes import Findings, Verdict
from documents.sandbox import quality
from documents.sandbox.watermark import as_pgm

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "image-quality.md"
SEEDS = range(20)
READ_SEEDS = range(40, 80)  # none of those on which the reading of zones was tried
_HOLDERS = (
    Holder("Yildirim", "Isil", date(1991, 3, 14)),
    Holder("Kaya", "Baris", date(1978, 11, 2), number="B12C34567"),
    Holder("Smith", "Alice", date(2001, 1, 30), number="X98765432"),
)
_LEFT = (1600 - CARD[0]) // 2


def paper(seed: int, *, angle: float | None = None) -> Image.Image:
    """A card on a table, turned by less than six degrees, with a telephone's noise; another one for each seed."""
    holder = _HOLDERS[seed % 3]
    card = card_front(holder) if seed % 2 else card_back(holder)
    return Image.open(io.BytesIO(photographed(card, seed=seed, angle=angle))).convert("RGB")


def blurred(seed: int, sigma: float) -> Image.Image:
    return paper(seed).filter(ImageFilter.GaussianBlur(sigma))


def glare(seed: int, share: float) -> Image.Image:
    """A lamp's reflection over this share of the card."""
    chance = random.Random(seed)
    picture = paper(seed)
    width = int((share * CARD[0] * CARD[1] / 3.14 / 0.6) ** 0.5)
    x, y = chance.randint(_LEFT + 200, _LEFT + 800), chance.randint(480, 720)
    spot = Image.new("L", picture.size, 0)
    ImageDraw.Draw(spot).ellipse((x - width, y - int(0.6 * width), x + width, y + int(0.6 * width)), fill=255)
    soft = spot.filter(ImageFilter.GaussianBlur(8))
    return Image.composite(Image.new("RGB", picture.size, "white"), picture, soft)


def noisy(seed: int, sigma: float) -> Image.Image:
    picture, chance = paper(seed), random.Random(seed)
    # The sum of three even distributions is nearly normal; its standard deviation is 128.
    layers = [Image.frombytes("L", picture.size, chance.randbytes(picture.width * picture.height)) for _ in range(3)]
    grain = Image.blend(Image.blend(layers[0], layers[1], 0.5), layers[2], 1 / 3)
    scaled = grain.point(lambda value: round(128 + (value - 127.5) * sigma / 42.5))
    return Image.merge("RGB", [ImageChops.add(band, scaled, 1, -128) for band in picture.split()])


def turned(seed: int, angle: float) -> Image.Image:
    return paper(seed, angle=angle if seed % 2 else -angle)


def on_its_side(seed: int, degrees: float) -> Image.Image:
    """Photographed with the telephone held the other way, which the file does not say."""
    return paper(seed).rotate(degrees, expand=True)


def exposed(seed: int, times: float) -> Image.Image:
    return ImageEnhance.Brightness(paper(seed)).enhance(times)


def washed_out(seed: int, contrast: float) -> Image.Image:
    return ImageEnhance.Contrast(paper(seed)).enhance(contrast)


def cropped(seed: int, share: float) -> Image.Image:
    """This share of the card's width is outside of the picture; below 0 is a margin."""
    at = _LEFT + int(share * CARD[0]) + 40
    side = paper(seed, angle=1 - seed % 3)
    return side.crop((at, 0, 1600, 1200)) if seed % 2 else side.crop((0, 0, 1600 - at, 1200))


def on_screen(seed: int, strength: float) -> Image.Image:
    """A grid as a screen has it, three to eight pixels wide, darker by `strength` grey values."""
    picture, period = paper(seed), 3 + seed % 6
    grid = Image.new("L", picture.size, 128)
    draw = ImageDraw.Draw(grid)
    for x in range(0, picture.width, period):
        draw.line((x, 0, x, picture.height), fill=round(128 - strength), width=max(1, period // 3))
    for y in range(0, picture.height, period):
        draw.line((0, y, picture.width, y), fill=round(128 - strength), width=max(1, period // 3))
    return Image.merge("RGB", [ImageChops.add(band, grid, 1, -128) for band in picture.split()])


def scaled(seed: int, width: float) -> Image.Image:
    return paper(seed).resize((round(width), round(width * 0.75)), Image.Resampling.LANCZOS)


Make = Callable[[int, float], Image.Image]
# Fault: (how it is made, strengths at which a person complains, strengths at which nobody does, what the number is)
FAULTS: dict[str, tuple[Make, tuple[float, ...], tuple[float, ...], str]] = {
    "blurred": (blurred, (3, 5), (1, 1.5), "blur, standard deviation in pixels of 1,600"),
    "glare": (glare, (0.03, 0.08), (0.002, 0.005), "share of the card"),
    "dark": (exposed, (0.15, 0.28), (0.6, 0.8), "brightness"),
    "bright": (exposed, (1.5, 2.0), (0.9, 1.05), "brightness"),
    "flat": (washed_out, (0.15, 0.25), (0.6, 0.8), "contrast"),
    "tilted": (turned, (10, 15), (2, 6), "degrees"),
    "sideways": (on_its_side, (90, 270), (0, 180), "degrees"),
    "noisy": (noisy, (18, 28), (3, 7), "standard deviation in grey values"),
    "cut": (cropped, (0.05, 0.25), (-0.1, -0.15), "share of the card outside, below 0: margin"),
    "screen_photo": (on_screen, (12, 24), (0, 1), "depth of a screen's grid in grey values"),
    "small": (scaled, (400, 600), (800, 1200), "width in pixels"),
}


# Told by reading, not by measuring: what `read_turned` makes and asks.
UPSIDE_DOWN = "upside_down"
_TURNED: tuple[Make, tuple[float, ...], tuple[float, ...], str] = (on_its_side, (180,), (0, 90, 270), "degrees")


def sent(picture: Image.Image) -> Image.Image:
    """As it arrives: a JPEG."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return Image.open(out).convert("RGB")


def labelled(fault: str, seeds: range) -> Iterator[tuple[bool, Image.Image]]:
    """(has the fault, picture) for each seed and strength."""
    make, bad, good, _unit = FAULTS[fault]
    for seed in seeds:
        for strengths, label in ((bad, True), (good, False)):
            strength = strengths[seed // 2 % len(strengths)]
            yield label, sent(make(seed, strength))


def told(seeds: range) -> dict[str, list[tuple[bool, set[str]]]]:
    """For each series of pictures: (has the fault of the series, faults that were told)."""
    return {
        fault: [
            (label, {name for name, measure in quality.measured(picture, picture.size).items() if measure.fault})
            for label, picture in labelled(fault, seeds)
        ]
        for fault in FAULTS
    }


def scores(results: dict[str, list[tuple[bool, set[str]]]]) -> dict[str, tuple[int, int, int, int]]:
    """Fault: (right, told without cause, missed, pictures with the fault).

    A fault told of a picture of another series counts as without cause, except where the one brings the other: what
    is dark has little contrast, what is small or noisy hides its edges.
    """
    brings = {"dark": {"flat"}, "bright": {"glare"}, "flat": {"dark"}, "small": {"blurred"}, "noisy": {"screen_photo"}}
    found = {}
    for fault in FAULTS:
        right = sum(label and fault in names for label, names in results[fault])
        missed = sum(label and fault not in names for label, names in results[fault])
        wrong = sum(
            fault in names
            for series, pictures in results.items()
            for label, names in pictures
            if not (label and (series == fault or fault in brings.get(series, set())))
        )
        found[fault] = (right, wrong, missed, right + missed)
    return found


def read_turned(seeds: range) -> list[tuple[bool, bool]]:
    """(stands on its head, was told so), by whoever reads print (settings.TESSERACT)."""
    return [
        (degrees == 180, _is_told_upside_down(sent(on_its_side(seed, degrees))))
        for seed in seeds
        for degrees in (180, 0, (90, 270)[seed // 2 % 2])
    ]


def _is_told_upside_down(picture: Image.Image) -> bool:
    facts = quality.facts(picture, size=picture.size, form="JPEG", camera=True)
    found = Findings(Verdict.PASS, facts=facts, picture=as_pgm(quality.legible(picture)))
    return "upside_down" in reading.read(found, today=date(2026, 3, 1)).facts


def scores_turned(results: list[tuple[bool, bool]]) -> tuple[int, int, int, int]:
    right, wrong, missed = (results.count(pair) for pair in ((True, True), (False, True), (True, False)))
    return right, wrong, missed, right + missed


def report(found: dict[str, tuple[int, int, int, int]], pictures: int) -> str:
    lines = [
        "# How well faults of a picture are told",
        "",
        f"Measured on {pictures} drawn pictures whose faults are known, by",
        '`python3 dev.py manage shell -c "from tests.documents import degradations; degradations.write()"`, which',
        "writes this page. They are specimen cards on a table, degraded one fault at a time and sent as JPEG; the",
        "borders of the measurements were chosen on pictures",
        "of the same kind, and strengths between the two columns, where people disagree too, are left out. Photographs",
        "of real papers vary more: read the numbers as an upper bound. What is told is a hint beside the picture with",
        "a confidence in percent, never a decision.",
        "",
        "| fault | complains at | does not at | number | precision | recall | pictures with it |",
        "|---|---|---|---|---|---|---|",
    ]
    for fault, (right, wrong, missed, all_of_them) in found.items():
        _make, bad, good, unit = (FAULTS | {UPSIDE_DOWN: _TURNED})[fault]
        precision = right / (right + wrong) if right + wrong else 0
        recall = right / (right + missed)
        columns = (fault, _join(bad), _join(good), unit, f"{precision:.2f}", f"{recall:.2f}", str(all_of_them))
        lines.append("| " + " | ".join(columns) + " |")
    lines += [
        "",
        "Precision: of the pictures of which the fault was told, the share that has it, over all series. Recall: of",
        "the pictures that have it, the share of which it was told.",
        "",
        "`upside_down` is told by reading, so only where tesseract is installed: what tells nothing as it stands is",
        "read once more by half a turn, and is upside down when a machine-readable zone or a date beside its label is",
        "there then. Each of the cards measured has one of the two; a paper that has neither is never told to stand on",
        "its head. What was read that way counts as if it had been handed in upright, card data too. A paper that lies",
        "on its side is `sideways`, whichever way. Its precision is over 120 pictures of its own. What it misses are",
        "backs of cards whose zone is not read, often not upright either.",
        "",
        "`screenshot` is no measurement: the file has the size of a phone's or computer's screen and names no camera.",
        "Confidence is 50 percent at the border of a fault and 95 percent from nothing or twice the border on.",
        "",
    ]
    return "\n".join(lines)


def _join(strengths: tuple[float, ...]) -> str:
    return ", ".join(f"{strength:g}" for strength in strengths)


def write() -> None:
    results, turned = told(SEEDS), read_turned(READ_SEEDS)
    found = scores(results) | {UPSIDE_DOWN: scores_turned(turned)}
    PAGE.write_text(report(found, sum(map(len, results.values())) + len(turned)))
