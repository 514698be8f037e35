"""Files that arrive at the running web server at a steady rate, what their inspection costs, and bombs among them."""

import http.client
import io
import os
import resource
import secrets
import statistics
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connections, transaction
from PIL import Image

from audit import context
from audit.actors import system
from bench import Row, gate
from cases.queues import open_queue
from cases.types.verification import services as verification
from compliance.people.services import (
    create_brand,
    create_licensee,
    create_team,
    create_user,
    open_account,
    register_customer,
)
from compliance.platform.services import issue_key
from documents.inspection import inspect_now
from documents.models import Document
from documents.services import receive
from documents.uploads import seal_file

RATE = 14  # documents a second that are promised
SENT = 15  # and that are sent: fewer would come back where the promise does not hold
SIZE = 3 * 1024 * 1024
CASES = 64
SENDERS = 24  # kept connections: more than wait at any time
BOMBS = 20
AT_ONCE = 2  # inspections of one worker
ASKED = 50  # requests a second of the others, while bombs are looked at

DATA = {
    "vault.accept_*": f"{SENT} files of 3 MB a second, open load, over the API to gunicorn (as in bench/gate.py): "
    "sealed, durable, row and entry written; rate: 201s within the time in which files were due; "
    "p95: from when a file was due to its 201; inspection apart, sender and server on the same cores",
    "vault.inspect_per_core": "photographs of 3 MB and statements of 3 MB through the whole inspection without a "
    "scanner, per second of processor time, the sandbox's included",
    "vault.bombs_*": f"{BOMBS} bombs (PDF that unpacks to 1 GiB, PNG of 119 megapixels), {AT_ONCE} at once; p95 of "
    f"others' requests at {ASKED}/s against the same without; web workers that died meanwhile",
}


def rows(quick: bool) -> list[Row]:
    seconds = 8 if quick else 30
    with context.use(context.new("command")):
        house = _house()
    with gate._server() as port:
        _sent(port, house, 1.5)  # every worker loads the product
        rate, late = _sent(port, house, seconds)
        ratio, deaths = _bombs(port, house, seconds)
    p95 = statistics.quantiles(late, n=20)[18]
    with context.use(context.new("command")):
        inspected, files = _inspected(house, 6 if quick else 24)
    return [
        Row("vault.accept_rate", round(rate, 2), ">=", RATE, len(late), "1/s"),
        Row("vault.accept_p95_s", round(p95, 3), "<=", 2.0, len(late), "s"),
        Row("vault.inspect_per_core", round(inspected, 2), ">=", 0.5, files, "1/s"),
        Row("vault.bombs_others_p95", round(ratio, 2), "<=", 1.5, BOMBS, "ratio"),
        Row("vault.bombs_deaths", deaths, "==", 0, BOMBS, "count"),
    ]


class House:
    """A licensee with cases, and a key that brings files."""

    def __init__(self, token: str, cases: list[Any]) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}
        self.cases = cases


@transaction.atomic
def _house() -> House:
    licensee = create_licensee(name="Vault", slug="vault", jurisdiction="TR", time_zone="UTC", by=system())
    brand = create_brand(licensee=licensee, name="Vault", slug="vault", by=system())
    team = create_team(name="Vault", slug="vault", by=system())
    open_queue(team, licensee, "verification", by=system())
    owner = create_user(email="vault@example.com", name="Vault", password="correct horse battery", by=system())
    expires = datetime.now(UTC) + timedelta(days=1)
    facts = {"owner": owner, "licensee": licensee, "name": "vault", "created_by": owner, "by": owner}
    scopes = ["documents:write", "gate:read"]
    _key, token = issue_key(**facts, scopes=scopes, expires_at=expires, rate_per_minute=None)
    return House(token, [_case(licensee, brand, number) for number in range(CASES)])


def _case(licensee: Any, brand: Any, number: int) -> Any:
    customer = register_customer(
        licensee=licensee,
        full_name=f"Alice {number}",
        birth_date=date(1990, 1, 1),
        nationality="TR",
        national_id=None,
        address="",
        by=system(),
    )
    account = open_account(
        customer=customer,
        brand=brand,
        reference=f"V-{number}",
        email=f"alice-{number}@example.com",
        phone=None,
        language="tr",
        time_zone="UTC",
        by=system(),
    )
    return verification.open(account, level="L1", by=system())


# ------------------------------------------------------------------------------------------------- what is sent
_HEAD = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
_PAGE = b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%s>>endobj\n"
_FILLING = secrets.token_hex(SIZE // 2).encode()


def _pdf(content: bytes = b"", filling: bytes = b"") -> bytes:
    """A PDF of one page; `content` is a stream object's inside."""
    body = _HEAD + _PAGE % (b"/Contents 4 0 R" if content else b"")
    body += b"%" + secrets.token_hex(16).encode() + filling + b"\n"
    places = [body.index(f"{number} 0 obj".encode()) for number in (1, 2, 3)]
    if content:
        places.append(len(body))
        body += b"4 0 obj" + content + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(places) + 1
    tail = b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return body + tail % (size, table, size, len(body))


def _photo() -> bytes:
    """A picture with much detail, about 3 MB as JPEG."""
    out = io.BytesIO()
    Image.frombytes("RGB", (1240, 1240), secrets.token_bytes(1240 * 1240 * 3)).save(out, "JPEG", quality=93)
    return out.getvalue()


def _pdf_bomb() -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 24)
    data = b"".join(packer.compress(block) for _ in range(64)) + packer.flush()
    twice = zlib.compress(data, 9)
    return _pdf(b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream " % (len(twice), twice))


def _png_bomb() -> bytes:
    out = io.BytesIO()
    Image.new("L", (11_900, 10_000), secrets.randbelow(256)).save(out, "PNG", compress_level=9)
    return out.getvalue()


def _form(data: bytes) -> bytes:
    fields = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % pair
        for pair in ((b"purpose", b"identity_front"), (b"document_type", b"national_id"))
    )
    head = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="x.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    )
    return fields + head + data + b"\r\n--B--\r\n"


def _sent(port: int, house: House, seconds: float) -> tuple[float, list[float]]:
    """Files a second that were accepted, and for each the seconds from when it was due to its answer."""
    late, answered, local = [], [], threading.local()
    headers = house.headers | {"Content-Type": "multipart/form-data; boundary=B"}

    def send(number: int, due: float) -> None:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        case = house.cases[number % len(house.cases)]
        local.connection.request("POST", f"/api/v1/cases/{case.number}/documents", body, headers)
        answer = local.connection.getresponse()
        said = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"a file was answered {answer.status}: {said[:300]!r}")
        now = time.perf_counter()
        answered.append(now)
        late.append(now - due)

    with ThreadPoolExecutor(SENDERS) as senders:
        start, waiting = time.perf_counter() + 0.05, []
        for number in range(int(SENT * seconds)):
            body = _form(_pdf(filling=_FILLING))
            time.sleep(max(0.0, start + number / SENT - time.perf_counter()))
            waiting.append(senders.submit(send, number, start + number / SENT))
        for one in waiting:
            one.result()
    end = start + seconds  # when the next one would be due: what is answered later was late, which p95 says
    return sum(moment <= end for moment in answered) / seconds, late


# ------------------------------------------------------------------------------------------------- inspection
def _received(house: House, data: bytes, name: str, number: int) -> Document:
    customer = house.cases[number % len(house.cases)].customer
    return receive(
        customer=customer, upload=seal_file(customer=customer, name=name, stream=io.BytesIO(data)), by=system()
    )


def _inspected(house: House, count: int) -> tuple[float, int]:
    """Documents inspected per second of processor time, and how many."""
    files = [(_photo(), "x.jpg") if number % 2 else (_pdf(filling=_FILLING), "x.pdf") for number in range(count)]
    received = [_received(house, data, name, number) for number, (data, name) in enumerate(files)]
    before = _processor_time()
    for document in received:
        moved = inspect_now(document.pk)
        assert moved is not None and moved.state == "ready", moved and (moved.state, moved.reason)
    return count / (_processor_time() - before), count


def _processor_time() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _bombs(port: int, house: House, seconds: float) -> tuple[float, int]:
    """(p95 of others while bombs are inspected over p95 without, web workers that died)."""
    with context.use(context.new("command")):
        pdf, png = _pdf_bomb(), [_png_bomb() for _ in range(3)]
        bombs = [
            _received(house, png[number % 3] + secrets.token_bytes(8), "x.png", number)
            if number % 2
            else _received(house, pdf.replace(b"/Root", b"/Root ", 1) + secrets.token_hex(8).encode(), "x.pdf", number)
            for number in range(BOMBS)
        ]
    paths = [f"/api/v1/accounts/V-{number}/gate" for number in range(CASES)]
    gate._hammer(port, house.headers, paths, 0.5)
    before, calm = _workers(), gate._open_load(port, house.headers, paths, ASKED, max(seconds, 5))
    stop, disturbed = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            disturbed.extend(gate._open_load(port, house.headers, paths, ASKED, 1.0))

    others = threading.Thread(target=ask)
    others.start()
    with ThreadPoolExecutor(AT_ONCE) as worker:
        done = list(worker.map(_looked_at, [bomb.pk for bomb in bombs]))
    stop.set()
    others.join()
    assert all(done), "a bomb was not inspected"
    deaths = len(before - _workers())
    return statistics.quantiles(disturbed, n=20)[18] / statistics.quantiles(calm, n=20)[18], deaths


def _looked_at(document_id: Any) -> bool:
    try:
        with context.use(context.new("command")):
            return inspect_now(document_id) is not None
    finally:
        connections.close_all()


def _workers() -> set[int]:
    """Processes that descend from this one: gunicorn and its workers."""
    found, ours = set(), {os.getpid()}
    parents = {int(name): _parent(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    while more := {pid for pid, parent in parents.items() if parent in ours and pid not in ours}:
        ours |= more
        found |= {pid for pid in more if b"gunicorn" in _command(pid)}
    return found


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _command(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            return line.read()
    except OSError:
        return b""
