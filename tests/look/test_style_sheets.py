"""Rules of docs/explanation/look.md that a machine can hold: logical properties, colours, contrast, icons, states."""

import math
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from compliance import look

BASE = Path(settings.BASE_DIR)
SHEETS = sorted((BASE / "static" / "css").glob("*.css"))
SCRIPTS = sorted((BASE / "static" / "js").glob("*.js"))
# A file inside an export stands alone, years from now, without our sheets and without us: it may carry its own style.
STANDS_ALONE = {"audit/report.html"}
TEMPLATES = sorted(
    path
    for path in (BASE / "templates").rglob("*")
    if path.suffix in {".html", ".txt"} and str(path.relative_to(BASE / "templates")) not in STANDS_ALONE
)

SIDES = "left|right|top|bottom"
PHYSICAL = re.compile(
    rf"(?:^|[;{{\s])((?:margin|padding|border|scroll-margin|scroll-padding)-(?:{SIDES})(?:-\w+)?|{SIDES}|"
    rf"(?:min-|max-)?(?:width|height)|border-(?:{SIDES}|top-left)-radius|overflow-[xy])\s*:"
    rf"|(?:text-align|float|clear)\s*:\s*(?:left|right)"
)
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|oklch|oklab|lab|lch)\(", re.IGNORECASE)
TOKEN = re.compile(
    r"--([\w-]+):\s*light-dark\(oklch\(([\d. ]+)\),\s*oklch\(([\d. ]+)\)\)|--([\w-]+):\s*oklch\(([\d. ]+)\)"
)


def without_comments(css):
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_uses_logical_properties_only(sheet):
    assert [match.group().strip() for match in PHYSICAL.finditer(without_comments(sheet.read_text()))] == []


@pytest.mark.parametrize(
    "sheet", [sheet for sheet in SHEETS if sheet.name != "tokens.css"], ids=lambda sheet: sheet.name
)
def test_a_sheet_names_no_colour_of_its_own(sheet):
    css = without_comments(sheet.read_text()).replace("color-mix(in oklch,", "")
    assert COLOUR.findall(css) == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_shouts_only_in_print_and_to_keep_hidden_things_hidden(sheet):
    css = without_comments(sheet.read_text()).partition("@media print")[0]
    assert [line for line in css.splitlines() if "!important" in line and "display: none" not in line] == []


def test_every_sheet_is_linked():
    linked = (BASE / "templates" / "components" / "_styles.html").read_text()
    assert [sheet.name for sheet in SHEETS if f"css/{sheet.name}" not in linked] == []


def test_every_token_in_use_exists():
    css = "\n".join(without_comments(sheet.read_text()) for sheet in SHEETS)
    # what a script sets, and what a sheet gives a value where it is not set
    of_scripts = {"zoom", "turn", "pan-x", "pan-y"}
    assert set(re.findall(r"var\(--([\w-]+)", css)) - set(re.findall(r"--([\w-]+):", css)) == of_scripts


# ---------------------------------------------------------------------------------------------------- contrast
SURFACES = ("ground", "sunk", "raised", "hover")
TINTS = ("accent-tint", "good-tint", "soon-tint", "bad-tint", "pair-tint")
TEXT = 4.5
SHAPE = 3.0
TONES = ("accent", "good", "soon", "bad", "pair")
PAIRS = (
    [(text, surface, TEXT) for text in ("ink", "ink-2") for surface in SURFACES + TINTS]
    + [
        (text, surface, TEXT)
        for text in ("accent", "good", "soon", "bad", "pair")
        for surface in (*SURFACES, "accent-tint")
    ]
    + [(tone, f"{tone}-tint", TEXT) for tone in ("accent", "good", "soon", "bad", "pair")]
    + [("accent-strong", surface, TEXT) for surface in ("ground", "sunk", "accent-tint", "raised")]
    + [("on-fill", fill, TEXT) for fill in ("fill", "fill-strong", "bad-fill", "bad-fill-strong")]
    + [("ground", "ink", TEXT), ("on-fill", "desk", SHAPE)]
    + [(edge, surface, SHAPE) for edge in ("edge", "focus") for surface in (*SURFACES, "accent-tint")]
    + [("fill", "ground", SHAPE), ("fill", "sunk", SHAPE), ("bad-fill", "ground", SHAPE)]
)


def tokens():
    """{name: (light, dark)} as oklch triples."""
    found = {}
    for pair, light, dark, single, value in TOKEN.findall((BASE / "static" / "css" / "tokens.css").read_text()):
        shades = (light, dark) if pair else (value, value)
        found[pair or single] = tuple(tuple(float(part) for part in shade.split()) for shade in shades)
    return found


def luminance(colour):
    """WCAG relative luminance of an oklch triple (lightness, chroma, hue in degrees)."""
    lightness, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    red, green, blue = (min(max(part, 0), 1) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "needed"), PAIRS, ids=lambda value: str(value))
def test_a_pair_of_colours_can_be_told_apart(front, back, needed, scheme):
    shades = tokens()
    assert contrast(shades[front][scheme], shades[back][scheme]) >= needed


def test_black_on_white_is_twenty_one_to_one():
    assert round(contrast((0, 0, 0), (1, 0, 0)), 2) == 21


# ---------------------------------------------------------------------------------------------------- classes
def test_every_class_that_a_template_uses_has_a_rule():
    rules = set(re.findall(r"\.([a-zA-Z][\w-]*)", "\n".join(without_comments(sheet.read_text()) for sheet in SHEETS)))
    used = {
        (name, str(template.relative_to(BASE)))
        for template in TEMPLATES
        for value in re.findall(r'class="([^"]*)"', re.sub(r"{[%{].*?[%}]}", " ", template.read_text()))
        for name in value.split()
    }
    # .staff marks the body for scripts and tests; the sheets need it nowhere
    assert sorted(pair for pair in used if pair[0] not in rules | {"staff"}) == []


# ------------------------------------------------------------------------------------------- icons and states
def test_the_sprite_holds_exactly_the_icons_and_shapes_that_templates_may_name():
    ids = set(re.findall(r'<symbol id="([\w-]+)"', (BASE / "static" / "icons.svg").read_text()))
    assert ids == {f"i-{name}" for name in look.ICONS} | {f"g-{name}" for name in look.SHAPES}


def test_every_look_of_a_state_uses_a_shape_and_a_tone_that_exist():
    tones = {"", "plain", "go", "good", "soon", "bad", "pair"}
    assert [key for key, row in look.STATES.items() if row.shape not in look.SHAPES or row.tone not in tones] == []


def machines():
    """(kind, state) of every machine of the product: models, and classes that carry choices named State or Outcome."""
    for model in apps.get_models():
        if model.__module__.split(".")[0] not in {"audit", "compliance", "documents", "cases"}:
            continue
        for choices in (getattr(model, "State", None), getattr(model, "Outcome", None)):
            for value in getattr(choices, "values", ()):
                yield model._meta.model_name, value


@pytest.mark.parametrize(("kind", "state"), sorted(set(machines())))
def test_every_state_of_the_product_can_be_shown(kind, state):
    assert look.state_of(f"{kind}.{state}").word


def test_an_unknown_state_is_an_error_and_not_an_empty_place():
    with pytest.raises(ValueError, match="no row in compliance.look.STATES"):
        look.state_of("verification.pondering")


# --------------------------------------------------------------------------------------------------- templates
def offending(pattern):
    """{template: what it holds against the rule}; comments may speak of it."""
    found = {}
    for template in TEMPLATES:
        source = re.sub(r"{% comment %}.*?{% endcomment %}|{#.*?#}", "", template.read_text(), flags=re.DOTALL)
        if held := re.findall(pattern, source):
            found[str(template.relative_to(BASE))] = held
    return found


def test_no_template_holds_a_style_or_a_script_in_itself():
    """Data in a script element (application/json) is no script; `one=` is a name of ours, not an event."""
    script = r"<script(?![^>]*(?:\ssrc=|\stype=\"application/json\"))"
    assert offending(rf"\sstyle=|<style|\son(?!e=)\w+=|hx-on|javascript:|{script}") == {}


def test_templates_format_values_through_the_one_formatter():
    others = "date|time|timesince|timeuntil|naturaltime|naturalday|filesizeformat|floatformat|intcomma|localize"
    assert offending(rf"\|\s*(?:{others})\b") == {}


def test_no_title_holds_personal_data():
    """C12: number and page name only."""
    assert offending(r"{% block title %}[^%]*\.(?:name|full_name|email|phone|reference)\b") == {}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_small_and_needs_no_other(script):
    source = script.read_text()
    assert len(source.splitlines()) < 150
    assert re.findall(r"^\s*import\b|\beval\(|new Function|innerHTML", source, flags=re.MULTILINE) == []
