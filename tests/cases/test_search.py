"""The one box: what finds a player, and that who may not see a case learns nothing of it."""

import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry
from cases import numbers
from cases.search import everywhere
from compliance.keys.services import IndexPurpose, blind_index
from compliance.people.latin import latin
from compliance.people.queries import fold
from compliance.people.services import open_account
from documents.models import Document
from tests.papers import bring

pytestmark = pytest.mark.django_db
IDENTITY_NUMBER = "10000000146"


def look(client, user, words):
    client.force_login(user)
    return client.get(reverse("cases:search"), {"q": words})


def found(user, words):
    """The numbers of the cases found, by the part of the answer."""
    hits = everywhere(words, user=user)
    return {part: [case.number for case in getattr(hits, part)] for part in ("exact", "named", "similar")}


@pytest.fixture
def case(world):
    return world.verification("L1", full_name="Işıl Yıldırım", national_id=IDENTITY_NUMBER)


# ------------------------------------------------------------------------------------------------ what finds one
@pytest.mark.parametrize(
    "typed",
    [
        "0532 123 45 67",
        "+90 532 123 45 67",
        "5321234567",
        "0090 532 1234567",
        "(0532) 123-45-67",
        "+90.532.123.45.67",
        "٠٥٣٢ ١٢٣ ٤٥ ٦٧",
    ],
)
def test_a_phone_is_found_however_it_is_written(world, case, typed):
    assert found(world.alice, typed)["exact"] == [case.number]


def test_a_phone_of_another_country_is_found_as_its_people_write_it(world):
    """The licensee is Turkish, the player's number British, the house has a British licensee too."""
    other = world.verification("L1", full_name="Bob Brown")
    facts = {"language": "en", "time_zone": "Europe/London", "by": world.alice}
    open_account(customer=other.customer, brand=world.brand, reference="UK-1", phone="+447911123456", **facts)
    for typed in ("+44 7911 123456", "07911 123456"):
        assert found(world.alice, typed)["exact"] == [other.number]


@pytest.mark.parametrize("typed", ["isil@example.com", " ISIL@EXAMPLE.COM ", "İSİL@example.com"])
def test_an_e_mail_is_found_whatever_its_letters(world, case, typed):
    assert found(world.alice, typed)["exact"] == [case.number]


@pytest.mark.parametrize("typed", [IDENTITY_NUMBER, "100 000 001 46"])
def test_a_national_id_is_found(world, case, typed):
    assert found(world.alice, typed)["exact"] == [case.number]


@pytest.mark.parametrize("typed", ["0146", "…0146", "**** 0146", "xxxx0146", "•••0146"])
def test_the_last_four_of_the_national_id_find_their_player(world, case, typed):
    world.verification("L1", full_name="Somebody Else")
    (hit,) = everywhere(typed, user=world.alice).exact
    assert (hit.number, str(hit.found_by)) == (case.number, "Last four of a paper’s number")


def test_the_last_four_of_a_paper_that_was_read_find_its_player(world):
    case = world.verification("L1")
    evidence = bring(case, "identity_front", "passport", by=world.alice)
    index = blind_index(IndexPurpose.NUMBER_TAIL, "8901")
    Document.objects.filter(pk=evidence.document_id).update(number_tail_index=index)
    assert found(world.alice, "8901")["exact"] == [case.number]
    assert found(world.alice, "8902")["exact"] == []


def test_a_number_with_a_typing_error_is_told_so_and_not_that_there_is_none(world, client, case):
    wrong = case.number[:-1] + str((int(case.number[-1]) + 1) % 10)
    text = look(client, world.alice, wrong).content.decode()
    assert "This number has a typing error" in text
    assert "0 results" not in text


def test_a_reference_that_looks_like_a_tracking_number_is_found(world, client):
    """ABC is no kind of ours, so its last digit is nobody's check digit."""
    case = world.verification("L1")
    facts = {"language": "tr", "time_zone": "UTC", "by": world.alice}
    open_account(customer=case.customer, brand=world.brand, reference="ABC-26-004813-0", **facts)
    text = look(client, world.alice, "abc-26-004813-0").content.decode()
    assert case.number in text
    assert "typing error" not in text


# --------------------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize("typed", ["ışıl", "IŞIL", "isil", "Isil  YILDIRIM"])
def test_a_name_is_found_whatever_its_turkish_letters(world, case, typed):
    assert found(world.alice, typed) == {"exact": [], "named": [case.number], "similar": []}


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Анна Иванова", "Ivanova"),
        ("Anna Ivanova", "Иванова"),
        ("Γιώργος Παπαδόπουλος", "Papadopoulos"),
        ("أحمد", "Ahmed"),
        ("Mehmet Yılmaz", "Yilmas"),
    ],
)
def test_a_name_in_another_script_or_with_a_slip_is_among_the_similar_ones(world, case, stored, typed):
    other = world.verification("L1", full_name=stored)
    assert found(world.alice, typed) == {"exact": [], "named": [], "similar": [other.number]}


@given(st.text(max_size=40))
def test_latin_letters_stay_latin_and_no_text_breaks_them(text):
    assert latin(fold(text)) == latin(fold(fold(text)))
    assert latin(fold("Straße Ağaoğlu")) == ""


def test_a_case_is_in_one_part_only(world, case):
    hits = everywhere("isil@example.com", user=world.alice)
    assert len(hits) == 1


# --------------------------------------------------------------------------------------------- nothing is betrayed
HIDDEN_AND_NOWHERE = [
    ("isil@example.com", "nobody@example.com"),
    ("+905321234567", "+905321234568"),
    (IDENTITY_NUMBER, "10000000214"),
    ("0146", "0147"),
    ("Işıl Yıldırım", "Asil Boldorom"),
]


def asked(client, words):
    """The page, and the statements behind it with the values taken out."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(reverse("cases:search"), {"q": words})
    shape = [re.sub(r"""'[^']*'|"s\d+_x\d+"|\b\d+\b""", "?", query["sql"]) for query in captured]
    text = re.sub(r'(name="csrfmiddlewaretoken" value|nonce|data-left)="[^"]*"', "", response.content.decode())
    return response.status_code, shape, text.replace(words, "WORDS")


@pytest.mark.parametrize(("hidden", "nowhere"), HIDDEN_AND_NOWHERE, ids=["e-mail", "phone", "id", "tail", "name"])
def test_a_hidden_hit_is_answered_as_no_hit_is(world, client, case, hidden, nowhere):
    assert found(world.alice, hidden) != found(world.alice, nowhere)
    look(client, world.mallory, "Anybody")  # what is asked once a session is asked before
    assert asked(client, hidden) == asked(client, nowhere)


def test_the_number_of_a_hidden_case_is_answered_as_one_that_nobody_has(world, client, case):
    last = int(case.number.split("-")[2])
    nowhere = str(numbers.Number("KYC", int(case.number.split("-")[1]), last + 500_000))
    assert look(client, world.alice, case.number).status_code == 302
    look(client, world.mallory, "Anybody")
    assert asked(client, case.number) == asked(client, nowhere)


def test_a_hidden_hit_takes_as_long_as_no_hit(world, client, case):
    """By the clock too: the quickest of interleaved searches, so that a busy machine disturbs neither."""
    hidden, nowhere = [], []
    for _time in range(25):
        for words, times in ((IDENTITY_NUMBER, hidden), ("10000000214", nowhere)):
            began = time.perf_counter()
            assert not everywhere(words, user=world.mallory)
            times.append(time.perf_counter() - began)
    ratio = min(hidden) / min(nowhere)
    assert 0.75 < ratio < 1.35, ratio


def test_a_search_is_recorded_and_its_words_are_sealed(world, client, case):
    look(client, world.alice, "isil@example.com")
    entry = Entry.objects.get(action="cases.search")
    assert entry.facts["data"] == {"rows": 1}
    assert b"isil" not in bytes(entry.entry)
