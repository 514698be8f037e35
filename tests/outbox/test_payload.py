"""What may wait in a row: ids and codes."""

import uuid
from datetime import date

import pytest

from compliance.outbox.payload import FreeText, ids_only


def test_ids_codes_numbers_and_dates_may_wait():
    case = uuid.uuid4()
    facts = {"case": case, "n": 3, "codes": ["image_blurry", "doc_too_old"], "on": date(2026, 11, 21), "x": None}
    assert ids_only(facts) == {
        "case": str(case),
        "n": 3,
        "codes": ["image_blurry", "doc_too_old"],
        "on": "2026-11-21",
        "x": None,
    }


@pytest.mark.parametrize("words", ["Ayşe", "two words", "ayse@example.com", {"name": "x"}, 1.5, b"bytes", "a" * 121])
def test_words_about_people_may_not(words):
    with pytest.raises(FreeText, match="note"):
        ids_only({"note": words})
    with pytest.raises(FreeText, match="note"):
        ids_only({"note": [words]})
