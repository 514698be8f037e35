"""How good a picture of a paper is: numbers, and which of them a person would complain of. Hints, never a decision.

Everything is measured on a grey copy of at most 1,200 pixels, with Pillow alone. How often each fault is told rightly
is measured on labelled degradations: docs/reference/image-quality.md, made by tests/documents/degradations.py.
"""

from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageMath, ImageOps, ImageStat

from documents.sandbox.box import fact

WORKING = 1200  # longest side, in pixels, that is measured
_TOO_THIN = 24  # pixels of the smallest copy: less is a line, in which nothing can be measured
SMALL = 240  # longest side for what needs no detail: the paper's place, its tilt

# From here on a measure is a fault. Whole numbers: the log knows no others.
SHORTEST_SIDE = 500  # pixels: an identity card has 54 mm, so below 235 dots per inch small print goes
BLUR = 85  # hundredths of a pixel: standard deviation of the blur that makes the sharpest edges as wide as they are
GLARE = 10  # thousandths of the paper without any drawing left
DARK, BRIGHT, FLAT = 75, 250, 60  # grey values of 255: the paper's median, and its contrast
TILT = 80  # tenths of a degree
UPRIGHT = 90.0
NOISE = 100  # tenths of a grey value, standard deviation
PATTERN = 22  # percent by which a regular fine pattern repeats itself: the grid of a screen that was photographed
CUT = 25  # percent of one side of the picture that the paper reaches

_LIGHT_ON_DARK = 115  # grey value of a paper whose print is lighter than itself
_EDGE = 70  # grey values between the two sides of an edge that is worth measuring
_REACH = 4  # doublings: an edge is looked at within 2^4 pixels

# Screens of telephones that were sold much, in pixels.
SCREENS = frozenset(
    {
        *((640, 1136), (750, 1334), (828, 1792), (1080, 1920), (1080, 2160), (1080, 2280), (1080, 2340), (1080, 2400)),
        *((1125, 2436), (1170, 2532), (1179, 2556), (1206, 2622), (1242, 2208), (1242, 2688), (1284, 2778)),
        *((1290, 2796), (1320, 2868), (720, 1280), (720, 1520), (720, 1600), (1440, 2560), (1440, 3040), (1440, 3200)),
        *((1080, 2220), (1220, 2712), (1440, 3088), (1080, 2408), (1366, 768), (1920, 1080), (2560, 1440)),
    }
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One number, and whether it is a fault; `confidence` in percent is how far it stands from the border."""

    value: int
    fault: bool
    confidence: int


def facts(image: Image.Image, *, size: tuple[int, int], form: str, camera: bool) -> dict[str, Any]:
    """What was measured, as facts, and `faults`: the names of those that stand out.

    `image` may be a smaller copy of what has `size` pixels; `form` is the file's format, `camera`: one is named in it.
    """
    measures = measured(image, size)
    shot = _screenshot(size, form, camera)
    found = sorted(name for name, measure in measures.items() if measure.fault)
    return {
        **{name: fact(measure.value, measure.confidence) for name, measure in measures.items()},
        "screenshot": fact(shot >= 50, abs(shot - 50) + 50),
        "faults": fact(found + ["screenshot"] * (shot >= 50), min([m.confidence for m in measures.values()] or [100])),
    }


def measured(image: Image.Image, size: tuple[int, int]) -> dict[str, Measure]:
    """All measures by the name of their fault; `size` is that of the original."""
    grey = image.convert("L")
    grey.thumbnail((WORKING, WORKING), Image.Resampling.BOX, reducing_gap=2.0)
    small = grey.copy()
    small.thumbnail((SMALL, SMALL), Image.Resampling.BOX)
    if min(small.size) < _TOO_THIN:
        return {"small": _below(min(size), SHORTEST_SIDE)}
    box, cut, on_table = _paper(small)
    scale = grey.width / small.width
    paper = grey.crop((int(box[0] * scale), int(box[1] * scale), int(box[2] * scale), int(box[3] * scale)))
    histogram = paper.histogram()
    median, contrast = _at(histogram, 0.5), _at(histogram, 0.98) - _at(histogram, 0.02)
    blur, noise, tilt = _blur(grey), _noise(paper), _tilt(small)
    return {
        "small": _below(min(size), SHORTEST_SIDE),
        "blurred": _above(100 * blur, BLUR),
        "glare": _above(1000 * _glare(paper, median), GLARE),
        "dark": _below(median, DARK),
        # White paper that fills the picture is not burnt out, it is a scan.
        "bright": _above(median if on_table else 0, BRIGHT),
        "flat": _below(contrast, FLAT),
        "tilted": _above(0 if tilt == UPRIGHT else 10 * abs(tilt), TILT),
        # Turned by a quarter, either way; upside down looks the same here and is told by reading.
        "sideways": _above(UPRIGHT if tilt == UPRIGHT else 0, UPRIGHT / 2),
        "noisy": _above(10 * noise, NOISE),
        "cut": _above(cut, CUT),
        "screen_photo": _above(_pattern(paper), PATTERN),
    }


def legible(image: Image.Image) -> Image.Image:
    """The paper in grey, its lines level, dark on light, for whoever reads print; upside down stays upside down."""
    grey = image.convert("L")
    small = grey.copy()
    small.thumbnail((SMALL, SMALL), Image.Resampling.BOX)
    if min(small.size) < _TOO_THIN:
        return grey
    tilt, scale = _tilt(small), grey.width / small.width
    (left, top, right, bottom), _cut, on_table = _paper(small)
    box = (left * scale - 20, top * scale - 20, right * scale + 20, bottom * scale + 20)
    paper = grey.crop((max(int(box[0]), 0), max(int(box[1]), 0), int(box[2]), int(box[3]))) if on_table else grey
    light = _at(paper.histogram(), 0.5)
    if light < _LIGHT_ON_DARK:
        paper, light = ImageOps.invert(paper), 255 - light
    if tilt == UPRIGHT:
        return paper.transpose(Image.Transpose.ROTATE_90)
    return paper.rotate(-tilt, Image.Resampling.BICUBIC, expand=True, fillcolor=light) if abs(tilt) > 0.5 else paper


def _above(value: float, border: float) -> Measure:
    return Measure(round(value), value > border, _sure(value, border))


def _below(value: float, border: float) -> Measure:
    return Measure(round(value), value < border, _sure(value, border))


def _sure(value: float, border: float) -> int:
    """50 at the border, 95 where the value is none or twice of it."""
    return round(50 + 45 * min(1.0, abs(value - border) / border))


def _at(histogram: list[int], share: float) -> int:
    """The grey value below which this share of the pixels lies."""
    wanted, seen = sum(histogram) * share, 0
    for value, count in enumerate(histogram):
        seen += count
        if seen >= wanted and seen:
            return value
    return 255


# ------------------------------------------------------------------------------------------------- the paper
def _paper(small: Image.Image) -> tuple[tuple[int, int, int, int], float, bool]:
    """Where the paper lies, the percentage of a side of the picture that it reaches, and whether a table is seen.

    The table is what most of the picture's border looks like.
    """
    width, height = small.size
    strips = ((0, 0, width, 3), (0, height - 3, width, height), (0, 0, 3, height), (width - 3, 0, width, height))
    border = [sum(counts) for counts in zip(*(small.crop(strip).histogram() for strip in strips), strict=True)]
    table = max(range(256), key=lambda value: sum(border[max(value - 12, 0) : value + 13]))
    near = sum(border[max(table - 30, 0) : table + 31]) / sum(border)
    mask = small.filter(ImageFilter.MedianFilter(5)).point(lambda value: 255 if abs(value - table) > 30 else 0)
    found = mask.getbbox()
    if found is None or near < 0.4:
        return (0, 0, width, height), 0.0, False
    edges = ((0, 1, width, 2), (0, height - 2, width, height - 1), (1, 0, 2, height), (width - 2, 0, width - 1, height))
    reached = [_longest_run(mask.crop(edge)) for edge in edges]
    if _share(mask, found) < 0.3:
        return found, 0.0, False  # print on white paper that fills the picture, no paper on a table
    return found, 100 * max(reached), True


def _share(mask: Image.Image, box: tuple[int, int, int, int]) -> float:
    part = mask.crop(box)
    return part.histogram()[255] / (part.width * part.height)


def _longest_run(line: Image.Image) -> float:
    """The longest unbroken part of a line, one pixel wide or high, that belongs to the paper, as a share of it."""
    pixels = line.tobytes()
    return max(map(len, pixels.split(b"\0"))) / len(pixels)


# ------------------------------------------------------------------------------------------------- sharpness
def _blur(grey: Image.Image) -> float:
    """Standard deviation, in pixels, of the blur of its sharpest edges; the worse of the two directions.

    A sharp edge does all of its step within one pixel, one blurred by s at most step / (s * sqrt(2 pi)).
    """
    return max(
        (found for found in (_blur_along(grey, 1, 0), _blur_along(grey, 0, 1)) if found is not None), default=0.0
    )


def _blur_along(grey: Image.Image, x: int, y: int) -> float | None:
    steepest = ImageChops.difference(grey, ImageChops.offset(grey, x, y))
    high = low = grey
    for doubling in range(_REACH):
        by_x, by_y = x << doubling, y << doubling
        high = ImageChops.lighter(high, ImageChops.offset(high, by_x, by_y))
        low = ImageChops.darker(low, ImageChops.offset(low, by_x, by_y))
        steepest = ImageChops.lighter(steepest, ImageChops.offset(steepest, by_x, by_y))
    step = ImageChops.subtract(high, low)
    worth = step.point(lambda value: 255 if value > _EDGE else 0)
    if worth.histogram()[255] < grey.width * grey.height / 500:
        return None
    share = ImageMath.lambda_eval(lambda of: of["steepest"] * 250 / (of["step"] + 1), steepest=steepest, step=step)
    sharpest = _at(share.convert("L").histogram(worth), 0.85)
    return max(0.0, 250 / max(sharpest, 1) / 2.507 - 0.4)


def _noise(paper: Image.Image) -> float:
    """Standard deviation of the noise between neighbours, away from edges (Immerkær 1996)."""
    kernel = ImageFilter.Kernel((3, 3), (1, -2, 1, -2, 4, -2, 1, -2, 1), scale=4, offset=128)
    smooth = paper.filter(ImageFilter.BoxBlur(2))
    edges = ImageChops.difference(smooth, ImageChops.offset(smooth, 4, 4))
    even = edges.point(lambda value: 255 if value < 12 else 0)
    if not even.histogram()[255]:
        return 0.0
    left = ImageChops.difference(paper.filter(kernel), Image.new("L", paper.size, 128))
    return float(ImageStat.Stat(left, even).mean[0]) * 4 * 1.2533 / 6


# ------------------------------------------------------------------------------------------------- light
def _glare(paper: Image.Image, median: int) -> float:
    """Share of the paper that is burnt out, in spots; nothing is told of paper that is white itself."""
    if median > 238:
        return 0.0
    burnt = paper.point(lambda value: 255 if value >= 252 else 0).filter(ImageFilter.MinFilter(5))
    return burnt.histogram()[255] / (paper.width * paper.height)


# ------------------------------------------------------------------------------------------------- direction
def _tilt(small: Image.Image) -> float:
    """Degrees by which lines and edges are off the level, from -20 to 20; 90 when they stand upright."""
    edges = small.filter(ImageFilter.FIND_EDGES).crop((2, 2, small.width - 2, small.height - 2))
    side = min(edges.size)
    left, top = (edges.width - side) // 2, (edges.height - side) // 2
    square = edges.crop((left, top, left + side, top + side))
    level = {angle: _stripes(square, angle) for angle in range(-20, 21, 2)}
    upright = max(_stripes(square, 90 + angle) for angle in (-8, -4, 0, 4, 8))
    best = max(level, key=lambda angle: level[angle])
    if upright > 1.6 * level[best]:
        return UPRIGHT
    near = {best + by / 2: _stripes(square, best + by / 2) for by in (-3, -2, -1, 0, 1, 2, 3)}
    return max(near, key=lambda angle: near[angle])


def _stripes(square: Image.Image, angle: float) -> float:
    """How much the rows differ once the picture is turned: most when lines lie along them."""
    turned = square.rotate(-angle, Image.Resampling.BILINEAR)
    side = int(square.width * 0.7)
    margin = (square.width - side) // 2
    middle = turned.crop((margin, margin, margin + side, margin + side))
    return float(ImageStat.Stat(middle.resize((1, side), Image.Resampling.BOX)).var[0])


# ------------------------------------------------------------------------------------------------- screens
def _pattern(paper: Image.Image) -> float:
    """Percent by which a fine pattern (2 to 12 pixels) repeats itself beyond chance, in the clearer direction."""
    fine = ImageChops.subtract(paper, paper.filter(ImageFilter.BoxBlur(3)), scale=1, offset=128)
    fine = fine.point(lambda value: min(max(value, 108), 148))  # print must not drown it
    found = 0.0
    for x, y in ((1, 0), (0, 1)):
        apart = [_apart(fine, x * lag, y * lag) for lag in range(1, 14)]
        for lag in range(2, 12):
            beside = max(apart[lag // 2 : lag])
            if beside > 1.5:
                found = max(found, 100 * (1 - apart[lag] / beside))
    return found


def _apart(fine: Image.Image, x: int, y: int) -> float:
    return float(ImageStat.Stat(ImageChops.difference(fine, ImageChops.offset(fine, x, y))).mean[0])


def _screenshot(size: tuple[int, int], form: str, camera: bool) -> int:
    """Percent of confidence that a screen was copied: its size is a screen's, and no camera is named."""
    if camera:
        return 3
    fits = size in SCREENS or size[::-1] in SCREENS
    return 90 if fits and form == "PNG" else 65 if fits else 10
