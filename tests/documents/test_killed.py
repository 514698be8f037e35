"""kill -9, fifty times each: while files are handed in, while they are scrubbed; and while one comes in pieces."""

import base64
import hashlib
import http.client
import io
import os
import random
import secrets
import select
import signal
import time
from contextlib import closing
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone

from audit import context
from audit.actors import system
from audit.models import Entry
from compliance.platform.services import issue_key
from documents import resumable
from documents.models import Document, PartialUpload, Piece
from documents.scrubbing import scrub
from documents.services import opened, receive
from documents.storage import storage
from documents.uploads import seal_file
from tests.documents import samples
from tests.journeys.people import eventually
from tests.waiting import PATIENCE
from tests.whole import times
from tests.world import a_world

pytestmark = [pytest.mark.slow, pytest.mark.forks]
KILLS = times(50, 12)


@pytest.fixture(autouse=True)
def vault():
    """The stack's own: its worker looks there."""


@pytest.fixture
def customer(committed):
    return a_world().account().customer


def killed(act, *, after, begun=lambda: None):
    """Let a copy of this process do `act`, and kill it so many seconds after it has `begun`."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            with context.use(context.new("test")):
                act()
        finally:
            os._exit(0)
    begun()
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def a_file(size=60_000):
    return samples.pdf() + b"%" + secrets.token_hex(size // 2).encode() + b"\nstartxref\n0\n%%EOF\n"


def whole(document):
    """What its file says, authenticated chunk by chunk; opening compares every sealed byte with the digest."""
    file, reader = opened(document, by=system(), whole=True)
    with closing(file):
        return b"".join(reader.read(0, reader.size))


def test_no_kill_loses_a_file_that_was_accepted_or_leaves_a_row_without_one(customer):
    source, told = os.pipe()
    accepted = set()

    def hand_in():
        upload = seal_file(customer=customer, name="x.pdf", stream=io.BytesIO(a_file()))
        os.write(told, receive(customer=customer, upload=upload, by=system()).pk.bytes)

    def hand_in_for_ever():
        while True:
            hand_in()

    def one_was_accepted():
        assert select.select([source], [], [], PATIENCE)[0], "the process that hands in says nothing"
        accepted.add(UUID(bytes=os.read(source, 16)))

    for _ in range(KILLS):
        killed(hand_in_for_ever, after=random.uniform(0, 0.12), begun=one_was_accepted)
    os.close(told)
    with open(source, "rb") as promised:
        accepted |= {UUID(bytes=each) for each in iter(lambda: promised.read(16), b"")}
    rows = {document.pk: document for document in Document.objects.filter(customer=customer)}
    assert len(accepted) >= KILLS
    assert accepted <= set(rows)
    for document in rows.values():
        assert len(whole(document)) == document.size
        assert Entry.objects.filter(action="documents.receive", object_id=str(document.pk)).count() == 1
    kept = {storage()._path(document_id) for document_id in rows}
    others = [path for path in storage().root.rglob("*") if path.is_file() and path not in kept]
    assert {path.suffix for path in others} <= {".kvlt", ".part"}  # what the sweep takes away
    assert all(b"%PDF" not in path.read_bytes() for path in others)


def test_a_scrub_that_is_killed_goes_on_where_it_was(customer):
    scrub()  # whatever else lies here has had its turn
    mine = Document.objects.filter(customer=customer)
    for _ in range(40):
        upload = seal_file(customer=customer, name="x.pdf", stream=io.BytesIO(a_file()))
        receive(customer=customer, upload=upload, by=system())
    kills_in_the_middle = 0
    for kill in range(5 * KILLS):  # how far one gets in a tenth of a second, a busy machine decides
        if kill >= KILLS and kills_in_the_middle:
            break
        if not mine.filter(scrubbed_at=None).exists():
            mine.update(scrubbed_at=None)
        before = mine.filter(scrubbed_at=None).count()
        killed(scrub, after=random.uniform(0.02, 0.15) * (1 + kill // KILLS))
        after = mine.filter(scrubbed_at=None).count()
        assert after <= before
        kills_in_the_middle += 0 < after < before
    assert kills_in_the_middle > 0
    found = scrub()
    assert (found.failed, mine.filter(scrubbed_at=None).count()) == (0, 0)
    assert not Entry.objects.filter(
        action="documents.fail_integrity", object_id__in=[str(pk) for pk in mine.values_list("pk", flat=True)]
    ).exists()
    for document in mine:
        assert len(whole(document)) == document.size


class Platform:
    """The operator's platform, on connections that break."""

    def __init__(self, stack, world, case):
        self.host = urlsplit(stack.url).netloc
        expires = timezone.now() + timedelta(days=1)
        facts = {"owner": world.bob, "licensee": world.licensee, "created_by": world.bob, "by": world.bob}
        _key, token = issue_key(**facts, name="platform", scopes=["documents:write"], expires_at=expires)
        self.headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
        self.base = f"/api/v1/cases/{case.number}/uploads"

    def ask(self, method, path, headers, body=None):
        with closing(http.client.HTTPConnection(self.host, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, self.headers | headers)
            answer = connection.getresponse()
            answer.read()
            return answer

    def begin(self, size):
        said = {"filename": "x.pdf", "filetype": "application/pdf"}
        said |= {"purpose": "identity_front", "document_type": "national_id"}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
        return self.ask("POST", self.base, {"Upload-Length": str(size), "Upload-Metadata": metadata})

    def offset(self, address):
        """Where it stands; None while nobody answers."""
        try:
            answer = self.ask("HEAD", address, {})
        except (OSError, http.client.HTTPException):
            return None
        return int(answer.headers["Upload-Offset"]) if answer.status == 200 else None

    def begin_a_piece(self, address, offset, data, sent):
        """Promise the rest of the data, send so much of it, and leave the connection open."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        connection.putrequest("PATCH", address)
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        for name, value in (self.headers | headers | {"Content-Length": str(len(data) - offset)}).items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(data[offset : offset + sent])
        return connection

    def send(self, address, offset, data):
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        return self.ask("PATCH", address, headers, data[offset:])


def workers(stack):
    arbiter = stack.pid("web")
    return [int(pid) for pid in open(f"/proc/{arbiter}/task/{arbiter}/children").read().split()]


def test_over_a_broken_connection_and_killed_workers_the_same_bytes_arrive(committed):
    world = a_world()
    case = world.verification()
    data, mib = a_file(14 * 1024 * 1024), 1024 * 1024
    platform = Platform(committed, world, case)
    begun = platform.begin(len(data))
    assert begun.status == 201
    address = begun.headers["Location"]

    platform.begin_a_piece(address, 0, data, 3 * mib).close()  # what came of it is kept, to the byte
    assert eventually(lambda: platform.offset(address)) == 3 * mib

    connection = platform.begin_a_piece(address, 3 * mib, data, 6 * mib)
    eventually(lambda: platform.offset(address) == 3 * mib + resumable.PIECE)
    for worker in workers(committed):
        os.kill(worker, signal.SIGKILL)
    connection.close()
    # A whole sealed piece survives; the half one goes with the worker.
    assert eventually(lambda: platform.offset(address)) == 3 * mib + resumable.PIECE

    done = platform.send(address, 3 * mib + resumable.PIECE, data)
    assert (done.status, done.headers["Upload-Offset"]) == (204, str(len(data)))
    again = platform.ask("HEAD", address, {})  # had the answer been lost
    document = case.evidence.get(pk=again.headers["Upload-Result"]).document
    assert hashlib.sha256(whole(document)).digest() == hashlib.sha256(data).digest()
    assert case.evidence.count() == 1
    upload = PartialUpload.objects.get(result=done.headers["Upload-Result"])
    assert not Piece.objects.filter(upload=upload).exists()
