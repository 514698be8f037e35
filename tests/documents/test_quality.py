"""Faults of a picture are told, on pictures whose faults are known; what is told is a fact and decides nothing."""

import shutil

import pytest
from PIL import Image

from documents.inspection import inspect_now
from documents.models import Document, State
from documents.sandbox import quality
from documents.wording import hints, why_not_shown
from tests.documents import degradations, samples
from tests.documents.degradations import FAULTS, PAGE, sent
from tests.required import needs
from tests.whole import times


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_where_it_is_and_not_where_it_is_not(fault):
    make, bad, good, _unit = FAULTS[fault]
    for strength, label in ((max(bad, key=lambda s: abs(s - good[0])), True), (good[-1], False)):
        picture = sent(make(31, strength))
        measure = quality.measured(picture, picture.size)[fault]
        assert (measure.fault, measure.confidence >= 50) == (label, True)


@pytest.mark.slow
def test_precision_and_recall_hold_on_other_pictures_than_the_pages():
    """On other seeds than the page's, of both strengths: 40 pictures, too few for the page's own bounds."""
    for fault, (right, wrong, missed, _all) in degradations.scores(degradations.told(range(41, 43))).items():
        assert right / max(right + wrong, 1) >= 0.75, fault
        assert right / (right + missed) >= 0.65, fault


@pytest.mark.slow
@needs("tesseract", there=shutil.which("tesseract"), package="tesseract-ocr")
def test_precision_and_recall_of_a_page_on_its_head_hold_on_other_pictures_too(settings):
    settings.TESSERACT = shutil.which("tesseract")
    seeds = range(80, times(86, 82))
    right, wrong, _missed, every = degradations.scores_turned(degradations.read_turned(seeds))
    assert (wrong, every) == (0, len(seeds))
    assert right >= len(seeds) // 2


def test_the_page_tells_of_every_fault():
    page = PAGE.read_text()
    assert f"| {degradations.UPSIDE_DOWN} |" in page
    assert all(f"| {fault} |" in page for fault in quality.measured(Image.new("L", (300, 200)), (300, 200)))


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 1), (8, 8), (64, 64)])
def test_the_smallest_pictures_are_measured_without_trouble(size):
    for colour in ("black", "white", (120, 10, 200)):
        assert quality.facts(Image.new("RGB", size, colour), size=size, form="PNG", camera=False)["small"]


def test_a_screens_size_without_a_camera_is_a_hint():
    shot = Image.new("RGB", (540, 1200), "white")
    told = [
        quality.facts(shot, size=(1080, 2400), form=form, camera=camera)["screenshot"]
        for form, camera in (("PNG", False), ("JPEG", False), ("JPEG", True))
    ]
    assert [fact["value"] for fact in told] == [True, True, False]
    assert told[0]["confidence"] > told[1]["confidence"]


@pytest.mark.django_db
def test_what_was_measured_decides_nothing(bring):
    document = inspect_now(bring(samples.photo(200, 120)).pk)
    assert document.state == State.READY
    assert "small" in document.facts["faults"]["value"]
    assert document.facts["small"] == {"value": 120, "confidence": 84}


# ---------------------------------------------------------------------------------------------------- in words
def _said(**facts):
    facts |= dict.fromkeys(facts.get("faults", []), 1)
    document = Document(facts={name: {"value": value, "confidence": 80} for name, value in facts.items()})
    return hints(document)


def test_hints_say_what_stands_out_and_how_sure_it_is():
    assert _said(faults=["blurred", "cut"]) == ["Blurred (80% sure)", "An edge is cut off (80% sure)"]
    assert _said(faults=[], expires_on="2031-09-02") == ["Valid until 2 Sept 2031 (80% sure)"]
    assert _said(mrz="TD1", mrz_failed=["expiry"]) == [
        "Machine-readable zone (TD1): check digits do not hold for expiry date."
    ]
    assert _said(mrz="TD1", mrz_failed=[]) == ["Machine-readable zone (TD1): its check digits hold."]
    assert _said() == []


def test_every_fault_and_every_check_digit_has_words():
    every = [*FAULTS, "screenshot"]
    assert len(set(_said(faults=every))) == len(every)
    checks = ["number", "birth", "expiry", "composite", "personal_number"]
    assert _said(mrz="TD3", mrz_failed=checks)


@pytest.mark.django_db
def test_a_document_that_is_not_shown_says_why(bring):
    document = bring()
    said = {why_not_shown(document)}
    for reason in ("card_data", "password_protected", "not_readable_here", "damaged"):
        document.reason = reason
        document.__dict__["state"] = State.UNSCANNABLE
        said.add(why_not_shown(document))
    assert len(said) == 5 and "" not in said
