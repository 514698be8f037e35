"""Files that come in pieces (tus 1.0): what arrived stays, none of it in the clear, and only its sender goes on."""

import base64
import hashlib
import io
import itertools
import secrets
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from audit.perform import ConditionsNotMet
from compliance.platform.services import issue_key
from documents import resumable, sweeping
from documents.models import Document, PartialUpload, Piece
from documents.refusals import Refused
from documents.services import open_document, receive
from documents.storage import storage
from tests.documents import samples
from tests.world import a_world

pytestmark = pytest.mark.django_db
OFFSET = "application/offset+octet-stream"


@pytest.fixture
def world(db):
    return a_world()


@pytest.fixture
def case(world):
    return world.verification()


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(resumable, "PIECE", 1000)
    monkeypatch.setattr(resumable, "_READ", 300)


def a_file(size=20_000):
    """A whole PDF of about that size, with bytes in it that no disk should show."""
    return samples.pdf() + b"%" + CANARY * (size // len(CANARY)) + b"\nstartxref\n0\n%%EOF\n"


CANARY = b"CANARY-IN-THE-CLEAR"


class Sender:
    """Somebody who sends a file over the page or the API."""

    def __init__(self, client, base, headers=None):
        self.client, self.base, self.headers = client, base, {"Tus-Resumable": "1.0.0"} | (headers or {})

    def begin(self, size, name="front.pdf", purpose="identity_front", paper="national_id", **headers):
        said = {"filename": name, "filetype": "application/pdf", "purpose": purpose, "document_type": paper}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
        headers = self.headers | {"Upload-Length": str(size), "Upload-Metadata": metadata} | headers
        return self.client.post(self.base, headers=headers)

    def piece(self, address, offset, data, **headers):
        headers = self.headers | {"Upload-Offset": str(offset)} | headers
        if not data:  # the test's client would send no such headers
            headers |= {"Content-Type": OFFSET, "Content-Length": "0"}
        return self.client.patch(address, data, content_type=OFFSET, headers=headers)

    def ask(self, address):
        return self.client.head(address, headers=self.headers)

    def give_up(self, address):
        return self.client.delete(address, headers=self.headers)


def by_page(client, user, case):
    client.force_login(user)
    return Sender(client, reverse("cases:begin-upload", kwargs={"number": case.number}))


def by_key(client, world, case):
    expires = timezone.now() + timedelta(days=1)
    facts = {"owner": world.bob, "licensee": world.licensee, "created_by": world.bob, "by": world.bob}
    _key, token = issue_key(**facts, name="platform", scopes=["documents:write"], expires_at=expires)
    client.logout()
    return Sender(client, f"/api/v1/cases/{case.number}/uploads", {"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("way", ["page", "api"])
def test_a_file_in_pieces_becomes_evidence_like_any_other(way, client, world, case, small_pieces, vault):
    sender = by_page(client, world.alice, case) if way == "page" else by_key(client, world, case)
    data = a_file()
    begun = sender.begin(len(data))
    assert begun.status_code == 201, begun.content
    address, offset = begun["Location"], 0
    while offset < len(data):
        came = sender.piece(address, offset, data[offset : offset + 7000])
        assert came.status_code == 204, came.content
        offset = int(came["Upload-Offset"])
        assert sender.ask(address)["Upload-Offset"] == str(offset)
        assert all(CANARY not in path.read_bytes() for path in vault.files())
    evidence = case.evidence.get()
    assert came["Upload-Result"] == str(evidence.pk)
    document = evidence.document
    assert (evidence.purpose, document.size, document.media_type) == ("identity_front", len(data), "application/pdf")
    assert [path.stem for path in vault.files()] == [str(document.pk)]  # the pieces are gone
    again = sender.piece(address, len(data), b"")  # the last answer was lost
    assert (again.status_code, again["Upload-Result"]) == (204, str(evidence.pk))
    assert case.evidence.count() == 1
    assert Entry.objects.filter(action="documents.begin_upload", matter=case.number).count() == 1


@given(cuts=st.lists(st.integers(700, 6000), min_size=1, max_size=6))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_it_is_cut_the_same_bytes_arrive(customer, alice, small_pieces, cuts):
    data = a_file(8000) + secrets.token_bytes(8)
    facts = {"customer": customer, "name": "x.pdf", "declared": "", "matter": "m", "target": {}, "by": alice}
    upload = resumable.begin(size=len(data), **facts)
    sizes = itertools.cycle(cuts)
    while upload.offset < len(data):
        rest = data[upload.offset :][: next(sizes)]
        # The stream may break off anywhere: more was promised than comes.
        promised = min(len(rest) + 50, len(data) - upload.offset)
        upload = resumable.append(upload, io.BytesIO(rest), offset=upload.offset, length=promised)
    done = resumable.complete(upload, lambda whole: receive(customer=customer, upload=whole, by=alice).pk)
    document = Document.objects.get(pk=done.result)
    document.__dict__["state"] = "ready"
    assert b"".join(open_document(document, by=alice, purpose="test")) == data
    assert not Piece.objects.filter(upload=upload).exists()


def test_bytes_that_do_not_follow_are_refused_with_where_it_stands(client, world, case):
    sender, data = by_page(client, world.alice, case), a_file()
    address = sender.begin(len(data))["Location"]
    assert sender.piece(address, 0, data[:5000]).status_code == 204
    for offset in (0, 4999, 5001):
        wrong = sender.piece(address, offset, data[offset : offset + 100])
        assert (wrong.status_code, wrong["Upload-Offset"]) == (409, "5000")
    assert sender.piece(address, 5000, data[5000:] + b"more").status_code == 413
    assert sender.ask(address)["Upload-Offset"] == "5000"


def test_nobody_but_its_sender_finds_it(client, world, case):
    data = a_file()
    address = by_page(client, world.alice, case).begin(len(data))["Location"]
    for user, status in ((world.bob, 404), (world.carol, 404), (world.mallory, 404)):
        other = by_page(client, user, case)
        assert other.piece(address, 0, data).status_code == status
        assert other.ask(address).status_code == other.give_up(address).status_code == status
    assert by_page(client, world.carol, case).begin(len(data)).status_code == 403
    assert by_page(client, world.mallory, case).begin(len(data)).status_code == 404
    assert PartialUpload.objects.get().offset == 0


def test_what_has_no_room_is_told_before_a_byte_is_sent(client, world, case, settings):
    sender = by_page(client, world.alice, case)
    assert sender.begin(51 * 1024 * 1024).status_code == 413
    settings.CUSTOMER_BYTES = 50_000
    assert sender.begin(30_000).status_code == 201
    full = sender.begin(30_000)  # what was promised to the first counts
    assert full.status_code == 413
    assert "No more files can be kept" in full.json()["detail"]
    settings.CUSTOMER_BYTES, settings.CUSTOMER_FILES = 10**9, 1
    assert sender.begin(10).status_code == 413
    settings.CUSTOMER_FILES = 500
    while (answer := sender.begin(10)).status_code == 201:
        pass
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_uploads")
    assert PartialUpload.objects.count() == resumable.AT_ONCE


def test_what_one_player_left_unfinished_stops_no_other_of_the_same_key(client, world, case, monkeypatch):
    monkeypatch.setattr(resumable, "AT_ONCE", 1)
    sender = by_key(client, world, case)
    assert sender.begin(10).status_code == 201
    assert sender.begin(10).json()["code"] == "too_many_uploads"
    sender.base = f"/api/v1/cases/{world.verification().number}/uploads"
    assert sender.begin(10).status_code == 201


def test_a_matter_that_takes_it_no_more_ends_the_upload(customer, alice, monkeypatch, vault):
    monkeypatch.setattr(resumable, "AT_ONCE", 1)
    data = a_file(2000)
    facts = {"customer": customer, "name": "front.pdf", "declared": "", "matter": "KYC", "target": {}, "by": alice}
    upload = resumable.begin(**facts, size=len(data))
    upload = resumable.append(upload, io.BytesIO(data), offset=0, length=len(data))

    def unmet(whole):
        whole.close()
        raise ConditionsNotMet(["It is finished."])

    with pytest.raises(ConditionsNotMet):
        resumable.complete(upload, unmet)
    assert vault.files() == []
    assert resumable.begin(**facts, size=len(data)).offset == 0  # the slot is free
    with pytest.raises(Refused) as again:
        resumable.complete(upload, unmet)
    assert again.value.message


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("front.pdf", b"MZ" + bytes(900), "wrong_type"),
        ("front.jpg", samples.pdf(), "wrong_type"),
        ("fr\u202egpj.pdf", samples.pdf(), "bad_name"),
        ("front.pdf", samples.pdf()[:-200], "truncated"),
    ],
)
def test_a_bad_file_is_refused_with_its_message_and_leaves_nothing(client, world, case, vault, name, data, code):
    sender = by_page(client, world.alice, case)
    answer = sender.begin(len(data), name=name)
    if answer.status_code == 201:
        address = answer["Location"]
        answer = sender.piece(address, 0, data)
        if code == "truncated":
            again = sender.piece(address, len(data), b"")
            assert (again.status_code, again.json()["code"]) == (422, code)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["detail"]
    assert vault.files() == []
    assert not case.evidence.exists()


def test_what_the_case_does_not_ask_for_is_not_begun(client, world, case):
    assert by_page(client, world.alice, case).begin(900, purpose="income").status_code == 422
    assert not PartialUpload.objects.exists()


def test_a_checksum_keeps_all_of_a_piece_or_nothing(client, world, case, small_pieces, vault):
    sender, data = by_page(client, world.alice, case), a_file()
    address = sender.begin(len(data))["Location"]
    first = data[:5000]
    for algorithm in ("sha1", "sha256"):
        digest = base64.b64encode(hashlib.new(algorithm, b"something else").digest()).decode()
        answer = sender.piece(address, 0, first, **{"Upload-Checksum": f"{algorithm} {digest}"})
        assert (answer.status_code, vault.files()) == (460, [])
    good = base64.b64encode(hashlib.sha1(first, usedforsecurity=False).digest()).decode()
    assert sender.piece(address, 0, first, **{"Upload-Checksum": f"sha1 {good}"})["Upload-Offset"] == "5000"
    for unreadable in ("md5 AAAA", "sha1 %%%", "sha1"):
        answer = sender.piece(address, 5000, data[5000:6000], **{"Upload-Checksum": unreadable})
        assert answer.status_code in (400, 460), unreadable
    assert sender.ask(address)["Upload-Offset"] == "5000"


def test_after_its_time_it_is_over_and_swept(client, world, case, vault):
    sender, data = by_page(client, world.alice, case), a_file()
    address = sender.begin(len(data))["Location"]
    sender.piece(address, 0, data[:5000])
    assert sweeping.remove_orphans(before=float("inf")) == 0  # a piece is no orphan
    assert len(vault.files()) == 1
    PartialUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sender.piece(address, 5000, data[5000:]).status_code == 410
    assert resumable.sweep() == 1
    assert sender.ask(address).status_code == 404
    assert vault.files() == []
    assert Entry.objects.filter(action="documents.abandon_upload", matter=case.number).count() == 1


def test_what_its_sender_gives_up_is_gone_at_once(client, world, case, vault):
    sender, data = by_page(client, world.alice, case), a_file()
    address = sender.begin(len(data))["Location"]
    sender.piece(address, 0, data[:5000])
    assert sender.give_up(address).status_code == 204
    assert sender.ask(address).status_code == 404
    assert vault.files() == []


def test_two_who_send_the_same_piece_at_once_keep_one(customer, alice, small_pieces, vault, monkeypatch):
    """The slower one learns where the upload stands, and its bytes go."""
    data = a_file(3000)
    facts = {"customer": customer, "name": "x.pdf", "declared": "", "matter": "m", "target": {}, "by": alice}
    upload = resumable.begin(size=len(data), **facts)
    slower = PartialUpload.objects.get(pk=upload.pk)
    resumable.append(upload, io.BytesIO(data[:900]), offset=0, length=900)
    with pytest.raises(resumable.WrongOffset) as wrong:
        resumable.append(slower, io.BytesIO(data[:900]), offset=0, length=900)
    assert wrong.value.offset == 900
    assert len(vault.files()) == 1


def test_a_disk_that_is_full_keeps_what_came_before(client, world, case, small_pieces, monkeypatch):
    sender, data = by_page(client, world.alice, case), a_file()
    address = sender.begin(len(data))["Location"]
    begin, calls = storage().begin, itertools.count()

    def full(document):
        if next(calls) == 3:
            raise OSError(28, "No space left on device")
        return begin(document)

    monkeypatch.setattr(storage(), "begin", full)
    answer = sender.piece(address, 0, data)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert sender.ask(address)["Upload-Offset"] == "3000"
    assert sender.piece(address, 3000, data[3000:])["Upload-Result"]


def test_the_protocol_is_told_and_asked_for(client, world, case):
    sender = by_page(client, world.alice, case)
    told = client.options(sender.base)
    assert (told["Tus-Version"], told["Tus-Max-Size"]) == ("1.0.0", str(50 * 1024 * 1024))
    assert told["Tus-Extension"] == "creation,expiration,checksum,termination"
    assert sender.begin(100, **{"Tus-Resumable": "0.2.2"}).status_code == 412
    address = sender.begin(100)["Location"]
    assert client.patch(address, b"x", headers=sender.headers | {"Upload-Offset": "0"}).status_code == 415
    assert sender.piece(address, "x", b"x").status_code == 400
    assert sender.begin("many").status_code == 400
    assert sender.begin(0).status_code == 422
