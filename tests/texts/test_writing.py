"""Finding and filling texts."""

import logging

import pytest
from django.utils import translation

from cases import texts


def test_the_reader_gets_their_own_language():
    told = texts.player_text("image_cropped", "tr")
    assert told.startswith("Bir köşesi")
    assert (told.code, told.version, told.language) == ("image_cropped", 1, "tr")


def test_a_region_is_no_other_language():
    assert texts.message("nothing_to_do", "tr-TR").language == "tr"


def test_a_missing_language_falls_back_to_english_and_says_so(caplog):
    with caplog.at_level(logging.WARNING, logger="cases.texts"):
        told = texts.message("received", "ar", number="KYC-26-004813-9")
    assert told.language == "en"
    assert told.startswith("We have received")
    assert "received has no text in ar" in caplog.text


def test_a_letter_never_mixes_languages():
    letter = texts.request_letter("ar", number="1", items=["a"], kept=[texts.purpose_title("address", "ar")])
    assert letter.language == "en"
    assert "Proof of address" in letter


def test_the_letter_names_every_item_and_what_is_fine():
    letter = texts.request_letter(
        "tr", number="KYC-26-004813-9", items=["Kimliğin arka yüzü: x", "Adres belgesi: y"], kept=["Kimliğin ön yüzü"]
    )
    assert letter.splitlines() == [
        "Başvurunuz için birkaç şeye daha ihtiyacımız var. Takip numaranız: KYC-26-004813-9.",
        "",
        "• Kimliğin arka yüzü: x",
        "• Adres belgesi: y",
        "",
        "Kabul edildi: Kimliğin ön yüzü. Bunları yeniden yüklemeniz gerekmiyor.",
    ]
    assert (letter.code, letter.version, letter.language) == ("request", 1, "tr")


def test_the_letter_says_nothing_of_what_is_fine_when_nothing_is():
    assert "Kabul edildi" not in texts.request_letter("tr", number="1", items=["x"], kept=[])


def test_a_missing_value_is_named():
    with pytest.raises(texts.MissingValue, match="doc_too_old: the text names months; pass months="):
        texts.player_text("doc_too_old", "tr")


def test_a_value_is_not_read_as_a_text():
    """What a player typed may hold braces; it is shown, never filled in."""
    assert "{number} {months}" in texts.message("received", "en", number="{number} {months}")


@pytest.mark.parametrize("ask", [texts.reason, texts.purpose_title, texts.document_name])
def test_an_unknown_code_is_named_with_the_known_ones(ask):
    with pytest.raises(texts.UnknownText, match="'nothing'. Known: "):
        ask("nothing")


def test_an_unknown_version_is_named():
    with pytest.raises(texts.UnknownText, match="received: there is no version 7"):
        texts.message("received", "en", version=7, number="1")


def test_a_text_without_a_subject_says_so():
    with pytest.raises(texts.UnknownText, match="no subject"):
        texts.subject("sms_notice", "en")


def test_a_mail_has_a_subject_with_the_number():
    assert texts.subject("request", "tr", number="KYC-26-004813-9") == "Başvurunuz için gerekenler: KYC-26-004813-9"


def test_names_are_in_the_readers_language():
    with translation.override("tr"):
        assert texts.purpose_title("identity_back") == "Kimliğin arka yüzü"
    with translation.override("en"):
        assert texts.purpose_title("identity_back") == "Identity document, back"
    assert texts.purpose_title("identity_back", "tr") == "Kimliğin arka yüzü"
