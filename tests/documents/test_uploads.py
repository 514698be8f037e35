"""Files that come in a request: sealed as they arrive, refused everywhere else, nothing left of what was cut off."""

import io
import secrets

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import resolve

from documents.models import Document
from documents.services import name_of
from documents.uploads import LARGEST, PATIENCE, SealedUpload, SealingUploadHandler
from tests.documents import samples

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.documents.pages")]

EDGE = b"a-boundary-that-nobody-else-uses"


def part(name, data, *, filename=None, media_type=None):
    head = b'--%s\r\nContent-Disposition: form-data; name="%s"' % (EDGE, name.encode())
    if filename is not None:
        head += b'; filename="%s"' % filename.encode()
    if media_type is not None:
        head += b"\r\nContent-Type: " + media_type.encode()
    return head + b"\r\n\r\n" + data + b"\r\n"


def multipart(*parts):
    return b"".join(parts) + b"--%s--\r\n" % EDGE


def post(client, url, body, **headers):
    return client.generic("POST", url, body, content_type=f"multipart/form-data; boundary={EDGE.decode()}", **headers)


@pytest.fixture
def url(customer):
    return f"/upload/{customer.pk}/"


def test_a_file_of_a_form_is_received_with_the_fields_around_it(client, url, vault):
    data = samples.photo()
    body = multipart(part("file", data, filename="front.jpg", media_type="image/jpeg"), part("purpose", b"identity"))
    answer = post(client, url, body)
    assert answer.status_code == 201
    assert answer.json()["purpose"] == "identity"
    [document] = Document.objects.all()
    assert document.size == len(data)
    assert [file.name for file in vault.files()] == [f"{document.pk}.kvlt"]


def test_files_that_are_too_large_together_are_refused_from_there_on_and_the_first_ones_kept(
    customer, vault, monkeypatch
):
    first, second = samples.photo(), samples.photo()
    monkeypatch.setattr("documents.uploads.LARGEST_REQUEST", len(first) + 100)
    handler = SealingUploadHandler(RequestFactory().post("/"), customer)
    for data in (first, second):
        handler.new_file("file", "front.jpg", "image/jpeg")
        for start in range(0, len(data), 4096):
            handler.receive_data_chunk(data[start : start + 4096], start)
        handler.file_complete(len(data))
    kept, refused = handler._uploads
    assert kept.refusal is None
    assert (refused.refusal.code, "one by one" in refused.refusal.message) == ("too_large", True)
    kept.store()
    handler.close()
    assert [file.name for file in vault.files()] == [f"{kept.document_id}.kvlt"]


def test_two_files_of_one_request_are_two_documents(client, url, vault):
    body = multipart(
        part("file", samples.photo(), filename="front.jpg"), part("file", samples.photo(), filename="back.jpg")
    )
    assert len(post(client, url, body).json()["kept"]) == 2
    assert len(vault.files()) == 2


def test_an_api_route_takes_files_by_the_same_way(client, customer):
    answer = post(client, f"/api/{customer.pk}/", multipart(part("file", samples.pdf(), filename="a.pdf")))
    assert answer.status_code == 201


def test_a_page_is_still_shown_without_files(client, url):
    assert client.get(url).content == b"form"


# ----------------------------------------------------------------------------------------------- cross-site check
def test_a_form_without_the_cross_site_token_is_refused_and_its_file_is_gone(url, vault):
    strict = Client(enforce_csrf_checks=True)
    body = multipart(part("file", samples.photo(), filename="front.jpg"))
    assert post(strict, url, body).status_code == 403
    assert vault.files() == []
    assert not Document.objects.exists()


@pytest.mark.parametrize("token_first", [True, False])
def test_a_form_with_the_token_before_or_after_its_file_is_taken(url, token_first):
    strict = Client(enforce_csrf_checks=True)
    token = secrets.token_hex(16)
    strict.cookies["csrftoken"] = token
    parts = [part("csrfmiddlewaretoken", token.encode()), part("file", samples.photo(), filename="front.jpg")]
    answer = post(strict, url, multipart(*(parts if token_first else reversed(parts))))
    assert answer.status_code == 201


def test_the_token_may_come_in_a_header_as_htmx_sends_it(url):
    strict = Client(enforce_csrf_checks=True)
    token = secrets.token_hex(16)
    strict.cookies["csrftoken"] = token
    body = multipart(part("file", samples.photo(), filename="front.jpg"))
    assert post(strict, url, body, HTTP_X_CSRFTOKEN=token).status_code == 201


def test_a_stranger_is_turned_away_before_a_byte_is_read(url, vault):
    request = RequestFactory().generic(
        "POST", url + "?stranger=1", b"x", content_type="multipart/form-data; boundary=x"
    )
    request.META["CONTENT_LENGTH"] = "100"

    class Untouched:
        def read(self, *size):
            raise AssertionError("the body was read")

    request._stream = Untouched()
    view, arguments, named = resolve(url)
    with pytest.raises(Exception, match=r"^$") as error:
        view(request, *arguments, **named)
    assert type(error.value).__name__ == "Http404"
    assert vault.files() == []


# --------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("data", "filename", "media_type", "code"),
    [
        (b"", "front.jpg", "image/jpeg", "empty"),
        (b"MZ" + bytes(1000), "front.jpg", "image/jpeg", "wrong_type"),
        (samples.photo()[:-2], "front.jpg", "image/jpeg", "truncated"),
        (samples.pdf(), "front.jpg", "image/jpeg", "wrong_type"),
    ],
    ids=["empty", "wrong type", "truncated", "wrong name"],
)
def test_a_bad_file_is_refused_with_its_message(client, url, vault, data, filename, media_type, code):
    answer = post(client, url, multipart(part("file", data, filename=filename, media_type=media_type)))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert vault.files() == []
    assert not Document.objects.exists()


def test_a_form_without_a_file_asks_for_one(client, url):
    assert post(client, url, multipart(part("purpose", b"identity"))).json()["message"] == "Choose a file."


def test_too_large_a_file_is_read_to_its_end_so_that_the_sender_sees_why(client, url, vault):
    data = b"%PDF-1.7\n" + bytes(LARGEST + 1) + b"startxref\n0\n%%EOF\n"
    answer = post(client, url, multipart(part("file", data, filename="a.pdf"), part("purpose", b"identity")))
    assert (answer.status_code, answer.json()["code"]) == (422, "too_large")
    assert vault.files() == []


def test_but_not_for_ever(customer, vault):
    handler = SealingUploadHandler(RequestFactory().get("/"), customer)
    handler.new_file("file", "a.pdf", "application/pdf", None)
    upload = handler._uploads[-1]
    handler.receive_data_chunk(b"%PDF-1.7\n" + bytes(1000), 0)
    upload.size = PATIENCE
    with pytest.raises(Exception, match="far too large"):
        handler.receive_data_chunk(b"x", 0)
    assert vault.files() == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\\\fakepath\\\\front.jpg", "front.jpg"),
        ("fr\u202eont.jpg", "front.jpg"),
    ],
    ids=["path", "windows path", "U+202E"],
)
def test_names_with_paths_or_turning_characters_are_kept_without_them(client, url, vault, sent, kept):
    body = multipart(part("file", samples.photo(), filename=sent))
    assert post(client, url, body).status_code == 201
    [document] = Document.objects.all()
    assert name_of(document) == kept
    assert [file.name for file in vault.files()] == [f"{document.pk}.kvlt"]


def test_a_name_that_turns_into_another_type_is_refused(client, url):
    # Shown as "photo-exe.jpg", but it ends in .exe.
    body = multipart(part("file", samples.photo(), filename="photo-\u202egpj.exe"))
    assert post(client, url, body).json()["code"] == "wrong_type"


# ------------------------------------------------------------------------------------------------------ cut off
def raw_request(url, body, claimed):
    request = RequestFactory().generic("POST", url, b"x", content_type=f"multipart/form-data; boundary={EDGE.decode()}")
    request.META["CONTENT_LENGTH"] = request.environ["CONTENT_LENGTH"] = str(claimed)
    request._stream = io.BytesIO(body)
    request._dont_enforce_csrf_checks = True
    return request


def test_an_upload_cut_anywhere_leaves_nothing(url, vault):
    whole = multipart(part("purpose", b"identity"), part("file", samples.photo(), filename="front.jpg"))
    view, arguments, named = resolve(url)
    ends = [*range(0, len(whole) - 60, len(whole) // 40), len(whole) - len(EDGE) - 8]
    for end in ends:
        request = raw_request(url, whole[:end], len(whole))
        answer = view(request, *arguments, **named)
        request.close()
        assert request._stream.tell() == end
        assert answer.status_code == 422, f"cut at {end}"
        assert vault.files() == [], f"cut at {end}"
    assert not Document.objects.exists()


def test_a_broken_connection_in_the_middle_leaves_nothing(url, vault):
    class Breaks(io.BytesIO):
        def read(self, *size):
            if self.tell() > 200_000:
                raise OSError("connection reset")
            return super().read(*size)

    data = b"%PDF-1.7\n" + bytes(600_000)
    request = raw_request(url, b"", len(data))
    request._stream = Breaks(multipart(part("file", data, filename="a.pdf")))
    view, arguments, named = resolve(url)
    with pytest.raises(OSError, match="connection reset"):
        view(request, *arguments, **named)
    assert vault.files() == []


def test_a_file_that_the_view_never_received_is_gone_with_the_request(client, url, vault):
    body = multipart(part("file", samples.photo(), filename="front.jpg"))
    assert post(client, url + "?forgets=1", body).status_code == 204
    assert vault.files() == []


def test_a_fault_in_the_second_file_takes_the_first_one_along(client, url, vault):
    body = multipart(part("file", samples.photo(), filename="front.jpg"), part("file", b"text", filename="back.jpg"))
    answer = post(client, url, body)
    assert answer.status_code == 422
    # The first file had its row before the second one was looked at: a row and its file, or neither.
    assert len(vault.files()) == Document.objects.count()


# ---------------------------------------------------------------------------------------------------- elsewhere
def test_every_other_address_refuses_files(client, vault, monkeypatch):
    def no_upload(*arguments, **named):
        raise AssertionError("a file was taken")

    monkeypatch.setattr(SealedUpload, "__init__", no_upload)
    answer = client.post("/elsewhere/", {"file": SimpleUploadedFile("a.jpg", samples.photo())})
    assert answer.status_code == 400
    assert vault.files() == []


def test_every_other_address_takes_forms_without_files(client):
    assert client.post("/elsewhere/", {"word": "hello"}).json() == {"files": 0}
