"""What sealing costs beside plain hashing and plain copying, and how much memory a large file takes."""

import hashlib
import os
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
from cryptography.cobblestone import Cobblestone256Encryptor
from django.conf import settings
from django.db import connection, transaction

from audit import context
from audit.actors import system
from audit.record import ObjectRef, record
from bench import Row, _vault_load, cluster
from compliance.embedded.postgres import DATABASE, OWNER
from compliance.keys import rotation
from compliance.keys.models import SubjectKey
from compliance.keys.providers import provider
from documents import vault
from documents.media import TailWatch
from documents.storage import LocalStorage
from documents.uploads import SealingUploadHandler
from documents.vault import KEY, Digests, Header, RangeReader, Sealing

PIECE = SealingUploadHandler.chunk_size
MIB = 1024 * 1024
DATA = {
    "vault.seal": f"50 MiB of random bytes in pieces of {PIECE // 1024} KiB, as the upload handler hands them over",
    "vault.seal_cpu": "the same in processor time, which other programs on the machine do not change",
    "vault.put_*": "the same, written, fsync, rename, fsync of the folder; against the same bytes written so",
    "vault.rss_mb": "200 MiB put, got back whole and by 500 random ranges; growth of the peak after a warm-up of 1 MiB",
    "vault.rotate": "100,000 customers' keys (quick: 20,000), all indexes, rewrapped by `keys rotate` from a key file,"
    " committed batch by batch (the disk is waited for once, by the entry at the end)",
    **_vault_load.DATA,
    "not in it": "of the rows above vault.rotate: database, key wrapping, multipart parsing",
}


def rows(quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as folder:
        store = LocalStorage(Path(folder))
        return [
            *_seal(16 if quick else 50, repetitions=9 if quick else 15),
            _put(store, "vault.put_1m", 1, bound=0.85, repetitions=21 if quick else 61),
            _put(store, "vault.put_10m", 10, bound=0.65, repetitions=9 if quick else 21),
            _put(store, "vault.put_50m", 50, bound=0.50, repetitions=5 if quick else 11),
            _memory(Path(folder), 50 if quick else 200),
            _rotate(Path(folder), 20_000 if quick else 100_000),
            *_vault_load.rows(quick),
        ]


def _seal(megabytes: int, repetitions: int) -> list[Row]:
    data = secrets.token_bytes(megabytes * MIB)
    pieces = list(_pieces(data))
    once, ours = lambda: hashlib.sha256(data).digest(), lambda: _sealed(pieces, lambda view: None).ciphertext
    ratio = _ratio(once, ours, repetitions)
    DATA["one_core"] = _one_core(data, pieces, repetitions)
    return [
        Row("vault.seal", ratio, ">=", 0.75, repetitions, "ratio"),
        Row(
            "vault.seal_cpu", _ratio(once, ours, repetitions, clock=time.process_time), ">=", 0.35, repetitions, "ratio"
        ),
    ]


def _one_core(data: bytes, pieces: list[bytes], repetitions: int) -> str:
    """What sealing is made of, apart: gigabytes a second in processor time, the best of the runs."""
    buffer = bytearray(PIECE + MIB)

    def sealing() -> None:
        encryptor = Cobblestone256Encryptor(bytes(KEY), vault.context(_HEADER.pack(), _LICENSEE))
        for piece in pieces:
            encryptor.update_into(piece, buffer)

    ways: dict[str, Callable[[], object]] = {
        "SHA-256": lambda: hashlib.sha256(data).digest(),
        "BLAKE2b": lambda: hashlib.blake2b(data).digest(),
        "sealing without hashing": sealing,
    }
    best = {name: min(_seconds(way, time.process_time) for _ in range(repetitions)) for name, way in ways.items()}
    return ", ".join(f"{name} {len(data) / seconds / 1e9:.1f} GB/s" for name, seconds in best.items())


def _put(store: LocalStorage, name: str, megabytes: int, bound: float, repetitions: int) -> Row:
    pieces = list(_pieces(secrets.token_bytes(megabytes * MIB)))
    ratio = _ratio(lambda: _copy(store.root, pieces), lambda: _stored(store, pieces), repetitions)
    return Row(name, ratio, ">=", bound, repetitions, "ratio")


Clock = Callable[[], float]


def _ratio(
    plain: Callable[[], object], ours: Callable[[], object], repetitions: int, clock: Clock = time.perf_counter
) -> float:
    """Speed of `ours` over that of `plain`: the median of pairs run one after the other."""
    ours()
    return round(statistics.median(_seconds(plain, clock) / _seconds(ours, clock) for _ in range(repetitions)), 3)


def _seconds(act: Callable[[], object], clock: Clock) -> float:
    began = clock()
    act()
    return clock() - began


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))


def _sealed(pieces: Iterable[bytes], sink: Callable[[memoryview], object], key: bytes = bytes(KEY)) -> Digests:
    watch = TailWatch((b"startxref", b"%%EOF"), within=2048)
    sealing = Sealing(key, _HEADER, _LICENSEE, sink)
    for piece in pieces:
        watch.feed(piece)
        sealing.update(piece)
    return sealing.finish()


def _stored(store: LocalStorage, pieces: Iterable[bytes]) -> None:
    document = uuid4()
    put = store.begin(document)
    digests = _sealed(pieces, put.write)
    put.commit()
    assert digests.ciphertext
    store._path(document).unlink()


def _copy(root: Path, pieces: Iterable[bytes]) -> None:
    """What any program does that wants the bytes to be there after a crash."""
    temporary, final = root / "copy.part", root / "copy"
    with temporary.open("wb", buffering=0) as file:
        for piece in pieces:
            file.write(piece)
        os.fsync(file.fileno())
    temporary.rename(final)
    folder = os.open(root, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    final.unlink()


_HEADER, _LICENSEE = Header(uuid4(), uuid4(), 1), uuid4()


def _memory(folder: Path, megabytes: int) -> Row:
    """In a process of its own: a peak never goes down again."""
    program = (
        f"import django; django.setup(); from bench.vault import growth; print(growth({str(folder)!r}, {megabytes}))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return Row("vault.rss_mb", round(float(done.stdout.split()[-1]), 2), "<=", 8, megabytes, "MB")


def _through(store: LocalStorage, megabytes: int, ranges: int) -> None:
    document, digests = uuid4(), None
    put = store.begin(document)
    digests = _sealed((os.urandom(PIECE) for _ in range(megabytes * MIB // PIECE)), put.write)
    put.commit()
    file = store.open(document)
    reader = RangeReader(file, key=bytes(KEY), header=_HEADER, licensee=_LICENSEE)
    sha = hashlib.sha256()
    for chunk in reader.read(0, reader.size):
        sha.update(chunk)
    assert sha.digest() == digests.plaintext
    for _ in range(ranges):
        start = secrets.randbelow(reader.size)
        assert sum(map(len, reader.read(start, min(start + 100_000, reader.size)))) <= 100_000
    file.close()
    store.delete(document)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def growth(folder: str, megabytes: int) -> float:
    """Megabytes by which the peak of this process grows over a large file, after a small one."""
    store = LocalStorage(Path(folder))
    _through(store, 1, 10)
    before = _peak()
    _through(store, megabytes, 500)
    return _peak() - before


def _rotate(folder: Path, count: int) -> Row:
    """Rows a second from one epoch to the next, with keys of its own in a database of its own."""
    own = cluster()
    name = f"rotate_{secrets.token_hex(4)}"
    connection.close()
    own.create_database(name, template=DATABASE)
    before = dict(connection.settings_dict), settings.KEY_FILE
    try:
        settings.KEY_FILE = folder / "keys" / "keys.json"
        provider.cache_clear()
        provider().create()
        connection.settings_dict["NAME"] = name
        with context.use(context.new("command")):
            _fill(own.url(OWNER, name), count)
            done = rotation.rotate(by=system())
            assert done.rewrapped == rotation.verify() == count
    finally:
        connection.close()
        connection.settings_dict.update(before[0])
        settings.KEY_FILE = before[1]
        provider.cache_clear()
        own.drop_database(name)
    return Row("vault.rotate", round(done.rewrapped / done.seconds), ">=", 20_000, count, "1/s")


def _fill(url: str, count: int) -> None:
    contents = provider().contents()
    with transaction.atomic():
        record("keys.begin_rotation", by=system(), about=ObjectRef("seed", f"{count}"), details={"epoch": 1})
    with psycopg.connect(url) as direct, direct.cursor() as cursor:
        cursor.execute("DELETE FROM keys_subjectkey")
        sql = "COPY keys_subjectkey (kind, subject_id, version, provider, epoch, wrapped, created_at) FROM STDIN"
        with cursor.copy(sql) as copy:
            for _ in range(count):
                subject = str(uuid4())
                wrapped = contents.wrap(secrets.token_bytes(KEY), SubjectKey.aad_of("customer", subject, 1))
                copy.write_row(("customer", subject, 1, "file", wrapped.epoch, wrapped.blob, "2026-01-01"))
        cursor.execute("ANALYZE keys_subjectkey")
