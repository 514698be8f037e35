"""From bytes to a row: first the file, durable, then row and entry; on any fault neither."""

import errno
import hashlib
import io
import json
import os
import stat
import sys
import threading

import pytest
from django.db import transaction

from audit.actors import system
from audit.perform import WrongState, perform
from compliance.keys.services import open_sealed
from compliance.people.models import Customer, Licensee, RiskFact
from documents import services, storage
from documents.models import Document, State
from documents.refusals import TEXTS
from documents.services import Refused, kept_or_removed, name_of, receive
from documents.uploads import LARGEST, SealedUpload, seal_file
from tests.documents import samples

pytestmark = pytest.mark.django_db


def test_a_received_file_is_one_sealed_file_one_row_and_one_entry(bring, vault, entries, customer):
    data = samples.photo()
    document = bring(data, name="front.jpg", declared="image/jpeg")
    [file] = vault.files()
    assert file.name == f"{document.pk}.kvlt"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == stat.S_IMODE(vault.root.stat().st_mode) == 0o700
    sealed = file.read_bytes()
    assert sealed[:4] == b"KVLT"
    assert b"SecretCameraMaker" in data and b"SecretCameraMaker" not in sealed
    assert (document.state, document.media_type, document.size) == (State.RECEIVED, "image/jpeg", len(data))
    assert bytes(document.ciphertext_digest) == hashlib.sha256(sealed).digest()
    [entry] = entries("documents.receive", document.pk)
    assert hashlib.sha256(sealed).hexdigest().encode() in entry


def test_neither_name_nor_digest_stands_in_the_clear(bring, entries):
    data = samples.photo()
    document = bring(data, name="passport of isil.jpg")
    digest = hashlib.sha256(data)
    [entry] = entries("documents.receive", document.pk)
    row = repr(Document.objects.filter(pk=document.pk).values().get()).encode()
    for hidden in (b"passport", digest.hexdigest().encode(), repr(digest.digest()).encode()[2:-1]):
        assert hidden not in entry
        assert hidden not in row
    assert name_of(document) == "passport of isil.jpg"
    subject, aad = document.audit_subject, document.pk.bytes
    assert open_sealed(subject, "document_digest", bytes(document.digest_sealed), aad=aad) == digest.digest()


def test_the_inspection_is_woken_after_the_commit(bring, django_capture_on_commit_callbacks, monkeypatch):
    woken = []
    monkeypatch.setattr(services, "wake", lambda task, **ids: woken.append((task, ids)))
    document = bring()
    assert woken == [("documents.inspect", {"document_id": str(document.pk)})]


@pytest.mark.parametrize(
    ("make", "name", "media_type"),
    [
        (samples.photo, "front.JPG", "image/jpeg"),
        (samples.photo, "front.jpeg", "image/jpeg"),
        (samples.heic, "IMG_0042.HEIC", "image/heic"),
        (samples.png, "front.png", "image/png"),
        (samples.pdf, "statement.PDF", "application/pdf"),
        (samples.photo, "no extension", "image/jpeg"),
    ],
)
def test_jpeg_heic_png_and_pdf_are_taken(bring, make, name, media_type):
    assert bring(make(), name=name).media_type == media_type


# ------------------------------------------------------------------------------------------------- bad input
PHOTO, PNG, PDF = samples.photo(), samples.png(), samples.pdf()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BAD = {
    "nothing at all": (b"", "front.jpg", "", "empty", "empty"),
    "text": (b"hello, I am a passport", "front.jpg", "", "wrong_type", "wrong_type"),
    "one byte": (b"\xff", "front.jpg", "", "wrong_type", "wrong_type"),
    "a web page": (b"<!DOCTYPE html><script>alert(1)</script>", "a.pdf", "", "wrong_type", "wrong_type"),
    "SVG": (SVG, "a.svg", "image/svg+xml", "wrong_type", "wrong_type"),
    "ZIP": (b"PK\x03\x04" + bytes(100), "a.pdf", "", "wrong_type", "wrong_type"),
    "a ZIP bomb": (samples.zip_bomb(), "a.pdf", "", "wrong_type", "wrong_type"),
    "AVIF": (b"\0\0\0\x18ftypavif" + bytes(100), "a.jpg", "image/avif", "wrong_type", "wrong_type"),
    "a HEIC named as a JPEG": (samples.heic(), "a.jpg", "image/heic", "wrong_type", "wrong_name"),
    "half a HEIC": (samples.heic()[:4000], "a.heic", "", "truncated", "truncated"),
    "a HEIC with a web page behind it": (samples.heic() + SVG, "a.heic", "", "truncated", "truncated"),
    "a PDF that starts later": (b"\n\n" + PDF, "a.pdf", "", "wrong_type", "wrong_type"),
    "a PDF named as a picture": (PDF, "front.jpg", "image/jpeg", "wrong_type", "wrong_name"),
    "a picture named as a PDF": (PHOTO, "front.pdf", "", "wrong_type", "wrong_name"),
    "a picture with a program's name": (PHOTO, "front.jpg.exe", "", "wrong_type", "wrong_name"),
    "a picture declared as a web page": (PHOTO, "front.jpg", "text/html", "wrong_type", "wrong_name"),
    "a PNG declared as a JPEG": (PNG, "front.png", "image/jpeg", "wrong_type", "wrong_name"),
    "half a JPEG": (PHOTO[: len(PHOTO) // 2], "front.jpg", "", "truncated", "truncated"),
    "a JPEG without its last byte": (PHOTO[:-1], "front.jpg", "", "truncated", "truncated"),
    "half a PNG": (PNG[: len(PNG) // 2], "front.png", "", "truncated", "truncated"),
    "a PNG without its last byte": (PNG[:-1], "front.png", "", "truncated", "truncated"),
    "half a PDF": (PDF[: len(PDF) // 2], "a.pdf", "", "truncated", "truncated"),
    "a JPEG of three bytes": (PHOTO[:3], "front.jpg", "", "truncated", "truncated"),
    "a PNG that says it is enormous": (samples.png_bomb(), "a.png", "", "too_large", "too_many_pixels"),
    "a name with a line break": (PHOTO, "front\n.jpg", "", "bad_name", "bad_name"),
    "a name with a null byte": (PHOTO, "front.exe\0.jpg", "", "bad_name", "bad_name"),
    "a name that turns around": (PHOTO, "front\u202egpj.exe", "", "bad_name", "bad_name"),
    "a name that hides": (PHOTO, "fro\u200bnt.jpg", "", "bad_name", "bad_name"),
    "half a character": (PHOTO, "front\ud800.jpg", "", "bad_name", "bad_name"),
    "no name": (PHOTO, "", "", "bad_name", "bad_name"),
    "only a path": (PHOTO, "../../", "", "bad_name", "bad_name"),
}


@pytest.mark.parametrize(("data", "name", "declared", "code", "text"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_in_its_own_words_and_nothing_is_left(bring, vault, data, name, declared, code, text):
    with pytest.raises(Refused) as refused:
        bring(data, name=name, declared=declared)
    assert refused.value.code == code
    assert refused.value.message == str(refused.value) == str(TEXTS[text])
    assert vault.files() == []
    assert not Document.objects.exists()


def test_each_refusal_has_a_message_of_its_own():
    assert len(set(map(str, TEXTS.values()))) == len(TEXTS)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\isil\\Desktop\\kimlik ön.jpg", "kimlik ön.jpg"),
        ("/absolute/front.jpg", "front.jpg"),
        ("صورة.jpg", "صورة.jpg"),
        ("x" * 300 + ".jpg", "x" * 196 + ".jpg"),
    ],
)
def test_of_a_path_only_the_last_part_is_kept(bring, vault, sent, kept):
    document = bring(name=sent)
    assert name_of(document) == kept
    assert [file.name for file in vault.files()] == [f"{document.pk}.kvlt"]


def _zeros_between(first, last, size):
    """A file of `size` bytes that starts and ends as it should."""
    yield first
    left = size - len(first) - len(last)
    while left:
        piece = min(left, 1 << 20)
        yield bytes(piece)
        left -= piece
    yield last


def _fed(customer, pieces, name):
    upload = SealedUpload(customer, name=name, declared="")
    for piece in pieces:
        upload.feed(piece)
    upload.complete()
    return upload


def test_the_largest_allowed_file_is_taken(customer, alice, vault):
    upload = _fed(customer, _zeros_between(b"%PDF-1.7\n", b"startxref\n0\n%%EOF\n", LARGEST), "a.pdf")
    assert receive(customer=customer, upload=upload, by=alice).size == LARGEST


def test_one_byte_more_is_refused_as_soon_as_it_comes(customer, alice, vault):
    upload = _fed(customer, _zeros_between(b"%PDF-1.7\n", b"startxref\n0\n%%EOF\n", LARGEST + 1), "a.pdf")
    assert vault.files() == []
    with pytest.raises(Refused) as refused:
        receive(customer=customer, upload=upload, by=alice)
    assert refused.value.code == "too_large"


def test_no_file_asks_for_one(customer, alice):
    with pytest.raises(Refused, match="Choose a file"):
        receive(customer=customer, upload=None, by=alice)


def test_a_file_sealed_for_somebody_else_is_not_taken(customer, another_customer, alice):
    upload = seal_file(customer=another_customer, name="a.jpg", stream=io.BytesIO(samples.photo()))
    with pytest.raises(ValueError, match="customer"):
        receive(customer=customer, upload=upload, by=alice)
    upload.close()


# ------------------------------------------------------------------------------------------------ the same file
def test_the_same_file_again_is_refused_and_the_first_stays(bring, vault):
    data = samples.photo()
    first = bring(data)
    with pytest.raises(Refused) as refused:
        bring(data, name="another name.jpg")
    assert refused.value.code == "same_file"
    assert [file.name for file in vault.files()] == [f"{first.pk}.kvlt"]


def test_the_same_file_of_another_customer_is_taken(bring, another_customer):
    data = samples.photo()
    assert bring(data).pk != bring(data, to=another_customer).pk


def _risk(customer):
    return [
        (
            fact.code,
            json.loads(open_sealed(fact.audit_subject, "risk_fact", fact.details_sealed, aad=str(fact.pk).encode())),
        )
        for fact in RiskFact.objects.filter(customer=customer)
    ]


def test_the_same_file_of_another_customer_is_a_fact_about_both(bring, customer, another_customer, entries):
    data = samples.photo()
    first, second = bring(data), bring(data, name="other.jpg", to=another_customer)
    assert _risk(customer) == [
        ("same_file", {"document": str(first.pk), "same_as": str(second.pk), "customer": str(another_customer.pk)})
    ]
    [(code, details)] = _risk(another_customer)
    assert (code, details["same_as"], details["customer"]) == ("same_file", str(first.pk), str(customer.pk))
    for fact in RiskFact.objects.all():
        [entry] = entries("people.note_risk", fact.pk)
        assert b"same_file" not in entry


def test_another_licensees_player_may_be_the_same_person(bring, customer):
    """What one licensee holds is not the other's to know, and their passport is one."""
    elsewhere = Licensee.objects.create(name="Other", slug="other", jurisdiction="GB")
    data = samples.photo()
    bring(data)
    bring(data, to=Customer.objects.create(person=customer.person, licensee=elsewhere, full_name="Işıl Yıldırım"))
    assert not RiskFact.objects.exists()


def test_a_destroyed_file_is_no_trace_to_another_customer(ready, bring, another_customer):
    data = samples.photo()
    perform(ready(data).destroy, by=system(), reason="retention")
    bring(data, to=another_customer)
    assert not RiskFact.objects.exists()


def test_of_the_same_file_twice_at_once_the_database_keeps_one(bring, vault, monkeypatch):
    """Both asked before either wrote: the constraint decides, and the loser's file goes."""
    data = samples.photo()
    first = bring(data)
    monkeypatch.setattr(type(Document.objects), "known", lambda *a: Document.objects.none())
    with pytest.raises(Refused) as refused, transaction.atomic():
        bring(data)
    assert refused.value.code == "same_file"
    assert [file.name for file in vault.files()] == [f"{first.pk}.kvlt"]


# ------------------------------------------------------------------------------------------------------- quota
def test_more_files_than_a_customer_may_have_are_refused_and_others_are_not_touched(
    bring, ready, vault, settings, another_customer
):
    settings.CUSTOMER_FILES = 2
    bring()
    first = ready()
    with pytest.raises(Refused) as refused:
        bring()
    assert refused.value.code == "too_many_files"
    assert len(vault.files()) == 2
    bring(to=another_customer)
    perform(first.destroy, by=system(), reason="retention")
    bring()


def test_more_bytes_than_a_customer_may_have_are_refused(bring, settings):
    first = bring()
    settings.CUSTOMER_BYTES = first.size + 1000
    with pytest.raises(Refused, match="No more files"):
        bring()


# --------------------------------------------------------------------------------------------- never in the clear
def test_while_it_arrives_only_ciphertext_is_written_and_only_into_the_vault(customer, vault):
    canary = b"CANARY-" * 20
    data = b"%PDF-1.7\n" + canary * 20_000 + b"startxref\n0\n%%EOF\n"
    written = []

    def watch(event, arguments):
        if event == "open" and watching and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.append(str(arguments[0]))

    watching = threading.Event()
    sys.addaudithook(lambda event, arguments: watch(event, arguments) if watching.is_set() else None)
    watching.set()
    upload = SealedUpload(customer, name="a.pdf", declared="")
    for at in range(0, len(data), 100_000):
        upload.feed(data[at : at + 100_000])
        assert all(b"CANARY" not in file.read_bytes() for file in vault.files())
    upload.complete()
    watching.clear()
    assert [name for name in written if not name.startswith(str(vault.root))] == []
    assert len(written) == 1
    upload.close()
    assert vault.files() == []


# ---------------------------------------------------------------------------------------------------- faults
def _fails(number):
    def fail(*arguments, **named):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "rename"])
def test_a_failing_disk_refuses_the_file_and_leaves_nothing(bring, vault, monkeypatch, call, number):
    vault.root.mkdir(mode=0o700)
    monkeypatch.setattr(storage.os, call, _fails(number))
    with pytest.raises(Refused) as refused:
        bring()
    monkeypatch.undo()
    assert refused.value.code == "busy"
    assert list(vault.root.rglob("*.kvlt")) + list(vault.root.rglob("*.part")) == []
    assert not Document.objects.exists()


def test_a_failed_fsync_is_never_tried_again(bring, vault, monkeypatch):
    tried = []

    def fail(fd):
        tried.append(fd)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(storage, "_fsync_folder", lambda folder: None)
    monkeypatch.setattr(storage.os, "fsync", fail)
    with pytest.raises(Refused):
        bring()
    assert len(tried) == 1


def test_a_short_write_is_continued(bring, vault, monkeypatch, alice):
    real = os.write
    monkeypatch.setattr(storage.os, "write", lambda fd, data: real(fd, bytes(data[:1000])))
    data = samples.photo()
    document = bring(data)
    monkeypatch.undo()
    [file] = vault.files()
    assert hashlib.sha256(file.read_bytes()).digest() == bytes(document.ciphertext_digest)


def test_when_the_row_cannot_be_written_the_file_goes(bring, vault, monkeypatch):
    def fail(*arguments, **named):
        raise RuntimeError("the log is full")

    monkeypatch.setattr(services, "record", fail)
    with pytest.raises(RuntimeError, match="the log is full"), transaction.atomic():
        bring()
    assert vault.files() == []
    assert not Document.objects.exists()


def test_when_what_comes_after_it_is_refused_the_file_goes_with_the_row(customer, alice, vault):
    """The caller's own transaction: the file is received, then the case does not take it."""
    upload = seal_file(customer=customer, name="a.jpg", stream=io.BytesIO(samples.photo()))
    with pytest.raises(RuntimeError, match="no such purpose"), transaction.atomic(), kept_or_removed(upload):
        receive(customer=customer, upload=upload, by=alice)
        assert len(vault.files()) == 1
        raise RuntimeError("no such purpose")
    assert vault.files() == []
    assert not Document.objects.exists()


def test_a_second_try_with_the_same_upload_does_not_take_the_first_ones_file(customer, alice, vault):
    upload = seal_file(customer=customer, name="a.jpg", stream=io.BytesIO(samples.photo()))
    document = receive(customer=customer, upload=upload, by=alice)
    with pytest.raises(Refused, match="before"), transaction.atomic(), kept_or_removed(upload):
        receive(customer=customer, upload=upload, by=alice)
    assert [file.name for file in vault.files()] == [f"{document.pk}.kvlt"]


def test_no_file_at_all_is_refused_as_ever(customer, alice):
    with pytest.raises(Refused, match="Choose a file"), kept_or_removed(None):
        receive(customer=customer, upload=None, by=alice)


def test_a_row_is_never_written_before_its_file_is_durable(bring, vault, monkeypatch):
    order = []
    real_fsync, real_rename, real_create = os.fsync, os.rename, type(Document.objects).create

    def create(self, **fields):
        order.append("row")
        return real_create(self, **fields)

    monkeypatch.setattr(storage.os, "fsync", lambda fd: order.append("fsync") or real_fsync(fd))
    monkeypatch.setattr(storage.os, "rename", lambda a, b: order.append("rename") or real_rename(a, b))
    monkeypatch.setattr(type(Document.objects), "create", create)
    bring()
    assert order[-4:] == ["fsync", "rename", "fsync", "row"]


def test_an_upload_that_nobody_received_leaves_nothing(customer, vault):
    upload = seal_file(customer=customer, name="a.jpg", stream=io.BytesIO(samples.photo()))
    assert len(vault.files()) == 1
    del upload
    assert vault.files() == []


def test_many_uploads_at_once_do_not_mix(customer, alice, vault):
    """Pieces of several files arrive in turns, as on a busy server."""
    data = [samples.photo(300 + n, 200) for n in range(6)]
    running = [SealedUpload(customer, name=f"{n}.jpg", declared="") for n in range(6)]
    for at in range(0, max(map(len, data)), 7_000):
        for upload, content in zip(running, data, strict=True):
            upload.feed(content[at : at + 7_000])
    documents = []
    for upload in running:
        upload.complete()
        documents.append(receive(customer=customer, upload=upload, by=alice))
    assert [document.size for document in documents] == [len(content) for content in data]
    assert len(vault.files()) == 6


def test_states_move_only_through_perform(bring):
    document = bring()
    with pytest.raises(TypeError, match="perform"):
        Document.objects.filter(pk=document.pk).update(state="ready")
    with pytest.raises((AttributeError, WrongState)):
        document.state = "ready"


def test_the_limit_is_fifty_mebibytes():
    assert LARGEST == 50 * 1024 * 1024
