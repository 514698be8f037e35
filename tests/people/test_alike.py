"""Names that can be one person's, and the fold that shows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.people.alike import compare

NAMES = st.text(alphabet="abcçdeğıiİjklmnoöprsştuüvyzäßéабвгд ابحد'-", min_size=1, max_size=24)


@pytest.mark.parametrize(
    ("first", "second", "kind", "fold"),
    [
        ("IŞIK Işıl", "ışıl ışık", "same", "letters"),
        ("İrem Şahin", "SAHIN IREM", "same", "letters"),
        ("Anne-Marie O'Neil", "ANNE MARIE ONEIL", "same", "letters"),
        ("Jürgen Groß", "GROSS JUERGEN", "same", "digraphs"),
        ("Øyvind Gæstad", "OYVIND GAESTAD", "close", "letters"),
        ("Анна Иванова", "IVANOVA ANNA", "same", "script"),
        ("Γιώργος Παππάς", "GIORGOS PAPPAS", "same", "script"),
        ("محمد حسين", "Muhammad Hussein", "possible", "sounds"),
        ("Işıl Yıldırım", "ISIL YILDIRIN", "close", "letters"),
        ("Işıl Ayşegül Yıldırım", "ISIL YILDIRIM", "part", "letters"),
        ("Ali Can", "Ela Nur", "other", "letters"),
        ("Анна Иванова", "MEHMET DEMIR", "other", "script"),
    ],
)
def test_names_are_compared_by_a_stated_fold(first, second, kind, fold):
    found = compare(first, second)
    assert (found.kind, found.fold) == (kind, fold)


@given(NAMES, NAMES)
def test_which_name_comes_first_does_not_matter(first, second):
    assert compare(first, second) == compare(second, first)


@given(NAMES.filter(lambda name: any(letter.isalnum() for letter in name)))
def test_a_name_is_itself_however_it_is_cased(name):
    assert compare(name, name.swapcase()).is_one_name or compare(name, name).is_one_name


@given(NAMES)
def test_nothing_is_no_name(name):
    assert not compare(name, "").is_one_name
