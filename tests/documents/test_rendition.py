"""What people see: a picture drawn anew, without what the file carried along, marked with who looks and when."""

import io
import json

import pytest
from django.db import connection
from PIL import Image, ImageChops

from documents import services
from documents.processes import CannotRender
from documents.sandbox.watermark import ascii_form
from documents.services import RENDITION_HEADERS, NotReady, rendition
from tests.documents import samples

pytestmark = pytest.mark.django_db


def picture(made):
    return Image.open(io.BytesIO(made.data))


def test_a_photograph_is_shown_upright_and_without_its_metadata(ready, alice):
    made = rendition(ready(samples.photo(640, 400)), by=alice, purpose="review")
    shown = picture(made)
    assert made.media_type == "image/jpeg" and shown.format == "JPEG"
    # Turned by EXIF, with the band of the mark below it.
    assert shown.width == 400 and 640 < shown.height < 700
    assert len(shown.getexif()) == 0
    for carried in (b"SecretCameraMaker", b"Exif", b"GPS"):
        assert carried not in made.data


def test_a_heic_is_shown_as_it_was_taken_and_without_its_metadata_and_kept_as_it_is(ready, alice):
    data = samples.heic()
    document = ready(data, name="IMG_0042.HEIC")
    made = rendition(document, by=alice, purpose="review")
    shown = picture(made)
    assert made.media_type == "image/jpeg" and shown.format == "JPEG"
    assert shown.width == 400 and 640 < shown.height < 700
    assert len(shown.getexif()) == 0 and b"SecretCameraMaker" in data
    assert b"SecretCameraMaker" not in made.data
    assert b"".join(services.open_document(document, by=alice, purpose="review")) == data


def test_each_page_of_a_statement_is_a_picture(ready, alice):
    document = ready(samples.pdf(3), name="a.pdf")
    pages = [rendition(document, by=alice, purpose="review", page=page) for page in (1, 2, 3)]
    assert len({page.data for page in pages}) == 3
    assert picture(pages[0]).width > 1200


@pytest.mark.parametrize("page", [0, 4, -1])
def test_a_page_that_is_not_there_is_said_so(ready, alice, page):
    assert issubclass(CannotRender, NotReady)
    with pytest.raises(CannotRender, match="no_such_page"):
        rendition(ready(samples.pdf(3), name="a.pdf"), by=alice, purpose="review", page=page)


def test_the_mark_is_in_the_picture_and_names_the_viewer_time_and_view(ready, alice, monkeypatch):
    marks = []
    real = services.processes.render

    def render(media_type, chunks, *, page, mark, full):
        marks.append(mark)
        return real(media_type, chunks, page=page, mark=mark, full=full)

    monkeypatch.setattr(services.processes, "render", render)
    document = ready(samples.png(), name="a.png")
    made = rendition(document, by=alice, purpose="review")
    assert alice.name in marks[0] and alice.email in marks[0] and " UTC " in marks[0] and made.view_id in marks[0]
    # The pixels differ from those of the same page without a mark.
    chunks = services.open_document(document, by=alice, purpose="review")
    bare = Image.open(io.BytesIO(real("image/png", chunks, page=1, mark=".")))
    marked = picture(made).crop((0, 0, 320, 200))
    assert ImageChops.difference(marked, bare.crop((0, 0, 320, 200))).getbbox() is not None


def test_a_name_in_any_script_is_drawn_with_what_the_font_has():
    assert ascii_form("Ayşe Yılmaz İĞÖÇ") == "Ayse Yilmaz IGOC"
    assert ascii_form("王小明 wang@example.com") == "wang@example.com"


def test_a_large_picture_is_scaled_down(ready, alice):
    document = ready(samples.photo(4000, 3000))
    assert max(picture(rendition(document, by=alice, purpose="review")).size) <= 2500
    closer = picture(rendition(document, by=alice, purpose="review_full", full=True))
    assert closer.width == 3000 and 4000 < closer.height < 4200


@pytest.mark.parametrize(("full", "width"), [(False, 1696), (True, 3392)])
def test_a_page_has_twice_the_pixels_for_who_looks_closer(ready, alice, full, width):
    document = ready(samples.pdf(), name="a.pdf")
    assert abs(picture(rendition(document, by=alice, purpose="review", full=full)).width - width) <= 2


def test_transparency_is_shown_on_white(ready, alice):
    out = io.BytesIO()
    Image.new("RGBA", (300, 300), (255, 0, 0, 0)).save(out, "PNG")
    shown = picture(rendition(ready(out.getvalue(), name="a.png"), by=alice, purpose="review"))
    assert min(shown.getpixel((2, 2))) > 200


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_every_kind_of_picture_is_shown(ready, alice, mode):
    out = io.BytesIO()
    form, name = ("JPEG", "a.jpg") if mode == "CMYK" else ("PNG", "a.png")
    Image.new(mode, (300, 200)).save(out, form)
    assert picture(rendition(ready(out.getvalue(), name=name), by=alice, purpose="review")).mode == "RGB"


def test_looking_is_recorded_once_in_a_sitting(ready, alice, entries):
    document = ready(samples.pdf(3), name="a.pdf")
    for page in (1, 2, 3):
        rendition(document, by=alice, purpose="review", page=page)
    assert len(entries("audit.read", document.pk)) == 1


def test_each_document_that_was_looked_at_is_an_entry(ready, alice, entries):
    """Two documents of one customer within a minute, each twice."""
    front, back = ready(samples.photo(300, 200)), ready(samples.png(), name="b.png")
    for document in (front, back, front, back):
        rendition(document, by=alice, purpose="review")
    assert [len(entries("audit.read", document.pk)) for document in (front, back)] == [1, 1]


def test_the_view_id_in_every_picture_of_a_sitting_stands_in_its_entry(ready, bring, alice, entries):
    document, other = ready(samples.pdf(2), name="a.pdf"), ready(samples.png(), name="b.png")
    sitting = {rendition(document, by=alice, purpose="review", page=page).view_id for page in (1, 2, 1)}
    assert len(sitting) == 1
    (entry,) = entries("audit.read", document.pk)
    assert json.loads(entry)["data"] == {"purpose": "review", "view": sitting.pop()}

    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_read_mark SET until = until - interval '15 minutes 1 second'")
    rendition(document, by=alice, purpose="review")
    rendition(other, by=alice, purpose="review")
    found = [json.loads(entry)["data"]["view"] for pk in (document.pk, other.pk) for entry in entries("audit.read", pk)]
    assert len(set(found)) == 3


def test_what_is_not_ready_is_not_shown(bring, alice):
    with pytest.raises(NotReady):
        rendition(bring(), by=alice, purpose="review")


def test_nothing_that_is_served_may_run_be_guessed_framed_or_kept():
    policy = RENDITION_HEADERS["Content-Security-Policy"]
    assert "sandbox" in policy and "default-src 'none'" in policy and "allow-" not in policy
    assert RENDITION_HEADERS["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in RENDITION_HEADERS["Cache-Control"]
