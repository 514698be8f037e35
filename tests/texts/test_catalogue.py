"""What players read: complete, kind, and telling nothing that would tip off (copy rules, experience 4)."""

import re

import pytest

from cases import texts
from compliance.policy import policy_at
from compliance.policy.schema import DOCUMENTS, PURPOSES

CATALOGUE = texts.catalogue()
ASK_AGAIN = texts.reasons(kind="ask_again")
FINAL = texts.reasons(kind="final")
WORDINGS = {
    f"{shelf}/{each.code}/{version.number}/{part}/{language}": wording
    for shelf, all_of_it in (("reasons", CATALOGUE.reasons), ("messages", CATALOGUE.messages))
    for each in all_of_it.values()
    for version in each.versions
    for part in ("subject", "text")
    for language, wording in getattr(version, part).items()
}
every_wording = pytest.mark.parametrize(("place", "wording"), WORDINGS.items(), ids=WORDINGS)
every_language = pytest.mark.parametrize("language", texts.LANGUAGES)

TELLS = {
    "tr": re.compile(r"\b(?:[Yy]ükleyin|[Çç]ekin|[Kk]oyun|[Kk]apatın|[Yy]azın|[Ff]otoğraflayın)\b"),
    "en": re.compile(r"\b(?:[Ll]ay|[Tt]ake|[Tt]urn|[Uu]pload|[Pp]hotograph|[Cc]over|[Ww]rite)\b"),
}
BANNED = re.compile(
    # what would tip off
    r"şüphe|soruştur|\bmasak\b|\bstr\b|\bsar\b|kara para|dolandır|yaptırım|\bpep\b|risk|\buyum|güvenlik kontrol"
    r"|suspic|investigat|launder|fraud|sanction|complian|security check|watch ?list|score|puan"
    # what blames or threatens
    r"|geçersiz|hatalı|reddet|sistem|invalid|forbidden|oops|sorry|üzgünüz|must\b|zorunda"
    # what promises too much, or asks twice
    r"|en kısa sürede|as soon as possible|shortly|emin misiniz|are you sure"
    # what only insiders say
    r"|\bkyc\b(?!-)|evrak|tarafınızca|ibraz|tevsik",
    re.IGNORECASE,
)
MUST_BE_BANNED = [
    *("şüpheli", "soruşturma", "MASAK", "STR", "kara para", "dolandırıcılık", "yaptırım", "PEP", "risk puanı", "uyum"),
]


def sentences(wording):
    return [part for part in re.split(r"(?<=[.?!])\s+", wording) if part]


def test_there_are_reasons_of_both_classes():
    assert len(ASK_AGAIN) >= 14
    assert len(FINAL) >= 5


@pytest.mark.parametrize("reason", ASK_AGAIN, ids=lambda reason: reason.code)
@every_language
def test_a_request_tells_what_to_do(reason, language):
    assert TELLS[language].search(reason.versions[-1].text[language])


@every_wording
def test_no_text_holds_a_banned_word(place, wording):
    assert not BANNED.search(wording)


@pytest.mark.parametrize("word", MUST_BE_BANNED)
def test_the_list_of_banned_words_is_the_whole_one(word):
    assert BANNED.search(f"Bu bir {word} metnidir.")


@pytest.mark.parametrize("language", [*texts.LANGUAGES, "de"])
@pytest.mark.parametrize("reason", ASK_AGAIN, ids=lambda reason: reason.code)
def test_every_reason_can_be_told_in_every_language(reason, language):
    told = texts.player_text(reason.code, language, **texts.VARIABLES)
    assert told
    assert told.language == (language if language in texts.LANGUAGES else "en")


@every_language
def test_every_text_of_ours_is_in_every_language(language):
    for each in [*ASK_AGAIN, *CATALOGUE.messages.values()]:
        assert each.versions[-1].text[language].strip(), each.code
    for each in CATALOGUE.reasons.values():
        assert getattr(each.title, language), each.code


@every_language
def test_an_sms_fits_two_messages(language):
    """Two UCS-2 parts of 67: ş, ğ, ı and İ are outside the basic set."""
    assert len(texts.message("sms_notice", language, link=texts.VARIABLES["link"])) <= 134


@every_wording
def test_turkish_joins_no_suffix_to_a_variable(place, wording):
    if place.endswith("/tr"):
        assert not re.search(r"\}['’\w]", wording)


@every_wording
def test_a_text_is_short(place, wording):
    plain = texts.PLACEHOLDER.sub("x", wording)
    assert len(sentences(plain)) <= 3
    assert all(len(sentence.split()) <= 25 for sentence in sentences(plain))
    turkish = place.endswith("/tr")
    assert not turkish or all(len(sentence.split()) <= 15 for sentence in sentences(plain)), "15 words at most"


@every_wording
def test_a_text_asks_politely_at_most_once(place, wording):
    assert len(re.findall(r"lütfen|please", wording, re.IGNORECASE)) <= 1


@every_wording
def test_no_text_is_in_capitals(place, wording):
    assert not re.search(r"\b[A-ZÇĞİÖŞÜ]{4,}\b", wording)


def test_a_code_belongs_to_one_class_only():
    assert not {reason.code for reason in ASK_AGAIN} & {reason.code for reason in FINAL}
    with pytest.raises(ValueError, match="a final reason has no text of its own"):
        final = FINAL[0].model_dump(by_alias=True) | {"version": [ASK_AGAIN[0].versions[0].model_dump()]}
        texts.Reason(**final)


@every_language
def test_all_final_reasons_read_the_same(language):
    values = {"number": "KYC-26-004813-9", "date": "21 Kas 2026"}
    told = {str(texts.player_text(reason.code, language, **values)) for reason in FINAL}
    assert len(told) == 1
    for reason in FINAL:
        assert reason.code not in told.copy().pop()
        assert getattr(reason.title, language).lower() not in told.copy().pop().lower()


@every_language
def test_everything_that_may_be_asked_for_has_a_name(language):
    for purpose in PURPOSES:
        assert texts.purpose_title(purpose, language)
    for document in DOCUMENTS:
        assert texts.document_name(document, language)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_purpose_can_be_asked_again_and_refused(purpose):
    assert len(texts.reasons(purpose, "ask_again")) >= 4
    assert texts.reasons(purpose, "final")


def test_reasons_fit_their_purpose():
    assert "selfie_unclear" in {reason.code for reason in texts.reasons("selfie")}
    assert "selfie_unclear" not in {reason.code for reason in texts.reasons("address")}
    assert "doc_too_old" not in {reason.code for reason in texts.reasons("identity_front")}


@pytest.mark.parametrize("policy", ["TR-2026-02-01", "GB-2026-06-30"])
@every_language
def test_every_reason_offered_for_an_item_can_be_written(policy, language):
    """What `values_for` gives is all that the texts of the item's reasons name."""
    for item in policy_at(policy).verification.levels["L3"].required:
        for reason in texts.reasons(item.purpose):
            text = texts.player_text(reason.code, language, **texts.values_for(item, language))
            assert "{" not in text


def test_the_accepted_documents_and_their_age_come_from_the_policy():
    address = next(
        item for item in policy_at("TR-2026-02-01").verification.levels["L2"].required if item.purpose == "address"
    )
    values = texts.values_for(address, "tr")
    assert "3 ay" in texts.player_text("doc_too_old", "tr", **values)
    assert "e-Devlet yerleşim yeri belgesi" in texts.player_text("doc_type_not_accepted", "tr", **values)
