"""Interface texts: every one is collected, Turkish is complete, and the rules of the Turkish language hold."""

import re

from compliance import translation

JOINED = re.compile(r"(?:%\(\w+\)[sd]|\{\w+\})['’]?[a-zçğıöşü]", re.IGNORECASE)
TURKISH = [message for message in translation.read("tr") if message.id]


def strings(message):
    return message.string if isinstance(message.string, list | tuple) else (message.string,)


def test_no_text_is_missing_or_left_behind():
    assert translation.check() == 0, "Run `python -m compliance.translation update` and translate what is empty."


def test_a_text_nobody_translated_is_found():
    texts = translation.Catalog()
    texts.add("A sentence nobody translated")
    assert translation.missing("tr", texts) == ["A sentence nobody translated"]


def test_a_missing_plural_form_is_found():
    texts = translation.Catalog()
    texts.add(("%(n)s text of nobody", "%(n)s texts of nobody"))
    assert translation.missing("tr", texts) == ["%(n)s text of nobody"]


def offending(is_wrong):
    """The Turkish strings about which `is_wrong(message, string)` says so."""
    return [text for message in TURKISH for text in strings(message) if text and is_wrong(message, text)]


def values_in(text):
    return set(re.findall(r"%\(\w+\)[sd]|\{\w+\}", text))


def test_turkish_joins_no_suffix_to_a_value():
    """Vowel harmony breaks `{date}'e kadar`; the value stands alone (experience 4.2)."""
    assert offending(lambda _message, text: JOINED.search(text)) == []


def test_a_translation_keeps_the_values_of_its_source():
    def differs(message, text):
        source = message.id[-1] if isinstance(message.id, tuple | list) else message.id
        return values_in(text) != values_in(source)

    assert offending(differs) == []


def test_turkish_speaks_plainly():
    """Experience 4.1: no blame and no office Turkish; "geçersiz" says that something is wrong but not what to do."""
    banned = re.compile(r"geçersiz|hatalı|evrak|tarafınız|ibraz|lütfen|üzgünüz|emin misiniz")
    assert offending(lambda _message, text: banned.search(text.lower())) == []


def test_the_rule_against_suffixes_can_fail():
    assert JOINED.search("%(date)s'e kadar") and not JOINED.search("Son tarih: %(date)s")
