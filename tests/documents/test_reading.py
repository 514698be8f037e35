"""What a paper says becomes facts; card data on it ends it."""

import io
import json
import shutil
from datetime import date

import pikepdf
import pytest
from PIL import Image, ImageDraw, ImageFont

from cases.demo.specimen import Holder, card_front, photographed, statement, zone_of
from compliance.people.models import Account, Brand
from documents import dates
from documents.cards import card_data
from documents.inspection import inspect_now
from documents.models import Document, State
from documents.processes import printed_text
from documents.services import reading_of
from documents.wording import hints
from tests.documents import samples
from tests.required import missing, needs

TESSERACT = shutil.which("tesseract")
needs_tesseract = needs("tesseract", there=TESSERACT, package="tesseract-ocr")
TODAY = date(2026, 3, 1)
ALICE = Holder("Smith", "Alice", date(1991, 3, 14), number="L898902C3")
VISA = "4111 1111 1111 1111"  # the schemes' own test numbers, which belong to nobody
AMEX = "3782 822463 10005"


@pytest.fixture
def reads(settings):
    settings.TESSERACT = TESSERACT


def value(document, fact):
    return document.facts[fact]["value"]


def saying(*lines, note=""):
    """A PDF with text of its own."""

    def change(document):
        shown = b" ".join(b"(" + line.encode() + b") Tj 0 -30 Td" for line in lines)
        document.pages[0].Contents = document.make_stream(b"BT /F1 18 Tf 72 720 Td " + shown + b" ET")
        if note:
            document.docinfo["/Subject"] = pikepdf.String(note)

    return samples.pdf(change=change)


# --------------------------------------------------------------------------------------------------- card data
CARDS = {
    "a Visa in groups": VISA,
    "without groups": VISA.replace(" ", ""),
    "with hyphens": VISA.replace(" ", "-"),
    "beside its last day": f"{VISA} 12/27",
    "in a sentence": f"Kart no: {VISA}, SKT 12/27",
    "American Express": AMEX,
    "Mastercard of the new range": "2223003122003222",
    "Troy": "9792 0300 0000 0000",
    "over lines": "4111\n1111\n1111\n1111",
}


@pytest.mark.parametrize("text", CARDS.values(), ids=CARDS)
def test_a_card_number_is_seen(text):
    [number] = card_data(text).numbers
    assert number in {"4111111111111111", "378282246310005", "2223003122003222", "9792030000000000"}


NO_CARDS = {
    "a reference that fails the check digit": "4111 1111 1111 1112",
    "an IBAN": "TR33 0006 1005 1978 6457 8413 26",
    "another IBAN": "DE89 3704 0044 0532 0130 00",
    "a longer number in groups": "1111 4111 1111 1111 1111 1111",
    "a longer number": "41111111111111111",
    "a part of a longer number": "ref 12-4111111111111111",
    "an amount": "4111111111111111.00",
    "no scheme": "1234 5678 9012 3452",
    "noughts": "0000 0000 0000 0000",
    "a telephone": "+90 532 123 45 67",
    "the last four": "•••• 1111",
}


@pytest.mark.parametrize("text", NO_CARDS.values(), ids=NO_CARDS)
def test_what_is_no_card_number_survives(text):
    assert card_data(text).numbers == ()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("CVV: 123", True),
        ("cvc2 1234", True),
        ("Kart güvenlik kodu: 123", True),
        ("CVV", False),
        ("CVV on the back", False),
        ("CVC 2026-01-01", False),
        ("Güvenlik kodu 4829", False),
    ],
)
def test_a_security_code_is_seen_beside_its_label(text, seen):
    assert card_data(text).security_code is seen


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (saying("Statement of the card", VISA), "1111"),
        (saying("A statement that is harmless to look at", note=f"paid by {VISA}"), "1111"),
        (saying("Please note my card", "CVV: 123"), "code"),
    ],
    ids=["in the text", "in the metadata", "a security code"],
)
def test_a_file_with_card_data_is_destroyed_at_once(bring, vault, entries, data, kept):
    document = bring(data, name="a.pdf")
    destroyed = inspect_now(document.pk)
    assert (destroyed.state, destroyed.reason) == (State.DESTROYED, "card_data")
    assert value(destroyed, "card_data") == kept
    assert vault.files() == []
    row = Document.objects.get(pk=document.pk)
    assert (row.dek_wrapped, row.digest_index, row.reading_sealed) == (None, None, None)
    assert row.file_removed_at is not None
    [entry] = entries("documents.destroy", document.pk)
    assert b"card_data" in entry and b"4111" not in entry
    assert inspect_now(document.pk) is None


@pytest.mark.django_db
def test_an_operators_reference_survives_whatever_its_check_digit(bring, customer):
    brand = Brand.objects.create(licensee=customer.licensee, name="Lale", slug="lale")
    Account.objects.create(customer=customer, licensee=customer.licensee, brand=brand, reference=VISA.replace(" ", ""))
    data = saying("Your account", VISA, "and a voucher", "4000 0000 0000 0001")
    assert inspect_now(bring(data, name="a.pdf").pk).state == State.READY


@needs_tesseract
@pytest.mark.django_db
def test_a_photographed_card_number_is_seen(bring, reads):
    card = Image.new("RGB", (1012, 638), (40, 60, 110))
    draw = ImageDraw.Draw(card)
    draw.text((80, 300), VISA, fill="white", font=ImageFont.load_default(64))
    draw.text((80, 420), "12/27  ALICE SMITH", fill="white", font=ImageFont.load_default(40))
    destroyed = inspect_now(bring(photographed(card, seed=5)).pk)
    assert (destroyed.state, destroyed.reason, value(destroyed, "card_data")) == (State.DESTROYED, "card_data", "1111")


# ------------------------------------------------------------------------------------------------ zone and dates
def mono(size):
    for name in ("dejavu/DejaVuSansMono.ttf", "liberation/LiberationMono-Regular.ttf"):
        try:
            return ImageFont.truetype(f"/usr/share/fonts/truetype/{name}", size)
        except OSError:
            continue
    return missing("a monospaced font", package="fonts-dejavu-core")


@needs_tesseract
@pytest.mark.django_db
def test_a_machine_readable_zone_is_read_and_what_names_a_person_is_sealed(bring, reads):
    card = Image.new("RGB", (1012, 638), (246, 250, 249))
    for row, line in enumerate(zone_of(ALICE)):
        ImageDraw.Draw(card).text((70, 400 + row * 56), line, fill=(30, 36, 40), font=mono(48))
    document = inspect_now(bring(photographed(card, seed=1)).pk)
    assert (value(document, "mrz"), value(document, "expires_on")) == ("TD1", "2031-09-02")
    assert document.facts["expires_on"]["confidence"] >= 95
    said = reading_of(document)
    assert (said["surname"], said["given_names"], said["birth_on"]) == ("SMITH", "ALICE", "1991-03-14")
    assert "SMITH" not in json.dumps(document.facts)
    assert b"SMITH" not in bytes(document.reading_sealed)


@needs_tesseract
@pytest.mark.django_db
def test_the_last_day_is_read_beside_its_label(bring, reads):
    document = inspect_now(bring(photographed(card_front(ALICE), seed=2)).pk)
    assert value(document, "expires_on") == "2031-09-02"
    assert document.facts["expires_on"]["confidence"] < 80
    assert reading_of(document) == {}


def a_page(*lines, turned):
    page = Image.new("RGB", (900, 40 + 80 * len(lines)), "white")
    for row, line in enumerate(lines):
        ImageDraw.Draw(page).text((40, 20 + 80 * row), line, fill="black", font=ImageFont.load_default(44))
    out = io.BytesIO()
    page.rotate(turned, expand=True).save(out, "PNG")
    return out.getvalue()


@needs_tesseract
@pytest.mark.django_db
@pytest.mark.parametrize(("turned", "told"), [(180, True), (0, False)])
def test_a_page_on_its_head_is_read_and_told(bring, reads, turned, told):
    data = a_page("Identity card of Alice", "Valid until 02.09.2031", turned=turned)
    document = inspect_now(bring(data, name="a.png").pk)
    assert (document.state, value(document, "expires_on")) == (State.READY, "2031-09-02")
    assert ("Stands on its head (90% sure)" in hints(document)) is told


@needs_tesseract
@pytest.mark.django_db
def test_a_page_that_says_nothing_is_never_told_to_stand_on_its_head(bring, reads):
    document = inspect_now(bring(a_page("A harmless page without a day", turned=180), name="a.png").pk)
    assert document.state == State.READY and "upside_down" not in document.facts


@needs_tesseract
@pytest.mark.django_db
@pytest.mark.parametrize("more", [["Valid until 02.09.2031"], []])
def test_card_data_on_a_page_on_its_head_ends_it_too(bring, reads, more):
    data = a_page("Card of Alice", f"Card no. {VISA}", *more, turned=180)
    destroyed = inspect_now(bring(data, name="a.png").pk)
    assert (destroyed.state, destroyed.reason, value(destroyed, "card_data")) == (State.DESTROYED, "card_data", "1111")


@needs_tesseract
@pytest.mark.django_db
def test_a_scanned_statements_day_is_read(bring, reads):
    issued = date(2026, 1, 15)
    document = inspect_now(bring(statement(ALICE, issued=issued), name="a.pdf").pk)
    assert (value(document, "issued_on"), value(document, "text")) == ("2026-01-15", "read")


@pytest.mark.django_db
def test_without_tesseract_pictures_are_not_read_and_say_so(bring, settings):
    assert settings.TESSERACT == ""
    document = inspect_now(bring(photographed(card_front(ALICE), seed=2)).pk)
    assert (document.state, value(document, "text")) == (State.READY, "not_read")
    assert "expires_on" not in document.facts


@needs_tesseract
def test_what_reads_print_is_confined_as_the_parsers_are(settings, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("P5 1 1 255 x")
    settings.TESSERACT = TESSERACT
    assert printed_text(b"no picture at all") == ""
    settings.TESSERACT = "/bin/cat"
    assert printed_text(b"", str(secret)) == ""


@pytest.mark.parametrize(
    ("text", "day", "least"),
    [
        ("Düzenleme tarihi: 15.01.2026", date(2026, 1, 15), 80),
        ("Statement date 2026-01-15", date(2026, 1, 15), 80),
        ("Invoice date: 15 January 2026, due date: 15 March 2026", date(2026, 1, 15), 80),
        ("Fatura tarihi 15 Ocak 2026", date(2026, 1, 15), 80),
        ("Tarih: 15/01/2026", date(2026, 1, 15), 50),
        ("01.12.2025 rent\n15.01.2026 water", date(2026, 1, 15), 20),
        ("Issue date: 31.02.2026", None, 0),
        ("Date of birth 14.03.2027", None, 0),
        ("no day at all 12345678", None, 0),
    ],
)
def test_the_day_a_paper_was_issued(text, day, least):
    found = dates.issued_on(text, today=TODAY)
    assert (found and found.day) == day
    assert day is None or found.confidence >= least
    assert found is None or found.day <= TODAY
