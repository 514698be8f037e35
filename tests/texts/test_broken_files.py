"""A broken text file names file, key and fix; a version that was sent stays as it was."""

import shutil

import pytest
from django.conf import settings

from cases import texts


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(settings.TEXTS_DIR, tmp_path / "texts")
    return tmp_path / "texts"


def problems_of(folder):
    with pytest.raises(texts.TextsBroken) as broken:
        texts.read(folder)
    return "\n".join(broken.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{months}", "{weeks}", "text.en names the unknown variable weeks; known: accepted"),
        ("{months} months", "{months months", "has a brace that belongs to no variable"),
        ("{months} ay", "üç ay", "the languages name different variables"),
        ('tr = "Belgenin', 'de = "Belgenin', "text is missing in: tr"),
        ('class = "ask_again"', 'class = "maybe"', "class: Input should be 'ask_again' or 'final'"),
        ('class = "ask_again"', 'class = "final"', "a final reason has no text of its own"),
        ("number = 1", "number = 2", "versions must count 1, 2, 3 without a gap"),
        ('"address"', '"adress"', "applies_to: unknown adress. Known: identity_front"),
        ('code = "doc_too_old"', 'code = "too_old"', "code: must be 'doc_too_old', like the file's name."),
        ("[title]", "[titles]", "titles: Extra inputs are not permitted"),
        ("[[version]]", "[[version", "reasons/doc_too_old.toml: "),
    ],
)
def test_what_is_wrong_is_named(folder, old, new, said):
    file = folder / "reasons" / "doc_too_old.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert said in problems_of(folder)
    assert "reasons/doc_too_old.toml" in problems_of(folder)


def test_the_neutral_refusal_cannot_be_left_out(folder):
    (folder / "messages" / "rejected.toml").unlink()
    assert "messages/rejected.toml: missing" in problems_of(folder)


def test_the_names_cannot_be_left_out(folder):
    (folder / "names.toml").unlink()
    assert "names.toml" in problems_of(folder)


def test_a_new_version_leaves_the_old_one_readable(folder, monkeypatch):
    file = folder / "messages" / "nothing_to_do.toml"
    added = (
        "\n[[version]]\nnumber = 2\nsince = 2027-01-01\n"
        '[version.subject]\nen = "About {number}"\ntr = "Hakkında: {number}"\n'
        '[version.text]\nen = "All is well."\ntr = "Her şey yolunda."\n'
    )
    file.write_text(file.read_text(encoding="utf-8") + added, encoding="utf-8")
    catalogue = texts.read(folder)
    monkeypatch.setattr(texts, "catalogue", lambda: catalogue)
    assert texts.message("nothing_to_do", "tr") == "Her şey yolunda."
    assert texts.message("nothing_to_do", "tr", version=1) == "Şu anda yapmanız gereken bir şey yok."


def test_what_staff_may_pick_has_a_subject(folder):
    file = folder / "messages" / "received.toml"
    text = file.read_text(encoding="utf-8")
    start = text.index("[version.subject]")
    without = text[:start] + text[text.index("[version.text]") :]
    file.write_text(
        without.replace('code = "received"\n', 'code = "received"\n[title]\nen = "Receipt"\ntr = "Makbuz"\n'),
        encoding="utf-8",
    )
    assert "messages/received.toml, subject: missing" in problems_of(folder)


def test_the_start_up_check_shows_each_problem(monkeypatch):
    def broken():
        raise texts.TextsBroken(["one", "two"])

    monkeypatch.setattr(texts, "catalogue", broken)
    assert [(error.id, error.msg) for error in texts.check_texts()] == [("cases.E001", "one"), ("cases.E001", "two")]


def test_the_start_up_check_is_silent_about_whole_texts():
    assert texts.check_texts() == []
