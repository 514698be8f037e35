"""What the paper says beside what the player declared, two files together, and dates that were read."""

import json
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.packing import unpack
from cases import comparison
from cases import services as engine
from cases.types.verification import services
from compliance.keys.services import seal
from compliance.people.alike import distance
from documents.models import Document
from documents.services import reading_of
from tests.papers import a_file, bring

pytestmark = pytest.mark.django_db
TURKISH = {"surname": "YILDIRIM", "given_names": "ISIL", "birth_on": "1991-03-14", "number": "A12B34567"}


@pytest.mark.parametrize(
    ("declared", "paper", "words"),
    [
        ("Işıl Yıldırım", "ISIL YILDIRIM", "Same"),
        ("Yıldırım Işıl", "ISIL YILDIRIM", "Same"),
        ("İbrahim Çağlar Öztürk", "IBRAHIM CAGLAR OZTURK", "Same"),
        ("Jürgen Groß", "JURGEN GROSS", "Same"),
        ("Jürgen Groß", "JUERGEN GROSS", "Same"),
        ("Анна Иванова", "ANNA IVANOVA", "Same"),
        ("محمد علي", "MUHAMMAD ALI", "May be the same"),
        ("Işıl Yıldırım", "ISIL YILDIRIN", "1 letter differs"),
        ("Işıl Yıldırım", "ISIL YILDRIN", "2 letters differ"),
        ("Işıl Ayşegül Yıldırım", "ISIL YILDIRIM", "Part of the name is missing"),
        ("Işıl Yıldırım", "MEHMET DEMIR", "Another name"),
    ],
)
def test_names_are_compared_as_a_zone_writes_them(declared, paper, words):
    assert comparison._name(declared, paper).words == words


@pytest.mark.parametrize(("first", "second", "apart"), [("", "abc", 3), ("kitten", "sitting", 3), ("a", "a", 0)])
def test_the_distance_of_two_words(first, second, apart):
    assert distance(first, second) == distance(second, first) == apart


@pytest.fixture
def case(world):
    case = world.verification("L1", national_id="12345678950")
    bring(case, "identity_front", "national_id", by=world.alice)
    return services.review(case, by=world.alice)


def read(case, said, **facts):
    """As the inspection would have left it."""
    document = case.evidence.order_by("created_at").last().document
    aad = document.pk.bytes
    sealed = seal(document.audit_subject, "document_reading", json.dumps(said).encode(), aad=aad)
    facts = {name: {"value": value, "confidence": sure} for name, (value, sure) in facts.items()}
    Document.objects.filter(pk=document.pk).update(reading_sealed=sealed, facts=facts)


def page_of(client, world, case, **query):
    client.force_login(world.alice)
    evidence = case.evidence.order_by("created_at").last()
    return client.get(reverse("cases:review", kwargs={"number": case.number, "evidence_id": evidence.pk}), query)


def test_the_page_says_how_paper_and_player_differ_and_shows_no_more_than_was_shown(client, world, case):
    read(case, TURKISH | {"birth_on": "1991-03-15", "personal_number": "12345678950"})
    text = page_of(client, world, case).content.decode()
    assert "ISIL YILDIRIM" in text
    assert ">Same<" in text and ">Differs<" in text
    assert "12345678950" not in text and "15 March 1991" not in text and "1991-03-15" not in text
    client.force_login(world.alice)
    evidence = case.evidence.get()
    shown = client.post(
        reverse("cases:review", kwargs={"number": case.number, "evidence_id": evidence.pk}), {"show": "birth_date"}
    ).content.decode()
    assert "1991-03-15" in shown and "12345678950" not in shown


def test_a_paper_without_a_zone_is_compared_by_eye(client, world, case):
    text = page_of(client, world, case).content.decode()
    assert "On the paper" not in text and "Işıl Yıldırım" in text


# ------------------------------------------------------------------------------------------------------- by eye
def write_down(client, world, case, **typed):
    client.force_login(world.alice)
    evidence = case.evidence.order_by("created_at").last()
    page = reverse("cases:review", kwargs={"number": case.number, "evidence_id": evidence.pk})
    return client.post(page, typed | {"by_eye": "1"})


def test_what_a_person_reads_is_compared_as_what_a_machine_reads(client, world, case):
    assert write_down(client, world, case, full_name="Işıl Yıldırın", birth_date="1991-03-15").status_code == 200
    text = page_of(client, world, case).content.decode()
    assert "1 letter differs" in text and ">Differs<" in text and ">By eye<" in text
    assert "1991-03-15" not in text and "15 March 1991" not in text  # masked, as what was declared
    entry = Entry.objects.get(action="documents.read_by_eye")
    said = unpack(bytes(entry.entry))
    assert (entry.actor_id, entry.matter) == (str(world.alice.pk), case.number)
    assert b'["birth_date","full_name"]' in said and "Yıldırın" not in said.decode()


def test_what_the_zone_says_stays_beside_it_and_comes_back(client, world, case):
    read(case, TURKISH)
    assert "1 letter differs" not in page_of(client, world, case).content.decode()
    write_down(client, world, case, full_name="Işıl Yıldırın")
    assert "1 letter differs" in page_of(client, world, case).content.decode()
    assert reading_of(case.evidence.get().document).items() > TURKISH.items()
    write_down(client, world, case, forget="on")
    text = page_of(client, world, case).content.decode()
    assert "1 letter differs" not in text and "ISIL YILDIRIM" in text
    assert reading_of(case.evidence.get().document) == TURKISH
    assert Entry.objects.filter(action="documents.read_by_eye").count() == 2


def test_what_was_chosen_so_far_stays_when_something_is_written_down_or_shown(client, world, case):
    bring(case, "identity_back", "national_id", by=world.alice, data=a_file(size=(330, 210)))
    file, other = case.evidence.order_by("created_at")
    page = reverse("cases:review", kwargs={"number": case.number, "evidence_id": file.pk}) + f"?beside={other.pk}"
    client.force_login(world.alice)
    chosen = {"verdict": "ask_again", "reasons": ["image_glare"], "issued_on": "2020-01-02", "version": file.version}
    for button in ({"by_eye": "1"}, {"show": "birth_date"}):
        answer = client.post(page, chosen | button | {"full_name": "Işıl Yıldırın"})
        text = answer.content.decode()
        assert f'action="{page}"' in text
        assert text.count("data-viewer") == 2
        assert re.search(r'value="ask_again"[^>]*checked', text)
        assert re.search(r'value="image_glare"[^>]*checked', text)
        assert 'value="2020-01-02"' in text
        assert "1 letter differs" in text
    assert re.search(r"<details open>\s*<summary>Write down", text)
    assert 'value="Işıl Yıldırın"' in text


def test_what_only_the_paper_says_is_shown_and_can_be_forgotten(client, world):
    case = world.verification("L1")
    bring(case, "identity_front", "national_id", by=world.alice)
    case = services.review(case, by=world.alice)
    assert "Forget what was written" not in page_of(client, world, case).content.decode()
    text = write_down(client, world, case, national_id="12345678950").content.decode()
    assert "Only on the paper" in text and "•50" in text and "12345678950" not in text
    evidence = case.evidence.get()
    page = reverse("cases:review", kwargs={"number": case.number, "evidence_id": evidence.pk})
    assert "12345678950" in client.post(page, {"show": "national_id"}).content.decode()
    assert "Forget what was written" in text
    assert "Only on the paper" not in write_down(client, world, case, forget="on").content.decode()
    assert reading_of(case.evidence.get().document) == {}


def test_nothing_is_kept_of_what_is_wrong_or_not_new(client, world, case):
    answer = write_down(client, world, case, birth_date="15.3.1991x")
    assert answer.status_code == 422 and "such as 1991-03-14" in answer.content.decode()
    write_down(client, world, case, full_name=" ")
    assert not Entry.objects.filter(action="documents.read_by_eye").exists()


def test_who_only_reads_the_case_writes_nothing_down(client, world, case):
    client.force_login(world.carol)
    page = reverse("cases:review", kwargs={"number": case.number, "evidence_id": case.evidence.get().pk})
    assert client.post(page, {"by_eye": "1", "full_name": "Somebody"}).status_code == 403
    assert "by_eye" not in client.get(page).content.decode()
    assert reading_of(case.evidence.get().document) == {}


def test_dates_that_were_read_are_proposed_and_guesses_are_not(client, world, case):
    last = timezone.localdate() + timedelta(days=900)
    read(case, TURKISH, expires_on=(last.isoformat(), 97), issued_on=("2020-01-02", 30))
    response = page_of(client, world, case)
    assert response.context["form"]["valid_until"].value() == last.isoformat()
    assert response.context["form"]["issued_on"].value() is None
    text = response.content.decode()
    assert f'value="{last.isoformat()}"' in text and "Still valid" in text
    past = date(2020, 5, 1)
    read(case, TURKISH, expires_on=(past.isoformat(), 97))
    assert ">Expired<" in page_of(client, world, case).content.decode()


def test_a_new_file_stands_beside_the_one_it_replaces_with_its_faults(client, world, case):
    old = case.evidence.get()
    engine.ask_again(old, by=world.alice, reasons=["image_glare"])
    services.ask(case, by=world.alice)
    bring(case, "identity_front", "national_id", by=world.alice, data=a_file(size=(330, 210)))
    unasked = page_of(client, world, case).content.decode()
    assert unasked.count("data-viewer") == 2 and "?beside=none" in unasked
    assert reverse("cases:image", kwargs={"number": case.number, "evidence_id": old.pk, "page": 1}) in unasked
    assert "<li>Glare" in unasked
    alone = page_of(client, world, case, beside="none").content.decode()
    assert f"?beside={old.pk}" in alone and alone.count("data-viewer") == 1
    assert page_of(client, world, case, beside=str(old.pk)).content.decode().count("data-viewer") == 2


def test_what_replaces_nothing_that_was_sent_back_stands_alone(client, world, case):
    """A second file of the same purpose, or one that was judged already."""
    bring(case, "identity_front", "national_id", by=world.alice, data=a_file(size=(330, 210)))
    assert page_of(client, world, case).content.decode().count("data-viewer") == 1


def test_no_other_cases_file_can_be_put_beside_it(client, world, case):
    other = world.verification("L1")
    bring(other, "identity_front", "national_id", by=world.alice, data=a_file(size=(340, 220)))
    for wanted in (other.evidence.get().pk, "nonsense", case.evidence.get().pk):
        assert page_of(client, world, case, beside=str(wanted)).content.decode().count("data-viewer") == 1


def test_a_reason_is_found_by_its_code_and_in_both_languages(client, world, case):
    text = page_of(client, world, case).content.decode()
    assert 'data-words="doc_expired Expired Süresi geçmiş"' in text
